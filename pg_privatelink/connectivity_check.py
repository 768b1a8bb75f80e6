"""The connectivity check of the YAML file, beside the service that it checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from constructs_pg import PostgresConnectivityCheck
from pg_privatelink.function import RETENTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

    from constructs_pg import PostgresEndpointService
    from pg_privatelink.config import ConnectivityCheckConfiguration, ServiceConfiguration


def add_connectivity_check(
    service: PostgresEndpointService,
    check: ConnectivityCheckConfiguration,
    *,
    configuration: ServiceConfiguration,
    topics: Sequence[sns.ITopic],
    encryption_key: kms.IKey | None,
    permissions_boundary: iam.IManagedPolicy | None,
) -> PostgresConnectivityCheck:
    """Add the check of a service, which is made after all of the service.

    Args:
        service: The service, with all its listeners.
        check: The check as the YAML file describes it.
        configuration: The service as the YAML file describes it.
        topics: Who is told.
        encryption_key: For the function's environment and log group; None: AWS's own.
        permissions_boundary: Of the function's role; None: none.
    """
    stack = cdk.Stack.of(service)
    imported = Construct(stack, "ConnectivityCheckSubnets")
    cdk.Validations.of(imported).acknowledge(
        cdk.Acknowledgment(
            id="Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
            reason="Nothing here routes: the check's endpoint and function only stand in these subnets.",
        )
    )
    subnets = [
        ec2.Subnet.from_subnet_attributes(imported, each.id, subnet_id=each.id, availability_zone=each.zone)
        for each in check.subnets
    ]
    made = PostgresConnectivityCheck(
        stack,
        "ConnectivityCheck",
        vpc=ec2.Vpc.from_vpc_attributes(
            stack,
            "ConnectivityCheckVpc",
            vpc_id=check.vpc,
            availability_zones=sorted({each.zone for each in check.subnets}),
        ),
        vpc_subnets=ec2.SubnetSelection(subnets=subnets),
        endpoint_service_name=service.endpoint_service_name,
        ports=check.ports or [each.port for each in configuration.listeners.values()],
        interval=cdk.Duration.minutes(check.interval),
        tls_required=check.tls_required,
        alarms=configuration.alarms.tier != "none",
        alarm_actions=topics,
        encryption_key=encryption_key,
        permissions_boundary=permissions_boundary,
        log_retention=RETENTION[configuration.log_retention],
    )
    # The account must be admitted before it makes its endpoint, and the endpoint goes before the service does.
    made.node.add_dependency(service)
    return made

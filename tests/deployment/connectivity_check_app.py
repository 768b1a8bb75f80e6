"""A CDK app of the library for `test_connectivity_check.py`: a service and, in another VPC, a check of it.

What differs from run to run comes as JSON in the variable CONNECTIVITY_CHECK_APP.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2

from constructs_pg import Consumer, PostgresConnectivityCheck, PostgresEndpointService, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Sequence


def subnets(stack: cdk.Stack, prefix: str, described: Sequence[tuple[str, str, str]]) -> ec2.SubnetSelection:
    """Return subnets known by id, zone and range."""
    return ec2.SubnetSelection(
        subnets=[
            ec2.Subnet.from_subnet_attributes(
                stack,
                f"{prefix}{zone}",
                subnet_id=subnet_id,
                availability_zone=zone,
                ipv4_cidr_block=cidr,
                route_table_id="rtb-0123456789abcdef0",
            )
            for subnet_id, zone, cidr in described
        ]
    )


def main() -> None:
    """Synthesize the stack."""
    settings: dict[str, Any] = json.loads(os.environ["CONNECTIVITY_CHECK_APP"])
    account, region = os.environ["CDK_DEFAULT_ACCOUNT"], os.environ["CDK_DEFAULT_REGION"]
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, settings["stack"], env=cdk.Environment(account=account, region=region))
    zones = [zone for _, zone, _ in settings["subnets"]]
    service = PostgresEndpointService(
        stack,
        "Orders",
        vpc=ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id=settings["vpc"], availability_zones=zones),
        vpc_cidrs=["127.0.0.0/16"],
        vpc_subnets=subnets(stack, "Service", settings["subnets"]),
        consumers=[Consumer(name="Check", principals=[f"arn:aws:iam::{account}:root"])],
        acceptance_required=False,
        listeners={"main": PostgresTarget.from_ip_addresses(["127.0.0.10"])},
    )
    check = PostgresConnectivityCheck(
        stack,
        "Check",
        vpc=ec2.Vpc.from_vpc_attributes(stack, "Other", vpc_id=settings["other"], availability_zones=zones),
        vpc_subnets=subnets(stack, "Check", settings["other_subnets"]),
        endpoint_service_name=service.endpoint_service_name,
        ports=settings["ports"],
        interval=cdk.Duration.minutes(1),
    )
    check.node.add_dependency(service)
    cdk.CfnOutput(stack, "Function", value=check.function.function_name)
    cdk.CfnOutput(stack, "Endpoint", value=check.endpoint.vpc_endpoint_id)
    for port, alarm in check.alarms.items():
        cdk.CfnOutput(stack, f"Alarm{port}", value=alarm.alarm_name)
    app.synth()


main()

"""The VPC endpoint service: what consumers make endpoints to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from .load_balancer import apply_removal_policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_elasticloadbalancingv2 as elbv2
    from constructs import Construct

_ZONES_TAG = "pg-privatelink:zones"


def make_vpc_endpoint_service(
    scope: Construct,
    *,
    load_balancer: elbv2.NetworkLoadBalancer,
    zones: Sequence[str],
    principals: Sequence[str],
    acceptance_required: bool,
    supported_regions: Sequence[str],
    payer_responsibility: str | None,
    removal_policy: cdk.RemovalPolicy,
) -> ec2.VpcEndpointService:
    """Make the endpoint service, with the permissions of its consumers.

    Args:
        scope: The endpoint service's construct.
        load_balancer: The load balancer behind it.
        zones: The load balancer's zones.
        principals: Who may make endpoints.
        acceptance_required: Whether each connection waits until it is accepted.
        supported_regions: Regions in which consumers can make endpoints, besides its own.
        payer_responsibility: Who pays for the endpoints; None leaves it to AWS, and then the consumers do.
        removal_policy: What happens to it when it leaves the stack.
    """
    service = ec2.VpcEndpointService(
        scope,
        "EndpointService",
        vpc_endpoint_service_load_balancers=[load_balancer],
        acceptance_required=acceptance_required,
        allowed_principals=[iam.ArnPrincipal(principal) for principal in sorted(set(principals))],
        allowed_regions=sorted(supported_regions) or None,
    )
    apply_removal_policy(service, removal_policy)
    resource = service.node.find_child(service.node.id)
    assert isinstance(resource, ec2.CfnVPCEndpointService)  # noqa: S101 - true of the L2
    if payer_responsibility is not None:
        resource.payer_responsibility = payer_responsibility
    # AWS enables another zone of the load balancer when the service is modified, and CloudFormation modifies it when
    # it sees a change.
    cdk.Tags.of(service).add(_ZONES_TAG, " ".join(zones))
    return service

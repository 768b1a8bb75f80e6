"""The internal Network Load Balancer in front of the databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from ._acknowledgments import ACCESS_LOGS

if TYPE_CHECKING:
    from constructs import Construct

    from .network import EndpointServiceNetwork


def make_load_balancer(
    scope: Construct,
    *,
    vpc: ec2.IVpc,
    network: EndpointServiceNetwork,
    enforced: bool,
    deletion_protection: bool,
    removal_policy: cdk.RemovalPolicy,
) -> elbv2.NetworkLoadBalancer:
    """Make the load balancer, and let its security group go or stay with it.

    Args:
        scope: The endpoint service's construct.
        vpc: The VPC.
        network: Its subnets, its security group and, if they are fixed, its addresses.
        enforced: Whether inbound rules apply to PrivateLink traffic.
        deletion_protection: Whether AWS refuses to delete it.
        removal_policy: What happens to it when it leaves the stack.
    """
    mappings = network.subnet_mappings
    load_balancer = elbv2.NetworkLoadBalancer(
        scope,
        "LoadBalancer",
        vpc=vpc,
        vpc_subnets=None if mappings else ec2.SubnetSelection(subnets=network.subnets),
        # Neither is create-only: AWS::ElasticLoadBalancingV2::LoadBalancer changes from one to the other in place.
        subnet_mappings=mappings,
        internet_facing=False,
        ip_address_type=elbv2.IpAddressType.IPV4,
        # A database with one writer lives in one zone; consumers come in through all of them.
        cross_zone_enabled=True,
        deletion_protection=deletion_protection,
        security_groups=[network.security_group],
        enforce_security_group_inbound_rules_on_private_link_traffic=enforced,
    )
    apply_removal_policy(load_balancer, removal_policy)
    network.security_group.apply_removal_policy(removal_policy)
    ACCESS_LOGS.on(load_balancer)
    return load_balancer


def apply_removal_policy(construct: Construct, policy: cdk.RemovalPolicy) -> None:
    """Set the policy on every resource of a construct; an endpoint service's own is not its default child."""
    for child in construct.node.find_all():
        if isinstance(child, cdk.CfnResource):
            child.apply_removal_policy(policy)

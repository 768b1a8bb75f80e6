"""What AWS Lambda must be allowed, as a function's role, to connect the function to a VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from ._acknowledgments import network_interfaces
from .given_role import spelled

if TYPE_CHECKING:
    from constructs import IConstruct

    from .check_network import CheckNetwork
    from .function_network import FunctionNetwork

# Lambda says which function's code makes a call, and nothing where it calls EC2 or KMS itself, as the function's role:
# https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html
NOT_BY_CODE = {"Null": {"lambda:SourceFunctionArn": "true"}}


def network_interface_statements(network: FunctionNetwork | CheckNetwork) -> list[iam.PolicyStatement]:
    """Return what AWS Lambda needs to connect a function to the VPC: AWSLambdaVPCAccessExecutionRole, narrowed.

    "Giving Lambda functions access to resources in an Amazon VPC" in the Lambda guide says what is needed on which
    resources: deleting an interface needs all interfaces, or Lambda may not be able to clean up.
    """
    return [
        iam.PolicyStatement(
            sid="CreateNetworkInterfaces",
            actions=["ec2:CreateNetworkInterface"],
            resources=_where_interfaces_are_made(network),
            conditions=NOT_BY_CODE,
        ),
        iam.PolicyStatement(
            sid="KeepNetworkInterfaces",
            actions=[
                "ec2:AssignPrivateIpAddresses",
                "ec2:DeleteNetworkInterface",
                "ec2:UnassignPrivateIpAddresses",
            ],
            resources=[_ec2_arn("network-interface", "*")],
            conditions=NOT_BY_CODE,
        ),
        iam.PolicyStatement(
            sid="ReadNetworkInterfaces",
            actions=["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
            resources=["*"],
            conditions=NOT_BY_CODE,
        ),
    ]


def acknowledge_network_interfaces(holder: IConstruct, network: FunctionNetwork | CheckNetwork) -> None:
    """Acknowledge the wildcards of `network_interface_statements`, in all of their spellings."""
    names = [spelled(cdk.Stack.of(network).resolve(arn), "<{}>") for arn in _where_interfaces_are_made(network)]
    for name in names:
        if "*" in name:
            network_interfaces(name).on(holder)


def _where_interfaces_are_made(network: FunctionNetwork | CheckNetwork) -> list[str]:
    # A subnet shared with this account, or a group, keeps its owner's account in its ARN; imports do not tell it.
    subnets = [
        _ec2_arn("subnet", subnet.subnet_id, is_ours=isinstance(subnet.node.default_child, ec2.CfnSubnet))
        for subnet in network.subnets
    ]
    groups = [
        _ec2_arn(
            "security-group",
            group.security_group_id,
            is_ours=isinstance(group.node.default_child, ec2.CfnSecurityGroup),
        )
        for group in network.security_groups
    ]
    return [_ec2_arn("network-interface", "*"), *subnets, *groups]


def _ec2_arn(kind: str, resource_id: str, *, is_ours: bool = True) -> str:
    account = cdk.Aws.ACCOUNT_ID if is_ours else "*"
    return f"arn:{cdk.Aws.PARTITION}:ec2:{cdk.Aws.REGION}:{account}:{kind}/{resource_id}"

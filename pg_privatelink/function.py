"""The function of a service in the YAML file as the construct takes it: imported subnets, groups, role and key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pg_privatelink.config import FunctionSubnetConfiguration

RETENTION = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
    545: logs.RetentionDays.EIGHTEEN_MONTHS,
    731: logs.RetentionDays.TWO_YEARS,
    1096: logs.RetentionDays.THREE_YEARS,
    1827: logs.RetentionDays.FIVE_YEARS,
    2192: logs.RetentionDays.SIX_YEARS,
    2557: logs.RetentionDays.SEVEN_YEARS,
    2922: logs.RetentionDays.EIGHT_YEARS,
    3288: logs.RetentionDays.NINE_YEARS,
    3653: logs.RetentionDays.TEN_YEARS,
}
"""How long logs are kept, by the number of days."""


def function_subnets(scope: Construct, subnets: Sequence[FunctionSubnetConfiguration]) -> ec2.SubnetSelection | None:
    """Return the function's subnets, imported; None where it runs outside the VPC."""
    if not subnets:
        return None
    imported = Construct(scope, "FunctionSubnets")
    cdk.Validations.of(imported).acknowledge(
        cdk.Acknowledgment(
            id="Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
            reason="Nothing here routes: the function only runs in these subnets.",
        )
    )
    return ec2.SubnetSelection(
        subnets=[
            ec2.Subnet.from_subnet_attributes(
                imported,
                subnet.id,
                subnet_id=subnet.id,
                availability_zone=subnet.zone,
                ipv4_cidr_block=subnet.cidr,
            )
            for subnet in subnets
        ]
    )


def function_security_groups(scope: Construct, groups: Sequence[str]) -> list[ec2.ISecurityGroup] | None:
    """Return the function's security groups, imported; None where one is made."""
    if not groups:
        return None
    imported = Construct(scope, "FunctionSecurityGroups")
    return [ec2.SecurityGroup.from_security_group_id(imported, group, group, mutable=False) for group in groups]


def function_role(scope: Construct, arn: str | None, *, construct_id: str = "FunctionRole") -> iam.IRole | None:
    """Return a function's role, imported so that it gets no policy; None where one is made."""
    return None if arn is None else iam.Role.from_role_arn(scope, construct_id, arn, mutable=False)


def permissions_boundary(scope: Construct, arn: str | None) -> iam.IManagedPolicy | None:
    """Return the permissions boundary, imported; None where there is none."""
    return None if arn is None else iam.ManagedPolicy.from_managed_policy_arn(scope, "PermissionsBoundary", arn)


def encryption_key(scope: Construct, arn: str | None) -> kms.IKey | None:
    """Return the key, imported; None where AWS's own do."""
    return None if arn is None else kms.Key.from_key_arn(scope, "EncryptionKey", arn)

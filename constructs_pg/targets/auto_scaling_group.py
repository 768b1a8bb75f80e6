"""An Auto Scaling group as a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from .._references import different_groups
from .._validation import check_port, is_token
from ..errors import PostgresEndpointServiceError
from .config import PostgresTargetConfig
from .target import PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2
    from constructs import Construct


class AutoScalingGroupTarget(PostgresTarget):
    """The instances of an Auto Scaling group. See `PostgresTarget.from_auto_scaling_group`."""

    def __init__(
        self,
        group: autoscaling.AutoScalingGroup,
        *,
        port: int,
        security_groups: Sequence[ec2.ISecurityGroup] | None,
    ) -> None:
        if not isinstance(group, autoscaling.AutoScalingGroup):
            raise PostgresEndpointServiceError(_not_created(group))
        if is_token(port):
            raise PostgresEndpointServiceError(
                "the port of an Auto Scaling group's instances must be known at synthesis: it is the target group's "
                "own port, which AWS cannot change, and so part of its logical id; give a number"
            )
        self._group = group
        self._port = check_port(port)
        self._security_groups = (
            _security_groups(group) if security_groups is None else list(different_groups(security_groups))
        )

    def bind(self, scope: Construct) -> PostgresTargetConfig:
        """Return the group; Auto Scaling registers its instances on the target group's own port."""
        self._check_stacks(scope)
        created = self._group.node.default_child
        return PostgresTargetConfig(
            port=self._port,
            targets=[self._group],
            group_port=self._port,
            security_groups=self._security_groups,
            subnet_ids=(created.vpc_zone_identifier or ())
            if isinstance(created, autoscaling.CfnAutoScalingGroup)
            else (),
            target_type=elbv2.TargetType.INSTANCE,
        )

    def _check_stacks(self, scope: Construct) -> None:
        theirs = Stack.of(self._group)
        if theirs is Stack.of(scope):
            return
        if any(Stack.of(each) is theirs and is_token(each.security_group_id) for each in self._security_groups):
            raise PostgresEndpointServiceError(
                f"the Auto Scaling group and its security groups are in stack '{theirs.stack_name}', the service is in "
                f"'{Stack.of(scope).stack_name}': the group would need our target group, and our rules its security "
                "groups, a circle; put them into one stack, or give security_groups=[] and open the groups yourself"
            )


def _security_groups(group: autoscaling.AutoScalingGroup) -> list[ec2.ISecurityGroup]:
    try:
        return list(group.connections.security_groups)
    except RuntimeError as error:
        raise PostgresEndpointServiceError(
            "the security groups of the Auto Scaling group are not known, since its launch template is imported: give "
            "them as 'security_groups' (an empty list if you open them yourself)"
        ) from error


def _not_created(group: object) -> str:
    name = getattr(group, "auto_scaling_group_name", None)
    if name is None:
        return (
            f"from_auto_scaling_group needs an autoscaling.AutoScalingGroup, got a {type(group).__name__}; for EC2 "
            "instances there is from_ec2_instances"
        )
    return (
        f"Auto Scaling group '{name}' is imported, and CloudFormation cannot attach a target group to a group of "
        "another stack: create it in CDK, or use from_ec2_instance_ids or from_hostname; to attach it by hand, give a "
        "PostgresTarget of your own whose bind returns PostgresTargetConfig(port=5432, "
        "target_type=TargetType.INSTANCE), and run 'aws autoscaling attach-traffic-sources --auto-scaling-group-name "
        f"{name} --traffic-sources Identifier=<ARN>,Type=elbv2' with the ARN of that listener's target group"
    )

"""EC2 instances as a target: given as constructs, or by their ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_elasticloadbalancingv2_targets as elbv2_targets

from .._validation import check_ec2_instance_ids, check_port
from ..errors import PostgresEndpointServiceError
from .config import PostgresTargetConfig
from .target import PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct


class Ec2InstancesTarget(PostgresTarget):
    """EC2 instances by their ids. See `PostgresTarget.from_ec2_instances` and `from_ec2_instance_ids`."""

    def __init__(
        self,
        instance_ids: Sequence[str],
        *,
        port: int,
        security_groups: Sequence[ec2.ISecurityGroup],
        subnet_ids: Sequence[str] = (),
    ) -> None:
        self._instance_ids = check_ec2_instance_ids(instance_ids)
        self._port = check_port(port)
        self._security_groups = tuple(security_groups)
        self._subnet_ids = tuple(subnet_ids)

    @classmethod
    def from_instances(cls, instances: Sequence[ec2.IInstance], *, port: int) -> Ec2InstancesTarget:
        """Take ids, security groups and subnets from constructs."""
        strangers = [type(each).__name__ for each in instances if not hasattr(each, "instance_id")]
        if strangers:
            raise PostgresEndpointServiceError(
                f"from_ec2_instances needs EC2 instances, got a {strangers[0]}: give ec2.IInstance objects; for ids "
                "there is from_ec2_instance_ids, for an RDS instance from_instance"
            )
        created = [each.node.default_child for each in instances]
        return cls(
            [each.instance_id for each in instances],
            port=port,
            security_groups=[group for each in instances for group in each.connections.security_groups],
            subnet_ids=[each.subnet_id for each in created if isinstance(each, ec2.CfnInstance) and each.subnet_id],
        )

    def bind(self, scope: Construct) -> PostgresTargetConfig:  # noqa: ARG002 - part of the strategy's signature
        """Return the instances, each with the database's port."""
        return PostgresTargetConfig(
            port=self._port,
            targets=[elbv2_targets.InstanceIdTarget(each, self._port) for each in self._instance_ids],
            security_groups=self._security_groups,
            subnet_ids=self._subnet_ids,
            target_type=elbv2.TargetType.INSTANCE,
        )

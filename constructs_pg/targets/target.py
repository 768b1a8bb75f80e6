"""`PostgresTarget`: the strategy that tells a listener how to reach one Postgres."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_elasticloadbalancingv2 as elbv2

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_rds as rds
    from constructs import Construct


@dataclass(frozen=True, kw_only=True)
class RdsEventSource:
    """An RDS resource whose events wake the function that follows its name.

    Args:
        detail_type: EventBridge's detail type, for example "RDS DB Instance Event".
        source_identifier: The resource's identifier, lower-case as RDS stores it; may be a token.
    """

    detail_type: str
    source_identifier: str


@dataclass(frozen=True, kw_only=True)
class PostgresTargetConfig:
    """What a target needs from the listener it is bound to; the result of `PostgresTarget.bind`.

    Args:
        port: The port on which the database listens, 1 to 65535; every registered target carries it.
        hostname: A DNS name that the function follows (default: none; then there is no function for this listener).
        nameservers: DNS servers to ask, each `ip` or `ip:port` (default: the resolver of the function's network).
        allowed_ranges: IPv4 CIDRs in which addresses may be registered, besides the VPC's (default: the VPC's only).
        security_groups: The database's security groups; they get ingress rules for the load balancer (default: none).
        availability_zones: The zones in which the database can be, names or ids; each must be one of the load
            balancer's (default: unknown, nothing is checked at synthesis).
        event_sources: RDS resources whose events wake the function early (default: none).
        target_type: The target group's type (default: `ip`).
    """

    port: int
    hostname: str | None = None
    nameservers: Sequence[str] = ()
    allowed_ranges: Sequence[str] = ()
    security_groups: Sequence[ec2.ISecurityGroup] = ()
    availability_zones: Sequence[str] = ()
    event_sources: Sequence[RdsEventSource] = ()
    target_type: elbv2.TargetType = elbv2.TargetType.IP


class PostgresTarget(ABC):
    """A Postgres that a listener forwards to. Use a factory, or subclass and implement `bind`."""

    @staticmethod
    def from_instance(
        instance: rds.IDatabaseInstance,
        *,
        port: int | None = None,
        identifier: str | None = None,
        availability_zones: Sequence[str] = (),
        nameservers: Sequence[str] = (),
        allowed_ranges: Sequence[str] = (),
    ) -> PostgresTarget:
        """Forward to an RDS DB instance, single-AZ or Multi-AZ.

        The function registers the address behind the instance's endpoint name and follows it when it changes. For an
        instance known only by its attributes use `rds.DatabaseInstance.from_database_instance_attributes`.

        Args:
            instance: The instance, created in CDK or imported. Its security groups get ingress rules for the load
                balancer; an import without security groups gets none.
            port: The database's port (default: the instance's own, 5432 for a created Postgres instance without one).
            identifier: The DB instance identifier, by which RDS names the instance in its events (default: the
                instance's own).
            availability_zones: Zones of the DB subnet group, names or ids (default: unknown; the deployment then shows
                only whether the zone of the present address is enabled).
            nameservers: DNS servers to ask, each `ip` or `ip:port`. The function runs outside the VPC, so they must be
                reachable from there (default: AWS Lambda's own resolver, which knows RDS endpoints).
            allowed_ranges: IPv4 CIDRs in which its addresses may lie, besides the VPC's, such as those of a peered VPC
                (default: the VPC's only).

        Raises:
            PostgresEndpointServiceError: An argument is out of its range.
        """
        from constructs_pg.targets.instance import InstanceTarget  # noqa: PLC0415 - variants subclass this class

        return InstanceTarget(
            instance,
            port=port,
            identifier=identifier,
            availability_zones=availability_zones,
            nameservers=nameservers,
            allowed_ranges=allowed_ranges,
        )

    @abstractmethod
    def bind(self, scope: Construct) -> PostgresTargetConfig:
        """Return how to reach this Postgres; called once by each listener that forwards to it.

        Args:
            scope: The listener's construct, below which a target may create what it needs.
        """

"""`PostgresTargetConfig`: what a target tells the listener it is bound to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from aws_cdk import aws_elasticloadbalancingv2 as elbv2

from ..errors import PostgresEndpointServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2


@dataclass(frozen=True, kw_only=True)
class RdsEventSource:
    """An RDS resource whose events wake the function that follows its name.

    Args:
        detail_type: EventBridge's detail type, for example "RDS DB Instance Event".
        source_identifier: The resource's identifier, lower-case as RDS stores it; may be a token.
        members: DB instance identifiers of a cluster's members, as far as they are known: RDS tells of a change in the
            cluster's topology in a member's name (RDS-EVENT-0385). Their events wake the function too (default: none).
    """

    detail_type: str
    source_identifier: str
    members: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class RdsDatabase:
    """An RDS resource that RDS is asked about at deployment: its DB subnet group says in which zones it can be.

    Args:
        kind: As in its ARN: `db` or `cluster`.
        identifier: The resource's identifier; may be a token.
        subnet_group: The name of its DB subnet group, may be a token (default: not known).
    """

    kind: Literal["db", "cluster"]
    identifier: str
    subnet_group: str | None = None


@dataclass(frozen=True, kw_only=True)
class PostgresTargetConfig:
    """What a target needs from the listener it is bound to; the result of `PostgresTarget.bind`.

    A target is one of three kinds: a `hostname` that the function follows; `addresses` or `targets`, which stand in
    the template and need no function; or none of them, and then the target group is left to you: nothing is registered
    in it, and nothing that you register is touched.

    Args:
        port: The port on which the database listens, 1 to 65535; every registered target carries it.
        known_port: What `port` stands for where it is a token that the deployment resolves, but is known all the same;
            then security groups, in which AWS allows each rule once, get it once (default: not known).
        hostname: A DNS name that the function follows (default: none; then there is no function for this listener).
        members_of: The identifier of the DB cluster whose readers `hostname` names one at a time; the function then
            follows all of them and may read this cluster's description (default: the name says it all).
        nameservers: DNS servers to ask, each `ip` or `ip:port` (default: the resolver of the function's network).
        allowed_ranges: IPv4 CIDRs in which addresses may be registered, besides the VPC's (default: the VPC's only).
        addresses: Fixed IPv4 addresses; the listener knows which of them lie outside the VPC (default: none).
        targets: Fixed targets of another kind, such as `elasticloadbalancingv2_targets.InstanceIdTarget(id, port)`, or
            an Auto Scaling group (default: none).
        group_port: The target group's own port, for targets that cannot carry one because Auto Scaling registers
            them. AWS cannot change it, so it is part of the group's logical id: another port makes another group, in
            the same listener (default: 5432, which then means nothing).
        security_groups: The database's security groups; they get ingress rules for the load balancer, and instances
            are reached through them (default: none).
        availability_zones: The zones in which the database can be, names or ids; each must be one of the load
            balancer's (default: unknown, nothing is checked at synthesis).
        subnet_ids: The subnets in which the database can be, such as those of its DB subnet group. Where
            `availability_zones` are not given, the zones of those that belong to the service's VPC object are checked
            in their place (default: unknown).
        database: What the deployment asks RDS about, where neither `availability_zones` nor `subnet_ids` tell all the
            zones: each must be one of the load balancer's, or the first deployment fails (default: nothing is asked).
        event_sources: RDS resources whose events wake the function early (default: none).
        target_type: The target group's type, `ip` or `instance`; groups of another type have another logical id, since
            AWS cannot change the type (default: `ip`).
        publicly_accessible: Whether `hostname` resolves to a public address for a function outside of the VPC; such a
            target is refused unless the function runs inside (default: false).

    Raises:
        PostgresEndpointServiceError: Fields contradict each other.
    """

    port: int
    known_port: int | None = None
    hostname: str | None = None
    members_of: str | None = None
    nameservers: Sequence[str] = ()
    allowed_ranges: Sequence[str] = ()
    addresses: Sequence[str] = ()
    targets: Sequence[elbv2.INetworkLoadBalancerTarget] = ()
    group_port: int | None = None
    security_groups: Sequence[ec2.ISecurityGroup] = ()
    availability_zones: Sequence[str] = ()
    subnet_ids: Sequence[str] = ()
    database: RdsDatabase | None = None
    event_sources: Sequence[RdsEventSource] = ()
    target_type: elbv2.TargetType = elbv2.TargetType.IP
    publicly_accessible: bool = False

    def __post_init__(self) -> None:
        """Refuse what no target group can be."""
        kind = self.target_type.name
        problems: list[str] = []
        if self.target_type not in (elbv2.TargetType.IP, elbv2.TargetType.INSTANCE):
            problems.append(f"target type {kind} is not for a Postgres: give IP or INSTANCE")
        elif self.target_type == elbv2.TargetType.INSTANCE and (self.hostname is not None or self.addresses):
            problems.append(f"'hostname' and 'addresses' stand for addresses, got target type {kind}: leave it out")
        elif self.target_type == elbv2.TargetType.IP and self.group_port is not None:
            problems.append("addresses carry their own port, got a 'group_port': leave it out, or give type INSTANCE")
        if self.hostname is not None and (self.addresses or self.targets):
            problems.append(
                f"the function follows '{self.hostname}', and CloudFormation would undo what it registers, got "
                "'addresses' or 'targets' too: give one of them"
            )
        followed_only = ("members_of", "nameservers", "event_sources", "publicly_accessible")
        needless = [name for name in followed_only if getattr(self, name)]
        if self.hostname is None and needless:
            problems.append(f"no name is followed, got {' and '.join(needless)}: give 'hostname', or leave them out")
        if problems:
            raise PostgresEndpointServiceError(problems)

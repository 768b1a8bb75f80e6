"""`SecurityRules`: what may pass, as rules of the load balancer's security group and of the databases' groups."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from aws_cdk import Stack, Validations
from aws_cdk import aws_ec2 as ec2

from ._references import are_different_vpcs
from ._validation import is_token
from .egress_rules import EgressRules
from .errors import PostgresEndpointServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from constructs import Construct, IConstruct

_DEFAULT_QUOTA = 60
# Who has which rule by address, in each app.
_OWNERS: WeakKeyDictionary[IConstruct, dict[tuple[str, str, str, str], str]] = WeakKeyDictionary()
_MANY_RULES = "constructs-pg:PostgresEndpointService.manyRules"


class SecurityRules:
    """Rules on both sides of the load balancer; each (group, port, source) exists once, whichever listeners need it.

    Rules for databases' groups are resources of the service's stack, so that neither stack depends on the other in a
    circle.

    Args:
        scope: The construct below which the rules stand.
        security_group: The load balancer's security group.
        vpc: The VPC.
        enforced: Whether inbound rules apply to PrivateLink traffic. If not, databases must also admit the load
            balancer's addresses, because then AWS recommends rules by address.
        sources: Returns the ranges from which the load balancer comes.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        security_group: ec2.SecurityGroup,
        vpc: ec2.IVpc,
        enforced: bool,
        sources: Callable[[], Sequence[str]],
    ) -> None:
        self._scope = scope
        self._security_group = security_group
        self._vpc = vpc
        self._enforced = enforced
        self._sources = sources
        self._egress = EgressRules(security_group)
        self._stack = Stack.of(scope)
        self._group_id = security_group.security_group_id
        self._ingress: dict[tuple[str, str, str], IConstruct] = {}
        self._paths: dict[str, str] = {}
        self._owners = _OWNERS.setdefault(scope.node.root, {})
        self._counted: dict[str, int] = {}

    def allow_consumers(self, source_ranges: Sequence[str], port: int) -> None:
        """Admit consumers' addresses to a listener's port, which no other listener has."""
        for source_range in source_ranges:
            self._security_group.add_ingress_rule(
                ec2.Peer.ipv4(source_range), ec2.Port.tcp(port), f"Consumers in {source_range}"
            )
            self._count("the load balancer's security group", "inbound")

    def allow_to_targets(
        self, *, ranges: Sequence[str], groups: Sequence[ec2.ISecurityGroup], port: int, known_port: int | None
    ) -> None:
        """Let the load balancer reach addresses in these ranges, and what is in these security groups.

        Args:
            ranges: Exactly those in which addresses may ever be registered.
            groups: The groups of instances.
            port: The database's port; may be a token.
            known_port: What the token stands for, if that is known.
        """
        before = len(self._egress)
        for cidr in ranges:
            self._egress.allow_to_range(cidr, port, known_port=known_port)
        for group in groups:
            self._egress.allow_to_group(group, port, known_port=known_port)
        for _ in range(len(self._egress) - before):
            self._count("the load balancer's security group", "outbound")

    def allow_into_databases(
        self, groups: Sequence[ec2.ISecurityGroup], *, port: int, known_port: int | None
    ) -> list[IConstruct]:
        """Open databases' security groups for the load balancer; returns the rules, new ones and earlier ones."""
        # AWS recommends rules by address where inbound rules do not apply to PrivateLink traffic
        # (docs.aws.amazon.com: target-group-register-targets, target security groups).
        sources = [None, *(() if self._enforced or not groups else self._sources())]
        rules = []
        for group in groups:
            group_id = group.security_group_id
            rules += [self._rule_into(group, group_id, port, known_port, source=source) for source in sources]
        return rules

    def check_vpc(self, groups: Sequence[ec2.ISecurityGroup], *, advice: str) -> None:
        """Refuse security groups that are surely in another VPC; so is what they protect."""
        for group in groups:
            created = group.node.default_child
            vpc_id = created.vpc_id if isinstance(created, ec2.CfnSecurityGroup) else None
            if vpc_id and are_different_vpcs(vpc_id, self._vpc.vpc_id):
                raise PostgresEndpointServiceError(
                    f"security group '{group.node.path}' and what it protects are in another VPC than the service: "
                    f"put the service into that VPC, or {advice}"
                )

    def _rule_into(
        self, group: ec2.ISecurityGroup, group_id: str, port: int, known_port: int | None, *, source: str | None
    ) -> IConstruct:
        """Return the ingress rule of a database's group for a range, or, with none, for the load balancer's group."""
        key = (self._resolved(group_id), self._resolved(known_port or port), source or "")
        if key not in self._ingress:
            if group_id not in self._paths:
                self._paths[group_id] = group.node.path
            if source is not None:
                self._claim(key)
            self._count(f"the database's security group '{self._paths[group_id]}'", "inbound")
            self._ingress[key] = self._make_rule_into(group_id, port, source=source)
        return self._ingress[key]

    def _claim(self, rule: tuple[str, str, str]) -> None:
        """Refuse a rule by address that another service of the app has: AWS takes a rule once, whatever the stack.

        Rules that name the load balancer's own group cannot meet. A token means the same only within its stack.
        """
        group_id, port, source = rule
        literal = "{" not in group_id + port
        owner = self._owners.setdefault((*rule, "" if literal else self._stack.node.path), self._scope.node.path)
        if owner != self._scope.node.path:
            raise PostgresEndpointServiceError(
                f"'{owner.rpartition('/')[0]}' lets {source} into security group {group_id} on port "
                f"{port} already, and AWS takes a rule once: leave the security group out here (an empty "
                "security_groups), since those rules serve both services, or give one of the load balancers fixed "
                "addresses ('private_ipv4_addresses'), which then have rules of their own"
            )

    def _make_rule_into(self, group_id: str, port: int, *, source: str | None) -> IConstruct:
        digest = hashlib.sha256(self._identity(group_id, port, source or "LoadBalancer").encode()).hexdigest()[:8]
        return ec2.CfnSecurityGroupIngress(
            self._scope,
            f"DatabaseIngress{digest}",
            group_id=group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ip=source,
            source_security_group_id=None if source else self._group_id,
            description="Load balancer of a Postgres endpoint service",
        )

    def _identity(self, *parts: str | int) -> str:
        """Return what names a rule: part of its logical id, so the same in every release."""
        if any(is_token(part) for part in parts):
            return self._resolved(self._stack.to_json_string(list(parts)))
        # What CDK would write, without asking it.
        return json.dumps(parts, separators=(",", ":"), ensure_ascii=False)

    def _resolved(self, value: str | int) -> str:
        return str(self._stack.resolve(value) if is_token(value) else value)

    def _count(self, group: str, direction: str) -> None:
        """Warn, once for each group and direction, when the rules of ours outgrow AWS's default quota."""
        needs = f"{group} needs more than {_DEFAULT_QUOTA} {direction} rules"
        self._counted[needs] = self._counted.get(needs, 0) + 1
        if self._counted[needs] == _DEFAULT_QUOTA + 1:
            Validations.of(self._scope).add_warning(
                _MANY_RULES,
                f"{needs}, which AWS allows by default, so the deployment would fail: give fewer or wider ranges, put "
                "listeners into another service, or have AWS raise the quota 'Inbound or outbound rules per security "
                "group' and acknowledge this",
            )

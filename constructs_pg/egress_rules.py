"""`EgressRules`: where the load balancer may go, as rules of its own security group."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import jsii
from aws_cdk import IAnyProducer, Lazy, Stack
from aws_cdk import aws_ec2 as ec2

from ._validation import is_token

if TYPE_CHECKING:
    from aws_cdk import IResolveContext

_DESCRIPTION = "Databases"
_POSTGRES_PORT = 5432
# What CDK puts in place of no rule at all, which would allow everything.
_NO_TRAFFIC = "255.255.255.255/32"


class EgressRules:
    """Outbound rules of the load balancer's security group, each (destination, port) once.

    Rules stand in the group itself. One for a port that only the deployment knows is a resource of its own, as CDK has
    always made it; AWS refuses to have the same rule twice, so it takes the place of a rule in the group for the same
    port, whichever listener came first.

    Args:
        security_group: The load balancer's security group; rules that users add to it stay.
    """

    def __init__(self, security_group: ec2.SecurityGroup) -> None:
        self._security_group = security_group
        # The rule in the group, or nothing where the rule is a resource of its own.
        self._rules: dict[tuple[str, str], dict[str, Any] | None] = {}
        self._first_indirect_peer: str | None = None
        group = security_group.node.default_child
        assert isinstance(group, ec2.CfnSecurityGroup)  # noqa: S101 - true of the L2
        group.security_group_egress = Lazy.uncached_any(_InlineRules(self._rules, group.security_group_egress))

    def __len__(self) -> int:
        """Return the number of rules."""
        return len(self._rules)

    def allow_to_range(self, cidr: str, port: int, *, known_port: int | None) -> None:
        """Let the load balancer reach a range.

        Args:
            cidr: The IPv4 range; may be a token.
            port: The port; may be a token.
            known_port: What the token stands for, where that is known; otherwise it is taken for a port of its own.
        """
        self._allow(cidr, port, known_port, {"cidrIp": cidr})

    def allow_to_group(self, group: ec2.ISecurityGroup, port: int, *, known_port: int | None) -> None:
        """Let the load balancer reach what is in a security group. For the ports see `allow_to_range`."""
        group_id = group.security_group_id
        self._allow(group_id, port, known_port, {"destinationSecurityGroupId": group_id})

    def _allow(self, peer: str, port: int, known_port: int | None, destination: dict[str, Any]) -> None:
        key = (peer, str(known_port or port))
        rule = {**destination, "ipProtocol": "tcp", "fromPort": port, "toPort": port, "description": _DESCRIPTION}
        if not is_token(port):
            self._rules.setdefault(key, rule)
        elif self._rules.get(key, rule) is not None:
            self._rules[key] = None
            self._make_resource(peer, port, known_port, destination)

    def _make_resource(self, peer: str, port: int, known_port: int | None, destination: dict[str, Any]) -> None:
        if self._first_indirect_peer is None and is_token(peer):
            self._first_indirect_peer = peer
        to = "{IndirectPeer}" if peer == self._first_indirect_peer else self._named(peer)
        through = "{IndirectPort}" if known_port == _POSTGRES_PORT else str(known_port or self._named(str(port)))
        ec2.CfnSecurityGroupEgress(
            self._security_group,
            # CDK's name for it, as the first releases of this library had it: another would be a second, equal rule.
            f"to {to}:{through}".replace("/", "_"),
            group_id=self._security_group.security_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ip=destination.get("cidrIp"),
            destination_security_group_id=destination.get("destinationSecurityGroupId"),
            description=_DESCRIPTION,
        )

    def _named(self, text: str) -> str:
        if not is_token(text):
            return text
        resolved = Stack.of(self._security_group).resolve(text)
        return hashlib.sha256(str(resolved).encode()).hexdigest()[:8]


@jsii.implements(IAnyProducer)
class _InlineRules:
    """The rules that stand in the group, and those that others added to it, known when all listeners are."""

    def __init__(self, rules: dict[tuple[str, str], dict[str, Any] | None], others: object) -> None:
        self._rules = rules
        self._others = others

    def produce(self, context: IResolveContext) -> list[dict[str, Any]] | None:
        ours = [rule for rule in self._rules.values() if rule is not None]
        others = context.resolve(self._others) or []
        if self._rules:
            others = [rule for rule in others if rule.get("cidrIp") != _NO_TRAFFIC]
        return [*ours, *others] or None

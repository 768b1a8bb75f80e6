"""`Template`: what the stack was told to make, to tell what somebody changed by hand since. No input or output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.service import ENDPOINT_SERVICE, LISTENER, LOAD_BALANCER, SECURITY_GROUP, TARGET_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pg_privatelink.cli.service import Service

_PERMISSIONS = "AWS::EC2::VPCEndpointServicePermissions"
_INGRESS = "AWS::EC2::SecurityGroupIngress"


@dataclass(frozen=True, slots=True)
class ExpectedListener:
    """A listener of the template.

    Attributes:
        arn: The ARN that it had when it was made.
        port: Its port; None if the template computes it.
        target_group_arn: Where it sends connections; None if the template computes it.
    """

    arn: str
    port: int | None
    target_group_arn: str | None


@dataclass(frozen=True, slots=True)
class IngressRule:
    """An inbound rule of the template.

    Attributes:
        group_id: The security group it belongs to.
        port: Its port.
        cidr: The range that it admits; None if it admits a security group.
        source_group_id: The security group that it admits; None if it admits a range.
    """

    group_id: str
    port: int
    cidr: str | None
    source_group_id: str | None


class Template:
    """The resources of one service in its stack's template. What the template computes counts as not said.

    Args:
        service: The service.
        body: The template.
    """

    def __init__(self, service: Service, body: Mapping[str, Any]) -> None:
        self._resources: Mapping[str, Any] = body.get("Resources", {})
        self._ids = {each.logical_id: each.physical_id for each in service.resources if each.physical_id}

    def principals(self) -> list[str]:
        """Return who is to be admitted."""
        return [
            str(principal)
            for _, properties in self._of(_PERMISSIONS)
            for given in properties.get("AllowedPrincipals", [])
            if (principal := self._value(given)) is not None
        ]

    def listeners(self) -> list[ExpectedListener]:
        """Return the listeners."""
        found = []
        for logical_id, properties in self._of(LISTENER):
            port = self._value(properties.get("Port"))
            group = self._value((properties.get("DefaultActions") or [{}])[0].get("TargetGroupArn"))
            found.append(
                ExpectedListener(self._ids[logical_id], int(port) if port else None, str(group) if group else None)
            )
        return found

    def targets(self, target_group_arn: str) -> list[str]:
        """Return the targets that a target group is to have, `address:port`; none where others register them."""
        for logical_id, properties in self._of(TARGET_GROUP):
            if self._ids[logical_id] != target_group_arn:
                continue
            rows = properties.get("Targets", [])
            found = [(self._value(row.get("Id")), self._value(row.get("Port", properties.get("Port")))) for row in rows]
            return [] if any(None in pair for pair in found) else sorted(f"{host}:{port}" for host, port in found)
        return []

    def subnets(self) -> list[str]:
        """Return the load balancer's subnets."""
        for _, properties in self._of(LOAD_BALANCER):
            mapped = [each.get("SubnetId") for each in properties.get("SubnetMappings", [])]
            given = [self._value(each) for each in (properties.get("Subnets") or mapped)]
            return [str(each) for each in given if each is not None]
        return []

    def enforced(self) -> bool | None:
        """Return whether inbound rules are to apply to PrivateLink traffic; None if the template does not say."""
        for _, properties in self._of(LOAD_BALANCER):
            said = properties.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
            return None if said is None else said == "on"
        return None

    def acceptance_required(self) -> bool | None:
        """Return whether connections are to wait for the owner; None if the template does not say."""
        for _, properties in self._of(ENDPOINT_SERVICE):
            said = properties.get("AcceptanceRequired")
            return said if isinstance(said, bool) else None
        return None

    def consumer_rules(self) -> list[IngressRule]:
        """Return the inbound rules of the load balancer's own group."""
        return [
            rule
            for logical_id, properties in self._of(SECURITY_GROUP)
            for given in properties.get("SecurityGroupIngress", [])
            if (rule := self._rule({**given, "GroupId": self._ids[logical_id]})) is not None
        ]

    def database_rules(self) -> list[IngressRule]:
        """Return the rules made in databases' security groups."""
        rules = (self._rule(properties) for _, properties in self._of(_INGRESS))
        return [rule for rule in rules if rule is not None]

    def _rule(self, given: Mapping[str, Any]) -> IngressRule | None:
        group, port = self._value(given.get("GroupId")), self._value(given.get("FromPort"))
        cidr, source = self._value(given.get("CidrIp")), self._value(given.get("SourceSecurityGroupId"))
        if group is None or port is None or (cidr is None and source is None):
            return None
        return IngressRule(str(group), int(port), str(cidr) if cidr else None, str(source) if source else None)

    def _of(self, type_: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Return the resources of a type that belong to the service, by logical id."""
        for logical_id, resource in self._resources.items():
            if resource.get("Type") == type_ and logical_id in self._ids:
                yield logical_id, resource.get("Properties", {})

    def _value(self, given: object) -> str | int | None:
        """Return a literal, or the id that a reference to a resource of this service stands for."""
        if isinstance(given, (str, int)):
            return given
        if isinstance(given, dict) and "Ref" in given:
            return self._ids.get(given["Ref"])
        if isinstance(given, dict) and isinstance(given.get("Fn::GetAtt"), list):
            logical_id, attribute = given["Fn::GetAtt"]
            return self._ids.get(logical_id) if attribute == "GroupId" else None
        return None

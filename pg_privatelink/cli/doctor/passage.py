"""What security groups, route tables and network ACLs let pass. No input or output."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Row = Mapping[str, Any]
    Network = ipaddress.IPv4Network

TCP = frozenset({"tcp", "6", "-1"})

EPHEMERAL = (1024, 65535)
"""The ports from which a Network Load Balancer connects to targets ("Network ACLs" in its user guide)."""


def network(text: str) -> Network:
    """Return an address or a range as a range."""
    return ipaddress.IPv4Network(text, strict=False)


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether rules of security groups admit something.

    Attributes:
        admitted: Whether they surely do.
        maybe: Whether they might: by a prefix list, whose ranges are not known here.
    """

    admitted: bool
    maybe: bool = False


def admits(
    permissions: Iterable[Row], *, port: int, cidr: str | None = None, group_ids: Iterable[str] = ()
) -> Admission:
    """Return whether security-group rules admit TCP on a port, from or to a whole range or one of some groups.

    Args:
        permissions: IpPermissions or IpPermissionsEgress, of all groups together.
        port: The port.
        cidr: The range (default: none).
        group_ids: The groups (default: none).
    """
    wanted, groups, maybe = network(cidr) if cidr else None, set(group_ids), False
    ranges: list[Network] = []
    for rule in permissions:
        if rule["IpProtocol"] not in TCP or not _has_port(rule, port):
            continue
        if any(pair.get("GroupId") in groups for pair in rule.get("UserIdGroupPairs", [])):
            return Admission(admitted=True)
        ranges += [network(each["CidrIp"]) for each in rule.get("IpRanges", [])]
        maybe = maybe or bool(rule.get("PrefixListIds"))
    # Two halves admit a whole.
    covered = wanted is not None and any(wanted.subnet_of(each) for each in ipaddress.collapse_addresses(ranges))
    return Admission(admitted=covered, maybe=maybe and not covered)


def _has_port(rule: Row, port: int) -> bool:
    if rule["IpProtocol"] == "-1" or rule.get("FromPort") in {None, -1}:
        return True
    return int(rule["FromPort"]) <= port <= int(rule["ToPort"])


def of_subnet(tables: Sequence[Row], subnet_id: str, *, vpc_default: str) -> Row | None:
    """Return the route table or network ACL of a subnet.

    Args:
        tables: Those of the VPC.
        subnet_id: The subnet.
        vpc_default: What says that one is for all other subnets: `main` for route tables, `acl` for network ACLs.

    Returns:
        The one that names the subnet, else the VPC's default; None if there is neither.
    """
    for table in tables:
        if any(each.get("SubnetId") == subnet_id for each in table.get("Associations", [])):
            return table
    for table in tables:
        is_main = any(each.get("Main") for each in table.get("Associations", []))
        if is_main if vpc_default == "main" else table.get("IsDefault"):
            return table
    return None


def route_to(table: Row, address: str) -> Row | None:
    """Return the route that a table has for an address or range: the most specific one; None if there is none."""
    wanted = network(address)
    fitting = [
        (network(route["DestinationCidrBlock"]).prefixlen, route)
        for route in table.get("Routes", [])
        if route.get("DestinationCidrBlock") and wanted.subnet_of(network(route["DestinationCidrBlock"]))
    ]
    return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def leaves_by_the_internet(tables: Iterable[Row], route: Row, address: str) -> bool:
    """Return whether a route to an address outside the VPC ends at the internet, which does not have that address.

    An internet gateway has no private address behind it. A NAT gateway leads on by the routes of its own subnet, to a
    transit gateway for one; so it leads nowhere if no route table of the VPC knows another way to the address.

    Args:
        tables: All route tables of the VPC.
        route: The route that is taken.
        address: The address.
    """
    if ipaddress.IPv4Address(address).is_global or not _to_the_internet(route):
        return False
    if not route.get("NatGatewayId"):
        return True
    others = (route_to(table, address) for table in tables)
    return all(each is None or each.get("State", "active") != "active" or _to_the_internet(each) for each in others)


def _to_the_internet(route: Row) -> bool:
    return bool(route.get("NatGatewayId")) or str(route.get("GatewayId", "")).startswith("igw-")


@dataclass(frozen=True, slots=True)
class Denial:
    """Something that a network ACL does not let pass.

    Attributes:
        rule: The number of the rule that denies it; None: no rule admits it.
        cidr: The addresses.
        ports: The first and the last port.
    """

    rule: int | None
    cidr: str
    ports: tuple[int, int]

    @property
    def count(self) -> int:
        """How many ports."""
        return self.ports[1] - self.ports[0] + 1


def denials(acl: Row, *, egress: bool, cidr: str, ports: tuple[int, int]) -> list[Denial]:
    """Return which part of TCP traffic a network ACL stops. Rules count in the order of their numbers.

    Args:
        acl: The network ACL.
        egress: Whether the traffic leaves the subnet.
        cidr: The addresses at the other end.
        ports: The first and the last destination port.
    """
    pieces: list[tuple[Network, tuple[int, int]]] = [(network(cidr), ports)]
    found: list[Denial] = []
    entries = [
        entry
        for entry in acl.get("Entries", [])
        if bool(entry["Egress"]) is egress and str(entry["Protocol"]) in TCP and entry.get("CidrBlock")
    ]
    for entry in sorted(entries, key=lambda entry: int(entry["RuleNumber"])):
        rule = network(entry["CidrBlock"])
        given = entry.get("PortRange") if str(entry["Protocol"]) != "-1" else None
        first, last = (int(given["From"]), int(given["To"])) if given else (0, 65535)
        left: list[tuple[Network, tuple[int, int]]] = []
        for addresses, (low, high) in pieces:
            inner = (max(low, first), min(high, last))
            if not rule.overlaps(addresses) or inner[0] > inner[1]:
                left.append((addresses, (low, high)))
                continue
            met = addresses if addresses.subnet_of(rule) else rule
            if met != addresses:
                left += [(each, (low, high)) for each in addresses.address_exclude(rule)]
            if low < inner[0]:
                left.append((met, (low, inner[0] - 1)))
            if inner[1] < high:
                left.append((met, (inner[1] + 1, high)))
            if entry["RuleAction"] == "deny":
                found.append(Denial(int(entry["RuleNumber"]), str(met), inner))
        pieces = left
    return [*found, *(Denial(None, str(addresses), ports) for addresses, ports in pieces)]

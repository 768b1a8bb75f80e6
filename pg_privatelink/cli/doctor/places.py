"""Where things stand: the load balancer's nodes, and a target's subnet and security groups. No input or output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.passage import network
from pg_privatelink.cli.listeners import DRAINING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.listeners import Listener, Target

    Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Node:
    """The load balancer in one zone.

    Attributes:
        zone: The zone's name.
        subnet_id: Its subnet.
        cidr: The subnet's range.
        addresses: Its private addresses, as far as they are known.
    """

    zone: str
    subnet_id: str
    cidr: str
    addresses: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The ranges from which it connects to targets: its addresses, or anywhere in its subnet."""
        return tuple(f"{address}/32" for address in self.addresses) or (self.cidr,)


def nodes(facts: Facts) -> list[Node]:
    """Return the load balancer's nodes."""
    row, subnets = facts.present_load_balancer, known(facts.subnets)
    described = "ELB " + str(row["LoadBalancerArn"]).partition(":loadbalancer/")[2]
    interfaces = () if isinstance(facts.interfaces, Exception) else facts.interfaces
    found = []
    for zone in row["AvailabilityZones"]:
        subnet = subnets.get(zone["SubnetId"], {})
        pinned = {each.get("PrivateIPv4Address") for each in zone.get("LoadBalancerAddresses", [])}
        own = {
            each["PrivateIpAddress"]
            for interface in interfaces
            if interface.get("Description") == described and interface.get("SubnetId") == zone["SubnetId"]
            for each in interface.get("PrivateIpAddresses", [])
        }
        addresses = sorted((pinned | own) - {None, ""})
        found.append(Node(zone["ZoneName"], zone["SubnetId"], str(subnet.get("CidrBlock", "")), tuple(addresses)))
    return found


def subnet_of(facts: Facts, address: str) -> Row | None:
    """Return the subnet of the load balancer's VPC that an address is in; None if it is elsewhere."""
    try:
        wanted = network(address)
    except ValueError:
        return None  # the id of an EC2 instance
    fitting = (row for row in known(facts.subnets).values() if wanted.subnet_of(network(row["CidrBlock"])))
    return next(fitting, None)


def interface_of(facts: Facts, target: Target) -> Row | None:
    """Return the network interface that a target's address belongs to; None if the VPC shows none."""
    address = host(target)
    for row in known(facts.interfaces):
        own = {each.get("PrivateIpAddress") for each in row.get("PrivateIpAddresses", [])}
        if address in own or row.get("Attachment", {}).get("InstanceId") == address:
            return row
    return None


def host(target: Target) -> str:
    """Return a target's address."""
    return target.target.rpartition(":")[0] or target.target


def port(target: Target) -> int:
    """Return a target's port."""
    text = target.target.rpartition(":")[2]
    return int(text) if text.isdigit() else 0


def address_of(facts: Facts, target: Target) -> str | None:
    """Return a target's IPv4 address; None for an EC2 instance that the VPC shows no interface of."""
    given = host(target)
    if not given.startswith("i-"):
        return given
    row = interface_of(facts, target)
    return None if row is None else str(row["PrivateIpAddress"])


def registered(facts: Facts) -> Iterator[tuple[Listener, Target]]:
    """Return each registered target with its listener; those that leave are not registered."""
    targets = known(facts.targets)
    for listener in known(facts.named):
        for target in targets.get(listener.target_group_arn, ()):
            if target.state != DRAINING:
                yield listener, target

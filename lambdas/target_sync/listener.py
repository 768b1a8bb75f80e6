"""A listener: one database name to follow, described by the tags of its target group."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .settings import SettingsError, networks
from .target import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TAG = "pg-privatelink:"
FOLLOWED_TAG = TAG + "followed"
STEADY = "steady"

# What a Network Load Balancer takes as an IPv4 target outside the VPC's own ranges (User Guide for Network Load
# Balancers, "Register targets for your Network Load Balancer").
_PRIVATE = networks("10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10", "private ranges")


class NameServer(NamedTuple):
    """A DNS server to ask."""

    address: str
    port: int = 53


class Refusal(NamedTuple):
    """An address that a name answered with and that is never registered, and why."""

    address: str
    why: str


class Listener(NamedTuple):
    """What to follow, and which addresses may be registered for it.

    Attributes:
        name: The user's name for it.
        target_group_arn: The target group that it keeps.
        hostname: The database's DNS name.
        port: The database's port, which every target carries.
        ranges: The IPv4 ranges that addresses may come from.
        vpc_ranges: The VPC's own ranges.
        nameservers: The servers to ask; none: the system's.
        members: The DB cluster whose readers the host name stands for; empty: the name says it all.
        followed: hostname:port whose addresses are registered now, as last recorded; empty before the first time.
        steady: Whether it is recorded that this name gives all its addresses in every answer.
    """

    name: str
    target_group_arn: str
    hostname: str
    port: int
    ranges: tuple[ipaddress.IPv4Network, ...]
    vpc_ranges: tuple[ipaddress.IPv4Network, ...]
    nameservers: tuple[NameServer, ...] = ()
    members: str = ""
    followed: str = ""
    steady: bool = False

    @classmethod
    def from_tags(
        cls, target_group_arn: str, tags: Mapping[str, str], vpc_ranges: tuple[ipaddress.IPv4Network, ...]
    ) -> Listener | None:
        """Reads a target group's tags.

        Returns:
            The listener; None for a group without a host name, which is not ours to touch.

        Raises:
            SettingsError: A tag is missing or unusable.
        """
        hostname = tags.get(TAG + "hostname", "").rstrip(".").lower()
        if not hostname:
            return None
        name = tags.get(TAG + "listener", target_group_arn)
        port = tags.get(TAG + "port", "")
        if not (port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
            raise SettingsError(f"tag {TAG}port of listener {name} is {port!r}; give a port from 1 to 65535")
        made = cls(
            name=name,
            target_group_arn=target_group_arn,
            hostname=hostname,
            port=int(port),
            ranges=networks(tags.get(TAG + "ranges", ""), f"tag {TAG}ranges of listener {name}"),
            vpc_ranges=vpc_ranges,
            nameservers=_nameservers(tags.get(TAG + "nameservers", ""), name),
            members=tags.get(TAG + "members", ""),
        )
        return made.recorded(tags.get(FOLLOWED_TAG, ""))

    @property
    def record(self) -> str:
        """What `followed` says once the registered addresses are this host name's."""
        return f"{self.hostname}:{self.port}"

    def recorded(self, value: str) -> Listener:
        """This listener with another value of the `followed` tag: hostname:port, and "steady" where that is known."""
        followed, _, steady = value.partition(" ")
        return self._replace(followed=followed, steady=steady == STEADY)

    @property
    def already_followed(self) -> bool:
        """Whether other addresses mean a failover of the database followed already, not another database."""
        return self.followed == self.record

    def endpoint(self, address: str) -> Endpoint:
        """The target for an address of the database."""
        return Endpoint(address, self.port)

    def zone(self, address: str) -> str:
        """The AvailabilityZone to register an address with.

        AWS finds the zone of an address inside the VPC itself and refuses "all" there; outside it must be given.

        Returns:
            "all", or the empty string to leave the field out.
        """
        return "" if _inside(address, self.vpc_ranges) else "all"

    def allows(self, address: str) -> bool:
        """Whether an address may be registered."""
        return self.refusal(address) is None

    def refusal(self, address: str) -> Refusal | None:
        """Why an address must not be registered; None if it may be."""
        if not (_inside(address, self.vpc_ranges) or _inside(address, _PRIVATE)):
            return Refusal(
                address,
                f"{address} is a public address, which a Network Load Balancer does not take; the database is probably "
                "publicly accessible (PubliclyAccessible) and its name was resolved outside its VPC: make it not "
                "publicly accessible, or have the name resolved inside the VPC",
            )
        if not _inside(address, self.ranges):
            ranges = " ".join(map(str, self.ranges))
            return Refusal(address, f"{address} is outside the ranges allowed for this listener ({ranges})")
        return None

    def refusals(self, addresses: Iterable[str]) -> tuple[Refusal, ...]:
        """The addresses that must not be registered."""
        return tuple(found for found in map(self.refusal, sorted(addresses)) if found)


@lru_cache(maxsize=4096)
def _inside(address: str, ranges: tuple[ipaddress.IPv4Network, ...]) -> bool:
    try:
        parsed = ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return any(parsed in network for network in ranges)


def _nameservers(text: str, name: str) -> tuple[NameServer, ...]:
    """Reads "ip" and "ip:port", separated by spaces; a word with several colons is an IPv6 address."""
    found = []
    for word in text.split():
        address, colon, port = (word, "", "") if word.count(":") > 1 else word.partition(":")
        try:
            ipaddress.ip_address(address)
            server = NameServer(address, int(port)) if colon else NameServer(address)
        except ValueError as error:
            raise SettingsError(
                f"tag {TAG}nameservers of listener {name} has {word!r}; give ip or ip:port, separated by spaces"
            ) from error
        found.append(server)
    return tuple(found)

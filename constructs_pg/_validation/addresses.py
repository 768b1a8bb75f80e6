"""Rules for the load balancer's own addresses."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from ..errors import PostgresEndpointServiceError
from .kit import is_token
from .network import check_ip_address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RESERVED = 4
"""AWS keeps a subnet's first four addresses and its last: https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html."""


def is_in(address: str, cidrs: Sequence[str]) -> bool:
    """Tell whether an address lies in one of the ranges, all of them literal."""
    return any(IPv4Address(address) in IPv4Network(cidr) for cidr in cidrs)


def check_private_ipv4_addresses(
    addresses: Mapping[str, str], *, subnets: Mapping[str, tuple[str, str | None]]
) -> tuple[str, ...]:
    """Require one fixed address of the load balancer for each of its subnets, and return them in the subnets' order.

    Args:
        addresses: The addresses, each by the zone of its subnet or by the subnet's id.
        subnets: Zone and range of each subnet by its id; `None` for a range that is not known.
    """
    problems: list[str] = []
    keys = {key for subnet_id, (zone, _) in subnets.items() for key in (subnet_id, zone)}
    listed = ", ".join(f"{zone} ({subnet_id})" for subnet_id, (zone, _) in subnets.items())
    problems += [
        f"private address {address} is for '{key}', where the load balancer has no subnet: it has {listed}"
        for key, address in addresses.items()
        if key not in keys
    ]
    found: list[str] = []
    for subnet_id, (zone, cidr) in subnets.items():
        given = [addresses[key] for key in (subnet_id, zone) if key in addresses]
        if len(given) != 1:
            problems.append(
                f"the subnet in zone {zone} ({subnet_id}) has {len(given) or 'no'} private addresses: give each subnet "
                "one, by its zone or by its id, or give none at all"
            )
            continue
        try:
            found.append(check_ip_address(given[0], what="private address"))
        except PostgresEndpointServiceError as error:
            problems.extend(error.problems)
        else:
            problems += _misfits(given[0], zone, cidr)
    problems += [
        f"private address {address} is given twice: each subnet has its own"
        for address in dict.fromkeys(found)
        if not is_token(address) and found.count(address) > 1
    ]
    if problems:
        raise PostgresEndpointServiceError(problems)
    return tuple(found)


def _misfits(address: str, zone: str, cidr: str | None) -> list[str]:
    if cidr is None or is_token(cidr) or is_token(address):
        return []
    network = IPv4Network(cidr)
    position = int(IPv4Address(address)) - int(network.network_address)
    if not 0 <= position < network.num_addresses:
        return [f"private address {address} is not in {cidr}, the subnet in zone {zone}: give one of its addresses"]
    if position < _RESERVED or position == network.num_addresses - 1:
        return [f"private address {address} is one that AWS keeps in every subnet of {cidr}: give another one"]
    return []

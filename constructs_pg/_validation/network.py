"""Rules for ports, IPv4 ranges, addresses and names in DNS."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TYPE_CHECKING

from ..errors import PostgresEndpointServiceError
from .kit import different, each, is_token, shown, token_aware

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_PORT = 65535

TARGET_RANGES = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
"""Where a target may be besides the VPC's own ranges: "Register targets" in the Network Load Balancer guide,
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-register-targets.html."""

_LONGEST_PREFIX = 28
_SHORTEST_PREFIX = 16
"""The sizes that a VPC's range and a subnet can have: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html."""

_CIDR = re.compile(r"[0-9.]+/[0-9]{1,2}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MAX_HOST_NAME = 253


@token_aware
def check_port(value: int, *, what: str = "port") -> int:
    """Require a TCP port, 1 to 65535."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_PORT:
        raise PostgresEndpointServiceError(f"{what} must be an integer from 1 to {MAX_PORT}, got {shown(value)}")
    return value


@token_aware
def check_cidr(value: str, *, what: str = "CIDR") -> str:
    """Require an IPv4 range in CIDR notation, without host bits."""
    _network(value, what)
    return value


@token_aware
def check_vpc_cidr(value: str) -> str:
    """Require a range that a VPC can have: a netmask from /16 to /28. It need not be a private one."""
    _sized(_network(value, "VPC CIDR", single=False), "VPC CIDR")
    return value


def check_vpc_cidrs(values: Sequence[str]) -> tuple[str, ...]:
    """Require the ranges of one VPC: at least one, none overlapping another."""
    checked = each(check_vpc_cidr, values)
    if not checked:
        raise PostgresEndpointServiceError(
            "the VPC's CIDRs are missing: an address outside of them is registered in another way, so give all of them"
        )
    known = [cidr for cidr in checked if not is_token(cidr)]
    clashes = [
        f"VPC CIDR {second} overlaps {first}: the ranges of a VPC never do, remove one of them"
        for index, second in enumerate(known)
        for first in known[:index]
        if IPv4Network(first).overlaps(IPv4Network(second))
    ]
    if clashes:
        raise PostgresEndpointServiceError(clashes)
    return checked


@token_aware
def check_subnet_cidr(value: str, *, vpc_cidrs: Sequence[str] = (), others: Sequence[str] = ()) -> str:
    """Require a range that a subnet can have, inside one of the VPC's ranges and outside the other subnets'."""
    network = _sized(_network(value, "subnet CIDR", single=False), "subnet CIDR")
    ranges = _known(vpc_cidrs)
    if ranges and not any(network.subnet_of(vpc_range) for vpc_range in ranges):
        raise PostgresEndpointServiceError(
            f"subnet CIDR {value} is in none of the VPC's ranges ({_list(ranges)}): "
            "correct it, or add the VPC's secondary range"
        )
    clashes = [other for other in _known(others) if network.overlaps(other)]
    if clashes:
        raise PostgresEndpointServiceError(
            f"subnet CIDR {value} overlaps {clashes[0]} of another subnet: subnets never do, correct one of them"
        )
    return value


@token_aware
def check_ip_address(value: str, *, what: str = "target address") -> str:
    """Require one IPv4 address, as a fixed target has it. Whether it can be a target: see `check_target_address`."""
    text = value if isinstance(value, str) else ""
    if _address(text) is not None:
        return text
    advice = "write it as in 192.168.10.20"
    if "/" in text:
        advice = "give single addresses, not a range" if not _is_ipv6(text) else "IPv6 is not supported"
    elif _is_ipv6(text):
        advice = "IPv6 is not supported"
    elif ":" in text and _address(text.partition(":")[0]) is not None:
        advice = "give the port as the port, not with the address"
    raise PostgresEndpointServiceError(f"{what} must be an IPv4 address, got {shown(value)}: {advice}")


def check_ip_addresses(values: Sequence[str]) -> tuple[str, ...]:
    """Require fixed target addresses, each as `check_ip_address` does: at least one, none of them twice."""
    return different(each(check_ip_address, values), "target address")


@token_aware
def check_target_address(value: str, *, vpc_cidrs: Sequence[str] = ()) -> str:
    """Require an IPv4 address that a Network Load Balancer accepts as a target.

    Args:
        value: The address.
        vpc_cidrs: The ranges of the load balancer's VPC; what is inside is accepted, private or not.
    """
    address = _address(value)
    if address is None:
        raise PostgresEndpointServiceError(f"target address must be an IPv4 address, got {shown(value)}")
    if any(address in network for network in (*TARGET_RANGES, *_known(vpc_cidrs))) or _some_unknown(vpc_cidrs):
        return value
    kind = "is public" if address.is_global else "cannot be a target"
    raise PostgresEndpointServiceError(
        f"target address {value} {kind}: a Network Load Balancer reaches addresses in {_list(TARGET_RANGES)} or in the "
        "VPC's own ranges; give the database's private address and switch off its public accessibility"
    )


@token_aware
def check_allowed_range(value: str) -> str:
    """Require an IPv4 range outside the VPC in which every address can be a target. See `check_target_address`."""
    network = _network(value, "allowed range")
    if any(network.subnet_of(wider) for wider in TARGET_RANGES):
        return value
    raise PostgresEndpointServiceError(
        f"allowed range {value} holds addresses that a Network Load Balancer refuses as targets: it must lie within "
        f"{_list(TARGET_RANGES)} (the VPC's own ranges are allowed anyway)"
    )


def check_allowed_ranges(values: Sequence[str]) -> tuple[str, ...]:
    """Require ranges, each as `check_allowed_range` does."""
    return each(check_allowed_range, values)


@token_aware
def check_nameserver(value: str) -> str:
    """Require the IPv4 address of a name server, with a port after a colon where it is not 53."""
    text = value if isinstance(value, str) else ""
    host, colon, number = text.partition(":")
    port_is_good = not colon or (re.fullmatch("[1-9][0-9]{0,4}", number) and int(number) <= MAX_PORT)
    if _address(host) is None or not port_is_good:
        raise PostgresEndpointServiceError(
            f"name server must be an IPv4 address, or address:port as in 10.0.0.2:53, got {shown(value)}"
        )
    return text


def check_nameservers(values: Sequence[str]) -> tuple[str, ...]:
    """Require name servers, each as `check_nameserver` does."""
    return each(check_nameserver, values)


@token_aware
def check_host_name(value: str, *, what: str = "host name") -> str:
    """Require a host name (RFC 1123), and return it in lower case without a final dot.

    An IPv4 address is refused: it is valid where a host name is expected, but there would be nothing to follow.
    """
    if not isinstance(value, str):
        raise PostgresEndpointServiceError(f"{what} must be text, got {shown(value)}")
    if "://" in value:
        raise PostgresEndpointServiceError(f"{what} {shown(value)} is a URL: give the name alone")
    name, _, number = value.partition(":")
    if number.isdigit():
        raise PostgresEndpointServiceError(f"{what} {shown(value)} contains a port: give {number} as the port instead")
    if _address(name) is not None:
        raise PostgresEndpointServiceError(
            f"{what} {shown(value)} is an IPv4 address: give the database's DNS name, since its address can change"
        )
    normal = value.lower().removesuffix(".")
    if len(normal) > _MAX_HOST_NAME or not all(_LABEL.fullmatch(label) for label in normal.split(".")):
        raise PostgresEndpointServiceError(
            f"{what} {shown(value)} is not a DNS name: letters, digits and hyphens in labels of up to 63 characters "
            f"between dots, {_MAX_HOST_NAME} characters in all"
        )
    return normal


def _network(value: str, what: str, *, single: bool = True) -> IPv4Network:
    """Read a range; every way to get one wrong has its own advice.

    Args:
        value: The range.
        what: Its subject in messages.
        single: Whether one address would do.
    """
    text = value if isinstance(value, str) else ""
    advice = "write it as in 10.0.0.0/16"
    if _CIDR.fullmatch(text):
        try:
            return IPv4Network(text)
        except AddressValueError:
            pass
        except ValueError:
            advice = _without_host_bits(text) or "the number after the slash is from 0 to 32"
    elif _address(text) is not None:
        advice = f"for this one address write {text}/32" if single else f"the netmask is missing, as in {text}/24"
    elif _is_ipv6(text):
        advice = "IPv6 is not supported"
    raise PostgresEndpointServiceError(f"{what} must be an IPv4 range, got {shown(value)}: {advice}")


def _without_host_bits(text: str) -> str | None:
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        return None
    return f"the address has bits set beyond the netmask, did you mean {network}"


def _sized(network: IPv4Network, what: str) -> IPv4Network:
    if not _SHORTEST_PREFIX <= network.prefixlen <= _LONGEST_PREFIX:
        raise PostgresEndpointServiceError(
            f"{what} must have a netmask from /{_SHORTEST_PREFIX} to /{_LONGEST_PREFIX}, got '{network}'"
        )
    return network


def _address(value: object) -> IPv4Address | None:
    try:
        return IPv4Address(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _is_ipv6(text: str) -> bool:
    for kind in (IPv6Address, IPv6Network):
        try:
            kind(text)
        except ValueError:
            continue
        return True
    return False


def _known(cidrs: Sequence[str]) -> list[IPv4Network]:
    return [IPv4Network(cidr) for cidr in cidrs if not is_token(cidr)]


def _some_unknown(cidrs: Sequence[str]) -> bool:
    return is_token(cidrs) or any(is_token(cidr) for cidr in cidrs)


def _list(networks: Sequence[IPv4Network]) -> str:
    return ", ".join(str(network) for network in networks)

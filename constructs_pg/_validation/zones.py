"""Rules for Availability Zones: the load balancer must be wherever the database can fail over to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import PostgresEndpointServiceError
from .kit import each, is_token, shown, token_aware

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_ZONES = 2
"""What consumers ask for, and what access from other Regions requires."""

_ZONE_NAME = re.compile(r"(?P<region>[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2})[a-z]")
_ZONE_ID = re.compile(r"[a-z]+[0-9]+-az[0-9]+")


def is_zone_id(value: str) -> bool:
    """Tell a zone id (euc1-az1) from a zone name (eu-central-1a)."""
    return _ZONE_ID.fullmatch(value) is not None


@token_aware
def check_availability_zone(value: str) -> str:
    """Require the form of a zone's name or of a zone's id."""
    if not isinstance(value, str) or not (_ZONE_NAME.fullmatch(value) or _ZONE_ID.fullmatch(value)):
        raise PostgresEndpointServiceError(
            f"zone must be a zone name as eu-central-1a or a zone id as euc1-az1, got {shown(value)}"
        )
    return value


@token_aware
def check_zone_in_region(value: str, *, region: str) -> str:
    """Require that a zone's name belongs to a Region. A zone id does not spell its Region and passes."""
    name = _ZONE_NAME.fullmatch(value)
    if name and not is_token(region) and name["region"] != region:
        raise PostgresEndpointServiceError(f"zone {value} is in Region {name['region']}, not in {region}")
    return value


def check_zones(zones: Sequence[str], *, what: str = "the database's zones") -> tuple[str, ...]:
    """Require zones, all named in one way. None at all means that they are not known.

    Args:
        zones: The zones.
        what: Their subject in messages.
    """
    checked = each(check_availability_zone, zones)
    if not _unknown(zones) and (problems := _inconsistent(zones, what)):
        raise PostgresEndpointServiceError(problems)
    return checked


def check_load_balancer_zones(zones: Sequence[str]) -> tuple[str, ...]:
    """Require zones for a load balancer: at least two, none of them twice, all named in one way.

    Zones whose names are not known yet are counted all the same.
    """
    if is_token(zones):
        return tuple(zones)
    problems: list[str] = []
    if not _unknown(zones):
        each(check_availability_zone, zones)
        problems += _inconsistent(zones, "the load balancer's zones")
        problems += [
            f"zone {zone} is given twice: a load balancer has one subnet in a zone"
            for zone in dict.fromkeys(zones)
            if zones.count(zone) > 1
        ]
    if len(zones) < MIN_ZONES:
        got = "one that is not known yet" if zones and _unknown(zones) else _list(zones)
        problems.append(
            f"the load balancer needs subnets in at least {MIN_ZONES} zones, got {got}: "
            "add one in every zone the database can fail over to"
        )
    if problems:
        raise PostgresEndpointServiceError(problems)
    return tuple(zones)


def check_database_zones(zones: Sequence[str], load_balancer_zones: Sequence[str]) -> tuple[str, ...]:
    """Require that a load balancer covers every zone of a database: a target elsewhere would never get a connection.

    Where the zones of one of them are not known there is nothing to compare.

    See "Target groups for your Network Load Balancers",
    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html.

    Args:
        zones: Where the database can be: the zones of its DB subnet group.
        load_balancer_zones: Where the load balancer has a subnet.
    """
    if _unknown(zones) or _unknown(load_balancer_zones):
        return tuple(zones)
    problems = _inconsistent((*zones, *load_balancer_zones), "the zones of database and load balancer")
    missing = [zone for zone in dict.fromkeys(zones) if zone not in load_balancer_zones]
    if missing and not problems:
        problems.append(
            f"the database can fail over to {_list(missing)}, but the load balancer has subnets in "
            f"{_list(load_balancer_zones)} only: a target in another zone gets no connections, so add a subnet there"
        )
    if problems:
        raise PostgresEndpointServiceError(problems)
    return tuple(zones)


def _inconsistent(zones: Sequence[str], what: str) -> list[str]:
    ids = [zone for zone in zones if is_zone_id(zone)]
    names = [zone for zone in zones if not is_zone_id(zone)]
    other = next((zone for zone in ids if zone.partition("-")[0] != ids[0].partition("-")[0]), None)
    if other is not None:
        return [f"{what} are of different Regions, {ids[0]} and {other}: correct the ids, all of which begin alike"]
    if not ids or not names:
        return []
    problem = (
        f"{what} mix zone names ({names[0]}) and zone ids ({ids[0]}): "
        "names differ between accounts, so use one or the other throughout"
    )
    return [problem]


def _unknown(zones: Sequence[str]) -> bool:
    """Whether a zone is a token, or what CDK puts in place of zones that it is about to look up."""
    return is_token(zones) or any(is_token(zone) or zone.startswith("dummy") for zone in zones)


def _list(zones: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(zones)) or "none"

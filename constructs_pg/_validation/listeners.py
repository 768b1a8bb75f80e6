"""Rules for services and listeners: their names, ports and number, and how often DNS is asked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import PostgresEndpointServiceError
from .kit import is_token, matching, shown, token_aware
from .network import check_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}")

MAX_LISTENERS = 50
"""Listeners of one Network Load Balancer, a quota that is not adjustable:
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html."""

MAX_POLL_INTERVAL = 60
"""Seconds. The function is started once a minute."""

MIN_HEALTHY = 10
MAX_HEALTHY = 300
"""Seconds. The function that waits ends after 360 of them, and must answer CloudFormation before."""

MIN_HEALTH_CHECK_INTERVAL = 5
MAX_HEALTH_CHECK_INTERVAL = 300
MIN_THRESHOLD = 2
MAX_THRESHOLD = 10
"""What a Network Load Balancer allows, intervals in seconds, thresholds in checks in a row:
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html."""


def check_service_name(name: str, *, existing: Iterable[str] = ()) -> str:
    """Require a service's name, which becomes part of a stack's name. See `check_listener_name`."""
    return _check_name(name, existing, "service")


def check_listener_name(name: str, *, existing: Iterable[str] = ()) -> str:
    """Require a listener's name, which becomes part of logical ids, and that nothing else is taken for it.

    A logical id has no hyphens, so that "my-db" and "mydb" would be one resource; a template's file is named after its
    stack, and not every file system tells upper from lower case.

    Args:
        name: The name to add.
        existing: The names there are.
    """
    return _check_name(name, existing, "listener")


def check_consumer_name(name: str, *, existing: Iterable[str] = ()) -> str:
    """Require a consumer's name, which becomes part of an output's name. See `check_listener_name`."""
    return _check_name(name, existing, "consumer")


def check_listener_ports(ports: Mapping[str, int]) -> dict[str, int]:
    """Require that each listener of a service has a port of its own.

    Args:
        ports: The ports by the name of their listener, in the order in which they were added.
    """
    owners: dict[int, str] = {}
    problems: list[str] = []
    for name, port in ports.items():
        check_port(port, what="listener port")
        if is_token(port):
            continue
        if port in owners:
            problems.append(
                f"listeners '{owners[port]}' and '{name}' both use port {port}: "
                f"a load balancer has one listener on a port, give '{name}' another one"
            )
        owners.setdefault(port, name)
    if problems:
        raise PostgresEndpointServiceError(problems)
    return dict(ports)


def check_listener_count(count: int) -> int:
    """Require a number of listeners that one load balancer can have."""
    if not 1 <= count <= MAX_LISTENERS:
        raise PostgresEndpointServiceError(
            f"a service must have 1 to {MAX_LISTENERS} listeners, got {count}: "
            f"{'add one' if count < 1 else 'put some of them into another service'}"
        )
    return count


@token_aware
def check_poll_interval(value: int) -> int:
    """Require the seconds between two questions to DNS: 1 to 60."""
    return _whole_seconds(value, "poll interval", 1, MAX_POLL_INTERVAL)


@token_aware
def check_healthy_timeout(value: int) -> int:
    """Require the seconds that a deployment waits for a healthy target: 10 to 300."""
    return _whole_seconds(value, "healthy timeout", MIN_HEALTHY, MAX_HEALTHY)


@token_aware
def check_health_check_interval(value: int) -> int:
    """Require the seconds between two health checks of a target: 5 to 300."""
    return _whole_seconds(value, "health check interval", MIN_HEALTH_CHECK_INTERVAL, MAX_HEALTH_CHECK_INTERVAL)


@token_aware
def check_threshold(value: int, *, what: str = "health check threshold") -> int:
    """Require the number of checks in a row after which a target counts as healthy or as unhealthy: 2 to 10."""
    if isinstance(value, bool) or not isinstance(value, int) or not MIN_THRESHOLD <= value <= MAX_THRESHOLD:
        raise PostgresEndpointServiceError(
            f"{what} must be a whole number from {MIN_THRESHOLD} to {MAX_THRESHOLD}, got {shown(value)}"
        )
    return value


def _whole_seconds(value: int, what: str, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise PostgresEndpointServiceError(
            f"{what} must be a whole number of seconds from {least} to {most}, got {shown(value)}"
        )
    return value


def _check_name(name: str, existing: Iterable[str], noun: str) -> str:
    matching(name, NAME, f"{noun} name must begin with a letter and have at most 63 letters, digits and hyphens")
    for other in existing:
        if other == name:
            raise PostgresEndpointServiceError(f"{noun} '{name}' exists already: choose another name")
        if _bare(other) == _bare(name):
            raise PostgresEndpointServiceError(
                f"{noun} '{name}' differs from {noun} '{other}' in hyphens or upper and lower case only, "
                "and CloudFormation could take one for the other: choose another name"
            )
    return name


def _bare(name: str) -> str:
    return name.replace("-", "").lower()

"""Rules for consumers: what contradicts what, and what the dbt platform asks for."""

from __future__ import annotations

import re
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from ..errors import PostgresEndpointServiceError
from .kit import each, is_token, matching, shown, token_aware
from .network import TARGET_RANGES, check_cidr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DBT_ENVIRONMENTS = ("US", "EMEA", "AU", "JP")
"""The multi-tenant environments of the dbt platform on AWS, as its request form spells them:
https://docs.getdbt.com/docs/platform/secure/private-connectivity/aws/aws-postgres."""

_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HTTPS_URL = re.compile(rf"https://{_LABEL}(\.{_LABEL})+(/[A-Za-z0-9._~/?#=&%-]*)?")


STOP_GAP_RANGE = "10.0.0.0/8"
"""What dbt lets one admit for a while, until its own ranges are known (the same page)."""


def check_acceptance(principals: Sequence[str], *, acceptance_required: bool) -> tuple[str, ...]:
    """Refuse that everyone may connect without being asked.

    With "*" among the principals and automatic acceptance the load balancer is public in effect.

    Args:
        principals: The allowed principals of all consumers.
        acceptance_required: Whether the provider accepts each connection.
    """
    if "*" in principals and not acceptance_required:
        raise PostgresEndpointServiceError(
            "principal '*' lets every AWS account connect, and acceptance is not required: "
            "name the principals, or require acceptance"
        )
    return tuple(principals)


def check_consumers(source_ranges: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Require that either every consumer of a service gives source ranges or none does.

    The load balancer enforces its inbound rules on all connections over PrivateLink or on none. With rules for some
    consumers only, the others would be locked out silently.

    Args:
        source_ranges: The source ranges of each consumer by its name; empty where it gives none.
    """
    open_ones = [name for name, ranges in source_ranges.items() if not ranges]
    limited = [name for name, ranges in source_ranges.items() if ranges]
    if open_ones and limited:
        raise PostgresEndpointServiceError(
            f"source ranges are given for consumer {_quoted(limited)} but not for {_quoted(open_ones)}: the load "
            "balancer checks the source of every consumer or of none, so give ranges for all of them or for none"
        )
    return dict(source_ranges)


@token_aware
def check_source_range(value: str) -> str:
    """Require an IPv4 range from which a consumer's clients come. It need not be a private one."""
    return check_cidr(value, what="source range")


def is_wide(value: str) -> bool:
    """Tell whether a source range is the stop-gap or holds all of it, so that it says nearly nothing."""
    return not is_token(value) and IPv4Network(STOP_GAP_RANGE).subnet_of(IPv4Network(value))


def check_source_ranges(values: Sequence[str]) -> tuple[str, ...]:
    """Require ranges, each as `check_source_range` does."""
    return each(check_source_range, values)


@token_aware
def check_dbt_environment(value: str) -> str:
    """Require a multi-tenant environment of the dbt platform, and return it as its request form has it."""
    environment = value.upper() if isinstance(value, str) else ""
    if environment not in DBT_ENVIRONMENTS:
        raise PostgresEndpointServiceError(
            f"dbt environment must be one of {', '.join(DBT_ENVIRONMENTS)}, got {shown(value)}"
        )
    return environment


@token_aware
def check_dbt_account_url(value: str) -> str:
    """Require the URL under which a dbt platform account is used."""
    return matching(value, _HTTPS_URL, "dbt account URL must look like https://ab123.eu1.dbt.com")


@token_aware
def check_dbt_source_range(value: str) -> str:
    """Require a range from which the dbt platform can come over PrivateLink: a private one.

    The addresses that dbt publishes are those it has on the internet.
    """
    network = IPv4Network(check_source_range(value))
    if any(network.subnet_of(private) for private in TARGET_RANGES):
        return value
    raise PostgresEndpointServiceError(
        f"source range {value} is not private: over PrivateLink the dbt platform comes from private addresses, "
        "not from those it publishes; ask dbt Support for them, or allow 10.0.0.0/8"
    )


def check_dbt_source_ranges(values: Sequence[str]) -> tuple[str, ...]:
    """Require ranges, each as `check_dbt_source_range` does."""
    return each(check_dbt_source_range, values)


def _quoted(names: Sequence[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)

"""Rules for the function that follows DNS names: where it runs, as which role, and how long its logs are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import PostgresEndpointServiceError
from .kit import is_token, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_FUNCTION_SUBNETS = 16
MAX_FUNCTION_SECURITY_GROUPS = 5
"""What `VpcConfig` takes: https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html."""


LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""What CloudWatch Logs knows: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html."""


def check_function_subnets(zones: Sequence[str], *, has_public: bool, what: str = "'function_vpc_subnets'") -> None:
    """Require subnets in which the function works, and goes on working while a zone does not.

    Args:
        zones: The zone of each subnet.
        has_public: Whether one of them is known to be public.
        what: Their subject in messages.
    """
    problems = []
    if has_public:
        problems.append(
            f"{what} has a public subnet, and a function has no public address, so it would reach "
            "nothing outside the VPC: give private subnets, those with a route to a NAT gateway if there are any"
        )
    if len(zones) > MAX_FUNCTION_SUBNETS:
        problems.append(
            f"{what} has {len(zones)} subnets, a function takes up to {MAX_FUNCTION_SUBNETS}: give one in each zone"
        )
    if not any(is_token(zone) for zone in zones) and len(set(zones)) == 1:
        problems.append(
            f"{what} is in zone {zones[0]} alone: if that zone fails, so does the function that must "
            "follow the failover; give subnets in at least two zones"
        )
    if problems:
        raise PostgresEndpointServiceError(problems)


def check_function_security_groups(
    count: int | None,
    *,
    in_vpc: bool,
    what: str = "'function_security_groups'",
    subnets: str = "'function_vpc_subnets'",
) -> None:
    """Require security groups only where there is a network to be in, and as many as a function takes.

    Args:
        count: How many are given; None if the argument is not.
        in_vpc: Whether the function runs in the VPC.
        what: Their subject in messages.
        subnets: What makes it run there, in messages.
    """
    if count is None:
        return
    if not in_vpc:
        raise PostgresEndpointServiceError(
            f"{what} is for a function in the VPC: give {subnets} too, or leave the groups out"
        )
    if not 1 <= count <= MAX_FUNCTION_SECURITY_GROUPS:
        raise PostgresEndpointServiceError(
            f"{what} must be 1 to {MAX_FUNCTION_SECURITY_GROUPS} groups, got {count}: leave them out for a group made "
            "here"
        )


def check_function_roles(
    *,
    roles_are_given: bool,
    boundary_is_given: bool,
    roles: str = "'function_role' and 'connection_function_role'",
) -> None:
    """Refuse a permissions boundary where no role is made.

    Args:
        roles_are_given: Whether all functions have a role of the user's.
        boundary_is_given: Whether there is a boundary.
        roles: What gives those roles, in messages.
    """
    if roles_are_given and boundary_is_given:
        raise PostgresEndpointServiceError(
            f"'permissions_boundary' is for the roles made here, and {roles} are given: leave it out, and set the "
            "boundary where those roles are made"
        )


def check_log_retention(days: int) -> int:
    """Require a number of days that CloudWatch Logs knows."""
    if isinstance(days, bool) or days not in LOG_RETENTION_DAYS:
        raise PostgresEndpointServiceError(
            f"log retention must be one of {', '.join(map(str, LOG_RETENTION_DAYS))} days, got {shown(days)}"
        )
    return days

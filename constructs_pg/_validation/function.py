"""Rules for the function that follows DNS names: where it runs, and as which role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import PostgresEndpointServiceError
from .kit import is_token

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_FUNCTION_SUBNETS = 16
MAX_FUNCTION_SECURITY_GROUPS = 5
"""What `VpcConfig` takes: https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html."""


def check_function_subnets(zones: Sequence[str], *, has_public: bool) -> None:
    """Require subnets in which the function works, and goes on working while a zone does not.

    Args:
        zones: The zone of each subnet.
        has_public: Whether one of them is known to be public.
    """
    problems = []
    if has_public:
        problems.append(
            "'function_vpc_subnets' has a public subnet, and a function has no public address, so it would reach "
            "nothing outside the VPC: give private subnets, those with a route to a NAT gateway if there are any"
        )
    if len(zones) > MAX_FUNCTION_SUBNETS:
        problems.append(
            f"'function_vpc_subnets' has {len(zones)} subnets, a function takes up to {MAX_FUNCTION_SUBNETS}: give one "
            "in each zone"
        )
    if not any(is_token(zone) for zone in zones) and len(set(zones)) == 1:
        problems.append(
            f"'function_vpc_subnets' is in zone {zones[0]} alone: if that zone fails, so does the function that must "
            "follow the failover; give subnets in at least two zones"
        )
    if problems:
        raise PostgresEndpointServiceError(problems)


def check_function_security_groups(count: int | None, *, in_vpc: bool) -> None:
    """Require security groups only where there is a network to be in, and as many as a function takes.

    Args:
        count: How many are given; None if the argument is not.
        in_vpc: Whether the function runs in the VPC.
    """
    if count is None:
        return
    if not in_vpc:
        raise PostgresEndpointServiceError(
            "'function_security_groups' is for a function in the VPC: give 'function_vpc_subnets' too, or leave the "
            "groups out"
        )
    if not 1 <= count <= MAX_FUNCTION_SECURITY_GROUPS:
        raise PostgresEndpointServiceError(
            f"'function_security_groups' must be 1 to {MAX_FUNCTION_SECURITY_GROUPS} groups, got {count}: leave the "
            "argument out for a group made here"
        )


def check_function_role(*, role_is_given: bool, boundary_is_given: bool) -> None:
    """Refuse a permissions boundary for a role that is not made here."""
    if role_is_given and boundary_is_given:
        raise PostgresEndpointServiceError(
            "'permissions_boundary' is for the role made here, and 'function_role' is given: leave one of them out, "
            "and set the boundary where that role is made"
        )

"""Any DNS name as a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._references import different_groups
from .._validation import (
    check_allowed_ranges,
    check_host_name,
    check_nameservers,
    check_port,
    check_zones,
)
from .config import PostgresTargetConfig
from .target import PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2
    from constructs import Construct


class HostnameTarget(PostgresTarget):
    """A Postgres known by its DNS name alone. See `PostgresTarget.from_hostname`."""

    def __init__(
        self,
        hostname: str,
        *,
        port: int,
        security_groups: Sequence[ec2.ISecurityGroup],
        availability_zones: Sequence[str],
        nameservers: Sequence[str],
        allowed_ranges: Sequence[str],
    ) -> None:
        self._hostname = check_host_name(hostname)
        self._port = check_port(port)
        self._security_groups = different_groups(security_groups)
        self._availability_zones = check_zones(availability_zones)
        self._nameservers = check_nameservers(nameservers)
        self._allowed_ranges = check_allowed_ranges(allowed_ranges)

    def bind(self, scope: Construct) -> PostgresTargetConfig:  # noqa: ARG002 - part of the strategy's signature
        """Return the name, and what is known about the Postgres behind it."""
        return PostgresTargetConfig(
            port=self._port,
            hostname=self._hostname,
            nameservers=self._nameservers,
            allowed_ranges=self._allowed_ranges,
            security_groups=self._security_groups,
            availability_zones=self._availability_zones,
        )

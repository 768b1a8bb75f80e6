"""Fixed addresses as a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._references import different_groups
from .._validation import check_ip_addresses, check_port, check_zones
from .config import PostgresTargetConfig
from .target import PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2
    from constructs import Construct


class IpAddressesTarget(PostgresTarget):
    """A Postgres at addresses that never change. See `PostgresTarget.from_ip_addresses`."""

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        port: int,
        security_groups: Sequence[ec2.ISecurityGroup],
        availability_zones: Sequence[str],
    ) -> None:
        self._addresses = check_ip_addresses(addresses)
        self._port = check_port(port)
        self._security_groups = different_groups(security_groups)
        self._availability_zones = check_zones(availability_zones)

    def bind(self, scope: Construct) -> PostgresTargetConfig:  # noqa: ARG002 - part of the strategy's signature
        """Return the addresses; the listener knows which of them lie outside the VPC."""
        return PostgresTargetConfig(
            port=self._port,
            addresses=self._addresses,
            security_groups=self._security_groups,
            availability_zones=self._availability_zones,
        )

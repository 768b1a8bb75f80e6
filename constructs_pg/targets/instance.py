"""An RDS DB instance as a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import aws_rds as rds

from .._references import port_of, subnets_of_group
from .._validation import check_allowed_ranges, check_nameservers, check_port, check_zones, is_token
from ..errors import PostgresEndpointServiceError
from .config import PostgresTargetConfig, RdsDatabase, RdsEventSource
from .target import PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

EVENT_DETAIL_TYPE = "RDS DB Instance Event"


class InstanceTarget(PostgresTarget):
    """An RDS DB instance, followed by its endpoint name. See `PostgresTarget.from_instance`."""

    def __init__(
        self,
        instance: rds.IDatabaseInstance,
        *,
        port: int | None,
        identifier: str | None,
        availability_zones: Sequence[str],
        nameservers: Sequence[str],
        allowed_ranges: Sequence[str],
    ) -> None:
        if not hasattr(instance, "instance_endpoint"):
            raise PostgresEndpointServiceError(
                f"from_instance needs a DB instance, got a {type(instance).__name__}: give an rds.IDatabaseInstance; "
                "for a DB cluster there is from_cluster, for an RDS Proxy from_proxy"
            )
        self._instance = instance
        self._port = None if port is None else check_port(port)
        self._identifier = identifier
        self._availability_zones = check_zones(availability_zones)
        self._nameservers = check_nameservers(nameservers)
        self._allowed_ranges = check_allowed_ranges(allowed_ranges)

    def bind(self, scope: Construct) -> PostgresTargetConfig:  # noqa: ARG002 - part of the strategy's signature
        """Return the instance's endpoint, its security groups and its events."""
        instance = self._instance
        child = instance.node.default_child
        created = child if isinstance(child, rds.CfnDBInstance) else None
        endpoint = instance.instance_endpoint
        # RDS stores identifiers in lower case and names them so in events (docs.aws.amazon.com: USER_Events).
        identifier = self._identifier or instance.instance_identifier
        identifier = identifier if is_token(identifier) else identifier.lower()
        return PostgresTargetConfig(
            # jsii has one kind of number; only a token is ever no integer.
            port=self._port or cast("int", endpoint.port),
            known_port=None if self._port else port_of(created),
            hostname=endpoint.hostname,
            nameservers=self._nameservers,
            allowed_ranges=self._allowed_ranges,
            security_groups=instance.connections.security_groups,
            availability_zones=self._availability_zones,
            subnet_ids=subnets_of_group(created.db_subnet_group_name) if created else (),
            publicly_accessible=created is not None and created.publicly_accessible is True,
            database=RdsDatabase(kind="db", identifier=identifier),
            event_sources=[RdsEventSource(detail_type=EVENT_DETAIL_TYPE, source_identifier=identifier)],
        )

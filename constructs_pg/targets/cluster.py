"""A DB cluster as a target: its writer, or its readers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import aws_rds as rds

from .._references import port_of, referenced, subnets_of_group
from .._validation import (
    check_allowed_ranges,
    check_db_cluster_identifier,
    check_nameservers,
    check_port,
    check_zones,
    is_token,
)
from ..errors import PostgresEndpointServiceError
from .cluster_role import ClusterRole
from .config import PostgresTargetConfig, RdsDatabase, RdsEventSource
from .target import PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

EVENT_DETAIL_TYPE = "RDS DB Cluster Event"


class ClusterTarget(PostgresTarget):
    """An Aurora or Multi-AZ DB cluster, followed by an endpoint name. See `PostgresTarget.from_cluster`."""

    def __init__(
        self,
        cluster: rds.IDatabaseCluster,
        *,
        role: ClusterRole,
        port: int | None,
        identifier: str | None,
        availability_zones: Sequence[str],
        nameservers: Sequence[str],
        allowed_ranges: Sequence[str],
    ) -> None:
        if not hasattr(cluster, "cluster_identifier"):
            raise PostgresEndpointServiceError(
                f"from_cluster needs a DB cluster, got a {type(cluster).__name__}: give an rds.IDatabaseCluster; for a "
                "DB instance there is from_instance, for an RDS Proxy from_proxy"
            )
        if not isinstance(role, ClusterRole):
            raise PostgresEndpointServiceError(f"role must be ClusterRole.WRITER or ClusterRole.READER, got {role!r}")
        self._cluster = cluster
        self._role = role
        self._port = None if port is None else check_port(port)
        self._identifier = check_db_cluster_identifier(identifier or cluster.cluster_identifier)
        self._availability_zones = check_zones(availability_zones)
        self._nameservers = check_nameservers(nameservers)
        self._allowed_ranges = check_allowed_ranges(allowed_ranges)

    def bind(self, scope: Construct) -> PostgresTargetConfig:  # noqa: ARG002 - part of the strategy's signature
        """Return the endpoint of the role, the cluster's security groups, and the events of it and its members."""
        endpoint = self._endpoint()
        members = self._members()
        child = self._cluster.node.default_child
        created = child if isinstance(child, rds.CfnDBCluster) else None
        # A Multi-AZ DB cluster says for all its members whether they are public, in Aurora each one says it.
        each_created = (created, *map(referenced, members))
        return PostgresTargetConfig(
            # jsii has one kind of number; only a token is ever no integer.
            port=self._port or cast("int", endpoint.port),
            known_port=None if self._port else port_of(created),
            hostname=endpoint.hostname,
            members_of=self._identifier if self._role is ClusterRole.READER else None,
            nameservers=self._nameservers,
            allowed_ranges=self._allowed_ranges,
            security_groups=self._cluster.connections.security_groups,
            availability_zones=self._availability_zones,
            subnet_ids=subnets_of_group(created.db_subnet_group_name) if created else (),
            publicly_accessible=any(getattr(each, "publicly_accessible", None) is True for each in each_created),
            database=RdsDatabase(
                kind="cluster",
                identifier=self._identifier,
                subnet_group=created.db_subnet_group_name if created else None,
            ),
            event_sources=[
                RdsEventSource(detail_type=EVENT_DETAIL_TYPE, source_identifier=self._identifier, members=members)
            ],
        )

    def _endpoint(self) -> rds.Endpoint:
        is_reader = self._role is ClusterRole.READER
        try:
            return self._cluster.cluster_read_endpoint if is_reader else self._cluster.cluster_endpoint
        except RuntimeError as error:
            name = "reader_endpoint_address" if is_reader else "cluster_endpoint_address"
            raise PostgresEndpointServiceError(
                f"the {self._role.value} endpoint of the imported DB cluster '{self._identifier}' is not known: give "
                f"'{name}' and 'port' to rds.DatabaseCluster.from_database_cluster_attributes"
            ) from error

    def _members(self) -> tuple[str, ...]:
        try:
            identifiers = self._cluster.instance_identifiers
        except RuntimeError:
            return ()  # an import need not name them, and events only make faster what polling finds anyway
        return tuple(each if is_token(each) else each.lower() for each in identifiers)

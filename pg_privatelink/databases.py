"""The Postgres behind each listener of the YAML file: imported by what the file says of it, as a target.

Nothing here is a resource, but the paths of these constructs are part of what an update must not change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from constructs_pg import ClusterRole, PostgresTarget
from pg_privatelink.config import (
    Ec2InstancesConfiguration,
    HostnameConfiguration,
    IpAddressesConfiguration,
    RdsClusterConfiguration,
    RdsInstanceConfiguration,
    RdsProxyConfiguration,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from constructs import Construct

    from pg_privatelink.config import TargetConfiguration


def postgres_target(database: TargetConfiguration, scope: Construct) -> PostgresTarget:
    """Return the target that the YAML file describes.

    Args:
        database: What stands in the listener's `rds_instance`, `hostname` and so on.
        scope: A construct for this listener alone.

    Raises:
        PostgresEndpointServiceError: The target refuses what is said of it.
    """
    match database:
        case RdsInstanceConfiguration():
            return _rds_instance(database, scope)
        case RdsClusterConfiguration():
            return _rds_cluster(database, scope)
        case RdsProxyConfiguration():
            return _rds_proxy(database, scope)
        case HostnameConfiguration():
            return _hostname(database, scope)
        case IpAddressesConfiguration():
            return _ip_addresses(database, scope)
        case Ec2InstancesConfiguration():
            return _ec2_instances(database, scope)


def _rds_instance(database: RdsInstanceConfiguration, scope: Construct) -> PostgresTarget:
    instance = rds.DatabaseInstance.from_database_instance_attributes(
        scope,
        "Instance",
        instance_identifier=database.identifier,
        instance_endpoint_address=database.endpoint,
        port=database.port,
        security_groups=_security_groups(scope, database.security_groups),
    )
    return PostgresTarget.from_instance(
        instance,
        availability_zones=database.zones,
        nameservers=database.nameservers,
        allowed_ranges=database.allowed_ranges,
    )


def _rds_cluster(database: RdsClusterConfiguration, scope: Construct) -> PostgresTarget:
    role = ClusterRole(database.role)
    cluster = rds.DatabaseCluster.from_database_cluster_attributes(
        scope,
        "Cluster",
        cluster_identifier=database.identifier,
        cluster_endpoint_address=database.endpoint if role is ClusterRole.WRITER else None,
        reader_endpoint_address=database.endpoint if role is ClusterRole.READER else None,
        port=database.port,
        security_groups=_security_groups(scope, database.security_groups),
    )
    return PostgresTarget.from_cluster(
        cluster,
        role=role,
        availability_zones=database.zones,
        nameservers=database.nameservers,
        allowed_ranges=database.allowed_ranges,
    )


def _rds_proxy(database: RdsProxyConfiguration, scope: Construct) -> PostgresTarget:
    security_groups = _security_groups(scope, database.security_groups)
    proxy = rds.DatabaseProxy.from_database_proxy_attributes(
        scope,
        "Proxy",
        db_proxy_name=database.name,
        # Asked for by the import and used by nothing: a proxy's ARN has an id of its own, which its name does not tell.
        db_proxy_arn=cdk.Stack.of(scope).format_arn(service="rds", resource="db-proxy", resource_name="unknown"),
        endpoint=database.endpoint,
        security_groups=security_groups,
    )
    return PostgresTarget.from_proxy(
        proxy,
        security_groups=security_groups,
        port=database.port,
        availability_zones=database.zones,
        nameservers=database.nameservers,
        allowed_ranges=database.allowed_ranges,
    )


def _hostname(database: HostnameConfiguration, scope: Construct) -> PostgresTarget:
    return PostgresTarget.from_hostname(
        database.name,
        port=database.port,
        security_groups=_security_groups(scope, database.security_groups),
        availability_zones=database.zones,
        nameservers=database.nameservers,
        allowed_ranges=database.allowed_ranges,
    )


def _ip_addresses(database: IpAddressesConfiguration, scope: Construct) -> PostgresTarget:
    return PostgresTarget.from_ip_addresses(
        database.addresses,
        port=database.port,
        security_groups=_security_groups(scope, database.security_groups),
    )


def _ec2_instances(database: Ec2InstancesConfiguration, scope: Construct) -> PostgresTarget:
    return PostgresTarget.from_ec2_instance_ids(
        database.ids,
        port=database.port,
        security_groups=_security_groups(scope, database.security_groups),
    )


def _security_groups(scope: Construct, groups: Sequence[str]) -> list[ec2.ISecurityGroup]:
    # Rules in these groups are resources of ours; the imported object itself must not add any.
    return [ec2.SecurityGroup.from_security_group_id(scope, group, group, mutable=False) for group in groups]

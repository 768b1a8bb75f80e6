"""`Database`: what RDS tells of the database behind a listener."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.explain import ERRORS, code, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_rds import RDSClient

    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.problem import Problem

# "Amazon Aurora endpoint connections", "Working with Amazon RDS Proxy endpoints" in the Aurora user guide.
_ENDPOINT = re.compile(
    r"(?P<name>[^.]+)\.(?P<added>endpoint\.)?(?P<kind>cluster-ro-|cluster-custom-|cluster-|proxy-|)[^.]+"
    r"\.[^.]+\.rds\.amazonaws\.com(\.cn)?"
)
INSTANCE, CLUSTER, PROXY = "DB instance", "DB cluster", "RDS Proxy"

KEEPALIVE = "tcp_keepalives_idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database, or a proxy before one, as RDS tells of it.

    Attributes:
        kind: `INSTANCE`, `CLUSTER` or `PROXY`.
        identifier: Its identifier or name.
        status: Its status, such as available.
        port: The port on which it listens; None if RDS does not say.
        publicly_accessible: Whether its name stands for a public address outside the VPC.
        security_groups: Its security groups.
        zones: The zones it is in now: those of its hosts.
        possible_zones: The zones it may get to: those of its subnets.
        single_address: Whether its name stands for one server at a time, so that any other address is a wrong one.
        parameter_group: The group of its parameters; None where there is none to read.
        keepalive: `tcp_keepalives_idle` as that group sets it, in seconds; None if the group leaves it to RDS, a
            `Problem` if it could not be read.
    """

    kind: str
    identifier: str
    status: str
    port: int | None
    publicly_accessible: bool
    security_groups: tuple[str, ...]
    zones: frozenset[str]
    possible_zones: frozenset[str]
    single_address: bool
    parameter_group: str | None
    keepalive: int | Problem | None


def read_database(aws: Aws, names: Iterable[str]) -> Database | None:
    """Return the database that one of these host names is an endpoint of.

    Args:
        aws: Where it is.
        names: The host name that is followed, and the names it is an alias for.

    Returns:
        The database; None if none of the names is RDS's, or RDS does not know it here.
    """
    for name in names:
        parts = _ENDPOINT.fullmatch(name.rstrip(".").lower())
        if parts is None:
            continue
        client: RDSClient = aws.client("rds")
        from botocore.exceptions import ClientError  # noqa: PLC0415 - loaded with the client, not with --help

        try:
            if parts["kind"] == "":
                return _instance(client, parts["name"])
            if parts["kind"] == "proxy-":
                return _proxy(client, parts["name"], added=bool(parts["added"]))
            return _cluster(client, parts["name"], kind=parts["kind"])
        except ClientError as error:
            if "NotFound" not in code(error):
                raise
    return None


def _instance(client: RDSClient, identifier: str) -> Database:
    row: Any = client.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    zones = {row.get("AvailabilityZone"), row.get("SecondaryAvailabilityZone")} - {None, ""}
    possible = frozenset(each["SubnetAvailabilityZone"]["Name"] for each in row["DBSubnetGroup"]["Subnets"])
    if row.get("MultiAZ") and not row.get("SecondaryAvailabilityZone"):
        zones |= possible
    group = next((each["DBParameterGroupName"] for each in row.get("DBParameterGroups", [])), None)
    return Database(
        kind=INSTANCE,
        identifier=identifier,
        status=row["DBInstanceStatus"],
        port=row.get("Endpoint", {}).get("Port"),
        publicly_accessible=bool(row.get("PubliclyAccessible")),
        security_groups=tuple(each["VpcSecurityGroupId"] for each in row.get("VpcSecurityGroups", [])),
        zones=frozenset(zones),
        possible_zones=possible,
        single_address=True,
        parameter_group=group,
        keepalive=_keepalive(client, group, cluster=False),
    )


def _cluster(client: RDSClient, identifier: str, *, kind: str) -> Database:
    row: Any = client.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"][0]
    members: Any = client.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [identifier]}])
    instances = [each for each in members["DBInstances"] if each.get("DBClusterIdentifier") == identifier]
    zones = frozenset(each["AvailabilityZone"] for each in instances if each.get("AvailabilityZone"))
    subnets = (each.get("DBSubnetGroup", {}).get("Subnets", []) for each in instances)
    possible = frozenset(each["SubnetAvailabilityZone"]["Name"] for group in subnets for each in group)
    group = row.get("DBClusterParameterGroup")
    return Database(
        kind=CLUSTER,
        identifier=identifier,
        status=row["Status"],
        port=row.get("Port"),
        publicly_accessible=any(each.get("PubliclyAccessible") for each in instances),
        security_groups=tuple(each["VpcSecurityGroupId"] for each in row.get("VpcSecurityGroups", [])),
        zones=zones,
        possible_zones=possible | zones,
        single_address=kind == "cluster-",
        parameter_group=group,
        keepalive=_keepalive(client, group, cluster=True),
    )


def _proxy(client: RDSClient, name: str, *, added: bool) -> Database | None:
    row: Any
    if added:
        row = client.describe_db_proxy_endpoints(DBProxyEndpointName=name)["DBProxyEndpoints"][0]
    else:
        row = client.describe_db_proxies(DBProxyName=name)["DBProxies"][0]
    return Database(
        kind=PROXY,
        identifier=name,
        status=row["Status"],
        port=None,
        publicly_accessible=False,
        security_groups=tuple(row.get("VpcSecurityGroupIds", [])),
        zones=frozenset(),
        possible_zones=frozenset(),
        single_address=False,
        parameter_group=None,
        keepalive=None,
    )


def _keepalive(client: RDSClient, group: str | None, *, cluster: bool) -> int | Problem | None:
    """Return what a parameter group sets. Groups named default.* are RDS's own, and nobody can change them."""
    if group is None or group.startswith("default."):
        return None
    try:
        pages: Any
        if cluster:
            pages = client.get_paginator("describe_db_cluster_parameters").paginate(DBClusterParameterGroupName=group)
        else:
            pages = client.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=group)
        return _value({each["ParameterName"]: each for page in pages for each in page["Parameters"]})
    except ERRORS as error:
        return explain(error)


def _value(parameters: Mapping[str, Any]) -> int | None:
    text = str(parameters.get(KEEPALIVE, {}).get("ParameterValue", ""))
    return int(text) if text.isdigit() else None

"""`Database`: what RDS tells of a database that a file is to be written for."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.explain import code, denied, explain
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_rds import RDSClient

    from pg_privatelink.cli.aws import Aws

_POSTGRES = ("postgres", "aurora-postgresql", "POSTGRESQL")
_PROXY_PORT = 5432
"""RDS Proxy listens on the engine's own port, whatever the database's is: CreateDBProxy takes none."""

_LISTED = 10


class Kind(enum.StrEnum):
    """What an identifier can be of; the same names as in the YAML file."""

    INSTANCE = "rds_instance"
    CLUSTER = "rds_cluster"
    PROXY = "rds_proxy"

    @property
    def noun(self) -> str:
        """What people call it."""
        return {"rds_instance": "DB instance", "rds_cluster": "DB cluster", "rds_proxy": "RDS Proxy"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database, or a proxy before one.

    Attributes:
        kind: What it is.
        identifier: Its identifier or name.
        engine: As RDS calls it.
        endpoint: The name to follow: of a cluster, the writer's.
        reader_endpoint: A cluster's reader endpoint.
        port: The port on which it listens.
        vpc_id: Its VPC.
        subnet_ids: The subnets in which it can be.
        security_groups: Its security groups.
        publicly_accessible: Whether its name stands for a public address outside the VPC.
        fails_over: Whether RDS keeps something to fail over to.
    """

    kind: Kind
    identifier: str
    engine: str
    endpoint: str
    reader_endpoint: str | None = None
    port: int
    vpc_id: str
    subnet_ids: tuple[str, ...]
    security_groups: tuple[str, ...]
    publicly_accessible: bool
    fails_over: bool


def read_database(aws: Aws, identifier: str, *, kind: Kind | None) -> Database:
    """Return the database with an identifier.

    Args:
        aws: Where it is.
        identifier: Of a DB instance, a DB cluster or an RDS Proxy.
        kind: Which of them (default: whichever there is).

    Raises:
        Problem: There is none, or more than one, or it cannot be followed.
    """
    rds: RDSClient = aws.client("rds")
    found: dict[Kind, Mapping[str, Any]] = {}
    hidden: list[Problem] = []
    for each in Kind if kind is None else [kind]:
        row = _row(rds, identifier, each, hidden)
        if row is not None:
            found[each] = row
    if not found:
        if hidden:
            raise hidden[0]
        raise Problem(
            f"there is no {_or([kind] if kind else list(Kind))} '{identifier}' in account {aws.account}, "
            f"Region {aws.region}",
            f"give another identifier, --region or --profile; {_others(rds)}",
        )
    if len(found) > 1:
        raise Problem(
            f"'{identifier}' is the identifier of a {' and of a '.join(each.noun for each in found)}",
            f"choose one: {' or '.join(f'--kind {each.value}' for each in found)}",
        )
    ((one, row),) = found.items()
    return database(one, row, **_beside(rds, one, row))


def database(
    kind: Kind, row: Mapping[str, Any], *, subnet_group: Mapping[str, Any], members: Sequence[Mapping[str, Any]]
) -> Database:
    """Return the database that RDS describes.

    Args:
        kind: What it is.
        row: What RDS says of it.
        subnet_group: Its DB subnet group; for a proxy, `VpcId` and `Subnets` in the same form.
        members: What RDS says of a cluster's instances.

    Raises:
        Problem: It is not Postgres, is not ready, or is part of another one.
    """
    name = {Kind.INSTANCE: "DBInstanceIdentifier", Kind.CLUSTER: "DBClusterIdentifier", Kind.PROXY: "DBProxyName"}[kind]
    identifier = str(row[name])
    engine = str(row.get("EngineFamily" if kind is Kind.PROXY else "Engine", ""))
    if engine not in _POSTGRES:
        raise Problem(f"{kind.noun} '{identifier}' runs {engine or 'another engine'}", "give one that runs PostgreSQL")
    cluster = row.get("DBClusterIdentifier")
    if kind is Kind.INSTANCE and cluster:
        raise Problem(
            f"DB instance '{identifier}' is a member of DB cluster '{cluster}', whose writer moves between its members",
            f"follow the cluster: pg-privatelink init {cluster}",
        )
    endpoint = row.get("Endpoint")
    if kind is Kind.INSTANCE:
        endpoint = (endpoint or {}).get("Address")
    if not endpoint:
        status = row.get("DBInstanceStatus") or row.get("Status") or "not ready"
        raise Problem(
            f"{kind.noun} '{identifier}' has no endpoint yet (it is {status})", "try again when it is available"
        )
    groups = row.get("VpcSecurityGroups", [])
    return Database(
        kind=kind,
        identifier=identifier,
        engine=engine,
        endpoint=str(endpoint),
        reader_endpoint=row.get("ReaderEndpoint") if kind is Kind.CLUSTER else None,
        port=_port(kind, row),
        vpc_id=str(subnet_group["VpcId"]),
        subnet_ids=tuple(each["SubnetIdentifier"] for each in subnet_group["Subnets"]),
        security_groups=tuple(
            row["VpcSecurityGroupIds"] if kind is Kind.PROXY else [each["VpcSecurityGroupId"] for each in groups]
        ),
        publicly_accessible=any(each.get("PubliclyAccessible") for each in (row, *members)),
        fails_over=kind is Kind.PROXY or bool(row.get("MultiAZ")) or len(row.get("DBClusterMembers", [])) > 1,
    )


def _port(kind: Kind, row: Mapping[str, Any]) -> int:
    if kind is Kind.PROXY:
        return _PROXY_PORT
    return int(row["Endpoint"]["Port"] if kind is Kind.INSTANCE else row["Port"])


def _row(rds: RDSClient, identifier: str, kind: Kind, hidden: list[Problem]) -> Mapping[str, Any] | None:
    """Return what RDS says of an identifier; what may not be read goes to `hidden`."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - loaded with the client, not with --help

    calls: dict[Kind, Callable[[], Sequence[Mapping[str, Any]]]] = {
        Kind.INSTANCE: lambda: rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"],
        Kind.CLUSTER: lambda: rds.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"],
        Kind.PROXY: lambda: rds.describe_db_proxies(DBProxyName=identifier)["DBProxies"],
    }
    try:
        rows = calls[kind]()
    except ClientError as error:
        if denied(error):
            hidden.append(explain(error))
            return None
        # A name that is well formed for one kind can be malformed for another.
        if code(error).endswith(("NotFound", "NotFoundFault")) or code(error) == "InvalidParameterValue":
            return None
        raise
    return rows[0] if rows else None


def _beside(rds: RDSClient, kind: Kind, row: Mapping[str, Any]) -> dict[str, Any]:
    """Read what RDS keeps apart: the subnets and the members."""
    if kind is Kind.INSTANCE:
        return {"subnet_group": row["DBSubnetGroup"], "members": []}
    if kind is Kind.PROXY:
        subnets = [{"SubnetIdentifier": each} for each in row["VpcSubnetIds"]]
        return {"subnet_group": {"VpcId": row["VpcId"], "Subnets": subnets}, "members": []}
    group = rds.describe_db_subnet_groups(DBSubnetGroupName=row["DBSubnetGroup"])["DBSubnetGroups"][0]
    members = rds.describe_db_instances(Filters=[{"Name": "db-cluster-id", "Values": [row["DBClusterIdentifier"]]}])[
        "DBInstances"
    ]
    return {"subnet_group": group, "members": members}


def _others(rds: RDSClient) -> str:
    """Return what there is, for an identifier that there is not; nothing where that may not be read."""
    from pg_privatelink.cli.explain import ERRORS  # noqa: PLC0415

    try:
        clusters = [each["DBClusterIdentifier"] for each in rds.describe_db_clusters()["DBClusters"]]
        instances = [
            each["DBInstanceIdentifier"]
            for each in rds.describe_db_instances()["DBInstances"]
            if not each.get("DBClusterIdentifier")
        ]
        proxies = [each["DBProxyName"] for each in rds.describe_db_proxies()["DBProxies"]]
    except ERRORS:
        return "'aws rds describe-db-instances' and 'describe-db-clusters' list those there are"
    known = sorted({*clusters, *instances, *proxies})
    more = f" and {len(known) - _LISTED} more" if len(known) > _LISTED else ""
    return f"there are: {', '.join(known[:_LISTED])}{more}" if known else "there is none at all"


def _or(kinds: Sequence[Kind]) -> str:
    nouns = [each.noun for each in kinds]
    return nouns[0] if len(nouns) == 1 else f"{', '.join(nouns[:-1])} or {nouns[-1]}"

"""What forces a failover: of which database, and how. The only part of the drill that changes anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.listeners import Listener

# Endpoints of instances and of clusters, the writer's (Aurora user guide, "Amazon Aurora endpoint connections").
_ENDPOINT = re.compile(r"(?P<name>[^.]+)\.(?P<cluster>cluster-)?[^.]+\.[^.]+\.rds\.amazonaws\.com(\.cn)?")
_OTHERS = re.compile(r"[^.]+\.(cluster-ro-|cluster-custom-|proxy-|endpoint\.)")


@dataclass(frozen=True, slots=True)
class Failover:
    """A failover that can be forced.

    Attributes:
        identifier: The DB instance's or cluster's identifier.
        cluster: Whether it is a cluster.
    """

    identifier: str
    cluster: bool

    def __str__(self) -> str:
        """What it is of, for people."""
        return f"{'DB cluster' if self.cluster else 'Multi-AZ DB instance'} {self.identifier}"

    def force(self, aws: Aws) -> None:
        """Force it: RebootDBInstance with ForceFailover, or FailoverDBCluster."""
        rds: RDSClient = aws.client("rds")
        if self.cluster:
            rds.failover_db_cluster(DBClusterIdentifier=self.identifier)
        else:
            rds.reboot_db_instance(DBInstanceIdentifier=self.identifier, ForceFailover=True)


def failover_of(aws: Aws, listener: Listener) -> Failover:
    """Return the failover of the database behind a listener, after looking at whether it can have one.

    Raises:
        Problem: It cannot.
    """
    name = (listener.hostname or "").rstrip(".").lower()
    elsewhere = "force it by hand while 'pg-privatelink drill --observe' looks"
    if not name:
        raise Problem(f"listener {listener.name} has fixed targets, which no function follows", elsewhere)
    if _OTHERS.match(name) or not (parts := _ENDPOINT.fullmatch(name)):
        raise Problem(
            f"{name}, behind listener {listener.name}, is the endpoint of neither a DB instance nor a cluster's writer",
            elsewhere,
        )
    found = Failover(parts["name"], bool(parts["cluster"]))
    rds: RDSClient = aws.client("rds")
    row: Any
    if found.cluster:
        row = rds.describe_db_clusters(DBClusterIdentifier=found.identifier)["DBClusters"][0]
        status, possible = row["Status"], any(not each["IsClusterWriter"] for each in row.get("DBClusterMembers", []))
        why = "it has no member but its writer"
    else:
        row = rds.describe_db_instances(DBInstanceIdentifier=found.identifier)["DBInstances"][0]
        status, possible = row["DBInstanceStatus"], bool(row.get("MultiAZ"))
        why = "it is not Multi-AZ"
    if not possible:
        raise Problem(f"the DB {'cluster' if found.cluster else 'instance'} {found.identifier} cannot fail over: {why}", elsewhere)  # fmt: skip  # noqa: E501
    if status != "available":
        raise Problem(f"{found} is {status}", "wait until it is available")
    return found

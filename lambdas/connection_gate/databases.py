"""The zones in which RDS databases can be, against those of the load balancer: a target elsewhere is never used."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from .log import emit
from .service import client, code

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from mypy_boto3_rds import RDSClient

    from .service import Service

_Result = TypeVar("_Result")

_LOOKS = 3  # permissions made a moment ago may not be known everywhere yet
_PAUSE_SECONDS = 3.0
_PATIENCE_SECONDS = 60.0  # for all of them together

_NOUNS = {"db": "DB instance", "cluster": "DB cluster"}
_REMEDY = "or say the zones yourself ('availability_zones' of the target, 'zones' in the YAML file)"


class Databases:
    """Amazon RDS, as far as it is asked; its client is made when the first question comes."""

    def __init__(self, rds: Callable[[], RDSClient] | None = None) -> None:
        """Makes no call yet.

        Args:
            rds: Gives the client (default: one whose calls end in bounded time).
        """
        self._rds = rds or (lambda: client("rds"))

    def zones(self, resource: str) -> tuple[str, frozenset[str]]:
        """Reads a database's DB subnet group.

        Args:
            resource: As in its ARN, `db:orders` or `cluster:orders`.

        Returns:
            The group's name, and the names of its zones.

        Raises:
            ClientError, BotoCoreError: RDS did not answer, or knows no such database.
        """
        kind, _, identifier = resource.partition(":")
        rds = self._rds()
        if kind == "db":
            (instance,) = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
            group = instance["DBSubnetGroup"]
        else:
            (cluster,) = rds.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"]
            name = cluster["DBSubnetGroup"]
            (group,) = rds.describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"]
        zones = frozenset(subnet["SubnetAvailabilityZone"]["Name"] for subnet in group["Subnets"])
        return group["DBSubnetGroupName"], zones


def uncovered(service: Service, asked: Mapping[str, str], databases: Databases) -> list[str]:
    """Compares the zones of databases with those of the load balancer.

    Args:
        service: The endpoint service, whose load balancer it is.
        asked: The databases by listener, each as in its ARN.
        databases: Amazon RDS.

    Returns:
        What is wrong, a sentence for each listener: zones that the load balancer lacks, or why they are not known.
    """
    if not asked:
        return []
    end = time.monotonic() + _PATIENCE_SECONDS
    try:
        covered = frozenset(_repeated(service.load_balancer_zones, end))
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told
        return [f"the load balancer's zones are not known: {code(error)}: {error}"]
    found = [_problem(listener, resource, covered, databases, end) for listener, resource in sorted(asked.items())]
    problems = [problem for problem in found if problem]
    for problem in problems:
        emit("ERROR", "a database can be where the load balancer is not", cause=problem)
    if not problems:
        emit("INFO", "the load balancer covers the zones of the databases", listeners=sorted(asked))
    return problems


def _problem(listener: str, resource: str, covered: AbstractSet[str], databases: Databases, end: float) -> str:
    kind, _, identifier = resource.partition(":")
    subject = f"{listener}: {_NOUNS.get(kind, kind)} '{identifier}'"
    if time.monotonic() >= end:
        return f"{subject}: its zones are not known: no time was left to ask; mend what goes before, {_REMEDY}"
    try:
        group, zones = _repeated(lambda: databases.zones(resource), end)
    except Exception as error:  # noqa: BLE001  # the other listeners still have their turn
        return f"{subject}: its zones are not known: {code(error)}: {error}; mend that, {_REMEDY}"
    missing = ", ".join(sorted(zones - covered))
    if not missing:
        return ""
    return (
        f"{subject} can be in {missing} (DB subnet group '{group}'), where the load balancer has no subnet and would "
        "not reach it after a failover: give the load balancer a subnet there, or take that zone's subnets out of the "
        "DB subnet group"
    )


def _repeated(call: Callable[[], _Result], end: float) -> _Result:
    """Calls until it succeeds, a few times, and not again when the time is up."""
    for _ in range(_LOOKS - 1):
        try:
            return call()
        except Exception as error:
            if time.monotonic() >= end:
                raise
            emit("WARN", "a call failed and is repeated", code=code(error), cause=error)
            time.sleep(_PAUSE_SECONDS)
    return call()

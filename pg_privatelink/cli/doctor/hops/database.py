"""The database, as RDS tells of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.database import Database
    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding
    from pg_privatelink.cli.listeners import Listener

# "Viewing Amazon RDS DB instance status" in its user guide: in these nothing answers, or not for long.
_STOPPED = frozenset({"stopped", "stopping"})
_COMING = frozenset({"creating", "starting", "rebooting", "failing-over", "promoting", "renaming"})
_LOST = frozenset(
    {
        "deleting",
        "failed",
        "inaccessible-encryption-credentials",
        "inaccessible-encryption-credentials-recoverable",
        "incompatible-network",
        "incompatible-parameters",
        "incompatible-restore",
        "insufficient-capacity",
        "restore-error",
        "storage-full",
    }
)


def check(facts: Facts) -> Iterator[Finding]:
    """It is there, and listens on the port that targets are registered with."""
    databases = known(facts.databases)
    wrong, told = False, []
    for listener in known(facts.named):
        database = databases.get(listener.name)
        if database is None:
            continue
        finding = _look(facts, listener, database)
        if finding is not None:
            wrong = True
            yield finding
        port = f" on port {database.port}" if database.port else ""
        told.append(f"{database.kind} {database.identifier} is {database.status}{port}")
    if not wrong:
        yield ok("; ".join(dict.fromkeys(told)) or "RDS knows none of the targets: what is behind them is not seen")


def _look(facts: Facts, listener: Listener, database: Database) -> Finding | None:
    what, verb = f"the {database.kind} {database.identifier}", f"db-{database.kind.removeprefix('DB ').lower()}"
    if database.status in _STOPPED:
        return problem(
            f"{what} is {database.status}",
            "start it",
            facts.aws(f"rds start-{verb} --{verb}-identifier {database.identifier}"),
        )
    if database.status in _LOST:
        return problem(f"{what} is {database.status}", f"see what RDS says of it: {_describe(facts, database)}")
    if database.status in _COMING:
        return unknown(f"{what} is {database.status}", "look again when it is available")
    port = listener.tags.get("port")
    if database.port is not None and port and str(database.port) != port:
        return problem(
            f"{what} listens on port {database.port}, but targets of listener {listener.name} are registered with "
            f"port {port}",
            f"set 'port: {database.port}' below the listener's target in privatelink.yaml and deploy: "
            "npx cdk deploy --all",
        )
    return None


def _describe(facts: Facts, database: Database) -> str:
    noun = {"DB instance": "instances", "DB cluster": "clusters"}.get(database.kind, "proxies")
    return facts.aws(f"rds describe-db-{noun}")

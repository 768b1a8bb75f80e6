"""Whether idle connections stay open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.database import CLUSTER, KEEPALIVE, PROXY
from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import not_read, ok, problem, unknown
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.database import Database
    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding

_IDLE_SECONDS = 350
"""After which interface endpoints drop a connection, unchangeable, and load balancers too unless told otherwise."""

_DEFAULT = 300
"""What RDS sets where a parameter group does not ("Dead connection handling in PostgreSQL", RDS user guide)."""


def check(facts: Facts) -> Iterator[Finding]:
    """The database sends keepalives before an idle connection is dropped."""
    databases, named = known(facts.databases), known(facts.named)
    told: list[str] = []
    wrong = False
    for listener in named:
        database = databases.get(listener.name)
        if database is None:
            wrong = True
            yield unknown(
                f"how often the server behind listener {listener.name} sends keepalives is not to be seen from here",
                f"'SHOW {KEEPALIVE}' there must give less than {_IDLE_SECONDS} and not 0, or clients send their own",
                counts=False,
            )
        elif database.kind == PROXY:
            told.append(f"{PROXY} {database.identifier} ends idle connections itself")
        elif isinstance(database.keepalive, Problem):
            wrong = True
            yield not_read(database.keepalive)
        elif database.keepalive is not None and not 0 < database.keepalive < _IDLE_SECONDS:
            wrong = True
            yield _too_late(facts, database)
        else:
            seconds = database.keepalive or _DEFAULT
            told.append(f"{database.kind} {database.identifier} sends keepalives after {seconds} s")
    if not wrong:
        yield ok(f"{'; '.join(dict.fromkeys(told)) or 'no listener'} (idle connections are dropped after 350 s)")


def _too_late(facts: Facts, database: Database) -> Finding:
    cluster = database.kind == CLUSTER
    group = "db-cluster-parameter-group" if cluster else "db-parameter-group"
    said = "never, as the system has it (7200 s)" if database.keepalive == 0 else f"after {database.keepalive} s"
    return problem(
        f"parameter group {database.parameter_group} has {database.kind} {database.identifier} send keepalives {said}: "
        f"PrivateLink drops idle connections after {_IDLE_SECONDS} s",
        f"set {KEEPALIVE} to 300 or less; it needs no restart",
        facts.aws(
            f"rds modify-{group} --{group}-name {database.parameter_group} "
            f"--parameters ParameterName={KEEPALIVE},ParameterValue=300,ApplyMethod=immediate"
        ),
    )

"""The stack's alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.connections import outlasts_its_cause
from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts, Row
    from pg_privatelink.cli.doctor.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """None is in alarm, but for one whose cause is seen to be gone: it follows some minutes later."""
    rows = known(facts.alarms)
    fired = [row for row in rows if row["StateValue"] == "ALARM"]
    late = [row for row in fired if _has_no_cause(facts, row)]
    for row in fired:
        if row in late:
            yield ok(
                f"{row['Label']} is in ALARM{_since(row)}, but no connection waits any more: it goes off by itself "
                "within some minutes"
            )
        else:
            yield problem(
                f"{row['Label']} is in ALARM{_since(row)}",
                str(row.get("AlarmDescription") or row.get("StateReason") or "see it in CloudWatch").rstrip(),
            )
    if len(late) == len(fired):
        silent = sum(row["StateValue"] == "INSUFFICIENT_DATA" for row in rows)
        told = f"{len(rows)} alarms, none {'of the others ' * bool(late)}in ALARM"
        yield ok(told + (f"; {silent} without data" if silent else ""))


def _has_no_cause(facts: Facts, row: Row) -> bool:
    return not isinstance(facts.connections, Problem) and outlasts_its_cause(row["Label"], facts.connections)


def _since(row: Row) -> str:
    since = row.get("StateUpdatedTimestamp")
    return f" since {since:%Y-%m-%d %H:%MZ}" if since is not None else ""

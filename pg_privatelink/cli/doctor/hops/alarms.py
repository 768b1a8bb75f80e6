"""The stack's alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.alarms import passing
from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts, Row
    from pg_privatelink.cli.doctor.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """None is in alarm, but for those that go off by themselves."""
    rows = known(facts.alarms)
    fired = [row for row in rows if row["StateValue"] == "ALARM"]
    late = passing(rows, None if isinstance(facts.connections, Problem) else facts.connections)
    for row in fired:
        told = f"{row['Label']} is in ALARM{_since(row)}"
        if row["AlarmName"] in late:
            yield ok(f"{told}, but {late[row['AlarmName']]}: it goes off by itself within some minutes")
        else:
            yield problem(
                told, str(row.get("AlarmDescription") or row.get("StateReason") or "see it in CloudWatch").rstrip()
            )
    if len(late) == len(fired):
        silent = sum(row["StateValue"] == "INSUFFICIENT_DATA" for row in rows)
        told = f"{len(rows)} alarms, none {'of the others ' * bool(late)}in ALARM"
        yield ok(told + (f"; {silent} without data" if silent else ""))


def _since(row: Row) -> str:
    since = row.get("StateUpdatedTimestamp")
    return f" since {since:%Y-%m-%d %H:%MZ}" if since is not None else ""

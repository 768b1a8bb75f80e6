"""The stack's alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """None is in alarm."""
    rows = known(facts.alarms)
    fired = [row for row in rows if row["StateValue"] == "ALARM"]
    for row in fired:
        since = row.get("StateUpdatedTimestamp")
        when = f" since {since:%Y-%m-%d %H:%MZ}" if since is not None else ""
        yield problem(
            f"{row['Label']} is in ALARM{when}",
            str(row.get("AlarmDescription") or row.get("StateReason") or "see it in CloudWatch").rstrip(),
        )
    if not fired:
        silent = sum(row["StateValue"] == "INSUFFICIENT_DATA" for row in rows)
        yield ok(f"{len(rows)} alarms, none in ALARM" + (f"; {silent} without data" if silent else ""))

"""The last failover in the function's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Evidence only: what is wrong now, other hops tell."""
    if facts.service.function_name is None:
        yield ok("nothing is followed: all targets are fixed")
        return
    change, failures = known(facts.last_change), known(facts.failures)
    told = "no target was changed in a month"
    if change is not None:
        told = f"{change.at}, {change.listener}: {change.what}" + (f" ({change.why})" if change.why else "")
    if failures:
        last = failures[-1]
        told += f"; {len(failures)} failure{'s' * (len(failures) != 1)} in the last hour, the last one at {last.at}"
        told += f", {last.listener}: {last.why}"
    yield ok(told)

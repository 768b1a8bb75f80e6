"""The walk along the path: which hops there are, in which order, and what they come to. No input or output."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.doctor.finding import not_read
from pg_privatelink.cli.doctor.hops import (
    alarms,
    connections,
    database,
    database_group,
    dns,
    endpoint_service,
    function,
    health,
    history,
    keepalives,
    listeners,
    load_balancer,
    network_acls,
    principals,
    routes,
    security_group,
    target_groups,
    targets,
    zones,
)
from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.status.state import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding

# In the order of the path, and causes before what follows from them: the first problem is the one to mend first.
HOPS: dict[str, Callable[[Facts], Iterator[Finding]]] = {
    "Endpoint service": endpoint_service.check,
    "Principals": principals.check,
    "Connections": connections.check,
    "Load balancer": load_balancer.check,
    "Load balancer's zones": zones.check_load_balancer,
    "Service's zones": zones.check_service,
    "Listeners": listeners.check,
    "Inbound rules": security_group.check_inbound,
    "Target groups": target_groups.check,
    "Cross-zone": load_balancer.check_cross_zone,
    "Function": function.check,
    "DNS": dns.check,
    "Database": database.check,
    "Targets": targets.check,
    "Outbound rules": security_group.check_outbound,
    "Route tables": routes.check,
    "Network ACLs": network_acls.check,
    "Database's group": database_group.check,
    "Target health": health.check,
    "Keepalives": keepalives.check,
    "Last change": history.check,
    "Alarms": alarms.check,
}


@dataclass(frozen=True, slots=True)
class Hop:
    """A hop with what was found out about it.

    Attributes:
        name: Its name.
        findings: At least one; what is wrong first.
    """

    name: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of its findings."""
        return worst(each.verdict for each in self.findings)

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "hop": self.name,
            "verdict": self.verdict,
            "findings": [
                {
                    "verdict": each.verdict,
                    "evidence": each.evidence,
                    "change": each.change,
                    "command": each.command,
                    "counts": each.counts,
                }
                for each in self.findings
            ],
        }


def walk(facts: Facts) -> list[Hop]:
    """Check all hops, in the order of the path."""
    return [Hop(name, examine(check, facts)) for name, check in HOPS.items()]


def examine(check: Callable[[Facts], Iterator[Finding]], facts: Facts) -> tuple[Finding, ...]:
    """Return what a check finds; a fact that it needs and that could not be read is the last finding."""
    found: list[Finding] = []
    try:
        found.extend(check(facts))
    except Problem as missing:
        found.append(not_read(missing))
    return tuple(sorted(dict.fromkeys(found), key=lambda each: _RANK[each.verdict]))


_RANK = {Verdict.PROBLEM: 0, Verdict.UNKNOWN: 1, Verdict.OK: 2}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the worst of some verdicts; a problem is worse than what is not known."""
    return min(verdicts, key=_RANK.__getitem__, default=Verdict.OK)


def verdict(hops: Sequence[Hop]) -> Verdict:
    """Return what the whole walk comes to."""
    return worst(each.verdict for hop in hops for each in hop.findings if each.counts)


def exit_code(hops: Sequence[Hop]) -> ExitCode:
    """Return the command's exit code."""
    codes = {Verdict.OK: ExitCode.OK, Verdict.PROBLEM: ExitCode.PROBLEM, Verdict.UNKNOWN: ExitCode.UNKNOWN}
    return codes[verdict(hops)]


def first_problem(hops: Sequence[Hop]) -> Hop | None:
    """Return the hop to mend first; None if nothing is wrong."""
    return next((hop for hop in hops if hop.verdict is Verdict.PROBLEM), None)

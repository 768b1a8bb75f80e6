"""`Finding`: one line of the doctor's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pg_privatelink.cli.status.state import Verdict

if TYPE_CHECKING:
    from pg_privatelink.cli.problem import Problem


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about a hop.

    Attributes:
        verdict: Whether it is in order.
        evidence: What was seen, one sentence without a full stop.
        change: What to change, in words; empty where nothing is to be changed.
        command: The command that changes it; empty where it takes more than one, or another tool.
        counts: Whether it has a say in the exit code. What can never be seen from here has none.
    """

    verdict: Verdict
    evidence: str
    change: str = ""
    command: str = ""
    counts: bool = True


def ok(evidence: str) -> Finding:
    """Return a finding of something that is in order."""
    return Finding(Verdict.OK, evidence)


def problem(evidence: str, change: str, command: str = "") -> Finding:
    """Return a finding of something that is wrong, and the change that mends it."""
    return Finding(Verdict.PROBLEM, evidence, change, command)


def unknown(evidence: str, change: str, command: str = "", *, counts: bool = True) -> Finding:
    """Return a finding of something that cannot be told, and what would tell it."""
    return Finding(Verdict.UNKNOWN, evidence, change, command, counts)


def no_target() -> Finding:
    """Return the finding of a hop on the way to targets, where there is none to go to: the hop `Targets` tells why."""
    return unknown("no target to go to", "see the hop 'Targets' first, then look again", counts=False)


def not_read(why: Problem) -> Finding:
    """Return the finding of a hop whose facts could not be read."""
    return Finding(Verdict.UNKNOWN, why.what, why.remedy)

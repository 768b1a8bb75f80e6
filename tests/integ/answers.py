"""What was seen on AWS, and what it says about each open question. No input or output."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HEALTHY = "healthy"


@dataclass(frozen=True, kw_only=True)
class Look:
    """One look at the service during the failover.

    Attributes:
        at: Seconds since the epoch.
        addresses: What DNS told the function, which is outside the VPC; () for nothing.
        states: The targets' states, by address.
    """

    at: float
    addresses: tuple[str, ...] = ()
    states: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came out about one question.

    Attributes:
        question: The question, as the README has it.
        said: The answer, for people.
        figures: The same for machines; empty where it could not be told.
    """

    question: str
    said: str
    figures: Mapping[str, object] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """Return it for JSON."""
        return {"question": self.question, "answer": self.said, "figures": dict(self.figures)}


def registration(looks: Sequence[Look], changes: Sequence[Mapping[str, Any]]) -> Answer:
    """Tell how long it took from the function's registration until the load balancer called the address healthy.

    Args:
        looks: In the order of time.
        changes: The function's log lines `changed`, each with `at` in seconds since the epoch.
    """
    question = "How long does a registration take?"
    registered = next((each for each in changes if each.get("registered")), None)
    if registered is None:
        return Answer(question=question, said="not told: the function registered nothing while it was watched")
    address = str(registered["registered"][0]).partition(":")[0]
    healthy = next((each.at for each in looks if each.states.get(address) == _HEALTHY), None)
    if healthy is None:
        return Answer(question=question, said=f"not told: {address} did not become healthy while it was watched")
    took = round(healthy - float(registered["at"]), 1)
    return Answer(
        question=question,
        said=f"{took} s from RegisterTargets until {address} was healthy",
        figures={"seconds": took, "address": address},
    )


def event_latency(arrived: Sequence[Mapping[str, Any]]) -> Answer:
    """Tell how late events of Amazon RDS arrive.

    Args:
        arrived: Each event's `id`, when RDS says that it happened (`happened`), and when it arrived (`arrived`).
    """
    question = "How soon do events of Amazon RDS arrive?"
    late = {str(each["id"]): round(float(each["arrived"]) - float(each["happened"]), 1) for each in arrived}
    if not late:
        return Answer(question=question, said="none arrived", figures={"events": {}})
    told = ", ".join(f"{name} after {seconds} s" for name, seconds in late.items())
    return Answer(question=question, said=told, figures={"events": late})


def outside_dns(looks: Sequence[Look], inside: str) -> Answer:
    """Tell what DNS said to the function, which is outside the VPC.

    Args:
        looks: In the order of time.
        inside: The VPC's range, as a text to show.
    """
    question = "What does a function outside the VPC see in DNS?"
    told = [each for each in looks if each.addresses]
    if not told:
        return Answer(question=question, said="not told: no look had an answer")
    turns = [told[0], *(later for earlier, later in itertools.pairwise(told) if later.addresses != earlier.addresses)]
    silent = len(looks) - len(told)
    began = looks[0].at
    steps = "; ".join(f"{round(each.at - began, 1)} s: {', '.join(each.addresses)}" for each in turns)
    return Answer(
        question=question,
        said=f"{steps}; {silent} of {len(looks)} looks without an answer; the VPC is {inside}",
        figures={
            "turns": [[round(each.at - began, 1), list(each.addresses)] for each in turns],
            "without_answer": silent,
        },
    )


def group_alone(works: Sequence[bool], states: Sequence[str], *, works_before: bool) -> Answer:
    """Tell whether a rule by security group is enough where inbound rules do not apply to PrivateLink traffic.

    Args:
        works: Whether the endpoint answered in each try without the rules by address.
        states: The target's state after each.
        works_before: Whether it answered with them in place.
    """
    question = "Do security-group references hold with inbound rules off?"
    if not works_before or not works:
        return Answer(question=question, said="not told: the endpoint did not answer before")
    holds = all(works) and all(state == _HEALTHY for state in states)
    said = (
        f"{'yes' if holds else 'no'}: without the rules by address {sum(works)} of {len(works)} checks succeeded, "
        f"and the target was {', '.join(sorted(set(states)))}"
    )
    return Answer(question=question, said=said, figures={"holds": holds, "succeeded": sum(works), "of": len(works)})


def standby(outcomes: Sequence[str]) -> Answer:
    """Tell whether the standby takes connections.

    Args:
        outcomes: What came of connecting, from inside the VPC, to the address that was the primary's before.
    """
    question = "Does the standby of a Multi-AZ DB instance take connections?"
    if not outcomes:
        return Answer(question=question, said="not told: nothing was failed over")
    yes = sum(each == "connected" for each in outcomes)
    said = f"{yes} of {len(outcomes)} tries connected to the former primary's address; outcomes: "
    said += ", ".join(sorted(set(outcomes)))
    return Answer(question=question, said=said, figures={"connected": yes, "of": len(outcomes)})


def tags_kept(before: Mapping[str, str], after: Mapping[str, str]) -> Answer:
    """Tell whether an update that changes a target group's tags leaves the function's own alone.

    Args:
        before: The tags before the update.
        after: Those after it.
    """
    question = "Does CloudFormation leave tags alone which the function adds to a target group?"
    ours = {key: value for key, value in before.items() if key == "pg-privatelink:followed"}
    if not ours:
        return Answer(question=question, said="not told: the function had added none")
    kept = all(after.get(key) == value for key, value in ours.items())
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    said = f"{'yes' if kept else 'no'}; the update changed {', '.join(sorted(changed)) or 'no tag'}"
    return Answer(question=question, said=said, figures={"kept": kept})


def report(answers: Sequence[Answer], drill: Mapping[str, object] | None) -> str:
    """Return the report for people."""
    lines = ["# What was seen on AWS", "", "| question | answer |", "| --- | --- |"]
    lines += [f"| {each.question} | {each.said} |" for each in answers]
    lines += ["", "## The drill", ""]
    figures = (drill or {}).get("figures")
    if not isinstance(figures, dict):
        return "\n".join([*lines, "It did not end with figures.", ""])
    lines += ["| figure | value |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in figures.items()]
    return "\n".join([*lines, ""])

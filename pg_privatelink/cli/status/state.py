"""What `status` knows of a service, and what it makes of it. No input or output."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.connections import AVAILABLE, LOST, WAITING, admitted_by
from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.listeners import DRAINING, HEALTHY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pg_privatelink.cli.connections import Connection
    from pg_privatelink.cli.listeners import Listener, Target
    from pg_privatelink.cli.problem import Problem
    from pg_privatelink.cli.service import Service


class Verdict(enum.StrEnum):
    """What a line of `status` comes to."""

    OK = "ok"
    PROBLEM = "problem"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ListenerState:
    """A listener beside what stands behind it.

    Attributes:
        name: Its name.
        port: The port that consumers connect to.
        hostname: The DNS name that is followed; None where the targets are fixed.
        answer: What DNS answered the function just now (`addresses`, `ttl`, `aliases`); None if nothing, or not asked.
        targets: What is registered; each with `in_dns`, which is None where DNS has no say.
        notes: What is wrong, or worth knowing.
        verdict: What it comes to.
    """

    name: str
    port: int
    hostname: str | None
    answer: Mapping[str, Any] | None
    targets: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm of the stack.

    Attributes:
        label: What it is called in the service, such as NoHealthyTarget.
        name: Its name in CloudWatch.
        state: OK, ALARM or INSUFFICIENT_DATA.
        since: When it came into this state, as text.
        reason: AWS's reason for the state.
        description: What it is about and what to do.
        goes_off: Why it goes off by itself, if it is on and does; empty: it does not, as far as is known.
    """

    label: str
    name: str
    state: str
    since: str
    reason: str
    description: str
    goes_off: str = ""

    @property
    def verdict(self) -> Verdict:
        """Whether it is alarmed, and not only late; without data nothing is known to be wrong."""
        return Verdict.PROBLEM if self.state == "ALARM" and not self.goes_off else Verdict.OK


@dataclass(slots=True)
class State:
    """All that `status` shows. A part that could not be read is None, and `unknown` says why.

    Attributes:
        service: The service.
        configuration: `state`, `acceptance_required` and `zones` of the endpoint service.
        principals: Who may make endpoints.
        connections: The consumers' endpoints.
        listeners: The listeners.
        last_change: The last change of targets: `at`, `listener`, `what`, `why`; empty if there was none in a month.
        failures: The same of failures of the last hour.
        alarms: The stack's alarms.
        unknown: By part, why it could not be read.
    """

    service: Service
    configuration: Mapping[str, Any] | None = None
    principals: Sequence[str] | None = None
    connections: Sequence[Connection] | None = None
    listeners: Sequence[ListenerState] | None = None
    last_change: Mapping[str, str] | None = None
    failures: Sequence[Mapping[str, str]] | None = None
    alarms: Sequence[Alarm] | None = None
    unknown: dict[str, Problem] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """The worst of all: what is wrong counts more than what is not known."""
        verdicts = {each.verdict for each in self.listeners or ()} | {each.verdict for each in self.alarms or ()}
        verdicts |= {connection_verdict(each) for each in self.connections or ()}
        if Verdict.PROBLEM in verdicts or (self.configuration and self.configuration["state"] != "Available"):
            return Verdict.PROBLEM
        return Verdict.UNKNOWN if self.unknown or Verdict.UNKNOWN in verdicts else Verdict.OK

    @property
    def exit_code(self) -> ExitCode:
        """The command's exit code."""
        return {Verdict.OK: ExitCode.OK, Verdict.PROBLEM: ExitCode.PROBLEM, Verdict.UNKNOWN: ExitCode.UNKNOWN}[
            self.verdict
        ]

    def document(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        service = self.service
        return {
            "verdict": self.verdict,
            "service": {
                "name": service.name,
                "id": service.id,
                "endpoint_service_name": service.endpoint_service_name,
                "stack": service.stack,
                "stack_status": service.stack_status,
                "account": service.account,
                "region": service.region,
                **(self.configuration or {}),
            },
            "principals": self.principals,
            "connections": self.connections
            and [
                {
                    "endpoint_id": each.endpoint_id,
                    "owner": each.owner,
                    "state": each.state,
                    "since": each.since and each.since.isoformat(),
                    "admitted_by": None if self.principals is None else admitted_by(self.principals, owner=each.owner),
                    "verdict": connection_verdict(each),
                }
                for each in self.connections
            ],
            "listeners": self.listeners and [asdict(each) for each in self.listeners],
            "last_change": self.last_change,
            "failures": self.failures,
            "alarms": self.alarms and [{**asdict(each), "verdict": each.verdict} for each in self.alarms],
            "unknown": {part: {"what": why.what, "remedy": why.remedy} for part, why in self.unknown.items()},
        }


def connection_verdict(connection: Connection) -> Verdict:
    """Return what a connection comes to. One that waits, or that you rejected, is not wrong."""
    return Verdict.PROBLEM if connection.is_in(*LOST) else Verdict.OK


def waiting(connections: Sequence[Connection] | None) -> list[Connection]:
    """Return the connections that wait to be accepted."""
    return [each for each in connections or () if each.is_in(WAITING)]


def connected(connections: Sequence[Connection] | None) -> list[Connection]:
    """Return the connections that carry traffic."""
    return [each for each in connections or () if each.is_in(AVAILABLE)]


def listener_state(
    listener: Listener, targets: Sequence[Target], seen: Mapping[str, Any] | None, *, asked: bool = True
) -> ListenerState:
    """Return what a listener comes to.

    Args:
        listener: The listener.
        targets: What is registered, as AWS tells it.
        seen: What the function reports of it; None where it reports nothing.
        asked: Whether the function could be asked; if not, that is told elsewhere.
    """
    answer = seen.get("answer") if seen else None
    named = {f"{address}:{(seen or {}).get('port')}" for address in answer["addresses"]} if answer else None
    rows = tuple(
        {
            "target": each.target,
            "state": each.state,
            "reason": each.reason,
            "description": each.description,
            "in_dns": None if named is None else each.target in named,
        }
        for each in targets
    )
    wrong: list[str] = []
    notes: list[str] = []
    if listener.hostname is not None and asked:
        if seen is None:
            wrong.append("the function does not know this listener: see 'pg-privatelink logs'")
        elif seen.get("failure"):
            wrong.append(f"the function fails: {seen['failure']}")
        elif seen.get("register"):
            wrong.append(f"DNS names {', '.join(seen['register'])}, which is not registered yet")
        elif seen.get("unnamed"):
            notes.append(f"DNS no longer names {', '.join(seen['unnamed'])}, which leaves once that is confirmed")
    healthy = [each for each in rows if each["state"] == HEALTHY and each["in_dns"] is not False]
    if not healthy:
        wrong.append(_nothing_healthy(rows))
    notes += [
        f"{each['target']} is {each['state']}: {each['description'] or each['reason']}"
        for each in rows
        if each["state"] not in {HEALTHY, DRAINING} and (each["description"] or each["reason"])
    ]
    verdict = Verdict.PROBLEM if wrong else Verdict.OK
    if verdict is Verdict.OK and listener.hostname is not None and not asked:
        verdict = Verdict.UNKNOWN
    return ListenerState(listener.name, listener.port, listener.hostname, answer, rows, tuple(wrong + notes), verdict)


def _nothing_healthy(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "nothing is registered, so nobody can connect"
    if any(each["state"] == HEALTHY for each in rows):
        return "no address that DNS names is healthy"
    return "no target is healthy, so connections go to all of them and fail"

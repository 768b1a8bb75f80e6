"""`status` for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.connections import AVAILABLE, WAITING, admitted_by
from pg_privatelink.cli.screen import colored
from pg_privatelink.cli.status.state import Verdict, connected, connection_verdict, waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from pg_privatelink.cli.screen import Screen
    from pg_privatelink.cli.status.state import Alarm, ListenerState, State


def show(screen: Screen, state: State) -> None:
    """Print a state."""
    _service(screen, state)
    if state.connections is not None:
        _connections(screen, state)
    if state.listeners is not None:
        _listeners(screen, state)
    if state.last_change is not None:
        _log(screen, state)
    if state.alarms is not None:
        _alarms(screen, state.alarms)
    if state.unknown:
        screen.heading("Not known")
        for part, why in state.unknown.items():
            screen.say(f"{part}: {why.what}", verdict="unknown", indent=2)
        for remedy in dict.fromkeys(why.remedy for why in state.unknown.values()):
            screen.say(remedy, indent=2)
    screen.say()
    screen.say(summary(state), verdict=state.verdict)


def summary(state: State) -> str:
    """Return the last line: what it all comes to."""
    if state.verdict is Verdict.PROBLEM:
        names = [f"listener {each.name}" for each in state.listeners or () if each.verdict is Verdict.PROBLEM]
        names += [f"alarm {each.label}" for each in state.alarms or () if each.verdict is Verdict.PROBLEM]
        names += [
            f"connection {each.endpoint_id}"
            for each in state.connections or ()
            if connection_verdict(each) is Verdict.PROBLEM
        ]
        return f"Something is wrong: {', '.join(names) or 'the endpoint service'}."
    if state.verdict is Verdict.UNKNOWN:
        return "Nothing seen is wrong, but not everything could be seen."
    if waiting(state.connections):
        return "Nothing is wrong. A consumer waits to be accepted."
    if state.connections is not None and not connected(state.connections):
        return "Nothing is wrong. No consumer is connected yet."
    return "Nothing is wrong."


def _service(screen: Screen, state: State) -> None:
    service, configuration = state.service, state.configuration or {}
    pairs = [
        ("Service", service.name),
        ("Name for consumers", service.endpoint_service_name),
        ("Stack", f"{service.stack}, {service.stack_status}"),
        ("Account, Region", f"{service.account}, {service.region}"),
    ]
    if configuration:
        acceptance = (
            "you accept each connection" if configuration["acceptance_required"] else "anyone admitted connects"
        )
        pairs.append(("State", f"{configuration['state']}, {acceptance}"))
        pairs.append(("Zones", ", ".join(configuration["zones"])))
    if state.principals is not None:
        pairs.append(("May connect", "\n".join(state.principals) or "nobody: name a consumer"))
    screen.pairs(pairs)


def _connections(screen: Screen, state: State) -> None:
    screen.heading("Consumers")
    if not state.connections:
        screen.say("No endpoint was made yet; 'pg-privatelink request' has the text to send.", indent=2)
        return
    principals = state.principals
    rows: list[list[str | Text]] = []
    for each in state.connections:
        note = ""
        if principals is not None and admitted_by(principals, owner=each.owner) is None:
            note = "may not connect any more"
        color = "ok" if each.is_in(AVAILABLE) else "unknown" if each.is_in(WAITING) else ""
        if connection_verdict(each) is Verdict.PROBLEM:
            color = Verdict.PROBLEM
        made = f"{each.since:%Y-%m-%d}" if each.since else ""
        rows.append([each.endpoint_id, each.owner, colored(each.state, color), made, note])
    screen.table(["endpoint", "account", "state", "made", ""], rows, whole=["endpoint", "account", "state", "made"])
    for each in waiting(state.connections)[:1]:
        screen.say(f"To let one in: pg-privatelink accept {each.endpoint_id}", indent=2)


def _listeners(screen: Screen, state: State) -> None:
    for each in state.listeners or ():
        screen.heading(f"Listener {each.name}, port {each.port}")
        if each.hostname is not None:
            screen.say(f"{each.hostname}: {_answer(each)}", indent=2)
        rows: list[list[str | Text]] = [
            [
                row["target"],
                colored(row["state"], Verdict.OK if row["state"] == "healthy" else Verdict.PROBLEM),
                {True: "in DNS", False: "not in DNS", None: ""}[row["in_dns"]],
            ]
            for row in each.targets
        ]
        if rows:
            screen.table(["target", "health", ""], rows, whole=["target", "health", ""])
        for note in each.notes:
            screen.say(note, verdict="" if each.verdict is Verdict.OK else each.verdict, indent=2)


def _answer(listener: ListenerState) -> str:
    if listener.answer is None:
        return "no answer" if listener.verdict is Verdict.PROBLEM else "DNS was not asked"
    ttl = listener.answer.get("ttl")
    return f"{', '.join(listener.answer['addresses'])}{'' if ttl is None else f' (TTL {ttl:g} s)'}"


def _log(screen: Screen, state: State) -> None:
    screen.heading("Last change")
    change = state.last_change
    if not change:
        screen.say("none in a month", indent=2)
    else:
        why = f" ({change['why']})" if change["why"] else ""
        screen.say(f"{change['at']}  {change['listener']}: {change['what']}{why}", indent=2)
    if state.failures:
        last = state.failures[-1]
        count = len(state.failures)
        screen.say(
            f"{count} {'failure' if count == 1 else 'failures'} in the last hour; the last one {last['at']}  "
            f"{last['listener']}: {last['why']}",
            verdict="unknown",
            indent=2,
        )


def _alarms(screen: Screen, alarms: Sequence[Alarm]) -> None:
    screen.heading("Alarms")
    if not alarms:
        screen.say("The stack has none.", indent=2)
        return
    colors = {"OK": "ok", "ALARM": "problem"}
    screen.table(
        ["alarm", "state", "since"],
        [[each.label, colored(each.state, colors.get(each.state, "unknown")), each.since] for each in alarms],
        whole=["alarm", "state", "since"],
    )
    for each in alarms:
        if each.verdict is Verdict.PROBLEM:
            screen.say(f"{each.label}: {each.description or each.reason}", verdict="problem", indent=2)
        elif each.goes_off:
            screen.say(f"{each.label}: {each.goes_off}; it goes off by itself in some minutes", indent=2)

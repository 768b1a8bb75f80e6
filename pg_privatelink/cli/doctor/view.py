"""The doctor's findings for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.decisions import stamp
from pg_privatelink.cli.doctor.walk import first_problem, verdict
from pg_privatelink.cli.screen import colored
from pg_privatelink.cli.status.state import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pg_privatelink.cli.doctor.around import Around
    from pg_privatelink.cli.doctor.finding import Finding
    from pg_privatelink.cli.doctor.walk import Hop
    from pg_privatelink.cli.screen import Screen
    from pg_privatelink.cli.service import Service

AROUND = "Traffic then"


def show(screen: Screen, service: Service, hops: Sequence[Hop], around: Around | None) -> None:
    """Print what was found: a line for each hop, and below a problem what to change."""
    screen.say(f"Service {service.name} ({service.id}), account {service.account}, Region {service.region}")
    screen.say()
    screen.table(
        ["", "hop", "what was seen"],
        [
            [colored(finding.verdict, finding.verdict), hop.name, colored(finding.evidence, _color(finding.verdict))]
            for hop in hops
            for finding in _told(hop)
        ],
        whole=["", "hop"],
    )
    changes = [(hop.name, finding) for hop in hops for finding in _told(hop) if finding.change]
    if changes:
        screen.heading("What to change")
    for name, finding in changes:
        screen.say(f"{name}: {finding.change}{':' if finding.command else ''}", indent=2)
        if finding.command:
            screen.verbatim(f"    {finding.command}")
    if around is not None:
        _show_around(screen, around)
    screen.say()
    screen.say(summary(hops), verdict=verdict(hops))


def summary(hops: Sequence[Hop]) -> str:
    """Return the last line: what it all comes to."""
    first = first_problem(hops)
    if first is not None:
        others = [hop.name for hop in hops if hop.verdict is Verdict.PROBLEM and hop is not first]
        also = f" Then look again, and mend what is left of: {', '.join(others)}." if others else ""
        return f"Mend first: {first.name}.{also}"
    if verdict(hops) is Verdict.UNKNOWN:
        names = [hop.name for hop in hops if any(each.counts for each in hop.findings if each.verdict != "ok")]
        return f"Nothing seen is wrong, but this is not known: {', '.join(names)}."
    return "Nothing is wrong."


def _told(hop: Hop) -> list[Finding]:
    """Return the findings that are told: of a hop that is not in order, what is not."""
    return [each for each in hop.findings if each.verdict is not Verdict.OK] or list(hop.findings)


def _color(found: Verdict) -> str:
    return "" if found is Verdict.OK else found


def _show_around(screen: Screen, around: Around) -> None:
    screen.heading(f"Around {stamp(around.at)}")
    used = [name for name, minutes in around.counts.items() if any(minutes.values())]
    if used:
        screen.table(
            ["minute", *used],
            [
                [
                    f"{minute:%H:%M}" + (" <" if minute == around.minutes()[len(around.minutes()) // 2] else ""),
                    *(f"{around.counts[name][minute]:g}" if minute in around.counts[name] else "-" for name in used),
                ]
                for minute in around.minutes()
            ],
            whole=["minute"],
        )
    else:
        screen.say("no metric has a data point: nothing came, or it is too early for metrics", indent=2)
    for change in around.changes[-5:]:
        screen.say(f"{change.at}, {change.listener}: {change.what}" + (f" ({change.why})" * bool(change.why)), indent=2)
    for record in around.rejects[-5:]:
        screen.verbatim(f"  {record}")
    if not around.flow_logs:
        screen.say("There are no flow logs in CloudWatch Logs to look at ('flow_logs' in privatelink.yaml).", indent=2)

"""The figures in docs/recovery.md: those of the last `make bench`, between marks, so that no hand copies them."""

from __future__ import annotations

import json
from typing import Any

from tools.install import ROOT
from tools.reference.markdown import table

PAGE = ROOT / "docs" / "recovery.md"
_RESULTS = ROOT / "benchmarks" / "results.json"
_WAYS = {
    "poll_60s": "asks every minute, deregisters first",
    "poll_300s": "asks every 5 minutes, sees one target, deregisters first",
    "event_only": "asks once after each event",
    "three_misses": "asks every 5 minutes, deregisters after three misses",
    "poll_300s_and_events": "asks every 5 minutes and after each event",
}


def page() -> str:
    """Return the page with today's figures."""
    results: dict[str, Any] = json.loads(_RESULTS.read_text(encoding="utf-8"))
    text = PAGE.read_text(encoding="utf-8")
    for name, part in (("follow", _follow), ("baselines", _baselines), ("delays", _delays)):
        text = _between(text, name, part(results))
    return text


def _between(text: str, name: str, part: str) -> str:
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = text.partition(begin)
    return f"{before}{begin}{part}{end}{rest.partition(end)[2]}"


def _follow(results: dict[str, Any]) -> str:
    before, without = (results["recovery"][key] for key in ("event_before", "event_late_or_lost"))
    return (
        f"median {_seconds(before['p50_s'])}; 99 of 100 failovers: within {_seconds(before['p99_s'])} if RDS's event "
        f"came first, within {_seconds(without['p99_s'])} if it was late or missing"
    )


def _baselines(results: dict[str, Any]) -> str:
    recovery = results["recovery"]
    rows = [_row("**this function**", recovery)]
    rows += [_row(_WAYS[name], found) for name, found in recovery["baselines"].items()]
    head = ("who", "event first: median", "99 of 100", "event late or lost: median", "99 of 100", "wrong, each")
    return "\n".join(["", "", *table(head, rows), "", ""])


def _row(who: str, found: dict[str, Any]) -> tuple[str, ...]:
    figures = [
        found[event][figure] for event in ("event_before", "event_late_or_lost") for figure in ("p50_s", "p99_s")
    ]
    return (who, *map(_seconds, figures), _seconds(found["wrong_seconds_per_failover"]))


def _delays(results: dict[str, Any]) -> str:
    rows = [
        (f"{delay} s", _seconds(found["event_before"]["p99_s"]), _seconds(found["event_late_or_lost"]["p99_s"]))
        for delay, found in results["end_to_end"].items()
    ]
    return "\n".join(["", "", *table(("registration takes", "event first", "event late or lost"), rows), "", ""])


def _seconds(value: float | str) -> str:
    return f"{value} s" if isinstance(value, int | float) else value

"""How the drill's figures are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.drill.strip import LEGEND, strips

if TYPE_CHECKING:
    from pg_privatelink.cli.drill.measure import Figures
    from pg_privatelink.cli.drill.record import Record
    from pg_privatelink.cli.screen import Screen

_LABEL = 17
_MARGIN = 4
_WIDEST = 100


def progress(record: Record, *, seconds: float) -> str:
    """Return one line on how it goes; `seconds` is negative before the failover."""
    latest = next((each for each in reversed(record.connections) if each.ended is not None), None)
    if latest is None:
        new = "none yet"
    elif latest.succeeded:
        new = f"answered by {latest.server}" + ("" if latest.writable else ", which takes no writes")
    else:
        new = latest.error
    session = record.session[-1] if record.session else None
    waits = session is None or session.ended is None
    state = "waits" if waits else "connects again" if session and session.error else "answered"
    written = sum(1 for each in record.writes if each.succeeded)
    return f"{seconds:+7.1f} s   new connections: {new}   session: {state}   writes: {written}"


def show(screen: Screen, seen: Figures, record: Record, *, began: float, end: float) -> None:
    """Print table and chart."""
    query = seen.query_broken_after
    rows = [
        ("new connections", seen.connections, f"{seen.failed} of {seen.attempted} failed"),
        ("long session", seen.session, "until it was answered again, over a new connection if need be"),
        ("numbered writes", seen.writes, _writes(seen)),
    ]
    screen.heading("Outage, in seconds")
    screen.table(
        ["clients", "all together", "longest piece", ""],
        [
            [name, str(out), f"{out.longest:.1f}", ("" if out.ended else "still out at the end; ") + more]
            for name, out, more in rows
        ],
        whole=["clients", "all together", "longest piece"],
    )
    wrong = []
    if seen.wrong_seconds is not None and seen.session_wrong_seconds is not None:
        text = f"new connections for {seen.wrong_seconds:.1f} s, session for {seen.session_wrong_seconds:.1f} s"
        wrong = [("  wrong server", text)]
    screen.heading("Besides")
    screen.pairs(
        [
            ("  long query", "not broken" if query is None else f"broken after {query:.1f} s"),
            *wrong,
            ("  answered by", ", ".join(f"{each} ({times})" for each, times in seen.servers.items()) or "nobody"),
            ("  failures", ", ".join(f"{each} ({times})" for each, times in seen.errors.items()) or "none"),
        ]
    )
    start = min((each.at for each in record.connections), default=began)
    width = min(max(screen.console.width - _LABEL - _MARGIN, 20), _WIDEST)
    screen.heading("Over time")
    for label, drawn in strips(record, began=began, start=start, end=end, width=width):
        screen.verbatim(f"  {label:<{_LABEL}}{drawn}".rstrip())
    screen.verbatim(f"  {'':<{_LABEL}}{LEGEND}")


def _writes(seen: Figures) -> str:
    counted = seen.accounting
    if counted is None:
        return "not counted: the table could not be read"
    return (
        f"{counted.kept} kept, {counted.missing} acknowledged and missing, {counted.lost} lost, "
        f"{counted.unacknowledged} stored without acknowledgment, {counted.doubled} doubled"
    )

"""The chart for a terminal: one line a kind of client, one character a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.drill.measure import gaps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pg_privatelink.cli.drill.record import Record, Try

FINE, WRONG, OUT, NOTHING = "·", "w", "█", " "
LEGEND = f"{FINE} answered   {OUT} not answered   {WRONG} answered by a server that takes no writes"


def strip(tries: Iterable[Try], *, start: float, end: float, width: int) -> str:
    """Draw one line.

    Args:
        tries: What to draw.
        start: The time of the first character.
        end: The time after the last.
        width: How many characters.
    """
    known = sorted(tries, key=lambda each: each.at)
    pieces = [(begin, end if stop is None else stop) for begin, stop in gaps(known, end)]
    step = (end - start) / width
    drawn = []
    for number in range(width):
        left, right = start + number * step, start + (number + 1) * step
        within = [each for each in known if left <= each.at < right]
        if any(begin < right and stop > left for begin, stop in pieces):
            drawn.append(OUT)
        elif any(each.succeeded and not each.writable for each in within):
            drawn.append(WRONG)
        else:
            drawn.append(FINE if within else (drawn[-1] if drawn else NOTHING))
    return "".join(drawn)


def strips(record: Record, *, began: float, start: float, end: float, width: int) -> list[tuple[str, str]]:
    """Draw all lines of a path, with their labels, and a ruler whose mark is the moment the failover began."""
    mark = min(max(round((began - start) / (end - start) * width), 0), width - 1)
    ruler = f"{'':<{mark}}^ failover"
    query = [record.query] if record.query else []
    return [
        ("new connections", strip(record.connections, start=start, end=end, width=width)),
        ("long session", strip(record.session, start=start, end=end, width=width)),
        ("long query", _query(query, start=start, end=end, width=width)),
        ("writes", strip(record.writes, start=start, end=end, width=width)),
        ("", ruler),
    ]


def _query(query: list[Try], *, start: float, end: float, width: int) -> str:
    """Draw the one query: until it failed it waited for its answer, as it should."""
    if not query:
        return NOTHING * width
    broken = query[0].ended if query[0].error else None
    until = end if broken is None else broken
    step = (end - start) / width
    return "".join(
        NOTHING if start + number * step < query[0].at else FINE if start + number * step < until else OUT
        for number in range(width)
    )

"""Figures made of what the clients saw: pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.drill.accounting import Accounting, account

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pg_privatelink.cli.drill.record import Record, Try

SLOW_SECONDS = 1.0
"""An answer that took longer than this counts as an outage for as long as it took."""


@dataclass(frozen=True, slots=True)
class Outage:
    """When something did not work.

    Attributes:
        seconds: All of it together.
        longest: The longest piece.
        ended: Whether it worked in the end; otherwise the seconds are those until the drill stopped looking.
    """

    seconds: float = 0.0
    longest: float = 0.0
    ended: bool = True

    def __str__(self) -> str:
        """For tables."""
        return f"{'' if self.ended else '> '}{self.seconds:.1f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a failover was to the clients of one path; all from when the drill's first client began, in seconds.

    Attributes:
        connections: Outage of new connections: each began when the first attempt began that failed, and ended with the
            answer to the next that did not.
        wrong_seconds: For how long new connections were answered by a server that takes no writes; None where the
            path is to readers.
        session: Outage of the long-lived session: from the question that got no answer until it was answered again,
            over a new connection if need be.
        session_wrong_seconds: For how long the session was answered by a server that takes no writes.
        query_broken_after: How long after the failover began the long query failed; None: it did not.
        writes: Outage of the numbered writes.
        accounting: What became of them; None if they were not counted.
        attempted: How many new connections were tried.
        failed: How many of those failed or were still waiting.
        errors: Why, and how often.
        servers: How often each server answered a new connection.
    """

    connections: Outage
    wrong_seconds: float | None
    session: Outage
    session_wrong_seconds: float | None
    query_broken_after: float | None
    writes: Outage
    accounting: Accounting | None
    attempted: int
    failed: int
    errors: dict[str, int]
    servers: dict[str, int]

    def document(self) -> dict[str, Any]:
        """Return it for JSON, rounded to milliseconds."""
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded


def gaps(tries: Iterable[Try], end: float) -> list[tuple[float, float | None]]:
    """Return when nothing worked: from the start of a try that failed until the next answer; None: to the end.

    Args:
        tries: In any order.
        end: When the clients were stopped; what waited no longer than `SLOW_SECONDS` then is left out.
    """
    found: list[tuple[float, float | None]] = []
    out: float | None = None
    for each in sorted(tries, key=lambda each: each.at):
        if each.ended is None and end - each.at <= SLOW_SECONDS:
            continue
        if not each.succeeded:
            out = each.at if out is None else out
            continue
        assert each.ended is not None  # noqa: S101 - it has succeeded
        if each.ended - each.at > SLOW_SECONDS:
            out = each.at if out is None else out
        if out is not None:
            found.append((out, each.ended))
            out = None
    if out is not None:
        found.append((out, None))
    return _merged(found)


def _merged(found: list[tuple[float, float | None]]) -> list[tuple[float, float | None]]:
    """Join pieces that overlap, as those of attempts made side by side do."""
    merged: list[tuple[float, float | None]] = []
    for start, stop in found:
        if merged and (last := merged[-1][1]) is not None and start <= last:
            merged[-1] = (merged[-1][0], None if stop is None else max(last, stop))
        else:
            merged.append((start, stop))
    return merged


def outage(tries: Iterable[Try], end: float) -> Outage:
    """Sum up the gaps."""
    pieces = gaps(tries, end)
    lengths = [(end if stop is None else stop) - start for start, stop in pieces]
    return Outage(sum(lengths), max(lengths, default=0.0), all(stop is not None for _, stop in pieces))


def wrong_seconds(tries: Iterable[Try], end: float) -> float:
    """Return for how long answers came from servers that take no writes: each counts until the next try began."""
    ordered = sorted(tries, key=lambda each: each.at)
    starts = [each.at for each in ordered] + [max(end, ordered[-1].at if ordered else end)]
    return sum(
        after - before
        for (before, after), each in zip(pairwise(starts), ordered, strict=True)
        if each.succeeded and not each.writable
    )


def figures(record: Record, *, began: float, end: float, stored: Sequence[int] | None, writer: bool = True) -> Figures:
    """Make the figures of one path.

    Args:
        record: What its clients saw.
        began: When the failover began, on the clients' clock.
        end: When the clients were stopped.
        stored: The numbers found in the end; None if nothing was written.
        writer: Whether the path is to the server that takes writes.
    """
    failed = [each for each in record.connections if not each.succeeded and not _unfinished(each, end)]
    query = record.query
    return Figures(
        connections=outage(record.connections, end),
        wrong_seconds=wrong_seconds(record.connections, end) if writer else None,
        session=outage(record.session, end),
        session_wrong_seconds=wrong_seconds(record.session, end) if writer else None,
        query_broken_after=query.ended - began if query and query.error and query.ended is not None else None,
        writes=outage(record.writes, end),
        accounting=None
        if stored is None
        else account(
            (each.number for each in record.writes if each.number),
            (each.number for each in record.writes if each.succeeded),
            stored,
        ),
        attempted=len(record.connections),
        failed=len(failed),
        errors=dict(Counter(each.error or "no answer" for each in failed).most_common()),
        servers=dict(Counter(each.server for each in record.connections if each.succeeded).most_common()),
    )


def _unfinished(each: Try, end: float) -> bool:
    return each.ended is None and end - each.at <= SLOW_SECONDS


def _rounded(value: Any) -> Any:  # noqa: ANN401 - anything JSON has
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return value

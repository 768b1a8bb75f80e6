"""Figures of what clients saw, on a clock that the tests set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pg_privatelink.cli.drill.measure import Outage, figures, gaps, outage, wrong_seconds
from pg_privatelink.cli.drill.record import Record, Try
from pg_privatelink.cli.drill.strip import strip

OLD, NEW = "10.0.0.5", "10.0.1.5"


def fine(at: float, server: str = OLD, *, took: float = 0.0, writable: bool = True) -> Try:
    """A try that was answered."""
    return Try(at, at + took, server, writable)


def failed(at: float, *, took: float = 0.0) -> Try:
    """A try that failed."""
    return Try(at, at + took, error="refused")


def test_an_outage_lasts_from_the_first_failing_try_to_the_next_answer() -> None:
    """Begin and end are the clients' own: when it tried, and when it was answered."""
    tries = [fine(0), fine(1), failed(2), failed(3), fine(4, NEW, took=0.25), fine(5, NEW)]

    assert gaps(tries, 6) == [(2, 4.25)]
    assert outage(tries, 6) == Outage(2.25, 2.25, ended=True)


def test_pieces_are_summed_and_the_longest_is_told() -> None:
    """As where half of the connections meet a target that is dead."""
    tries = [fine(0), failed(1), fine(2), failed(3), failed(4), fine(5), fine(6)]

    assert outage(tries, 7) == Outage(3, 2, ended=True)


def test_what_is_out_in_the_end_counts_until_then() -> None:
    """It is at least so long."""
    out = outage([fine(0), failed(1), failed(2)], 10)

    assert out == Outage(9, 9, ended=False)
    assert str(out) == "> 9.0"


def test_silence_counts_from_when_the_question_was_asked() -> None:
    """A question without an answer is an outage, one that is just being asked is not."""
    assert gaps([fine(0), Try(1)], 10) == [(1, None)]
    assert gaps([fine(0), Try(9.5)], 10) == []


def test_a_late_answer_is_an_outage_for_as_long_as_it_took() -> None:
    """As of a server that was frozen and goes on."""
    assert gaps([fine(0), fine(1, took=4), fine(5.1)], 6) == [(1, 5)]
    assert gaps([fine(0), fine(1, took=0.9), fine(2)], 6) == []


def test_attempts_side_by_side_make_one_outage() -> None:
    """Connections that hang overlap; time is not counted twice."""
    tries = [failed(1, took=2), failed(1.1, took=2), fine(1.2, took=1.5), fine(1.3, took=1.5), fine(4)]

    assert gaps(tries, 5) == [(1, 2.8)]


def test_wrong_answers_count_until_the_next_try() -> None:
    """Each for its share of the time; failures and right answers do not count."""
    tries = [fine(0), fine(1, writable=False), fine(2, writable=False), failed(3), fine(4, NEW)]

    assert wrong_seconds(tries, 5) == 2


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 3), st.booleans(), st.booleans()), max_size=60))
def test_no_figure_is_longer_than_the_time_there_was(drawn: list[tuple[float, float, bool, bool]]) -> None:
    """Gaps are in order, apart, and within the time; wrong seconds too."""
    tries = [
        Try(at, at + took, OLD, writable) if ok else Try(at, at + took, error="refused")
        for at, took, ok, writable in drawn
    ]
    end = 104.0

    found = gaps(tries, end)

    assert all(stop is not None for _, stop in found[:-1])
    edges = [edge for start, stop in found for edge in (start, end if stop is None else stop)]
    assert edges == sorted(edges)
    assert 0 <= outage(tries, end).longest <= outage(tries, end).seconds <= end
    assert 0 <= wrong_seconds(tries, end) <= end


def test_the_figures_of_a_failover() -> None:
    """Everything together, as the command reports it."""
    record = Record(
        connections=[fine(0), fine(1), failed(2), fine(3, NEW), fine(4, NEW, writable=False), Try(4.9)],
        session=[fine(0), failed(2), fine(3.5, NEW)],
        query=Try(0, 2.2, error="reset"),
        writes=[
            Try(0, 0, writable=True, number=1),
            Try(2, 2.1, error="reset", number=2),
            Try(2.5, 2.6, error="no connection"),
            Try(3, 3, writable=True, number=2),
        ],
    )

    seen = figures(record, began=2, end=5, stored=[1, 2, 2])

    assert seen.connections == Outage(1, 1, ended=True)
    assert (seen.attempted, seen.failed, seen.errors, seen.servers) == (6, 1, {"refused": 1}, {OLD: 2, NEW: 2})
    assert seen.session == Outage(1.5, 1.5, ended=True)
    assert seen.query_broken_after is not None
    assert round(seen.query_broken_after, 3) == 0.2
    assert round(seen.wrong_seconds or 0, 3) == 0.9
    assert seen.accounting is not None
    assert (seen.accounting.kept, seen.accounting.doubled, seen.accounting.lost) == (2, 1, 0)
    assert seen.document()["connections"] == {"seconds": 1, "longest": 1, "ended": True}


def test_readers_have_no_wrong_server() -> None:
    """Nobody writes there."""
    seen = figures(Record([fine(0, writable=False)]), began=0, end=1, stored=None, writer=False)

    assert (seen.wrong_seconds, seen.session_wrong_seconds, seen.accounting) == (None, None, None)


def test_the_strip_shows_each_moment_by_its_worst() -> None:
    """Not answered before wrong before answered."""
    tries = [fine(0), fine(1), failed(2), fine(3.5, NEW), fine(4, NEW, writable=False), fine(5, NEW)]

    assert strip(tries, start=0, end=6, width=6) == "··██w·"

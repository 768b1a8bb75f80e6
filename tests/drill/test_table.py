"""The figures of a drill as text and as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.drill import chart as one_chart
from pg_privatelink.cli.drill.record import Record, Try
from pg_privatelink.cli.drill.strip import strips
from pg_privatelink.cli.drill.view import progress
from tools.drill.chart import draw
from tools.drill.table import tables

if TYPE_CHECKING:
    from pathlib import Path


def row(strategy: str, delay: float, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - what JSON has
    """A row of the figures."""
    out = {"seconds": 2.04, "longest": 1.0, "ended": True}
    return {
        "scenario": "killed",
        "strategy": strategy,
        "delay": delay,
        "registered_after": 1.26,
        "load": 0.5,
        "connections": out,
        "session": out,
        "wrong_seconds": 0.0,
        "accounting": {"kept": 5, "missing": 0, "lost": 1, "unacknowledged": 0, "doubled": 2},
        **changed,
    }


ROWS = [
    row("pg-privatelink", 0.0),
    row("pg-privatelink", 30.0, connections={"seconds": 31.5, "longest": 31.5, "ended": True}),
    row("event_only", 0.0, registered_after=None, connections={"seconds": 200.0, "longest": 1, "ended": False}),
    row("event_only", 30.0, registered_after=None, wrong_seconds=None, accounting=None),
]


def test_the_table_has_a_row_for_each_strategy_and_all_delays_in_a_cell() -> None:
    """What never ended is marked, what was not counted is left open."""
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in tables(ROWS).splitlines()[2:]]

    assert lines == [
        ["strategy", "registered after", "new connections: 0 / 30", "long session: 0 / 30", "wrong server: 0 / 30", "writes lost: 0 / 30"],  # noqa: E501
        [line.strip() for line in lines[1]],
        ["pg-privatelink", "1.3", "2.0 / 31.5", "2.0 / 2.0", "0.0 / 0.0", "0+1+2 / 0+1+2"],
        ["event_only", "never", "> 200.0 / 2.0", "2.0 / 2.0", "0.0 / -", "0+1+2 / -"],
    ]  # fmt: skip
    assert {cell.strip("-") for cell in lines[1]} == {""}


def test_figures_of_a_busy_computer_say_so() -> None:
    """Whoever reads them must know that they are too long."""
    assert "busy" not in tables(ROWS)
    assert tables([row("pg-privatelink", 0.0, load=7.26)]).endswith("The computer was busy: load average 7.3 a core.\n")


def test_the_pictures_are_drawn(tmp_path: Path) -> None:
    """Of all scenarios, and of one failover."""
    draw(ROWS, tmp_path / "all.svg")
    record = Record(
        [Try(0, 0.1, "a", writable=True), Try(1, 1.1, error="refused"), Try(2, 2.1, "b")],
        [Try(0, 0.1, "a", writable=True)],
        Try(0, 1, error="reset"),
        [Try(0, 0.1, writable=True, number=1)],
    )
    one_chart.draw(record, tmp_path / "one.png", began=1, end=3, title="orders/main")

    picture = (tmp_path / "all.svg").read_text()
    assert "<svg" in picture
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


def test_progress_says_who_answers() -> None:
    """The latest answer or failure, how the session is, and how much was written."""
    record = Record()
    assert "new connections: none yet" in progress(record, seconds=-3)
    record.connections = [Try(0, 0.1, "a", writable=True), Try(1, 1.1, "b"), Try(2)]
    record.session = [Try(0, 0.1, error="reset")]
    record.writes = [Try(0, 0.1, writable=True, number=1)]

    line = progress(record, seconds=2)

    assert "answered by b, which takes no writes" in line
    assert "session: connects again" in line
    assert line.endswith("writes: 1")


def test_the_strips_mark_when_it_began() -> None:
    """All lines are as long as the ruler allows; the long query waits until it breaks."""
    record = Record([Try(0, 0.1, "a", writable=True), Try(4, 4.1, error="refused")], query=Try(0, 5, error="reset"))

    drawn = dict(strips(record, began=4, start=0, end=10, width=10))

    assert drawn["new connections"] == "····██████"
    assert drawn["long query"] == "·····█████"
    assert drawn[""] == "    ^ failover"

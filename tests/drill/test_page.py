"""The page of the drill says what the figures beside it say."""

from __future__ import annotations

from tests.drill.page import FIGURES, PAGE, rows, written
from tools.drill.play import DELAYS, STRATEGIES
from tools.drill.scenarios import SCENARIOS


def test_the_page_has_the_figures() -> None:
    """`python -m tests.drill.page` writes its tables anew."""
    assert PAGE.read_text() == written(PAGE.read_text())


def test_every_scenario_was_played_with_everybody_at_every_delay() -> None:
    """No scenario is left out of the table, and none of its rows; before the first whole run there is no table."""
    if not FIGURES.exists():
        assert "## Figures" not in PAGE.read_text()
        return
    found = {(row["scenario"], row["strategy"], row["delay"]) for row in rows()}

    assert found >= {
        (scenario, strategy, delay) for scenario in SCENARIOS for strategy in STRATEGIES for delay in DELAYS
    }
    assert [row for row in rows() if row["accounting"] and row["accounting"]["foreign"]] == []

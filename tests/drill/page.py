"""docs/drill.md: the parts that are made of docs/drill.json. `python -m tests.drill.page` writes them."""

from __future__ import annotations

import json
import re
from typing import Any

from tools.drill.chart import draw
from tools.drill.table import tables
from tools.install import ROOT

PAGE, FIGURES, CHART = (ROOT / "docs" / f"drill.{ending}" for ending in ("md", "json", "svg"))

_PART = re.compile(r"(<!-- figures -->\n).*?(<!-- figures: end -->)", re.DOTALL)
_CHART = f"![Outage of new connections, by scenario and strategy]({CHART.name})"


def rows() -> list[dict[str, Any]]:
    """Return the figures that stand beside the page; none if nobody has run it on a quiet computer yet."""
    found: list[dict[str, Any]] = json.loads(FIGURES.read_text())["rows"] if FIGURES.exists() else []
    return found


def written(page: str) -> str:
    """Return the page with the tables of the figures beside it."""
    shown = f"\n## Figures\n\n{_CHART}\n\n{tables(rows())}\n" if rows() else ""
    return _PART.sub(lambda part: f"{part[1]}{shown}{part[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
    if rows():
        draw(rows(), CHART)

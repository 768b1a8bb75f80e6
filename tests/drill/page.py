"""docs/drill.md: the parts that are made of docs/drill.json. `python -m tests.drill.page` writes them."""

from __future__ import annotations

import json
import re
from typing import Any

from tools.drill.chart import draw
from tools.drill.table import tables
from tools.install import ROOT

PAGE, FIGURES, CHART = (ROOT / "docs" / f"drill.{ending}" for ending in ("md", "json", "svg"))

_PART = re.compile(r"(<!-- tables -->\n).*?(<!-- tables: end -->)", re.DOTALL)


def rows() -> list[dict[str, Any]]:
    """Return the figures that stand beside the page."""
    found: list[dict[str, Any]] = json.loads(FIGURES.read_text())["rows"]
    return found


def written(page: str) -> str:
    """Return the page with the tables of the figures beside it."""
    return _PART.sub(lambda part: f"{part[1]}\n{tables(rows())}\n{part[2]}", page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
    draw(rows(), CHART)

"""The layout of a dashboard's body as text: `python -m tests.constructs.dashboard_layout BODY.json` shows it.

A unit of CloudWatch's grid is 5 characters wide and one line high; each widget carries its title.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

GRID_WIDTH = 24
_UNIT = 5


def cells(widget: dict[str, Any]) -> set[tuple[int, int]]:
    """Return the places of the grid that a widget covers."""
    columns = range(widget["x"], widget["x"] + widget["width"])
    return {(x, y) for x in columns for y in range(widget["y"], widget["y"] + widget["height"])}


def lines(widget: dict[str, Any]) -> list[str]:
    """Return what a widget says of itself: title or text, then the names of its metrics."""
    properties = widget["properties"]
    text = [properties["title"]] if "title" in properties else properties["markdown"].replace("### ", "").split("\n")
    for metric in properties.get("metrics", ()):
        options = metric[-1] if isinstance(metric[-1], dict) else {}
        text.append(f"- {options.get('label', metric[1])}")
    return text


def render(body: dict[str, Any]) -> str:
    """Return the layout."""
    height = max(widget["y"] + widget["height"] for widget in body["widgets"])
    canvas = [[" "] * (GRID_WIDTH * _UNIT + 1) for _ in range(height + 1)]
    for widget in body["widgets"]:
        left, top = widget["x"] * _UNIT, widget["y"]
        right, bottom = left + widget["width"] * _UNIT, top + widget["height"]
        for x in range(left, right + 1):
            canvas[top][x] = canvas[bottom][x] = "-"
        for y in range(top, bottom + 1):
            canvas[y][left] = canvas[y][right] = "+" if y in {top, bottom} else "|"
    for widget in body["widgets"]:
        left, inner = widget["x"] * _UNIT + 2, widget["width"] * _UNIT - 3
        for offset, text in enumerate(lines(widget)[: widget["height"] - 1], start=1):
            canvas[widget["y"] + offset][left : left + min(inner, len(text))] = text[:inner]
    return "\n".join("".join(row).rstrip() for row in canvas)


if __name__ == "__main__":
    sys.stdout.write(render(json.loads(Path(sys.argv[1]).read_text())) + "\n")

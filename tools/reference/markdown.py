"""Markdown of the reference: tables, and what the update matrix says. Reads docs/updates.md, writes nothing."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from tools.install import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_UPDATES = ROOT / "docs" / "updates.md"
_PAGE = "../updates.md"
_HARMLESS = {"in place", "no change", "the same"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table's lines."""
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
    for row in rows:
        cells = (plain(cell).replace("|", "\\|").replace("\n", " ") for cell in row)
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def plain(text: str) -> str:
    """Return a text in which nothing is taken for a tag of HTML: `<region>` outside of code."""
    parts = text.split("`")
    return "`".join(part if at % 2 else part.replace("<", "\\<") for at, part in enumerate(parts))


@functools.cache
def _matrix() -> dict[str, tuple[str, list[str]]]:
    """Return for each option of the update matrix the section's anchor and what its rows say."""
    found: dict[str, tuple[str, list[str]]] = {}
    anchor = ""
    for line in _UPDATES.read_text(encoding="utf-8").splitlines():
        if line.startswith("### "):
            anchor = "".join(each for each in line[4:].lower() if each.isalnum() or each in " -").replace(" ", "-")
        elif line.startswith("| `"):
            option, _, there, back = (cell.strip() for cell in line.strip("|").split(" | "))
            found.setdefault(option.strip("`"), (anchor, []))[1].extend((there, back))
    return found


def update(option: str) -> str:
    """Return what a change of an option does to a deployed stack, in a word or two, with a link where that says little.

    Args:
        option: As the update matrix names it, `services.*.poll_interval`.
    """
    if option not in _matrix():
        return ""
    anchor, cells = _matrix()[option]
    if {*cells} <= _HARMLESS:
        return "in place" if "in place" in cells else "no change"
    word = "not always"
    if any(cell.startswith("another stack") for cell in cells):
        word = "another stack"
    elif any("refused" in cell for cell in cells):
        word = "partly refused"
    elif any("target group is removed" in cell for cell in cells):
        word = "in place, or another target group"
    return f"[{word}]({_PAGE}#{anchor})"

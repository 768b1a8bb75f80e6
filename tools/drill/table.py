"""The figures as text: one table a scenario, a row for each strategy, a column for each registration delay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tools.drill.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Document = dict[str, Any]

_BUSY = 1.5

_KINDS: dict[str, Callable[[Document], str]] = {
    "new connections": lambda row: _outage(row["connections"]),
    "long session": lambda row: _outage(row["session"]),
    "wrong server": lambda row: "-" if row["wrong_seconds"] is None else f"{row['wrong_seconds']:.1f}",
    "writes lost": lambda row: _lost(row["accounting"]),
}


def _outage(given: Document) -> str:
    return f"{'' if given['ended'] else '> '}{given['seconds']:.1f}"


def _lost(given: Document | None) -> str:
    """Return acknowledged-but-missing, never stored, and doubled ones."""
    return "-" if given is None else f"{given['missing']}+{given['lost']}+{given['doubled']}"


def tables(rows: Sequence[Document]) -> str:
    """Return all of it in Markdown, which a terminal shows as well.

    Args:
        rows: `Row.document()` of each path.
    """
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    parts = []
    for scenario in scenarios:
        own = [row for row in rows if row["scenario"] == scenario]
        load = max(row["load"] for row in own)
        busy = f"\n\nThe computer was busy: load average {load:.1f} a core." if load > _BUSY else ""
        parts.append(f"### {SCENARIOS[scenario].what}: `{scenario}`\n\n{_table(own)}{busy}")
    return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Document]) -> str:
    delays = sorted({row["delay"] for row in rows})
    ruler = " / ".join(f"{delay:g}" for delay in delays)
    head = ["strategy", "registered after", *(f"{kind}: {ruler}" for kind in _KINDS)]
    lines = [head, ["---"] * len(head)]
    for strategy in dict.fromkeys(row["strategy"] for row in rows):
        own = {row["delay"]: row for row in rows if row["strategy"] == strategy}
        registered = next(iter(own.values()))["registered_after"]
        cells = [" / ".join(show(own[delay]) for delay in delays) for show in _KINDS.values()]
        lines.append([strategy, "never" if registered is None else f"{registered:.1f}", *cells])
    return _aligned(lines)


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width, "-" if cell == "---" else " ") for cell, width in _zip(line, widths)) + " |"
        for line in lines
    )


def _zip(line: Iterable[str], widths: Iterable[int]) -> Iterable[tuple[str, int]]:
    return zip(line, widths, strict=True)

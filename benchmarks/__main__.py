"""`make bench`: runs everything, and writes `results.json` and `RESULTS.md`."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import faults, imports, recovery, report, scale, steady, synthesis


class Size(NamedTuple):
    """How much is done.

    Attributes:
        before: Failovers whose event comes before the name changes.
        late: Those whose event comes late.
        lost: Those without one.
        hours: Quiet hours.
        runs: Runs with 50 names, and as many with an event.
        steps: Steps under faults, at least.
        imports: Imports of each kind.
        syntheses: Syntheses of each kind.
    """

    before: int
    late: int
    lost: int
    hours: float
    runs: int
    steps: int
    imports: int
    syntheses: int


FULL = Size(before=1000, late=700, lost=700, hours=24.0, runs=20, steps=200_000, imports=15, syntheses=15)
SMALL = Size(before=4, late=2, lost=2, hours=1.0, runs=1, steps=1, imports=1, syntheses=1)
"""Enough to see that everything works; its numbers mean nothing."""


def measure(size: Size, workers: int) -> dict[str, Any]:
    """All results."""
    # First, while nothing else keeps the processors busy: the only parts that measure real time.
    imported = imports.measure(size.imports)
    synthesized = synthesis.measure(size.syntheses)
    recovered, served = recovery.measure(before=size.before, late=size.late, lost=size.lost, workers=workers)
    quiet, cost = steady.measure(size.hours)
    return {
        "recovery": recovered,
        "end_to_end": served,
        "steady": quiet,
        "cost": cost,
        "import": imported,
        "scale": scale.measure(size.runs),
        "faults": faults.measure(steps=size.steps, workers=workers),
        "synth": synthesized,
    }


def write(results: dict[str, Any], folder: Path) -> None:
    """Writes both files."""
    (folder / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (folder / "RESULTS.md").write_text(report.page(results), encoding="utf-8")


def main() -> None:
    """Measures and writes, beside this file or where it is told to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a few traces only, to see that it works")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where to write")
    arguments = parser.parse_args()
    start = time.monotonic()
    results = measure(SMALL if arguments.small else FULL, workers=min(4, os.cpu_count() or 1))
    write(results, arguments.folder)
    for key, unit, most in report.GOALS:
        verdict = "met" if report.met(results, key, most) else "NOT MET"
        print(f"{key:40} {report.value(results, key)!s:>8} {unit} (goal: {most:g}, {verdict})")
    print(f"written to {arguments.folder} after {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()

"""Scenarios played in one site: those that leave each other alone at the same time, the others one after another."""

from __future__ import annotations

import json
import shutil
import threading
import time
from typing import TYPE_CHECKING, Any

from tools.drill.play import play
from tools.drill.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tools.drill.play import Cast
    from tools.drill.scenarios import Scenario
    from tools.drill.site import Database

TOGETHER = 4
"""So many databases fail over at the same time at most: more clients than of so many would measure the computer."""

_JOIN_SECONDS = 0.5  # a thread that waits for another must wake up for Ctrl-C


def batches(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Divide scenarios into those that go on at the same time, in their order."""
    found: list[list[Scenario]] = []
    for scenario in sorted(scenarios, key=lambda each: each.alone):
        last = found[-1] if found else []
        fits = sum(each.number for each in last) + scenario.number <= TOGETHER
        readers = scenario.readers and any(each.readers for each in last)
        if last and fits and not readers and not scenario.alone and not last[0].alone:
            last.append(scenario)
        else:
            found.append([scenario])
    return found


def run(
    scenarios: Sequence[Scenario], cast: Cast, folder: Path, say: Callable[[str], None], *, keep: Path | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Play scenarios.

    Args:
        scenarios: Which.
        cast: Who takes part.
        folder: Where the site may write; deleted in the end.
        say: Told what happens.
        keep: Where to write the rows after each batch; None: nowhere.

    Returns:
        The rows as `Row.document()`, and what failed: after a failure the rest is played in a site made anew.
    """
    left = batches(scenarios)
    started = time.monotonic()
    rows: list[dict[str, Any]] = []
    failures: list[str] = []

    def at(text: str) -> None:
        say(f"[{time.monotonic() - started:6.1f} s] {text}")

    while left:
        number = max(sum(each.number for each in batch if not each.readers) for batch in left)
        readers = any(each.readers for batch in left for each in batch)
        with Site(folder, databases=max(number, 1), readers=readers, say=at) as site:
            whole = True
            while left and whole:
                whole = _together(site, left.pop(0), cast, at, rows=rows, failures=failures)
                write(rows, keep)
    shutil.rmtree(folder, ignore_errors=True)
    at("nothing is left running")
    write(rows, keep)
    return rows, failures


def _together(
    site: Site,
    batch: Sequence[Scenario],
    cast: Cast,
    say: Callable[[str], None],
    *,
    rows: list[dict[str, Any]],
    failures: list[str],
) -> bool:
    """Play a batch; adds to rows and failures, and returns whether all went well."""
    free = [each for each in site.databases if not each.readers]
    begun = []
    before = len(failures)

    def one(scenario: Scenario, databases: Sequence[Database]) -> None:
        try:
            told = play(site, scenario, databases, cast, lambda text: say(f"{scenario.name}: {text}"))
            rows.extend(row.document() for row in told)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other scenarios are worth their figures
            say(f"{scenario.name} failed: {error!r}")
            failures.append(f"{scenario.name}: {error!r}")

    for scenario in batch:
        say(scenario.what)
        if scenario.readers:
            databases = [each for each in site.databases if each.readers]
        else:
            databases, free = free[: scenario.number], free[scenario.number :]
        begun.append(threading.Thread(target=one, args=(scenario, databases), daemon=True))
        begun[-1].start()
    for thread in begun:
        while thread.is_alive():
            thread.join(_JOIN_SECONDS)
    return len(failures) == before


def write(rows: Sequence[dict[str, Any]], file: Path | None) -> None:
    """Write rows, a line for each: a difference is then one of rows."""
    if file:
        lines = ",\n".join(json.dumps(row) for row in rows)
        file.write_text(f'{{"rows": [\n{lines}\n]}}\n')

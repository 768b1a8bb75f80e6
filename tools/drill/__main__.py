"""`make drill`: failovers on loopback, measured; `python -m tools.drill --help` has the rest."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.postgres import SUPERUSER
from tools.drill.load import fifty_listeners, many_clients
from tools.drill.play import DELAYS, OURS, STRATEGIES, Cast, play
from tools.drill.rds import Rds
from tools.drill.scenarios import SCENARIOS
from tools.drill.site import Site
from tools.drill.soak import PERIOD, soak
from tools.drill.table import tables
from tools.install import ROOT, WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

FOLDER = WORK / "drill"
_DEFAULT_DELAYS = (0.0, 30.0)
_FEW = (OURS, "poll_60s", "event_only")  # whoever polls every 5 minutes takes longer than a first look should


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; returns the exit code."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    os.environ["TMPDIR"] = str(WORK / "tmp")
    if options.run != "scenarios":
        return _other(options)
    names = list(SCENARIOS) if options.scenarios == "all" else options.scenarios.split(",")
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        print(f"unknown scenario: {', '.join(unknown)}; there are: {', '.join(SCENARIOS)}", file=sys.stderr)
        return 2
    cast = Cast(options.strategies.split(","), [float(each) for each in options.delays.split(",")])
    try:
        if options.parallel > 1 and len(names) > 1:
            rows, code = _side_by_side(names, options)
        else:
            rows, code = _one_after_another(names, cast, FOLDER / options.lane, _say, keep=options.json)
    except KeyboardInterrupt:
        print("interrupted; everything that was started has been stopped", flush=True)
        return 130
    _show(rows, options)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.drill", description=__doc__)
    parser.add_argument(
        "run", nargs="?", default="scenarios", choices=["both", "scenarios", "load", "fifty", "soak"],
        help="the command and one scenario; scenarios (default); 200 sessions; 50 listeners at once; a long run",
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, default=60.0, help="how long the long run is")
    parser.add_argument("--period", type=float, default=PERIOD, help="seconds between two failovers of the long run")
    parser.add_argument("--scenarios", default="killed", help=f"all, or some of: {', '.join(SCENARIOS)}")
    parser.add_argument("--strategies", default=",".join(STRATEGIES), help="who follows the name, side by side")
    parser.add_argument(
        "--delays",
        default=",".join(f"{each:g}" for each in _DEFAULT_DELAYS),
        help=f"registration delays of the load balancer, in seconds; all: {','.join(f'{each:g}' for each in DELAYS)}",
    )
    parser.add_argument("--parallel", type=int, default=1, help="so many emulators at once, each with some scenarios")
    parser.add_argument("--json", type=Path, help="where to write all figures")
    parser.add_argument("--chart", type=Path, help="where to draw them: .png or .svg")
    parser.add_argument("--lane", default="0", help=argparse.SUPPRESS)
    return parser


def _other(options: argparse.Namespace) -> int:
    """Run load, fifty or soak."""
    folder = FOLDER / options.run
    started = time.monotonic()

    def say(text: str) -> None:
        _say(f"[{time.monotonic() - started:6.1f} s] {text}")

    try:
        if options.run == "fifty":
            found: dict[str, Any] = {"fifty": asdict(fifty_listeners(folder, say))}
        elif options.run == "both":
            return _both(folder, options, say)
        else:
            with Site(folder, say=say) as site:
                if options.run == "load":
                    found = {
                        "killed": asdict(many_clients(site, say)),
                        "frozen": asdict(many_clients(site, say, frozen=True)),
                    }
                else:
                    found = {"soak": asdict(soak(site, minutes=options.minutes, period=options.period, say=say))}
            shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        print("interrupted; everything that was started has been stopped", flush=True)
        return 130
    text = json.dumps(found, indent=1, default=lambda value: round(value, 3))
    print(text, flush=True)
    if options.json:
        options.json.write_text(text + "\n")
    return 0


def _both(folder: Path, options: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Run the command as users run it, and then a scenario beside others' strategies."""
    cast = Cast(_FEW, _DEFAULT_DELAYS)
    with Site(folder, say=say) as site:
        front = site.plane.open(site.load_balancer, site.address())
        command = ["drill", "--yes", "--host", front.address, "--user", SUPERUSER, "--dbname", "postgres"]
        command += ["--sslmode", "disable", "--before", "3"]
        say(f"pg-privatelink {' '.join(command)}")
        with Rds(site):
            code = subprocess.run(
                [sys.executable, "-m", "pg_privatelink.cli", *command], env=site.environment(), check=False
            ).returncode
        site.plane.close(front)
        if code != 0:
            return code
        site.settle()
        scenario = SCENARIOS["killed"]
        say(f"beside others: {scenario.what}")
        rows = [row.document() for row in play(site, scenario, cast, lambda text: say(f"  {text}"))]
    shutil.rmtree(folder, ignore_errors=True)
    say("nothing is left running")
    _show(rows, options)
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal handler's signature
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, flush=True)


def _one_after_another(
    names: Sequence[str], cast: Cast, folder: Path, say: Callable[[str], None], *, keep: Path | None
) -> tuple[list[dict[str, Any]], int]:
    """Play scenarios; after one that fails, the others go on in a site made anew.

    Args:
        names: The scenarios.
        cast: Who takes part.
        folder: Where the site may write.
        say: Told what happens.
        keep: Where to write the rows after each scenario; None: nowhere.

    Returns:
        The rows, and the exit code.
    """
    left = [SCENARIOS[name] for name in names]
    started = time.monotonic()
    rows: list[dict[str, Any]] = []
    failures: list[str] = []

    def at(text: str) -> None:
        say(f"[{time.monotonic() - started:6.1f} s] {text}")

    while left:
        with Site(
            folder, second=any(each.second for each in left), readers=any(each.readers for each in left), say=at
        ) as site:
            while left:
                scenario = left.pop(0)
                at(scenario.what)
                try:
                    rows += [row.document() for row in play(site, scenario, cast, lambda text: say(f"  {text}"))]
                except Exception as error:  # noqa: BLE001 - whatever it is, the other scenarios are worth their figures
                    at(f"{scenario.name} failed: {error!r}")
                    failures.append(f"{scenario.name}: {error!r}")
                    break
                _keep(rows, keep)
    shutil.rmtree(folder, ignore_errors=True)
    at("nothing is left running")
    for each in failures:
        print(f"failed: {each}", file=sys.stderr, flush=True)
    return rows, int(bool(failures))


def _side_by_side(names: Sequence[str], options: argparse.Namespace) -> tuple[list[dict[str, Any]], int]:
    """Deal the scenarios out to processes of their own, each with an emulator, databases and addresses of its own."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    lanes = [names[number :: options.parallel] for number in range(options.parallel)]
    results = [FOLDER / f"lane-{number}.json" for number in range(len(lanes))]
    for result in results:
        result.unlink(missing_ok=True)
    processes = [
        subprocess.Popen(
            [
                sys.executable, "-m", "tools.drill", "--lane", f"lane-{number}", "--json", str(result),
                "--scenarios", ",".join(lane), "--strategies", options.strategies, "--delays", options.delays,
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        for number, (lane, result) in enumerate(zip(lanes, results, strict=True))
        if lane
    ]  # fmt: skip
    try:
        codes = [process.wait() for process in processes]
    except KeyboardInterrupt:
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait()
        raise
    found = [row for result in results if result.exists() for row in json.loads(result.read_text())["rows"]]
    return sorted(found, key=lambda row: names.index(row["scenario"])), max(codes)


def _keep(rows: Sequence[dict[str, Any]], file: Path | None) -> None:
    """Write the rows, a line for each: a difference is then one of rows."""
    if file:
        lines = ",\n".join(json.dumps(row) for row in rows)
        file.write_text(f'{{"rows": [\n{lines}\n]}}\n')


def _show(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    _keep(rows, options.json)
    if options.lane == "0":
        print(
            "\nIn seconds, for the registration delays given; lost: acknowledged and missing + never stored + doubled\n"
        )
        print(tables(rows))
        if options.chart:
            from tools.drill.chart import draw  # noqa: PLC0415 - matplotlib is slow to import

            draw(rows, options.chart)
            print(f"chart: {options.chart}")


if __name__ == "__main__":
    sys.exit(main())

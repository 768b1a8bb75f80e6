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
from tools.drill import lane
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

    from tools.drill.scenarios import Scenario

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
    chosen = [SCENARIOS[name] for name in names]
    try:
        if options.lanes:
            rows, failures = _lanes(chosen, options)
        else:
            rows, failures = lane.run(chosen, cast, FOLDER / options.lane, _say, keep=options.json)
    except KeyboardInterrupt:
        print("interrupted; everything that was started has been stopped", flush=True)
        return 130
    _show(sorted(rows, key=lambda row: names.index(row["scenario"])), options)
    for each in failures:
        print(f"failed: {each}", file=sys.stderr, flush=True)
    return int(bool(failures))


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
    parser.add_argument(
        "--lanes", action="store_true", help="two emulators at once: one for what concerns the function as a whole"
    )
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
        site.settle(site.main)
        scenario = SCENARIOS["killed"]
        say(f"beside others: {scenario.what}")
        rows = [row.document() for row in play(site, scenario, [site.main], cast, lambda text: say(f"  {text}"))]
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


def _lanes(chosen: Sequence[Scenario], options: argparse.Namespace) -> tuple[list[dict[str, Any]], list[str]]:
    """Play in two processes, each with an emulator, databases and addresses of its own; returns rows and failures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kinds = {"beside": [each for each in chosen if not each.alone], "alone": [each for each in chosen if each.alone]}
    results = {name: FOLDER / f"{name}.json" for name, scenarios in kinds.items() if scenarios}
    for result in results.values():
        result.unlink(missing_ok=True)
    processes = {
        name: subprocess.Popen(
            [
                sys.executable, "-m", "tools.drill", "--lane", name, "--json", str(result),
                "--scenarios", ",".join(each.name for each in kinds[name]),
                "--strategies", options.strategies, "--delays", options.delays,
            ],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        for name, result in results.items()
    }  # fmt: skip
    try:
        codes = {name: process.wait() for name, process in processes.items()}
    except KeyboardInterrupt:
        for process in processes.values():
            process.send_signal(signal.SIGINT)
        for process in processes.values():
            process.wait()
        raise
    rows = [row for result in results.values() if result.exists() for row in json.loads(result.read_text())["rows"]]
    return rows, [f"lane {name}: exit code {code}" for name, code in codes.items() if code]


def _show(rows: list[dict[str, Any]], options: argparse.Namespace) -> None:
    lane.write(rows, options.json)
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

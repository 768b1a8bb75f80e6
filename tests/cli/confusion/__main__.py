"""`python -m tests.cli.confusion --seed 1`: sound services, then faults by chance, and a table of what was told."""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import tempfile
import time
from pathlib import Path

from tests.cli.confusion.hospital import deployed
from tests.cli.confusion.report import BY_HAND, report
from tests.cli.confusion.rounds import Plan, Round, findings
from tests.cli.confusion.set_up import SET_UPS
from tools.install import WORK


def main() -> int:
    """Print the table; the exit code is 1 if a sound service has a finding, or a fault is not named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one each time")
    parser.add_argument("--singles", type=int, default=120, help="rounds with one fault (default: 120)")
    parser.add_argument("--doubles", type=int, default=60, help="rounds with two faults (default: 60)")
    parser.add_argument("--minutes", type=float, default=None, help="begin no round after so long (default: no limit)")
    parser.add_argument("--only", nargs="*", default=[], help="names of set-ups (default: all)")
    parser.add_argument("--fault", nargs="*", default=[], help="names of faults (default: all)")
    parser.add_argument("--write", type=Path, default=None, help="a Markdown file to write the tables to")
    given = parser.parse_args()
    seed = secrets.randbelow(10**6) if given.seed is None else given.seed
    _say(f"seed {seed}")
    chosen = [each for each in SET_UPS if not given.only or each.name in given.only]
    (WORK / "tests").mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=WORK / "tests", prefix="confusion-"))
    begin = time.monotonic()
    with deployed(folder, chosen) as wards:
        sound = {each: findings(ward.doctor()) for each, ward in wards}
        for each, found in sound.items():
            _say(f"sound {each.name}: {'; '.join(found) or 'no finding'}")
        plan = Plan(random.Random(seed), [ward for _, ward in wards])  # noqa: S311 - to be repeated
        if given.fault:
            plan.faults = [each for each in plan.faults if each.name in given.fault]
        rounds: list[Round] = []
        left: list[str] = []
        drawn = plan.singles(given.singles) + plan.doubles(given.doubles)
        plan.rng.shuffle(drawn)  # so that a limit of time takes from both
        for ward, faults in drawn:
            if given.minutes is not None and time.monotonic() - begin > given.minutes * 60:
                _say(f"after {given.minutes:g} minutes: {len(rounds)} of {len(drawn)} rounds")
                break
            played, remains = plan.play(ward, faults, look_at_health=True)
            if played is None:
                _say(f"no service has what {', '.join(each.name for each in faults)} breaks together")
                continue
            rounds.append(played)
            left += [f"{played.service} after {played.words}: {each}" for each in remains]
            _say(_line(played), *(f"    left: {each}" for each in remains))
    text = report(seed, sound, rounds)
    _say(text, *left)
    if given.write:
        before = given.write.read_text() if given.write.exists() else ""
        given.write.write_text(text + "".join(before.partition(f"\n{BY_HAND}\n")[1:]))
        _say(f"wrote {given.write}; a section '{BY_HAND}' in it is as it was: look it over")
    return int(any(sound.values()) or not all(each.right for each in rounds) or bool(left))


def _line(played: Round) -> str:
    mark = "right" if played.right else "WRONG"
    faults = "+".join(each.name for each in played.faults)
    return f"{mark} {played.service} {faults}: {'; '.join(played.words)} -> {played.first} (told: {played.told})"


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

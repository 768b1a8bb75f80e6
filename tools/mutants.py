"""Seed faults into the function's logic, one at a time, and see that a test fails: `python -m tools.mutants`."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
LAMBDAS = ROOT / "lambdas"
FUNCTION = Path("target_sync")

TESTS = (
    "test_plan",
    "test_pace",
    "test_registry",
    "test_observe",
    "test_follow",
    "test_faults",
    "test_many",
    "test_machine",
    "test_interleavings",
)
"""What is run against each fault, the quick ones first; it ends at the first failure."""


MINUTES = 20
"""Some faults make the function go round in circles."""


class Mutant(NamedTuple):
    """One fault.

    Attributes:
        name: What is wrong with the function then.
        file: Where.
        old: The text that is replaced. It must occur exactly once, so that code that moved fails loudly.
        new: The text instead.
    """

    name: str
    file: str
    old: str
    new: str


class Verdict(NamedTuple):
    """What became of a fault.

    Attributes:
        mutant: The fault.
        killer: The test that failed; empty if none did.
    """

    mutant: Mutant
    killer: str


MUTANTS = (
    # plan: what to register and to deregister
    Mutant("draining counts as registered", "target.py", 'return self.state != "draining"', "return True"),
    Mutant(
        "what is registered elsewhere is registered again",
        "plan.py",
        "register = wanted - live.keys()",
        "register = wanted",
    ),
    Mutant(
        "forbidden addresses are registered",
        "plan.py",
        "for endpoint in history.latest if listener.allows(endpoint.address)",
        "for endpoint in history.latest",
    ),
    Mutant("gone without a successor", "plan.py", "if not successors:", "if not wanted:"),
    Mutant(
        "a new name's targets need not be healthy",
        "plan.py",
        "elif listener.already_followed or any(target.healthy for target in successors):",
        "elif True:",
    ),
    Mutant(
        "a failover waits for health",
        "plan.py",
        "elif listener.already_followed or any(",
        "elif any(",
    ),
    Mutant("everything not named goes at once", "plan.py", "if history.gone(endpoint)]", "]"),
    Mutant("record too early", "plan.py", "and history.complete()", ""),
    Mutant("recorded beside strangers", "plan.py", "live.keys() == history.in_play()", "live.keys() >= wanted"),
    Mutant(
        "useless targets wait too",
        "plan.py",
        "deregister = [target for target in gone if target.useless]",
        "deregister = []",
    ),
    # history: when something is confirmed
    Mutant("two answers confirm", "history.py", "CONFIRMING_ANSWERS = 3", "CONFIRMING_ANSWERS = 2"),
    Mutant("four answers confirm", "history.py", "CONFIRMING_ANSWERS = 3", "CONFIRMING_ANSWERS = 4"),
    Mutant(
        "the time to live is ignored",
        "history.py",
        " and at - self.since >= rounds * self.ttl",
        "",
    ),
    Mutant("window off by one", "history.py", "at - self.since >= rounds", "at - self.since > rounds"),
    Mutant(
        "the shortest time to live counts",
        "history.py",
        "self.since, max(self.ttl, ttl)",
        "self.since, min(self.ttl, ttl)",
    ),
    Mutant(
        "one answer out of a cache confirms",
        "history.py",
        "return enough and self.renewed",
        "return enough",
    ),
    Mutant(
        "a rounded time to live is a new answer",
        "history.py",
        "at + ttl > self.first_expires + ROUNDED_SECONDS",
        "at + ttl > self.first_expires",
    ),
    Mutant(
        "answers are never taken to be fetched anew", "history.py", "renewed = self.renewed or", "renewed = False and"
    ),
    Mutant("a stranger goes like a failover's", "history.py", "else UNEXPLAINED_ROUNDS\n", "else 1\n"),
    Mutant("returns are counted twice", "history.py", "else self.returns + back,", "else self.returns + 2 * back,"),
    Mutant("returns are never counted", "history.py", "else self.returns + back,", "else self.returns,"),
    Mutant("returns are forgiven for ever", "history.py", "-FORGIVEN_RETURNS if steady", "-999 if steady"),
    Mutant("nothing is forgiven", "history.py", "-FORGIVEN_RETURNS if steady", "0 if steady"),
    Mutant(
        "a stranger is missed from before it came",
        "history.py",
        "absent = self.identical if beginning else from_now",
        "absent = self.identical",
    ),
    Mutant(
        "absence outlives a return",
        "history.py",
        "if endpoint not in latest:",
        "if endpoint not in latest or entry.absent.answers:",
    ),
    # follower: what to do when
    Mutant(
        "a failed answer is an empty one",
        "follower.py",
        '            self._dns_failure = f"{outcome.outcome.value}: {outcome.detail}"\n',
        '            self._dns_failure = f"{outcome.outcome.value}: {outcome.detail}"\n'
        "            self.history = History()\n",
    ),
    Mutant(
        "a failed answer is no failure",
        "follower.py",
        'self._dns_failure = f"{outcome.outcome.value}: {outcome.detail}"',
        'self._dns_failure = ""',
    ),
    Mutant(
        "the end is ignored",
        "attention.py",
        "if now >= self.stop_at or now < self._look_at:",
        "if now < self._look_at:",
    ),
    Mutant(
        "no last look",
        "attention.py",
        "self._look_at = min(self._look_at, self._attend_until)",
        "pass",
    ),
    Mutant("no pause between attempts", "follower.py", "        if now < self._retry_at:\n            return\n", ""),
    Mutant("pauses do not grow", "follower.py", "CLOSE_SECONDS * 2.0 ** min(self._failures, 10)", "CLOSE_SECONDS"),
    Mutant(
        "what was read long ago is used",
        "group.py",
        "FRESH_SECONDS = 2.0",
        "FRESH_SECONDS = 1e9",
    ),
    Mutant("old tags are used", "group.py", "min(self.tags_at, self.read_at)", "self.read_at"),
    Mutant("old tags are used to register", "group.py", "self.tags_at if isinstance", "now if isinstance"),
    Mutant(
        "deregister first",
        "follower.py",
        "            found.append(Deregister(change.deregister, change.cause))",
        "            found.insert(0, Deregister(change.deregister, change.cause))",
    ),
    Mutant("no reconcile", "group.py", "or doubted or its_turn", "or doubted"),
    Mutant("what a neighbour does at its end is not seen", "group.py", "or doubted or its_turn", "or its_turn"),
    Mutant(
        "an event's invocation ends at once",
        "attention.py",
        "if self._event_at is not None and now < self._event_at",
        "if False and now < self._event_at",
    ),
    Mutant(
        "an event's invocation ends when settled",
        "attention.py",
        "if history.changed() and now < history.identical",
        "if False and now < history.identical",
    ),
    Mutant(
        "nobody hands over",
        "attention.py",
        "return now < self._handover_until and history.changed() and",
        "return False and",
    ),
    Mutant(
        "an invocation stays beyond its end without a change",
        "attention.py",
        "now < self._handover_until and history.changed() and now <",
        "now < self._handover_until or now <",
    ),
    Mutant(
        "a changed answer is no reason to read",
        "follower.py",
        "if self.history.changed() and now < self.history.identical.since + DISPUTED_SECONDS:",
        "if False:",
    ),
    Mutant(
        "an event's process believes what it knew",
        "follower.py",
        "            self._group.again(now)",
        "            pass",
    ),
    Mutant(
        "no read after a change",
        "group.py",
        "        self.again(now)  # others may have changed it too: the next look sees\n        self.unseen = True\n",
        "",
    ),
    Mutant(
        "a new name keeps the old one's answers",
        "follower.py",
        "        if old.record == listener.record:\n            return False\n        self.history = History()\n",
        "        if old.record == listener.record:\n            return False\n",
    ),
    Mutant(
        "forbidden addresses are followed",
        "follower.py",
        "named = outcome.addresses - {",
        "named = outcome.addresses or {",
    ),
    Mutant(
        "the pace of quiet times while something happens",
        "attention.py",
        "        if closely:\n",
        "        if False:\n",
    ),
    Mutant(
        "questions beyond the time to live", "attention.py", "min(ttl, self._poll_interval))", "self._poll_interval)"
    ),
    Mutant("what was told is told again", "follower.py", " if action != self._told.get(type(action))]", "]"),
    Mutant(
        "an open difference is looked at closely",
        "follower.py",
        "return bool(self._told) or (self.listener",
        "return (self.listener",
    ),
    # pace
    Mutant(
        "the bucket is one too large",
        "pace.py",
        "self._lead = capacity / per_second",
        "self._lead = (capacity + 1) / per_second",
    ),
    Mutant(
        "a bucket fills beyond its size",
        "pace.py",
        "self._booked = max(self._booked, now) +",
        "self._booked = max(self._booked, 0.0) +",
    ),
    Mutant("deregistrations go first", "pace.py", "self._overtake(place, now) if registers", "place if registers"),
    Mutant("a place is not held", "pace.py", "if key not in self._held:", "if True:"),
    Mutant("a used place is held", "pace.py", "if use and place <= now:", "if False:"),
    Mutant("nothing is kept back", "pace.py", "self._lead * (1 - keep)", "self._lead"),
    Mutant("deregistrations go on in a rush", "pace.py", "if self._rushing(now) and (who", "if False and (who"),
    Mutant(
        "a rush has no end",
        "pace.py",
        "min(now + _RUSH_SECONDS, self._rush_at",
        "max(now + _RUSH_SECONDS, self._rush_at",
    ),
    Mutant("whoever waits for a turn is another one", "pace.py", "if another and self._changes", "if self._changes"),
    # work: doing it
    Mutant("what another process registered is not looked at", "work.py", "and self._pace.crowded(now)", "and False"),
    Mutant("an observer changes things", "work.py", "elif self._observe_only:", "elif False:"),
    Mutant("no pace for changes", "work.py", "if wait > 0:", "if False:"),
    Mutant(
        "what had to wait is done as decided before",
        "work.py",
        "            follower.postponed(self._clock.time())\n            return False\n",
        "",
    ),
    Mutant(
        "a change that failed is taken for done",
        "work.py",
        'follower.failed(f"{doing} failed',
        '(lambda *_: None)(f"{doing} failed',
    ),
    Mutant("a deleted group is a failure", "work.py", "if aws.code(error) in aws.MISSING:", "if False:"),
)


def mutated(mutant: Mutant, source: str) -> str:
    """The text of a file with the fault in it.

    Raises:
        ValueError: The text that is to be replaced does not occur exactly once.
    """
    found = source.count(mutant.old)
    if found != 1:
        raise ValueError(
            f"mutant {mutant.name!r}: its text occurs {found} times in {mutant.file}, it must occur once; "
            f"write it anew in tools/mutants.py: {mutant.old!r}"
        )
    return source.replace(mutant.old, mutant.new)


def judge(mutant: Mutant, tests: tuple[str, ...], function: Path = LAMBDAS / FUNCTION) -> Verdict:
    """Runs the tests against a copy of the function with one fault.

    Args:
        mutant: The fault.
        tests: The names of test modules.
        function: The function's package, without faults.

    Raises:
        RuntimeError: The tests could not be run.
    """
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        shutil.copytree(function, folder / FUNCTION, ignore=shutil.ignore_patterns("__pycache__"))
        path = folder / FUNCTION / mutant.file
        path.write_text(mutated(mutant, path.read_text()))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "--tb=no",
            "-p",
            "no:cacheprovider",
            "--hypothesis-seed=1",
            "--hypothesis-profile=unshrunk",
        ]
        command += ["-o", f"pythonpath=. {folder}", *(f"tests/function/{test}.py" for test in tests)]
        environment = {**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis")}
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=MINUTES * 60
            )
        except subprocess.TimeoutExpired:
            return Verdict(mutant, f"it does not end within {MINUTES} minutes")
    if done.returncode == 0:
        return Verdict(mutant, "")
    killer = re.search(r"^(?:FAILED|ERROR) tests/function/(.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    if done.returncode != 1 or killer is None:
        raise RuntimeError(f"mutant {mutant.name!r}: the tests could not be run:\n{done.stdout}\n{done.stderr}")
    return Verdict(mutant, killer[1])


def report(verdicts: list[Verdict]) -> str:
    """A Markdown table."""
    rows = [f"| {mutant.name} | {mutant.file} | {killer or '**survived**'} |" for mutant, killer in verdicts]
    return "\n".join(["| Mutant | File | Killed by |", "|---|---|---|", *rows])


def main(
    mutants: tuple[Mutant, ...] = MUTANTS, tests: tuple[str, ...] = TESTS, arguments: list[str] | None = None
) -> None:
    """Prints which test kills which fault; fails if one survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="only mutants whose name contains this")
    given = parser.parse_args(arguments)
    chosen = [mutant for mutant in mutants if given.only in mutant.name]
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="function-") as name, ThreadPoolExecutor(given.processes) as pool:
        # What is edited meanwhile does not matter.
        function = Path(shutil.copytree(LAMBDAS / FUNCTION, Path(name) / FUNCTION))
        for mutant in chosen:
            mutated(mutant, (function / mutant.file).read_text())
        for verdict in pool.map(judge, chosen, repeat(tests), repeat(function)):
            verdicts.append(verdict)
            print(f"{'killed  ' if verdict.killer else 'SURVIVED'}  {verdict.mutant.name}", flush=True)
    print(report(verdicts))
    survivors = [verdict.mutant.name for verdict in verdicts if not verdict.killer]
    if survivors:
        sys.exit(f"{len(survivors)} of {len(verdicts)} mutants survived: {', '.join(survivors)}")
    print(f"{len(verdicts)} mutants, all killed")


if __name__ == "__main__":
    main()

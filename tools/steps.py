"""Run the function's state machine for a long time: `python -m tools.steps --steps 1000000 --seed 1`."""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import time
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from target_sync import watch, work
from tests.function.test_machine import Reconciler

EXAMPLES = 50
RULES = 50


class Part(NamedTuple):
    """One process's share of the work.

    Attributes:
        seed: What its choices come from, the first batch's; each batch after it adds 1.
        steps: How many steps to take at least.
    """

    seed: int
    steps: int


class Result(NamedTuple):
    """What came of it.

    Attributes:
        steps: Steps of the schedule while the world did its worst; the calm at the end of each run is not counted.
        rules: How many things happened to the world.
        violation: The first broken invariant, with the seed of its batch; empty: none.
    """

    steps: int
    rules: int
    violation: str


def run(part: Part) -> Result:
    """Run batches until there are enough steps, or one fails."""
    for module in (work, watch):
        vars(module)["emit"] = lambda *_, **__: None  # thousands of lines
    Reconciler.taken = Reconciler.happened = 0
    number = part.seed
    while Reconciler.taken < part.steps:
        thorough = settings(
            max_examples=EXAMPLES,
            stateful_step_count=RULES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        )
        try:
            run_state_machine_as_test(seed(number)(Reconciler), settings=thorough)
        except Exception as error:  # noqa: BLE001  # whatever breaks the run is what is looked for
            notes = "\n".join(getattr(error, "__notes__", []))
            return Result(
                Reconciler.taken, Reconciler.happened, f"seed {number}: {type(error).__name__}: {error}\n{notes}"
            )
        number += 1
    return Result(Reconciler.taken, Reconciler.happened, "")


def main() -> None:
    """Print the seed, the figures and the violations; fail if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000, help="at least so many steps of the schedule")
    parser.add_argument("--seed", type=int, default=None, help="default: a new one each time")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    first = random.SystemRandom().randrange(10**6) * 1000 if given.seed is None else given.seed
    print(f"seed {first}, {given.steps} steps, {given.processes} processes", flush=True)
    share = -(-given.steps // given.processes)
    parts = [Part(first + number * 10**6, share) for number in range(given.processes)]
    start = time.monotonic()
    with multiprocessing.Pool(given.processes) as pool:
        results = pool.map(run, parts)
    violations = [result.violation for result in results if result.violation]
    steps, rules = sum(result.steps for result in results), sum(result.rules for result in results)
    seconds = time.monotonic() - start
    print(f"{steps} steps of the schedule under {rules} rules in {seconds:.0f} s: {len(violations)} violations")
    sys.exit("\n".join(violations) or None)


if __name__ == "__main__":
    main()

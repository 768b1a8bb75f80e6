"""Random faults, many at once: what must hold whatever happens."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.assumptions import Assumptions
from benchmarks.sandboxes import Function, by_rule
from benchmarks.simulation import START
from benchmarks.target_sync_process import FAILOVER, WATCH, Log, TargetSyncProcess
from benchmarks.world import World, lost_answer
from target_sync.resolve import Outcome
from target_sync.settings import Settings
from tests.function.fakes import HOST, LOAD_BALANCER, VPC, aws_error, endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.names import Value
    from benchmarks.simulation import Steps

ALLOWED = [f"10.0.{number}.5" for number in range(4)]
FORBIDDEN = ["3.120.1.2", "10.9.0.1"]

_TROUBLE = 900.0  # for how long everything goes wrong
_REPAIR = 600.0  # a target group is read again after so long at the latest
_WINDOW = 900.0  # the longest confirmation: 60 answers of four addresses that seemed to take turns, and idle minutes
_STILL = 600.0  # for how long nothing may change then


class Episode(NamedTuple):
    """How one time of trouble ended.

    Attributes:
        steps: How many steps the function and the world did.
        violations: What did not hold, and in which episode.
        faults: How often each kind of trouble came.
    """

    steps: int
    violations: list[str]
    faults: Counter[str]


class _Trouble:
    """Everything that goes wrong, at random moments."""

    def __init__(self, world: World, function: Function, rng: random.Random, until: float) -> None:
        self.world = world
        self.function = function
        self.rng = rng
        self.until = until
        self.faults: Counter[str] = Counter()
        self.failing = 0.0

    def goes_on(self) -> Steps:
        """One fault after the other."""
        kinds = [self.event, self.kill, self.recycle, self.stranger, self.slow, self.fail, self.double, self.ill]
        while self.world.simulation.now < self.until:
            kind = self.rng.choice(kinds)
            self.faults[kind.__name__] += 1
            kind()
            yield self.rng.expovariate(1 / 8.0)
        self.world.balancer.trouble = lambda _: None
        self.world.balancer.down.clear()
        self.world.slowdown = 1.0

    def event(self) -> None:
        """An event of Amazon RDS, perhaps of something else."""
        self.function.invoke(FAILOVER)

    def kill(self) -> None:
        """A sandbox ends in the middle of its work."""
        self.function.kill()

    def recycle(self) -> None:
        """All idle sandboxes are gone."""
        self.function.recycle()

    def double(self) -> None:
        """The minute rule fires out of turn."""
        self.function.invoke(WATCH)

    def stranger(self) -> None:
        """Somebody registers a target by hand."""
        self.world.balancer.hold("main", *endpoints([self.rng.choice(ALLOWED)], self.rng.choice([5432, 6432])))

    def slow(self) -> None:
        """Calls take up to thirty times as long, or not."""
        self.world.slowdown = self.rng.choice([1.0, 5.0, 30.0])

    def ill(self) -> None:
        """Other servers fail their health checks."""
        self.world.balancer.down = set(self.rng.sample(ALLOWED, self.rng.randrange(4)))

    def fail(self) -> None:
        """Calls fail: some, most or none; before they are done or after."""
        share = self.rng.choice([0.0, 0.1, 0.5, 1.0])
        code = self.rng.choice(["ThrottlingException", "AccessDenied", "InternalFailure", "lost"])

        def trouble(operation: str) -> None:
            if self.rng.random() < share:
                raise lost_answer() if code == "lost" else aws_error(code, operation)

        self.world.balancer.trouble = trouble


def episode(number: int) -> Episode:
    """A quarter of an hour of trouble, then a time to get over it, then a time in which nothing may change."""
    rng = random.Random(f"faults {number}")
    assumptions = Assumptions()
    world = World(rng, assumptions, drain=assumptions.drain, healthy_after=30.0)
    simulation, balancer = world.simulation, world.balancer
    until = START + _TROUBLE
    zone = world.name(HOST, frozenset({ALLOWED[0]}))
    now = START
    while (now := now + rng.expovariate(1 / 25.0)) < until:
        zone.change(now, _answer(rng))
    final = frozenset(rng.sample(ALLOWED, rng.choice([1, 1, 2])))
    zone.change(until, final)
    balancer.add(followed=rng.choice(["", f"{HOST}:5432"]))
    balancer.hold("main", *endpoints(rng.sample(ALLOWED, rng.randrange(3))))
    filled = bool(balancer.live())
    log, settings = Log(), Settings(LOAD_BALANCER, (VPC,), 5.0)
    function = Function(world, lambda machine: TargetSyncProcess(machine, settings, log))
    simulation.start(by_rule(world, function, WATCH))
    trouble = _Trouble(world, function, rng, until)
    simulation.start(trouble.goes_on())
    violations: list[str] = []
    end = until + _REPAIR + _WINDOW
    for second in itertools.count(START, 1.0):
        if second > end:
            break
        simulation.run(second)
        filled |= bool(balancer.live())
        if filled and not balancer.live():
            violations.append(f"{number}: the target group is empty {second - START:g} s after the start")
            break
    named = {endpoint.address for _, _, endpoint in balancer.log}
    if balancer.emptied:
        violations.append(f"{number}: the target group was emptied {balancer.emptied[0] - START:g} s after the start")
    if named - set(ALLOWED):
        violations.append(f"{number}: {sorted(named - set(ALLOWED))} is not allowed and was registered")
    if balancer.live() != {f"{address}:5432" for address in final}:
        violations.append(f"{number}: {sorted(balancer.live())} is registered, the answer is {sorted(final)}")
    changes = len(balancer.log)
    simulation.run(end + _STILL)
    if len(balancer.log) != changes:
        violations.append(f"{number}: {len(balancer.log) - changes} changes though nothing happened")
    return Episode(simulation.steps, violations, trouble.faults)


def _answer(rng: random.Random) -> Value:
    kind = rng.random()
    if kind < 0.25:  # noqa: PLR2004
        return rng.choice(list(Outcome))
    named = rng.sample(ALLOWED, rng.choice([1, 1, 1, 2, 3]))
    return frozenset([*named, rng.choice(FORBIDDEN)] if kind < 0.35 else named)  # noqa: PLR2004


def measure(*, steps: int, workers: int) -> dict[str, Any]:
    """Episodes until there were so many steps: the field `faults` of the results."""
    total, violations, faults, episodes = 0, list[str](), Counter[str](), 0
    for one in map(episode, itertools.count()) if workers == 1 else _in_batches(workers):
        total += one.steps
        violations += one.violations
        faults += one.faults
        episodes += 1
        if total >= steps:
            break
    return {
        "steps": total,
        "violations": len(violations),
        "violated": violations[:20],
        "episodes": episodes,
        "faults": dict(sorted(faults.items())),
    }


def _in_batches(workers: int) -> Iterator[Episode]:
    # Several for each worker at a time, so that they seldom wait for each other.
    with ProcessPoolExecutor(workers) as pool:
        for start in itertools.count(step=workers * 4):
            yield from pool.map(episode, range(start, start + workers * 4))

"""Each model of how others do it, against what was measured of those who do it so.

The measurements: A is the old address, B and C are new ones, X a target that somebody added. Runs are 60 s apart unless
said otherwise, and the default deregistration delay of 300 s keeps a draining target in sight.
"""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING

import pytest

from benchmarks.assumptions import Assumptions
from benchmarks.baselines import EventOnly, Poll60, Poll300, ThreeMisses
from benchmarks.names import Zone
from benchmarks.world import ATTEMPTS, Machine, World
from target_sync.resolve import Answer, Failure, Outcome
from target_sync.watch import SyncError
from tests.function.fakes import HOST, aws_error, endpoints

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.baselines import Baseline

A, B, C, X = "10.0.0.5", "10.0.1.6", "10.0.2.7", "10.0.3.8"
MODELS = [Poll60, Poll300, EventOnly, ThreeMisses]
POLLERS = [Poll60, Poll300, ThreeMisses]


class _Told(Machine):
    """A machine whose resolver answers what it is told to."""

    answer: Answer | Failure

    def ask(self, hostname: str, _nameservers: object = ()) -> Answer | Failure:
        """Answers without any cache."""
        assert hostname == HOST
        return self.answer


class Runs:
    """One model, run when a test says so."""

    def __init__(self, model: type[Baseline], held: Sequence[str] = (), port: int = 5432) -> None:
        rng = random.Random(0)  # noqa: S311
        # In the measurements calls took no time: here the delay is shorter by what they may take.
        self.world = World(rng, Assumptions(), drain=299.0, healthy_after=0.0)
        self.world.zones[HOST] = Zone(frozenset())
        self.world.balancer.add()
        self.world.balancer.hold("main", *endpoints(held, port))
        self.start = self.world.simulation.now
        self.machine = _Told(self.world)
        self.process = model(self.machine)
        self.raised = False

    def at(self, second: float, *answer: str | Outcome) -> set[str]:
        """Runs once; what is registered right afterwards."""
        self.world.simulation.run(self.start + second)
        addresses = frozenset(word for word in answer if not isinstance(word, Outcome))
        failed = [word for word in answer if isinstance(word, Outcome)]
        self.machine.answer = Failure(failed[0], "") if failed else Answer(addresses, 5.0)
        self.raised = False
        steps = self.process.handle({})

        def run() -> object:
            with contextlib.suppress(SyncError):
                yield from steps
                return
            self.raised = True

        self.world.simulation.start(run())  # type: ignore[arg-type]
        self.world.simulation.run(self.world.simulation.now + 9.0)
        return self.live()

    def live(self) -> set[str]:
        """The registered targets; the port is shown if it is another one."""
        return {target.removesuffix(":5432") for target in self.world.balancer.live()}

    def calls_at(self, second: float, *answer: str | Outcome) -> int:
        """How many calls to AWS a run takes."""
        before = self.process.calls
        self.at(second, *answer)
        return self.process.calls - before

    def mutations(self) -> int:
        """Registrations and deregistrations, those that change nothing included."""
        count = self.world.balancer.count()
        return count["RegisterTargets"] + count["DeregisterTargets"]


@pytest.mark.parametrize(
    ("model", "first", "steady", "change"),
    [(Poll60, 4, 3, 5), (Poll300, 3, 2, 4), (EventOnly, 3, 1, 3), (ThreeMisses, 6, 5, 6)],
)
def test_calls(model: type[Baseline], first: int, steady: int, change: int) -> None:
    """So many calls to AWS on the first run, on one that changes nothing, and on one that finds another address."""
    runs = Runs(model)

    assert [runs.calls_at(0, A), runs.calls_at(60, A), runs.calls_at(120, B)] == [first, steady, change]
    assert steady == model.steady_calls


@pytest.mark.parametrize(("model", "fewest"), [(Poll60, 0), (Poll300, 0), (EventOnly, 1), (ThreeMisses, 1)])
def test_fewest_targets(model: type[Baseline], fewest: int) -> None:
    """Who deregisters first has no target for a moment."""
    runs = Runs(model, [A])

    runs.at(0, B)

    assert bool(runs.world.balancer.emptied) == (fewest == 0)


@pytest.mark.parametrize(("model", "needed"), [(Poll60, 1), (Poll300, 1), (EventOnly, 1), (ThreeMisses, 3)])
def test_runs_until_the_old_one_is_out(model: type[Baseline], needed: int) -> None:
    """After so many runs with the new address the old one is out."""
    runs = Runs(model)
    runs.at(0, A)

    states = [runs.at(60 * number, B) for number in range(1, 4)]

    assert [A not in state for state in states].index(True) + 1 == needed


@pytest.mark.parametrize(
    ("model", "raises"), [(Poll60, True), (Poll300, False), (EventOnly, True), (ThreeMisses, False)]
)
def test_no_such_name(model: type[Baseline], raises: bool) -> None:
    """Nothing changes; Lambda sees an error or not."""
    runs = Runs(model, [A])

    assert runs.at(0, Outcome.NXDOMAIN) == {A}
    assert runs.raised == raises


@pytest.mark.parametrize(
    ("model", "after"), [(Poll60, set()), (Poll300, {B}), (EventOnly, set()), (ThreeMisses, {A, B})]
)
def test_back_and_forth(model: type[Baseline], after: set[str]) -> None:
    """A, B and A again, a minute apart: a draining target is taken for a registered one."""
    runs = Runs(model)
    runs.at(0, A)
    runs.at(60, B)

    assert runs.at(120, A) == after


@pytest.mark.parametrize(("model", "seconds"), [(Poll60, 240), (Poll300, 240), (ThreeMisses, 120)])
def test_back_and_forth_is_wrong_for(model: type[Baseline], seconds: int) -> None:
    """If it runs each minute afterwards, it is right again so many seconds after the third answer."""
    runs = Runs(model)
    runs.at(0, A)
    runs.at(60, B)
    runs.at(120, A)

    states = {second: runs.at(second, A) for second in range(180, 600, 60)}

    assert min(second for second, state in states.items() if state == {A}) - 120 == seconds


def test_back_and_forth_without_another_event() -> None:
    """Who runs on events only stays without targets."""
    runs = Runs(EventOnly)
    runs.at(0, A)
    runs.at(60, B)
    runs.at(120, A)

    runs.world.simulation.run(runs.start + 86_400)

    assert runs.live() == set()


@pytest.mark.parametrize(
    ("model", "after"), [(Poll60, set()), (Poll300, {B}), (EventOnly, set()), (ThreeMisses, {A, B})]
)
def test_a_burst(model: type[Baseline], after: set[str]) -> None:
    """New, old and new again, 10 s apart."""
    runs = Runs(model)
    runs.at(0, A)
    runs.at(60, B)
    runs.at(70, A)

    assert runs.at(80, B) == after


@pytest.mark.parametrize(
    ("model", "removed"), [(Poll60, True), (Poll300, False), (EventOnly, True), (ThreeMisses, False)]
)
def test_a_stranger(model: type[Baseline], removed: bool) -> None:
    """A target that somebody added goes or stays."""
    runs = Runs(model, [A, X])

    for number in range(6):
        runs.at(60 * number, A)

    assert runs.live() == ({A} if removed else {A, X})


@pytest.mark.parametrize(("model", "mutations"), [(Poll60, 11), (Poll300, 9), (EventOnly, 4), (ThreeMisses, 1)])
def test_two_addresses_in_turn(model: type[Baseline], mutations: int) -> None:
    """Two records whose order changes: who takes the first one only changes the group each time."""
    runs = Runs(model)
    empty = 0

    for number in range(8):
        both = [[A, B], [B, A]][number % 2]
        answer = both[:1] if model in (Poll60, Poll300) else both
        empty += not runs.at(60 * number, *answer)

    assert runs.mutations() == mutations
    assert empty == (4 if model is Poll60 else 0)


@pytest.mark.parametrize(
    ("model", "after"), [(Poll60, {B}), (Poll300, {B}), (EventOnly, {B, C}), (ThreeMisses, {B, C})]
)
def test_one_of_two_replaced(model: type[Baseline], after: set[str]) -> None:
    """A and B become B and C: six runs later the group is this."""
    runs = Runs(model)
    runs.at(0, A, B)

    for number in range(1, 7):
        runs.at(60 * number, B, C)

    assert runs.live() == after


@pytest.mark.parametrize(("model", "after"), [(Poll60, set()), (Poll300, set()), (EventOnly, {A}), (ThreeMisses, {A})])
def test_a_throttled_registration(model: type[Baseline], after: set[str]) -> None:
    """Right after it."""
    runs = Runs(model)
    runs.at(0, A)
    runs.world.balancer.faults["RegisterTargets"].extend([aws_error("ThrottlingException")] * ATTEMPTS)

    runs.at(60, B)
    runs.world.simulation.run(runs.start + 100)

    assert runs.live() == after


@pytest.mark.parametrize("operation", ["DeregisterTargets", "DescribeTargetHealth"])
@pytest.mark.parametrize("model", MODELS)
def test_another_throttled_call(model: type[Baseline], operation: str) -> None:
    """The next runs repair it."""
    runs = Runs(model)
    runs.at(0, A)
    runs.world.balancer.faults[operation].extend([aws_error("ThrottlingException", operation)] * ATTEMPTS)

    for number in range(1, 8):
        runs.at(60 * number, B)

    assert runs.live() == {B}


@pytest.mark.parametrize(
    ("model", "after"),
    [(Poll60, {f"{A}:6432", B}), (Poll300, {f"{A}:6432", B}), (EventOnly, {B}), (ThreeMisses, {f"{A}:6432", B})],
)
def test_an_old_target_on_another_port(model: type[Baseline], after: set[str]) -> None:
    """Who leaves the port out deregisters a target that is not there."""
    runs = Runs(model, [A], port=6432)

    for number in range(6):
        runs.at(60 * number, B)

    assert runs.live() == after


@pytest.mark.parametrize("model", POLLERS)
def test_what_polls_comes_by_itself(model: type[Baseline]) -> None:
    """A rule invokes it as often as its name says."""
    assert model.every == {Poll60: 60.0, Poll300: 300.0, ThreeMisses: 300.0}[model]
    assert not model.on_events


def test_what_follows_events_only() -> None:
    """No rule invokes it."""
    assert EventOnly.every is None
    assert EventOnly.on_events

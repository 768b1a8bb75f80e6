"""Invocations that overlap: every order of their calls for one failover, and many orders for anything else."""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from target_sync import work
from tests.function.fakes import World, group_arn
from tests.function.schedule import Cache, Schedule, Task, fingerprint, recorded_world

if TYPE_CHECKING:
    from collections.abc import Callable

    Chooser = Callable[[int, object, int], int]

A, B, C = "10.0.0.5", "10.0.1.6", "10.0.2.7"

SLOW_SECONDS = 0.7
"""One way of a slow call. From question to change there are six, which must fit into one time to live: see below."""

SHORT_TTL = 2.0
"""Keeps the number of looks small where every order of them is tried."""

LONG_SECONDS = 8.0
"""One way of a call that is retried, or on its way for long."""

QUIET_MINUTES = 6
"""So long after the last change of the answer the group is right, whatever came before.

Three addresses that took turns need the longest silence: 15 answers and times to live for each, 225 s.
"""


class SeenBefore(Exception):  # noqa: N818  # no error: this run would go on as another one did
    """This run would go on as another one did."""


@dataclass
class Explorer:
    """Plays something again and again until every choice was made in every state that can be told apart.

    Attributes:
        states: States in which there was a choice, and how many choices.
        follows: Which state came after which choice; the end has none.
        runs: How often it was played.
    """

    states: dict[object, int] = field(default_factory=dict)
    follows: dict[tuple[object, int], object] = field(default_factory=dict)
    runs: int = 0

    def explore(self, play: Callable[[Chooser], object]) -> None:
        """Plays until there is nothing left to try.

        Args:
            play: Is given a function that chooses one of so many in a state; it also takes how many calls were made.
        """
        untried: list[tuple[int, ...]] = [()]
        while untried:
            self._once(play, untried)

    def orders(self) -> int:
        """How many different runs there are in all: paths through the states."""
        ends: dict[object, int] = {}
        for state in reversed(list(self._sorted())):
            ends[state] = sum(
                ends[self.follows[state, option]] if (state, option) in self.follows else 1
                for option in range(self.states[state])
            )
        return ends[next(iter(self.states))]

    def _sorted(self) -> dict[object, None]:
        """Each state before all that follow it; time and steps only go forward, so there are no circles."""
        found: dict[object, None] = {}
        stack: list[tuple[object, int]] = [(next(iter(self.states)), 0)]
        entered = {stack[0][0]}
        while stack:
            state, option = stack.pop()
            if option == self.states[state]:
                found[state] = None
                continue
            stack.append((state, option + 1))
            after = self.follows.get((state, option))
            if after is not None and after not in entered:
                entered.add(after)
                stack.append((after, 0))
        return dict.fromkeys(reversed(found))

    def _once(self, play: Callable[[Chooser], object], untried: list[tuple[int, ...]]) -> None:
        self.runs += 1
        prefix = untried.pop()
        path: list[int] = []
        chosen: list[tuple[object, int]] = []
        new: list[tuple[object, int, int]] = []

        def choose(options: int, state: object, calls: int) -> int:
            settle(calls)
            if chosen:
                self.follows[chosen.pop()] = state
            option = prefix[len(path)] if len(path) < len(prefix) else 0
            if len(path) >= len(prefix):
                if state in self.states:
                    raise SeenBefore
                self.states[state] = 1
                new.append((state, options, calls))
            path.append(option)
            chosen.append((state, option))
            return option

        def settle(calls: int) -> None:
            """What makes no call is the same before and after whatever others do: then the others need not be tried."""
            if new:
                state, options, before = new.pop()
                if calls > before:
                    self.states[state] = options
                    untried.extend((*path[:-1], other) for other in range(1, options))

        try:
            play(choose)
            settle(sys.maxsize)
        except SeenBefore:
            pass
        except AssertionError as error:
            error.add_note(f"choices: {path}")
            raise


def play(choose: Chooser, *, answers: list[tuple[float, str]], minute: bool, slow: int = -1) -> int:
    """Two warm processes follow one failover; at each step either goes on.

    Args:
        choose: Which one does.
        answers: When the name changes and to what.
        minute: Whether the first process serves the minute rule, not an event.
        slow: The number of the first process's call way, there or back, that takes `SLOW_SECONDS`; none if negative.

    Returns:
        How many ways it had.
    """
    ways = 0

    def takes(task: Task) -> float:
        nonlocal ways
        ways += task.process is first
        return SLOW_SECONDS if task.process is first and ways == slow + 1 else 0.0

    world = recorded_world(A)
    world.dns.set(A, ttl=SHORT_TTL)
    schedule = Schedule(world)
    first, second = schedule.cold(), schedule.cold()
    for process in (first, second):
        schedule.minute(process, attend=10.0, handover=0.0)
        schedule.run()
    for at, address in answers:
        world.clock.after(at, functools.partial(world.dns.set, address, ttl=SHORT_TTL))
    end = answers[-1][0] + 4.0  # four more looks: the last one confirms

    def state() -> object:
        waiting = sorted((task.wakes, task.process is first) for task in schedule.tasks)
        return world.clock.now, fingerprint(world), first.seen, second.seen, tuple(waiting)

    schedule.choose = lambda options: choose(options, state(), len(world.elb.calls))
    schedule.takes = takes
    schedule.minute(first, attend=end, handover=0.0) if minute else schedule.event(first, limit=end)
    schedule.event(second, limit=end)
    schedule.run()
    schedule.choose, schedule.takes = (lambda _: 0), (lambda _: 0.0)
    for _ in range(3):
        schedule.minute(first)
        schedule.run()

    assert world.live() == {answers[-1][1]}
    changes = len(world.elb.log)
    schedule.minute(first)
    schedule.minute(second)
    schedule.run()
    assert len(world.elb.log) == changes
    return ways


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log lines are left out: thousands of runs write too many."""
    monkeypatch.setattr(work, "emit", lambda *_, **__: None)


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(
    ("answers", "minute", "states", "orders"),
    [
        pytest.param([(0.5, B)], True, 50, 10**5, id="A>B, minute and event"),
        pytest.param([(0.5, B)], False, 150, 10**6, id="A>B, event delivered twice"),
        pytest.param([(0.5, B), (4.5, A)], True, 350, 10**11, id="A>B>A, minute and event"),
        pytest.param([(0.5, B), (4.5, A)], False, 600, 10**12, id="A>B>A, event delivered twice"),
    ],
)
def test_every_order_of_two_invocations(
    answers: list[tuple[float, str]], minute: bool, states: int, orders: int
) -> None:
    """Whoever goes first at each call: never empty, right in the end, and then no change.

    States that both processes and the load balancer cannot tell apart are gone on from once, and what makes no call is
    not tried before and after what others do. So all orders are covered, far more of them than runs: there must be at
    least so many states in which the order matters, and so many orders that differ.
    """
    explorer = Explorer()

    explorer.explore(functools.partial(play, answers=answers, minute=minute))

    assert len(explorer.states) >= states
    assert explorer.orders() >= orders


@pytest.mark.usefixtures("quiet")
def test_every_order_of_two_invocations_with_a_slow_call() -> None:
    """The same with one call of the first process that is slow, there or back: each of its calls in turn."""
    ways = play(lambda *_: 0, answers=[(0.5, B)], minute=True)
    assert ways >= 12

    for slow in range(ways):
        explorer = Explorer()
        explorer.explore(functools.partial(play, answers=[(0.5, B)], minute=True, slow=slow))
        assert len(explorer.states) >= 10


def draw_schedule(data: st.DataObject, world: World, longest: float) -> Schedule:
    """A schedule whose choices, and how long calls take, are drawn as far as a list goes, and plain after that."""
    turns = iter(data.draw(st.lists(st.integers(0, 3), max_size=60), "turns"))
    waits = iter(data.draw(st.lists(st.sampled_from([0.0, 0.1, longest]) | st.floats(0.0, longest), max_size=60)))
    return Schedule(world, choose=lambda _: next(turns, 0), takes=lambda _: next(waits, 0.0))


@pytest.mark.usefixtures("quiet")
@settings(max_examples=150)
@given(
    data=st.data(),
    answers=st.lists(st.tuples(st.floats(0.0, 12.0), st.sets(st.sampled_from([A, B, C]), min_size=1)), min_size=1),
    firings=st.lists(st.tuples(st.floats(0.0, 90.0), st.booleans()), max_size=5),
    caches=st.booleans(),
    doubled=st.booleans(),
)
def test_invocations_overlap_in_any_way(
    data: st.DataObject,
    answers: list[tuple[float, set[str]]],
    firings: list[tuple[float, bool]],
    caches: bool,
    doubled: bool,
) -> None:
    """Minutes late, early and doubled, events, cold starts, observers, separate caches: the group is never empty.

    That holds while a change takes effect within one time to live of the question it was decided by. Elastic Load
    Balancing has no conditional writes, so nothing could hold for any delay.
    """
    world = recorded_world(A)
    schedule = draw_schedule(data, world, SLOW_SECONDS)
    for _ in range(2):
        schedule.cold(ask=Cache(world).ask if caches else None)
    observer = schedule.cold(observe_only=True)
    at = 0.0
    for wait, addresses in answers:
        at += wait
        world.clock.after(at, functools.partial(world.dns.set, *addresses))
    for when, event in firings:
        schedule.after(when, schedule.event if event else schedule.minute)
    for start in range(0, 60 * 3, 60):
        for _ in range(1 + doubled):
            schedule.after(float(start), schedule.minute)
    schedule.minute(observer)
    schedule.run(60.0 * 3)

    schedule.choose, schedule.takes = (lambda _: 0), (lambda _: 0.0)
    for _ in range(QUIET_MINUTES):
        schedule.after(60.0, schedule.minute)
        schedule.run(60.0)
    assert world.live() == answers[-1][1]
    changes = len(world.elb.log)
    for _ in range(12):
        schedule.after(60.0, schedule.minute)
        schedule.run(60.0)
    assert len(world.elb.log) == changes


@pytest.mark.usefixtures("quiet")
@settings(max_examples=100)
@given(data=st.data(), flips=st.lists(st.floats(0.0, 15.0), min_size=1, max_size=4))
def test_calls_that_take_longer_than_an_answer_lives(data: st.DataObject, flips: list[float]) -> None:
    """Then two processes may each take out what the other one keeps, but not for longer than calls take and a look."""
    world = recorded_world(A)
    schedule = draw_schedule(data, world, LONG_SECONDS)
    schedule.may_empty = True
    first, second = schedule.cold(), schedule.cold()
    at, name = 0.0, A
    for wait in flips:
        at, name = at + wait, B if name == A else A
        world.clock.after(at, functools.partial(world.dns.set, name))
    schedule.event(first)
    schedule.event(second)
    for start in range(0, 60 * 8, 60):
        schedule.after(float(start), schedule.minute)
    schedule.run(60.0 * 8)

    assert world.live() == {name}
    assert longest_empty(world, A) <= 6 * LONG_SECONDS + 1.0


def longest_empty(world: World, held: str) -> float:
    """For how many seconds at a time the group had no target, having held one."""
    live, since, longest = {held}, 0.0, 0.0
    for at, what, endpoint in world.elb.log:
        if what == "register":
            longest = longest if live else max(longest, at - since)
            live.add(endpoint.address)
        else:
            live.discard(endpoint.address)
            since = at
    return longest


def watched(*firings: float, flip: float, minutes: int = 4) -> tuple[World, float]:
    """The minute rule fires at these times, the name changes once; also the time everything is counted from."""
    world = recorded_world(A)
    schedule = Schedule(world)
    schedule.minute()
    schedule.run(60.0)
    start = world.clock.now
    world.clock.after(flip, functools.partial(world.dns.set, B))
    for when in firings:
        schedule.after(when, schedule.minute)
    schedule.run(60.0 * minutes)
    assert world.changes() == [f"+{B}", f"-{A}"]
    return world, start


@pytest.mark.parametrize(
    ("firings", "flip", "latest"),
    [
        pytest.param((0.0, 60.0), 61.0, 65.0, id="in time"),
        pytest.param((0.0, 90.0), 61.0, 90.0, id="late: nobody looks meanwhile, the first look finds it"),
        pytest.param((0.0, 120.0), 61.0, 120.0, id="lost: as if a minute late"),
        pytest.param((0.0, 35.0), 41.0, 45.0, id="early: beside the one before, in another process"),
        pytest.param((0.0, 0.0), 11.0, 15.0, id="doubled: two processes do the same"),
        pytest.param((0.0, 0.0, 0.0, 30.0, 60.0, 60.0), 58.2, 60.0, id="all of it"),
    ],
)
def test_the_minute_rule_is_not_on_time(firings: tuple[float, ...], flip: float, latest: float) -> None:
    """A firing late, lost, early or doubled: one registration, one deregistration, at the first look that can tell."""
    world, start = watched(*firings, flip=flip)

    assert flip <= world.elb.log[0][0] - start <= latest
    assert world.live() == {B}


def test_an_event_beside_the_minute_rule_is_faster_than_it() -> None:
    """The event's invocation is a second process; it finds the answer within a second, the first one undoes nothing."""
    world = recorded_world(A)
    schedule = Schedule(world)
    schedule.minute()
    schedule.run(60.0)
    start = world.clock.now
    world.clock.after(31.5, functools.partial(world.dns.set, B))
    schedule.minute()
    schedule.after(2.0, schedule.event)
    schedule.run()

    assert len(schedule.processes) == 2
    assert world.changes() == [f"+{B}", f"-{A}"]
    assert world.elb.log[0][0] - start == pytest.approx(32.0)


def test_two_processes_flip_there_and_back() -> None:
    """A>B>A across two invocations, one after the other: the second one knows only what it finds, and is right."""
    world = recorded_world(A)
    schedule = Schedule(world)
    first, second = schedule.cold(), schedule.cold()
    schedule.minute(first)
    schedule.run(60.0)
    world.dns.set(B)
    schedule.minute(first)
    schedule.run(60.0)
    assert world.live() == {B}

    world.dns.set(A)
    schedule.minute(second)
    schedule.run(60.0)
    world.dns.set(B)
    schedule.minute(second)
    schedule.run(60.0)

    assert world.live() == {B}
    assert world.changes() == [f"+{B}", f"-{A}", f"+{A}", f"-{B}", f"+{B}", f"-{A}"]


def test_back_again_after_the_event_was_served() -> None:
    """An event's process registers B and settles; the name goes back before the other process ever heard of B.

    The minute rule's process, with one look a minute, hears A before and after and has no reason to read the group.
    So the event's process stays until the other one must have heard of B too, and undoes it itself.
    """
    world = recorded_world(A, poll_interval=60.0)
    schedule = Schedule(world)
    first, second = schedule.cold(), schedule.cold()
    for process in (first, second):
        schedule.economical(process)
        schedule.run(60.0)
    start = world.clock.now
    schedule.economical(first)
    schedule.after(10.0, lambda: schedule.event(second))
    world.clock.after(20.0, lambda: world.dns.set(B))
    world.clock.after(40.0, lambda: world.dns.set(A))
    for minute in range(1, 5):
        schedule.after(60.0 * minute, lambda: schedule.economical(first))
    schedule.run(300.0)

    log = [(at - start, what, endpoint.address) for at, what, endpoint in world.elb.log]
    assert log == [(20.0, "register", B), (25.0, "deregister", A), (40.0, "register", A), (45.0, "deregister", B)]


def test_a_change_is_handed_over() -> None:
    """The name goes back between one process's last look and another one's first, which hears what it always heard.

    So whoever saw the change stays until the other one has looked, and undoes it itself.
    """
    world = recorded_world(A)
    schedule = Schedule(world)
    first, away = schedule.cold(), schedule.cold()
    for process in (first, away):
        schedule.minute(process)
        schedule.run(60.0)
    schedule.run(180.0)  # past the time at which the group is read in any case
    start = world.clock.now
    schedule.minute(first)
    world.clock.after(40.5, lambda: world.dns.set(B))
    world.clock.after(59.0, lambda: world.dns.set(A))
    schedule.after(60.0, lambda: schedule.minute(away))
    schedule.run(120.0)

    assert world.changes() == [f"+{B}", f"-{A}", f"+{A}", f"-{B}"]
    assert world.elb.log[2][0] - start <= 60.0


def test_what_a_neighbour_does_at_its_end_is_seen() -> None:
    """Who hands over hears one more flap, registers it, and ends before it is confirmed gone.

    The process that started beside it has read the group before that, and never hears another answer.
    """
    world = recorded_world(A)
    schedule = Schedule(world)
    ending, starting = schedule.cold(), schedule.cold()
    schedule.minute(ending)
    schedule.run(60.0)
    schedule.run(180.0)  # past the time at which the group is read in any case
    schedule.minute(ending)
    for at, address in ((39.5, B), (46.5, A), (71.5, B), (72.2, A)):
        world.clock.after(at, functools.partial(world.dns.set, address))
    schedule.after(60.0, lambda: schedule.minute(starting))
    schedule.run(74.9)
    assert world.live() == {A, B}
    for _ in range(2):
        schedule.run(60.0)
        schedule.minute(starting)

    assert world.live() == {A}


@pytest.mark.parametrize(("before", "stays"), [(0, True), (4, True), (6, True), (7, False)])
@pytest.mark.parametrize("economical", [False, True])
def test_for_ten_minutes_invocations_overlap(before: int, stays: bool, economical: bool) -> None:
    """After a change each one stays until the next one must have looked, and then no longer than its minute again."""
    world = recorded_world(A, poll_interval=60.0 if economical else 5.0)
    schedule = Schedule(world)
    process = schedule.cold()
    invoke = schedule.economical if economical else schedule.minute
    invoke(process)
    schedule.run(90.0)
    assert not process.working
    world.dns.set(B)
    for _ in range(before + 1):  # 84 s each
        invoke(process)
        schedule.run(59.0)
        working = process.working
        schedule.run(25.0)
        assert not process.working
    assert bool(working) is stays


def test_a_process_that_was_away_reads_what_another_one_did() -> None:
    """It knows A from long ago and hears A: that B is registered instead it sees at an event's first look."""
    world = recorded_world(A)
    schedule = Schedule(world)
    away, other = schedule.cold(), schedule.cold()
    for process in (away, other):
        schedule.minute(process)
        schedule.run(60.0)
    world.dns.set(B)
    schedule.minute(other)
    schedule.run(60.0)
    assert world.live() == {B}
    world.dns.set(A)
    start = world.clock.now

    schedule.event(away)
    schedule.run(60.0)

    assert world.elb.log[2][0] == start
    assert world.live() == {A}


def test_an_answer_that_changed_is_a_reason_to_read() -> None:
    """Both processes heard A, B, A; the other one acted. This one's memory of the group is not what it decides from."""
    world = recorded_world(A)
    schedule = Schedule(world)
    schedule.minute(schedule.cold())
    schedule.run(60.0)
    schedule.minute()
    world.clock.after(11.0, lambda: world.dns.set(B))
    world.clock.after(22.0, lambda: world.dns.set(A))
    schedule.run(24.0)
    target = {"Id": A, "Port": 5432}
    world.elb.deregister_targets(TargetGroupArn=group_arn("main"), Targets=[target])
    world.clock.after(8.0, lambda: world.dns.set(B))
    world.clock.after(9.5, lambda: world.dns.set(A))
    schedule.run(36.0)

    assert world.live() == {A}


def test_a_process_dies_between_registering_and_deregistering() -> None:
    """The next process finds both and takes the old one out after the longer silence that it needs to be sure."""
    world = recorded_world(A)
    schedule = Schedule(world)
    dying = schedule.cold()
    schedule.minute(dying)
    schedule.run(60.0)
    world.dns.set(B)
    schedule.minute(dying)
    while world.live() == {A}:
        schedule.step()
    schedule.kill(dying)

    for _ in range(3):
        schedule.minute()
        schedule.run(60.0)

    assert world.changes() == [f"+{B}", f"-{A}"]

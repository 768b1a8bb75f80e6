"""Fifty listeners at once: none waits for another one, and Elastic Load Balancing never has to throttle."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ReadTimeoutError

from target_sync import work
from tests.function.fakes import FakeElb, World, aws_error, endpoints, group_arn
from tests.function.schedule import Schedule, Task

if TYPE_CHECKING:
    from tests.function.fakes import VirtualClock

COUNT = 50
SICK = "listener00"
TIMEOUT_SECONDS = 35.0
"""What botocore makes of a call that hangs: 4 attempts of at most 2 + 5 s, and its pauses between them."""

CHANGES = frozenset({"RegisterTargets", "DeregisterTargets"})
TAGS = frozenset({"AddTags"})


class BucketElb(FakeElb):
    """Elastic Load Balancing that throttles by its published token buckets.

    Attributes:
        throttled: Calls that were refused: when, which operation.
        sick: Errors that every call for a target group raises.
    """

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.throttled: list[tuple[float, str]] = []
        self.sick: dict[str, Exception] = {}
        self._tokens = {"changes": 20.0, "tags": 20.0, "describe": 40.0, "all": 40.0}
        self._filled_at = clock.now

    def _called(self, operation: str, arn: str) -> None:
        limits = {"changes": (20.0, 4.0), "tags": (20.0, 3.0), "describe": (40.0, 10.0), "all": (40.0, 10.0)}
        seconds, self._filled_at = self.clock.now - self._filled_at, self.clock.now
        for name, (capacity, per_second) in limits.items():
            self._tokens[name] = min(capacity, self._tokens[name] + per_second * seconds)
        own = "changes" if operation in CHANGES else "tags" if operation in TAGS else "describe"
        super()._called(operation, arn)
        if arn in self.sick and operation != "DescribeTags":  # that one is for many groups at once
            raise self.sick[arn]
        if min(self._tokens[own], self._tokens["all"]) < 1 - 1e-6:
            self.throttled.append((self.clock.now, operation))
            raise aws_error("ThrottlingException", operation)
        self._tokens[own] -= 1
        self._tokens["all"] -= 1


def name(number: int) -> str:
    """A listener's name."""
    return f"listener{number:02}"


def fifty(*, recorded: bool = True) -> tuple[World, BucketElb, Schedule]:
    """Fifty listeners, each with its own name and address, watched for two minutes; the buckets are full again."""
    world = World()
    elb = BucketElb(world.clock)
    world.elb = elb
    for number in range(COUNT):
        hostname = f"{name(number)}.example.com"
        if recorded:
            elb.add(name(number), hostname=hostname, followed=f"{hostname}:5432")
            elb.hold(name(number), *endpoints([f"10.0.{number}.5"]))
        else:
            elb.add(name(number), hostname=hostname)
        world.dns.set(f"10.0.{number}.5", hostname=hostname)
    schedule = Schedule(world)
    schedule.cold()
    if recorded:
        for _ in range(2):
            schedule.minute()
            schedule.run(60.0)
        assert not elb.throttled
        assert not elb.log
    return world, elb, schedule


def flip(world: World) -> None:
    """All names change at the same moment."""
    for number in range(COUNT):
        world.dns.set(f"10.0.{number}.6", hostname=f"{name(number)}.example.com")


def times(elb: BucketElb, what: str) -> dict[str, float]:
    """When each group's first registration or deregistration was made, from the first of all on."""
    found: dict[str, float] = {}
    for at, operation, arn in elb.calls:
        if operation == what:
            found.setdefault(arn, at)
    return found


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log lines are left out."""
    monkeypatch.setattr(work, "emit", lambda *_, **__: None)


def test_fifty_names_that_change_at_once_are_never_throttled() -> None:
    """Not one call is refused; registrations, and then all changes, are done within 1 s of the bucket's own floor."""
    world, elb, schedule = fifty()
    start = world.clock.now
    world.clock.after(1.0, lambda: flip(world))

    schedule.event()
    schedule.run()

    assert not elb.throttled
    registered, deregistered = times(elb, "RegisterTargets"), times(elb, "DeregisterTargets")
    assert len(registered) == len(deregistered) == COUNT
    assert min(registered.values()) - start <= 2.0
    assert max(registered.values()) - min(registered.values()) <= (COUNT - 20) / 4 + 1
    assert max(deregistered.values()) - min(registered.values()) <= (2 * COUNT - 20) / 4 + 1
    assert all(elb.live(name(number)) == {f"10.0.{number}.6:5432"} for number in range(COUNT))
    assert elb.count()["RegisterTargets"] == COUNT


def test_fifty_names_that_change_at_once_under_two_processes() -> None:
    """The minute's and an event's both see all of it: where both have to wait, neither repeats what the other did."""
    world, elb, schedule = fifty()
    world.clock.after(12.5, lambda: flip(world))

    schedule.minute()
    schedule.after(5.0, schedule.event)
    schedule.run(60.0)

    assert len(schedule.processes) == 2
    assert all(elb.live(name(number)) == {f"10.0.{number}.6:5432"} for number in range(COUNT))
    refused = sum(operation == "RegisterTargets" for _, operation in elb.throttled)
    assert elb.count()["RegisterTargets"] - refused <= COUNT + 10


def test_fifty_names_that_change_at_once_while_time_is_short() -> None:
    """The next minute's invocation begins in the middle of it: whatever AWS refuses the two of them, all is done."""
    world, elb, schedule = fifty()
    world.clock.after(56.0, lambda: flip(world))

    for _ in range(3):
        schedule.minute()
        schedule.run(60.0)

    assert all(elb.live(name(number)) == {f"10.0.{number}.6:5432"} for number in range(COUNT))
    assert not elb.emptied


def test_the_first_deployment_of_fifty() -> None:
    """Empty groups, nothing known: never throttled, all registered as fast as each can be read twice, all recorded."""
    _, elb, schedule = fifty(recorded=False)

    for _ in range(3):
        schedule.minute()
        schedule.run(60.0)

    assert not elb.throttled
    registered = times(elb, "RegisterTargets")
    assert len(registered) == COUNT
    assert max(registered.values()) - min(registered.values()) <= (2 * COUNT - 15) / 6 + 1
    assert all("pg-privatelink:followed" in group.tags for group in elb.groups.values())


def test_a_quiet_day_of_fifty() -> None:
    """An hour of it: no change, and each group costs 6 readings an hour beside the table's."""
    _, elb, schedule = fifty()
    for _ in range(10):  # what is found out about the names is recorded, once
        schedule.minute()
        schedule.run(60.0)
    elb.calls.clear()

    for _ in range(60):
        schedule.minute()
        schedule.run(60.0)

    assert not elb.log
    assert not elb.throttled
    table = 3 * (2 + 3)  # three times: two pages of groups, their tags in three calls
    assert sum(elb.count().values()) <= COUNT * 6 + table


HEALTHY = {name(number) for number in range(1, COUNT)}


def trouble(kind: str, *, flipped: int) -> tuple[dict[str, list[tuple[float, str]]], int]:
    """What each listener's group went through while one is sick, and how often that one was called."""
    world, elb, schedule = fifty()
    sick = group_arn(SICK)
    start = world.clock.now
    if kind == "hangs":
        elb.sick[sick] = ReadTimeoutError(endpoint_url="https://elasticloadbalancing.eu-central-1.amazonaws.com")
    elif kind:
        elb.sick[sick] = aws_error(kind)

    def takes(task: Task) -> float:
        return TIMEOUT_SECONDS / 2 if kind == "hangs" and task.name == SICK else 0.0

    schedule.takes = takes
    for number in range(flipped):
        hostname, address = f"{name(number)}.example.com", f"10.0.{number}.6"
        world.clock.after(2.0 + number / 10, lambda h=hostname, a=address: world.dns.set(a, hostname=h))  # type: ignore[misc]
    elb.calls.clear()
    for _ in range(3):
        schedule.after(0.0, schedule.minute)
        schedule.run(60.0)

    found: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for at, operation, arn in elb.calls:
        if operation in CHANGES:
            found[arn].append((round(at - start, 6), operation))
    assert not elb.throttled
    return found, sum(arn == sick for _, _, arn in elb.calls)


@pytest.mark.parametrize("kind", ["hangs", "InternalFailure", "ThrottlingException", "AccessDenied"])
def test_a_sick_listener_delays_no_other(kind: str) -> None:
    """Hanging, failing or throttled for ever: the other changes come when they come without it, to the moment."""
    without, _ = trouble("", flipped=8)
    with_it, calls = trouble(kind, flipped=8)

    others = [group_arn(name(number)) for number in range(1, 8)]
    assert {arn: with_it[arn] for arn in others} == {arn: without[arn] for arn in others}
    assert all(
        [operation for _, operation in without[arn]] == ["RegisterTargets", "DeregisterTargets"] for arn in others
    )
    assert not [entry for entry in with_it[group_arn(SICK)] if entry[1] == "DeregisterTargets"]
    assert 0 < calls <= 60


@pytest.mark.parametrize("kind", ["hangs", "ThrottlingException"])
def test_a_sick_listener_among_fifty_that_change(kind: str) -> None:
    """All fifty at once, so that they wait for the bucket: the others are done no later than the pace allows."""
    found, _ = trouble(kind, flipped=COUNT)

    done = [
        at
        for number in range(1, COUNT)
        for at, operation in found[group_arn(name(number))]
        if operation == "DeregisterTargets"
    ]
    assert len(done) == COUNT - 1
    assert max(done) <= 2.0 + COUNT / 10 + 5.0 + 5.0 + (2 * COUNT - 20) / 4 + 2.0

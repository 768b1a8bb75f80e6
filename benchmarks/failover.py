"""One random failover, and how a function came through it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.assumptions import Assumptions, by_message
from benchmarks.baselines import BASELINES
from benchmarks.sandboxes import Function, by_rule
from benchmarks.simulation import START
from benchmarks.target_sync_process import FAILOVER, WATCH, Log, TargetSyncProcess
from benchmarks.truth import Truth, confirmation_window
from benchmarks.world import World
from target_sync.resolve import Outcome
from target_sync.settings import ECONOMICAL_SECONDS, Settings
from tests.function.fakes import HOST, LOAD_BALANCER, VPC, endpoints, group_arn

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from benchmarks.names import Value

POLL_INTERVAL = 5.0
"""The setting's default, in seconds."""

EVENT_COUNTS = 300.0
"""An event counts as one before the failover if it was delivered within so many seconds before t0."""

WAITING, MESSAGES = "target_sync", "target_sync_by_messages"
"""The function as it is deployed; the same, invoked by delayed messages instead of waiting."""

FIRST_DELAY, SECOND_DELAY, THIRD_DELAY = 30.0, 120.0, 180.0
DELAYS = (FIRST_DELAY, SECOND_DELAY, THIRD_DELAY)
"""How long the load balancer takes until a registered target gets connections, in seconds. Reports range widely."""

A, B, C = "10.0.0.5", "10.0.1.6", "10.0.2.7"
_BACK = 0.1  # share of failovers that end where they began
_PAIR = 0.1  # share of names with two addresses, one of which is replaced
_FLAPS, _NO_ANSWER = 0.3, 0.25
_AGE = 300.0, 2400.0  # how long the function was watching before
_COLD = 0.1  # share in which all sandboxes are replaced shortly before
_AFTER, _PEERS_AFTER = 240.0, 1500.0  # how long to watch after all has happened


class Trace(NamedTuple):
    """What happens.

    Attributes:
        first: What the name answers at first.
        changes: When the zone changes and to what.
        events: When events of Amazon RDS are delivered.
        final: What the name answers in the end.
        cold: When all sandboxes are replaced, if at all.
        delay: How long a registered target takes until it gets connections, in seconds.
    """

    first: frozenset[str]
    changes: tuple[tuple[float, Value], ...]
    events: tuple[float, ...]
    final: frozenset[str]
    cold: float | None
    delay: float


class Result(NamedTuple):
    """How a function came through it; seconds after t0.

    Attributes:
        event_before: Whether an event was delivered within 5 minutes before t0.
        ready: Whether the whole answer was registered at t0 already, as after a flap.
        recovered: When the registration of the answer returned; None: never.
        serving: When the load balancer sent connections to the answer; None: never.
        left: When nothing else was registered any more; None: never.
        wrong: For how many seconds the target group was wrong.
        unwatched: The same if no invocation ran for as long as confirms an answer, a firing having been lost; or 0.
        delay: The trace's registration delay.
    """

    event_before: bool
    ready: bool
    recovered: float | None
    serving: float | None
    left: float | None
    wrong: float
    unwatched: float
    delay: float


def random_trace(rng: random.Random, event: str) -> Trace:
    """Draws a failover.

    Args:
        rng: Where it comes from.
        event: Whether its event comes before the name changes, "late" or is "lost".
    """
    pair = rng.random() < _PAIR
    old, new = (frozenset({A, B}), frozenset({B, C})) if pair else (frozenset({A}), frozenset({B}))
    back = rng.random() < _BACK
    now = began = START + rng.uniform(*_AGE)
    changes: list[tuple[float, Value]] = []
    if rng.random() < _NO_ANSWER:
        changes.append((now, rng.choice([Outcome.NXDOMAIN, Outcome.SERVFAIL, Outcome.EMPTY, Outcome.TIMEOUT])))
        now += rng.uniform(1.0, 20.0)
    if back:
        changes.append((now, new))
        now += rng.uniform(1.0, 120.0)
    elif rng.random() < _FLAPS:
        # An Aurora name was seen to go back and forth for 20 to 30 s.
        for _ in range(rng.randint(1, 3)):
            changes.append((now, new))
            now += rng.uniform(0.5, 10.0)
            changes.append((now, old))
            now += rng.uniform(0.5, 10.0)
    final = old if back else new
    changes.append((now, final))
    return Trace(
        old, tuple(changes), _events(rng, event, began, now), final, _cold(rng, began, now), rng.choice(DELAYS)
    )


def _events(rng: random.Random, event: str, began: float, final: float) -> tuple[float, ...]:
    if event == "lost":
        return ()
    if event == "late":
        first = final + 5.0 + rng.uniform(0.0, 120.0)
    else:
        # Mostly shortly before the name begins to change; but anything up to 5 minutes counts.
        first = began - rng.uniform(0.0, 60.0) if rng.random() < 0.7 else final - rng.uniform(0.0, 295.0)  # noqa: PLR2004
        first = max(first, final - 295.0, START + 1)
    more = [first + rng.uniform(0.0, 90.0) for _ in range(rng.randint(0, 2))]
    return (first, *sorted(more))


def _cold(rng: random.Random, began: float, final: float) -> float | None:
    return rng.uniform(began - 60.0, final) if rng.random() < _COLD else None


def play(trace: Trace, rng: random.Random, assumptions: Assumptions, *, subject: str, slowdown: float = 1.0) -> Result:
    """Has a function come through a failover.

    Args:
        trace: What happens.
        rng: Where latencies and the like come from.
        assumptions: How they are distributed.
        subject: `WAITING` for the function, `MESSAGES` for the same invoked by delayed messages, or one of `BASELINES`.
        slowdown: A factor on how long the load balancer's interface takes.
    """
    model = BASELINES.get(subject)
    if subject == MESSAGES:
        assumptions = by_message(assumptions)
    world = World(
        rng, assumptions, drain=assumptions.peers_drain if model else assumptions.drain, healthy_after=trace.delay
    )
    world.slowdown = slowdown
    zone = world.name(HOST, trace.first)
    for when, value in trace.changes:
        zone.change(when, value)
    world.balancer.add(followed=f"{HOST}:5432")
    world.balancer.hold("main", *endpoints(trace.first))
    simulation = world.simulation
    if model is None:
        # A message each few seconds stands for the waiting: the function then looks once, as with a long interval.
        interval = POLL_INTERVAL if subject == WAITING else ECONOMICAL_SECONDS
        settings, log = Settings(LOAD_BALANCER, (VPC,), interval), Log()
        function = Function(world, lambda machine: TargetSyncProcess(machine, settings, log))
    else:
        function = Function(world, model)
    if model is None or model.every:
        every = model.every if model and model.every else 60.0 if subject == WAITING else POLL_INTERVAL
        simulation.start(by_rule(world, function, WATCH, every=every), at=START + rng.uniform(0.0, every))
    if model is None or model.on_events:
        for when in trace.events:
            simulation.at(when, lambda: function.invoke(FAILOVER))
    if trace.cold is not None:
        simulation.at(trace.cold, function.recycle)
    changed = trace.changes[-1][0]
    end = max([changed, *trace.events]) + (_PEERS_AFTER if model else _AFTER)
    simulation.run(end)
    return _result(trace, world, function, changed, end)


def _result(trace: Trace, world: World, function: Function, changed: float, end: float) -> Result:
    start = _start(world, function, changed)
    held = _held(trace, world)
    truth = Truth(world.zones[HOST], ttl=world.assumptions.ttl, poll_interval=POLL_INTERVAL)
    registered = _since(held, lambda addresses: trace.final <= addresses)
    left = _since(held, lambda addresses: addresses <= trace.final)
    wrong = truth.wrong_seconds(held, START, end)
    window = confirmation_window(ttl=world.assumptions.ttl, poll_interval=POLL_INTERVAL)
    recovered = serving = None
    if registered is not None:
        returns = [when for when, addresses in world.returned if when >= registered and addresses & trace.final]
        recovered = 0.0 if registered <= start else returns[0] - start
        rows = world.balancer.groups[group_arn("main")].rows
        serves = max(row.registered_at for endpoint, row in rows.items() if endpoint.address in trace.final)
        serving = max(0.0, serves + trace.delay - start)
    return Result(
        event_before=any(start - EVENT_COUNTS <= event <= start for event in trace.events),
        ready=registered is not None and registered <= start,
        recovered=recovered,
        serving=serving,
        left=None if left is None else max(0.0, left - start),
        wrong=wrong,
        unwatched=wrong if any(until - since > window for since, until in _gaps(function, end)) else 0.0,
        delay=trace.delay,
    )


def _start(world: World, function: Function, changed: float) -> float:
    """t0: the first moment that the function's own question, behind its resolver's cache, could get the final answer.

    That is a moment at which it runs; but the cache of the sandbox that ran last counts in any case, so that time in
    which nothing runs is not given away.
    """
    caches = world.caches[HOST]
    runs = [(run.start, run.end, run.cache) for run in function.invocations]
    runs += [(since, float("inf"), cache) for since, cache in function.running()]
    before = [run for run in runs if run[0] <= changed]
    moments = [caches[max(before)[2]].first(changed)] if before else [changed]
    for since, until, cache in runs:
        moment = max(since, caches[cache].first(changed))
        moments += [moment] if moment <= until else []
    return min(moments)


def _gaps(function: Function, end: float) -> list[tuple[float, float]]:
    """The times in which no invocation ran."""
    runs = [(run.start, run.end) for run in function.invocations]
    runs += [(since, float("inf")) for since, _ in function.running()]
    gaps, over = list[tuple[float, float]](), START
    for since, until in sorted(runs):
        if over < min(since, end):
            gaps.append((over, min(since, end)))
        over = max(over, until)
    return [*gaps, (over, end)] if over < end else gaps


def _held(trace: Trace, world: World) -> list[tuple[float, frozenset[str]]]:
    held = [(float("-inf"), trace.first)]
    for when, what, endpoint in world.balancer.log:
        one = frozenset({endpoint.address})
        held.append((when, held[-1][1] | one if what == "register" else held[-1][1] - one))
    return held


def _since(held: list[tuple[float, frozenset[str]]], holds: Callable[[frozenset[str]], bool]) -> float | None:
    """Since when something has held to the end; None: it does not."""
    since = None
    for when, addresses in reversed(held):
        if not holds(addresses):
            break
        since = when
    return since

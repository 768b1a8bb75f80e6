"""Lambda: sandboxes that serve one invocation at a time, cold and warm; and what invokes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from benchmarks.world import Machine
from target_sync.watch import SyncError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.simulation import Steps, Task
    from benchmarks.world import World

    Event = Mapping[str, Any]


class Process(Protocol):
    """A function's process."""

    machine: Machine

    def handle(self, event: Event) -> Steps:
        """Serves one event; raises `SyncError` if it fails as Lambda counts failures."""


class Invocation(NamedTuple):
    """One that is over.

    Attributes:
        start: When its handler began.
        end: When it returned.
        billed: Its seconds on the bill, those of a cold start included.
        cold: Whether it started a sandbox.
        failed: Whether it raised.
        cache: Which of the resolvers' caches it asked.
    """

    start: float
    end: float
    billed: float
    cold: bool
    failed: bool
    cache: int


@dataclass(eq=False)
class _Sandbox:
    process: Process
    ends: float
    busy: bool = False
    idle_since: float = 0.0
    task: Task | None = field(default=None)
    started: float = 0.0


class Function:
    """A deployed function.

    Attributes:
        invocations: All that are over.
    """

    def __init__(self, world: World, make: Callable[[Machine], Process]) -> None:
        self._world = world
        self._make = make
        self._sandboxes: list[_Sandbox] = []
        self.invocations: list[Invocation] = []

    def invoke(self, event: Event) -> None:
        """Has an event handled: by an idle sandbox if there is one, by a new one otherwise."""
        simulation, assumed = self._world.simulation, self._world.assumptions
        now = simulation.now
        self._sandboxes = [
            sandbox
            for sandbox in self._sandboxes
            if sandbox.busy or (now < sandbox.ends and now < sandbox.idle_since + assumed.sandbox_idle)
        ]
        idle = [sandbox for sandbox in self._sandboxes if not sandbox.busy]
        cold = not idle
        if cold:
            ends = now + simulation.rng.expovariate(1 / assumed.sandbox_life)
            idle = [_Sandbox(self._make(Machine(self._world)), ends)]
            self._sandboxes += idle
        sandbox = simulation.rng.choice(idle)
        sandbox.busy = True
        sandbox.task = simulation.start(self._serve(sandbox, event, cold=cold))

    def recycle(self) -> None:
        """Gives up all idle sandboxes: the next event starts a new one."""
        self._sandboxes = [sandbox for sandbox in self._sandboxes if sandbox.busy]

    def kill(self) -> bool:
        """Switches a busy sandbox off in the middle of its work, if there is one."""
        busy = [sandbox for sandbox in self._sandboxes if sandbox.busy]
        if not busy:
            return False
        victim = self._world.simulation.rng.choice(busy)
        if victim.task is not None:
            victim.task.stop()
        self._sandboxes.remove(victim)
        return True

    def running(self) -> list[tuple[float, int]]:
        """The invocations that are not over: since when, and which cache they ask."""
        return [(sandbox.started, sandbox.process.machine.cache) for sandbox in self._sandboxes if sandbox.busy]

    def _serve(self, sandbox: _Sandbox, event: Event, *, cold: bool) -> Steps:
        simulation, assumed = self._world.simulation, self._world.assumptions
        waited = (assumed.cold_start if cold else assumed.warm_start).draw(simulation.rng)
        sandbox.started = float("inf")
        yield waited
        sandbox.started = start = simulation.now
        failed = False
        try:
            yield from sandbox.process.handle(event)
        except SyncError:
            failed = True
        sandbox.busy, sandbox.idle_since = False, simulation.now
        billed = simulation.now - start + (waited if cold else 0.0)
        cache = sandbox.process.machine.cache
        self.invocations.append(Invocation(start, simulation.now, billed, cold, failed, cache))


def by_rule(world: World, function: Function, event: Event, *, every: float = 60.0) -> Steps:
    """Invokes a function by a rule, with everything that may happen to its firings."""
    simulation, assumed = world.simulation, world.assumptions
    rng = simulation.rng
    nominal = simulation.now
    while True:
        delay = assumed.firing_delay.draw(rng)
        kind = rng.random()
        if kind < assumed.firing_late:
            delay += assumed.firing_lateness.draw(rng)
        elif kind < assumed.firing_late + assumed.firing_early:
            delay -= 1.0
        times = 2 if rng.random() < assumed.firing_doubled else 1
        if rng.random() < assumed.firing_lost:
            times = 0
        for _ in range(times):
            simulation.at(nominal + delay + assumed.delivery.draw(rng), lambda: function.invoke(event))
        nominal += every
        yield max(0.0, nominal - 1.0 - simulation.now)

"""Several invocations at once in virtual time, without threads: who goes next and how long a call takes is chosen."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from target_sync.attention import HANDOVER_SECONDS
from target_sync.handler import MINUTE_SECONDS
from target_sync.registry import ERRORS, Registry
from target_sync.resolve import Answer
from target_sync.watch import Fleet
from tests.function.fakes import HOST, World, endpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_sync.listener import NameServer
    from target_sync.resolve import Failure, Resolver

WRITES = frozenset({"RegisterTargets", "DeregisterTargets", "AddTags"})
EVENT_LIMIT = 320.0


@dataclass(eq=False)
class Process:
    """A process of the function, kept by Lambda between invocations: it serves one of them at a time.

    Attributes:
        fleet: What it knows.
        working: How many listeners its present invocation still works on.
        seen: A digest of all that it was ever told; two runs in which it is the same are the same to this process.
    """

    fleet: Fleet
    working: int = 0
    seen: int = 0


@dataclass(eq=False)
class Task:
    """Work that goes on in steps.

    Attributes:
        steps: Yields how many seconds it waits; 0 before and after each call.
        wakes: When it goes on.
        process: Whose work it is; None for something else that happens at its time.
        name: The listener's.
    """

    steps: Iterator[float]
    wakes: float
    process: Process | None = None
    name: str = ""


@dataclass(eq=False)
class Schedule:
    """Whatever goes on at the same time.

    Attributes:
        world: Where it happens.
        choose: Says which of so many goes next.
        takes: How long one way of a task's call takes, in seconds: the request's, then the response's.
        may_empty: Whether a group may be left without targets: no call is fast enough to rule it out.
        steps: How many steps were taken.
        processes: Those that Lambda keeps.
        tasks: What is not done yet.
    """

    world: World
    choose: Callable[[int], int] = lambda _: 0
    takes: Callable[[Task], float] = lambda _: 0.0
    may_empty: bool = False
    steps: int = 0
    processes: list[Process] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)

    def cold(self, *, observe_only: bool = False, ask: Resolver | None = None) -> Process:
        """A new process, which knows nothing."""
        settings = self.world.settings._replace(observe_only=observe_only)
        registry = Registry(self.world.elb, settings)  # type: ignore[arg-type]  # same methods, same keywords
        process = Process(Fleet(settings, registry, ask=ask or self.world.dns.ask, clock=self.world.clock))
        self.processes.append(process)
        return process

    def idle(self) -> Process:
        """The process that Lambda gives the next invocation: the first that is free, otherwise a new one."""
        return next((process for process in self.processes if not process.working), None) or self.cold()

    def minute(
        self, process: Process | None = None, *, attend: float = MINUTE_SECONDS, handover: float = HANDOVER_SECONDS
    ) -> None:
        """The minute rule fires now: an invocation as the handler makes it."""
        self._invoke(process or self.idle(), attend=attend, limit=attend + 0.5, handover=handover)

    def economical(self, process: Process | None = None) -> None:
        """The same where the poll interval is a minute: one look, longer only if something goes on."""
        self._invoke(process or self.idle(), attend=0.0, limit=EVENT_LIMIT, handover=HANDOVER_SECONDS)

    def event(self, process: Process | None = None, *, limit: float = EVENT_LIMIT) -> None:
        """An event of Amazon RDS arrives now."""
        self._invoke(process or self.idle(), attend=0.0, limit=limit, event=True, older_than=60.0)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Something else happens later; among what happens at that moment it comes at any place."""
        self.tasks.append(Task(_once(action), self.world.clock.now + seconds))

    def kill(self, process: Process) -> None:
        """A process dies in the middle of its work."""
        self.processes.remove(process)
        self.tasks = [task for task in self.tasks if task.process is not process]

    def step(self) -> None:
        """Has one task go on, the clock moved until there is one."""
        clock = self.world.clock
        first = min(task.wakes for task in self.tasks)
        if first > clock.now:
            clock.sleep(first - clock.now)
        ready = [task for task in self.tasks if task.wakes <= clock.now]
        task = ready[self.choose(len(ready)) % len(ready)] if len(ready) > 1 else ready[0]
        self.steps += 1
        made = len(self.world.elb.calls)
        seconds = next(task.steps, None)
        if task.process is not None:
            self._judge(task.process, made)
        if seconds is None:
            self.tasks.remove(task)
            if task.process is not None:
                task.process.working -= 1
        else:
            task.wakes = clock.now + (seconds or self.takes(task))

    def run(self, seconds: float = float("inf")) -> None:
        """Goes on until all is done, or for some time; what is under way then stays so."""
        clock = self.world.clock
        until = clock.now + seconds
        while self.tasks and min(task.wakes for task in self.tasks) <= until:
            self.step()
        if seconds < float("inf") and until > clock.now:
            clock.sleep(until - clock.now)

    def _invoke(
        self,
        process: Process,
        *,
        attend: float,
        limit: float,
        handover: float = 0.0,
        event: bool = False,
        older_than: float | None = None,
    ) -> None:
        assert not process.working, "a process serves one invocation at a time"
        fleet = process.fleet
        made = len(self.world.elb.calls)
        with contextlib.suppress(*ERRORS):
            fleet.refresh() if older_than is None else fleet.refresh(older_than=older_than)
            for follower in fleet.begin(attend=attend, limit=limit, handover=handover, event=event):
                task = Task(fleet.work.watch(follower), self.world.clock.now, process, follower.listener.name)
                self.tasks.append(task)
                process.working += 1
        self._judge(process, made)

    def _judge(self, process: Process, made: int) -> None:
        """Looks at what a step did, and takes note of what the process was told."""
        elb = self.world.elb
        calls = [operation for _, operation, _ in elb.calls[made:]]
        assert self.may_empty or not elb.emptied, "a target group that held targets was left without"
        assert not (process.fleet.settings.observe_only and WRITES & set(calls)), f"an observer called {calls}"
        told = fingerprint(self.world) if set(calls) - WRITES else 0
        process.seen = hash((process.seen, self.world.clock.now, told))


class Cache:
    """A resolver's cache of its own: one answer serves until its time to live, counted down, is over."""

    def __init__(self, world: World, ask: Resolver | None = None) -> None:
        self._world = world
        self._ask = ask or world.dns.ask
        self._kept: dict[str, tuple[Answer, float]] = {}

    def ask(self, hostname: str, nameservers: Sequence[NameServer]) -> Answer | Failure:
        """Answers one question."""
        now = self._world.clock.now
        answer, until = self._kept.get(hostname, (None, now))
        if answer is None or until <= now:
            fresh = self._ask(hostname, nameservers)
            if not isinstance(fresh, Answer):
                return fresh
            answer, until = fresh, now + fresh.ttl
            self._kept[hostname] = (answer, until)
        return answer._replace(ttl=until - now)


def fingerprint(world: World) -> int:
    """What the load balancer holds, as one number."""
    rows = tuple(
        (arn, endpoint, row.registered_at, row.draining_at)
        for arn, group in world.elb.groups.items()
        for endpoint, row in sorted(group.rows.items())
    )
    return hash((rows, tuple(tuple(sorted(group.tags.items())) for group in world.elb.groups.values())))


def recorded_world(*addresses: str, poll_interval: float = 5.0) -> World:
    """A group that holds these addresses, all of them the followed name's."""
    world = World(poll_interval)
    world.elb.add(followed=f"{HOST}:5432")
    world.elb.hold("main", *endpoints(addresses))
    world.dns.set(*addresses)
    return world


def _once(action: Callable[[], None]) -> Iterator[float]:
    action()
    yield from ()

"""The function's own code in virtual time: its handler decides, its followers work, and every call takes its time."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any
from unittest import mock

from botocore.exceptions import ClientError, ReadTimeoutError

from benchmarks.world import ATTEMPTS, repeatable
from target_sync import handler
from target_sync.action import Register
from target_sync.pace import Pace
from target_sync.registry import Registry
from target_sync.watch import Fleet, SyncError
from target_sync.work import Work

if TYPE_CHECKING:
    from benchmarks.sandboxes import Event
    from benchmarks.simulation import Steps
    from benchmarks.world import Machine
    from target_sync.action import Deregister, Read, Record
    from target_sync.follower import Follower
    from target_sync.settings import Settings

TIMEOUT = 360.0
"""The function's timeout, in seconds."""

FAILOVER = {"source": "aws.rds", "detail-type": "RDS DB Instance Event"}
"""As much of an event of Amazon RDS as the function looks at."""

WATCH = {"action": "watch"}
"""What the minute rule sends."""


class Log(io.TextIOBase):
    """Standard output, as far as it costs something.

    Attributes:
        lines: How many lines were written.
        size: How many bytes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines = 0
        self.size = 0

    def write(self, text: str, /) -> int:
        """Counts a line."""
        self.lines += text.count("\n")
        self.size += len(text)
        return len(text)


class _Context:
    log_stream_name = "stream"

    def get_remaining_time_in_millis(self) -> int:
        return int(TIMEOUT * 1000)


class _Wishes:
    """Takes down what the handler wants of its fleet, to be done in virtual time afterwards."""

    def __init__(self, settings: Settings, *, fresh: bool) -> None:
        self.settings = settings
        self.fresh = fresh
        self.refreshing: dict[str, Any] = {}
        self.watching: dict[str, Any] = {}

    def itself(self) -> _Wishes:
        return self

    def refresh(self, **arguments: Any) -> None:  # noqa: ANN401  # whatever Fleet.refresh takes
        self.refreshing = arguments

    def watch(self, **arguments: Any) -> None:  # noqa: ANN401  # whatever Fleet.watch takes
        self.watching = arguments


class _Work(Work):
    """The function's work, each call with its time on the way and repeated as botocore does."""

    def __init__(self, registry: Registry, fleet: Fleet, machine: Machine) -> None:
        super().__init__(registry, fleet.members, pace=Pace(), clock=machine.world.simulation)
        self._machine = machine

    def _hear(self, follower: Follower) -> Steps:
        steps = super()._hear(follower)
        yield next(steps) + self._machine.compute(self._machine.world.assumptions.dns_cpu)
        yield next(steps) + self._machine.answering()
        yield from steps

    def _read(self, follower: Follower, action: Read) -> Steps:
        for attempt in range(ATTEMPTS):
            try:
                yield from self._machine.reads(super()._read(follower, action))
            except (ClientError, ReadTimeoutError) as error:
                if attempt == ATTEMPTS - 1 or not repeatable(error):
                    raise
                yield self._machine.backoff(error, attempt)
            else:
                return

    def _change(self, follower: Follower, action: Register | Deregister | Record) -> Steps:
        steps: Steps = iter(())

        def make() -> None:
            nonlocal steps
            steps = super(_Work, self)._change(follower, action)
            next(steps)  # before the call
            next(steps)  # after it

        if isinstance(action, Register):
            yield from self._machine.register(make, [endpoint.address for endpoint in action.endpoints])
        else:
            yield from self._machine.call(type(action).__name__, make)
        yield from steps


class _Fleet(Fleet):
    """A fleet whose work was done already when it is told to watch: what is left is its report."""

    begun: list[Follower]

    def begin(self, **_: Any) -> list[Follower]:  # noqa: ANN401  # whatever Fleet.begin takes
        return self.begun

    def each(self, followers: object, work: object, limit: float) -> set[str]:  # noqa: ARG002
        return set()


class TargetSyncProcess:
    """A process of the function.

    Attributes:
        machine: Its sandbox.
        log: What it wrote.
    """

    def __init__(self, machine: Machine, settings: Settings, log: Log) -> None:
        self.machine = machine
        self.log = log
        self._settings = settings
        world = machine.world
        # The client is the simulation's: same methods, same keywords.
        registry = Registry(world.balancer, settings)  # type: ignore[arg-type]
        self._fleet = _Fleet(settings, registry, ask=machine.ask, clock=world.simulation)
        self._fleet.work = _Work(registry, self._fleet, machine)

    def handle(self, event: Event) -> Steps:
        """Serves one event as `handler.handle` would.

        Raises:
            SyncError: Some listeners failed.
        """
        wishes = _Wishes(self._settings, fresh=self._fleet.fresh)
        with mock.patch.object(handler, "fleet", wishes.itself):
            handler.handle(event, _Context())
        for attempt in range(ATTEMPTS):
            try:
                yield from self.machine.reads(self._refresh(wishes))
            except (ClientError, ReadTimeoutError) as error:
                if attempt == ATTEMPTS - 1 or not repeatable(error):
                    raise SyncError(str(error)) from error
                yield self.machine.backoff(error, attempt)
            else:
                break
        followers = self._fleet.begun = Fleet.begin(self._fleet, **wishes.watching)
        yield from self._quietly(
            self.machine.world.simulation.together(self._fleet.work.watch(follower) for follower in followers)
        )
        with contextlib.redirect_stdout(self.log):
            self._fleet.watch(**wishes.watching)

    def _refresh(self, wishes: _Wishes) -> Steps:
        self._fleet.refresh(**wishes.refreshing)
        yield 0.0

    def _quietly(self, steps: Steps) -> Steps:
        while True:
            with contextlib.redirect_stdout(self.log):
                seconds = next(steps, None)
            if seconds is None:
                return
            yield seconds

"""Doing what a follower wants done: asking the DNS, reading and changing a target group, at the pace AWS allows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from . import registry as aws
from .action import Ask, Deregister, Read, Record, Register
from .log import emit
from .settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from .action import Action
    from .follower import Follower
    from .listener import Listener
    from .members import Members
    from .pace import Pace
    from .registry import Registry
    from .target import Target

    Steps = Iterator[float]

_SHARED_PAUSE_SECONDS = 0.02  # while another one's call is under way that reads this one's tags, too


class Clock(Protocol):
    """The time, in seconds, and waiting for it."""

    def time(self) -> float:
        """The time."""

    def sleep(self, seconds: float, /) -> None:
        """Waits."""


class Work:
    """The work of one process, all listeners together.

    It comes as generators that yield how many seconds to wait before going on: 0 before and after each call, where
    others may come in between. So any order of things can be tried without threads.
    """

    def __init__(
        self, registry: Registry, members: Members, *, pace: Pace, clock: Clock = time, observe_only: bool = False
    ) -> None:
        """Makes no call yet.

        Args:
            registry: The target groups.
            members: How a listener's name is resolved.
            pace: When calls may start.
            clock: The time.
            observe_only: Whether changes are only told, not made.
        """
        self._registry = registry
        self._members = members
        self._pace = pace
        self._clock = clock
        self._observe_only = observe_only

    def watch(self, follower: Follower) -> Steps:
        """Does one listener's work of an invocation."""
        reported = ""
        while True:
            now = self._clock.time()
            action, wake_up = follower.step(now)
            if action is not None:
                yield from self.do(follower, action)
            elif wake_up is None:
                return
            else:
                yield max(0.0, wake_up - now)
            if follower.failure not in ("", reported):
                reported = follower.failure
                emit("ERROR", "listener failed", **subject(follower), cause=reported)

    def look(self, follower: Follower) -> Steps:
        """Takes one look at a listener, and does what follows from it."""
        now = self._clock.time()
        follower.begin(now, attend_until=now, stop_at=float("inf"))
        asked = False
        while (action := follower.step(self._clock.time())[0]) is not None:
            if isinstance(action, Ask) and asked:
                return
            # What had to wait for its turn is decided again, from another answer.
            asked = yield from self.do(follower, action)

    def do(self, follower: Follower, action: Action) -> Generator[float, None, bool]:
        """Does one thing and tells the follower how it went.

        Returns:
            Whether it was done; a change that had to wait for its turn is not, but must be thought over.
        """
        looks_first = self._looks_first(follower, action)
        wait = self._wait(follower, action, use=not looks_first)
        if wait > 0:
            yield wait
            follower.postponed(self._clock.time())
            return False
        if looks_first:
            action = Read(tags=False)
        try:
            if isinstance(action, Ask):
                yield from self._hear(follower)
            elif isinstance(action, Read):
                yield from self._read(follower, action)
            elif self._observe_only:
                self._tell(follower, action)
            else:
                yield from self._change(follower, action)
        except SettingsError as error:
            follower.failed(str(error), self._clock.time())
        except aws.ERRORS as error:
            if aws.code(error) in aws.MISSING:
                follower.missing = True
                emit("WARN", "target group is gone", **subject(follower))
            else:
                doing = type(action).__name__.lower()
                follower.failed(f"{doing} failed: {aws.code(error)}: {error}", self._clock.time())
        return True

    def _looks_first(self, follower: Follower, action: Action) -> bool:
        """Whether another process, one at work beside this one, may have registered that where many have to wait."""
        now = self._clock.time()
        return isinstance(action, Register) and self._pace.crowded(now) and not follower.saw_lately(now)

    def _wait(self, follower: Follower, action: Action, *, use: bool) -> float:
        """How long until a change may be made that the action is or is read for, but not beyond the invocation.

        Args:
            follower: Whose.
            action: What is to be done.
            use: Whether its place is used as soon as it comes, if it is a registration.
        """
        registers, deregisters = isinstance(action, Register), isinstance(action, Deregister)
        # Reading a group only to wait for its turn then would have to be repeated: so the turn is taken before.
        prepares = isinstance(action, Read) and action.tags and action.targets and action.urgent
        if not (registers or deregisters or prepares):
            return 0.0
        now = self._clock.time()
        arn = follower.listener.target_group_arn
        if registers:
            place = self._pace.register(arn, now, use=use)
        else:
            place = self._pace.deregister(arn, now, use=deregisters)
        return min(place, max(follower.stop_at, now)) - now

    def _hear(self, follower: Follower) -> Steps:
        asked_at = self._clock.time()
        yield 0.0
        outcome = self._members.resolve(follower.listener, self._clock.time())
        yield 0.0
        follower.heard(outcome, asked_at, self._clock.time())

    def _read(self, follower: Follower, action: Read) -> Steps:
        arn = follower.listener.target_group_arn
        now = self._clock.time()
        if action.tags and not action.urgent and not self._pace.spare_record(now):
            follower.put_off(now)
            return
        if not action.tags and not action.urgent and not self._pace.spare_read(now):
            return  # still wanted at the next look
        listener: Listener | None = None
        if action.tags:
            while not self._registry.knows(arn, now):
                if self._registry.claim(arn, now):
                    yield self._pace.read(now) - now
                    break
                yield _SHARED_PAUSE_SECONDS
                now = self._clock.time()
            listener = self._registry.listener(arn, self._clock.time())
            yield 0.0
            if listener is None:
                follower.missing = True
                emit("WARN", "target group is no longer followed", **subject(follower))
                return
        targets: tuple[Target, ...] | None = None
        if action.targets:
            now = self._clock.time()
            yield self._pace.read(now) - now if action.urgent else 0.0
            targets = self._registry.targets(arn)
            yield 0.0
        follower.saw(targets, self._clock.time(), listener)

    def _change(self, follower: Follower, action: Register | Deregister | Record) -> Steps:
        listener = follower.listener
        yield 0.0
        if isinstance(action, Register):
            self._registry.register(listener, action.endpoints)
        elif isinstance(action, Deregister):
            self._registry.deregister(listener, action.targets)
        else:
            self._registry.record(listener, action.followed)
        yield 0.0
        fields = told(action)
        if isinstance(action, Register):
            fields["seconds"] = round(self._clock.time() - action.named_at, 3)
        follower.did(action, self._clock.time())
        emit("INFO", "changed", **subject(follower), answer=_answer(follower), **fields)

    def _tell(self, follower: Follower, action: Register | Deregister | Record) -> None:
        if follower.declined(action, self._clock.time()):
            emit("INFO", "would change", **subject(follower), answer=_answer(follower), **told(action))


def subject(follower: Follower) -> dict[str, str]:
    """What a log line is about."""
    return {"listener": follower.listener.name, "hostname": follower.listener.hostname}


def told(action: Register | Deregister | Record) -> dict[str, object]:
    """A change for the log and for people."""
    if isinstance(action, Register):
        return {"registered": list(map(str, action.endpoints)), "cause": action.cause}
    if isinstance(action, Deregister):
        return {"deregistered": [str(target.endpoint) for target in action.targets], "cause": action.cause}
    return {"followed": action.followed}


def _answer(follower: Follower) -> list[str]:
    return sorted(endpoint.address for endpoint in follower.history.latest)

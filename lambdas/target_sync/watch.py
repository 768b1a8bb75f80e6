"""Watching all listeners of a load balancer: each in its own thread, so that none waits for another."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from . import registry as aws
from .action import Ask, Deregister, Read, Record, Register
from .follower import Follower
from .log import emit
from .resolve import resolve
from .settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .action import Action
    from .listener import Listener, NameServer
    from .registry import Registry
    from .resolve import Answer, Failure
    from .settings import Settings

TABLE_SECONDS = 1200.0
"""After so long the list of target groups and their tags are read again.

With one reading of each group's targets every 600 s, this keeps a lone listener at 12 calls an hour.
"""

TROUBLED_SECONDS = 50.0
"""The same while a listener fails."""

_GRACE_SECONDS = 30.0  # for a call that is under way when the time is up: its own bounds are shorter


class SyncError(Exception):
    """Some listeners could not be kept right. Raised after everything else was done, so that Lambda counts an error."""


class Clock(Protocol):
    """The time, in seconds, and waiting for it."""

    def time(self) -> float:
        """The time."""

    def sleep(self, seconds: float, /) -> None:
        """Waits."""


class Fleet:
    """The listeners of one load balancer and what is known of them; kept between invocations.

    Attributes:
        followers: One per target group, by its ARN.
        broken: What is wrong with target groups whose tags cannot be read, by ARN.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        *,
        ask: Callable[[str, Sequence[NameServer]], Answer | Failure] = resolve,
        clock: Clock = time,
    ) -> None:
        """Makes no call yet.

        Args:
            settings: The function's settings.
            registry: The target groups.
            ask: How a name is resolved.
            clock: The time.
        """
        self.settings = settings
        self.registry = registry
        self.followers: dict[str, Follower] = {}
        self.broken: dict[str, str] = {}
        self.clock = clock
        self._ask = ask
        self._read_at = float("-inf")
        self._table_failure = ""

    def refresh(self, *, older_than: float = TABLE_SECONDS) -> None:
        """Reads which listeners there are, unless that was done lately.

        Args:
            older_than: How old the present table may be, in seconds.

        Raises:
            ClientError, BotoCoreError: The table cannot be read and there is none yet.
        """
        now = self.clock.time()
        troubled = any(follower.failure or follower.missing for follower in self.followers.values())
        if self._table_failure or troubled:
            older_than = min(older_than, TROUBLED_SECONDS)  # a deployment may have ended the trouble
        if now < self._read_at + older_than:
            return
        try:
            listeners, self.broken = self.registry.listeners()
        except aws.ERRORS as error:
            self._table_failure = f"the target groups cannot be listed: {aws.code(error)}: {error}"
            if not self.followers:
                raise
            return
        self._read_at = now = self.clock.time()
        self._table_failure = ""
        found = {listener.target_group_arn: listener for listener in listeners}
        self.followers = {
            # A group whose tags cannot be read at the moment keeps what is known of it.
            arn: follower
            for arn, follower in self.followers.items()
            if arn in found or arn in self.broken
        }
        for arn, listener in found.items():
            if arn in self.followers and not self.followers[arn].missing:
                self.followers[arn].configure(listener, now)
            else:
                self.followers[arn] = Follower(listener, poll_interval=self.settings.poll_interval, read_at=now)

    def watch(self, *, attend: float, limit: float, event: bool = False) -> None:
        """Watches all listeners.

        Args:
            attend: How long to watch even if all is quiet, in seconds; 0: one look.
            limit: How long to watch at most, in seconds.
            event: Whether something was announced.

        Raises:
            SyncError: Some listeners are not right, or not known to be.
        """
        start = self.clock.time()
        calls = self.registry.calls
        followers = self.sound()
        for follower in followers:
            follower.begin(start, attend_until=start + attend, stop_at=start + limit, event=event)
        late = self.each(followers, self.run, limit + _GRACE_SECONDS)
        failures = self._failures(late)
        emit(
            "INFO",
            "watched",
            listeners=len(followers),
            looks=sum(follower.looks for follower in followers),
            changes=sum(follower.changes for follower in followers),
            elb_calls=self.registry.calls - calls,
            failures=len(failures),
            seconds=round(self.clock.time() - start, 3),
        )
        if failures:
            named = "; ".join(f"{name}: {why}" for name, why in sorted(failures.items()))
            raise SyncError(f"{len(failures)} of {len(followers) + len(self.broken)} listeners failed: {named}")

    def run(self, follower: Follower) -> None:
        """Does one listener's work of an invocation."""
        reported = ""
        while True:
            now = self.clock.time()
            action, wake_up = follower.step(now)
            if action is not None:
                self.perform(follower, action)
            elif wake_up is None:
                return
            else:
                self.clock.sleep(max(0.0, wake_up - now))
            if follower.failure not in ("", reported):
                reported = follower.failure
                emit("ERROR", "listener failed", **_subject(follower), cause=reported)

    def look(self, follower: Follower) -> None:
        """Takes one look at a listener, and does what follows from it."""
        now = self.clock.time()
        follower.begin(now, attend_until=now, stop_at=float("inf"))
        while (action := follower.step(self.clock.time())[0]) is not None:
            if follower.looks > 1:
                return
            self.perform(follower, action)

    def perform(self, follower: Follower, action: Action) -> None:
        """Does one thing and tells the follower how it went."""
        listener = follower.listener
        try:
            if isinstance(action, Ask):
                asked_at = self.clock.time()
                outcome = self._ask(listener.hostname, listener.nameservers)
                follower.heard(outcome, asked_at, self.clock.time())
            elif isinstance(action, Read):
                self._read(follower, tags=action.tags)
            else:
                self._change(follower, action)
        except SettingsError as error:
            follower.failed(str(error), self.clock.time())
        except aws.ERRORS as error:
            if aws.code(error) in ("TargetGroupNotFound", "TargetGroupNotFoundException"):
                follower.missing = True
                emit("WARN", "target group is gone", **_subject(follower))
                return
            doing = type(action).__name__.lower()
            follower.failed(f"{doing} failed: {aws.code(error)}: {error}", self.clock.time())

    def each(self, followers: Iterable[Follower], work: Callable[[Follower], None], limit: float) -> set[str]:
        """Does something for each listener, all at the same time.

        Returns:
            The names of those not done after `limit` seconds. Their threads are left to themselves, and what they know
            is forgotten: the next invocation starts afresh.
        """
        threads = {
            follower.listener.target_group_arn: threading.Thread(
                target=self._guarded, args=(follower, work), name=follower.listener.name, daemon=True
            )
            for follower in followers
        }
        for thread in threads.values():
            thread.start()
        end = time.monotonic() + limit
        for thread in threads.values():
            thread.join(max(0.0, end - time.monotonic()))
        late = set()
        for arn, thread in threads.items():
            if thread.is_alive():
                self._read_at = float("-inf")
                late.add(thread.name)
                subject = _subject(self.followers.pop(arn))
                emit("ERROR", "listener failed", **subject, cause=f"not done after {limit:g} s")
        return late

    def sound(self) -> list[Follower]:
        """The listeners whose tags can be read; the others are reported."""
        for arn, why in self.broken.items():
            emit("ERROR", "listener failed", target_group=arn, cause=why)
        return [follower for arn, follower in self.followers.items() if arn not in self.broken]

    def _guarded(self, follower: Follower, work: Callable[[Follower], None]) -> None:
        try:
            work(follower)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is this listener's alone and is reported
            follower.failed(f"{type(error).__name__}: {error}", self.clock.time())
            emit("ERROR", "listener failed", **_subject(follower), cause=follower.failure)

    def _read(self, follower: Follower, *, tags: bool) -> None:
        arn = follower.listener.target_group_arn
        listener: Listener | None = None
        if tags:
            listener = self.registry.listener(arn)
            if listener is None:
                follower.missing = True
                emit("WARN", "target group is no longer followed", **_subject(follower))
                return
        targets = self.registry.targets(arn)
        follower.saw(targets, self.clock.time(), listener)

    def _change(self, follower: Follower, action: Register | Deregister | Record) -> None:
        listener = follower.listener
        fields: dict[str, object]
        if isinstance(action, Register):
            self.registry.register(listener, action.endpoints)
            seconds = round(self.clock.time() - action.named_at, 3)
            fields = {"registered": list(map(str, action.endpoints)), "cause": action.cause, "seconds": seconds}
        elif isinstance(action, Deregister):
            self.registry.deregister(listener, action.targets)
            fields = {"deregistered": [str(target.endpoint) for target in action.targets], "cause": action.cause}
        else:
            self.registry.record(listener, action.followed)
            fields = {"followed": action.followed}
        follower.did(action, self.clock.time())
        answer = sorted(endpoint.address for endpoint in follower.history.latest)
        emit("INFO", "changed", **_subject(follower), answer=answer, **fields)

    def _failures(self, late: set[str]) -> dict[str, str]:
        failures = self.broken | dict.fromkeys(late, "not done in time")
        failures |= {
            follower.listener.name: follower.failure
            for follower in self.followers.values()
            if follower.failure and not follower.missing
        }
        if self._table_failure:
            failures["all"] = self._table_failure
        return failures


def _subject(follower: Follower) -> dict[str, str]:
    return {"listener": follower.listener.name, "hostname": follower.listener.hostname}

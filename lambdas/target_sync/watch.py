"""Watching all listeners of a load balancer: each in its own thread, so that none waits for another."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from . import registry as aws
from .follower import Follower
from .log import emit
from .members import Members
from .pace import Pace
from .resolve import resolve
from .work import Work, subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .registry import Registry
    from .resolve import Resolver
    from .settings import Settings
    from .work import Clock, Steps

TABLE_SECONDS = 3600.0
"""After so long the list of target groups and their tags are read again though no deployment announced a change."""

TROUBLED_SECONDS = 50.0
"""The same while a listener fails."""

_GRACE_SECONDS = 30.0  # for a call that is under way when the time is up: its own bounds are shorter


class SyncError(Exception):
    """Some listeners could not be kept right. Raised after everything else was done, so that Lambda counts an error."""


class Fleet:
    """The listeners of one load balancer and what is known of them; kept between invocations.

    Attributes:
        followers: One per target group, by its ARN.
        broken: What is wrong with target groups whose tags cannot be read, by ARN.
        members: How names are resolved.
        work: How things are done.
        table_failure: Why it could not be read last which listeners there are; empty: it could.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        *,
        ask: Resolver = resolve,
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
        self.members = Members(ask)
        self._pace = Pace()
        self.work = Work(registry, self.members, pace=self._pace, clock=clock, observe_only=settings.observe_only)
        self._read_at = float("-inf")
        self._edition = ""
        self.table_failure = ""

    def observer(self) -> Work:
        """How things are looked at: nothing is known from before, and changes are only told."""
        return Work(self.registry, self.members.afresh(), pace=self._pace, clock=self.clock, observe_only=True)

    @property
    def fresh(self) -> bool:
        """Whether nothing is known yet."""
        return not self.followers and not self.broken

    def refresh(self, *, older_than: float = TABLE_SECONDS, edition: str = "") -> None:
        """Reads which listeners there are, unless that was done lately.

        Args:
            older_than: How old the present table may be, in seconds.
            edition: What the deployment calls the table as it is now: another one than before is read at once.

        Raises:
            ClientError, BotoCoreError: The table cannot be read and there is none yet.
        """
        now = self.clock.time()
        troubled = any(follower.failure or follower.missing for follower in self.followers.values())
        if self.table_failure or troubled:
            older_than = min(older_than, TROUBLED_SECONDS)  # a deployment may have ended the trouble
        if now < self._read_at + older_than and edition in ("", self._edition):
            return
        try:
            listeners, self.broken = self.registry.listeners(now)
        except aws.ERRORS as error:
            self.table_failure = f"the target groups cannot be listed: {aws.code(error)}: {error}"
            if not self.followers:
                raise
            return
        self._read_at = now = self.clock.time()
        self.table_failure = ""
        self._edition = edition or self._edition
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

    def watch(self, *, attend: float, limit: float, handover: float = 0.0, event: bool = False) -> None:
        """Watches all listeners.

        Args:
            attend: How long to watch even if all is quiet, in seconds; 0: one look.
            limit: How long to watch at most, in seconds.
            handover: How long to watch at most if other processes may not have heard of a change, in seconds.
            event: Whether something was announced.

        Raises:
            SyncError: Some listeners are not right, or not known to be.
        """
        calls = self.registry.calls
        followers = self.begin(attend=attend, limit=limit, handover=handover, event=event)
        start = self.clock.time()
        late = self.each(followers, self.run, max(limit, handover) + _GRACE_SECONDS)
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

    def begin(self, *, attend: float, limit: float, handover: float = 0.0, event: bool = False) -> list[Follower]:
        """Starts an invocation for all listeners; arguments as for `watch`.

        Returns:
            The listeners to work on.
        """
        now = self.clock.time()
        followers = self.sound()
        for follower in followers:
            follower.begin(
                now, attend_until=now + attend, stop_at=now + limit, handover_until=now + handover, event=event
            )
        return followers

    def run(self, follower: Follower) -> None:
        """Does one listener's work of an invocation."""
        self.go(self.work.watch(follower))

    def go(self, steps: Steps) -> None:
        """Does some work now, waiting where it has to."""
        for seconds in steps:
            if seconds:
                self.clock.sleep(seconds)

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
                about = subject(self.followers.pop(arn))
                emit("ERROR", "listener failed", **about, cause=f"not done after {limit:g} s")
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
            emit("ERROR", "listener failed", **subject(follower), cause=follower.failure)

    def _failures(self, late: set[str]) -> dict[str, str]:
        failures = self.broken | dict.fromkeys(late, "not done in time")
        failures |= {
            follower.listener.name: follower.failure
            for follower in self.followers.values()
            if follower.failure and not follower.missing
        }
        if self.table_failure:
            failures["all"] = self.table_failure
        return failures

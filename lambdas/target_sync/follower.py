"""Following one listener: what is known, and what to do next. No input or output, no clock, no sleep."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from .action import Ask, Deregister, Read, Record, Register
from .history import History
from .plan import plan
from .resolve import Answer
from .target import Target

if TYPE_CHECKING:
    from .action import Action
    from .listener import Listener
    from .plan import Change
    from .resolve import Failure
    from .target import Endpoint

CLOSE_SECONDS = 1.0
"""Between two looks while something is happening, and the least between any two, in seconds."""

EVENT_SECONDS = 300.0
"""How long to look closely when nothing settles: at first an event's name still gives the old answer."""

FLAPPING_SECONDS = 60.0
"""How long to look closely after a change: an Aurora cluster's name was seen to go back and forth for 20 to 30 s."""

LEAST_SECONDS = 0.5
"""The same where the resolver's cache says that its answer is over in less than a second."""

FAILING_SECONDS = 30.0
"""How long to look closely when a name that answered before does not answer any more."""

DISPUTED_SECONDS = 15.0
"""After a change of the answer the group is read with each look: other processes may not know the answer yet."""

RECONCILE_SECONDS = 600.0
"""So often a target group is read again though nothing changed, by whichever process is at work at that time."""

ALONE_SECONDS = 90.0
"""An invocation that begins so long after the one before had others in between, in another process."""

TURN_SECONDS = 60.0
"""How long it is that time: another process, which looks in the next minute, leaves it at that."""

FRESH_SECONDS = 2.0
"""What was read longer ago is read again before anything is changed."""

_HEALTH_SECONDS = 10.0  # between two reads while waiting for a target's health
_SLOW_SECONDS = 5.0  # what a question and a call of another process may take
_RETRY_SECONDS = 60.0  # the most between two attempts at what keeps failing


class Follower:
    """Keeps one target group right, driven from outside.

    Call `step`, do what it says, tell the result (`heard`, `saw`, `did` or `failed`), and so on; when it says nothing,
    call it again at the time it gave. Times are seconds of any one clock.

    Attributes:
        listener: What is followed, as last read.
        targets: The target group's rows, as last read or changed; None before the first time.
        outcome: What the latest question gave; None before the first.
        history: The answers to the present host name and port.
        missing: Whether the target group turned out to be no longer ours, or deleted.
        waiting: Targets that stay until a successor is healthy.
        looks: How many questions were asked since `begin`.
        changes: How many changes were made since `begin`.
        stop_at: When the invocation ends.
    """

    def __init__(self, listener: Listener, *, poll_interval: float, read_at: float = float("-inf")) -> None:
        """Starts with nothing known but the tags.

        Args:
            listener: What to follow.
            poll_interval: The longest time between two looks, in seconds.
            read_at: When the tags were read.
        """
        self.listener = listener
        self.targets: tuple[Target, ...] | None = None
        self.outcome: Answer | Failure | None = None
        self.history = History()
        self.missing = False
        self.waiting: tuple[Target, ...] = ()
        self.looks = 0
        self.changes = 0
        self._poll_interval = poll_interval
        self._tags_at = read_at
        self._targets_at = float("-inf")
        self._reread_at = float("-inf")
        self._retry_at = float("-inf")
        self._failures = 0
        self._dns_failure = ""
        self._aws_failure = ""
        self._queue: list[Action] = []
        self._look_at = float("-inf")
        self._attend_until = float("-inf")
        self.stop_at = float("-inf")
        self._event_at: float | None = None
        self._begun_at = float("-inf")
        self._unseen = False
        self._declined: Action | None = None
        self._record_at = float("-inf")

    @property
    def failure(self) -> str:
        """What went wrong and was not made good since; empty: nothing."""
        return "; ".join(filter(None, (self._dns_failure, self._aws_failure)))

    def begin(self, now: float, *, attend_until: float, stop_at: float, event: bool = False) -> None:
        """Starts an invocation: the first look is due at once, and so is what failed before.

        Args:
            now: The time.
            attend_until: Keep looking until then even if all is quiet.
            stop_at: Take no further step from then on.
            event: Whether something was announced: then look closely until it settled.
        """
        if event or self._event_at is not None or now > self._begun_at + ALONE_SECONDS:
            self._reread_at = now  # another process is at work beside this one, or was: it may have changed the group
        self._attend_until, self.stop_at = attend_until, stop_at
        self._begun_at = now
        self._event_at = now if event else None
        self._look_at = now
        self._queue.clear()
        self._retry_at, self._failures = now, 0
        self._dns_failure = self._aws_failure = ""
        self.looks = self.changes = 0

    def step(self, now: float) -> tuple[Action | None, float | None]:
        """Says what to do next.

        Returns:
            What to do now, or None; and when to ask again if there is nothing, or None if the invocation's work is
            done.
        """
        if self.missing:
            return None, None
        if self._queue:  # what was begun is finished
            return self._next(now), now
        if now < self.stop_at and now >= self._look_at:
            self._look_at = now + CLOSE_SECONDS
            self.looks += 1
            return Ask(), now
        if now < self._attend_until:  # the last look is as late as can be: the next invocation's is some time away
            self._look_at = min(self._look_at, self._attend_until)
        quiet = now >= self._attend_until and not self.close(now) and not self._unseen
        return None, None if quiet or max(now, self._look_at) >= self.stop_at else self._look_at

    def heard(self, outcome: Answer | Failure, asked_at: float, now: float) -> None:
        """Takes the result of `Ask`.

        Args:
            outcome: What came.
            asked_at: When the question was asked.
            now: The time.
        """
        self.outcome = outcome
        if not isinstance(outcome, Answer):
            self._dns_failure = f"{outcome.outcome.value}: {outcome.detail}"
            # A name may be gone for a moment while it changes: for a while it is asked as closely as then.
            lately = now < self.history.at + FAILING_SECONDS and bool(self.history.latest)
            self._look_at = asked_at + (CLOSE_SECONDS if lately else self._interval(now, self._poll_interval))
            return
        refusals = self.listener.refusals(outcome.addresses)
        named = outcome.addresses - {refusal.address for refusal in refusals}
        self._dns_failure = "; ".join(refusal.why for refusal in refusals)
        if named:
            self.history = self.history.answered(map(self.listener.endpoint, named), outcome.ttl, now)
            self._decide(now)
        self._look_at = asked_at + self._interval(now, outcome.ttl)

    def saw(self, targets: tuple[Target, ...] | None, now: float, listener: Listener | None) -> None:
        """Takes the result of `Read`.

        Args:
            targets: All rows of the target group, if they were read.
            now: The time.
            listener: What the tags say, if they were read.
        """
        if targets is None:
            if listener is not None:
                self._configure(listener, now)
        else:
            self._look_into(targets, now, listener)
        if self.history.latest:
            self._decide(now)
        if not self._queue:
            self._failures, self._aws_failure = 0, ""

    def _look_into(self, targets: tuple[Target, ...], now: float, listener: Listener | None) -> None:
        before = None if self.targets is None else self._registered()
        self.targets = targets
        self._targets_at = now
        self._reread_at = float("inf")
        self._unseen = False
        if listener is not None and self._configure(listener, now):
            before = None
        self.history = self.history.holding(self._registered(), before=before, steady=self._steady())

    def did(self, action: Action, now: float) -> None:
        """Takes note that a change was made."""
        self.changes += 1
        targets = self.targets or ()
        if isinstance(action, Register):
            kept = tuple(target for target in targets if target.endpoint not in action.endpoints)
            self.targets = kept + tuple(Target(endpoint, "initial") for endpoint in action.endpoints)
        elif isinstance(action, Deregister):
            self.targets = tuple(
                replace(target, state="draining") if target in action.targets else target for target in targets
            )
        elif isinstance(action, Record):
            self.listener = self.listener.recorded(action.followed)
        self._failures, self._aws_failure = 0, ""
        self._reread_at, self._unseen = now, True  # others may have changed it too: the next look sees

    def failed(self, error: str, now: float) -> None:
        """Takes note that an action could not be done. It is tried again later: 1, 2, 4 ... at most 60 s."""
        self._aws_failure = error
        self._queue.clear()
        self._retry_at = now + min(_RETRY_SECONDS, CLOSE_SECONDS * 2.0 ** min(self._failures, 10))
        self._failures += 1

    def postponed(self, now: float) -> None:
        """Takes note that a change had to wait for its turn: it is decided again from another look."""
        self._queue.clear()
        self._look_at = now

    def put_off(self, now: float) -> None:
        """Takes note that the `followed` tag had better be written later."""
        self._record_at = now + _HEALTH_SECONDS

    def declined(self, action: Action, now: float) -> bool:
        """Takes note that a change is not to be made, only to be told.

        Returns:
            Whether it is another one than last time.
        """
        self._queue.clear()
        self._retry_at = now + _RETRY_SECONDS
        new, self._declined = action != self._declined, action
        return new

    def configure(self, listener: Listener, now: float) -> None:
        """Takes tags that were read elsewhere."""
        self._configure(listener, now)

    def wanted(self) -> frozenset[Endpoint]:
        """What the latest answer names and is allowed."""
        return frozenset(found for found in self.history.latest if self.listener.allows(found.address))

    def close(self, now: float) -> bool:
        """Whether to look closely.

        After an event: until something changed, at most for 5 minutes. After a change: until it settled, and then for
        a while, since names were seen to go back and forth, and since another process that has not heard of the change
        yet must not believe later that nothing happened.
        """
        history = self.history
        if self._event_at is not None and now < self._event_at + EVENT_SECONDS and not history.changed(self._event_at):
            return True
        if history.changed() and now < history.same.since + max(
            FLAPPING_SECONDS, self._poll_interval + history.same.ttl + _SLOW_SECONDS
        ):
            return True
        recent = bool(history.latest) and now < history.stirred() + EVENT_SECONDS
        return recent and self.unsettled()

    def unsettled(self) -> bool:
        """Whether the target group is not, or not yet known to be, exactly what the name stands for."""
        return not self.listener.role_change or self._registered() != self.history.latest or self.history.changing()

    def _configure(self, listener: Listener, now: float) -> bool:
        """Takes new tags; whether another name or port is to be followed from now on."""
        old, self.listener, self._tags_at = self.listener, listener, now
        if (old.record, old.nameservers, old.members) != (listener.record, listener.nameservers, listener.members):
            self._look_at = now
        if old.record == listener.record:
            return False
        self.history = History()
        self._queue.clear()
        if self.targets is not None:
            self.history = self.history.holding(self._registered())
        return True

    def _decide(self, now: float) -> None:
        self._queue.clear()
        if now < self._retry_at:
            return
        if self.targets is None:
            self._queue.append(Read(tags=now > self._tags_at + FRESH_SECONDS))
            return
        change = plan(self.history, self.targets, self.listener)
        self.waiting = change.waiting
        actions = self._actions(change, now)
        if actions:
            self._queue += actions
        elif now >= self._reread_at or self._turn(now) or self._waits_for_news(now):
            self._queue.append(Read(tags=False, urgent=False))

    def _next(self, now: float) -> Action:
        action = self._queue.pop(0)
        if isinstance(action, Read) or self._fresh(action, now):
            return action
        # Somebody else may have changed the group since it was read: what to do is decided again from what it holds.
        self._queue.clear()
        return Read(tags=True, targets=not isinstance(action, Register), urgent=not isinstance(action, Record))

    def _actions(self, change: Change, now: float) -> list[Action]:
        found: list[Action] = []
        if change.register:
            named_at = min(self.history.known[endpoint].entered for endpoint in change.register)
            found.append(Register(change.register, change.cause, named_at))
        if change.deregister:
            found.append(Deregister(change.deregister, change.cause))
        if change.record is not None and now >= self._record_at:
            found.append(Record(change.record))
        return found

    def _turn(self, now: float) -> bool:
        """Whether the group is to be read again by whoever is at work now; each group has its own time."""
        since = (now + zlib.crc32(self.listener.target_group_arn.encode())) % RECONCILE_SECONDS
        return since < TURN_SECONDS and self._targets_at < now - since

    def _waits_for_news(self, now: float) -> bool:
        """Whether something may happen to the group that is worth a look: others' changes, a target's health."""
        if self.history.changed() and now < self.history.same.since + DISPUTED_SECONDS:
            return self._targets_at < self.history.at  # once for each look
        patience = _HEALTH_SECONDS if self.close(now) else _RETRY_SECONDS
        return bool(self.waiting) and now >= self._targets_at + patience

    def _fresh(self, action: Action, now: float) -> bool:
        read_at = self._tags_at if isinstance(action, Register) else min(self._tags_at, self._targets_at)
        return now <= read_at + FRESH_SECONDS

    def _steady(self) -> bool:
        """Whether what the group holds tells that the name gives all its addresses in every answer.

        It is recorded, or the group was filled with all that the name stands for: one address, or just what one answer
        names.
        """
        registered = self._registered()
        filled = len(registered) == 1 or registered == self.history.latest
        return self.listener.role_change and (self.listener.steady or filled)

    def _interval(self, now: float, ttl: float) -> float:
        if self.close(now):
            return max(LEAST_SECONDS, min(ttl, CLOSE_SECONDS))
        return max(CLOSE_SECONDS, min(ttl, self._poll_interval))

    def _registered(self) -> frozenset[Endpoint]:
        return frozenset(target.endpoint for target in self.targets or () if target.registered)

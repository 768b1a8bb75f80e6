"""Following one listener: what is known, and what to do next. No input or output, no clock, no sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .action import Ask, Deregister, Read, Record, Register
from .attention import CLOSE_SECONDS, OVERLAP_SECONDS, Attention
from .group import FRESH_SECONDS, Group
from .history import History
from .plan import plan
from .resolve import Answer

if TYPE_CHECKING:
    from .action import Action
    from .listener import Listener
    from .plan import Change
    from .resolve import Failure
    from .target import Endpoint, Target

DISPUTED_SECONDS = 15.0
"""After a change of the answer the group is read with each look: other processes may not know the answer yet."""

_HEALTH_SECONDS = 10.0  # between two reads while waiting for a target's health
_RETRY_SECONDS = 60.0  # the most between two attempts at what keeps failing, or between two tellings of a change


class Follower:
    """Keeps one target group right, driven from outside.

    Call `step`, do what it says, tell the result (`heard`, `saw`, `did` or `failed`), and so on; when it says nothing,
    call it again at the time it gave. Times are seconds of any one clock.

    Attributes:
        listener: What is followed, as last read.
        outcome: What the latest question gave; None before the first.
        history: The answers to the present host name and port.
        missing: Whether the target group turned out to be no longer ours, or deleted.
        waiting: Targets that stay until a successor is healthy.
        changes: How many changes were made since `begin`.
    """

    def __init__(self, listener: Listener, *, poll_interval: float, read_at: float = float("-inf")) -> None:
        """Starts with nothing known but the tags.

        Args:
            listener: What to follow.
            poll_interval: The longest time between two looks, in seconds.
            read_at: When the tags were read.
        """
        self.listener = listener
        self.outcome: Answer | Failure | None = None
        self.history = History()
        self.missing = False
        self.waiting: tuple[Target, ...] = ()
        self.changes = 0
        self._attention = Attention(poll_interval)
        self._group = Group(listener.target_group_arn, tags_at=read_at)
        self._queue: list[Action] = []
        self._told: dict[type, Action] = {}
        self._retry_at = self._record_at = float("-inf")
        self._failures = 0
        self._dns_failure = self._aws_failure = ""

    @property
    def targets(self) -> tuple[Target, ...] | None:
        """The target group's rows, as last read or changed; None before the first time."""
        return self._group.targets

    @property
    def looks(self) -> int:
        """How many questions were asked since `begin`."""
        return self._attention.looks

    @property
    def stop_at(self) -> float:
        """When the invocation ends."""
        return self._attention.stop_at

    @property
    def failure(self) -> str:
        """What went wrong and was not made good since; empty: nothing."""
        return "; ".join(filter(None, (self._dns_failure, self._aws_failure)))

    def begin(
        self, now: float, *, attend_until: float, stop_at: float, handover_until: float = 0.0, event: bool = False
    ) -> None:
        """Starts an invocation: the first look is due at once, and so is what failed before.

        Args:
            now: The time.
            attend_until: Keep looking until then even if all is quiet.
            stop_at: Take no further step from then on.
            handover_until: But do until then, if other processes may not have heard of a change of the answer.
            event: Whether something was announced: then look closely until it settled.
        """
        others = self._attention.begin(
            now, attend_until=attend_until, stop_at=stop_at, handover_until=handover_until, event=event
        )
        if others:
            self._group.again(now)
            self._group.doubt(now + OVERLAP_SECONDS)
        self._queue.clear()
        self._retry_at, self._failures = now, 0
        self._dns_failure = self._aws_failure = ""
        self.changes = 0

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
        if self._attention.due(now, self.history):
            return Ask(), now
        busy = self._closely(now) or self._group.unseen or self._attention.hands_over(now, self.history)
        return None, self._attention.wake_up(now, busy=busy)

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
            self._attention.failed(asked_at, now, self.history, closely=self._closely(now))
            return
        refusals = self.listener.refusals(outcome.addresses)
        named = outcome.addresses - {refusal.address for refusal in refusals}
        self._dns_failure = "; ".join(refusal.why for refusal in refusals)
        if named:
            self.history = self.history.answered(map(self.listener.endpoint, named), outcome.ttl, now)
            self._decide(now)
        self._attention.heard(asked_at, outcome.ttl, closely=self._closely(now))

    def saw(self, targets: tuple[Target, ...] | None, now: float, listener: Listener | None) -> None:
        """Takes the result of `Read`.

        Args:
            targets: All rows of the target group, if they were read.
            now: The time.
            listener: What the tags say, if they were read.
        """
        before = None if self.targets is None else self._group.registered()
        if targets is not None:
            self._group.saw(targets, now)
        if listener is not None and self.configure(listener, now):
            before = None
        if targets is not None:
            self.history = self.history.holding(self._group.registered(), before=before, steady=self._steady())
        if self.history.latest:
            self._decide(now)
        if not self._queue:
            self._failures, self._aws_failure = 0, ""

    def did(self, action: Action, now: float) -> None:
        """Takes note that a change was made."""
        self.changes += 1
        self._group.did(action, now)
        if isinstance(action, Record):
            self.listener = self.listener.recorded(action.followed)
        self._failures, self._aws_failure = 0, ""

    def failed(self, error: str, now: float) -> None:
        """Takes note that an action could not be done. It is tried again later: 1, 2, 4 ... at most 60 s."""
        self._aws_failure = error
        self._queue.clear()
        self._retry_at = now + min(_RETRY_SECONDS, CLOSE_SECONDS * 2.0 ** min(self._failures, 10))
        self._failures += 1

    def postponed(self, now: float) -> None:
        """Takes note that a change had to wait for its turn: it is decided again from another look."""
        self._queue.clear()
        self._attention.again(now)

    def saw_lately(self, now: float) -> bool:
        """Whether the target group was read so lately that what to change is decided from that."""
        return now <= self._group.read_at + FRESH_SECONDS

    def put_off(self, now: float) -> None:
        """Takes note that the `followed` tag had better be written later."""
        self._record_at = now + _HEALTH_SECONDS

    def declined(self, action: Action, now: float) -> bool:
        """Takes note that a change is not to be made, only to be told; it is not wanted any more then.

        Returns:
            Whether it is another one than last time.
        """
        self._queue.clear()
        self._retry_at = now + _RETRY_SECONDS
        new = action != self._told.get(type(action))
        self._told[type(action)] = action
        return new

    def configure(self, listener: Listener, now: float) -> bool:
        """Takes tags that were read.

        Returns:
            Whether another name or port is to be followed from now on.
        """
        old, self.listener, self._group.tags_at = self.listener, listener, now
        if (old.record, old.nameservers, old.members) != (listener.record, listener.nameservers, listener.members):
            self._attention.again(now)
        if old.record == listener.record:
            return False
        self.history = History()
        self._queue.clear()
        self._told.clear()
        if self.targets is not None:
            self.history = self.history.holding(self._group.registered())
        return True

    def wanted(self) -> frozenset[Endpoint]:
        """What the latest answer names and is allowed."""
        return frozenset(found for found in self.history.latest if self.listener.allows(found.address))

    def right(self) -> bool:
        """Whether the target group is known to be what the name stands for, or all that it lacks was told."""
        if self.history.changing():
            return False
        return bool(self._told) or (self.listener.already_followed and self._group.registered() == self.history.latest)

    def _closely(self, now: float) -> bool:
        return self._attention.closely(now, self.history, right=self.right())

    def _decide(self, now: float) -> None:
        self._queue.clear()
        if now < self._retry_at:
            return
        if self.targets is None:
            self._queue.append(Read(tags=now > self._group.tags_at + FRESH_SECONDS))
            return
        change = plan(self.history, self.targets, self.listener)
        self.waiting = change.waiting
        self._queue += self._actions(change, now)
        if not self._queue and (self._group.due(now) or self._waits_for_news(now)):
            self._queue.append(Read(tags=False, urgent=False))

    def _next(self, now: float) -> Action:
        action = self._queue.pop(0)
        if self._group.fresh(action, now):
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
        self._told = {kind: told for kind, told in self._told.items() if told in found}
        return [action for action in found if action != self._told.get(type(action))]

    def _waits_for_news(self, now: float) -> bool:
        """Whether something may happen to the group that is worth a look: others' changes, a target's health."""
        if self.history.changed() and now < self.history.identical.since + DISPUTED_SECONDS:
            return self._group.read_at < self.history.at  # once for each look
        patience = _HEALTH_SECONDS if self._closely(now) else _RETRY_SECONDS
        return bool(self.waiting) and not self._told and now >= self._group.read_at + patience

    def _steady(self) -> bool:
        """Whether what the group holds tells that the name gives all its addresses in every answer.

        It is recorded, or the group was filled with all that the name stands for: one address, or just what one answer
        names.
        """
        registered = self._group.registered()
        filled = len(registered) == 1 or registered == self.history.latest
        return self.listener.already_followed and (self.listener.steady or filled)

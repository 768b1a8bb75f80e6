"""When to look at a listener next: seldom while nothing happens, closely while something does. No clock, no sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .history import History

CLOSE_SECONDS = 1.0
"""Between two close looks, and the least between any two others, in seconds."""

LEAST_SECONDS = 0.5
"""The least between two close looks, where the resolver's cache says that its answer is over so soon."""

EVENT_SECONDS = 300.0
"""How long to look closely when nothing settles: at first an event's name still gives the old answer."""

FLAPPING_SECONDS = 60.0
"""How long to look closely after a change: an Aurora cluster's name was seen to go back and forth for 20 to 30 s."""

FAILING_SECONDS = 30.0
"""How long to look closely when a name that answered before does not answer any more."""

WARY_SECONDS = 600.0
"""So long after a change other processes may be kept that have not heard of it; Lambda gives up idle ones some time."""

HANDOVER_SECONDS = 75.0
"""So long the minute rule's invocation may go on then: the next one has looked by that time, be it 15 s late."""

OVERLAP_SECONDS = HANDOVER_SECONDS - 60.0
"""So long after its own start a process may have another one beside it, which hands over."""

_SLOW_SECONDS = 5.0  # what a question and a call of another process may take


class Attention:
    """How closely one listener is looked at. Times are seconds of any one clock.

    Attributes:
        stop_at: When the invocation ends: no look is taken from then on.
        looks: How many were taken in this invocation.
    """

    def __init__(self, poll_interval: float) -> None:
        """Looks at nothing yet.

        Args:
            poll_interval: The longest time between two looks, in seconds.
        """
        self.stop_at = float("-inf")
        self.looks = 0
        self._poll_interval = poll_interval
        self._look_at = float("-inf")
        self._attend_until = self._handover_until = float("-inf")
        self._begun_at = float("-inf")
        self._event_at: float | None = None

    def begin(self, now: float, *, attend_until: float, stop_at: float, handover_until: float, event: bool) -> bool:
        """Starts an invocation: the first look is due at once.

        Args:
            now: The time.
            attend_until: Keep looking until then even if all is quiet.
            stop_at: Take no look from then on.
            handover_until: But do until then, if others may not have heard of a change.
            event: Whether something was announced.

        Returns:
            Whether another process may have changed the group: one is at work beside this one, or this one was away.
        """
        others = event or self._event_at is not None or now > self._begun_at + WARY_SECONDS
        self._attend_until, self.stop_at, self._handover_until = attend_until, stop_at, handover_until
        self._begun_at = now
        self._event_at = now if event else None
        self._look_at = now
        self.looks = 0
        return others

    def due(self, now: float, history: History) -> bool:
        """Whether to look now. That counts as the look; when the next one is due is told by what comes of it."""
        if self.hands_over(now, history):
            self.stop_at = max(self.stop_at, self._handover_until)
        if now >= self.stop_at or now < self._look_at:
            return False
        self._look_at = now + CLOSE_SECONDS
        self.looks += 1
        return True

    def wake_up(self, now: float, *, busy: bool) -> float | None:
        """When to look next; None: the invocation's work is done.

        Args:
            now: The time.
            busy: Whether something goes on.
        """
        if now < self._attend_until:  # the last look is as late as can be: the next invocation's is some time away
            self._look_at = min(self._look_at, self._attend_until)
        elif not busy:
            return None
        return None if max(now, self._look_at) >= self.stop_at else self._look_at

    def again(self, now: float) -> None:
        """Looks again at once: what the answer is for, or what hangs on it, is another thing now."""
        self._look_at = now

    def heard(self, asked_at: float, ttl: float, *, closely: bool) -> None:
        """Takes note of an answer: before its time to live is over, a resolver's cache gives no other one.

        Args:
            asked_at: When the question was asked.
            ttl: What is left of the answer's time to live, in seconds.
            closely: Whether to look closely.
        """
        if closely:
            self._look_at = asked_at + max(LEAST_SECONDS, min(ttl, CLOSE_SECONDS))
        else:
            self._look_at = asked_at + max(CLOSE_SECONDS, min(ttl, self._poll_interval))

    def failed(self, asked_at: float, now: float, history: History, *, closely: bool) -> None:
        """Takes note of a question without an answer: for a while it is asked as closely as while the name changes."""
        lately = now < history.at + FAILING_SECONDS and bool(history.latest)
        self.heard(asked_at, CLOSE_SECONDS if lately else self._poll_interval, closely=closely)

    def hands_over(self, now: float, history: History) -> bool:
        """Whether to stay until the next invocation has looked, which may be served by another process.

        That one may last have heard what was answered before a change. If the name goes back to that between this
        one's last look and its first one, it sees no change and no reason to read the group.
        """
        return now < self._handover_until and history.changed() and now < history.identical.since + WARY_SECONDS

    def closely(self, now: float, history: History, *, right: bool) -> bool:
        """Whether to look closely.

        After an event: until something changed, at most for 5 minutes. After a change: until it settled, and then for
        a while, since names were seen to go back and forth, and since another process that has not heard of the change
        yet must not believe later that nothing happened. While the target group is not right: for 5 minutes after the
        last news.

        Args:
            now: The time.
            history: The answers.
            right: Whether nothing is left to do, as far as is known.
        """
        if self._event_at is not None and now < self._event_at + EVENT_SECONDS and not history.changed(self._event_at):
            return True
        seen_by_all = self._poll_interval + history.identical.ttl + _SLOW_SECONDS
        if history.changed() and now < history.identical.since + max(FLAPPING_SECONDS, seen_by_all):
            return True
        return not right and bool(history.latest) and now < history.news_at() + EVENT_SECONDS

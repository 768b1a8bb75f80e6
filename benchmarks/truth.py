"""What was right at each moment, by the zone alone: no function's own view counts."""

from __future__ import annotations

import bisect
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.names import Zone

    Addresses = frozenset[str]
    Timeline = Sequence[tuple[float, Addresses]]

CONFIRMING_LOOKS = 3


def confirmation_window(*, ttl: float, poll_interval: float) -> float:
    """How long a changed answer may stay unconfirmed, in seconds.

    A cache may give the old answer for a time to live; then three looks in a row, a poll interval apart, must agree.
    """
    return ttl + CONFIRMING_LOOKS * poll_interval


class Truth:
    """What a name stood for.

    An answer is settled once it has been the zone's for a confirmation window. A moment without addresses says nothing:
    the answer before it goes on.
    """

    def __init__(self, zone: Zone, *, ttl: float, poll_interval: float) -> None:
        """Takes the zone's changes.

        Args:
            zone: The name.
            ttl: How long a cache may give an answer that is no longer the zone's, in seconds.
            poll_interval: How far apart a function that keeps its promise asks at most, in seconds.
        """
        spans: list[tuple[float, Addresses]] = []
        for when, value in zip(zone.times, zone.values, strict=True):
            if isinstance(value, frozenset) and (not spans or spans[-1][1] != value):
                spans.append((when, value))
        self._from = [when for when, _ in spans]
        self._values = [value for _, value in spans]
        self._window = confirmation_window(ttl=ttl, poll_interval=poll_interval)
        self._unseen = ttl + poll_interval

    def settled(self, when: float) -> Addresses:
        """The answer that held longest ago for a whole window without another one having done so since."""
        for number in reversed(range(len(self._from))):
            end = self._from[number + 1] if number + 1 < len(self._from) else float("inf")
            confirmed = self._from[number] + self._window
            if confirmed <= min(end, when):
                return self._values[number]
        return self._values[0]

    def named(self, when: float, within: float) -> Addresses:
        """All that the zone named at some time in the last so many seconds."""
        first = max(0, bisect.bisect_right(self._from, when - within) - 1)
        last = bisect.bisect_right(self._from, when)
        return frozenset().union(*self._values[first:last])

    def wrong(self, when: float, registered: Addresses) -> bool:
        """Whether a target group that holds this is wrong.

        It is if an address is registered that is neither the settled answer nor was named within the window, or if no
        address of the settled answer is registered, nor of one that the zone gave so lately that a function which asks
        once per poll interval, behind a cache, need not know better.
        """
        settled = self.settled(when)
        if registered - settled - self.named(when, self._window):
            return True
        return not registered & (settled | self.named(when, self._unseen))

    def wrong_seconds(self, held: Timeline, start: float, end: float) -> float:
        """For how many seconds of a time a target group was wrong.

        Args:
            held: What it held from when on, in order.
            start: From then.
            end: Until then.
        """
        moments = {start, end, *(when for when, _ in held)}
        for when in self._from:
            moments |= {when, when + self._unseen, when + self._window}
        inside = sorted(moment for moment in moments if start <= moment <= end)
        times = [when for when, _ in held]
        total = 0.0
        for moment, following in itertools.pairwise(inside):
            registered = held[bisect.bisect_right(times, moment) - 1][1]
            total += following - moment if self.wrong(moment, registered) else 0.0
        return total

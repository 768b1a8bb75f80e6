"""A DNS zone whose answers change at known times, and the resolvers' caches in front of it."""

from __future__ import annotations

import bisect
import math
from typing import TYPE_CHECKING

from target_sync.resolve import Answer, Failure, Outcome

if TYPE_CHECKING:
    import random

    from benchmarks.assumptions import Assumptions

    Value = frozenset[str] | Outcome


class Zone:
    """One name as the zone's own servers answer it.

    Attributes:
        times: When it changed, in seconds.
        values: What it answers from then on: addresses, or why there are none.
    """

    def __init__(self, value: Value) -> None:
        self.times = [float("-inf")]
        self.values: list[Value] = [value]

    def change(self, when: float, value: Value) -> None:
        """Has it answer something else from a moment on, later than all others."""
        if self.times[-1] >= when:
            raise ValueError(f"a change at {when:g} after one at {self.times[-1]:g}")
        self.times.append(when)
        self.values.append(value)

    def at(self, when: float) -> Value:
        """What it answers."""
        return self.values[bisect.bisect_right(self.times, when) - 1]


class Cache:
    """One resolver's cache for one name, which others ask too.

    Attributes:
        kept: What it held: from when until when, and what.
    """

    def __init__(self, zone: Zone, assumptions: Assumptions, rng: random.Random) -> None:
        self._zone = zone
        self._assumptions = assumptions
        self._rng = rng
        self._others = assumptions.background.draw(rng)
        self._next = float("inf")
        self._seen = float("-inf")
        self.kept: list[tuple[float, float, Value]] = []

    def ask(self, now: float) -> tuple[Answer | Failure, float]:
        """Answers a question.

        Returns:
            The answer, and how long it took at the resolver, in seconds.
        """
        self.advance(now)
        hit = bool(self.kept) and now < self.kept[-1][1]
        if not hit:
            self._fill(now)
        _, until, value = self.kept[-1]
        latency = (self._assumptions.dns_hit if hit else self._assumptions.dns_miss).draw(self._rng)
        if isinstance(value, Outcome):
            return Failure(value, "the name has no address at the moment"), latency
        # A cache counts the time to live down, in whole seconds.
        return Answer(value, float(math.floor(until - now))), latency

    def advance(self, now: float) -> None:
        """Has the others ask, up to now."""
        if not self._others:
            return
        if self._seen == float("-inf"):
            self._seen = now
            self._next = now + self._rng.expovariate(self._others)
        while self._next <= now:
            if not self.kept or self._next >= self.kept[-1][1]:
                self._fill(self._next)
            # Those that come while it is held change nothing.
            self._next = max(self._next, self.kept[-1][1]) + self._rng.expovariate(self._others)
        self._seen = now

    def first(self, since: float) -> float:
        """From when on a question could get what the zone answers since then, if it does not change any more."""
        for start, until, value in reversed(self.kept):
            if start < since < until and value != self._zone.at(since):
                return until
        return since

    def _fill(self, now: float) -> None:
        value = self._zone.at(now)
        ttl = self._assumptions.ttl
        if isinstance(value, Outcome):
            ttl = self._assumptions.negative_ttl if value is Outcome.NXDOMAIN else 0.0
        self.kept.append((now, now + ttl, value))

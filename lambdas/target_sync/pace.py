"""When a call may start, so that Elastic Load Balancing has no reason to throttle it. No clock, no sleep."""

from __future__ import annotations

import threading

_RUSH_SECONDS = 6.0
"""So long after many registrations others are still expected: a name's answer may be cached for 5 s and more."""

_LONGEST_RUSH_SECONDS = 15.0
"""So long registrations that go on and on make everything else wait."""


class Bucket:
    """A token bucket that gives out the next free place instead of refusing: first come, first served."""

    def __init__(self, capacity: int, per_second: float) -> None:
        """Full at the beginning.

        Args:
            capacity: How many may go at once.
            per_second: How many come free each second.
        """
        self._lead = capacity / per_second
        self._between = 1 / per_second
        self._booked = float("-inf")  # when all that was given out would be paid for without any capacity

    def place(self, now: float) -> float:
        """Takes a token: from when on it may be used."""
        self._booked = max(self._booked, now) + self._between
        return max(now, self._booked - self._lead)

    def crowded(self, now: float) -> bool:
        """Whether less than half of the capacity is left."""
        return self._booked - now > self._lead / 2

    def spare(self, now: float, *, keep: float = 0.0) -> bool:
        """Takes a token if there is one now.

        Args:
            now: The time.
            keep: Which part of the capacity must be left then, for those in more of a hurry.
        """
        if max(self._booked, now) + self._between - now > self._lead * (1 - keep):
            return False
        self.place(now)
        return True


class Pace:
    """The places of all listeners. Safe to use from several threads.

    AWS grants each account 20 registrations and deregistrations at once and 4 a second, 20 other changes and 3 a
    second, 40 descriptions and 10 a second, and all of these together 40 and 10 a second (Elastic Load Balancing User
    Guide, "API throttling"). Registrations get what is theirs, and everything else what remains, less a few: calls do
    not take equally long on their way, and target groups are listed beside. So a failover of many databases at once
    never waits for those who only read. While many registrations come, a *rush*, what can wait does.
    """

    def __init__(self) -> None:
        """All buckets are full."""
        self._lock = threading.Lock()
        self._changes = Bucket(18, 4)  # two less: some arrive closer together than they were sent
        # Fewer, since the reading that comes before takes a while: what is used late comes closer together.
        self._deregistrations = Bucket(14, 3.5)
        self._others = Bucket(13, 5.8)
        self._tags = Bucket(10, 2)
        self._held: dict[tuple[str, bool], float] = {}
        self._rush_at = self._rush_until = float("-inf")

    def crowded(self, now: float) -> bool:
        """Whether changes are so many that it is worth a look whether another process made the next one already."""
        with self._lock:
            return self._changes.crowded(now)

    def register(self, who: str, now: float, *, use: bool = True) -> float:
        """Takes a place for a registration; it is held for its target group until it is used.

        Args:
            who: The target group.
            now: The time.
            use: Whether the registration is made as soon as it may be, or only prepared.

        Returns:
            From when on it may be made.
        """
        with self._lock:
            another = (who, True) not in self._held
            place = self._place((who, True), now, use=use)
            if another and self._changes.crowded(now):
                self._rush(now)
            return place

    def deregister(self, who: str, now: float, *, use: bool) -> float:
        """Takes a place for a deregistration; it is held for its target group until it is used.

        Args:
            who: The target group.
            now: The time.
            use: Whether the deregistration is made as soon as it may be, or only prepared.

        Returns:
            From when on it may be made.
        """
        with self._lock:
            if self._rushing(now) and (who, False) not in self._held:
                return self._rush_until
            return self._place((who, False), now, use=use)

    def read(self, now: float) -> float:
        """Takes a place for a description that something waits for: from when on it may be made."""
        with self._lock:
            return self._others.place(now)

    def spare_read(self, now: float) -> bool:
        """Takes a place for a description that can as well be made later, if there are many left."""
        with self._lock:
            return not self._rushing(now) and self._others.spare(now, keep=0.5)

    def spare_record(self, now: float) -> bool:
        """Takes a place for writing a tag, which can as well be done later, if there are many left."""
        with self._lock:
            spare = not self._rushing(now) and self._others.spare(now, keep=0.5) and self._tags.spare(now)
            if spare:
                self._others.place(now)  # the target group is read before
            return spare

    def _rush(self, now: float) -> None:
        if not self._rushing(now):
            self._rush_at = now
        self._rush_until = min(now + _RUSH_SECONDS, self._rush_at + _LONGEST_RUSH_SECONDS)

    def _rushing(self, now: float) -> bool:
        return now < self._rush_until

    def _overtake(self, place: float, now: float) -> float:
        """Changes places with the first deregistration that waits for one before this: new addresses matter more."""
        waiting = [(held, key) for key, held in self._held.items() if not key[1] and now < held < place]
        if not waiting:
            return place
        earlier, key = min(waiting)
        self._held[key] = place
        return earlier

    def _place(self, key: tuple[str, bool], now: float, *, use: bool) -> float:
        _, registers = key
        if key not in self._held:
            place = self._changes.place(now)
            self._held[key] = self._overtake(place, now) if registers else max(place, self._deregistrations.place(now))
        place = self._held[key]
        if use and place <= now:
            del self._held[key]
        return max(now, place)

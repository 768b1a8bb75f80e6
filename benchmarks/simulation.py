"""Virtual time: things that go on at the same time, each a generator of the seconds it waits. No threads, no sleep."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator

    Steps = Iterator[float]

START = 1_000_000.0
"""When every simulation begins, in seconds: not 0, which code under test might take for nothing."""


class Task:
    """Something that goes on. It is over once its generator is, or once it is stopped."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.stopped = False

    def stop(self) -> None:
        """It does nothing more, as if its machine were switched off."""
        self.stopped = True


class Simulation:
    """A clock, and all that waits for it.

    Attributes:
        now: The time, in seconds.
        rng: Where everything random comes from.
        steps: How many steps were done so far, of all that goes on.
    """

    def __init__(self, rng: random.Random) -> None:
        self.now = START
        self.rng = rng
        self._waiting: list[tuple[float, int, Task]] = []
        self.steps = 0
        self._number = 0

    def time(self) -> float:
        """The time, in seconds."""
        return self.now

    def sleep(self, seconds: float, /) -> None:
        """Only for waiting no time at all: whoever has to wait does so in its generator.

        Raises:
            RuntimeError: Somebody wants to wait here.
        """
        if seconds > 0:
            raise RuntimeError(f"somebody waits {seconds:g} s outside of a generator")

    def start(self, steps: Steps, *, at: float | None = None) -> Task:
        """Has something go on from now, or from a moment on."""
        task = Task(steps)
        self._push(self.now if at is None else at, task)
        return task

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Has something happen at a moment."""
        self.start(_once(action), at=when)

    def run(self, until: float) -> None:
        """Moves the clock, and does what is due on the way."""
        while self._waiting and self._waiting[0][0] <= until:
            when, _, task = heapq.heappop(self._waiting)
            if task.stopped:
                continue
            self.now = max(self.now, when)
            self.steps += 1
            seconds = next(task.steps, None)
            if seconds is not None:
                self._push(self.now + seconds, task)
        self.now = max(self.now, until)

    def together(self, several: Iterable[Steps]) -> Steps:
        """One generator for several that go on at the same time, over once all are."""
        waiting = [(self.now, number, steps) for number, steps in enumerate(several)]
        heapq.heapify(waiting)
        while waiting:
            when, number, steps = heapq.heappop(waiting)
            if when > self.now:
                yield when - self.now
            seconds = next(steps, None)
            if seconds is not None:
                heapq.heappush(waiting, (self.now + seconds, number, steps))

    def _push(self, when: float, task: Task) -> None:
        self._number += 1
        heapq.heappush(self._waiting, (max(when, self.now), self._number, task))


def _once(action: Callable[[], None]) -> Steps:
    action()
    yield from ()

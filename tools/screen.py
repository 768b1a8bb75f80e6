"""Progress for a person: one line a step with its time, and a live line below it where there is a terminal."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDTH = 100


class Screen:
    """Prints steps; knows which one is running, so that a failure can say where it happened."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._live = sys.stdout.isatty()
        self.step_name = "start"

    def seconds(self) -> float:
        """Return the seconds since the first step."""
        return time.monotonic() - self._started

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show a step while it runs, and its time when it has ended well."""
        self.step_name = name
        started = time.monotonic()
        if self._live:
            self.note(f"{name} ...")
        else:
            self.say(f"{name} ...")
        yield
        self._clear()
        print(f"[{self.seconds():5.1f} s] {name} ({time.monotonic() - started:.1f} s)", flush=True)

    def note(self, text: str) -> None:
        """Show what the running step is doing; overwritten by the next."""
        if self._live:
            self._clear()
            print(f"          {text}"[:_WIDTH], end="", flush=True)

    def say(self, text: str = "") -> None:
        """Print a line that stays."""
        self._clear()
        print(text, flush=True)

    def _clear(self) -> None:
        if self._live:
            print("\r" + " " * _WIDTH + "\r", end="")

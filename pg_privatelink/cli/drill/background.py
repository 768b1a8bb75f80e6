"""`Background`: clients of any number of paths, in an event loop of their own, in a thread."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from types import TracebackType

    from pg_privatelink.cli.drill.clients import Clients

Result = TypeVar("Result")


class Background:
    """Runs clients while the caller does something else. A context manager.

    Its clock is `now`, which is the clients' too.
    """

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="clients", daemon=True)
        self._running: list[Clients] = []

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop clients that still run, and end the thread."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @staticmethod
    def now() -> float:
        """Return the seconds on the clients' clock."""
        return time.monotonic()

    def prepare(self, clients: Iterable[Clients]) -> None:
        """Make their tables."""
        for each in clients:
            self.run(each.prepare())

    def start(self, clients: Iterable[Clients]) -> None:
        """Start clients, spread over one of their periods: never all at the same moment."""
        chosen = list(clients)
        for number, each in enumerate(chosen):
            self._loop.call_soon_threadsafe(self._loop.call_later, each.every * number / len(chosen), each.start)
        self._running += chosen

    def stop(self, *chosen: Clients) -> float:
        """Stop these clients (default: all); returns when that was, on their clock."""
        end = self.now()
        for each in chosen or tuple(self._running):
            self._running.remove(each)
            self.run(each.stop())
        return end

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run something in the clients' loop and return its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

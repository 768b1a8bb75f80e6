"""`Rds`: does on loopback what RDS does when it is told to fail a database over."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

from tools.drill.stage import PROMOTED

if TYPE_CHECKING:
    from types import TracebackType

    from tools.drill.site import Site

_PAUSE = 0.1


class Rds:
    """Waits for RebootDBInstance with ForceFailover on the emulator, which sends the events, and fails over once.

    A context manager: leaving it waits until a failover that has begun is done.

    Args:
        site: The database, and its name.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="RDS", daemon=True)

    def __enter__(self) -> Self:
        """Begin to wait."""
        self._before = len(self._forced())
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait no longer."""
        self._ended.set()
        self._thread.join()

    def _forced(self) -> list[object]:
        calls = self._site.emulator.control.calls("rds", "RebootDBInstance")
        return [call for call in calls if call["parameters"].get("ForceFailover") == "true"]

    def _run(self) -> None:
        database = self._site.main
        while not self._ended.wait(_PAUSE):
            if len(self._forced()) > self._before:
                database.pair.primary.kill()
                time.sleep(PROMOTED)
                database.pair.promote()
                self._site.name(database, *database.truth())
                return

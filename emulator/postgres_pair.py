"""A primary and its synchronous standby, as one Multi-AZ database: who is which, and how they swap."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from emulator.postgres import Postgres

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class Pair:
    """Two servers. A context manager: entering it makes them, leaving it ends them and deletes their data.

    Args:
        folder: Where their data goes; theirs alone.
        addresses: Their loopback addresses, the first primary's first.
        port: Their port.

    Attributes:
        primary: Who takes writes.
        standby: Who replicates it, or the former primary until `rebuild`.
    """

    def __init__(self, folder: Path, addresses: tuple[str, str], port: int) -> None:
        self.primary, self.standby = (Postgres(folder / each, each, port) for each in addresses)

    def __enter__(self) -> Self:
        """Make both, and return when the standby replicates."""
        try:
            self.primary.create()
            self.standby.follow(self.primary)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End both and delete their data."""
        with contextlib.ExitStack() as last:
            last.callback(self.primary.stop)
            last.callback(self.standby.stop)

    def promote(self) -> None:
        """Make the standby the primary, whatever has become of the old one; returns when it takes writes."""
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def rebuild(self) -> None:
        """Make the former primary the standby of the new one, from nothing."""
        self.standby.thaw()
        self.standby.follow(self.primary)


def start(*pairs: Pair) -> None:
    """Enter several at the same time."""
    with ThreadPoolExecutor(len(pairs)) as pool:
        list(pool.map(Pair.__enter__, pairs))

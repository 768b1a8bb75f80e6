"""What became of numbered writes: pure counting."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Accounting:
    """How many of the numbers that were written ended how. Each number is in one of the first four.

    Attributes:
        kept: Acknowledged, and stored.
        missing: Acknowledged, but not stored: data that the client was promised is gone.
        lost: Never acknowledged, and not stored.
        unacknowledged: Never acknowledged, but stored.
        doubled: Stored more than once, acknowledged or not: a write in doubt was stored, and its repetition too.
        foreign: Stored, but never written by this client; anything but 0 is a fault of the drill.
    """

    kept: int
    missing: int
    lost: int
    unacknowledged: int
    doubled: int
    foreign: int = 0


def account(attempted: Iterable[int], acknowledged: Iterable[int], stored: Iterable[int]) -> Accounting:
    """Count.

    Args:
        attempted: The numbers that were sent, each as often as it was.
        acknowledged: Those for which a commit was confirmed.
        stored: The numbers found in the end, each as often as it was.
    """
    sent, promised, found = set(attempted), set(acknowledged), Counter(stored)
    sent |= promised
    return Accounting(
        kept=len(promised & found.keys()),
        missing=len(promised - found.keys()),
        lost=len(sent - promised - found.keys()),
        unacknowledged=len((sent - promised) & found.keys()),
        doubled=sum(1 for number, times in found.items() if times > 1 and number in sent),
        foreign=len(found.keys() - sent),
    )

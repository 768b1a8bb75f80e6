"""What one target group held when it was read last, and when to read it again. No input or output, no clock."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from .action import Deregister, Read, Register
from .target import Target

if TYPE_CHECKING:
    from .action import Action
    from .target import Endpoint

RECONCILE_SECONDS = 600.0
"""So often a target group is read again though nothing changed, by whichever process is at work at that time."""

TURN_SECONDS = 60.0
"""How long it is that time: another process, which looks in the next minute, leaves it at that."""

FRESH_SECONDS = 2.0
"""What was read longer ago is read again before anything is changed."""


class Group:
    """A target group as one process knows it. Times are seconds of any one clock.

    Attributes:
        targets: Its rows, as last read or changed; None before the first time.
        read_at: When they were read.
        tags_at: When its tags were read.
        unseen: Whether this process changed it and did not read it since.
    """

    def __init__(self, arn: str, *, tags_at: float) -> None:
        """Knows nothing but its tags.

        Args:
            arn: Its ARN.
            tags_at: When the tags were read.
        """
        self.targets: tuple[Target, ...] | None = None
        self.read_at = float("-inf")
        self.tags_at = tags_at
        self.unseen = False
        self._reread_at = self._doubted_at = float("-inf")
        # Each group has its own time to be read, so that not all are read at once.
        self._offset = zlib.crc32(arn.encode())

    def registered(self) -> frozenset[Endpoint]:
        """What is registered, as far as is known."""
        return frozenset(target.endpoint for target in self.targets or () if target.registered)

    def saw(self, targets: tuple[Target, ...], now: float) -> None:
        """Takes all its rows as they were read."""
        self.targets = targets
        self.read_at = now
        self.unseen = False
        self._reread_at = float("inf")

    def did(self, action: Action, now: float) -> None:
        """Takes note of a change that was made."""
        targets = self.targets or ()
        if isinstance(action, Register):
            kept = tuple(target for target in targets if target.endpoint not in action.endpoints)
            self.targets = kept + tuple(Target(endpoint, "initial") for endpoint in action.endpoints)
        elif isinstance(action, Deregister):
            self.targets = tuple(
                target._replace(state="draining") if target in action.targets else target for target in targets
            )
        self.again(now)  # others may have changed it too: the next look sees
        self.unseen = True

    def again(self, now: float) -> None:
        """Has it read at the next opportunity: others may have changed it."""
        self._reread_at = now

    def doubt(self, at: float) -> None:
        """Has it read once more from a moment on: another process may change it until then."""
        self._doubted_at = at

    def due(self, now: float) -> bool:
        """Whether to read it though nothing is to be changed."""
        since = (now + self._offset) % RECONCILE_SECONDS
        its_turn = since < TURN_SECONDS and self.read_at < now - since
        doubted = self.read_at < self._doubted_at <= now
        return now >= self._reread_at or doubted or its_turn

    def fresh(self, action: Action, now: float) -> bool:
        """Whether what was read lately is enough to do something; a registration needs the tags only."""
        if isinstance(action, Read):
            return True
        read_at = self.tags_at if isinstance(action, Register) else min(self.tags_at, self.read_at)
        return now <= read_at + FRESH_SECONDS

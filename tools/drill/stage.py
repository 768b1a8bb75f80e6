"""What a scenario acts on: the databases that fail over, their names and events, and a clock."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.drill.peers import Peer
    from tools.drill.site import Database, Site

PROMOTED = 1.0
"""When the standby takes writes, and normally the name follows at once; RDS itself takes 60 to 120 s."""

_SECONDS_BETWEEN_EVENTS = 2.0  # the emulator's `failover_seconds`


class Stage:
    """What a scenario acts on.

    Args:
        site: The account.
        databases: Those that fail over: one, or two.
        peers: The others that follow the first one's name.
        began: When the failover began, on the clock of time.monotonic.
        say: Told what happens.
    """

    def __init__(
        self,
        site: Site,
        databases: Sequence[Database],
        peers: Sequence[Peer],
        *,
        began: float,
        say: Callable[[str], None],
    ) -> None:
        self.site = site
        self.databases = databases
        self.pair = databases[0].pair
        self._peers = peers
        self._began = began
        self._say = say

    @property
    def seconds(self) -> float:
        """How long ago it began."""
        return time.monotonic() - self._began

    def at(self, seconds: float, what: str) -> None:
        """Wait until so many seconds after the beginning, and say what happens then."""
        time.sleep(max(self._began + seconds - time.monotonic(), 0.0))
        self._say(f"{self.seconds:6.2f} s  {what}")

    def announce(self) -> None:
        """RDS sends its two events, to the function and to whoever else listens to them."""
        self.site.announce(*self.databases)
        for seconds in (0.0, _SECONDS_BETWEEN_EVENTS):
            timer = threading.Timer(seconds, self._tell_peers)
            timer.daemon = True
            timer.start()

    def _tell_peers(self) -> None:
        for peer in self._peers:
            peer.event()

    def suspend_peers(self, *, on: bool) -> None:
        """Let the functions of the others fail as well; ours is failed by the site."""
        for peer in self._peers:
            peer.suspended = on

    def groups(self) -> list[str]:
        """Return the target groups of everybody who follows them."""
        return [*(each.group for each in self.databases), *(peer.group for peer in self._peers)]

    def promote(self, *, dns: bool = True) -> None:
        """Promote the standbys, and let the names follow."""
        for database in self.databases:
            database.pair.promote()
        if dns:
            self.dns()

    def dns(self, *addresses: str) -> None:
        """Let the names stand for addresses (default: the truth)."""
        for database in self.databases:
            self.site.name(database, *(addresses or database.truth()))

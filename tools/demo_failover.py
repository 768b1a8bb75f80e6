"""A failover as RDS does it, and what becomes of the target group, as a timeline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tools.demo_world import IDENTIFIER, PROVIDER_ACCOUNT, World

if TYPE_CHECKING:
    from emulator.name_server import NameServer
    from emulator.postgres_pair import Pair
    from emulator.running import Emulator

_SECONDS_UNTIL_DNS = 1.0  # RDS changes the name after the promotion, not with the first event
_SECONDS_TO_FOLLOW = 60.0
_SECONDS_BETWEEN_LOOKS = 0.05


def fail_over(emulator: Emulator, name_server: NameServer, world: World, database: Pair) -> list[str]:
    """Kill the primary, send RDS's events, promote the standby, flip DNS, and watch the function follow.

    Returns:
        The timeline.

    Raises:
        TimeoutError: The target group did not end with the new primary alone.
    """
    old, new = database.primary.address, database.standby.address
    watch = _Timeline(emulator)
    database.primary.kill()
    watch.note(f"{old} dies")
    emulator.client("rds", account=PROVIDER_ACCOUNT).reboot_db_instance(
        DBInstanceIdentifier=IDENTIFIER, ForceFailover=True
    )
    watch.note("RDS sends RDS-EVENT-0013 (failover started); RDS-EVENT-0049 (completed) follows")
    flipped = False
    while not watch.holds_only(new):
        if not flipped and watch.seconds() >= _SECONDS_UNTIL_DNS:
            database.promote()
            name_server.set(world.endpoint, [new], ttl=5)
            watch.note(f"{new} is promoted, and DNS answers with it")
            flipped = True
        watch.look()
        if watch.seconds() > _SECONDS_TO_FOLLOW:
            raise TimeoutError(
                f"the target group has not followed within {_SECONDS_TO_FOLLOW:.0f} s: " + "; ".join(watch.lines)
            )
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return watch.lines


class _Timeline:
    """Looks at the target group and notes each change of a target's state."""

    def __init__(self, emulator: Emulator) -> None:
        self._elbv2 = emulator.client("elbv2", account=PROVIDER_ACCOUNT)
        self._group: str = self._elbv2.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"]
        self._states = self._read()
        self._started = time.monotonic()
        self.lines: list[str] = []

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def note(self, what: str) -> None:
        self.lines.append(f"{self.seconds():6.2f} s  {what}")

    def look(self) -> None:
        now = self._read()
        for address in sorted(now.keys() | self._states.keys()):
            before, after = self._states.get(address), now.get(address)
            if before != after:
                self.note(f"{address} {'registered, ' if before is None else ''}{after or 'gone'}")
        self._states = now

    def holds_only(self, address: str) -> bool:
        return self._states == {address: "healthy"}

    def _read(self) -> dict[str, str]:
        rows = self._elbv2.describe_target_health(TargetGroupArn=self._group)["TargetHealthDescriptions"]
        return {row["Target"]["Id"]: row["TargetHealth"]["State"] for row in rows}

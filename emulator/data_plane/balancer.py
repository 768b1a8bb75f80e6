"""`DataPlane` and `Front`: listening sockets before target groups, and the bytes between clients and targets."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, Self

from emulator.data_plane.routes import Endpoint, Routes
from emulator.data_plane.watch import Watch, read_listeners, read_rules

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from types import TracebackType

    from emulator.data_plane.routes import Row

_CHUNK = 65536
_RESET = struct.pack("ii", 1, 0)  # closing with linger 0 sends RST instead of FIN
_BACKLOG = 512


class _Flow:
    """One client's connection with the target's behind it."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self._writers = [client]

    def connected(self, target: asyncio.StreamWriter) -> None:
        """Note the target's side."""
        self._writers.append(target)

    def close(self) -> None:
        """End both sides in order, after what is still to be sent."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def reset(self) -> None:
        """End both sides as a load balancer does, with RST."""
        for writer in self._writers:
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


class Front:
    """A load balancer's listeners on one address, with a registration delay of its own.

    Attributes:
        address: The loopback address that all listeners are on.
        ports: The ports of the listeners.
        moved: How many connections it has carried, by target.
        refused: How many connections it reset because there was no target, or the target refused them.
        ended: How many open connections it ended because their target left or is unhealthy.
    """

    def __init__(self, address: str, routes: Mapping[int, tuple[str, Routes]]) -> None:
        self.address = address
        self.ports = sorted(routes)
        self.moved: dict[Endpoint, int] = {}
        self.refused = 0
        self.ended = 0
        self._routes = routes
        self._flows: dict[tuple[int, Endpoint], set[_Flow]] = {}
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._random = random.Random(address)  # noqa: S311 - which target gets a connection is no secret

    @property
    def groups(self) -> set[str]:
        """The ARNs of the target groups behind it."""
        return {group for group, _ in self._routes.values()}

    async def start(self) -> None:
        """Listen."""
        for port in self.ports:
            server = await asyncio.start_server(
                lambda reader, writer, port=port: self._accept(port, reader, writer),  # type: ignore[misc]
                self.address,
                port,
                backlog=_BACKLOG,
            )
            self._servers.append(server)

    async def stop(self) -> None:
        """Listen no longer, and end all connections."""
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def update(self, group: str, rows: list[Row], now: float) -> None:
        """Take what the API says of a target group, and end the connections that are to end."""
        for port, (arn, routes) in self._routes.items():
            if arn == group:
                routes.update(rows, now)
                self._end(port, routes, now)

    def _end(self, port: int, routes: Routes, now: float) -> None:
        for (at, endpoint), flows in self._flows.items():
            if at == port and flows and routes.loses(endpoint, now):
                for flow in tuple(flows):
                    self.ended += 1
                    flow.reset()

    async def _accept(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a server's callback is one
        self._tasks.add(task)
        flow = _Flow(writer)
        try:
            await self._carry(port, reader, writer, flow)
        except asyncio.CancelledError:
            pass  # the front stops; asyncio's own callback would report it
        finally:
            flow.reset()
            self._tasks.discard(task)

    async def _carry(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flow: _Flow) -> None:
        candidates = self._routes[port][1].candidates(asyncio.get_running_loop().time())
        if not candidates:
            self.refused += 1
            return
        endpoint = self._random.choice(candidates)
        flows = self._flows.setdefault((port, endpoint), set())
        flows.add(flow)
        try:
            try:
                target_reader, target = await asyncio.open_connection(*endpoint)
            except OSError:
                self.refused += 1
                return
            flow.connected(target)
            self.moved[endpoint] = self.moved.get(endpoint, 0) + 1
            if await _until_one_ends(_pump(reader, target), _pump(target_reader, writer)):
                flow.close()
        finally:
            flows.discard(flow)


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Carry one direction until its end."""
    while data := await source.read(_CHUNK):
        sink.write(data)
        await sink.drain()


async def _until_one_ends(*directions: Coroutine[Any, Any, None]) -> bool:
    """Run both directions until one ends; returns whether it ended in order, and not with a reset.

    Postgres half-closes no connection: where one side ends, nothing more is to come from the other.
    """
    tasks = [asyncio.ensure_future(each) for each in directions]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return all(task.exception() is None for task in done)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class DataPlane:
    """Fronts in an event loop of their own, in a thread, fed by one watch of the API.

    Args:
        elbv2: boto3's client for Elastic Load Balancing.
        seconds_between_looks: How long it waits between two looks at the targets.
    """

    def __init__(self, elbv2: Any, *, seconds_between_looks: float = 0.2) -> None:  # noqa: ANN401 - boto3's client
        self._elbv2 = elbv2
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="data plane", daemon=True)
        self._fronts: list[Front] = []
        self._watch = Watch(elbv2, self._on_rows, seconds_between_looks=seconds_between_looks)

    def __enter__(self) -> Self:
        """Start its threads."""
        self._thread.start()
        self._watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all fronts and end the threads."""
        self._watch.stop()
        for front in list(self._fronts):
            self.close(front)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def open(self, load_balancer_arn: str, address: str, *, registration_seconds: float = 0.0) -> Front:
        """Listen as a load balancer on an address, on the ports of its listeners.

        Args:
            load_balancer_arn: The load balancer; its listeners and their attributes are read now, its targets from
                now on.
            address: A loopback address of its own.
            registration_seconds: How long a newly registered target gets no connections.

        Raises:
            OSError: A port is taken on this address.
        """
        groups = read_listeners(self._elbv2, load_balancer_arn)
        front = Front(
            address,
            {port: (arn, Routes(read_rules(self._elbv2, arn), registration_seconds)) for port, arn in groups.items()},
        )
        self._fronts.append(front)
        for arn in sorted(front.groups):
            self._watch.add(arn)
        self._await(front.start())
        return front

    def close(self, front: Front) -> None:
        """Listen there no longer; ends its connections."""
        self._fronts.remove(front)
        for arn in front.groups - {each for other in self._fronts for each in other.groups}:
            self._watch.drop(arn)
        self._await(front.stop())

    def _on_rows(self, group: str, rows: list[Row]) -> None:
        self._loop.call_soon_threadsafe(self._update, group, rows)

    def _update(self, group: str, rows: list[Row]) -> None:
        now = self._loop.time()
        for front in self._fronts:
            front.update(group, rows, now)

    def _await(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

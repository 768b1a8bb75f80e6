"""Servers on loopback that answer SSLRequest in one way or another."""

from __future__ import annotations

import contextlib
import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SSL_REQUEST = bytes.fromhex("0000000804d2162f")


class Server:
    """A server that answers the first message of a connection, and notes what came.

    Args:
        answer: What it says; None says nothing and keeps the connection open.
        address: A loopback address.
        port: Its port; 0 takes a free one.
    """

    def __init__(self, answer: bytes | None, address: str = "127.0.0.1", port: int = 0) -> None:
        self._answer = answer
        self.received: list[bytes] = []
        self._listener = socket.create_server((address, port))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop listening and end all connections."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                self.received.append(connection.recv(64))
                if self._answer is not None:
                    if self._answer:
                        connection.sendall(self._answer)
                    connection.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start servers that stop with the test."""
    with ExitStack() as started:

        def start(answer: bytes | None, address: str = "127.0.0.1", port: int = 0) -> Server:
            server = Server(answer, address, port)
            started.callback(server.close)
            return server

        yield start

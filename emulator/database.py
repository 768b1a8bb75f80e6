"""A stand-in for a Postgres server's port: something real to connect to that can die and come back.

It answers the first message of Postgres's protocol, SSLRequest, with `N` (no TLS), as a server without TLS does, and
then reads what it is sent without an answer. Enough for health checks, for `SELECT`s it is not
(https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL).
"""

import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Self

from emulator.ports import free_port

# Length 8, request code 80877103 (protocol-message-formats.html, SSLRequest).
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class Database:
    """A TCP listener on a loopback address.

    Args:
        address: A loopback address such as `127.0.0.2`: each stands for one server.
        port: Its port; 0 (default) takes a free one, which it then keeps over `die` and `start`.
    """

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.address = address
        self.port = port
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._accepted = 0

    @property
    def accepted(self) -> int:
        """How many connections were accepted since the beginning, health checks included."""
        with self._lock:
            return self._accepted

    def __enter__(self) -> Self:
        """Start listening."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self.die()

    def start(self) -> None:
        """Listen, for the first time or again.

        Raises:
            OSError: The port is taken.
        """
        if not self.port:
            self.port = free_port(self.address)
        listener = socket.create_server((self.address, self.port))
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def die(self) -> None:
        """Refuse new connections from now on and reset the open ones, as a killed server's host does."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept()
            listener.close()
        with self._lock:
            connections, self._connections = self._connections, set()
        for connection in connections:
            with contextlib.suppress(OSError):
                # Closing with linger 0 sends RST instead of FIN.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RD)  # wakes the thread in recv()
            connection.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._accepted += 1
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            received = b""
            while data := connection.recv(4096):
                received += data
                if received == _SSL_REQUEST:
                    connection.sendall(b"N")
        with self._lock:
            self._connections.discard(connection)
        connection.close()

"""The stand-in for a Postgres server's port."""

import socket
import struct

import pytest

from emulator.database import Database

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


def test_ssl_request_is_answered_like_a_server_without_tls() -> None:
    """Postgres's SSLRequest, in one piece or two, is answered by the single byte N."""
    with Database() as database:
        for pieces in ([_SSL_REQUEST], [_SSL_REQUEST[:3], _SSL_REQUEST[3:]]):
            with socket.create_connection((database.address, database.port), timeout=5) as client:
                for piece in pieces:
                    client.sendall(piece)
                assert client.recv(10) == b"N"


def test_death_resets_connections_and_refuses_new_ones() -> None:
    """When the server dies, an open connection is reset and the next one refused."""
    with Database() as database:
        with socket.create_connection((database.address, database.port), timeout=5) as client:
            client.sendall(_SSL_REQUEST)
            assert client.recv(1) == b"N"
            database.die()
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((database.address, database.port), timeout=5)


def test_server_comes_back_on_its_port() -> None:
    """A server that was started again answers on the port it had."""
    with Database("127.0.0.2") as database:
        port = database.port
        database.die()
        database.start()
        assert database.port == port
        with socket.create_connection(("127.0.0.2", port), timeout=5) as client:
            client.sendall(_SSL_REQUEST)
            assert client.recv(1) == b"N"
        assert database.accepted == 1


def test_two_servers_share_a_port_on_two_addresses() -> None:
    """Servers on different loopback addresses use the same port, and one dies without the other."""
    with Database("127.0.0.2") as first, Database("127.0.0.3", first.port) as second:
        first.die()
        with socket.create_connection((second.address, second.port), timeout=5):
            pass
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((first.address, first.port), timeout=5)

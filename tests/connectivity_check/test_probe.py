"""One connection: how each way to fail is told from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from connectivity_check.probe import CLOSED, NOT_POSTGRES, REFUSED, SSL_REQUEST, TIMEOUT, addresses, probe
from emulator.database import Database
from emulator.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 30.0


@pytest.mark.parametrize(("answer", "tls"), [(b"S", True), (b"N", False)])
def test_a_postgres_answers(answer: bytes, tls: bool, serve: Callable[..., Any]) -> None:
    """`S` and `N` are what a Postgres says to SSLRequest; nothing else is sent to it."""
    server = serve(answer)

    found = probe("127.0.0.1", server.port, PATIENCE)

    assert (found.failure, found.cause, found.tls) == ("", "", tls)
    assert found.seconds is not None
    assert server.received == [SSL_REQUEST]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request", b"\x00", b"E", b"s"])
def test_somebody_else_answers(answer: bytes, serve: Callable[..., Any]) -> None:
    """Any other byte is not Postgres: a web server, another database, a port mixed up."""
    server = serve(answer)

    found = probe("127.0.0.1", server.port, PATIENCE)

    assert (found.failure, found.tls, found.seconds) == (NOT_POSTGRES, None, None)
    assert repr(answer[:1]) in found.cause


def test_the_connection_ends_without_an_answer(serve: Callable[..., Any]) -> None:
    """Accepted and closed at once is what a load balancer without targets, or a server that stops, looks like."""
    server = serve(b"")

    assert probe("127.0.0.1", server.port, PATIENCE).failure == CLOSED


def test_nobody_listens() -> None:
    """A port on which nothing listens refuses."""
    assert probe("127.0.0.1", free_port(), PATIENCE).failure == REFUSED


def test_nobody_answers(serve: Callable[..., Any]) -> None:
    """Silence ends with the timeout, which is for connecting and answer together."""
    server = serve(None)

    found = probe("127.0.0.1", server.port, 0.2)

    assert (found.failure, found.seconds) == (TIMEOUT, None)
    assert found.cause


def test_the_emulators_database_is_a_postgres_without_tls() -> None:
    """What stands for a database elsewhere in these tests is one to this function too."""
    with Database() as database:
        assert probe(database.address, database.port, PATIENCE).tls is False


def test_a_name_without_addresses() -> None:
    """Names below .invalid never exist (RFC 6761)."""
    with pytest.raises(OSError, match=r"."):
        addresses("vpce-0123456789abcdef0.invalid")


def test_addresses_are_in_order_and_each_once() -> None:
    """An address stands for itself."""
    assert addresses("127.0.0.7") == ["127.0.0.7"]

"""The data plane on real sockets, told of targets by an interface that the tests play."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from emulator.data_plane import DataPlane
from emulator.database import Database
from emulator.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emulator.data_plane import Front

_SSL_REQUEST = bytes.fromhex("0000000804d2162f")
_ADDRESS = "127.0.0.1"


class Api:
    """As much of Elastic Load Balancing as the data plane reads: one listener, one group."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.states: dict[tuple[str, int], str] = {}
        self.attributes = {"deregistration_delay.connection_termination.enabled": "true"}

    def get_paginator(self, name: str) -> Api:
        """This very object stands for a paginator too."""
        assert name == "describe_listeners"
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        """One page with the listener."""
        return [{"Listeners": [{"Port": self.port, "DefaultActions": [{"TargetGroupArn": "group"}]}]}]

    def describe_target_group_attributes(self, **_: str) -> dict[str, Any]:
        """What the test set."""
        return {"Attributes": [{"Key": name, "Value": value} for name, value in self.attributes.items()]}

    def describe_target_health(self, **_: str) -> dict[str, Any]:
        """What the test set."""
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": address, "Port": port}, "TargetHealth": {"State": state}}
                for (address, port), state in dict(self.states).items()
            ]
        }


@pytest.fixture
def api() -> Api:
    """An interface whose listener's port is free."""
    return Api(free_port(_ADDRESS))


@pytest.fixture
def plane(api: Api) -> Iterator[DataPlane]:
    """A data plane before that interface."""
    with DataPlane(api, seconds_between_looks=0.01) as plane:
        yield plane


def connect(front: Front) -> socket.socket:
    """Connect as a client does, and ask for TLS."""
    client = socket.create_connection((front.address, front.ports[0]), timeout=5)
    client.sendall(_SSL_REQUEST)
    return client


def until(true: Any) -> None:  # noqa: ANN401 - a function without arguments
    """Wait for what a thread does; a test that waits in vain fails."""
    for _ in range(500):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


def test_bytes_go_both_ways(api: Api, plane: DataPlane) -> None:
    """A client is connected to the target, and reads its answer."""
    with Database() as database:
        api.states[database.address, database.port] = "healthy"
        front = plane.open("balancer", _ADDRESS)
        with connect(front) as client:
            assert client.recv(1) == b"N"
        assert sum(front.moved.values()) == 1


def test_without_a_target_the_client_is_reset(api: Api, plane: DataPlane) -> None:
    """There is nobody to connect to."""
    front = plane.open("balancer", _ADDRESS)

    with pytest.raises(ConnectionResetError), connect(front) as client:
        client.recv(1)
    assert front.refused == 1


def test_a_target_that_refuses_resets_the_client(api: Api, plane: DataPlane) -> None:
    """As its own reset would reach the client."""
    with Database() as database:
        api.states[database.address, database.port] = "healthy"
        database.die()
        front = plane.open("balancer", _ADDRESS)

        with pytest.raises(ConnectionResetError), connect(front) as client:
            client.recv(1)


def test_a_target_that_left_loses_its_connections(api: Api, plane: DataPlane) -> None:
    """Draining keeps them; when it ends, they are reset."""
    with Database() as database:
        key = (database.address, database.port)
        api.states[key] = "healthy"
        front = plane.open("balancer", _ADDRESS)
        with connect(front) as client:
            assert client.recv(1) == b"N"
            api.states[key] = "draining"
            until(lambda: not front._routes[api.port][1].candidates(time.monotonic()))
            assert front.ended == 0
            del api.states[key]
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        assert front.ended == 1


def test_connections_of_a_target_that_died_end(api: Api, plane: DataPlane) -> None:
    """What the server's host does reaches the client."""
    with Database() as database:
        api.states[database.address, database.port] = "healthy"
        front = plane.open("balancer", _ADDRESS)
        with connect(front) as client:
            assert client.recv(1) == b"N"
            database.die()
            with pytest.raises(ConnectionResetError):
                client.recv(1)


def test_what_is_closed_listens_no_longer(api: Api, plane: DataPlane) -> None:
    """And another front may take its place."""
    front = plane.open("balancer", _ADDRESS)
    plane.close(front)

    with pytest.raises(ConnectionRefusedError):
        connect(front)
    plane.close(plane.open("balancer", _ADDRESS))

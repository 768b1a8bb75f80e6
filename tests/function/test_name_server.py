"""The name server of the demo and the tests."""

from __future__ import annotations

import socket
import time

from emulator.name_server import NameServer, Trouble
from target_sync import listener
from target_sync.resolve import Answer, Failure, Outcome, resolve


def ask(server: NameServer, name: str) -> Answer | Failure:
    """One question."""
    return resolve(name, [listener.NameServer(server.address, server.port)])


def test_a_name_is_what_it_was_set_to_last() -> None:
    """Answers change at once, and trouble ends with it or with None."""
    with NameServer() as server:
        server.set("db.example.com", ["10.0.0.5"], ttl=1)
        assert ask(server, "db.example.com") == Answer(frozenset({"10.0.0.5"}), 1.0)
        server.fail("DB.example.com.", Trouble.SERVFAIL)
        assert isinstance(ask(server, "db.example.com"), Failure)
        server.fail("db.example.com", None)
        assert isinstance(ask(server, "db.example.com"), Answer)
        server.set("db.example.com", ["10.0.1.6"])
        assert ask(server, "db.example.com") == Answer(frozenset({"10.0.1.6"}), 5.0)


def test_addresses_in_turn() -> None:
    """One per answer."""
    with NameServer() as server:
        server.set("db.example.com", ["10.0.0.5", "10.0.1.6"], rotate=True)

        answers = [ask(server, "db.example.com") for _ in range(4)]

    assert answers == [Answer(frozenset({address}), 5.0) for address in ["10.0.0.5", "10.0.1.6"] * 2]


def test_the_middle_of_a_chain_is_known_too() -> None:
    """An instance's name stands for what the cluster's alias leads to."""
    with NameServer() as server:
        server.set("cluster.example.com", ["10.0.0.5"], cname=["instance.example.com"])

        assert ask(server, "instance.example.com") == Answer(frozenset({"10.0.0.5"}), 5.0)


def test_questions_are_counted() -> None:
    """By name, whatever its case."""
    with NameServer() as server:
        server.set("db.example.com", ["10.0.0.5"])
        for name in ("db.example.com", "DB.Example.com", "other.example.com"):
            ask(server, name)

        assert server.queries == {"db.example.com": 2, "other.example.com": 1}


def test_a_delayed_name_delays_no_other() -> None:
    """Each answer has its own thread."""
    with NameServer() as server:
        server.set("slow.example.com", ["10.0.0.5"], delay=30.0)
        server.set("db.example.com", ["10.0.0.5"])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            wire = b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04slow\x07example\x03com\x00\x00\x01\x00\x01"
            connection.sendto(wire, (server.address, server.port))
            while not server.queries["slow.example.com"]:
                time.sleep(0.01)

            assert isinstance(ask(server, "db.example.com"), Answer)


def test_a_delayed_answer_still_comes() -> None:
    """Within the time that a question may take."""
    with NameServer() as server:
        server.set("db.example.com", ["10.0.0.5"], delay=0.2)

        assert isinstance(ask(server, "db.example.com"), Answer)


def test_a_stopped_server_frees_its_port() -> None:
    """Another one may take it at once; until then nobody answers."""
    with NameServer() as server:
        port = server.port
    gone = ask(server, "db.example.com")
    assert isinstance(gone, Failure)
    assert gone.outcome is Outcome.UNREACHABLE

    with NameServer(port=port) as again:
        assert again.endpoint == f"127.0.0.1:{port}"
        again.set("db.example.com", ["10.0.0.5"])
        assert isinstance(ask(again, "db.example.com"), Answer)

"""Questions to real name servers on loopback, one for each outcome, and the reading of messages."""

from __future__ import annotations

import ipaddress
import threading
import time
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.name_server import NameServer as Server
from emulator.name_server import Trouble
from emulator.ports import free_port
from target_sync import resolve as resolving
from target_sync.listener import NameServer
from target_sync.message import AAAA, NOERROR, A, Message, MessageError, Query
from target_sync.resolve import Answer, Failure, Outcome, resolve, system_nameservers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "orders.example.com"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A name server."""
    with Server() as running:
        yield running


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is noticed sooner than in AWS."""
    monkeypatch.setattr(resolving, "SERVER_SECONDS", 0.3)


def ask(*servers: Server, name: str = NAME) -> Answer | Failure:
    """One question."""
    return resolve(name, [NameServer(server.address, server.port) for server in servers])


def test_addresses_and_their_time_to_live(server: Server) -> None:
    """All A records, and how long they hold."""
    server.set(NAME, ["10.0.0.5", "10.0.1.6"], ttl=7)

    assert ask(server) == Answer(frozenset({"10.0.0.5", "10.0.1.6"}), 7.0)


def test_aliases_are_followed(server: Server) -> None:
    """A cluster's name is an alias for an instance's: both are told, whatever their case."""
    server.set(NAME, ["10.0.0.5"], ttl=5, cname=["Cluster.example.com", "instance.example.com"])

    assert ask(server, name="ORDERS.example.com.") == Answer(
        frozenset({"10.0.0.5"}), 5.0, ("cluster.example.com", "instance.example.com")
    )


@pytest.mark.parametrize(
    ("trouble", "outcome", "words"),
    [
        (Trouble.NXDOMAIN, Outcome.NXDOMAIN, f"{NAME} does not exist"),
        (Trouble.SERVFAIL, Outcome.SERVFAIL, "answered SERVFAIL"),
        (Trouble.REFUSED, Outcome.REFUSED, "answered REFUSED"),
        (Trouble.SILENT, Outcome.TIMEOUT, "did not answer"),
        (Trouble.EMPTY, Outcome.EMPTY, "has no address"),
        (Trouble.CNAME_LOOP, Outcome.CNAME_LOOP, "lead in a circle"),
        (Trouble.IPV6_ONLY, Outcome.IPV6_ONLY, "IPv6 addresses only"),
        (Trouble.MALFORMED, Outcome.MALFORMED, "unreadable answer"),
    ],
)
def test_each_failure_has_a_name(server: Server, trouble: Trouble, outcome: Outcome, words: str) -> None:
    """What went wrong is told apart, and says which name and which server."""
    server.set(NAME, ["10.0.0.5"])
    server.fail(NAME, trouble)

    failure = ask(server)

    assert isinstance(failure, Failure)
    assert failure.outcome is outcome
    assert NAME in failure.detail
    assert words in failure.detail


@pytest.mark.parametrize("trouble", [Trouble.TRUNCATED, Trouble.WRONG_ID])
def test_troubles_that_are_overcome(server: Server, trouble: Trouble) -> None:
    """A cut answer is asked for again over TCP; one to another question is ignored."""
    server.set(NAME, [f"10.0.{number}.5" for number in range(100)])
    server.fail(NAME, trouble)

    answer = ask(server)

    assert isinstance(answer, Answer)
    assert len(answer.addresses) == 100


def test_a_silent_server_gives_way_to_the_next(server: Server) -> None:
    """One server does not answer, another does."""
    server.set(NAME, ["10.0.0.5"])
    silent = NameServer("127.0.0.1", free_port())

    answer = resolve(NAME, [silent, NameServer(server.address, server.port)])

    assert answer == Answer(frozenset({"10.0.0.5"}), 5.0)


@pytest.mark.parametrize("trouble", [Trouble.SERVFAIL, Trouble.REFUSED, Trouble.MALFORMED, Trouble.SILENT])
def test_a_broken_server_gives_way_to_the_next(server: Server, trouble: Trouble) -> None:
    """A server that answers nonsense is no authority; one that says that there is no such name is."""
    server.set(NAME, ["10.0.0.5"])
    with Server() as broken:
        broken.fail(NAME, trouble)
        assert isinstance(ask(broken, server), Answer)
        broken.fail(NAME, Trouble.NXDOMAIN)
        assert isinstance(ask(broken, server), Failure)


def test_a_lone_server_is_asked_twice(server: Server) -> None:
    """One lost datagram is no failure."""
    server.set(NAME, ["10.0.0.5"])
    server.fail(NAME, Trouble.SILENT)
    threading.Timer(0.15, server.fail, (NAME, None)).start()

    assert isinstance(ask(server), Answer)


def test_an_unreachable_server() -> None:
    """Nobody listens there: told apart from silence."""
    failure = resolve(NAME, [NameServer("127.0.0.1", free_port())])

    assert isinstance(failure, Failure)
    assert failure.outcome is Outcome.UNREACHABLE


def test_time_is_bounded(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many silent servers do not add up."""
    monkeypatch.setattr(resolving, "TOTAL_SECONDS", 0.5)
    server.fail(NAME, Trouble.SILENT)
    start = time.monotonic()

    failure = ask(*[server] * 10)

    assert isinstance(failure, Failure)
    assert time.monotonic() - start < 1.5


def test_a_chain_that_the_server_leaves_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """An authoritative server gives the alias only: the next name is asked for, and circles are seen."""
    zone = {"a.example.com": "b.example.com", "b.example.com": "c.example.com", "x.example.com": "y.example.com"}
    zone["y.example.com"] = "x.example.com"

    def exchange(query: Query, server: NameServer) -> Message:
        name = query.name.to_text(omit_final_dot=True)
        wire = dns.message.make_response(dns.message.from_wire(query.to_wire()))
        kind, value, ttl = ("CNAME", zone[name] + ".", 60) if name in zone else ("A", "10.0.0.5", 300)
        wire.answer.append(dns.rrset.from_text(query.name, ttl, "IN", kind, value))
        return Message.from_wire(wire.to_wire(), query)

    monkeypatch.setattr(resolving, "_exchange", exchange)

    assert resolve("a.example.com", [NameServer("127.0.0.1")]) == Answer(
        frozenset({"10.0.0.5"}), 60.0, ("b.example.com", "c.example.com")
    )
    loop = resolve("x.example.com", [NameServer("127.0.0.1")])
    assert isinstance(loop, Failure)
    assert loop.outcome is Outcome.CNAME_LOOP


@pytest.mark.parametrize("name", ["a" * 64 + ".example.com", "a..example.com", "x." * 128])
def test_an_impossible_name(name: str) -> None:
    """It fails like any other name, without a question."""
    failure = resolve(name, [NameServer("127.0.0.1", 1)])

    assert isinstance(failure, Failure)
    assert failure.outcome is Outcome.MALFORMED


def test_the_systems_servers(tmp_path: Path) -> None:
    """What resolv.conf lists; a missing or empty one means none, which is told."""
    path = tmp_path / "resolv.conf"
    path.write_text("# comment\nsearch example.com\nnameserver 10.0.0.2\nnameserver\nnameserver fd00::2\n")

    assert system_nameservers(path) == (NameServer("10.0.0.2", 53), NameServer("fd00::2", 53))
    assert system_nameservers(tmp_path / "none") == ()


def test_no_server_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody to ask is a failure with a name."""
    monkeypatch.setattr(resolving, "system_nameservers", lambda: ())

    failure = resolve(NAME)

    assert isinstance(failure, Failure)
    assert failure.outcome is Outcome.UNREACHABLE


QUERY = Query(dns.name.from_text(NAME), A, 4711)


@given(st.binary(max_size=80))
@example(b"\x12\x67\x80\x00\x00\x01\x00\x01" + b"\x00" * 4 + b"\xc0\x0c")
def test_no_bytes_break_the_reader(noise: bytes) -> None:
    """Anything may come over the network: it is read, or refused as no answer."""
    for wire in (noise, QUERY.to_wire()[:2] + b"\x80\x00\x00\x01\x00\x02\x00\x00\x00\x00" + noise):
        try:
            message = Message.from_wire(wire, QUERY)
        except MessageError:
            continue
        assert message.name == QUERY.name


@given(
    data=st.data(),
    length=st.integers(0, 15),
    ttls=st.lists(st.integers(0, 2**31 - 1), min_size=16, max_size=16),
    kind=st.sampled_from([A, AAAA]),
)
def test_chains_are_read_as_dnspython_reads_them(data: st.DataObject, length: int, ttls: list[int], kind: int) -> None:
    """Records in any order, others among them: the same addresses, aliases and shortest time to live."""
    family = ipaddress.IPv4Address if kind == A else ipaddress.IPv6Address
    numbers = data.draw(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=5, unique=True))
    addresses = [str(family(number)) for number in numbers]
    query = Query(dns.name.from_text(NAME), kind, 4711)
    names = [NAME, *(f"alias{number}.Example.com" for number in range(length))]
    response = dns.message.make_response(dns.message.from_wire(query.to_wire()))
    links = [
        dns.rrset.from_text(owner + ".", ttl, "IN", "CNAME", target + ".")
        for owner, target, ttl in zip(names, names[1:], ttls, strict=False)
    ]
    last = dns.rrset.from_text_list(names[-1] + ".", ttls[-1], "IN", "A" if kind == A else "AAAA", addresses)
    noise = dns.rrset.from_text(NAME + ".", 1, "IN", "TXT", "noise")
    response.answer += data.draw(st.permutations([*links, last, noise]))

    chain = Message.from_wire(response.to_wire(), query).chain()

    truth = dns.message.from_wire(response.to_wire())
    assert isinstance(truth, dns.message.QueryMessage)
    expected = truth.resolve_chaining()
    assert chain is not None
    assert expected.answer is not None
    assert chain.addresses == {str(family(record.address)) for record in expected.answer}
    assert chain.aliases == tuple(name.lower() for name in names[1:])
    assert chain.ttl == expected.minimum_ttl


def test_a_time_to_live_beyond_all_bounds_is_none() -> None:
    """RFC 2181: the first bit means zero, not 68 years without another question."""
    response = dns.message.make_response(dns.message.from_wire(QUERY.to_wire()))
    response.answer.append(dns.rrset.from_text(NAME + ".", 2**31 - 1, "IN", "A", "10.0.0.5"))
    wire = response.to_wire().replace(b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff")

    (record,) = Message.from_wire(wire, QUERY).records

    assert record.ttl == 0


def test_the_query_is_what_others_read() -> None:
    """Asked recursively, one question, as dnspython understands it."""
    read = dns.message.from_wire(QUERY.to_wire())

    assert (read.id, read.question[0].to_text(), read.rcode()) == (4711, f"{NAME}. IN A", NOERROR)
    assert dns.flags.to_text(read.flags) == "RD"

"""A DNS server on loopback whose names change on demand and fail in every way a name server can.

    with NameServer() as server:
        server.set("db.example.com", ["10.0.0.5"], ttl=5, cname=["instance-1.example.com"])
        server.fail("db.example.com", Trouble.SERVFAIL)

It answers as if authoritative for everything, over UDP and TCP on the same port; a name that was never set does not
exist. All methods may be called from any thread while it runs.
"""

from __future__ import annotations

import contextlib
import socketserver
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence
    from types import TracebackType

FORGED = "10.66.66.66"
"""The address that a forged answer names."""

_PORTS_TO_TRY = 20


class Trouble(Enum):
    """How a name fails."""

    NXDOMAIN = "does not exist"
    SERVFAIL = "server failure"
    REFUSED = "refused"
    SILENT = "no answer at all"
    EMPTY = "exists, without addresses"
    TRUNCATED = "does not fit a datagram: whole over TCP only"
    CNAME_LOOP = "aliases lead in a circle"
    IPV6_ONLY = "has an IPv6 address only"
    MALFORMED = "an answer that is no DNS message"
    WRONG_ID = "a forged answer that names FORGED, under another identifier, then the true one"


@dataclass
class _Name:
    addresses: tuple[str, ...] = ()
    ttl: int = 5
    cname: tuple[str, ...] = ()
    rotate: bool = False
    delay: float = 0.0
    trouble: Trouble | None = None
    asked: int = field(default=0)


class NameServer:
    """A name server, running from `start` (or entering the context) until `stop`.

    Attributes:
        address: The address it listens on.
        port: Its port, over UDP and TCP.
        queries: How often each name was asked for, in lower case without the final dot; any type of record.
    """

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        """Binds the sockets.

        Args:
            address: The address to listen on.
            port: The port; 0: any that is free.

        Raises:
            OSError: The port is taken.
        """
        self.queries: Counter[str] = Counter()
        self._names: dict[str, _Name] = {}
        self._lock = threading.Lock()
        self._udp, self._tcp = self._bind(address, port)
        self.address = address
        self.port: int = self._udp.server_address[1]
        self._threads: list[threading.Thread] = []

    @property
    def endpoint(self) -> str:
        """address:port."""
        return f"{self.address}:{self.port}"

    def set(
        self,
        name: str,
        addresses: Sequence[str],
        *,
        ttl: int = 5,
        cname: Sequence[str] = (),
        rotate: bool = False,
        delay: float = 0.0,
    ) -> None:
        """Gives a name its addresses, instead of what it had; trouble ends.

        Args:
            name: The name, in any case.
            addresses: Its IPv4 addresses.
            ttl: The time to live of every record, in seconds.
            cname: The names between it and the addresses, in order.
            rotate: Whether each answer gives one of the addresses only, in turn.
            delay: How long to wait before each answer, in seconds.
        """
        with self._lock:
            self._names[_key(name)] = _Name(tuple(addresses), ttl, tuple(cname), rotate=rotate, delay=delay)

    def fail(self, name: str, trouble: Trouble | None) -> None:
        """Makes a name fail, until it is set again or None is given; its addresses are kept."""
        with self._lock:
            self._names.setdefault(_key(name), _Name()).trouble = trouble

    def start(self) -> Self:
        """Begins to answer."""
        for server in (self._udp, self._tcp):
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def stop(self) -> None:
        """Stops answering and frees the port."""
        for server in (self._udp, self._tcp):
            if self._threads:
                server.shutdown()
            server.server_close()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def __enter__(self) -> Self:
        """Begins to answer."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops answering."""
        self.stop()

    def respond(self, wire: bytes, *, datagram: bool) -> list[bytes]:
        """Makes the answers to one query.

        Args:
            wire: The query.
            datagram: Whether it came over UDP.

        Returns:
            What to send, in order; nothing for silence.
        """
        try:
            query = dns.message.from_wire(wire)
            question = query.question[0]
        except (dns.exception.DNSException, IndexError):
            return []
        with self._lock:
            key = _key(question.name.to_text())
            self.queries[key] += 1
            entry = self._names.get(key) or self._end_of(key) or _Name(trouble=Trouble.NXDOMAIN)
            turn = entry.asked
            entry.asked += 1
            trouble, delay = entry.trouble, entry.delay
        if delay:
            time.sleep(delay)
        if trouble is Trouble.SILENT:
            return []
        if trouble is Trouble.MALFORMED:
            return [wire[:2] + b"\xff" * 9]
        response = _response(query, question, entry, turn, datagram=datagram)
        answers = [response.to_wire(max_size=65535)]
        if trouble is Trouble.WRONG_ID:
            forged = _response(query, question, _Name((FORGED,)), turn, datagram=datagram).to_wire()
            answers.insert(0, bytes([wire[0] ^ 0xFF]) + forged[1:])
        return answers

    def _end_of(self, key: str) -> _Name | None:
        """What a name in the middle of a chain stands for."""
        for entry in self._names.values():
            aliases = [_key(alias) for alias in entry.cname]
            if key in aliases:
                rest = entry.cname[aliases.index(key) + 1 :]
                return _Name(entry.addresses, entry.ttl, rest, rotate=entry.rotate, trouble=entry.trouble)
        return None

    def _bind(self, address: str, port: int) -> tuple[_Udp, _Tcp]:
        for attempt in range(_PORTS_TO_TRY):
            udp = _Udp((address, port), self)
            try:
                return udp, _Tcp((address, udp.server_address[1]), self)
            except OSError:
                udp.server_close()
                if port or attempt == _PORTS_TO_TRY - 1:
                    raise
        raise AssertionError


class _Udp(socketserver.ThreadingUDPServer):
    """Answers datagrams, each in its own thread: a delayed answer delays no other."""

    daemon_threads = True
    max_packet_size = 65535

    def __init__(self, address: tuple[str, int], names: NameServer) -> None:
        super().__init__(address, _UdpHandler)
        self.names = names


class _Tcp(socketserver.ThreadingTCPServer):
    """Answers over TCP, where each message is preceded by its length."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], names: NameServer) -> None:
        super().__init__(address, _TcpHandler)
        self.names = names


class _UdpHandler(socketserver.BaseRequestHandler):
    server: _Udp
    request: tuple[bytes, socket.socket]

    def handle(self) -> None:
        wire, connection = self.request
        with contextlib.suppress(OSError):  # stopped while this answer was delayed
            for answer in self.server.names.respond(wire, datagram=True):
                connection.sendto(answer, self.client_address)


class _TcpHandler(socketserver.StreamRequestHandler):
    server: _Tcp

    def handle(self) -> None:
        while len(size := self.rfile.read(2)) == 2:  # noqa: PLR2004
            wire = self.rfile.read(int.from_bytes(size, "big"))
            for answer in self.server.names.respond(wire, datagram=False):
                self.wfile.write(len(answer).to_bytes(2, "big") + answer)


def _response(
    query: dns.message.Message, question: dns.rrset.RRset, entry: _Name, turn: int, *, datagram: bool
) -> dns.message.Message:
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= dns.flags.AA
    trouble = entry.trouble
    codes = {
        Trouble.NXDOMAIN: dns.rcode.NXDOMAIN,
        Trouble.SERVFAIL: dns.rcode.SERVFAIL,
        Trouble.REFUSED: dns.rcode.REFUSED,
    }
    if trouble in codes:
        response.set_rcode(codes[trouble])
    elif trouble is Trouble.TRUNCATED and datagram:
        response.flags |= dns.flags.TC
    elif trouble is Trouble.CNAME_LOOP:
        other = "loop." + question.name.to_text()
        response.answer += _chain(question.name, [other, question.name.to_text()], entry.ttl)[0]
    else:
        links, owner = _chain(question.name, entry.cname, entry.ttl)
        response.answer += links
        if trouble is Trouble.IPV6_ONLY:
            if question.rdtype == dns.rdatatype.AAAA:
                response.answer.append(_records(owner, entry.ttl, dns.rdatatype.AAAA, ["fd00::5"]))
        elif question.rdtype == dns.rdatatype.A and entry.addresses and trouble is not Trouble.EMPTY:
            shown = [entry.addresses[turn % len(entry.addresses)]] if entry.rotate else entry.addresses
            response.answer.append(_records(owner, entry.ttl, dns.rdatatype.A, shown))
    return response


def _chain(owner: dns.name.Name, aliases: Sequence[str], ttl: int) -> tuple[list[dns.rrset.RRset], dns.name.Name]:
    links = []
    for alias in aliases:
        target = dns.name.from_text(alias)
        links.append(_records(owner, ttl, dns.rdatatype.CNAME, [target.to_text()]))
        owner = target
    return links, owner


def _records(owner: dns.name.Name, ttl: int, kind: dns.rdatatype.RdataType, texts: Sequence[str]) -> dns.rrset.RRset:
    return dns.rrset.from_text_list(owner, ttl, dns.rdataclass.IN, kind, list(texts))


def _key(name: str) -> str:
    return name.rstrip(".").lower()

"""Asking the DNS for a name's IPv4 addresses, in bounded time."""

from __future__ import annotations

import secrets
import socket
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dns.exception
import dns.name

from .listener import NameServer
from .message import AAAA, NOERROR, NXDOMAIN, SERVFAIL, A, Message, MessageError, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Resolver = Callable[[str, Sequence[NameServer]], "Answer | Failure"]

SERVER_SECONDS = 1.0
"""How long one server may take, in seconds, before the next one is asked."""

TOTAL_SECONDS = 5.0
"""How long one question may take in all, in seconds."""

_ALIASES = 16  # as many as dns.message follows within one answer
_SYSTEM = Path("/etc/resolv.conf")


class Outcome(StrEnum):
    """Why a question gave no addresses."""

    NXDOMAIN = "NXDOMAIN"
    SERVFAIL = "SERVFAIL"
    REFUSED = "REFUSED"
    TIMEOUT = "TIMEOUT"
    UNREACHABLE = "UNREACHABLE"
    EMPTY = "EMPTY"
    IPV6_ONLY = "IPV6_ONLY"
    CNAME_LOOP = "CNAME_LOOP"
    TRUNCATED = "TRUNCATED"
    MALFORMED = "MALFORMED"
    MEMBERS_UNKNOWN = "MEMBERS_UNKNOWN"


class Answer(NamedTuple):
    """What a name stands for now.

    Attributes:
        addresses: Its IPv4 addresses, at least one.
        ttl: How long the answer holds, in seconds: the shortest time to live along the chain of aliases.
        aliases: The names between the one asked for and the addresses.
    """

    addresses: frozenset[str]
    ttl: float
    aliases: tuple[str, ...] = ()


class Failure(NamedTuple):
    """A question without addresses.

    Attributes:
        outcome: Its kind.
        detail: One sentence with the particulars.
    """

    outcome: Outcome
    detail: str


class _ServerError(Exception):
    """One server did not help; another one may."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.failure = Failure(outcome, detail)


def resolve(hostname: str, nameservers: Sequence[NameServer] = ()) -> Answer | Failure:
    """Asks for a name's IPv4 addresses.

    Args:
        hostname: A full name; no search domain is added.
        nameservers: The servers to ask in turn; none: those of /etc/resolv.conf. A lone server is asked twice, since
            one lost datagram is no failure.
    """
    deadline = time.monotonic() + TOTAL_SECONDS
    servers = tuple(nameservers) or system_nameservers()
    if not servers:
        return Failure(Outcome.UNREACHABLE, f"no name server in {_SYSTEM} to ask for {hostname}")
    aliases: list[str] = []
    ttl = float("inf")
    name = hostname
    # A recursive server gives the whole chain at once; one that is not leaves the next step to us.
    while len(aliases) <= _ALIASES:
        found = _ask(name, A, servers, deadline)
        if isinstance(found, Failure):
            return found
        chain = found.chain()
        if chain is None:
            break
        aliases += chain.aliases
        ttl = min(ttl, chain.ttl)
        if chain.addresses:
            return Answer(chain.addresses, ttl, tuple(aliases))
        end = aliases[-1] if aliases else name
        if found.code == NXDOMAIN:
            return Failure(Outcome.NXDOMAIN, f"{end} does not exist{_via(hostname, aliases)}")
        if not chain.aliases:
            return _without_addresses(hostname, name, aliases, servers, deadline)
        if end == hostname or end in aliases[:-1]:
            break
        name = end
    return Failure(Outcome.CNAME_LOOP, f"the aliases of {hostname} lead in a circle or are more than {_ALIASES}")


def system_nameservers(path: Path = _SYSTEM) -> tuple[NameServer, ...]:
    """The name servers of the system's resolver configuration."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    words = [line.split() for line in lines]
    return tuple(NameServer(line[1]) for line in words if len(line) > 1 and line[0] == "nameserver")


def _without_addresses(
    hostname: str, name: str, aliases: list[str], servers: Sequence[NameServer], deadline: float
) -> Failure:
    """Tells a name with IPv6 addresses only from one with none."""
    other = _ask(name, AAAA, servers, deadline)
    chain = None if isinstance(other, Failure) else other.chain()
    if chain is not None and chain.addresses:
        return Failure(
            Outcome.IPV6_ONLY,
            f"{name} has IPv6 addresses only{_via(hostname, aliases)}; the target group takes IPv4 addresses",
        )
    return Failure(Outcome.EMPTY, f"{name} exists but has no address{_via(hostname, aliases)}")


def _via(hostname: str, aliases: list[str]) -> str:
    return f" ({hostname} is an alias for it)" if aliases else ""


def _ask(name: str, kind: int, servers: Sequence[NameServer], deadline: float) -> Message | Failure:
    try:
        query = Query(dns.name.from_text(name), kind, secrets.randbits(16))
    except (dns.exception.DNSException, UnicodeError) as error:
        return Failure(Outcome.MALFORMED, f"{name!r} is no DNS name: {error}")
    failure = Failure(Outcome.TIMEOUT, f"no time left to ask for {name}")
    for server in servers if len(servers) > 1 else [*servers, *servers]:
        if time.monotonic() >= deadline:
            break
        try:
            return _exchange(query, server)
        except _ServerError as error:
            failure = error.failure
    return failure


def _exchange(query: Query, server: NameServer) -> Message:
    """Asks one server, over TCP if the answer does not fit a datagram."""
    shown = f"name server {server.address} port {server.port}"
    name = query.name.to_text(omit_final_dot=True)
    family = socket.AF_INET6 if ":" in server.address else socket.AF_INET
    try:
        response = _over_udp(query, server, family)
        if response.truncated:
            response = _over_tcp(query, server, family)
    except TimeoutError as error:
        raise _ServerError(Outcome.TIMEOUT, f"{shown} did not answer for {name} within {SERVER_SECONDS:g} s") from error
    except OSError as error:
        raise _ServerError(Outcome.UNREACHABLE, f"{shown} cannot be reached for {name}: {error}") from error
    except (MessageError, EOFError) as error:
        raise _ServerError(Outcome.MALFORMED, f"{shown} gave an unreadable answer for {name}: {error}") from error
    if response.truncated:
        raise _ServerError(Outcome.TRUNCATED, f"{shown} cut its answer for {name} short even over TCP")
    if response.code not in (NOERROR, NXDOMAIN):
        outcome = Outcome.SERVFAIL if response.code == SERVFAIL else Outcome.REFUSED
        raise _ServerError(outcome, f"{shown} answered {response.code_name()} for {name}")
    return response


def _over_udp(query: Query, server: NameServer, family: int) -> Message:
    unreadable: MessageError | None = None
    end = time.monotonic() + SERVER_SECONDS
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.connect(server)  # the kernel then drops what comes from elsewhere
        connection.send(query.to_wire())
        while (left := end - time.monotonic()) > 0:
            connection.settimeout(left)
            try:
                return Message.from_wire(connection.recv(65535), query)
            except TimeoutError:
                break
            except MessageError as error:
                unreadable = error  # perhaps somebody else's guess: the true answer may follow
    raise unreadable or TimeoutError


def _over_tcp(query: Query, server: NameServer, family: int) -> Message:
    wire = query.to_wire()
    end = time.monotonic() + SERVER_SECONDS
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(SERVER_SECONDS)
        connection.connect(server)
        connection.sendall(len(wire).to_bytes(2, "big") + wire)
        size = int.from_bytes(_exactly(connection, 2, end), "big")
        return Message.from_wire(_exactly(connection, size, end), query)


def _exactly(connection: socket.socket, size: int, end: float) -> bytes:
    data = b""
    while len(data) < size:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError("the connection was closed in the middle of it")
        data += piece
    return data

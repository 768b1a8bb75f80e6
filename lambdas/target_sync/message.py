"""DNS messages, as far as the question for an address needs them.

dns.message would read every kind of record, and costs more than all the rest of the function together to import where
there is no bytecode, as in a Lambda asset. Names and their compression, the only hard part, are dnspython's.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

import dns.exception
import dns.name
import dns.wire

A, CNAME, AAAA = 1, 5, 28
"""Record types (RFC 1035, section 3.2.2; RFC 3596)."""

NOERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
"""Response codes (RFC 1035, section 4.1.1)."""

_CODES = {1: "FORMERR", SERVFAIL: "SERVFAIL", NXDOMAIN: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
_IN = 1
_RECURSION_DESIRED = 0x0100
_RESPONSE, _TRUNCATED = 0x8000, 0x0200
_HEADER = 12
_ALIASES = 16
_LONGEST_TTL = 2**31 - 1


class MessageError(Exception):
    """The bytes are no answer to the question."""


class Record(NamedTuple):
    """A resource record of the answer section.

    Attributes:
        owner: Its name.
        kind: A, AAAA or CNAME; others are left out.
        ttl: Its time to live, in seconds.
        value: An address, or the name that the owner is an alias for, in lower case without the final dot.
    """

    owner: dns.name.Name
    kind: int
    ttl: int
    value: str


class Chain(NamedTuple):
    """What follows from an answer for a name.

    Attributes:
        addresses: The addresses at the end of the aliases.
        aliases: The names from alias to alias, the last one being that of the addresses.
        ttl: The shortest time to live on the way, in seconds; infinite if the answer says nothing.
    """

    addresses: frozenset[str]
    aliases: tuple[str, ...]
    ttl: float


class Query(NamedTuple):
    """A question for one kind of record of one name.

    Attributes:
        name: The name.
        kind: A or AAAA.
        identifier: A number that the answer repeats; should be hard to guess.
    """

    name: dns.name.Name
    kind: int
    identifier: int

    def to_wire(self) -> bytes:
        """The message to send."""
        header = (self.identifier, _RECURSION_DESIRED, 1, 0, 0, 0)
        return b"".join(
            [
                *(number.to_bytes(2, "big") for number in header),
                self.name.to_wire() or b"",
                self.kind.to_bytes(2, "big"),
                _IN.to_bytes(2, "big"),
            ]
        )


class Message(NamedTuple):
    """An answer.

    Attributes:
        name: What was asked for.
        kind: The kind asked for.
        code: The response code.
        truncated: Whether it was cut to fit a datagram.
        records: The records of the answer section that matter.
    """

    name: dns.name.Name
    kind: int
    code: int
    truncated: bool
    records: tuple[Record, ...]

    @classmethod
    def from_wire(cls, wire: bytes, query: Query) -> Message:
        """Reads an answer.

        Raises:
            MessageError: It is malformed, or the answer to something else.
        """
        if len(wire) < _HEADER:
            raise MessageError(f"{len(wire)} bytes are too few")
        identifier, flags, questions, answers = (int.from_bytes(wire[at : at + 2], "big") for at in range(0, 8, 2))
        if identifier != query.identifier or not flags & _RESPONSE:
            raise MessageError("it answers another question")
        truncated = bool(flags & _TRUNCATED)
        parser = dns.wire.Parser(wire, _HEADER)
        code = flags & 15
        records: list[Record] = []
        try:
            # A server that cannot make sense of a question need not repeat it.
            if questions or code == NOERROR:
                asked = (parser.get_name(), parser.get_uint16(), parser.get_uint16())
                if questions != 1 or asked != (query.name, query.kind, _IN):
                    raise MessageError("it answers another question")
            for _ in range(0 if truncated else answers):
                records += _record(parser)
        except (dns.exception.DNSException, ValueError) as error:
            raise MessageError(str(error) or type(error).__name__) from error
        return cls(query.name, query.kind, code, truncated, tuple(records))

    def code_name(self) -> str:
        """The response code in words."""
        return _CODES.get(self.code, f"response code {self.code}")

    def chain(self) -> Chain | None:
        """Follows the aliases from the name asked for.

        Returns:
            Where they lead; None if they lead in a circle, or are more than 16.
        """
        owner, aliases = self.name, list[str]()
        ttl = float("inf")
        while len(aliases) <= _ALIASES:
            here = [record for record in self.records if record.owner == owner]
            ends = [record for record in here if record.kind == self.kind]
            links = [record for record in here if record.kind == CNAME]
            ttl = min([ttl, *(float(record.ttl) for record in ends or links[:1])])
            if ends or not links:
                return Chain(frozenset(record.value for record in ends), tuple(aliases), ttl)
            aliases.append(links[0].value)
            owner = dns.name.from_text(links[0].value)
        return None


def _record(parser: dns.wire.Parser) -> list[Record]:
    """Reads one record; none if it is of a kind that does not matter."""
    owner = parser.get_name()
    kind, family = parser.get_uint16(), parser.get_uint16()
    ttl = parser.get_uint32()
    with parser.restrict_to(parser.get_uint16()):
        if family == _IN and kind == CNAME:
            value = parser.get_name().to_text(omit_final_dot=True).lower()
        elif family == _IN and kind == A:
            value = str(ipaddress.IPv4Address(parser.get_bytes(4)))
        elif family == _IN and kind == AAAA:
            value = str(ipaddress.IPv6Address(parser.get_bytes(16)))
        else:
            parser.get_remaining()
            return []
    # RFC 2181, section 8: a time to live with the first bit set means none.
    return [Record(owner, kind, ttl if ttl <= _LONGEST_TTL else 0, value)]

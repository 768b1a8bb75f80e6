"""One connection to one address: open it, ask for TLS as Postgres clients do, and tell how it ended.

What is asked is Postgres's SSLRequest, which needs no user and no password: a Postgres answers it with one byte, `S` if
it can do TLS and `N` if not. Nothing is negotiated after that.
https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from dataclasses import dataclass

# Length 8, request code 80877103 (protocol-message-formats.html, SSLRequest).
SSL_REQUEST = struct.pack("!ii", 8, 80877103)

DNS = "dns"
"""The name stands for no address: the endpoint is not accepted yet or is gone, or the VPC has DNS turned off."""
TIMEOUT = "timeout"
"""No answer: a security group or a network ACL drops it, or no target is there."""
REFUSED = "refused"
"""Actively refused: nothing listens on the port, of the load balancer or of the target."""
NOT_POSTGRES = "not-postgres"
"""Somebody answered, and not as Postgres does."""
CLOSED = "closed"
"""The connection ended without an answer: the load balancer has no target, or the database is starting or stopping."""
FAILURES = (DNS, TIMEOUT, REFUSED, NOT_POSTGRES, CLOSED)


@dataclass(frozen=True, slots=True)
class Probe:
    """How a connection went.

    Attributes:
        address: The address; empty if the name stands for none.
        port: The port.
        failure: One of `FAILURES`; empty if a Postgres answered.
        cause: The error's words; empty if there was none.
        seconds: From the first packet to the answer; None without one.
        tls: Whether the server can do TLS; None without an answer.
    """

    address: str
    port: int
    failure: str = ""
    cause: str = ""
    seconds: float | None = None
    tls: bool | None = None


def addresses(host: str) -> list[str]:
    """Returns the IPv4 addresses that a name stands for, in order: an endpoint has one in each of its zones.

    Raises:
        OSError: The name has none, or cannot be asked for.
    """
    found = socket.getaddrinfo(host, None, family=socket.AF_INET, type=socket.SOCK_STREAM)
    return sorted({str(entry[4][0]) for entry in found})


def probe(address: str, port: int, timeout: float) -> Probe:
    """Connects once.

    Args:
        address: Where to.
        port: The port.
        timeout: For connecting and for the answer together, in seconds.
    """
    start = time.monotonic()
    try:
        with socket.create_connection((address, port), timeout=timeout) as connection:
            connection.settimeout(max(0.001, timeout - (time.monotonic() - start)))
            connection.sendall(SSL_REQUEST)
            answer = connection.recv(1)
            seconds = time.monotonic() - start
            # Otherwise the server may log that a client went away in the middle of something.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
    except TimeoutError as error:
        return Probe(address, port, TIMEOUT, str(error) or "timed out")
    except ConnectionRefusedError as error:
        return Probe(address, port, REFUSED, str(error))
    except OSError as error:
        # Reset, or no route: nobody answered, and it was said at once.
        return Probe(address, port, CLOSED, str(error))
    if not answer:
        return Probe(address, port, CLOSED, "closed without an answer to SSLRequest")
    if answer not in (b"S", b"N"):
        return Probe(address, port, NOT_POSTGRES, f"answered SSLRequest with {answer!r}, not with S or N")
    return Probe(address, port, seconds=seconds, tls=answer == b"S")

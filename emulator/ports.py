"""Ports and addresses of loopback for what runs side by side: each is given out once, until its process ends."""

import contextlib
import fcntl
import secrets
import socket
from functools import cache
from typing import BinaryIO

from tools.install import WORK

# Below the ports that systems hand out to outgoing connections: those are taken again within milliseconds.
_PORTS = range(20_000, 32_000)
# Not 127.0.0.0/16, on which everything is by default.
_NETWORKS = range(1, 254)
_taken: set[int] = set()


def free_port(*addresses: str) -> int:
    """Return a port that is free, over TCP and UDP, on each of these addresses of loopback.

    No other process that uses this checkout is given the same one until this process ends, whether it listens on it
    meanwhile or not: a server may stop and come back, and nobody answers in its place.

    Args:
        addresses: Default: 127.0.0.1.
    """
    while True:
        port = _take(_PORTS)
        with contextlib.suppress(OSError):
            for address in addresses or ("127.0.0.1",):
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    with socket.socket(socket.AF_INET, kind) as probe:
                        probe.bind((address, port))
            return port


def free_network() -> int:
    """Return the second number of a range 127.x.0.0/16 that nobody else of this checkout is given meanwhile."""
    return _take(_NETWORKS)


def _take(numbers: range) -> int:
    while True:
        number = secrets.choice(numbers)
        if number in _taken:
            continue
        with contextlib.suppress(OSError):
            # A lock on the byte at this offset: it ends with the process, however that ends.
            fcntl.lockf(_locks(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            _taken.add(number)
            return number


@cache
def _locks() -> BinaryIO:
    """Return the file that carries the locks. Opened once: closing any handle of it would end all of them."""
    WORK.mkdir(exist_ok=True)
    return (WORK / "ports").open("ab")

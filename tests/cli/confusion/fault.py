"""The form every fault has, and the catalogue of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from tests.cli.confusion.ward import Ward


@dataclass(frozen=True)
class Planted:
    """A fault that was planted.

    Attributes:
        words: What is broken, in AWS's terms.
        mend: Puts it right again.
    """

    words: str
    mend: Callable[[], object]


Plant = Callable[["Ward", "random.Random"], Planted | None]
"""Breaks something of a service and says what; None where the service has nothing of the kind."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        name: Its name in the table.
        hop: The hop of docs/troubleshooting.md at which it is.
        words: The kind in general.
        plant: Plants one.
    """

    name: str
    hop: str
    words: str
    plant: Plant


FAULTS: list[Fault] = []

# The path as docs/troubleshooting.md lists it, from the consumer to the database.
PATH = (
    "Endpoint service",
    "Principals",
    "Connections",
    "Load balancer",
    "Load balancer's zones",
    "Service's zones",
    "Listeners",
    "Inbound rules",
    "Target groups",
    "Cross-zone",
    "Function",
    "DNS",
    "Database",
    "Targets",
    "Outbound rules",
    "Route tables",
    "Network ACLs",
    "Database's group",
    "Target health",
    "Keepalives",
    "Last change",
    "Alarms",
)


def fault(hop: str) -> Callable[[Plant], Plant]:
    """Put the decorated function into the catalogue."""
    if hop not in PATH:
        raise ValueError(f"{hop} is no hop of the path")

    def register(plant: Plant) -> Plant:
        name: str = plant.__name__
        FAULTS.append(Fault(name, hop, " ".join((plant.__doc__ or "").split()), plant))
        return plant

    return register

"""What to do about the connections of a service: a pure function of what AWS says of them and of the list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

WAITING = "pendingacceptance"
CONNECTED = frozenset({"available", "pending", "partial"})


@dataclass(frozen=True, slots=True)
class Connection:
    """A consumer's endpoint, as the owner of the service sees it.

    Attributes:
        endpoint_id: The endpoint, `vpce-...`.
        owner: The account that it belongs to.
        state: Its state in lower case: AWS writes it in more than one way.
    """

    endpoint_id: str
    owner: str
    state: str

    @property
    def holds(self) -> bool:
        """Whether AWS refuses to delete the service because of it."""
        return self.state == WAITING or self.state in CONNECTED


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do.

    Attributes:
        accept: Waiting endpoints of listed accounts.
        reject: Waiting endpoints of others, where these are rejected.
        leave: Waiting endpoints of others, where these are left to people.
        stray: Connected endpoints of accounts that are not listed (any more): removing an account cuts nobody.
    """

    accept: tuple[Connection, ...] = ()
    reject: tuple[Connection, ...] = ()
    leave: tuple[Connection, ...] = ()
    stray: tuple[Connection, ...] = ()


def decide(connections: Iterable[Connection], accept_from: Collection[str], *, reject_others: bool) -> Decision:
    """Decides from the accounts that own the endpoints, and from nothing else.

    Args:
        connections: All connections of the service.
        accept_from: The accounts whose connections are accepted.
        reject_others: Whether waiting connections of other accounts are rejected.
    """
    known = sorted(connections, key=lambda each: each.endpoint_id)
    waiting = [each for each in known if each.state == WAITING]
    others = tuple(each for each in waiting if each.owner not in accept_from)
    return Decision(
        accept=tuple(each for each in waiting if each.owner in accept_from),
        reject=others if reject_others else (),
        leave=() if reject_others else others,
        stray=tuple(each for each in known if each.state in CONNECTED and each.owner not in accept_from),
    )

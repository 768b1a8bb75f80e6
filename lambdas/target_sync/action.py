"""What a follower may want done. Each tells it the result by the method named."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .target import Endpoint, Target


class Ask(NamedTuple):
    """Ask the DNS for the listener's host name, and tell `Follower.heard`."""


class Read(NamedTuple):
    """Read the target group, and tell `Follower.saw`.

    Attributes:
        tags: Whether to read its tags too, since a change is about to be made.
        targets: Whether to read its targets. Registering needs it not: what is registered already stays as it is.
        urgent: Whether targets wait for it; if not, it can as well be left for the next look.
    """

    tags: bool
    targets: bool = True
    urgent: bool = True


class Register(NamedTuple):
    """Register targets, and tell `Follower.did`."""

    endpoints: tuple[Endpoint, ...]
    cause: str
    named_at: float


class Deregister(NamedTuple):
    """Deregister targets, and tell `Follower.did`."""

    targets: tuple[Target, ...]
    cause: str


class Record(NamedTuple):
    """Write the `followed` tag, and tell `Follower.did`."""

    followed: str


Action = Ask | Read | Register | Deregister | Record

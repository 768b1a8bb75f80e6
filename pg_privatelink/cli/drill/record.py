"""`Record`: what the clients saw, as it happened."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Try:
    """One thing that a client tried: a connection with a question, a question, a write.

    Attributes:
        at: When it began, in seconds on the clients' clock.
        ended: When it had an answer or failed; None while it waits.
        server: The address of the server that answered; empty if none did.
        writable: Whether that server takes writes.
        error: Why it failed; empty if it did not.
        number: The number that was sent to be written; 0 if none was.
    """

    at: float
    ended: float | None = None
    server: str = ""
    writable: bool = False
    error: str = ""
    number: int = 0

    @property
    def succeeded(self) -> bool:
        """Whether it was answered."""
        return self.ended is not None and not self.error


@dataclass(slots=True)
class Record:
    """What the clients of one path saw.

    Attributes:
        connections: New connections, each with one question.
        session: The questions of the one long-lived session, and its attempts to connect again.
        query: The one long query; None before it was sent.
        writes: The numbered writes.
    """

    connections: list[Try] = field(default_factory=list)
    session: list[Try] = field(default_factory=list)
    query: Try | None = None
    writes: list[Try] = field(default_factory=list)

"""The readers of a DB cluster: its reader endpoint names one of them per answer, so the members are asked for too."""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, NamedTuple, cast

import botocore.config
import botocore.session

from . import registry as aws
from .resolve import Answer, Failure, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_rds import RDSClient

    from .listener import Listener
    from .resolve import Resolver

MEMBERS_SECONDS = 30.0
"""After so long the list of members is read again."""

HURRIED_SECONDS = 5.0
"""The same when the reader endpoint names an address that no known member has."""

STALE_SECONDS = 300.0
"""So long a list is used that cannot be read again."""


class _Known(NamedTuple):
    names: tuple[str, ...]
    at: float
    tried_at: float


@functools.cache
def client() -> RDSClient:
    """A client whose calls end in bounded time; made only where a listener follows readers."""
    made = botocore.session.get_session().create_client(
        "rds",
        config=botocore.config.Config(
            connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2}
        ),
    )
    return cast("RDSClient", made)


class Members:
    """The members of all clusters whose readers are followed. Safe to use from several threads.

    Attributes:
        rds: Gives the client of Amazon RDS.
    """

    def __init__(self, ask: Resolver, rds: Callable[[], RDSClient] | None = None) -> None:
        """Makes no call yet.

        Args:
            ask: How a name is resolved.
            rds: Gives the client when it is needed (default: `client`).
        """
        self._ask = ask
        self.rds = rds or client
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def afresh(self) -> Members:
        """Returns the same, with nothing known yet: what it tells is true now, not some minutes ago."""
        return Members(self._ask, self.rds)

    def resolve(self, listener: Listener, now: float) -> Answer | Failure:
        """Resolves a listener's host name, and the endpoints of all readers with it.

        The answer is the union: the reader endpoint's own address belongs to it even if RDS does not list its instance
        yet. A member without addresses is left out if its name does not exist, as that of an instance being created or
        deleted; any other trouble with one fails the whole, since less than the truth would take targets out.

        Args:
            listener: What is followed.
            now: The time, in seconds.
        """
        answer = self._ask(listener.hostname, listener.nameservers)
        if not listener.members or isinstance(answer, Failure):
            return answer
        union = self._with_members(listener, answer, now, MEMBERS_SECONDS)
        if isinstance(union, Answer) and not answer.addresses <= union.addresses:
            union = self._with_members(listener, answer, now, HURRIED_SECONDS)
        if isinstance(union, Failure):
            return union
        return Answer(answer.addresses | union.addresses, min(answer.ttl, union.ttl), answer.aliases)

    def _with_members(self, listener: Listener, answer: Answer, now: float, older_than: float) -> Answer | Failure:
        names = self._names(listener, now, older_than)
        if isinstance(names, Failure):
            return names
        addresses: set[str] = set()
        ttl = answer.ttl
        for name in names:
            member = self._ask(name, listener.nameservers)
            if isinstance(member, Answer):
                addresses |= member.addresses
                ttl = min(ttl, member.ttl)
            elif member.outcome is not Outcome.NXDOMAIN:
                return member
        return Answer(frozenset(addresses), ttl)

    def _names(self, listener: Listener, now: float, older_than: float) -> tuple[str, ...] | Failure:
        with self._lock:
            known = self._known.get(listener.members)
        if known is not None and now < known.tried_at + older_than:
            return known.names
        try:
            names = self._read(listener)
        except aws.ERRORS as error:
            if known is not None and now < known.at + STALE_SECONDS:
                self._keep(listener, _Known(known.names, known.at, now))
                return known.names
            why = f"the members of DB cluster {listener.members} cannot be listed: {aws.code(error)}: {error}"
            return Failure(Outcome.MEMBERS_UNKNOWN, why)
        self._keep(listener, _Known(names, now, now))
        return names

    def _keep(self, listener: Listener, known: _Known) -> None:
        with self._lock:
            self._known[listener.members] = known

    def _read(self, listener: Listener) -> tuple[str, ...]:
        (cluster,) = self.rds().describe_db_clusters(DBClusterIdentifier=listener.members)["DBClusters"]
        members = cluster["DBClusterMembers"]
        # A cluster without readers answers its reader endpoint with the writer.
        readers = [member for member in members if not member["IsClusterWriter"]] or members
        # Amazon RDS names a member's endpoint after it, in the same domain as the cluster's own: those are
        # name.cluster-ID.Region.rds.amazonaws.com and name.cluster-ro-ID..., the member's name.ID... .
        domain = cluster["ReaderEndpoint"].partition(".")[2].removeprefix("cluster-ro-").removeprefix("cluster-")
        return tuple(sorted(f"{member['DBInstanceIdentifier']}.{domain}" for member in readers))

"""What a DNS name has answered so far, as far as it matters for the targets.

The words used here, in `plan` and in `attention`, each for one thing:

- *identical* answers: the latest ones, in a row, that name exactly the same.
- *familiar* answers: the latest ones, in a row, that name nothing new.
- *confirmed*: true of at least three answers in a row that span at least one time to live, the longest of theirs, and
  are not all one answer out of a cache.
- *changed*: answers were not always identical. *Settled*: confirmed that answers are identical.
- *complete*: confirmed that answers are familiar, so that all is known that the name stands for at present.
- *gone*: confirmed that an endpoint is missing, over a longer time where that might be chance.
- *taking turns*: known endpoints keep coming back, as in the answers of a name that gives only some of its addresses.
- *steady*: identical for so long that the name is known to give all its addresses in every answer.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .target import Endpoint

CONFIRMING_ANSWERS = 3
"""The least number of answers in a row that confirm something: see above."""

ROUNDED_SECONDS = 1.0
"""How much too short a time to live may be told: resolvers count down in whole seconds."""

UNEXPLAINED_ROUNDS = 15
"""Rounds (an answer and a time to live each) that a target must be missing where that may be chance (`History.gone`).

Names such as Aurora's reader endpoint answer with one of n addresses at random. For two of them, 15 answers in a row
without the other one are a matter of 1 in 32,768; per address the factor below keeps that near 1 in a million.
"""

STEADY_ROUNDS = 30
"""Rounds of one and the same answer after which a name is taken to give all its addresses in every answer."""

TURNS_RETURNS = 3
"""So many returns mean taking turns. Fewer are still a failover: A, B, A has one, and A, B, A, B has two."""

FORGIVEN_RETURNS = 6
"""How much more often addresses of a name that was steady may come back.

An Aurora cluster's name was seen to go back and forth for 20 to 30 s during a failover, with a time to live of 5 s
(issue 377 of awslabs/aws-mysql-jdbc).
"""


class Streak(NamedTuple):
    """Answers in a row that have something in common.

    Attributes:
        answers: How many.
        since: When the first of them came, in seconds.
        ttl: The longest time to live among them, or known before them, in seconds. A resolver's cache counts it down:
            the longest is the nearest to the zone's own.
        first_expires: When the first one expires by the time to live that it came with, in seconds.
        renewed: Whether one of them expires later, by more than rounding: then they are not all one answer.
    """

    answers: int
    since: float
    ttl: float
    first_expires: float = float("-inf")
    renewed: bool = False

    def plus(self, at: float, ttl: float) -> Streak:
        """The streak with one more answer."""
        if not self.answers:
            return Streak(1, at, max(self.ttl, ttl), at + ttl)
        renewed = self.renewed or at + ttl > self.first_expires + ROUNDED_SECONDS
        return Streak(self.answers + 1, self.since, max(self.ttl, ttl), self.first_expires, renewed)

    def covers(self, rounds: int, at: float) -> bool:
        """Whether there are so many answers, and at least three, over so many times to live: one round confirms."""
        enough = self.answers >= max(CONFIRMING_ANSWERS, rounds) and at - self.since >= rounds * self.ttl
        return enough and self.renewed


_NONE = Streak(0, 0.0, 0.0)


class Known(NamedTuple):
    """One endpoint that an answer named or that was found in the target group.

    Attributes:
        order: In which order they were first seen, 0 for what the group held at the beginning; returns change nothing.
        found: Whether it was in the target group at the beginning, or no answer named it, and the name was not known to
            be steady then: it may be one that takes turns with what the answers name.
        named: Whether an answer ever named it.
        entered: When it came into the answer for the last time, in seconds.
        absent: The latest answers, in a row, that lack it.
    """

    order: int
    found: bool
    named: bool
    entered: float
    absent: Streak = _NONE


class History(NamedTuple):
    """The answers for one host name and port, folded: its size depends on the addresses, not on the time.

    Only successful answers are in it: a failed one says nothing. It never changes: each answer makes another one.

    Attributes:
        at: When the latest answer came, in seconds.
        latest: What it named.
        known: All endpoints of interest.
        began: When the first answer came, in seconds.
        identical: The latest answers that name exactly the same.
        familiar: The answers since one named something new, that one included.
        returns: How often known endpoints came back into the answer, counted once per time to live; below zero as far
            as that is forgiven.
        returned: When that was counted last, in seconds.
    """

    at: float = 0.0
    began: float = 0.0
    latest: frozenset[Endpoint] = frozenset()
    known: Mapping[Endpoint, Known] = MappingProxyType({})
    identical: Streak = _NONE
    familiar: Streak = _NONE
    returns: int = 0
    returned: float = float("-inf")

    def answered(self, named: Iterable[Endpoint], ttl: float, at: float) -> History:
        """The history with one more answer, which names at least one endpoint."""
        latest = frozenset(named)
        newcomers = latest - self.known.keys()
        identical = (self.identical if latest == self.latest else _NONE).plus(at, ttl)
        steady = identical.covers(STEADY_ROUNDS, at)
        order = 1 + max((entry.order for entry in self.known.values()), default=0)
        known = {endpoint: Known(order, found=False, named=True, entered=at) for endpoint in newcomers}
        for endpoint, entry in self.known.items():
            if endpoint not in latest:
                known[endpoint] = entry._replace(absent=entry.absent.plus(at, ttl))
                continue
            known[endpoint] = Known(
                entry.order,
                # All that a steady name stands for is known by now: what goes missing later does not take turns.
                found=entry.found and not steady,
                named=True,
                entered=entry.entered if endpoint in self.latest else at,
            )
        # Caches in front of one name may differ for a time to live: what comes and goes meanwhile is one return.
        returning = latest - newcomers - self.latest if self.latest else frozenset()
        back = bool(returning) and at - self.returned >= max(ttl, self.identical.ttl)
        return History(
            at=at,
            began=self.began if self.latest else at,
            latest=latest,
            known=known,
            identical=identical,
            familiar=(_NONE if newcomers else self.familiar).plus(at, ttl),
            returns=-FORGIVEN_RETURNS if steady else self.returns + back,
            returned=at if back else self.returned,
        )

    def holding(
        self, registered: Iterable[Endpoint], *, before: Iterable[Endpoint] | None = None, steady: bool = False
    ) -> History:
        """The history after a look into the target group.

        A target that turned up since the look before is missed from then on: it may be another invocation's, which
        knows a newer answer.

        Args:
            registered: What the group holds.
            before: What it held at the look before, with the changes that were made since by this invocation; None at
                the first look, when nothing in it can be a newcomer.
            steady: Whether the group tells by itself that the name gives all its addresses in every answer.
        """
        registered = frozenset(registered)
        beginning = before is None
        newcomers = registered - frozenset(before or ())
        steady |= self.steady()
        # The time to live is the name's, not what is left of it in a resolver's cache.
        from_now = _NONE._replace(ttl=self.identical.ttl)
        order = 0 if beginning else 1 + max((entry.order for entry in self.known.values()), default=0)
        known = {
            endpoint: entry
            for endpoint, entry in self.known.items()
            # What is not in the group and is long missing from the answers is forgotten.
            if endpoint in registered or not entry.absent.covers(STEADY_ROUNDS, self.at)
        }
        for endpoint in registered:
            if endpoint not in known:
                absent = self.identical if beginning else from_now
                # Beside a steady name a stranger cannot be one that takes turns.
                known[endpoint] = Known(order, found=not steady, named=False, entered=self.at, absent=absent)
            elif beginning:
                known[endpoint] = known[endpoint]._replace(order=0, found=not steady)
            elif endpoint in newcomers:
                known[endpoint] = known[endpoint]._replace(absent=from_now)
        return self._replace(known=known, returns=-FORGIVEN_RETURNS if beginning and steady else self.returns)

    def in_play(self) -> frozenset[Endpoint]:
        """The endpoints that the name is taken to stand for now: named at some time and not gone since."""
        return frozenset(endpoint for endpoint, entry in self.known.items() if entry.named and not self.gone(endpoint))

    def gone(self, endpoint: Endpoint) -> bool:
        """Whether an endpoint is confirmed to be no longer the database's.

        That it is missing needs no more than to be confirmed, once the answer is settled, for one that this invocation
        saw come (A, B, A: B goes like this, though A is older), and for one that it found and that something newer
        replaced, as after a failover. 15 rounds are asked for where addresses may only be taking turns: of one that was
        found and that nothing newer replaced, and while answers still differ; more when known ones keep coming back.
        """
        entry = self.known.get(endpoint)
        if entry is None or endpoint in self.latest:
            return False
        explained = not entry.found or any(self.known[other].order > entry.order for other in self.latest)
        rounds = 1 if explained and self.settled() else UNEXPLAINED_ROUNDS
        # The more often known ones came back the longer the silence must be, up to a limit for each in turn.
        if self.taking_turns():
            turns = sum(other.named for other in self.known.values())
            rounds = max(rounds, turns * min(self.returns, UNEXPLAINED_ROUNDS))
        return entry.absent.covers(rounds, self.at)

    def changed(self, since: float = float("-inf")) -> bool:
        """Whether the answer changed, and not before a moment; taking turns is no change."""
        return not self.taking_turns() and self.identical.since > self.began and self.identical.since >= since

    def changing(self) -> bool:
        """Whether the answer changed, if only to one that takes turns with it, and did not settle yet."""
        return self.identical.since > self.began and not self.settled()

    def settled(self) -> bool:
        """Whether the answer stayed the same for long enough to be sure of it."""
        return self.identical.covers(1, self.at)

    def complete(self) -> bool:
        """Whether all is known that the name stands for at present: nothing new was named for long enough."""
        return self.familiar.covers(1, self.at)

    def taking_turns(self) -> bool:
        """Whether known addresses come back again and again, so that another answer is nothing new."""
        return self.returns >= TURNS_RETURNS

    def steady(self) -> bool:
        """Whether the same was answered for so long that the name gives all its addresses in every answer."""
        return self.identical.covers(STEADY_ROUNDS, self.at)

    def news_at(self) -> float:
        """When there was something new last, in seconds: the answer changed, other than by taking turns again."""
        return self.familiar.since if self.taking_turns() else self.identical.since

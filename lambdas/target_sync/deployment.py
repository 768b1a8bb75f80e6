"""Targets at deployment: registered and healthy before the stack completes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import registry as aws
from .action import Read
from .target import Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .follower import Follower
    from .target import Endpoint
    from .watch import Fleet

TROUBLE_SECONDS = 60.0
"""How long a name may fail to resolve, or a call to be allowed: records and permissions made a moment ago spread."""

KEPT_SECONDS = 10.0
"""The same on an update of a listener that has targets: they are kept, and the deployment goes on."""

_PAUSE_SECONDS = 2.0
_GRACE_SECONDS = 10.0  # for a call that is under way when the time is up
_READS_PER_SECOND = 5.0  # half of what the account may describe (Elastic Load Balancing User Guide, "API throttling")

_EXPLANATIONS = {
    "Target.NotInUse": "its Availability Zone is not enabled on the load balancer, or no listener uses the group: give "
    "the load balancer a subnet in the zone",
    "Target.IpUnusable": "the address belongs to a load balancer",
    "Target.FailedHealthChecks": "no connection from the load balancer: the database's security group or a network ACL "
    "does not let it in, or the database is down or listens on another port",
    "Target.Timeout": "no connection from the load balancer: the database's security group or a network ACL does not "
    "let it in, or the database is down",
    "Elb.RegistrationInProgress": "registration is not complete: it can take minutes",
    "Elb.InitialHealthChecking": "the first health checks are not complete",
    "Elb.InternalError": "Elastic Load Balancing reports an internal error",
}


class Deployment:
    """One request of CloudFormation to have the targets right.

    What may fail it: when created, everything. On an update only what is new with it, since CloudFormation's rollback
    is an update too and must not fail: an address that this very call registered and that does not become healthy, or
    an added or changed listener without any target. Whatever is registered already is kept, and the rest are warnings.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        expected: Mapping[str, str],
        old: Mapping[str, str] | None,
        wait_for_healthy: bool,
        seconds: float,
    ) -> None:
        """Does nothing yet.

        Args:
            fleet: The listeners.
            expected: The listeners' names and what they follow, as the stack has it. Others cannot fail an update.
            old: The same before this update; None: the resource is being created, and anything may fail it.
            wait_for_healthy: Whether registered targets must become healthy.
            seconds: How long it may take.
        """
        self._fleet = fleet
        self._expected = expected
        self._old = old
        self._wait_for_healthy = wait_for_healthy
        self._clock = fleet.clock
        self._start = self._clock.time()
        self._seconds = seconds
        self._until = self._start + seconds
        self._problems: dict[str, str] = {}
        self._warnings: dict[str, str] = {}

    def run(self) -> tuple[list[str], list[str]]:
        """Registers what has to be, and waits.

        Returns:
            Problems that fail the request, and warnings.

        Raises:
            ClientError, BotoCoreError: The listeners cannot be listed, and at least one of them is new.
        """
        try:
            self._list()
        except aws.ERRORS as error:
            if self._old is None or self._expected.keys() - self._old.keys():
                raise
            # Nothing was added, so what is registered serves on: failing would make the rollback fail as well.
            return [], [f"the target groups cannot be listed: {aws.code(error)}: {error}"]
        followers = self._fleet.sound()
        for arn, why in self._fleet.broken.items():
            self._note(arn, why, fatal=self._old is None)
        present = {follower.listener.name for follower in followers}
        for name in sorted(self._expected.keys() - present):
            why = self._fleet.table_failure or "no target group of the load balancer has this listener's tags"
            self._note(name, why, fatal=self._new(name))
        late = self._fleet.each(followers, self._bring_up, self._seconds + _GRACE_SECONDS)
        for name in sorted(late):
            self._note(name, "calls to AWS did not return in time", fatal=self._new(name))
        return (
            [f"{name}: {why}" for name, why in sorted(self._problems.items())],
            [f"{name}: {why}" for name, why in sorted(self._warnings.items())],
        )

    def _list(self) -> None:
        """Reads the listeners; permissions made a moment ago may not be known everywhere yet."""
        added = self._old is None or self._expected.keys() - self._old.keys()
        give_up = min(self._until, self._start + (TROUBLE_SECONDS if added else KEPT_SECONDS))
        while True:
            over = self._clock.time() >= give_up
            try:
                self._fleet.refresh(older_than=0)
            except aws.ERRORS:
                if over:
                    raise
            else:
                # A process that knows listeners from before goes on with those.
                if over or not self._fleet.table_failure:
                    return
            self._clock.sleep(_PAUSE_SECONDS)

    def _new(self, name: str) -> bool:
        """Whether a listener was not there, or not like this, before the request."""
        return self._old is None or self._old.get(name) != self._expected.get(name)

    def _note(self, name: str, why: str, *, fatal: bool) -> None:
        (self._problems if fatal and (name in self._expected or self._old is None) else self._warnings)[name] = why

    def _bring_up(self, follower: Follower) -> None:
        """One listener's part."""
        name = follower.listener.name
        before = self._before(follower)
        give_up = min(self._until, self._start + (KEPT_SECONDS if before else TROUBLE_SECONDS))
        while follower.failure or not follower.wanted() or not follower.wanted() <= _registered(follower):
            if follower.missing or self._clock.time() >= give_up:
                why = follower.failure or "its target group is gone"
                self._note(name, f"{follower.listener.hostname}: {why}", fatal=self._new(name) and not before)
                return
            self._fleet.go(self._fleet.work.look(follower))
            if follower.failure:
                self._clock.sleep(_PAUSE_SECONDS)
        if self._wait_for_healthy:
            self._wait(follower, before)

    def _before(self, follower: Follower) -> frozenset[Endpoint]:
        """What is registered before anything is done."""
        follower.begin(self._start, attend_until=self._start, stop_at=self._start)  # forgets what failed before
        self._fleet.go(self._fleet.work.do(follower, Read(tags=False)))
        while follower.failure and not follower.missing and self._clock.time() < self._until:
            self._clock.sleep(_PAUSE_SECONDS)
            self._fleet.go(self._fleet.work.do(follower, Read(tags=False)))
        return _registered(follower)

    def _wait(self, follower: Follower, before: frozenset[Endpoint]) -> None:
        """Waits until the targets are healthy, on an update those only that this call registered."""
        pause = max(_PAUSE_SECONDS, len(self._fleet.followers) / _READS_PER_SECOND)
        watched = follower.wanted() - (before if self._old is not None else frozenset())
        while sick := _sick(follower, watched):
            if self._clock.time() + pause >= self._until:
                told = "; ".join(map(_diagnosis, sick))
                why = f"{follower.listener.hostname}: not healthy within {self._seconds:.0f} s: {told}"
                self._note(follower.listener.name, why, fatal=True)
                return
            self._clock.sleep(pause)
            self._fleet.go(self._fleet.work.do(follower, Read(tags=False)))


def _registered(follower: Follower) -> frozenset[Endpoint]:
    return frozenset(target.endpoint for target in follower.targets or () if target.registered)


def _sick(follower: Follower, watched: frozenset[Endpoint]) -> list[Target]:
    rows = {target.endpoint: target for target in follower.targets or ()}
    missing = "it was deregistered meanwhile"
    found = [rows.get(endpoint, Target(endpoint, "unused", "Target.NotRegistered", missing)) for endpoint in watched]
    return sorted((target for target in found if not target.healthy), key=lambda target: target.endpoint)


def _diagnosis(target: Target) -> str:
    said = " ".join(filter(None, (target.state, target.reason, target.description and f"({target.description})")))
    meaning = _EXPLANATIONS.get(target.reason)
    return f"{target.endpoint} is {said}" + (f": {meaning}" if meaning else "")

"""Own models of how others keep a target group in step with a name, to compare with.

Each stands for one way of doing it that was seen and measured: how it decides, what it takes for registered, in which
order it calls, what it does when something fails. A test pins each model to those measurements. All of them take every
row of the target group for registered, one that is draining too.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from target_sync.resolve import Answer
from target_sync.watch import SyncError
from tests.function.fakes import HOST, group_arn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.sandboxes import Event
    from benchmarks.simulation import Steps
    from benchmarks.world import Machine

PORT = 5432


class Baseline:
    """One look, each time it is invoked.

    Attributes:
        machine: Its sandbox.
        calls: How many calls to AWS it made.
    """

    every: float | None = None
    """How often a rule invokes it, in seconds; None: never."""
    on_events: bool = False
    """Whether events of Amazon RDS invoke it."""
    steady_calls: int
    """Calls to AWS of a run that changes nothing."""

    def __init__(self, machine: Machine, group: str = "main", hostname: str = HOST) -> None:
        self.machine = machine
        self.calls = 0
        self._arn = group_arn(group)
        self._hostname = hostname

    def handle(self, event: Event) -> Steps:  # noqa: ARG002  # it looks at none
        """Takes one look.

        Raises:
            SyncError: It fails in a way that Lambda counts.
        """
        answer = self.machine.ask(self._hostname)
        yield self.machine.answering()
        if not isinstance(answer, Answer):
            if self.raises:
                raise SyncError(str(answer))
            return
        try:
            yield from self.run(sorted(answer.addresses))
        except ClientError as error:
            if self.raises:
                raise SyncError(str(error)) from error

    raises: bool = True
    """Whether a failure is one for Lambda too."""

    def run(self, addresses: list[str]) -> Steps:
        """Does what follows from an answer."""
        raise NotImplementedError

    def rows(self, found: list[tuple[str, int]]) -> Steps:
        """Reads the target group into a list: all rows, with their ports."""

        def read() -> None:
            health = self.machine.world.balancer.describe_target_health(TargetGroupArn=self._arn)
            found[:] = [(row["Target"]["Id"], row["Target"]["Port"]) for row in health["TargetHealthDescriptions"]]

        yield from self._call("DescribeTargetHealth", read)

    def register(self, addresses: Iterable[str]) -> Steps:
        """Registers addresses with one call."""
        named = list(addresses)
        self.calls += 1
        yield from self.machine.register(
            lambda: self.machine.world.balancer.register_targets(TargetGroupArn=self._arn, Targets=_targets(named)),
            named,
        )

    def deregister(self, targets: Iterable[tuple[str, int]]) -> Steps:
        """Deregisters targets with one call."""
        rows: list[dict[str, Any]] = [{"Id": address, "Port": port} for address, port in targets]
        yield from self._call(
            "DeregisterTargets",
            lambda: self.machine.world.balancer.deregister_targets(TargetGroupArn=self._arn, Targets=rows),
        )

    def other_call(self) -> Steps:
        """Calls something else of AWS, which always works here."""
        self.calls += 1
        yield self.machine.connect() + self.machine.leg("DescribeTargetHealth") * 2
        self.machine.release()

    def _call(self, operation: str, make: Callable[[], object]) -> Steps:
        self.calls += 1
        yield from self.machine.call(operation, make)


class Poll60(Baseline):
    """Every minute; takes out what is not in the answer, then puts in what is new; looks its database up first."""

    every = 60.0
    steady_calls = 3

    def run(self, addresses: list[str]) -> Steps:
        """Deregisters, then registers."""
        wanted = addresses[:1]  # its resolver gives one address
        yield from self.other_call()
        yield from self.other_call()
        found: list[tuple[str, int]] = []
        yield from self.rows(found)
        held = {address for address, _ in found}
        stale = held - set(wanted)
        if stale:
            # It leaves the port out: the target group's own is meant.
            yield from self.deregister((address, PORT) for address in sorted(stale))
        new = set(wanted) - held
        if new:
            yield from self.register(sorted(new))


class Poll300(Baseline):
    """Every 5 minutes; sees the first row only: if it is not the answer, takes it out and puts the answer in."""

    every = 300.0
    steady_calls = 2
    raises = False

    def run(self, addresses: list[str]) -> Steps:
        """Deregisters, then registers."""
        yield from self.other_call()
        found: list[tuple[str, int]] = []
        yield from self.rows(found)
        if found and found[0][0] == addresses[0]:
            return
        if found:
            yield from self.deregister([(found[0][0], PORT)])
        yield from self.register(addresses[:1])


class Poll300AndEvents(Poll300):
    """The same, and after each event."""

    on_events = True


class EventOnly(Baseline):
    """After each event, once; puts in what is new, then takes out what is not in the answer."""

    on_events = True
    steady_calls = 1

    def run(self, addresses: list[str]) -> Steps:
        """Registers, then deregisters."""
        found: list[tuple[str, int]] = []
        yield from self.rows(found)
        if not found:
            for address in addresses:
                yield from self.register([address])
        held = {address for address, _ in found}
        for address in addresses:
            if address not in held:  # at first a second time
                yield from self.register([address])
        for address, port in found:
            if address not in addresses:
                yield from self.deregister([(address, port)])


class ThreeMisses(Baseline):
    """Every 5 minutes; puts in what is new, takes out what it put in itself and missed in three answers in a row."""

    every = 300.0
    steady_calls = 5
    raises = False

    _MISSES = 3

    def __init__(self, machine: Machine, group: str = "main", hostname: str = HOST) -> None:
        super().__init__(machine, group, hostname)
        # It keeps them in a bucket, which outlives its sandbox.
        self._missed: Counter[str] = _bucket(machine).setdefault(self._arn, Counter())

    def run(self, addresses: list[str]) -> Steps:
        """Registers, counts, deregisters."""
        for _ in range(3):
            yield from self.other_call()
        found: list[tuple[str, int]] = []
        yield from self.rows(found)
        held = {address for address, _ in found}
        new = sorted(set(addresses) - held)
        if new:
            yield from self.register(new)
        for address in addresses:
            self._missed[address] = 0
        for address in self._missed.keys() - set(addresses):
            self._missed[address] += 1
        out = sorted(address for address, misses in self._missed.items() if misses >= self._MISSES)
        if out:
            yield from self.deregister((address, PORT) for address in out)
        for address in out:
            del self._missed[address]
        yield from self.other_call()


BASELINES: dict[str, type[Baseline]] = {
    "poll_60s": Poll60,
    "poll_300s": Poll300,
    "event_only": EventOnly,
    "three_misses": ThreeMisses,
    "poll_300s_and_events": Poll300AndEvents,
}
"""By their name in the results."""


def _targets(addresses: Iterable[str]) -> list[dict[str, Any]]:
    return [{"Id": address, "Port": PORT} for address in addresses]


def _bucket(machine: Machine) -> dict[str, Counter[str]]:
    return machine.world.kept

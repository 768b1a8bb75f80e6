"""Elastic Load Balancing with its published limits enforced."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.function.fakes import FakeElb, aws_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.simulation import Simulation

READS = frozenset({"DescribeTargetGroups", "DescribeTags", "DescribeTargetHealth"})
CHANGES = frozenset({"RegisterTargets", "DeregisterTargets"})


@dataclass
class Bucket:
    """A token bucket, full at the beginning, that refuses when it is empty.

    Attributes:
        capacity: How many may go at once.
        refill: How many come back each second.
    """

    capacity: float
    refill: float
    _left: float = field(default=float("inf"), init=False)
    _at: float = field(default=0.0, init=False)

    def has(self, now: float) -> bool:
        """Whether there is a token."""
        self._left = min(self.capacity, self._left + (now - self._at) * self.refill)
        self._at = now
        return self._left >= 1

    def take(self) -> None:
        """Takes one."""
        self._left -= 1


class Balancer(FakeElb):
    """A Network Load Balancer's target groups behind the throttled interface.

    The buckets are those of an account and Region (Elastic Load Balancing User Guide, "API throttling").

    Attributes:
        throttled: How many calls were refused for want of a token.
        trouble: What an operation meets instead, if anything: given its name, raises or returns.
    """

    def __init__(self, simulation: Simulation, *, healthy_after: float = 10.0, delay: float = 10.0) -> None:
        super().__init__(simulation, healthy_after=healthy_after, delay=delay)  # type: ignore[arg-type]
        self.throttled = 0
        self.trouble: Callable[[str], None] = lambda _: None
        self._all = Bucket(40, 10)
        self._reads = Bucket(40, 10)
        self._changes = Bucket(20, 4)
        self._others = Bucket(20, 3)

    def registered(self, name: str = "main") -> frozenset[str]:
        """The addresses that are registered on any port."""
        return frozenset(endpoint.partition(":")[0] for endpoint in self.live(name))

    def _called(self, operation: str, arn: str) -> None:
        super()._called(operation, arn)
        own = self._reads if operation in READS else self._changes if operation in CHANGES else self._others
        now = self.clock.time()
        # Both are looked at first: a refused call costs no token.
        if not (self._all.has(now) & own.has(now)):
            self.throttled += 1
            raise aws_error("ThrottlingException", operation)
        self._all.take()
        own.take()
        self.trouble(operation)

"""What a function talks to: names, caches, a load balancer, and how long each of them takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, ReadTimeoutError

from benchmarks.balancer import READS, Balancer
from benchmarks.names import Cache, Zone
from benchmarks.simulation import Simulation
from target_sync.registry import code

if TYPE_CHECKING:
    import random
    from collections import Counter
    from collections.abc import Callable, Iterable

    from benchmarks.assumptions import Assumptions
    from benchmarks.names import Value
    from benchmarks.simulation import Steps
    from target_sync.resolve import Answer, Failure

ATTEMPTS = 4
"""How often the function's client tries a call in all."""

READ_TIMEOUT = 5.0
"""How long the function's client waits for an answer, in seconds."""

_THROTTLING = {"ThrottlingException", "Throttling"}
_REPEATABLE = {*_THROTTLING, "InternalFailure", "ServiceUnavailable"}


class World:
    """Everything around the sandboxes.

    Attributes:
        simulation: The clock.
        assumptions: How long things take.
        balancer: The target groups.
        zones: The names, by host name.
        questions: How many questions were asked of the caches by functions.
        returned: Each registration whose call returned: when, and of which addresses.
        slowdown: A factor on how long the load balancer's interface takes.
        kept: What a function keeps outside of its sandboxes.
    """

    def __init__(self, rng: random.Random, assumptions: Assumptions, *, drain: float, healthy_after: float) -> None:
        self.simulation = Simulation(rng)
        self.assumptions = assumptions
        self.balancer = Balancer(self.simulation, healthy_after=healthy_after, delay=drain)
        self.zones: dict[str, Zone] = {}
        self.caches: dict[str, list[Cache]] = {}
        self.questions = 0
        self.returned: list[tuple[float, frozenset[str]]] = []
        self.slowdown = 1.0
        self.kept: dict[str, Counter[str]] = {}

    def name(self, hostname: str, value: Value) -> Zone:
        """Adds a name."""
        zone = self.zones[hostname] = Zone(value)
        self.caches[hostname] = [
            Cache(zone, self.assumptions, self.simulation.rng) for _ in range(self.assumptions.caches)
        ]
        return zone


class Machine:
    """What one sandbox has for itself: its part of a CPU, its connections, the resolver it asks.

    Attributes:
        cache: Which of the resolvers' caches it asks.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.cache = world.simulation.rng.randrange(world.assumptions.caches)
        self._busy_until = 0.0
        self._idle: list[float] = []  # since when each open connection is unused
        self._answering = 0.0

    def ask(self, hostname: str, _nameservers: object = ()) -> Answer | Failure:
        """Answers a DNS question; how long that took stands in `answering`."""
        self.world.questions += 1
        answer, self._answering = self.world.caches[hostname][self.cache].ask(self.world.simulation.now)
        return answer

    def answering(self) -> float:
        """How long the latest answer takes to arrive."""
        return self._answering

    def compute(self, seconds: float) -> float:
        """Has the CPU do something after all that it has to do already: how long until it is done."""
        now = self.world.simulation.now
        self._busy_until = max(now, self._busy_until) + seconds / self.world.assumptions.cpu_share
        return self._busy_until - now

    def connect(self) -> float:
        """Takes a connection to the load balancer's interface: how long until a call can go out over it."""
        now, assumed = self.world.simulation.now, self.world.assumptions
        self._idle = [since for since in self._idle if now - since < assumed.connection_idle]
        if self._idle:
            self._idle.pop()
            return self.compute(assumed.elb_call_cpu)
        trips = assumed.connection_trips.draw(self.world.simulation.rng)
        return trips + self.compute(assumed.connection_cpu + assumed.elb_call_cpu)

    def release(self) -> None:
        """Gives the connection back."""
        self._idle.append(self.world.simulation.now)

    def leg(self, operation: str) -> float:
        """Half of how long a call to the load balancer takes, there or back."""
        assumed = self.world.assumptions
        latency = assumed.elb_read if operation in READS else assumed.elb_write
        return latency.draw(self.world.simulation.rng) / 2 * self.world.slowdown

    def call(self, operation: str, make: Callable[[], object]) -> Steps:
        """A call with its time on the way, repeated as botocore's standard mode does.

        Raises:
            ClientError, ReadTimeoutError: The last attempt failed, or it is no error to repeat.
        """
        for attempt in range(ATTEMPTS):
            yield self.connect() + self.leg(operation)
            try:
                make()
            except (ClientError, ReadTimeoutError) as error:
                yield self.loss(operation, error)
                if attempt == ATTEMPTS - 1 or not repeatable(error):
                    raise
                yield self.backoff(error, attempt)
            else:
                yield self.leg(operation)
                self.release()
                return

    def reads(self, steps: Steps) -> Steps:
        """Steps that read: what they read is as old as a call takes when they go on."""
        balancer = self.world.balancer
        while True:
            before = len(balancer.calls)
            try:
                seconds = next(steps, None)
            except (ClientError, ReadTimeoutError) as error:
                yield self.connect() + self.loss("DescribeTargetHealth", error)
                raise
            if seconds is None:
                return
            for _, operation, _ in balancer.calls[before:]:
                yield self.connect() + self.leg(operation) + self.leg(operation)
                self.release()
            if seconds:
                yield seconds

    def loss(self, operation: str, error: ClientError | ReadTimeoutError) -> float:
        """How long until a call is known to have failed."""
        if isinstance(error, ReadTimeoutError):
            return READ_TIMEOUT
        self.release()
        return self.leg(operation)

    def backoff(self, error: ClientError | ReadTimeoutError, attempt: int) -> float:
        """How long botocore's standard mode waits before it repeats a call, in seconds."""
        assumed = self.world.assumptions
        throttled = code(error) in _THROTTLING
        base = assumed.throttled_backoff if throttled else assumed.failed_backoff
        return self.world.simulation.rng.random() * min(20.0, base * 2.0**attempt)

    def register(self, make: Callable[[], object], addresses: Iterable[str]) -> Steps:
        """A registration that is noted once it returned."""
        named = frozenset(addresses)
        yield from self.call("RegisterTargets", make)
        self.world.returned.append((self.world.simulation.now, named))


def repeatable(error: ClientError | ReadTimeoutError) -> bool:
    """Whether botocore repeats a call after this."""
    return isinstance(error, ReadTimeoutError) or code(error) in _REPEATABLE


def lost_answer() -> ReadTimeoutError:
    """What a client raises whose call may have been done, but whose answer never came."""
    return ReadTimeoutError(endpoint_url="https://elasticloadbalancing")

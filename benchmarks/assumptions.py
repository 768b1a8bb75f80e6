"""What the simulation assumes of AWS, where it comes from, and what nobody publishes."""

# ruff: noqa: RUF009  # `_said` is dataclasses.field

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import random


class Uniform(NamedTuple):
    """Any number between two, all equally likely."""

    low: float
    high: float

    def draw(self, rng: random.Random) -> float:
        """One of them."""
        return rng.uniform(self.low, self.high)

    def __str__(self) -> str:
        """For the table."""
        return f"{self.low:g} to {self.high:g}, uniform"


class LogNormal(NamedTuple):
    """Mostly near the median, now and then several times as much: 99 of 100 are below median * exp(2.33 sigma)."""

    median: float
    sigma: float

    def draw(self, rng: random.Random) -> float:
        """One number."""
        return self.median * rng.lognormvariate(0.0, self.sigma)

    def __str__(self) -> str:
        """For the table."""
        return f"median {self.median:g}, log-normal, sigma {self.sigma:g}"


def _said(default: Any, why: str) -> Any:  # noqa: ANN401  # as dataclasses.field has it
    return field(default=default, metadata={"why": why})


_GUESS = "assumed: not published"


@dataclass(frozen=True)
class Assumptions:
    """All of it; times in seconds, shares from 0 to 1. `why` in a field's metadata says where it comes from."""

    cpu_share: float = _said(128 / 1769, "128 MB of memory; a whole vCPU comes with 1,769 MB (Lambda Developer Guide)")
    elb_call_cpu: float = _said(
        0.0015, "assumed; a call without the network takes 0.4 ms on an x86 core of 2024, TLS and Graviton added"
    )
    connection_cpu: float = _said(0.003, "assumed: TLS handshake of a new connection")
    connection_trips: Uniform = _said(Uniform(0.005, 0.02), "assumed: its round trips")
    connection_idle: float = _said(20.0, "assumed: the server closes an idle connection after so long")
    dns_cpu: float = _said(0.0003, "assumed; a question takes 0.08 ms without the network on an x86 core")
    elb_read: LogNormal = _said(LogNormal(0.04, 0.5), f"{_GUESS}: Describe*, at the server and on the way")
    elb_write: LogNormal = _said(LogNormal(0.08, 0.5), f"{_GUESS}: RegisterTargets, DeregisterTargets, AddTags")
    dns_hit: Uniform = _said(Uniform(0.0003, 0.002), f"{_GUESS}: the resolver's cache has the answer")
    dns_miss: LogNormal = _said(LogNormal(0.015, 0.6), f"{_GUESS}: it asks the zone's servers")
    ttl: float = _said(5.0, "time to live of RDS names (Amazon RDS User Guide)")
    negative_ttl: float = _said(2.0, f"{_GUESS}: how long a resolver keeps that a name does not exist")
    caches: int = _said(3, "assumed: one resolver's cache in each Availability Zone; a sandbox keeps to one")
    background: Uniform = _said(Uniform(0.0, 0.2), f"{_GUESS}: questions a second of others for the name, per cache")
    cold_start: Uniform = _said(Uniform(0.7, 2.5), f"{_GUESS}: a new sandbox until the handler starts, billed")
    warm_start: Uniform = _said(Uniform(0.005, 0.05), f"{_GUESS}: a warm one")
    sandbox_life: float = _said(7200.0, "assumed: mean life of a sandbox, exponential; it ends between invocations")
    sandbox_idle: float = _said(600.0, "assumed: an idle one is given up after so long")
    firing_delay: Uniform = _said(Uniform(0.0, 1.0), f"{_GUESS}: the minute rule after its nominal second, usually")
    firing_late: float = _said(0.02, f"{_GUESS}: share of firings that are late")
    firing_lateness: Uniform = _said(Uniform(1.0, 8.0), f"{_GUESS}: by so much")
    firing_early: float = _said(0.01, f"{_GUESS}: share of firings that are early, by up to a second")
    firing_doubled: float = _said(0.002, f"{_GUESS}: share of firings that come twice (delivery is at least once)")
    firing_lost: float = _said(0.0005, f"{_GUESS}: share of firings that do not come")
    delivery: Uniform = _said(Uniform(0.05, 0.5), f"{_GUESS}: from EventBridge to the sandbox")
    message_delay: Uniform = _said(Uniform(0.0, 0.3), f"{_GUESS}: a delayed message after its time")
    throttled_backoff: float = _said(1.0, "botocore's standard retries: random * 2^n of this after throttling")
    failed_backoff: float = _said(0.05, "the same after another error that may be repeated")
    drain: float = _said(10.0, "the deregistration delay that this project sets")
    peers_drain: float = _said(300.0, "the default, which the modelled peers leave")


def on_time(assumptions: Assumptions) -> Assumptions:
    """The same with every firing on time, and one sandbox that lives for ever: the function by itself."""
    return replace(
        assumptions,
        cold_start=Uniform(0.0, 0.0),
        sandbox_life=1e9,
        firing_late=0.0,
        firing_early=0.0,
        firing_doubled=0.0,
        firing_lost=0.0,
    )


def by_message(assumptions: Assumptions) -> Assumptions:
    """The same where delayed messages of a queue invoke the function: they are taken to come on time, once each."""
    return replace(
        assumptions,
        firing_delay=assumptions.message_delay,
        firing_late=0.0,
        firing_early=0.0,
        firing_doubled=0.0,
        firing_lost=0.0,
    )


def rows(assumptions: Assumptions) -> list[tuple[str, str, str]]:
    """Name, value and reason of each, for the table."""
    return [
        (field.name, _shown(getattr(assumptions, field.name)), str(field.metadata["why"]))
        for field in fields(assumptions)
    ]


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)

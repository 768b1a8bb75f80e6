"""Quiet days: what the function asks, calls and costs while nothing happens."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.assumptions import Assumptions, by_message, on_time
from benchmarks.cost import cost
from benchmarks.sandboxes import Function, by_rule
from benchmarks.target_sync_process import WATCH, Log, TargetSyncProcess
from benchmarks.world import World
from target_sync.settings import Settings
from tests.function.fakes import HOST, LOAD_BALANCER, VPC, endpoints

if TYPE_CHECKING:
    from benchmarks.sandboxes import Invocation

HOUR = 3600.0
DEFAULT, ECONOMICAL = 5.0, 60.0
"""Poll intervals, in seconds."""

HOURS_BY_MESSAGE = 6.0


class Quiet(NamedTuple):
    """What a quiet time took.

    Attributes:
        hours: How long it was.
        invocations: All of them.
        dns_queries: Questions to the resolver.
        elb_calls: Calls to the load balancer's interface.
        elb_calls_warm: Those without the ones of cold starts.
        cold_starts: How many new sandboxes there were.
        log_bytes: What was logged.
        log_lines: In how many lines.
    """

    hours: float
    invocations: list[Invocation]
    dns_queries: int
    elb_calls: int
    elb_calls_warm: int
    cold_starts: int
    log_bytes: int
    log_lines: int

    @property
    def billed(self) -> float:
        """Billed seconds in each minute."""
        return sum(run.billed for run in self.invocations) / (self.hours * 60)


def quiet(hours: float, poll_interval: float, *, calm: bool = False, messages: bool = False, seed: int = 0) -> Quiet:
    """Has nothing happen for a time, after a first hour that does not count.

    Args:
        hours: How long.
        poll_interval: The function's setting, in seconds.
        calm: Whether firings are on time and one sandbox lives for ever: the function by itself.
        messages: Whether a delayed message invokes the function every 5 s, to look once.
        seed: Where everything random comes from.
    """
    assumptions = Assumptions()
    if calm:
        assumptions = on_time(assumptions)
    if messages:
        assumptions = by_message(assumptions)
    world = World(random.Random(f"steady {seed}"), assumptions, drain=assumptions.drain, healthy_after=60.0)
    world.name(HOST, frozenset({"10.0.0.5"}))
    world.balancer.add(followed=f"{HOST}:5432")
    world.balancer.hold("main", *endpoints(["10.0.0.5"]))
    log = Log()
    settings = Settings(LOAD_BALANCER, (VPC,), poll_interval)
    function = Function(world, lambda machine: TargetSyncProcess(machine, settings, log))
    simulation = world.simulation
    simulation.start(by_rule(world, function, WATCH, every=DEFAULT if messages else 60.0))
    simulation.run(simulation.now + HOUR)
    start = simulation.now
    before = (world.questions, log.size, log.lines, len(function.invocations))
    simulation.run(start + hours * HOUR)
    runs = function.invocations[before[3] :]
    calls = [when for when, _, _ in world.balancer.calls if when >= start]
    cold = [run for run in runs if run.cold]
    # A cold start reads the table and each group once, within its first minute.
    starting = sum(any(run.start <= when <= run.end for run in cold) for when in calls)
    return Quiet(
        hours=hours,
        invocations=runs,
        dns_queries=world.questions - before[0],
        elb_calls=len(calls),
        elb_calls_warm=len(calls) - starting,
        cold_starts=len(cold),
        log_bytes=log.size - before[1],
        log_lines=log.lines - before[2],
    )


def measure(hours: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """A quiet time by default, one by the function itself, one that saves: the fields `steady` and `cost`."""
    default, alone = quiet(hours, DEFAULT), quiet(hours, DEFAULT, calm=True)
    economical, messages = quiet(hours, ECONOMICAL), quiet(min(hours, HOURS_BY_MESSAGE), ECONOMICAL, messages=True)
    steady = {
        "dns_queries_per_hour": round(default.dns_queries / hours, 1),
        "elb_calls_per_hour": round(default.elb_calls_warm / hours, 1),
        "elb_calls_per_hour_on_time": round(alone.elb_calls_warm / hours, 1),
        "elb_calls_per_hour_with_cold_starts": round(default.elb_calls / hours, 1),
        "cold_starts_per_hour": round(default.cold_starts / hours, 2),
        "elb_calls_per_cold_start": round(
            (default.elb_calls - default.elb_calls_warm) / max(1, default.cold_starts), 1
        ),
        "by_delayed_messages": {
            "dns_queries_per_hour": round(messages.dns_queries / messages.hours, 1),
            "elb_calls_per_hour": round(messages.elb_calls_warm / messages.hours, 1),
            "invocations_per_hour": round(len(messages.invocations) / messages.hours, 1),
            "billed_seconds_per_minute": round(messages.billed, 3),
        },
        "economical": {
            "dns_queries_per_hour": round(economical.dns_queries / hours, 1),
            "elb_calls_per_hour": round(economical.elb_calls_warm / hours, 1),
        },
    }
    return steady, cost(default, economical)

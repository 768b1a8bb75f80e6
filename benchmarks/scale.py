"""Fifty names that change in the same second, against the bucket that grants the registrations."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.assumptions import Assumptions, on_time
from benchmarks.recovery import percentile
from benchmarks.sandboxes import Function, by_rule
from benchmarks.target_sync_process import FAILOVER, WATCH, Log, TargetSyncProcess
from benchmarks.world import World
from target_sync.settings import Settings
from tests.function.fakes import LOAD_BALANCER, VPC, endpoints

NAMES = 50
CAPACITY, REFILL = 20, 4.0
"""RegisterTargets and DeregisterTargets together, per account and Region (Elastic Load Balancing User Guide)."""

_WARM = 1200.0
_AFTER = 120.0


def floor(moments: list[float]) -> float:
    """When the last of some registrations could have been made at the earliest, each as soon as its bucket allows.

    Args:
        moments: When each of them became possible.
    """
    left, at = float(CAPACITY), min(moments)
    for moment in sorted(moments):
        now = max(moment, at)
        # Tokens that come back to a full bucket are lost.
        left = min(CAPACITY, left + (now - at) * REFILL)
        at = now + max(0.0, 1 - left) / REFILL
        left = max(left, 1.0) - 1
    return at


def seconds_over_floor(seed: int, *, announced: bool) -> tuple[float, int]:
    """How much later than the bucket's own floor the last of all registrations returned.

    Args:
        seed: Where everything random comes from.
        announced: Whether an event of Amazon RDS came a little before, which starts a second invocation.

    Returns:
        The seconds, and how many calls were throttled.
    """
    rng = random.Random(f"scale {seed}")
    # One warm sandbox on its own, in the middle of its minute; an event brings another one.
    assumptions = on_time(Assumptions(caches=1))
    world = World(rng, assumptions, drain=assumptions.drain, healthy_after=120.0)
    simulation = world.simulation
    changed = simulation.now + _WARM + rng.uniform(5.0, 30.0)
    new = {}
    for number in range(NAMES):
        name, hostname = f"name-{number}", f"name-{number}.example.com"
        old, new[name] = f"10.0.{number}.5", f"10.0.{number}.6"
        zone = world.name(hostname, frozenset({old}))
        zone.change(changed + rng.random(), frozenset({new[name]}))
        world.balancer.add(name, hostname=hostname, followed=f"{hostname}:5432")
        world.balancer.hold(name, *endpoints([old]))
    settings, log = Settings(LOAD_BALANCER, (VPC,), 5.0), Log()
    function = Function(world, lambda machine: TargetSyncProcess(machine, settings, log))
    simulation.start(by_rule(world, function, WATCH))
    if announced:
        simulation.at(changed - rng.uniform(5.0, 60.0), lambda: function.invoke(FAILOVER))
    simulation.run(changed + _AFTER)
    first = [caches[0].first(world.zones[hostname].times[-1]) for hostname, caches in world.caches.items()]
    done = [min(when for when, named in world.returned if address in named) for address in new.values()]
    return max(done) - floor(first), world.balancer.throttled


def measure(runs: int) -> dict[str, Any]:
    """Several such seconds: the field `scale` of the results."""
    alone = [seconds_over_floor(seed, announced=False) for seed in range(runs)]
    announced = [seconds_over_floor(seed, announced=True) for seed in range(runs)]
    return {
        "seconds_over_floor_50": percentile([over for over, _ in alone], 99),
        "seconds_over_floor_50_median": percentile([over for over, _ in alone], 50),
        "throttled_calls": sum(throttled for _, throttled in alone),
        "with_an_event": {
            "seconds_over_floor_50": percentile([over for over, _ in announced], 99),
            "seconds_over_floor_50_median": percentile([over for over, _ in announced], 50),
            "throttled_calls": sum(throttled for _, throttled in announced),
        },
        "runs": runs,
    }

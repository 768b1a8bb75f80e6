"""A small run of everything: the results' keys and shapes, and that the judges can say no."""

from __future__ import annotations

import json
import math
import random
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import faults, report, scale
from benchmarks.__main__ import SMALL, measure, write
from benchmarks.assumptions import Assumptions, rows
from benchmarks.baselines import BASELINES
from benchmarks.failover import play, random_trace
from benchmarks.names import Cache, Zone
from benchmarks.recovery import percentile
from benchmarks.simulation import Simulation
from benchmarks.truth import Truth, confirmation_window
from target_sync import follower
from target_sync.plan import Change
from target_sync.resolve import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from target_sync.history import History
    from target_sync.listener import Listener
    from target_sync.target import Target

A, B = frozenset({"10.0.0.5"}), frozenset({"10.0.1.6"})


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """One small run, in this process."""
    return measure(SMALL, workers=1)


@pytest.mark.parametrize(
    "key",
    [
        "recovery.event_before.p99_s",
        "recovery.event_late_or_lost.p99_s",
        "recovery.wrong_seconds",
        *(
            f"recovery.baselines.{name}.{key}"
            for name in ("poll_60s", "poll_300s", "event_only", "three_misses")
            for key in ("event_before.p99_s", "event_late_or_lost.p99_s", "wrong_seconds")
        ),
        *(
            f"end_to_end.{delay}.{key}"
            for delay in (30, 120, 180)
            for key in ("event_before.p99_s", "event_late_or_lost.p99_s", "wrong_seconds")
        ),
        "steady.dns_queries_per_hour",
        "steady.elb_calls_per_hour",
        "cost.usd_per_month.default",
        "cost.usd_per_month.economical",
        "cost.usd_per_month.alarms",
        "import.ratio_to_boto3",
        "scale.seconds_over_floor_50",
        "faults.steps",
        "faults.violations",
        "synth.ratio_to_l2",
        "synth.seconds_per_extra_listener",
    ],
)
def test_keys(results: dict[str, Any], key: str) -> None:
    """Each key is there: a number, or the word for there being none."""
    found = report.value(results, key)

    assert found in ("never", "none") or (isinstance(found, int | float) and math.isfinite(found))


def test_the_files(results: dict[str, Any], tmp_path: Path) -> None:
    """Both come from the same run: the page shows the numbers of the other, and every assumption."""
    write(results, tmp_path)

    assert json.loads((tmp_path / "results.json").read_text()) == results
    page = (tmp_path / "RESULTS.md").read_text()
    for key, unit, most in report.GOALS:
        assert f"| `{key}` | {report.value(results, key)} {unit}".rstrip() in page
        assert f"| {most:g} |" in page
    for name, value, why in rows(Assumptions()):
        assert f"| {name} | {value} | {why} |" in page


def test_the_same_seed_is_the_same_failover() -> None:
    """A run can be repeated: results depend on nothing but the seed."""

    def once() -> object:
        rng = random.Random("once")  # noqa: S311
        return play(random_trace(rng, "before"), rng, Assumptions(), subject="target_sync")

    assert once() == once()


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_run(name: str) -> None:
    """Each of them gets through a failover, and none of them is right at once and throughout."""
    rng = random.Random(1)  # noqa: S311

    result = play(random_trace(rng, "lost"), rng, Assumptions(), subject=name)

    assert result.wrong > 0 or result.recovered != 0


@pytest.mark.parametrize(
    ("when", "registered", "wrong"),
    [
        (99.0, A, False),
        (99.0, A | B, True),  # nothing ever named B
        (101.0, A, False),
        (101.0, B, False),
        (119.0, A | B, False),
        (121.0, A | B, True),  # A's window is over
        (121.0, B, False),
        (121.0, A, True),
        (101.0, frozenset(), True),
    ],
)
def test_what_is_wrong(when: float, registered: frozenset[str], wrong: bool) -> None:
    """By the zone alone: the settled answer, and what was named within the window."""
    zone = Zone(A)
    zone.change(100.0, B)
    assert confirmation_window(ttl=5.0, poll_interval=5.0) == 20.0

    assert Truth(zone, ttl=5.0, poll_interval=5.0).wrong(when, registered) == wrong


def test_wrong_seconds() -> None:
    """They are added up, moment by moment."""
    zone = Zone(A)
    zone.change(100.0, B)
    truth = Truth(zone, ttl=5.0, poll_interval=5.0)

    held = [(-math.inf, A), (130.0, A | B), (145.0, B)]

    # From 110 on nothing that a look need not know better, from 120 on an address whose window is over.
    assert truth.wrong_seconds(held, 0.0, 1000.0) == pytest.approx(25.0)


def test_a_cache_hides_the_zone() -> None:
    """For a time to live it gives what it has, counting down; t0 is when that ends."""
    rng = random.Random(0)  # noqa: S311
    zone = Zone(A)
    zone.change(102.0, B)
    cache = Cache(zone, Assumptions(), rng)
    cache._others = 0.0

    first, held, fresh = (cache.ask(when)[0] for when in (100.0, 104.0, 105.0))

    assert first == Answer(A, 5.0)
    assert held == Answer(A, 1.0)
    assert fresh == Answer(B, 5.0)
    assert cache.first(102.0) == 105.0


def test_the_floor() -> None:
    """Twenty at once and four a second: the fiftieth after 7.5 s; spread over time there is none to wait for.

    A pause fills the bucket, but not beyond its size.
    """
    assert scale.floor([0.0] * 50) == 7.5
    assert scale.floor([0.0] * 14 + [100.0] * 36) == 104.0
    assert scale.floor([0.0] * 20 + [1.0] * 5) == 1.25
    assert scale.floor([float(second) for second in range(50)]) == 49.0


def test_percentiles() -> None:
    """By nearest rank; what never happened is last."""
    assert percentile([float(number) for number in range(1, 101)], 99) == 99.0
    assert percentile([*range(98), None, None], 99) == "never"
    assert percentile([], 99) == "none"


def test_time_passes_in_order() -> None:
    """What goes on at the same time takes turns by its own waiting, nested or not."""
    simulation = Simulation(random.Random(0))  # noqa: S311
    start, seen = simulation.now, list[tuple[float, str]]()

    def going(name: str, seconds: float) -> Iterator[float]:
        for _ in range(2):
            yield seconds
            seen.append((simulation.now - start, name))

    simulation.start(simulation.together([going("slow", 3.0), going("quick", 1.0)]))
    simulation.start(going("other", 2.0))
    simulation.run(start + 10.0)

    assert seen == [(1.0, "quick"), (2.0, "other"), (2.0, "quick"), (3.0, "slow"), (4.0, "other"), (6.0, "slow")]


def test_faults_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that takes out whatever the answer lacks violates what must hold."""

    def careless(history: History, targets: Iterable[Target], listener: Listener) -> Change:
        live = {target.endpoint: target for target in targets if target.registered}
        return Change(
            register=tuple(sorted(history.latest - live.keys())),
            deregister=tuple(live[endpoint] for endpoint in sorted(live.keys() - history.latest)),
            cause="carelessness",
        )

    monkeypatch.setattr(follower, "plan", careless)

    assert any(faults.episode(number).violations for number in range(10))

"""Many random failovers: how long until the new address is registered, and for how long anything was wrong."""

from __future__ import annotations

import math
import random
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

from benchmarks.assumptions import Assumptions
from benchmarks.baselines import BASELINES
from benchmarks.failover import DELAYS, MESSAGES, WAITING, play, random_trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.failover import Result

    Job = tuple[str, str, int, float]

_NINETY_NINE = 99
_CHUNK = 25


def measure(*, before: int, late: int, lost: int, workers: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Plays failovers with the function and with each baseline, all of them the same.

    Args:
        before: How many whose event comes before the name changes.
        late: How many whose event comes afterwards.
        lost: How many without an event.
        workers: How many processes share the work; 1: none but this one.

    Returns:
        The fields `recovery` and `end_to_end` of the results.
    """
    kinds = [("before", number) for number in range(before)]
    kinds += [("late", number) for number in range(late)] + [("lost", number) for number in range(lost)]
    jobs: list[Job] = [(WAITING, kind, number, 1.0) for kind, number in kinds]
    jobs += [(WAITING, kind, number, 2.0) for kind, number in kinds[: before // 2]]
    jobs += [(subject, kind, number, 1.0) for subject in BASELINES for kind, number in kinds]
    jobs += [(MESSAGES, kind, number, 1.0) for kind, number in kinds[:: max(1, len(kinds) // 600)]]
    results = _play_all(jobs, workers)
    ours = [result for job, result in zip(jobs, results, strict=True) if job[0] == WAITING and job[3] == 1]
    slow = [result for job, result in zip(jobs, results, strict=True) if job[0] == WAITING and job[3] != 1]
    recovery: dict[str, Any] = {
        **_summary(ours),
        "wrong_seconds_after_a_lost_firing": round(sum(result.unwatched for result in ours), 1),
        "traces": len(ours),
        "traces_with_wrong_seconds": sum(result.wrong > 0 for result in ours),
        "ready_at_t0": sum(result.ready for result in ours),
        "old_address_left": {
            "p50_s": percentile([result.left for result in ours], 50),
            "p99_s": percentile([result.left for result in ours], _NINETY_NINE),
        },
        "calls_twice_as_slow": {"event_before": _seconds(slow, event_before=True)},
        "by_delayed_messages": _summary(
            [result for job, result in zip(jobs, results, strict=True) if job[0] == MESSAGES]
        ),
        "baselines": {
            subject: _summary([result for job, result in zip(jobs, results, strict=True) if job[0] == subject])
            for subject in BASELINES
        },
    }
    end_to_end = {f"{delay:.0f}": _served([result for result in ours if result.delay == delay]) for delay in DELAYS}
    return recovery, end_to_end


def percentile(values: Iterable[float | None], percent: float) -> float | str:
    """The value that so many per cent do not exceed, by nearest rank; "never" where it is None, "none" of no values."""
    ordered = sorted(math.inf if value is None else value for value in values)
    if not ordered:
        return "none"
    value = ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
    return "never" if value == math.inf else round(value, 2)


def _summary(results: Sequence[Result]) -> dict[str, Any]:
    total = sum(result.wrong for result in results)
    return {
        "event_before": _seconds(results, event_before=True),
        "event_late_or_lost": _seconds(results, event_before=False),
        "wrong_seconds": round(total, 1),
        "wrong_seconds_per_failover": round(total / len(results), 2),
    }


def _seconds(results: Sequence[Result], *, event_before: bool) -> dict[str, Any]:
    """Of those alone that had something left to register at t0: the others would only make it look better."""
    values = [result.recovered for result in results if result.event_before == event_before and not result.ready]
    return {
        "p50_s": percentile(values, 50),
        "p99_s": percentile(values, _NINETY_NINE),
        "worst_s": percentile(values, 100),
        "traces": len(values),
    }


def _served(results: Sequence[Result]) -> dict[str, Any]:
    def seconds(*, event_before: bool) -> dict[str, Any]:
        values = [result.serving for result in results if result.event_before == event_before and not result.ready]
        return {"p50_s": percentile(values, 50), "p99_s": percentile(values, _NINETY_NINE), "traces": len(values)}

    return {
        "event_before": seconds(event_before=True),
        "event_late_or_lost": seconds(event_before=False),
        "wrong_seconds": round(sum(result.wrong for result in results), 1),
    }


def _play_all(jobs: Sequence[Job], workers: int) -> list[Result]:
    if workers == 1:
        return [_play(job) for job in jobs]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(_play, jobs, chunksize=_CHUNK))


def _play(job: Job) -> Result:
    subject, kind, number, slowdown = job
    # The same number is the same failover, whoever has to come through it.
    rng = random.Random(f"failover {kind} {number}")
    trace = random_trace(rng, kind)
    return play(trace, rng, Assumptions(), subject=subject, slowdown=slowdown)

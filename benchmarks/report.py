"""The results for people: one Markdown page, written from the same numbers as `results.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import assumptions as assumed
from benchmarks.cost import SOURCE
from benchmarks.failover import POLL_INTERVAL
from benchmarks.synthesis import MANY
from benchmarks.truth import confirmation_window

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Results = Mapping[str, Any]

GOALS: tuple[tuple[str, str, float], ...] = (
    ("recovery.event_before.p99_s", "s, 99 of 100 failovers, an event in the 5 minutes before", 1.5),
    ("recovery.event_late_or_lost.p99_s", "s, the same, event late or lost", 6.0),
    ("recovery.wrong_seconds", "s in all failovers together", 0.0),
    ("steady.elb_calls_per_hour", "calls, cold starts apart", 12.0),
    ("cost.usd_per_month.default", "USD a month", 5.0),
    ("cost.usd_per_month.economical", "USD a month", 0.10),
    ("import.ratio_to_boto3", "times as long as boto3 alone", 1.3),
    ("scale.seconds_over_floor_50", "s", 1.0),
    ("faults.violations", "", 0.0),
    ("synth.ratio_to_l2", "times as long as the same by hand, 11 listeners", 1.15),
    ("synth.seconds_per_extra_listener", "s", 0.1),
)
"""Keys of the results that have a goal: what they count, and the most they may be."""

_MODELS = {
    "poll_60s": "asks every minute, deregisters first",
    "poll_300s": "asks every 5 minutes, sees one target, deregisters first",
    "event_only": "asks once after each event",
    "three_misses": "asks every 5 minutes, deregisters after three misses",
    "poll_300s_and_events": "`poll_300s`, and after each event",
}


def value(results: Results, key: str) -> Any:  # noqa: ANN401  # a number, or a word for one
    """The value of a key with dots."""
    found: Any = results
    for part in key.split("."):
        found = found[part]
    return found


def met(results: Results, key: str, most: float) -> bool:
    """Whether a goal is met."""
    found = value(results, key)
    return not isinstance(found, str) and found <= most


def page(results: Results) -> str:
    """The whole page."""
    return "\n\n".join(
        [
            "# Benchmarks",
            (
                "Made by `make bench`, with `results.json`, from one run. The function's own code runs in virtual time "
                "against a simulated DNS, Lambda and Elastic Load Balancing; nothing here was measured on AWS. What is "
                "assumed stands at the end."
            ),
            "## Goals",
            _table(
                ("key", "measured", "goal", "met"),
                [
                    (
                        f"`{key}`",
                        f"{value(results, key)} {unit}",
                        f"{most:g}",
                        "yes" if met(results, key, most) else "**no**",
                    )
                    for key, unit, most in GOALS
                ],
            ),
            *_recovery(results),
            *_rest(results),
            "## What the simulation assumes",
            _table(("name", "value", "why"), assumed.rows(assumed.Assumptions())),
            "",
        ]
    )


def _recovery(results: Results) -> list[str]:
    recovery = results["recovery"]
    window = confirmation_window(ttl=assumed.Assumptions().ttl, poll_interval=POLL_INTERVAL)
    rows = [_row("**this function**", recovery)]
    rows += [_row(f"`{name}`: {_MODELS[name]}", found) for name, found in recovery["baselines"].items()]
    rows.append(
        _row(
            "this function, invoked by a delayed message every 5 s instead of waiting", recovery["by_delayed_messages"]
        )
    )
    left, slow = recovery["old_address_left"], recovery["calls_twice_as_slow"]["event_before"]
    ends = [
        (
            f"{delay} s",
            found["event_before"]["p99_s"],
            found["event_late_or_lost"]["p99_s"],
            found["wrong_seconds"],
        )
        for delay, found in results["end_to_end"].items()
    ]
    return [
        "## Recovery",
        (
            f"{recovery['traces']} random failovers, the same for all: flaps, moments without an answer, caches, late "
            "and lost firings, cold starts; one in ten ends where it began, one in ten replaces one of two addresses. "
            "Seconds from t0, the first moment the function's own question, behind its resolver's cache, could get "
            "the final answer, until RegisterTargets returned. Failovers whose final address was registered already "
            f"at t0 ({recovery['ready_at_t0']} for this function) are left out there."
        ),
        _table(
            (
                "who",
                "event before: p50",
                "p99",
                "late or lost: p50",
                "p99",
                "wrong seconds, all",
                "wrong seconds, each",
            ),
            rows,
        ),
        (
            f"Wrong: a registered address that is neither the settled answer nor was named in the last {window:g} s (a "
            "time to live and three looks a poll interval apart), or no address that the name gave so lately that "
            "one look a poll interval, behind a cache, need not know better. It counts by the zone alone. `never`: "
            "more than one in a hundred was not right when the simulation ended, 25 minutes after the last thing that "
            "happened."
        ),
        (
            f"The old address was gone {left['p50_s']} s after t0 (median; p99 {left['p99_s']} s). "
            f"{recovery['traces_with_wrong_seconds']} failovers had a wrong second; of all wrong seconds, "
            f"{recovery['wrong_seconds_after_a_lost_firing']} belong to failovers in which no invocation ran for "
            f"more than {window:g} s, since a firing of the minute rule was lost. With calls to Elastic Load "
            f"Balancing taking twice as long, event before: p99 {slow['p99_s']} s."
        ),
        "### Until the load balancer sends connections there",
        "The same failovers with a registration delay of the load balancer, p99 in seconds from t0.",
        _table(("registration delay", "event before", "late or lost", "wrong seconds"), ends),
    ]


def _row(name: str, found: Mapping[str, Any]) -> tuple[object, ...]:
    before, after = found["event_before"], found["event_late_or_lost"]
    total, each = found["wrong_seconds"], found["wrong_seconds_per_failover"]
    return (name, before["p50_s"], before["p99_s"], after["p50_s"], after["p99_s"], total, each)


def _rest(results: Results) -> list[str]:
    steady, cost, scale = results["steady"], results["cost"], results["scale"]
    timed, faults, synth = results["import"], results["faults"], results["synth"]
    arithmetic = [
        (setting, part, found["sum"], f"{found['usd']:.4f}")
        for setting, parts in cost["arithmetic"].items()
        for part, found in parts.items()
    ]
    event = scale["with_an_event"]
    return [
        "## Quiet hours",
        _table(
            ("what", "per hour"),
            [
                ("DNS questions, one listener", steady["dns_queries_per_hour"]),
                ("calls to Elastic Load Balancing, cold starts apart", steady["elb_calls_per_hour"]),
                (
                    "the same if every firing is on time and one sandbox serves all",
                    steady["elb_calls_per_hour_on_time"],
                ),
                ("the same with cold starts", steady["elb_calls_per_hour_with_cold_starts"]),
                ("cold starts", steady["cold_starts_per_hour"]),
                ("calls per cold start", steady["elb_calls_per_cold_start"]),
                ("poll interval of a minute: DNS questions", steady["economical"]["dns_queries_per_hour"]),
                (
                    "a delayed message every 5 s instead of waiting: billed seconds a minute",
                    steady["by_delayed_messages"]["billed_seconds_per_minute"],
                ),
                ("poll interval of a minute: calls", steady["economical"]["elb_calls_per_hour"]),
            ],
        ),
        "## Cost a month",
        (
            f"Billed seconds per minute, measured: {cost['billed_seconds_per_minute']['default']} by default, "
            f"{cost['billed_seconds_per_minute']['economical']} with a poll interval of a minute. {SOURCE} Alarms: "
            f"{cost['usd_per_month']['alarms']} USD."
        ),
        _table(("setting", "what", "sum", "USD"), arithmetic),
        "## Import",
        (
            "CPU time of fresh processes, in turn; the asset extracted, read-only, source only; medians of "
            f"{timed['runs']}, Python {timed['python']} on this computer. The key has everything as Lambda has it: the "
            "runtime's boto3 compiled, the asset not."
        ),
        _table(
            ("", "boto3 alone, ms", "the function, boto3 included, ms", "ratio"),
            [
                ("boto3 compiled (the key)", timed["boto3_ms"], timed["function_ms"], timed["ratio_to_boto3"]),
                (
                    "nothing compiled",
                    timed["boto3_without_bytecode_ms"],
                    timed["function_without_bytecode_ms"],
                    timed["ratio_to_boto3_without_bytecode"],
                ),
            ],
        ),
        "## Fifty names in the same second",
        (
            "Seconds by which the last registration was later than the bucket allows at best (20 at once, 4 a second: "
            f"7.5 s), of {scale['runs']} runs."
        ),
        _table(
            ("", "median", "p99", "throttled calls"),
            [
                (
                    "one warm sandbox",
                    scale["seconds_over_floor_50_median"],
                    scale["seconds_over_floor_50"],
                    scale["throttled_calls"],
                ),
                (
                    "an event's sandbox beside it",
                    event["seconds_over_floor_50_median"],
                    event["seconds_over_floor_50"],
                    event["throttled_calls"],
                ),
            ],
        ),
        "## Faults",
        (
            f"{faults['steps']:,} steps in {faults['episodes']} episodes: 15 minutes of trouble each (answers of all "
            "kinds, forbidden addresses among them, calls that fail before or after they were done, sandboxes that "
            "end in the middle of their work, overlapping invocations, targets added by hand), then calm. A violation "
            "is a group that was filled and is empty, an address that is not allowed, a group that is not the answer "
            f"25 minutes later, or a change in the 10 minutes after that. Violations: {faults['violations']}."
        ),
        "## Synthesis",
        (
            "The constructs against `benchmarks/by_hand.py`, which makes the same resources with the same classes of "
            f"aws-cdk-lib: seconds, medians of {synth['runs']} in turn, without CDK's validation. The ratios are the "
            "medians of those of two runs that followed each other."
        ),
        _table(
            ("listeners", "constructs", "by hand", "ratio"),
            [
                (
                    count,
                    synth["seconds"][f"constructs_{count}"],
                    synth["seconds"][f"by_hand_{count}"],
                    synth[ratio],
                )
                for count, ratio in ((1, "ratio_to_l2_of_one"), (MANY, "ratio_to_l2"))
            ],
        ),
        (
            f"For each further listener {synth['seconds_per_extra_listener']} s, "
            f"by hand {synth['seconds_per_extra_listener_by_hand']} s."
        ),
    ]


def _table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    lines: list[Sequence[object]] = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).strip() for cell in line) + " |" for line in lines)

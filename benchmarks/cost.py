"""What the function costs a month, from measured seconds and bytes: the arithmetic is part of the result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.steady import Quiet

HOURS = 730.0
"""Hours of a month, as AWS's price pages count them."""

GB_SECOND = 0.0000133334
"""USD for a GB-second of Lambda on arm64, first tier, us-east-1."""

REQUESTS = 0.20
"""USD for a million Lambda requests."""

LOGS = 0.50
"""USD for a GB of CloudWatch Logs taken in; keeping a month of it costs 0.03 more."""

LOGS_KEPT = 0.03

LOG_OVERHEAD = 26
"""Bytes that CloudWatch Logs adds to each line."""

METRIC = 0.30
"""USD for a custom metric a month, by the hours in which it is sent."""

ALARM = 0.10
"""USD for an alarm a month."""

SOURCE = (
    "List prices of us-east-1 as quoted in the AWS price pages at second hand, without the free tier; check them for "
    "your Region. AWS bills the start of a sandbox like the rest."
)

MEMORY_GB = 128 / 1024


def cost(default: Quiet, economical: Quiet, *, metrics: int = 0, alarms: int = 0) -> dict[str, Any]:
    """The field `cost` of the results.

    Args:
        default: A quiet time at the default poll interval.
        economical: One at a poll interval of a minute.
        metrics: How many custom metrics the function sends while nothing happens.
        alarms: How many alarms come with the construct by default.
    """
    parts = {"default": _parts(default, metrics), "economical": _parts(economical, metrics)}
    return {
        "usd_per_month": {
            **{name: round(sum(part["usd"] for part in found.values()), 3) for name, found in parts.items()},
            "alarms": round(alarms * ALARM, 2),
        },
        "arithmetic": parts,
        "billed_seconds_per_minute": {"default": round(default.billed, 2), "economical": round(economical.billed, 3)},
    }


def _parts(quiet: Quiet, metrics: int) -> dict[str, dict[str, Any]]:
    seconds = quiet.billed * 60 * HOURS
    requests = len(quiet.invocations) / quiet.hours * HOURS
    logged = (quiet.log_bytes + LOG_OVERHEAD * quiet.log_lines) / quiet.hours * HOURS / 1e9
    return {
        "function": {
            "sum": f"{seconds:,.0f} s x {MEMORY_GB:g} GB x {GB_SECOND:.10f}",
            "usd": round(seconds * MEMORY_GB * GB_SECOND, 4),
        },
        "requests": {
            "sum": f"{requests:,.0f} x {REQUESTS:.2f} / 1,000,000",
            "usd": round(requests * REQUESTS / 1e6, 4),
        },
        "logs": {
            "sum": f"{logged * 1000:.1f} MB x ({LOGS:.2f} + {LOGS_KEPT:.2f}) / GB",
            "usd": round(logged * (LOGS + LOGS_KEPT), 4),
        },
        "metrics": {"sum": f"{metrics} x {METRIC:.2f}", "usd": round(metrics * METRIC, 4)},
    }

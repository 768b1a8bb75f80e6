"""How long the constructs take to synthesize, against the same resources written by hand with the same CDK classes."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

MANY = 11
"""Listeners of the larger service; the smaller one has one."""


def measure(times: int) -> dict[str, Any]:
    """Synthesizes both several times in turn: the field `synth` of the results.

    In a process of its own, since aws-cdk-lib starts another one that a worker must not inherit.
    """
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.synthesis_runs", str(times)], check=True, capture_output=True, text=True
    )
    return summary(json.loads(done.stdout))


def summary(taken: dict[str, list[float]]) -> dict[str, Any]:
    """What the seconds of the runs come to, which are listed by `name_count`.

    Medians of pairs of runs that followed each other: what else the computer does slows both alike.
    """

    def ratio(count: int) -> float:
        pairs = zip(taken[f"constructs_{count}"], taken[f"by_hand_{count}"], strict=True)
        return round(statistics.median(ours / theirs for ours, theirs in pairs), 3)

    def extra(name: str) -> float:
        pairs = zip(taken[f"{name}_1"], taken[f"{name}_{MANY}"], strict=True)
        return round(statistics.median(more - one for one, more in pairs) / (MANY - 1), 4)

    return {
        "ratio_to_l2": ratio(MANY),
        "ratio_to_l2_of_one": ratio(1),
        "seconds_per_extra_listener": extra("constructs"),
        "seconds_per_extra_listener_by_hand": extra("by_hand"),
        "seconds": {name: round(statistics.median(found), 3) for name, found in taken.items()},
        "runs": len(taken["by_hand_1"]),
    }

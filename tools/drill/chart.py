"""The figures of all scenarios as a picture: outage of new connections and wrong-server seconds, by strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.drill.chart import pyplot
from tools.drill.play import STRATEGIES
from tools.drill.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_COLORS = ("#1f6f8b", "#c9a227", "#b3364a", "#7a5195", "#8c8c8c")
_SHORTEST = 0.1  # seconds; where the logarithmic axis begins


def draw(rows: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw one panel a registration delay, one group of bars a scenario.

    Args:
        rows: `Row.document()` of each path.
        file: Where to; its ending decides the format.
    """
    plt = pyplot()
    delays = sorted({row["delay"] for row in rows})
    scenarios = [name for name in SCENARIOS if any(row["scenario"] == name for row in rows)][::-1]
    strategies = [name for name in STRATEGIES if any(row["strategy"] == name for row in rows)]
    height = 0.8 / len(strategies)
    figure, panels = plt.subplots(
        1, len(delays), figsize=(1.5 + 3.4 * len(delays), 1.6 + 0.62 * len(scenarios)), sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for axes, delay in zip(panels[0], delays, strict=True):
        for number, strategy in enumerate(strategies):
            own = {row["scenario"]: row for row in rows if (row["strategy"], row["delay"]) == (strategy, delay)}
            for place, scenario in enumerate(scenarios):
                if scenario in own:
                    at = place + 0.4 - (number + 0.5) * height
                    _bar(axes, own[scenario], at=at, height=height, color=_COLORS[number])
        axes.set_xscale("log")
        axes.set_xlim(_SHORTEST, 700)
        axes.set_title(f"registration takes {delay:g} s", fontsize=9, loc="left")
        axes.set_xlabel("seconds", fontsize=8)
        axes.tick_params(labelsize=8)
        axes.grid(axis="x", linewidth=0.3)
        axes.set_axisbelow(True)
    panels[0][0].set_yticks(range(len(scenarios)), [SCENARIOS[name].what for name in scenarios])
    patches = [plt.Rectangle((0, 0), 1, 1, color=_COLORS[number]) for number in range(len(strategies))]
    figure.legend(patches, strategies, loc="outside lower center", ncols=len(strategies), fontsize=8, frameon=False)
    figure.suptitle(
        "New connections: seconds without an answer; > still out when the drill stopped looking\n"
        "black line: seconds answered by a server that takes no writes",
        fontsize=9,
    )
    figure.savefig(file, dpi=130, metadata={"Date": None} if file.suffix == ".svg" else None)
    plt.close(figure)


def _bar(axes: Any, row: dict[str, Any], *, at: float, height: float, color: str) -> None:  # noqa: ANN401 - matplotlib's
    out = row["connections"]
    axes.barh(at, max(out["seconds"], _SHORTEST * 1.05), height=height * 0.9, color=color)
    if not out["ended"]:
        axes.text(out["seconds"] * 1.05, at, ">", va="center", fontsize=7)
    if row["wrong_seconds"]:
        axes.plot([_SHORTEST, row["wrong_seconds"]], [at, at], color="black", linewidth=1.2)

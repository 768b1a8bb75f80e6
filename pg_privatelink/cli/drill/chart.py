"""The chart as a picture: what each kind of client saw over time. The only place that imports matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.drill.measure import gaps
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pg_privatelink.cli.drill.record import Record, Try

FINE, WRONG, OUT = "#4c9f70", "#d9a441", "#b3364a"


def pyplot() -> Any:  # noqa: ANN401 - the module
    """Return matplotlib.pyplot, drawing to files only.

    Raises:
        Problem: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 - an extra, and slow to import

        mpl.use("Agg")
        # Text stays text, and the same figures make the same file.
        mpl.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "pg-privatelink"}
        import matplotlib.pyplot as plt  # noqa: PLC0415
    except ImportError as error:
        raise Problem(
            f"the chart needs matplotlib, which cannot be imported ({error})",
            "install it: pip install '.[drill]' in a checkout, or leave --chart out",
        ) from error
    return plt


def draw(record: Record, file: Path, *, began: float, end: float, title: str) -> None:
    """Draw a path's record.

    Args:
        record: What its clients saw.
        file: Where to; its ending decides the format: .png, .svg, .pdf.
        began: When the failover began.
        end: When the clients were stopped.
        title: Stands above.
    """
    plt = pyplot()
    rows: list[tuple[str, Sequence[Try]]] = [
        ("numbered writes", record.writes),
        ("long query", [record.query] if record.query else []),
        ("long session", record.session),
        ("new connections", record.connections),
    ]
    figure, axes = plt.subplots(figsize=(10, 3), layout="constrained")
    for height, (name, tries) in enumerate(rows):
        if not tries:
            continue
        start = min(each.at for each in tries)
        axes.barh(height, end - start, left=start - began, height=0.5, color=FINE)
        if name == "long query":
            broken = [(each.ended, end - each.ended) for each in tries if each.error and each.ended is not None]
        else:
            broken = [(at, (end if stop is None else stop) - at) for at, stop in gaps(tries, end)]
            wrong = [(each.at - began, 0.15) for each in tries if each.succeeded and not each.writable]
            axes.broken_barh(wrong, (height - 0.25, 0.5), color=WRONG)
        axes.broken_barh([(at - began, length) for at, length in broken], (height - 0.25, 0.5), color=OUT)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("seconds after the failover began")
    axes.set_title(title, loc="left", fontsize=10)
    patches = [plt.Rectangle((0, 0), 1, 1, color=color) for color in (FINE, OUT, WRONG)]
    axes.legend(patches, ["answered", "not answered", "answered by a server that takes no writes"], ncols=3, loc="upper left", bbox_to_anchor=(0, -0.22), frameon=False, fontsize=8)  # fmt: skip  # noqa: E501
    figure.savefig(file, dpi=150)
    plt.close(figure)

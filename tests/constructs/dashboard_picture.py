"""A picture of the dashboard as CloudWatch lays it out: `python -m tests.constructs.dashboard_picture` writes it.

It is drawn from the dashboard's own body, so places, sizes, titles, labels and texts are the real ones. The curves are
made up: three hours of a service whose database fails over once. What CloudWatch's console draws around a widget
(menus, axes' units) is left out.
"""

from __future__ import annotations

import json
import math
import sys
from html import escape
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Template

from constructs_pg import AlarmTier, Consumer, PostgresEndpointService, PostgresTarget

PICTURE = Path(__file__).parents[2] / "docs" / "dashboard.svg"
_COLUMN, _ROW, _GAP = 60, 44, 6  # pixels of a unit of the grid, and between widgets
_COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd")
_POINTS, _FAILOVER = 60, 38
_LETTER = 5.6  # pixels, about, of a letter of 11 pixels
# What the curves come to: by the beginning of a label or title, the level, the swing, and the level at the failover.
_CURVES: dict[str, tuple[float, float, float]] = {
    "connected": (0.5, 0, 0.5),
    "announced": (0, 0, 0),
    "a minute": (0.55, 0.2, 0.15),
    "at most": (0.6, 0.1, 0.2),
    "new": (0.55, 0.2, 0.15),
    "open": (0.7, 0.1, 0.25),
    "client": (0.1, 0.1, 0.6),
    "target": (0.05, 0.05, 0.8),
    "main": (0.5, 0, 0.25),
    "readers": (0.75, 0, 0.75),
    "ms": (0.95, 0.01, 0.95),
}


def body() -> dict[str, Any]:
    """Return the body of a service with all there is: a writer and readers, all alarms, announcements."""
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, "Stack", env=cdk.Environment(account="111122223333", region="eu-central-1"))
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        vpc_cidr_block="10.0.0.0/16",
        availability_zones=["eu-central-1a", "eu-central-1b"],
        private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        private_subnet_ipv4_cidr_blocks=["10.0.0.0/24", "10.0.1.0/24"],
        private_subnet_route_table_ids=["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"],
    )
    instance, replica = (
        rds.DatabaseInstance.from_database_instance_attributes(
            stack,
            name,
            instance_identifier=name,
            instance_endpoint_address=f"{name}.abcdefghijkl.eu-central-1.rds.amazonaws.com",
            port=5432,
            security_groups=[],
        )
        for name in ("orders", "replica")
    )
    PostgresEndpointService(
        stack,
        "Orders",
        vpc=vpc,
        consumers=[Consumer.dbt_platform()],
        listeners={"main": PostgresTarget.from_instance(instance)},
        alarms=AlarmTier.FULL,
        dashboard=True,
    ).add_listener("readers", port=5433, target=PostgresTarget.from_instance(replica))
    (dashboard,) = Template.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    found: dict[str, Any] = json.loads(_filled(dashboard["Properties"]["DashboardBody"]))
    return found


def _filled(value: Any) -> str:  # noqa: ANN401 - whatever CloudFormation has in place of a text
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_filled, parts))
        case {"Fn::GetAtt": [name, _]} | {"Ref": name}:
            return str(name)
    return "filled-in"


def draw(dashboard: dict[str, Any]) -> str:
    """Return the picture as SVG."""
    widgets = dashboard["widgets"]
    width = 24 * _COLUMN
    height = max(each["y"] + each["height"] for each in widgets) * _ROW
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            'font-family="Helvetica, Arial, sans-serif">'
        ),
        (
            "<title>The dashboard: a column for each hop, from the consumers to the databases; the curves are made up"
            "</title>"
        ),
        f'<rect width="{width}" height="{height}" fill="#f2f3f3"/>',
    ]
    for each in widgets:
        parts += _widget(each)
    return "\n".join([*parts, "</svg>", ""])


def _widget(widget: dict[str, Any]) -> list[str]:
    left, top = widget["x"] * _COLUMN + _GAP / 2, widget["y"] * _ROW + _GAP / 2
    width, height = widget["width"] * _COLUMN - _GAP, widget["height"] * _ROW - _GAP
    frame = f'<rect x="{left:g}" y="{top:g}" width="{width}" height="{height}" fill="#fff" stroke="#d5dbdb" rx="4"/>'
    inside = {"text": _text, "metric": _graph, "alarm": _alarms, "log": _log}[widget["type"]]
    return [frame, *inside(widget["properties"], left, top, width, height)]


def _say(x: float, y: float, text: str, *, size: int = 11, bold: bool = False, fill: str = "#16191f") -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}"{weight} fill="{fill}">{escape(text)}</text>'


def _wrapped(text: str, letters: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > letters:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _text(properties: dict[str, Any], left: float, top: float, width: float, height: float) -> list[str]:
    found, y = [], top + 22
    for line in properties["markdown"].split("\n"):
        head = line.startswith("### ")
        for part in _wrapped(line.removeprefix("### "), int((width - 20) / (_LETTER * (1.5 if head else 1.15)))):
            found.append(_say(left + 10, y, part, size=15 if head else 12, bold=head))
            y += 20 if head else 16
    # What does not fit is cut off in the console, behind a scroll bar: drawn red, so that it is seen.
    if y - 12 > top + height:
        found.append(f'<rect x="{left:g}" y="{top + height - 3:g}" width="{width:g}" height="3" fill="#d13212"/>')
    return found


def _graph(properties: dict[str, Any], left: float, top: float, width: float, height: float) -> list[str]:
    metrics = [each[-1]["label"] if isinstance(each[-1], dict) else each[1] for each in properties.get("metrics", [])]
    legend = _legend(metrics, width - 20)
    plot_top, plot_bottom = top + 32, top + height - 16 * len(legend) - 22
    found = [_say(left + 10, top + 18, properties["title"], size=12, bold=True)]
    for part in (0.0, 0.5, 1.0):
        y = plot_bottom - part * (plot_bottom - plot_top)
        found.append(f'<line x1="{left + 10:g}" y1="{y:g}" x2="{left + width - 10:g}" y2="{y:g}" stroke="#eaeded"/>')
    for note in properties.get("annotations", {}).get("horizontal", []):
        y = plot_bottom - 0.25 * (plot_bottom - plot_top)
        found += [
            (
                f'<line x1="{left + 10:g}" y1="{y:g}" x2="{left + width - 10:g}" y2="{y:g}" stroke="#d13212" '
                'stroke-dasharray="4 3"/>'
            ),
            _say(left + 12, y - 4, note["label"], size=10, fill="#d13212"),
        ]
    for place, label in enumerate(metrics):
        points = " ".join(
            f"{left + 10 + (width - 20) * step / (_POINTS - 1):.1f},"
            f"{plot_bottom - value * (plot_bottom - plot_top):.1f}"
            for step, value in enumerate(_curve(label, properties["title"]))
        )
        found.append(
            f'<polyline points="{points}" fill="none" stroke="{_COLORS[place % len(_COLORS)]}" stroke-width="1.5"/>'
        )
    found += [_say(left + 10, plot_bottom + 13, "12:00", size=9, fill="#687078")]
    found += [_say(left + width - 34, plot_bottom + 13, "15:00", size=9, fill="#687078")]
    for row, entries in enumerate(legend):
        x, y = left + 10, top + height - 16 * (len(legend) - row) + 8
        for place, label in entries:
            found.append(f'<rect x="{x:g}" y="{y - 8:g}" width="9" height="9" fill="{_COLORS[place % len(_COLORS)]}"/>')
            found.append(_say(x + 13, y, label, size=11))
            x += _taken(label)
    return found


def _taken(label: str) -> float:
    return 13 + _LETTER * len(label) + 12


def _legend(labels: list[str], width: float) -> list[list[tuple[int, str]]]:
    """Return the rows of a legend below a graph."""
    rows: list[list[tuple[int, str]]] = [[]]
    x = 0.0
    for place, label in enumerate(labels):
        if rows[-1] and x + _taken(label) > width:
            rows.append([])
            x = 0.0
        rows[-1].append((place, label))
        x += _taken(label)
    return rows


def _curve(label: str, title: str) -> list[float]:
    level, swing, at_failover = _CURVES.get(label, (0.0, 0.0, 0.0))
    if title == "CPU, percent":
        level, swing, at_failover = (0.35, 0.15, 0.1) if label == "main" else (0.5, 0.1, 0.65)
    if title in {"Unhealthy targets", "Resets", "Invocations"} or label in {"failed", "throttled"}:
        level, swing, at_failover = (0.5, 0, 0.5) if title == "Invocations" else (0.0, 0.0, 0.4)
    if label in {"failed", "throttled"} or (title == "Unhealthy targets" and label != "main"):
        at_failover = 0.0
    found = []
    for step in range(_POINTS):
        near = max(0.0, 1 - abs(step - _FAILOVER) / 2)
        value = level + swing * math.sin(step / 5) * math.cos(step / 2.3)
        found.append(min(1.0, max(0.0, value * (1 - near) + at_failover * near)))
    return found


def _alarms(properties: dict[str, Any], left: float, top: float, width: float, height: float) -> list[str]:
    found = [_say(left + 10, top + 18, properties["title"], size=12, bold=True)]
    columns = 6
    tile = (width - 20) / columns
    rows = math.ceil(len(properties["alarms"]) / columns)
    tall = min(26.0, (height - 30) / rows)
    for place, arn in enumerate(properties["alarms"]):
        x, y = left + 10 + tile * (place % columns), top + 26 + tall * (place // columns)
        name = str(arn).rpartition(":")[2].removeprefix("OrdersAlarms")[:-8]
        found.append(f'<rect x="{x:g}" y="{y:g}" width="{tile - 6:g}" height="{tall - 4:g}" fill="#1d8102" rx="2"/>')
        found.append(_say(x + 6, y + tall / 2 + 2, name, size=10, fill="#fff"))
    return found


def _log(properties: dict[str, Any], left: float, top: float, width: float, height: float) -> list[str]:
    columns = ["@timestamp", "level", "message", "listener", "cause", "seconds"]
    rows = [
        ("2026-01-31 13:54:20", "INFO", "changed", "main", "the old address is confirmed gone", ""),
        ("2026-01-31 13:54:09", "INFO", "changed", "main", "DNS names another address", "1.2"),
    ]
    found = [_say(left + 10, top + 18, properties["title"], size=12, bold=True)]
    step = (width - 20) / len(columns)
    for number, row in enumerate([columns, *rows]):
        for place, text in enumerate(row):
            found.append(_say(left + 10 + step * place, top + 44 + 22 * number, text, bold=number == 0))
    return found


if __name__ == "__main__":
    PICTURE.write_text(draw(body()))
    sys.stdout.write(f"wrote {PICTURE}\n")

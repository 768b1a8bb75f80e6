"""Metrics that Amazon CloudWatch makes of log events: the embedded metric format, and metric filters.

Rules from AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html and
AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html. Of filter patterns only those for JSON are
understood that join comparisons by `&&`; others make no metric.
"""

import json
import operator
import re
from collections.abc import Callable
from typing import Any

from ministack.services import cloudwatch, cloudwatch_logs

_COMPARISON = re.compile(r'\(?\s*\$\.(\w+)\s*(>=|<=|!=|=|>|<)\s*("[^"]*"|-?[0-9.]+)\s*\)?')
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


def _object(message: str) -> dict[str, Any]:
    """Return a log line that is a JSON object, and an empty one for any other."""
    try:
        line = json.loads(message)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _matches(pattern: str, line: dict[str, Any]) -> bool:
    """Tell whether a line matches a filter pattern for JSON."""
    inner = pattern.strip().removeprefix("{").removesuffix("}")
    for part in inner.split("&&"):
        comparison = _COMPARISON.fullmatch(part.strip())
        if comparison is None:
            return False
        name, symbol, text = comparison.groups()
        wanted = json.loads(text)
        # A field that is missing, or of another type, matches nothing.
        if name not in line or isinstance(line[name], str) != isinstance(wanted, str):
            return False
        if not isinstance(wanted, str) and not _is_number(line[name]):
            return False
        if not _OPERATORS[symbol](line[name], wanted):
            return False
    return True


def _embedded(line: dict[str, Any]) -> None:
    """Send the metrics that stand in a line itself."""
    about = line.get("_aws")
    if not isinstance(about, dict):
        return
    for directive in about.get("CloudWatchMetrics", []):
        for names in directive["Dimensions"]:
            if any(name not in line for name in names):
                continue
            dimensions = {name: str(line[name]) for name in names}
            for metric in directive["Metrics"]:
                value = line.get(metric["Name"])
                if _is_number(value):
                    cloudwatch.record_metric(
                        directive["Namespace"], metric["Name"], value, metric.get("Unit", "None"), dimensions
                    )


def _filtered(group: str, line: dict[str, Any]) -> None:
    """Send the metrics of the log group's filters."""
    for (owner, _), metric_filter in cloudwatch_logs._metric_filters.items():
        if owner != group or not _matches(metric_filter["filterPattern"], line):
            continue
        for transformation in metric_filter["metricTransformations"]:
            text = transformation["metricValue"]
            value = line.get(text.removeprefix("$.")) if text.startswith("$.") else float(text)
            if _is_number(value):
                cloudwatch.record_metric(
                    transformation["metricNamespace"],
                    transformation["metricName"],
                    value,
                    transformation.get("unit", "None"),
                )


def install() -> None:
    """Look at every event that reaches a log group, from a function or a client."""
    stock = cloudwatch_logs._fanout_to_subscription_filters

    def fanout(group_name: str, stream_name: str, events: list[dict[str, Any]]) -> object:
        for event in events:
            line = _object(event.get("message", ""))
            _embedded(line)
            _filtered(group_name, line)
        return stock(group_name, stream_name, events)

    cloudwatch_logs._fanout_to_subscription_filters = fanout

"""Metric alarms as Amazon CloudWatch judges them: by dimensions, period by period, with a policy for missing data.

Rules from AmazonCloudWatch/latest/monitoring/: AlarmThatSendsEmail.html (evaluation), alarms-and-missing-data.html.
"""

import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import request_scope
from ministack.services import cloudwatch

from emulator.aws import control

_BREACHES: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def _verdicts(alarm: dict[str, Any]) -> list[bool | None]:
    """Return for each of the last periods whether it breached; `None` without data."""
    dimensions = alarm.get("Dimensions") or {}
    if not isinstance(dimensions, dict):
        dimensions = {entry["Name"]: entry["Value"] for entry in dimensions}
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    points = cloudwatch._metrics.get(key) or []
    length = alarm["Period"] * control.settings.metric_period_scale
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    end = time.time()
    found: list[bool | None] = []
    for position in range(alarm["EvaluationPeriods"]):
        latest = end - position * length
        inside = [point for point in points if latest - length < point["Timestamp"] <= latest]
        value = cloudwatch._stat_value(cloudwatch._calc_stats(inside), statistic, inside) if inside else None
        breaches = _BREACHES[alarm["ComparisonOperator"]]
        found.append(None if value is None else breaches(value, alarm["Threshold"]))
    return found


def _state(alarm: dict[str, Any]) -> str:
    """Return the state an alarm is in now."""
    verdicts = _verdicts(alarm)
    missing = alarm.get("TreatMissingData") or "missing"
    if all(verdict is None for verdict in verdicts):
        if missing == "ignore":
            return str(alarm["StateValue"])
        if missing == "missing":
            return "INSUFFICIENT_DATA"
    breaching = sum(verdict is True or (verdict is None and missing == "breaching") for verdict in verdicts)
    needed = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    return "ALARM" if breaching >= needed else "OK"


def judge(alarm: dict[str, Any]) -> None:
    """Bring one alarm of the caller's account up to date and run its actions when its state changes."""
    if alarm.get("Metrics") or alarm.get("ComparisonOperator") not in _BREACHES:
        return  # metric math and anomaly bands are not emulated
    before, after = alarm["StateValue"], _state(alarm)
    if before == after:
        return
    reason = f"Threshold Crossed: the metric is {after} by {alarm['ComparisonOperator']} {alarm['Threshold']}"
    alarm |= {"StateValue": after, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(alarm["AlarmName"], before, after, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, after, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def judge_all() -> None:
    """Bring the alarms of every account up to date."""
    for account, region, name in list(cloudwatch._alarms._data):
        with request_scope(account, region):
            alarm = cloudwatch._alarms.get(name)
            if alarm is not None:
                judge(alarm)


def install() -> None:
    """Judge alarms in place of stock, which pools all dimensions and leaves missing data out."""
    cloudwatch._evaluate_alarm = judge

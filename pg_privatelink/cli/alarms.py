"""The stack's alarms, and which of those that are on need nobody."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.connections import WAITING
from pg_privatelink.cli.service import ALARMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_cloudwatch import CloudWatchClient

    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.connections import Connection
    from pg_privatelink.cli.service import Service

    Row = Mapping[str, Any]

YOUNG = dt.timedelta(minutes=10)
"""So long an alarm that takes missing data for a fault may be on because there were none before it was made."""

_AT_ONCE = 100  # DescribeAlarms takes no more names
_CONNECTION_WAITS = "ConnectionWaits"


def read_alarms(aws: Aws, service: Service) -> list[Row]:
    """Return DescribeAlarms' rows of a service's alarms, by label.

    Each has two fields more: `Label`, what it is called in the service, such as NoHealthyTarget; and `Young`, whether
    it may be on only because it was made a moment ago.

    Args:
        aws: Where the service is.
        service: The service.
    """
    now = dt.datetime.now(dt.UTC)
    cloudwatch: CloudWatchClient = aws.client("cloudwatch")
    labels = {each.physical_id: service.label(each) for each in service.of_type(*ALARMS) if each.physical_id}
    names = list(labels)
    found: list[Row] = []
    for start in range(0, len(names), _AT_ONCE):
        answer = cloudwatch.describe_alarms(
            AlarmNames=names[start : start + _AT_ONCE],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=_AT_ONCE,
        )
        rows: list[Any] = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
        found += [
            {**row, "Label": labels.get(row["AlarmName"], row["AlarmName"]), "Young": is_young(row, now)}
            for row in rows
        ]
    return sorted(found, key=lambda row: str(row["Label"]))


def is_young(row: Row, now: dt.datetime) -> bool:
    """Return whether an alarm was made so lately that missing data may be all that it is about."""
    made = row.get("AlarmConfigurationUpdatedTimestamp")
    return row.get("TreatMissingData") == "breaching" and made is not None and now < made + YOUNG


def passing(rows: Iterable[Row], connections: Iterable[Connection] | None) -> dict[str, str]:
    """Return which of the alarms that are on go off by themselves: by name, why.

    Those are the one on a connection that waits, once none waits any more, since it looks at minutes that are over; and
    those that are young. No other alarm is taken for done: a target that is healthy now may have been unhealthy a
    moment ago, and be again. One that is made of others goes off if each of them does.

    Args:
        rows: The alarms, as `read_alarms` returns them.
        connections: The service's connections; None if they could not be read.
    """
    fired = [row for row in rows if row["StateValue"] == "ALARM"]
    waits = connections is None or any(each.is_in(WAITING) for each in connections)
    found: dict[str, str] = {}
    for row in fired:
        if row["Label"].endswith(_CONNECTION_WAITS) and not waits:
            found[row["AlarmName"]] = "no connection waits any more"
        elif row.get("Young"):
            found[row["AlarmName"]] = "it was made a few minutes ago, when there were no data yet"
    parts = [row for row in fired if "AlarmRule" not in row]
    if parts and all(row["AlarmName"] in found for row in parts):
        found |= {row["AlarmName"]: "those that it is made of do not stay on" for row in fired if "AlarmRule" in row}
    return found

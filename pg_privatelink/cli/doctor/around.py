"""`--around`: what the metrics and flow logs say of the minutes in which a consumer says that it tried to connect."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.decisions import CHANGED, FAILED, parse_line, read_lines, stamp, told
from pg_privatelink.cli.doctor.facts import Change
from pg_privatelink.cli.doctor.finding import ok, problem, unknown
from pg_privatelink.cli.explain import ERRORS, explain
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.service import LOG_GROUP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_logs import CloudWatchLogsClient

    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.doctor.finding import Finding
    from pg_privatelink.cli.service import Service

MINUTES = 5
"""So many minutes before the time and after it are looked at."""

_NLB, _PRIVATELINK = "AWS/NetworkELB", "AWS/PrivateLinkServices"

METRICS = {
    "new connections": (_PRIVATELINK, "NewConnections"),
    "new flows": (_NLB, "NewFlowCount_TCP"),
    "blocked in": (_NLB, "SecurityGroupBlockedFlowCount_Inbound_TCP"),
    "blocked out": (_NLB, "SecurityGroupBlockedFlowCount_Outbound_TCP"),
    "rejected": (_NLB, "RejectedFlowCount_TCP"),
    "client resets": (_NLB, "TCP_Client_Reset_Count"),
    "target resets": (_NLB, "TCP_Target_Reset_Count"),
    "load balancer resets": (_NLB, "TCP_ELB_Reset_Count"),
    "endpoint resets": (_PRIVATELINK, "RstPacketsSent"),
}
"""What is counted, by what it is called here: namespace and metric. A data point a minute, with traffic only."""

_REJECT_FIELDS = re.compile(r"\bREJECT\b")


@dataclass(frozen=True, slots=True)
class Around:
    """What happened around a time.

    Attributes:
        at: The time.
        counts: By name of `METRICS`, by minute: the sum; minutes without a data point are missing.
        rejects: Flow-log records of rejected traffic, as they stand in the log.
        flow_logs: Whether there are flow logs to look at.
        changes: What the function changed.
        failures: What it could not do.
        unknown: What could not be read.
    """

    at: dt.datetime
    counts: Mapping[str, Mapping[dt.datetime, float]] = field(default_factory=dict)
    rejects: tuple[str, ...] = ()
    flow_logs: bool = False
    changes: tuple[Change, ...] = ()
    failures: tuple[Change, ...] = ()
    unknown: tuple[Problem, ...] = ()

    def total(self, name: str) -> float:
        """Return how many there were in all the minutes together."""
        return sum(self.counts.get(name, {}).values())

    def minutes(self) -> list[dt.datetime]:
        """Return the minutes that are looked at."""
        middle = self.at.replace(second=0, microsecond=0)
        return [middle + dt.timedelta(minutes=each) for each in range(-MINUTES, MINUTES + 1)]

    def document(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "at": self.at.isoformat(),
            "minutes": [
                {
                    "at": minute.isoformat(),
                    **{name.replace(" ", "_"): self.counts.get(name, {}).get(minute) for name in METRICS},
                }
                for minute in self.minutes()
            ],
            "flow_logs": self.flow_logs,
            "rejects": list(self.rejects),
            "changes": [_document(each) for each in self.changes],
            "failures": [_document(each) for each in self.failures],
        }


def parse_time(text: str) -> dt.datetime:
    """Return the time that --around means.

    Args:
        text: A time in ISO 8601, such as 2026-01-31T14:00Z; without a zone it is UTC.

    Raises:
        Problem: It is none.
    """
    try:
        at = dt.datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise Problem(
            f"--around {text} is no time", "give one like 2026-01-31T14:00Z or 2026-01-31T15:00+01:00"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def look_around(aws: Aws, service: Service, *, at: dt.datetime) -> Around:
    """Read what happened around a time.

    Args:
        aws: Where the service is.
        service: The service.
        at: The time.
    """
    at = at.astimezone(dt.UTC)
    missing: list[Problem] = []
    counts: dict[str, dict[dt.datetime, float]] = {}
    rejects: tuple[str, ...] = ()
    decisions: dict[str, tuple[Change, ...]] = {CHANGED: (), FAILED: ()}
    start = at.replace(second=0, microsecond=0) - dt.timedelta(minutes=MINUTES)
    end = start + dt.timedelta(minutes=2 * MINUTES + 1)
    groups = [each.physical_id for each in service.of_type(LOG_GROUP) if "FlowLog" in each.logical_id]
    try:
        counts = _counts(aws, service, start=start, end=end)
    except ERRORS as error:
        missing.append(explain(error))
    try:
        rejects = tuple(row for group in groups for row in _rejects(aws, group, start=start, end=end))
    except ERRORS as error:
        missing.append(explain(error))
    try:
        decisions = {each: _decisions(aws, service, each, start=start, end=end) for each in decisions}
    except ERRORS as error:
        missing.append(explain(error))
    return Around(at, counts, rejects, bool(groups), decisions[CHANGED], decisions[FAILED], tuple(missing))


def _decisions(aws: Aws, service: Service, message: str, *, start: dt.datetime, end: dt.datetime) -> tuple[Change, ...]:
    """Return the lines of the function's log with a message, oldest first."""
    if service.log_group_name is None:
        return ()
    lines = read_lines(aws, service.log_group_name, since=start, until=end, message=message)
    chosen = sorted((each for each in lines if message != CHANGED or each.changes_targets), key=lambda each: each.at)
    return tuple(Change(stamp(each.at), *told(each)) for each in chosen)


def _document(change: Change) -> dict[str, str]:
    return {"at": change.at, "listener": change.listener, "what": change.what, "why": change.why}


def _counts(aws: Aws, service: Service, *, start: dt.datetime, end: dt.datetime) -> dict[str, dict[dt.datetime, float]]:
    cloudwatch: CloudWatchClient = aws.client("cloudwatch")
    dimensions = {
        _NLB: [{"Name": "LoadBalancer", "Value": service.load_balancer_arn.partition(":loadbalancer/")[2]}],
        _PRIVATELINK: [{"Name": "Service Id", "Value": service.id}],
    }
    queries: Any = [
        {
            "Id": f"m{index}",
            "MetricStat": {
                "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": dimensions[namespace]},
                "Period": 60,
                "Stat": "Sum",
            },
        }
        for index, (namespace, metric) in enumerate(METRICS.values())
    ]
    names = list(METRICS)
    found: dict[str, dict[dt.datetime, float]] = {name: {} for name in names}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=end
    )
    for page in pages:
        for row in page["MetricDataResults"]:
            name = names[int(row["Id"].removeprefix("m"))]
            for moment, value in zip(row["Timestamps"], row["Values"], strict=True):
                minute = moment.astimezone(dt.UTC).replace(second=0, microsecond=0)
                found[name][minute] = found[name].get(minute, 0.0) + value
    return found


def _rejects(aws: Aws, group: str, *, start: dt.datetime, end: dt.datetime) -> list[str]:
    logs: CloudWatchLogsClient = aws.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group,
        startTime=int(start.timestamp() * 1000),
        endTime=int(end.timestamp() * 1000),
        filterPattern="REJECT",
    )
    lines = (parse_line(event["message"], at=start).text for page in pages for event in page["events"])
    return [line for line in lines if _REJECT_FIELDS.search(line)]


def conclude(around: Around) -> list[Finding]:
    """Return what the minutes say of where a connection ended. Pure."""
    found = [unknown(each.what, each.remedy) for each in around.unknown]
    if around.unknown and not around.counts:
        return found
    came, passed = around.total("new connections"), around.total("new flows")
    blocked_in, blocked_out = around.total("blocked in"), around.total("blocked out")
    resets = around.total("target resets")
    if blocked_in:
        found.append(
            problem(
                f"{blocked_in:g} connections were stopped by inbound rules of the load balancer's security group",
                "see the hop 'Inbound rules'; ask the consumer for its private ranges",
            )
        )
    if blocked_out:
        found.append(
            problem(
                f"{blocked_out:g} connections were stopped by outbound rules of the load balancer's security group",
                "see the hop 'Outbound rules'",
            )
        )
    if around.rejects:
        found.append(
            problem(
                f"flow logs have {len(around.rejects)} rejected records; the last one: {around.rejects[-1]}",
                "a security group or network ACL on the way stops traffic: see the hops 'Database's group' and "
                "'Network ACLs'",
            )
        )
    if around.failures:
        last = around.failures[-1]
        found.append(
            problem(
                f"the function failed {len(around.failures)} times then, the last time at {last.at}, {last.listener}: "
                f"{last.why or last.what}",
                "see the hops 'Function' and 'DNS'",
            )
        )
    if not found:
        found.append(_passed(came, passed, resets, around.total("load balancer resets")))
    return found


def _passed(came: float, passed: float, resets: float, own_resets: float) -> Finding:
    """Return what it means where nothing was blocked."""
    if not came and not passed:
        return unknown(
            "no connection came to the endpoint service: the consumer did not get as far as this account",
            "ask the consumer: which endpoint and name it used, whether its endpoint's security group admits the "
            "client, whether the time is right (metrics come some minutes late)",
        )
    if came and not passed:
        return problem(
            f"{came:g} connections came to the endpoint service, and none to the load balancer",
            "see the hops 'Listeners' (is the port the right one?) and 'Inbound rules'",
        )
    if resets:
        return problem(
            f"{passed:g} connections came, and targets reset {resets:g}",
            "the database refuses or ends them: see that it is up, its log, and max_connections",
        )
    if own_resets:
        return problem(
            f"{passed:g} connections came, and the load balancer reset {own_resets:g}",
            "no target was healthy, or a connection was idle for 350 s: see the hops 'Target health' and 'Keepalives'",
        )
    return ok(
        f"{passed:g} connections came and none was stopped or reset: TCP works. If it failed all the same, it was "
        "above TCP: TLS, pg_hba, password, database name; see Postgres's log"
    )

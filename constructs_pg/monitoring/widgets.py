"""Widgets of the dashboard: a column for each hop of the path. They stand alone, for dashboards of your own.

A column is 4 units wide, so that the six of them fill the 24 units of a dashboard from left to right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_logs as logs

    from ..listener import PostgresListener
    from .metrics import PostgresEndpointServiceMetrics

GRID_WIDTH = 24
COLUMN_WIDTH = 4
_GRAPH_HEIGHT, _HEAD_HEIGHT, _LOG_HEIGHT = 6, 3, 7
# Listeners that a heading names; graphs show all.
_NAMED = 3

# What Amazon RDS calls the resource in its events, and its metrics by their dimension.
_RDS_METRICS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "RDS DB Instance Event": ("DBInstanceIdentifier", ("DatabaseConnections", "CPUUtilization")),
    "RDS DB Cluster Event": ("DBClusterIdentifier", ("DatabaseConnections", "CPUUtilization")),
    "RDS DB Proxy Event": ("ProxyName", ("ClientConnections", "DatabaseConnections")),
}
_RDS_TITLES = {
    "DatabaseConnections": "Sessions",
    "ClientConnections": "Clients of proxies",
    "CPUUtilization": "CPU, percent",
}


def consumers(
    metrics: PostgresEndpointServiceMetrics, *, announced: cloudwatch.Metric | None
) -> list[cloudwatch.IWidget]:
    """Return the column of the consumers' endpoints, as far as their service sees them.

    Args:
        metrics: The service's metrics.
        announced: The connections that asked to be accepted, if they are announced.
    """
    return [
        _head("1 Consumers", "Endpoints in their accounts: their own metrics are there too"),
        _graph("Endpoints", {"connected": metrics.endpoint_service.endpoints()}),
        _graph("New connections", {"a minute": metrics.endpoint_service.new_connections()}),
        _graph("Asked to connect", {"announced": announced})
        if announced is not None
        else _text("Connections are not announced.", _HEAD_HEIGHT),
    ]


def endpoint_service(metrics: PostgresEndpointServiceMetrics) -> list[cloudwatch.IWidget]:
    """Return the column of the endpoint service."""
    measured = metrics.endpoint_service
    return [
        _head("2 Endpoint service", "Reports with traffic only"),
        _graph("Open connections", {"at most": measured.active_connections()}),
        _graph("Bytes", {"a minute": measured.bytes_processed()}),
        _graph("Resets", {"to endpoints": measured.reset_packets()}),
    ]


def load_balancer(metrics: PostgresEndpointServiceMetrics) -> list[cloudwatch.IWidget]:
    """Return the column of the load balancer."""
    measured = metrics.load_balancer
    return [
        _head("3 Load balancer", "Blocked here: in no metric further right"),
        _graph("Connections", {"new": measured.new_flows(), "open": measured.active_flows()}),
        _graph(
            "Stopped",
            {
                "inbound rules": measured.blocked_inbound_flows(),
                "outbound rules": measured.blocked_outbound_flows(),
                "rejected": measured.rejected_flows(),
                "no port left": measured.port_allocation_errors(),
                "fail-open": measured.fail_open_flows(),
            },
        ),
        _graph(
            "Resets by",
            {
                "client": measured.client_resets(),
                "load balancer": measured.load_balancer_resets(),
                "target": measured.target_resets(),
            },
        ),
    ]


def target_groups(listeners: Mapping[str, PostgresListener]) -> list[cloudwatch.IWidget]:
    """Return the column of the target groups: a line for each listener."""
    healthy = {name: each.metrics.healthy_targets() for name, each in listeners.items()}
    unhealthy = {name: each.metrics.unhealthy_targets() for name, each in listeners.items()}
    lines = ", ".join(f"{name} {listener.port}" for name, listener in list(listeners.items())[:_NAMED])
    more = f" and {len(listeners) - _NAMED} more" if len(listeners) > _NAMED else ""
    return [
        _head("4 Target groups", f"{lines}{more}" or "No listener yet"),
        _graph("Healthy targets", healthy, least=1),
        _graph("Unhealthy targets", unhealthy),
        _text("None healthy: no connections. None at all: no data.", _HEAD_HEIGHT),
    ]


def function(metrics: PostgresEndpointServiceMetrics) -> list[cloudwatch.IWidget]:
    """Return the column of the function that follows DNS names."""
    measured = metrics.function
    if measured is None:
        return [_head("5 Function", "None: all targets are fixed")]
    return [
        _head("5 Function", "Follows DNS names"),
        _graph("Invocations", {"a minute": measured.invocations()}),
        _graph("Errors", {"failed": measured.errors(), "throttled": measured.throttles()}),
        _graph("Longest run", {"ms": measured.duration()}),
    ]


def databases(listeners: Mapping[str, PostgresListener]) -> list[cloudwatch.IWidget]:
    """Return the column of the databases: those on Amazon RDS have metrics."""
    resources = {
        (source.detail_type, source.source_identifier): name
        for name, listener in listeners.items()
        for source in listener.target.event_sources
        if source.detail_type in _RDS_METRICS
    }
    graphs: dict[str, dict[str, cloudwatch.Metric]] = {}
    for (detail_type, identifier), name in resources.items():
        dimension, names = _RDS_METRICS[detail_type]
        for metric_name in names:
            graphs.setdefault(metric_name, {})[name] = cloudwatch.Metric(
                namespace="AWS/RDS",
                metric_name=metric_name,
                dimensions_map={dimension: identifier},
                statistic="Maximum",
                period=Duration.minutes(1),
            )
    head = _head("6 Databases", "Of Amazon RDS" if graphs else "None on Amazon RDS: see their own monitoring")
    return [head, *(_graph(title, graphs[name]) for name, title in _RDS_TITLES.items() if name in graphs)]


def alarm_states(alarms: Sequence[cloudwatch.IAlarm]) -> list[cloudwatch.IWidget]:
    """Return a row with the state of alarms; nothing without any."""
    if not alarms:
        return []
    # A widget shows up to 100 alarms.
    height = 2 + (len(alarms) - 1) // 6
    return [
        cloudwatch.AlarmStatusWidget(
            title="Alarms",
            alarms=list(alarms),
            width=GRID_WIDTH,
            height=height,
            sort_by=cloudwatch.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP,
        )
    ]


def decisions(log_group: logs.ILogGroup) -> list[cloudwatch.IWidget]:
    """Return a row with what the function did lately; CloudWatch bills the bytes it reads for that."""
    return [
        cloudwatch.LogQueryWidget(
            title="What the function did",
            log_group_names=[log_group.log_group_name],
            query_lines=[
                "fields @timestamp, level, message, listener, cause, seconds",
                'filter message in ["changed", "listener failed", "would change"]',
                "sort @timestamp desc",
                "limit 50",
            ],
            width=GRID_WIDTH,
            height=_LOG_HEIGHT,
        )
    ]


def _head(title: str, text: str) -> cloudwatch.IWidget:
    return _text(f"### {title}\n{text}", _HEAD_HEIGHT)


def _text(markdown: str, height: int) -> cloudwatch.IWidget:
    return cloudwatch.TextWidget(markdown=markdown, width=COLUMN_WIDTH, height=height)


def _graph(title: str, lines: Mapping[str, cloudwatch.Metric], *, least: float | None = None) -> cloudwatch.IWidget:
    """Return a graph of lines by their labels; CloudWatch would take the dimensions for names."""
    return cloudwatch.GraphWidget(
        title=title,
        left=[metric.with_(label=label) for label, metric in lines.items()],
        left_y_axis=cloudwatch.YAxisProps(min=0, show_units=False),
        left_annotations=[] if least is None else [cloudwatch.HorizontalAnnotation(value=least, label="needed")],
        legend_position=cloudwatch.LegendPosition.BOTTOM,
        width=COLUMN_WIDTH,
        height=_GRAPH_HEIGHT,
    )

"""Metrics of what the constructs make. Widgets and alarms stand apart, so that metrics can be used without them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch
    from aws_cdk import aws_elasticloadbalancingv2 as elbv2


class PostgresListenerMetrics:
    """Metrics of one listener's target group (namespace AWS/NetworkELB, free, one data point a minute).

    An empty target group reports nothing at all, so an alarm on these must treat missing data as breaching.

    Args:
        target_group: The listener's target group.
    """

    def __init__(self, target_group: elbv2.NetworkTargetGroup) -> None:
        self._target_group = target_group

    def healthy_targets(self) -> cloudwatch.Metric:
        """Return the least number of healthy targets in a minute; below 1 the path is broken."""
        return self._target_group.metrics.healthy_host_count(statistic="Minimum", period=Duration.minutes(1))

    def unhealthy_targets(self) -> cloudwatch.Metric:
        """Return the greatest number of unhealthy targets in a minute."""
        return self._target_group.metrics.un_healthy_host_count(statistic="Maximum", period=Duration.minutes(1))

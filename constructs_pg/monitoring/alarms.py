"""`Alarms`: what tells that consumers cannot connect, or soon could not. docs/monitoring.md says what each costs."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_logs as logs
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_sns as sns

    from ..listener import PostgresListener
    from ..target_sync import TargetSync
    from .metrics import FunctionMetrics, PostgresEndpointServiceMetrics

# A composite alarm's rule has at most 10,240 characters, and an alarm's name up to 255: 30 fit, and others beside them.
_LISTENERS_IN_ONE_RULE = 30
_SLOW_SECONDS = 60
_BELOW = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_AT_LEAST = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_BREACHING, _NOT_BREACHING = cloudwatch.TreatMissingData.BREACHING, cloudwatch.TreatMissingData.NOT_BREACHING


class AlarmTier(enum.Enum):
    """How much is watched; each tier has all that the one before it has."""

    NONE = "none"
    """No alarm."""
    BASIC = "basic"
    """What cannot stay unseen: no healthy target, and a function that fails or does not run."""
    FULL = "full"
    """Also what explains it: connections that are blocked, sent to unhealthy targets, or find no port; targets that are
    followed slowly; and one alarm above all that break the path."""


@jsii.implements(cdk.IStableStringProducer)
class _AnyOf:
    """The rule of a composite alarm, known when all alarms are: any of them."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def add(self, name: str) -> None:
        """Add an alarm by its name."""
        self._names.append(name)

    def produce(self) -> str:
        """Return the rule, which references the alarms."""
        return " OR ".join(f'ALARM("{name}")' for name in self._names)


class Alarms(Construct):
    """Alarms of one service. Names are CloudFormation's, so they begin with the stack's and say what is wrong.

    Args:
        scope: The endpoint service's construct.
        construct_id: This construct's id.
        metrics: The service's metrics.
        tier: How much is watched.
        topics: Who is told when an alarm goes off, the composite one included.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        metrics: PostgresEndpointServiceMetrics,
        tier: AlarmTier,
        topics: Sequence[sns.ITopic],
    ) -> None:
        super().__init__(scope, construct_id)
        self._is_wanted = tier is not AlarmTier.NONE
        self._is_full = tier is AlarmTier.FULL
        self._topics = tuple(topics)
        self._no_healthy_target: dict[str, cloudwatch.Alarm] = {}
        self._rule = self._more = _AnyOf()
        #: Whether the path is broken; only in the full tier.
        self.path_broken: cloudwatch.CfnCompositeAlarm | None = None
        #: All metric alarms, in the order of the path.
        self.metric_alarms: list[cloudwatch.Alarm] = []
        if self._is_full:
            for alarm in self._watch_load_balancer(metrics):
                self._rule.add(alarm.alarm_name)
            self.path_broken = self._compose(
                "PathBroken",
                self._rule,
                "Consumers cannot reach Postgres, or not all of them: the alarms in the rule say which hop it is. "
                "Begin with the one of a listener: without a healthy target nothing else matters",
            )

    def no_healthy_target(self, listener: str) -> cloudwatch.Alarm | None:
        """Return the alarm of a listener by its name; None where there is none."""
        return self._no_healthy_target.get(listener)

    def watch_listener(self, listener: PostgresListener, *, followed_by: TargetSync | None) -> None:
        """Watch a listener's targets, as soon as a deployment has registered them.

        Args:
            listener: The listener.
            followed_by: What registers its targets; None if they stand in the template.
        """
        if not self._is_wanted:
            return
        alarm = self._alarm(
            f"NoHealthyTarget-{listener.name}",
            listener.metrics.healthy_targets(),
            f"Listener '{listener.name}' has had no healthy target for 3 minutes: consumers cannot connect. Is the "
            "database up, and in a zone that the load balancer has? Does its security group admit the load balancer? "
            "aws elbv2 describe-target-health says why; a group without any target means that the name had no usable "
            "address: see the function's log",
            comparison=_BELOW,
            periods=3,
            # An empty target group reports nothing, and there is no path either.
            missing=_BREACHING,
        )
        if followed_by is not None:
            # Before, it is empty.
            alarm.node.add_dependency(followed_by.targets)
        self._no_healthy_target[listener.name] = alarm
        if not self._is_full:
            return
        if len(self._no_healthy_target) == _LISTENERS_IN_ONE_RULE + 1:
            self._more = _AnyOf()
            more = self._compose("MoreListeners", self._more, "Some listener beyond the first 30 has no healthy target")
            self._rule.add(more.ref)
        self._more.add(alarm.alarm_name)

    def watch_function(self, target_sync: TargetSync, metrics: FunctionMetrics) -> None:
        """Watch the function that follows DNS names."""
        if not self._is_wanted:
            return
        self._alarm(
            "FunctionFails",
            metrics.errors(),
            "The function that follows DNS names failed in 3 of 5 minutes: targets stay as they are, and the next "
            "failover would not be followed. The error in its log names the listener and the cause",
            periods=5,
            needed=3,
            # No errors are reported while it does not run: that is what FunctionSilent is for.
            missing=_NOT_BREACHING,
        )
        silent = self._alarm(
            "FunctionSilent",
            metrics.invocations(),
            "The function that follows DNS names has not run for 5 minutes: the next failover would not be followed. "
            "Is its schedule enabled, and is the account's concurrency exhausted (Throttles)?",
            comparison=_BELOW,
            periods=5,
            # A function that does not run reports nothing.
            missing=_BREACHING,
        )
        # A deployment has invoked it then.
        silent.node.add_dependency(target_sync.targets)
        if self._is_full:
            self._watch_log(target_sync.log_group)

    def tell(self, alarm: cloudwatch.Alarm) -> None:
        """Let an alarm that is made elsewhere tell the same topics."""
        for topic in self._topics:
            alarm.add_alarm_action(cloudwatch_actions.SnsAction(topic))

    def _watch_load_balancer(self, metrics: PostgresEndpointServiceMetrics) -> list[cloudwatch.Alarm]:
        """Watch what the load balancer does to connections; returns the alarms that mean a broken path."""
        measured = metrics.load_balancer
        self._alarm(
            "FailOpen",
            measured.fail_open_flows(),
            "The load balancer sends connections to targets that are not healthy, for want of any that is: most will "
            "fail. See NoHealthyTarget of the listeners",
        )
        inbound = self._alarm(
            "BlockedInbound",
            measured.blocked_inbound_flows(),
            "Inbound rules of the load balancer's security group stop connections: from consumers whose range is not "
            "among their source_ranges, or from inside the VPC. Ask the consumer for its private ranges",
        )
        outbound = self._alarm(
            "BlockedOutbound",
            measured.blocked_outbound_flows(),
            "Outbound rules of the load balancer's security group stop connections to targets. The rules are made with "
            "the listeners: was the group changed by hand? cdk diff does not show that, drift detection does",
        )
        ports = self._alarm(
            "PortAllocationErrors",
            measured.port_allocation_errors(),
            "The load balancer finds no port for connections to a target: beyond 55,000 at a time for each address of "
            "the load balancer and target. Pool connections at the consumer, or put a proxy in front of the database",
        )
        return [inbound, outbound, ports]

    def _watch_log(self, log_group: logs.ILogGroup) -> None:
        """Watch how long a new address waits to be registered: a custom metric, billed for the hours it is sent in."""
        followed = logs.MetricFilter(
            self,
            "FollowSeconds",
            log_group=log_group,
            filter_pattern=logs.FilterPattern.literal('{ ($.message = "changed") && ($.seconds >= 0) }'),
            # Of this service alone: a metric filter takes dimensions from the log line only.
            metric_namespace=f"PgPrivateLink/{cdk.Names.unique_resource_name(self.node.scope or self)}",
            metric_name="FollowSeconds",
            metric_value="$.seconds",
            unit=cloudwatch.Unit.SECONDS,
        )
        self._alarm(
            "SlowFollow",
            followed.metric(statistic="Maximum", period=cdk.Duration.minutes(1), unit=None),
            f"A new address was registered more than {_SLOW_SECONDS} s after DNS had named it. The function's log has "
            "what came before: errors, throttled calls, or too few invocations (poll_interval)",
            threshold=_SLOW_SECONDS,
            # A line is written when something changes, and never otherwise.
            missing=_NOT_BREACHING,
        )

    def _alarm(
        self,
        construct_id: str,
        metric: cloudwatch.Metric,
        description: str,
        *,
        comparison: cloudwatch.ComparisonOperator = _AT_LEAST,
        threshold: float = 1,
        periods: int = 1,
        needed: int | None = None,
        missing: cloudwatch.TreatMissingData = _NOT_BREACHING,
    ) -> cloudwatch.Alarm:
        alarm = metric.create_alarm(
            self,
            construct_id,
            alarm_description=description,
            comparison_operator=comparison,
            threshold=threshold,
            evaluation_periods=periods,
            datapoints_to_alarm=needed,
            treat_missing_data=missing,
        )
        self.tell(alarm)
        self.metric_alarms.append(alarm)
        return alarm

    def _compose(self, construct_id: str, rule: _AnyOf, description: str) -> cloudwatch.CfnCompositeAlarm:
        is_top = construct_id == "PathBroken"
        return cloudwatch.CfnCompositeAlarm(
            self,
            construct_id,
            alarm_rule=cdk.Lazy.string(rule),
            alarm_description=description,
            alarm_actions=[topic.topic_arn for topic in self._topics] if is_top and self._topics else None,
        )

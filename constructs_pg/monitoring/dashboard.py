"""`Dashboard`: the path from left to right, from the consumers' endpoints to the databases."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from . import widgets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aws_cdk import aws_logs as logs

    from ..listener import PostgresListener
    from .alarms import Alarms
    from .metrics import PostgresEndpointServiceMetrics


@jsii.implements(cdk.IStableStringProducer)
class _Body:
    """The dashboard's body, known when all listeners are."""

    def __init__(self, body: Callable[[], str]) -> None:
        self._body = body

    def produce(self) -> str:
        """Return it as JSON."""
        return self._body()


class Dashboard(Construct):
    """A CloudWatch dashboard of one service: a column for each hop, the alarms above, the function's log below.

    Args:
        scope: The endpoint service's construct.
        construct_id: This construct's id.
        metrics: The service's metrics.
        alarms: The service's alarms.
        listeners: Returns its listeners by name.
        announced: The connections that asked to be accepted; None if they are not announced.
        log_group: Returns the log group of the function that follows DNS names; None without a function.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        metrics: PostgresEndpointServiceMetrics,
        alarms: Alarms,
        listeners: Callable[[], Mapping[str, PostgresListener]],
        announced: cloudwatch.Metric | None,
        log_group: Callable[[], logs.ILogGroup | None],
    ) -> None:
        super().__init__(scope, construct_id)
        self._metrics = metrics
        self._alarms = alarms
        self._listeners = listeners
        self._announced = announced
        self._log_group = log_group
        self.resource = cloudwatch.CfnDashboard(self, "Resource", dashboard_body=cdk.Lazy.string(_Body(self.body)))

    def body(self) -> str:
        """Return the dashboard's body as it is now: JSON in which the deployment fills in names."""
        listeners = self._listeners()
        columns = [
            widgets.consumers(self._metrics, announced=self._announced),
            widgets.endpoint_service(self._metrics),
            widgets.load_balancer(self._metrics),
            widgets.target_groups(listeners),
            widgets.function(self._metrics),
            widgets.databases(listeners),
        ]
        log_group = self._log_group()
        above = widgets.alarm_states(self._alarms.metric_alarms)
        below = [] if log_group is None else widgets.decisions(log_group)
        top = _stack(above, x=0, y=0)
        bottom = max(_stack(column, x=widgets.COLUMN_WIDTH * place, y=top) for place, column in enumerate(columns))
        _stack(below, x=0, y=bottom)
        shown = [each for widget in (*above, *itertools.chain(*columns), *below) for each in widget.to_json()]
        return cdk.Stack.of(self).to_json_string({"start": "-PT3H", "widgets": shown})


def _stack(column: Sequence[cloudwatch.IWidget], *, x: int, y: int) -> int:
    """Put widgets below each other; returns where the next one would begin."""
    for widget in column:
        widget.position(x, y)
        y += round(widget.height)
    return y

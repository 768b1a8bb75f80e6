"""Metrics that AWS sends by itself, and alarms that are judged by time, not only when data comes in.

Names and dimensions from elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html,
vpc/latest/privatelink/privatelink-cloudwatch-metrics.html, sns/latest/dg/sns-monitoring-using-cloudwatch.html and
lambda/latest/dg/monitoring-metrics-types.html.
"""

import contextvars
import json
import logging
import threading
import time

from ministack.core.responses import request_scope
from ministack.services import alb, cloudwatch, eventbridge, lambda_svc, sns

from emulator.aws import alarms, control, targets
from emulator.aws.endpoint_connections import connections
from emulator.aws.endpoint_services import services

# Elastic Load Balancing and AWS PrivateLink send their metrics once a minute.
_PERIOD = 60.0
_log = logging.getLogger("emulator")


def _send_load_balancing() -> None:
    """Send the host counts of every target group that has targets: an empty one reports nothing."""
    for account, region, arn in list(alb._tgs._data):
        with request_scope(account, region):
            group = alb._tgs.get(arn)
            if group is None:
                continue
            states = targets.states(group)
            for load_balancer in group["LoadBalancerArns"]:
                dimensions = {
                    "TargetGroup": arn.rpartition(":")[2],
                    "LoadBalancer": load_balancer.partition("loadbalancer/")[2],
                }
                if states:
                    count = cloudwatch.record_metric
                    count("AWS/NetworkELB", "HealthyHostCount", states.count("healthy"), "Count", dimensions)
                    count("AWS/NetworkELB", "UnHealthyHostCount", states.count("unhealthy"), "Count", dimensions)


def _send_privatelink() -> None:
    """Send the number of endpoints of every service that has some."""
    for service in list(services.values()):
        connected = [c for c in connections.values() if c.service_id == service.id and c.state == "available"]
        if connected:
            with request_scope(service.owner, service.region):
                cloudwatch.record_metric(
                    "AWS/PrivateLinkServices", "EndpointsCount", len(connected), "Count", {"Service Id": service.id}
                )


def _run() -> None:
    while True:
        control.changed.wait(_PERIOD * control.settings.metric_period_scale)
        control.changed.clear()
        try:
            _send_load_balancing()
            _send_privatelink()
            alarms.judge_all()
        except Exception:  # noqa: BLE001  # a thread that ended would look like missing data
            _log.exception("metrics")


def _run_function(arn: str, payload: str) -> None:
    """Run a function for a rule of EventBridge, and count that as AWS does: stock counts only calls of Invoke."""
    try:
        event = json.loads(payload)
    except ValueError:
        event = {"body": payload}
    function, configuration, name = lambda_svc._get_func_record_for_ref(arn)
    if not function or not configuration:
        return
    record = lambda_svc._execution_record_for_config(function, configuration)

    def execute() -> None:
        dimensions = {"FunctionName": name}
        cloudwatch.record_metric("AWS/Lambda", "Invocations", 1, "Count", dimensions)
        begin = time.monotonic()
        result = lambda_svc._execute_function_with_config_scope(record, event)
        milliseconds = (time.monotonic() - begin) * 1000
        cloudwatch.record_metric("AWS/Lambda", "Errors", int(bool(result.get("error"))), "Count", dimensions)
        cloudwatch.record_metric("AWS/Lambda", "Duration", milliseconds, "Milliseconds", dimensions)

    # A thread begins in another account otherwise.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(execute,), daemon=True).start()


def install() -> None:
    """Start sending; count the messages of every topic, and what rules run."""
    eventbridge._dispatch_to_lambda = _run_function
    stock = sns.publish_internal

    def publish_internal(topic_arn: str, *args: object, **kwargs: object) -> object:
        dimensions = {"TopicName": topic_arn.rpartition(":")[2]}
        cloudwatch.record_metric("AWS/SNS", "NumberOfMessagesPublished", 1, "Count", dimensions)
        return stock(topic_arn, *args, **kwargs)

    sns.publish_internal = publish_internal
    threading.Thread(target=_run, name="metrics", daemon=True).start()

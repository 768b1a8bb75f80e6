"""Alarms, dashboard and flow logs as the real CDK CLI deploys them; each alarm is fed with data, and with silence.

The tests build on each other, since a deployment costs seconds. What AWS measures by itself, and the emulator does not,
is put in its place under the names that the deployed alarms ask for.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from emulator.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.deployment.conftest import Site

FIXED = "127.0.0.20"
# A minute of CloudWatch in these tests, as a part of a real one.
PERIOD_SCALE = 0.01
# What counts, and what an alarm makes of it and of no data at all.
COUNTED = ["FailOpen", "BlockedInbound", "BlockedOutbound", "PortAllocationErrors"]


@pytest.fixture(scope="module", autouse=True)
def _server(site: Site) -> Iterator[None]:
    """Let something listen at the fixed address, for health checks to find."""
    with Database(FIXED, site.world.port):
        yield


def alarm(site: Site, name: str) -> dict[str, Any]:
    """Return a deployed alarm by a part of its name."""
    answer = site.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    (found,) = (
        each for each in (*answer["MetricAlarms"], *answer["CompositeAlarms"]) if f"Alarms{name}" in each["AlarmName"]
    )
    return dict(found)


def feed(site: Site, name: str, value: float) -> None:
    """Send a data point of exactly the metric that an alarm looks at."""
    looked_at = alarm(site, name)
    site.client("cloudwatch").put_metric_data(
        Namespace=looked_at["Namespace"],
        MetricData=[
            {"MetricName": looked_at["MetricName"], "Dimensions": looked_at["Dimensions"], "Value": value},
        ],
    )


def becomes(site: Site, name: str, state: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Wait until an alarm is in a state, doing something all the while."""
    deadline = time.monotonic() + 60
    while (seen := alarm(site, name)["StateValue"]) != state:
        assert time.monotonic() < deadline, f"{name} is {seen}, not {state}"
        meanwhile()
        time.sleep(0.1)


def test_everything_deploys(site: Site) -> None:
    """The full tier, a dashboard and flow logs, with the topic that is told."""
    topic = site.client("sns").create_topic(Name="operators")["TopicArn"]
    monitoring = f"    alarms: {{tier: full, topics: ['{topic}']}}\n    dashboard: true\n    flow_logs:\n"
    fixed = (
        f"      fixed:\n        port: 5433\n        ip_addresses: {{addresses: [{FIXED}], port: {site.world.port}}}\n"
    )
    printed = site.configure(lambda text: text.replace("    listeners:\n", f"{monitoring}    listeners:\n{fixed}", 1))
    assert "warning" not in printed.lower()

    site.cdk.deploy()

    site.emulator.control.set(metric_period_scale=PERIOD_SCALE)
    flow_logs = site.client("ec2").describe_flow_logs()["FlowLogs"]
    assert sorted(each["ResourceId"] for each in flow_logs) == sorted(subnet.id for subnet in site.world.subnets)
    assert {each["TrafficType"] for each in flow_logs} == {"REJECT"}


def test_the_dashboard_has_no_holes(site: Site) -> None:
    """What stands in it was filled in by the deployment: names of this load balancer, service and function."""
    (entry,) = site.client("cloudwatch").list_dashboards()["DashboardEntries"]
    body = site.client("cloudwatch").get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"]

    assert site.resource("AWS::EC2::VPCEndpointService") in body
    assert site.resource("AWS::ElasticLoadBalancingV2::LoadBalancer").partition("loadbalancer/")[2] in body
    assert "Fn::" not in body
    json.loads(body)


def test_no_healthy_target_follows_the_targets(site: Site) -> None:
    """With a healthy target it is OK; with none that is healthy, or with no target and no data, it goes off."""
    becomes(site, "NoHealthyTargetfixed", "OK")
    becomes(site, "NoHealthyTargetfixed", "ALARM", lambda: feed(site, "NoHealthyTargetfixed", 0))
    becomes(site, "NoHealthyTargetfixed", "OK")

    elbv2 = site.client("elbv2")
    groups = elbv2.describe_target_groups()["TargetGroups"]
    (group,) = (
        each["TargetGroupArn"]
        for each in groups
        if FIXED in str(elbv2.describe_target_health(TargetGroupArn=each["TargetGroupArn"]))
    )
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": FIXED, "Port": site.world.port}])
    becomes(site, "NoHealthyTargetfixed", "ALARM")
    becomes(site, "PathBroken", "ALARM")
    elbv2.register_targets(TargetGroupArn=group, Targets=[{"Id": FIXED, "Port": site.world.port}])
    becomes(site, "NoHealthyTargetfixed", "OK")
    becomes(site, "PathBroken", "OK")


def test_a_silent_function_goes_off_and_a_running_one_does_not(site: Site) -> None:
    """No data is what a function sends that does not run."""
    becomes(site, "FunctionSilent", "OK", lambda: feed(site, "FunctionSilent", 1))
    becomes(site, "FunctionSilent", "ALARM")
    becomes(site, "FunctionSilent", "OK", lambda: feed(site, "FunctionSilent", 1))


def test_a_failing_function_goes_off_and_a_silent_one_does_not(site: Site) -> None:
    """Errors are counted; without invocations there are none to count, and another alarm says so."""
    becomes(site, "FunctionFails", "OK", lambda: feed(site, "FunctionFails", 0))
    becomes(site, "FunctionFails", "ALARM", lambda: feed(site, "FunctionFails", 1))
    becomes(site, "FunctionFails", "OK")


@pytest.mark.parametrize("name", COUNTED)
def test_what_is_counted_goes_off_and_silence_does_not(name: str, site: Site) -> None:
    """The load balancer reports these only while there is something to count."""
    becomes(site, name, "OK")
    becomes(site, name, "ALARM", lambda: feed(site, name, 3))
    becomes(site, name, "OK")
    becomes(site, name, "OK", lambda: feed(site, name, 0))


@pytest.mark.parametrize("name", ["BlockedInbound", "BlockedOutbound", "PortAllocationErrors"])
def test_what_stops_connections_breaks_the_path(name: str, site: Site) -> None:
    """One alarm stands for all of them."""
    becomes(site, "PathBroken", "OK")
    becomes(site, "PathBroken", "ALARM", lambda: feed(site, name, 1))
    becomes(site, "PathBroken", "OK")


def test_a_slow_follow_is_read_from_the_functions_log(site: Site) -> None:
    """A late registration goes off, one in time does not, and neither does silence."""
    logs = site.client("logs")
    # CloudFormation names it after the stack and the logical id.
    (group,) = (
        each["logGroupName"] for each in logs.describe_log_groups()["logGroups"] if "TargetSync" in each["logGroupName"]
    )
    logs.create_log_stream(logGroupName=group, logStreamName="test")

    def changed(seconds: float) -> None:
        line = {"level": "INFO", "message": "changed", "listener": "main", "seconds": seconds}
        event = {"timestamp": int(time.time() * 1000), "message": json.dumps(line)}
        logs.put_log_events(logGroupName=group, logStreamName="test", logEvents=[event])

    becomes(site, "SlowFollow", "OK")
    becomes(site, "SlowFollow", "ALARM", lambda: changed(75.0))
    becomes(site, "SlowFollow", "OK")
    becomes(site, "SlowFollow", "OK", lambda: changed(2.5))


def test_the_topic_is_told(site: Site) -> None:
    """Who subscribed learns which alarm went off, and what to do."""
    sns, sqs = site.client("sns"), site.client("sqs")
    (topic,) = (each["TopicArn"] for each in sns.list_topics()["Topics"] if each["TopicArn"].endswith(":operators"))
    queue = sqs.create_queue(QueueName="operators")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})

    becomes(site, "PortAllocationErrors", "ALARM", lambda: feed(site, "PortAllocationErrors", 1))

    told: list[dict[str, Any]] = []
    deadline = time.monotonic() + 30
    while not any("PortAllocationErrors" in message["AlarmName"] for message in told):
        assert time.monotonic() < deadline, told
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        told += [json.loads(json.loads(each["Body"])["Message"]) for each in received.get("Messages", [])]
    (message,) = (each for each in told if "PortAllocationErrors" in each["AlarmName"])
    assert message["NewStateValue"] == "ALARM"
    assert "Pool connections at the consumer" in message["AlarmDescription"]


def test_destroying_leaves_nothing(site: Site) -> None:
    """Alarms, dashboard, flow logs and log groups go with the stack."""
    site.cdk.destroy()

    answer = site.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert [*answer["MetricAlarms"], *answer["CompositeAlarms"]] == []
    assert site.client("cloudwatch").list_dashboards()["DashboardEntries"] == []
    assert site.client("ec2").describe_flow_logs()["FlowLogs"] == []
    assert site.client("logs").describe_log_groups()["logGroups"] == []

"""Rules of metrics that AWS sends by itself or makes of logs, and of alarms on them."""

import io
import json
import time
import zipfile

from emulator.database import Database
from tests.emulator.rule import rule
from tests.emulator.world import Account

_MISSING = "AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html"
_BALANCER = "elasticloadbalancing/latest/network/load-balancer-cloudwatch-metrics.html"


def _alarm(aws: Account, name: str, **given: object) -> None:
    defaults = {
        "Namespace": "AWS/NetworkELB",
        "MetricName": "HealthyHostCount",
        "Statistic": "Minimum",
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": 1.0,
        "Period": 60,
        "EvaluationPeriods": 2,
    }
    aws.client("cloudwatch").put_metric_alarm(AlarmName=name, **(defaults | given))


def _state(aws: Account, name: str) -> str:
    answer = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(answer[0]["StateValue"])


def _dimensions(aws: Account, group: str) -> list[dict[str, str]]:
    balancer = aws.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"][0]
    return [
        {"Name": "TargetGroup", "Value": group.rpartition(":")[2]},
        {"Name": "LoadBalancer", "Value": balancer.partition("loadbalancer/")[2]},
    ]


@rule(_BALANCER)
def healthy_hosts_are_counted(aws: Account) -> None:
    """`HealthyHostCount` counts a group's healthy targets; an alarm below 1 follows a server that dies and returns."""
    group = aws.used_target_group(aws.network("127.0.0.0/16"), HealthCheckIntervalSeconds=5, HealthyThresholdCount=2)
    with Database("127.0.0.2") as database:
        aws.register(group, {"Id": database.address, "Port": database.port})
        _alarm(aws, "healthy", Dimensions=_dimensions(aws, group), TreatMissingData="breaching")
        aws.eventually(lambda: _state(aws, "healthy") == "OK")
        database.die()
        aws.eventually(lambda: _state(aws, "healthy") == "ALARM")
        database.start()
        aws.eventually(lambda: _state(aws, "healthy") == "OK")


@rule(_BALANCER)
def empty_group_reports_nothing(aws: Account) -> None:
    """A group without targets sends no `HealthyHostCount`: only an alarm on which missing data is a breach fires."""
    group = aws.used_target_group(aws.network())
    dimensions = _dimensions(aws, group)
    for missing in ("breaching", "notBreaching", "missing"):
        _alarm(aws, missing, Dimensions=dimensions, TreatMissingData=missing)
    aws.eventually(lambda: _state(aws, "breaching") == "ALARM")
    aws.eventually(lambda: _state(aws, "notBreaching") == "OK")
    assert _state(aws, "missing") == "INSUFFICIENT_DATA"


@rule(_MISSING)
def alarm_reads_its_own_dimensions(aws: Account) -> None:
    """An alarm reads the metric of exactly its dimensions: another group's healthy targets do not count."""
    network = aws.network()
    full, empty = aws.used_target_group(network), aws.used_target_group(network)
    aws.register(full, {"Id": "10.0.0.5"})
    for name, group in (("full", full), ("empty", empty)):
        _alarm(aws, name, Dimensions=_dimensions(aws, group), TreatMissingData="breaching")
    aws.eventually(lambda: _state(aws, "full") == "OK")
    aws.eventually(lambda: _state(aws, "empty") == "ALARM")
    aws.eventually(lambda: _state(aws, "full") == "OK")


@rule("vpc/latest/privatelink/privatelink-cloudwatch-metrics.html")
def endpoints_of_a_service_are_counted(aws: Account) -> None:
    """`EndpointsCount` of a service counts its connected endpoints, with the dimension `Service Id`."""
    consumer = aws.another()
    service = aws.open_service(consumer, AcceptanceRequired=False)
    dimensions = [{"Name": "Service Id", "Value": service["ServiceId"]}]
    endpoints = {"Namespace": "AWS/PrivateLinkServices", "MetricName": "EndpointsCount", "Statistic": "Maximum"}
    _alarm(aws, "connected", Dimensions=dimensions, ComparisonOperator="GreaterThanThreshold", Threshold=0, **endpoints)
    consumer.endpoint(service)
    aws.eventually(lambda: _state(aws, "connected") == "ALARM")


@rule("sns/latest/dg/sns-monitoring-using-cloudwatch.html")
def messages_of_a_topic_are_counted(aws: Account) -> None:
    """`NumberOfMessagesPublished` of a topic counts its messages: an alarm on it tells that one was sent."""
    topic = aws.client("sns").create_topic(Name="waiting")["TopicArn"]
    messages = {"Namespace": "AWS/SNS", "MetricName": "NumberOfMessagesPublished", "Statistic": "Sum"}
    _alarm(
        aws,
        "sent",
        Dimensions=[{"Name": "TopicName", "Value": "waiting"}],
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0,
        EvaluationPeriods=1,
        TreatMissingData="notBreaching",
        **messages,
    )
    aws.eventually(lambda: _state(aws, "sent") == "OK")
    aws.client("sns").publish(TopicArn=topic, Message="one")
    aws.eventually(lambda: _state(aws, "sent") == "ALARM")
    aws.eventually(lambda: _state(aws, "sent") == "OK")


def _log_line(aws: Account, group: str, **fields: object) -> None:
    event = {"timestamp": int(time.time() * 1000), "message": json.dumps(fields)}
    aws.client("logs").put_log_events(logGroupName=group, logStreamName="stream", logEvents=[event])


def _log_group(aws: Account) -> str:
    group = aws.name()
    aws.client("logs").create_log_group(logGroupName=group)
    aws.client("logs").create_log_stream(logGroupName=group, logStreamName="stream")
    return group


@rule("AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html")
def log_lines_carry_metrics(aws: Account) -> None:
    """A log line in the embedded metric format is a data point, for each set of dimensions that it has values of."""
    group = _log_group(aws)
    metrics = [{"Name": "Latency", "Unit": "Milliseconds"}]
    directives = [{"Namespace": "rules", "Dimensions": [["Port"], ["Port", "Zone"]], "Metrics": metrics}]
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": directives}
    _log_line(aws, group, _aws=about, Port="5432", Latency=12.5)
    found = aws.client("cloudwatch").list_metrics(Namespace="rules")["Metrics"]
    assert [(each["MetricName"], each["Dimensions"]) for each in found] == [
        ("Latency", [{"Name": "Port", "Value": "5432"}])
    ]


@rule("AmazonCloudWatch/latest/logs/FilterAndPatternSyntaxForMetricFilters.html")
def metric_filters_count_what_matches(aws: Account) -> None:
    """A metric filter makes a data point of a JSON log line that its pattern matches, and of no other line."""
    group = _log_group(aws)
    aws.client("logs").put_metric_filter(
        logGroupName=group,
        filterName="slow",
        filterPattern='{ ($.message = "changed") && ($.seconds >= 0) }',
        metricTransformations=[{"metricName": "Seconds", "metricNamespace": "filtered", "metricValue": "$.seconds"}],
    )
    _log_line(aws, group, message="changed", deregistered=["10.0.0.5:5432"])
    _log_line(aws, group, message="watched", seconds=58)
    assert aws.client("cloudwatch").list_metrics(Namespace="filtered")["Metrics"] == []
    _log_line(aws, group, message="changed", seconds=3.5)
    found = aws.client("cloudwatch").list_metrics(Namespace="filtered")["Metrics"]
    assert [(each["MetricName"], each["Dimensions"]) for each in found] == [("Seconds", [])]


@rule("lambda/latest/dg/monitoring-metrics-types.html")
def functions_that_rules_run_are_counted(aws: Account) -> None:
    """`Invocations` counts what EventBridge runs as well, and `Errors` what of it fails."""
    client, events, cloudwatch = aws.client("lambda"), aws.client("events"), aws.client("cloudwatch")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("index.py", "def handler(event, context):\n    raise ValueError('boom')\n")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = aws.client("iam").create_role(
        RoleName="failing", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    made = client.create_function(
        FunctionName="failing",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="index.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    events.put_rule(Name="all", EventPattern=json.dumps({"source": ["tests"]}))
    events.put_targets(Rule="all", Targets=[{"Id": "failing", "Arn": made["FunctionArn"]}])
    events.put_events(Entries=[{"Source": "tests", "DetailType": "a test", "Detail": "{}"}])

    def sums() -> list[float]:
        found = []
        for name in ("Invocations", "Errors"):
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/Lambda",
                MetricName=name,
                Dimensions=[{"Name": "FunctionName", "Value": "failing"}],
                StartTime=time.time() - 600,
                EndTime=time.time() + 60,
                Period=60,
                Statistics=["Sum"],
            )["Datapoints"]
            found.append(sum(point["Sum"] for point in points))
        return found

    aws.eventually(lambda: sums() == [1.0, 1.0])

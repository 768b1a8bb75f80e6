"""`PostgresConnectivityCheck`: what may talk to what, what it measures, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Match, Template

from constructs_pg import PostgresConnectivityCheck, PostgresEndpointServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    CheckFactory = Callable[..., PostgresConnectivityCheck]

SERVICE = "com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0"
FUNCTION, ALARM = "AWS::Lambda::Function", "AWS::CloudWatch::Alarm"


@pytest.fixture
def make_check(stack: cdk.Stack, vpc: ec2.IVpc, subnets: list[ec2.ISubnet]) -> CheckFactory:
    """Make a check in two subnets, but for the arguments given."""

    def make(**changes: object) -> PostgresConnectivityCheck:
        selection = ec2.SubnetSelection(subnets=subnets)
        arguments = {"vpc": vpc, "vpc_subnets": selection, "endpoint_service_name": SERVICE, **changes}
        return PostgresConnectivityCheck(stack, "Check", **arguments)  # type: ignore[arg-type]

    return make


def properties(stack: cdk.Stack, kind: str) -> list[dict[str, Any]]:
    """Return the properties of all resources of a type."""
    return [each.get("Properties", {}) for each in Template.from_stack(stack).find_resources(kind).values()]


def test_the_endpoint_stands_in_the_subnets(stack: cdk.Stack, make_check: CheckFactory) -> None:
    """One interface in each zone, under a security group of ours, with AWS's own name."""
    make_check()

    (endpoint,) = properties(stack, "AWS::EC2::VPCEndpoint")

    assert (endpoint["ServiceName"], endpoint["VpcEndpointType"]) == (SERVICE, "Interface")
    assert endpoint["SubnetIds"] == ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
    assert endpoint["PrivateDnsEnabled"] is False
    assert len(endpoint["SecurityGroupIds"]) == 1


def test_only_the_function_reaches_the_endpoint(stack: cdk.Stack, make_check: CheckFactory) -> None:
    """Each port is open from one group to the other, and nothing else but DNS."""
    make_check(ports=[5432, 5433])

    into = properties(stack, "AWS::EC2::SecurityGroupIngress")
    out = properties(stack, "AWS::EC2::SecurityGroupEgress")
    groups = {each["GroupDescription"]: each for each in properties(stack, "AWS::EC2::SecurityGroup")}

    assert [each["FromPort"] for each in into] == [each["FromPort"] for each in out] == [5432, 5433]
    assert all("CidrIp" not in each for each in (*into, *out))
    function = groups["Function of a Postgres connectivity check"]
    assert [(each["IpProtocol"], each["FromPort"]) for each in function["SecurityGroupEgress"]] == [
        ("udp", 53),
        ("tcp", 53),
    ]
    assert "SecurityGroupIngress" not in groups["Endpoint of a Postgres connectivity check"]


def test_the_function_knows_what_to_check(stack: cdk.Stack, make_check: CheckFactory) -> None:
    """It connects to the endpoint's name for the Region, and runs where the endpoint is."""
    make_check(ports=[5432, 5433], tls_required=True)

    (function,) = properties(stack, FUNCTION)

    variables = function["Environment"]["Variables"]
    assert "DnsEntries" in json.dumps(variables.pop("HOST"))
    assert variables == {
        "CHECK": "StackCheck" + variables["CHECK"].removeprefix("StackCheck"),
        "PORTS": "5432 5433",
        "TIMEOUT_SECONDS": "5",
        "TLS_REQUIRED": "true",
    }
    assert function["VpcConfig"]["SubnetIds"] == ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]


def test_the_function_may_write_its_log_and_nothing_else(stack: cdk.Stack, make_check: CheckFactory) -> None:
    """Metrics travel in the log; what AWS Lambda needs for the VPC is barred to the function's own code."""
    make_check()

    (policy,) = properties(stack, "AWS::IAM::ManagedPolicy")

    own = [each for each in policy["PolicyDocument"]["Statement"] if "Condition" not in each]
    assert [each["Action"] for each in own] == [["logs:CreateLogStream", "logs:PutLogEvents"]]
    others = [each for each in policy["PolicyDocument"]["Statement"] if "Condition" in each]
    assert all(each["Condition"] == {"Null": {"lambda:SourceFunctionArn": "true"}} for each in others)
    ((function_id, function),) = Template.from_stack(stack).find_resources(FUNCTION).items()
    assert function_id
    assert any("RolePolicy" in each for each in function["DependsOn"])


@pytest.mark.parametrize(
    ("interval", "rate"),
    [(None, "rate(5 minutes)"), (1, "rate(1 minute)"), (60, "rate(60 minutes)")],
)
def test_the_schedule(interval: int | None, rate: str, stack: cdk.Stack, make_check: CheckFactory) -> None:
    """EventBridge calls it at the interval, and does not repeat what came too late."""
    make_check(interval=None if interval is None else cdk.Duration.minutes(interval))

    (rule,) = properties(stack, "AWS::Events::Rule")

    assert rule["ScheduleExpression"] == rate
    assert rule["Targets"][0]["RetryPolicy"]["MaximumRetryAttempts"] == 0
    Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::Permission", {"Principal": "events.amazonaws.com", "SourceArn": Match.any_value()}
    )


def test_each_port_has_an_alarm(stack: cdk.Stack, make_check: CheckFactory) -> None:
    """What fails and what does not run both send no latency, so missing data is breaching."""
    topic = sns.Topic.from_topic_arn(stack, "Topic", "arn:aws:sns:eu-central-1:111122223333:operators")
    check = make_check(ports=[5432, 5433], alarm_actions=[topic])

    alarms = properties(stack, ALARM)

    assert [{each["Name"]: each["Value"] for each in alarm["Dimensions"]} for alarm in alarms] == [
        {"Check": check.check_name, "Port": port} for port in ("5432", "5433")
    ]
    for alarm in alarms:
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Statistic"]) == (
            "PgPrivateLink",
            "Latency",
            "SampleCount",
        )
        assert (alarm["Period"], alarm["EvaluationPeriods"], alarm["Threshold"]) == (300, 3, 1)
        assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == ("LessThanThreshold", "breaching")
        assert alarm["AlarmActions"] == [topic.topic_arn]
    assert set(check.alarms) == {5432, 5433}


def test_alarms_can_be_left_out(stack: cdk.Stack, make_check: CheckFactory) -> None:
    """Without them there is nobody to tell either."""
    assert make_check(alarms=False).alarms == {}

    Template.from_stack(stack).resource_count_is(ALARM, 0)


def test_metrics(make_check: CheckFactory) -> None:
    """Their names and dimensions are those of the function's log lines; see also `tests/test_contract.py`."""
    check = make_check()

    both = {"Check": check.check_name, "Port": "5432"}
    assert (check.metric_latency().metric_name, check.metric_latency().dimensions) == ("Latency", both)
    assert check.metric_failures().dimensions == both
    assert check.metric_failures(failure="timeout").dimensions == both | {"Failure": "timeout"}
    assert check.metric_unencrypted().metric_name == "Unencrypted"
    with pytest.raises(PostgresEndpointServiceError, match=r"port 5433 is not checked, .* checked are 5432"):
        check.metric_latency(port=5433)


def test_a_key_is_used_and_may_be_used(stack: cdk.Stack, make_check: CheckFactory) -> None:
    """Environment and log group are encrypted with it, and the key's policy lets CloudWatch Logs do so."""
    key = kms.Key(stack, "Key")
    make_check(encryption_key=key)

    arn = stack.resolve(key.key_arn)
    (function,) = properties(stack, FUNCTION)
    (group,) = properties(stack, "AWS::Logs::LogGroup")
    (made,) = properties(stack, "AWS::KMS::Key")
    assert (function["KmsKeyArn"], group["KmsKeyId"]) == (arn, arn)
    assert "logs.eu-central-1.amazonaws.com" in json.dumps(made["KeyPolicy"])


def test_a_service_of_the_same_stack(stack: cdk.Stack, make_check: CheckFactory) -> None:
    """Its name is a token, which passes."""
    check = make_check(endpoint_service_name=cdk.Fn.join(".", ["com", cdk.Aws.REGION]))

    assert check.ports == (5432,)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"endpoint_service_name": "vpce-svc-1"}, "must look like com.amazonaws.vpce"),
        ({"ports": []}, "no port is given to check"),
        ({"ports": [5432, 5432]}, "port 5432 is given twice"),
        ({"ports": [0]}, "port must be"),
        ({"ports": list(range(6000, 6051))}, "51 ports are to be checked"),
        ({"interval": cdk.Duration.seconds(90)}, "whole minutes from 1 to 60, got 1.5"),
        ({"interval": cdk.Duration.hours(2)}, "whole minutes from 1 to 60, got 120"),
    ],
)
def test_mistakes(changes: dict[str, object], message: str, make_check: CheckFactory) -> None:
    """Each says what was given and what is allowed."""
    with pytest.raises(PostgresEndpointServiceError, match=message):
        make_check(**changes)


def test_topics_without_alarms_are_refused(stack: cdk.Stack, make_check: CheckFactory) -> None:
    """Who names a topic expects to hear from it."""
    topic = sns.Topic(stack, "Topic")

    with pytest.raises(PostgresEndpointServiceError, match="there are none"):
        make_check(alarms=False, alarm_actions=[topic])


def test_public_subnets_are_refused(stack: cdk.Stack) -> None:
    """The consumer's clients would not be in one either."""
    vpc = ec2.Vpc(stack, "Other", max_azs=2)

    with pytest.raises(PostgresEndpointServiceError, match="has a public subnet"):
        PostgresConnectivityCheck(
            stack,
            "Check",
            vpc=vpc,
            endpoint_service_name=SERVICE,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
        )


def test_descriptions_fit(stack: cdk.Stack, make_check: CheckFactory) -> None:
    """CloudWatch takes 1,024 characters."""
    make_check()

    (alarm,) = properties(stack, ALARM)

    assert 200 < len(alarm["AlarmDescription"]) < 1024

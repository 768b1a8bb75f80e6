"""Alarms: which tier has which, what each does without data, and whom it tells."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template

from constructs_pg import AlarmTier, FlowLogs, PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    ServiceFactory = Callable[..., PostgresEndpointService]

ALARM, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
TOPIC = "arn:aws:sns:eu-central-1:111122223333:operators"
WAITS = "ConnectionWaits"
BASIC = {
    "NoHealthyTargetmain": ("HealthyHostCount", "LessThanThreshold", 3, "breaching"),
    "FunctionFails": ("Errors", "GreaterThanOrEqualToThreshold", 5, "notBreaching"),
    "FunctionSilent": ("Invocations", "LessThanThreshold", 5, "breaching"),
}
_LEAST = "GreaterThanOrEqualToThreshold"
FULL = BASIC | {
    "FailOpen": ("UnhealthyRoutingFlowCount", _LEAST, 1, "notBreaching"),
    "BlockedInbound": ("SecurityGroupBlockedFlowCount_Inbound_TCP", _LEAST, 1, "notBreaching"),
    "BlockedOutbound": ("SecurityGroupBlockedFlowCount_Outbound_TCP", _LEAST, 1, "notBreaching"),
    "PortAllocationErrors": ("PortAllocationErrorCount", _LEAST, 1, "notBreaching"),
    "SlowFollow": ("FollowSeconds", _LEAST, 1, "notBreaching"),
}


def of_type(stack: cdk.Stack, kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of the service's resources of a type by their ids, without the scope and the hash."""
    found = Template.from_stack(stack).find_resources(kind)
    return {
        re.sub(r"^Orders(Alarms|Connections)|[0-9A-F]{8}$", "", logical_id): each["Properties"]
        for logical_id, each in found.items()
    }


def judged(alarm: dict[str, Any]) -> tuple[str, str, int, str]:
    """Return what an alarm looks at and how."""
    assert "Metrics" not in alarm, "metric math costs an alarm for each metric"
    return (alarm["MetricName"], alarm["ComparisonOperator"], alarm["EvaluationPeriods"], alarm["TreatMissingData"])


@pytest.mark.parametrize(("tier", "expected"), [(AlarmTier.NONE, {}), (AlarmTier.BASIC, BASIC), (AlarmTier.FULL, FULL)])
def test_tiers(tier: AlarmTier, expected: dict[str, Any], stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Each tier has exactly these alarms, and each says what it makes of missing data."""
    make_service(alarms=tier)

    alarms = of_type(stack, ALARM)

    # The alarm of waiting connections goes with the notifications.
    assert {name: judged(alarm) for name, alarm in alarms.items() if name != WAITS} == expected
    assert set(of_type(stack, COMPOSITE)) == ({"PathBroken"} if tier is AlarmTier.FULL else set())


def test_basic_is_the_default(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Nobody has to ask for the alarms that matter, and nobody is told unless asked for."""
    make_service()

    alarms = of_type(stack, ALARM)

    assert set(alarms) - {WAITS} == set(BASIC)
    assert not any("AlarmActions" in alarm for alarm in alarms.values())


def test_descriptions_say_what_to_do(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """The message that wakes somebody is a place to begin, within the 1,024 characters that CloudWatch takes."""
    make_service(alarms=AlarmTier.FULL)

    for name, alarm in {**of_type(stack, ALARM), **of_type(stack, COMPOSITE)}.items():
        if name != WAITS:
            assert 80 < len(alarm["AlarmDescription"]) < 1024, name


def test_a_service_without_a_function_has_no_alarms_of_one(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Fixed addresses need no function, so nothing can be silent."""
    make_service(listeners={"main": PostgresTarget.from_ip_addresses(["10.0.9.9"])}, alarms=AlarmTier.FULL)

    assert set(of_type(stack, ALARM)) - {WAITS} == set(FULL) - {"FunctionFails", "FunctionSilent", "SlowFollow"}
    Template.from_stack(stack).resource_count_is("AWS::Logs::MetricFilter", 0)


def test_alarms_wait_for_what_they_watch(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """A first deployment alarms nobody: targets are registered and the function has run before the alarms exist."""
    service = make_service()
    service.add_listener("fixed", port=5433, target=PostgresTarget.from_ip_addresses(["10.0.9.9"]))

    alarms = Template.from_stack(stack).find_resources(ALARM)
    after = {
        logical_id: [each for each in alarm.get("DependsOn", []) if "TargetSyncTargets" in each]
        for logical_id, alarm in alarms.items()
    }

    waiting = {logical_id for logical_id, found in after.items() if found}
    assert sorted(re.sub(r"^OrdersAlarms|[0-9A-F]{8}$", "", each) for each in waiting) == [
        "FunctionSilent",
        "NoHealthyTargetmain",
    ]


def test_topics_are_told_by_every_alarm(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """`alarm_actions` is all that is needed to be told, waiting connections and the composite alarm included."""
    make_service(alarms=AlarmTier.FULL, alarm_actions=[sns.Topic.from_topic_arn(stack, "Operators", TOPIC)])

    alarms = {**of_type(stack, ALARM), **of_type(stack, COMPOSITE)}
    assert set(alarms) == {*FULL, "PathBroken", WAITS}
    assert [alarm["AlarmActions"] for alarm in alarms.values()] == [[TOPIC]] * len(alarms)


def test_topics_without_alarms_are_refused(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Who names a topic expects to hear from it."""
    topic = sns.Topic.from_topic_arn(stack, "Operators", TOPIC)

    with pytest.raises(PostgresEndpointServiceError, match="there are none: choose a tier"):
        make_service(alarms=AlarmTier.NONE, alarm_actions=[topic])


def test_more_topics_than_an_alarm_takes_are_refused(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """CloudWatch would refuse the alarm in the middle of a deployment."""
    topics = [sns.Topic.from_topic_arn(stack, f"Operators{n}", f"{TOPIC}{n}") for n in range(6)]

    with pytest.raises(PostgresEndpointServiceError, match="6 topics, and an alarm takes at most 5"):
        make_service(alarm_actions=topics)


def test_the_path_is_broken_if_any_hop_is(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """The composite alarm stands for what stops connections, not for what only could."""
    make_service(alarms=AlarmTier.FULL)

    rule = json.dumps(of_type(stack, COMPOSITE)["PathBroken"]["AlarmRule"])

    named = re.findall(r"OrdersAlarms(\w+?)[0-9A-F]{8}", rule)
    assert named == ["BlockedInbound", "BlockedOutbound", "PortAllocationErrors", "NoHealthyTargetmain"]


def test_fifty_listeners_fit_the_rule(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """A rule has 10,240 characters at most: with alarms' names as long as they get, what is beyond 30 moves below."""
    service = make_service(alarms=AlarmTier.FULL, listeners={})
    for number in range(50):
        target = PostgresTarget.from_ip_addresses([f"10.0.9.{number}"])
        service.add_listener(f"listener{number}", port=5432 + number, target=target)

    rules = {name: json.dumps(each["AlarmRule"]) for name, each in of_type(stack, COMPOSITE).items()}

    named = {name: re.findall(r'"Ref": "(\w+)"', rule) for name, rule in rules.items()}
    assert {name: len(each) for name, each in named.items()} == {"PathBroken": 3 + 30 + 1, "MoreListeners": 20}
    for each in named.values():
        assert len(" OR ".join(f'ALARM("{"x" * 255}")' for _ in each)) < 10_240
    assert sum("NoHealthyTarget" in name for each in named.values() for name in each) == 50


def test_all_of_it_fits_a_stack_of_fifty_listeners(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """What is opted in adds a dozen resources, however many listeners there are, besides an alarm for each."""
    service = make_service(
        alarms=AlarmTier.FULL, dashboard=True, flow_logs=FlowLogs.to_cloud_watch_logs(), listeners={}
    )
    names = [f"listener{number}" for number in range(50)]
    for number, name in enumerate(names):
        target = PostgresTarget.from_hostname(f"db{number}.example.com", allowed_ranges=["10.9.0.0/16"])
        service.add_listener(name, port=5432 + number, target=target)

    watching = ["Alarms", "Dashboard", "FlowLogs"]
    resources = Template.from_stack(stack).to_json()["Resources"]
    ours = [each for each in resources if re.match(rf"Orders({'|'.join(watching)})", each)]
    assert len(ours) - len(names) <= 20
    assert len(json.dumps(resources)) < 1_000_000


def test_follow_seconds_are_of_one_service(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """A metric filter cannot name the service in a dimension, so its namespace does; filter and alarm agree."""
    make_service(alarms=AlarmTier.FULL)

    (filtered,) = of_type(stack, "AWS::Logs::MetricFilter").values()
    alarm = of_type(stack, ALARM)["SlowFollow"]

    (transformation,) = filtered["MetricTransformations"]
    assert transformation["MetricValue"] == "$.seconds"
    assert "StackOrders" in transformation["MetricNamespace"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (
        transformation["MetricNamespace"],
        transformation["MetricName"],
    )


def test_alarms_can_be_taken_further(make_service: ServiceFactory) -> None:
    """A listener's alarm is found by the listener's name; what is not there is None."""
    service = make_service()

    assert service.alarms.no_healthy_target("main") in service.alarms.metric_alarms
    assert service.alarms.no_healthy_target("other") is None
    assert service.alarms.path_broken is None

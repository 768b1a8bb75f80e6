"""The control: faults, timing, events and the journal of calls."""

import json
import time
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from emulator.control import Control, ControlError
from emulator.running import Emulator
from tests.emulator.world import Account


@pytest.fixture
def aws(extended: Emulator) -> Account:
    """A new account."""
    return Account(extended, patience=10.0)


@pytest.fixture
def control(extended: Emulator) -> Iterator[Control]:
    """The control, with settings put back and faults forgotten afterwards."""
    settings = extended.control.settings()
    yield extended.control
    extended.control.clear_faults()
    extended.control.set(**settings)


def _errors(aws: Account, group: str, times: int) -> list[str | None]:
    codes: list[str | None] = []
    for _ in range(times):
        try:
            aws.register(group, {"Id": "10.0.0.5"})
            codes.append(None)
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])
    return codes


def test_calls_fail_as_often_as_asked(aws: Account, control: Control) -> None:
    """Given a fault for two calls on one group, two calls on it fail, the third and other groups succeed."""
    network = aws.network()
    group, other = aws.target_group(network), aws.target_group(network)
    control.fail("elbv2", "RegisterTargets", times=2, resource=group)
    assert _errors(aws, other, 1) == [None]
    assert _errors(aws, group, 3) == ["ThrottlingException", "ThrottlingException", None]


def test_faults_are_forgotten_on_request(aws: Account, control: Control) -> None:
    """Given a fault that is not used up, clearing faults ends it."""
    group = aws.target_group(aws.network())
    control.fail("elbv2", "RegisterTargets", times=5, code="InternalFailure", message="broken")
    assert _errors(aws, group, 1) == ["InternalFailure"]
    control.clear_faults()
    assert _errors(aws, group, 1) == [None]


def test_cloudformation_is_not_hit_by_faults(aws: Account, control: Control) -> None:
    """CloudFormation has its own share of the API's capacity on AWS: a deployment does not meet the faults."""
    vpc = aws.network().vpc
    control.fail("elbv2", "CreateTargetGroup", times=1)
    properties = {"Protocol": "TCP", "Port": 5432, "TargetType": "ip", "VpcId": vpc}
    aws.deploy({"Group": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": properties}})


def test_registration_takes_as_long_as_asked(aws: Account, control: Control) -> None:
    """Given a slow registration, a target stays `initial` with registration in progress until it is over."""
    control.set(registration_seconds=2.0)
    group = aws.used_target_group(aws.network())
    aws.register(group, {"Id": "10.0.0.5"})
    assert aws.health(group) == {("10.0.0.5", 5432): ("initial", "Elb.RegistrationInProgress")}
    aws.eventually(lambda: aws.health(group) == {("10.0.0.5", 5432): ("healthy", None)})


def test_first_check_need_not_be_enough(aws: Account, control: Control) -> None:
    """Given thresholds that count for new targets too, a target is `initial` until it passed that many checks."""
    control.set(healthy_on_first_check=False, health_check_interval_scale=0.2)
    group = aws.used_target_group(aws.network(), HealthCheckIntervalSeconds=5, HealthyThresholdCount=3)
    aws.register(group, {"Id": "10.0.0.5"})
    assert aws.health(group) == {("10.0.0.5", 5432): ("initial", "Elb.InitialHealthChecking")}
    aws.eventually(lambda: aws.health(group) == {("10.0.0.5", 5432): ("healthy", None)})


def test_any_event_of_a_service_can_be_published(aws: Account, control: Control) -> None:
    """Given a rule of an account, an event published for that account reaches its target as AWS would send it."""
    queue, events = aws.queue(), aws.client("events")
    events.put_rule(Name="proxy", EventPattern=json.dumps({"source": ["aws.rds"], "detail": {"EventID": ["X"]}}))
    events.put_targets(Rule="proxy", Targets=[{"Id": "queue", "Arn": aws.queue_arn(queue)}])
    stranger = aws.another()
    for account, message in ((stranger.id, "theirs"), (aws.id, "ours")):
        detail = {"EventID": "X", "Message": message}
        control.publish("RDS DB Proxy Event", ["arn"], detail, account=account, region="us-east-1")
    received: list[dict[str, object]] = []

    def arrived() -> bool:
        received.extend(aws.received(queue))
        return bool(received)

    aws.eventually(arrived)
    assert [(event["source"], event["detail-type"], event["detail"]) for event in received] == [
        ("aws.rds", "RDS DB Proxy Event", {"EventID": "X", "Message": "ours"})
    ]


def test_journal_tells_who_called_what(aws: Account, control: Control) -> None:
    """The journal has the calls of every account with their parameters and the faults they got."""
    group = aws.target_group(aws.network())
    before = time.time()
    control.fail("elbv2", "RegisterTargets", resource=group)
    _errors(aws, group, 2)
    calls = [call for call in control.calls("elbv2", "RegisterTargets") if call["account"] == aws.id]
    assert [call["error"] for call in calls] == ["ThrottlingException", None]
    assert [call["parameters"]["TargetGroupArn"] for call in calls] == [group, group]
    assert all(call["time"] >= before for call in calls)


def _roles(aws: Account, cluster: str) -> dict[str, bool]:
    """Return what RDS says about a cluster's members: whether each is the writer."""
    (described,) = aws.client("rds").describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"]
    return {member["DBInstanceIdentifier"]: member["IsClusterWriter"] for member in described["DBClusterMembers"]}


def test_members_of_a_cluster_come_go_and_change_roles(aws: Account, control: Control) -> None:
    """A cluster is defined with members; one joins, the writer is switched and deleted; RDS's API tells each step."""
    made = control.define_cluster("orders", members=["first", "second"], account=aws.id, port=6432)
    (described,) = aws.client("rds").describe_db_clusters(DBClusterIdentifier="orders")["DBClusters"]
    assert (made["endpoint"], made["reader_endpoint"]) == (described["Endpoint"], described["ReaderEndpoint"])
    assert (made["arn"], described["Port"]) == (described["DBClusterArn"], 6432)
    assert _roles(aws, "orders") == {"first": True, "second": False}
    joined = control.add_member("orders", "third", account=aws.id)
    (third,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier="third")["DBInstances"]
    assert (third["Endpoint"]["Address"], third["Endpoint"]["Port"]) == (joined["members"]["third"], 6432)
    assert control.switch_writer("orders", "third", account=aws.id)["writer"] == "third"
    assert _roles(aws, "orders") == {"first": False, "second": False, "third": True}
    left = control.remove_member("orders", "third", account=aws.id)
    assert (left["writer"], sorted(left["members"])) == ("first", ["first", "second"])
    assert _roles(aws, "orders") == {"first": True, "second": False}


def test_changes_of_a_cluster_are_announced_unless_told_otherwise(aws: Account, control: Control) -> None:
    """RDS's events of a change of members and roles are published by default, and none if asked for."""
    queue, events = aws.queue(), aws.client("events")
    events.put_rule(Name="rds", EventPattern=json.dumps({"source": ["aws.rds"]}))
    events.put_targets(Rule="rds", Targets=[{"Id": "queue", "Arn": aws.queue_arn(queue)}])
    control.define_cluster("orders", members=["first"], account=aws.id)
    control.add_member("orders", "quiet", account=aws.id, announce=False)
    control.switch_writer("orders", "quiet", account=aws.id, announce=False)
    control.remove_member("orders", "quiet", account=aws.id, announce=False)
    control.add_member("orders", "second", account=aws.id)
    control.switch_writer("orders", "second", account=aws.id)
    control.remove_member("orders", "second", account=aws.id)
    received: list[dict[str, object]] = []
    expected = [
        ("RDS-EVENT-0005", "second"),
        ("RDS-EVENT-0385", "first"),
        ("RDS-EVENT-0385", "second"),
        ("RDS-EVENT-0071", "orders"),
        ("RDS-EVENT-0385", "first"),
        ("RDS-EVENT-0385", "second"),
        ("RDS-EVENT-0003", "second"),
        ("RDS-EVENT-0385", "first"),
    ]

    def arrived() -> bool:
        received.extend(event["detail"] for event in aws.received(queue))
        return len(received) >= len(expected)

    aws.eventually(arrived)
    assert sorted((str(detail["EventID"]), str(detail["SourceIdentifier"])) for detail in received) == sorted(expected)


def test_unknown_clusters_and_members_are_refused(aws: Account, control: Control) -> None:
    """The control names the cluster or member it does not know."""
    with pytest.raises(ControlError, match="no DB cluster 'orders'"):
        control.add_member("orders", "first", account=aws.id)
    control.define_cluster("orders", members=["first"], account=aws.id)
    with pytest.raises(ControlError, match="'second' is no member of orders"):
        control.switch_writer("orders", "second", account=aws.id)
    with pytest.raises(ControlError, match="'first' exists already"):
        control.add_member("orders", "first", account=aws.id)
    with pytest.raises(ControlError, match="DBClusterAlreadyExistsFault"):
        control.define_cluster("orders", account=aws.id)


def test_unknown_setting_is_refused(control: Control) -> None:
    """A misspelt setting is an error, not silence."""
    with pytest.raises(ControlError, match="registration_secs"):
        control.set(registration_secs=1)

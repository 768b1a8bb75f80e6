"""The calls of Elastic Load Balancing, checked against its own model."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.stub import Stubber

from target_sync import registry as aws
from target_sync.listener import Listener
from target_sync.registry import Registry
from target_sync.settings import Settings, SettingsError
from target_sync.target import Endpoint, Target
from tests.function.fakes import LOAD_BALANCER, VPC, aws_error, group_arn

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIN = group_arn("main")
TAGS = {
    "pg-privatelink:listener": "main",
    "pg-privatelink:hostname": "Orders.example.com.",
    "pg-privatelink:port": "6432",
    "pg-privatelink:ranges": "10.0.0.0/16 192.168.0.0/24",
    "pg-privatelink:nameservers": "10.0.0.2 10.0.0.3:5353 fd00::2",
    "pg-privatelink:followed": "orders.example.com:6432",
    "other": "tag",
}
LISTENER = Listener("main", MAIN, "orders.example.com", 6432, (ipaddress.IPv4Network("0.0.0.0/0"),), (VPC,))


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Registry, Stubber]]:
    """A registry whose client checks parameters, and expects all calls that a test announces."""
    client = boto3.client("elbv2", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield Registry(client, Settings(LOAD_BALANCER, (VPC,), 5.0)), stubber
        stubber.assert_no_pending_responses()


def described(arn: str, tags: dict[str, str]) -> dict[str, object]:
    """One entry of DescribeTags."""
    return {"ResourceArn": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def test_listeners_come_from_tags_in_batches(stub: tuple[Registry, Stubber]) -> None:
    """Two pages of target groups, tags of at most 20 at once; groups of others are left out, broken ones reported."""
    registry, stubber = stub
    arns = [group_arn(f"group{number}") for number in range(25)]
    groups = [{"TargetGroupArn": arn, "TargetType": "ip"} for arn in arns]
    stubber.add_response(
        "describe_target_groups",
        {
            "TargetGroups": [*groups[:13], {"TargetGroupArn": group_arn("web"), "TargetType": "instance"}],
            "NextMarker": "m",
        },
        {"LoadBalancerArn": LOAD_BALANCER},
    )
    stubber.add_response(
        "describe_target_groups", {"TargetGroups": groups[13:]}, {"LoadBalancerArn": LOAD_BALANCER, "Marker": "m"}
    )
    broken = TAGS | {"pg-privatelink:port": "many"}
    first = [
        described(arns[0], TAGS),
        described(arns[1], broken),
        *(described(arn, {"other": "tag"}) for arn in arns[2:20]),
    ]
    stubber.add_response("describe_tags", {"TagDescriptions": first}, {"ResourceArns": arns[:20]})
    second = [described(arn, TAGS) for arn in arns[20:]]
    stubber.add_response("describe_tags", {"TagDescriptions": second}, {"ResourceArns": arns[20:]})

    listeners, wrong = registry.listeners(0.0)

    assert [listener.target_group_arn for listener in listeners] == [arns[0], *arns[20:]]
    assert wrong == {arns[1]: "tag pg-privatelink:port of listener main is 'many'; give a port from 1 to 65535"}
    assert registry.calls == 4


def test_a_listener_is_what_its_tags_say(stub: tuple[Registry, Stubber]) -> None:
    """Names in lower case without the final dot, ranges, name servers with and without a port."""
    registry, stubber = stub
    stubber.add_response("describe_tags", {"TagDescriptions": [described(MAIN, TAGS)]}, {"ResourceArns": [MAIN]})

    listener = registry.listener(MAIN, 0.0)

    assert listener is not None
    assert (listener.name, listener.hostname, listener.port) == ("main", "orders.example.com", 6432)
    assert [str(network) for network in listener.ranges] == ["10.0.0.0/16", "192.168.0.0/24"]
    assert listener.nameservers == (("10.0.0.2", 53), ("10.0.0.3", 5353), ("fd00::2", 53))
    assert listener.already_followed


def test_tags_read_for_one_serve_the_others(stub: tuple[Registry, Stubber]) -> None:
    """Groups listed together are read together, and for two seconds that costs the others no call."""
    registry, stubber = stub
    other = group_arn("other")
    groups = [{"TargetGroupArn": arn, "TargetType": "ip"} for arn in (MAIN, other)]
    together = {"TagDescriptions": [described(MAIN, TAGS), described(other, TAGS | {"pg-privatelink:port": "1"})]}
    stubber.add_response("describe_target_groups", {"TargetGroups": groups}, {"LoadBalancerArn": LOAD_BALANCER})
    stubber.add_response("describe_tags", together, {"ResourceArns": [MAIN, other]})
    registry.listeners(0.0)
    stubber.add_response("describe_tags", together, {"ResourceArns": [MAIN, other]})

    assert not registry.knows(MAIN, 10.0)
    registry.listener(MAIN, 10.0)
    assert registry.knows(other, 12.0)
    assert not registry.knows(other, 12.1)
    found = registry.listener(other, 12.0)

    assert found is not None
    assert (found.target_group_arn, found.port) == (other, 1)
    assert registry.calls == 3


def test_a_group_that_is_gone_hides_no_other(stub: tuple[Registry, Stubber]) -> None:
    """DescribeTags fails for all if one does not exist: then each is read alone."""
    registry, stubber = stub
    gone = group_arn("gone")
    groups = [{"TargetGroupArn": arn, "TargetType": "ip"} for arn in (MAIN, gone)]
    together = {"TagDescriptions": [described(MAIN, TAGS), described(gone, TAGS)]}
    stubber.add_response("describe_target_groups", {"TargetGroups": groups}, {"LoadBalancerArn": LOAD_BALANCER})
    stubber.add_response("describe_tags", together, {"ResourceArns": [MAIN, gone]})
    registry.listeners(0.0)
    stubber.add_client_error("describe_tags", "TargetGroupNotFound")
    stubber.add_response("describe_tags", {"TagDescriptions": [described(MAIN, TAGS)]}, {"ResourceArns": [MAIN]})

    assert registry.listener(MAIN, 10.0) is not None
    for _ in ("together", "alone"):
        stubber.add_client_error("describe_tags", "TargetGroupNotFound")
    with pytest.raises(ClientError, match="TargetGroupNotFound"):
        registry.listener(gone, 10.0)


@pytest.mark.parametrize(
    ("tag", "value", "words"),
    [
        ("port", "", "pg-privatelink:port of listener main is ''"),
        ("port", "0", "from 1 to 65535"),
        ("port", "65536", "from 1 to 65535"),
        ("port", "²", "from 1 to 65535"),
        ("ranges", "", "pg-privatelink:ranges of listener main is empty"),
        ("ranges", "10.0.0.0/33", "pg-privatelink:ranges of listener main is '10.0.0.0/33'"),
        ("ranges", "10.0.0.1/16", "host bits set"),
        ("nameservers", "dns.example.com", "has 'dns.example.com'; give ip or ip:port"),
        ("nameservers", "10.0.0.2:dns", "has '10.0.0.2:dns'"),
    ],
)
def test_an_unusable_tag_says_what_is_wrong(tag: str, value: str, words: str) -> None:
    """Which tag of which listener, what it is, and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        Listener.from_tags(MAIN, TAGS | {f"pg-privatelink:{tag}": value}, (VPC,))

    assert words in str(caught.value)


def test_targets_are_read_with_state_and_zone(stub: tuple[Registry, Stubber]) -> None:
    """Every row, with what AWS says about it."""
    registry, stubber = stub
    rows = [
        {"Target": {"Id": "10.0.0.5", "Port": 6432}, "TargetHealth": {"State": "healthy"}},
        {
            "Target": {"Id": "192.168.0.5", "Port": 6432, "AvailabilityZone": "all"},
            "TargetHealth": {"State": "unused", "Reason": "Target.NotInUse", "Description": "not enabled"},
        },
    ]
    stubber.add_response("describe_target_health", {"TargetHealthDescriptions": rows}, {"TargetGroupArn": MAIN})

    assert registry.targets(MAIN) == (
        Target(Endpoint("10.0.0.5", 6432), "healthy"),
        Target(Endpoint("192.168.0.5", 6432), "unused", "Target.NotInUse", "not enabled", "all"),
    )


def test_zones_are_given_outside_the_vpc_only(stub: tuple[Registry, Stubber]) -> None:
    """AWS finds an inner address's zone itself and refuses "all" there; outside it has to be given, both times."""
    registry, stubber = stub
    inner, outer = Endpoint("10.0.0.5", 6432), Endpoint("192.168.0.5", 6432)
    descriptions = [
        {"Id": "10.0.0.5", "Port": 6432},
        {"Id": "192.168.0.5", "Port": 6432, "AvailabilityZone": "all"},
    ]
    stubber.add_response("register_targets", {}, {"TargetGroupArn": MAIN, "Targets": descriptions})
    stubber.add_response("deregister_targets", {}, {"TargetGroupArn": MAIN, "Targets": descriptions})

    registry.register(LISTENER, [inner, outer])
    registry.deregister(
        LISTENER, [Target(inner, "healthy", zone="eu-central-1a"), Target(outer, "healthy", zone="all")]
    )


def test_the_record_is_one_tag(stub: tuple[Registry, Stubber]) -> None:
    """No other tag is written: the role allows no other."""
    registry, stubber = stub
    tags = [{"Key": "pg-privatelink:followed", "Value": "orders.example.com:6432"}]
    stubber.add_response("add_tags", {}, {"ResourceArns": [MAIN], "Tags": tags})

    registry.record(LISTENER, "orders.example.com:6432")


def test_many_targets_go_in_batches(stub: tuple[Registry, Stubber]) -> None:
    """More than a call takes."""
    registry, stubber = stub
    many = [Endpoint(f"10.0.0.{number}", 6432) for number in range(101)]
    for part in (many[:100], many[100:]):
        targets = [{"Id": endpoint.address, "Port": endpoint.port} for endpoint in part]
        stubber.add_response("register_targets", {}, {"TargetGroupArn": MAIN, "Targets": targets})

    registry.register(LISTENER, many)


def test_errors_have_a_code() -> None:
    """AWS's own, or the kind of a failure to reach it."""
    assert aws.code(aws_error("AccessDenied")) == "AccessDenied"
    assert aws.code(ConnectTimeoutError(endpoint_url="https://example.com")) == "ConnectTimeoutError"


def test_the_client_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard retries, short time-outs, a connection for each of 50 listeners."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    config: Any = aws.client().meta.config  # its stubs lack the attributes

    assert config.retries == {"mode": "standard", "total_max_attempts": 4}
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (2, 5, 50)

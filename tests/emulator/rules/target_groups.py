"""Rules of target groups: health checks, attributes, deletion, tags."""

from tests.emulator.rule import rule
from tests.emulator.world import Account, refused

_GUIDE = "elasticloadbalancing/latest/network"
_API = "elasticloadbalancing/latest/APIReference"


@rule(f"{_GUIDE}/target-group-health-checks.html")
def tcp_groups_are_checked_over_tcp(aws: Account) -> None:
    """A TCP group is checked over TCP on the traffic port: every 30 s, timeout 10 s, 5 passes, 2 failures."""
    arn = aws.target_group(aws.network())
    group = aws.elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
    names = ("HealthCheckProtocol", "HealthCheckPort", "HealthCheckIntervalSeconds", "HealthCheckTimeoutSeconds")
    assert [group[name] for name in names] == ["TCP", "traffic-port", 30, 10]
    assert (group["HealthyThresholdCount"], group["UnhealthyThresholdCount"]) == (5, 2)
    assert "HealthCheckPath" not in group


@rule(f"{_API}/API_CreateTargetGroup.html")
def health_checks_have_limits(aws: Account) -> None:
    """Intervals are 5-300 s, timeouts 2-120 s, thresholds 2-10; anything else in a template fails the deployment."""
    vpc = aws.network().vpc
    for name, value in (
        ("HealthCheckIntervalSeconds", 4),
        ("HealthCheckIntervalSeconds", 301),
        ("HealthCheckTimeoutSeconds", 121),
        ("HealthyThresholdCount", 11),
        ("UnhealthyThresholdCount", 1),
    ):
        properties = {"Protocol": "TCP", "Port": 5432, "TargetType": "ip", "VpcId": vpc, name: value}
        group = {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": properties}
        assert name in aws.refused_stack({"Group": group})["Group"]


@rule(f"{_GUIDE}/edit-target-group-attributes.html")
def target_group_attributes_have_defaults(aws: Account) -> None:
    """Deregistration takes 300 s and ends no connection; client addresses are kept for instances, not for IPs."""
    network = aws.network()
    expected = {
        "deregistration_delay.timeout_seconds": "300",
        "deregistration_delay.connection_termination.enabled": "false",
        "target_health_state.unhealthy.connection_termination.enabled": "true",
        "proxy_protocol_v2.enabled": "false",
        "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    }
    for kind, kept in (("ip", "false"), ("instance", "true")):
        arn = aws.target_group(network, TargetType=kind)
        answer = aws.elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        values = {entry["Key"]: entry["Value"] for entry in answer}
        assert expected.items() <= values.items()
        assert values["preserve_client_ip.enabled"] == kept


@rule(f"{_API}/API_TargetGroupAttribute.html")
def unknown_attribute_is_refused(aws: Account) -> None:
    """Attributes of an Application Load Balancer's groups are refused, and so are delays above 3600 s."""
    arn = aws.target_group(aws.network())
    with refused("InvalidConfigurationRequest"):
        aws.elb.modify_target_group_attributes(
            TargetGroupArn=arn, Attributes=[{"Key": "slow_start.duration_seconds", "Value": "30"}]
        )
    with refused("ValidationError"):
        aws.delay(arn, 3601)


@rule(f"{_API}/API_DeleteTargetGroup.html")
def used_target_group_is_not_deleted(aws: Account) -> None:
    """A target group that a listener forwards to is not deleted."""
    arn = aws.used_target_group(aws.network())
    with refused("ResourceInUse"):
        aws.elb.delete_target_group(TargetGroupArn=arn)


@rule(f"{_API}/API_DescribeTargetGroups.html")
def groups_of_a_load_balancer_are_those_of_its_listeners(aws: Account) -> None:
    """A load balancer's target groups are those its listeners forward to now; an unknown one is an error."""
    network = aws.network()
    arn, first, second = aws.load_balancer(network), aws.target_group(network), aws.target_group(network)
    listener = aws.listener(arn, first)
    aws.elb.modify_listener(ListenerArn=listener, DefaultActions=[{"Type": "forward", "TargetGroupArn": second}])
    groups = aws.elb.describe_target_groups(LoadBalancerArn=arn)["TargetGroups"]
    assert [group["TargetGroupArn"] for group in groups] == [second]
    aws.elb.delete_load_balancer(LoadBalancerArn=arn)
    with refused("LoadBalancerNotFound"):
        aws.elb.describe_target_groups(LoadBalancerArn=arn)


@rule(f"{_API}/API_DescribeTags.html")
def tags_of_at_most_20_resources_are_described_at_once(aws: Account) -> None:
    """DescribeTags takes at most 20 resources in one call."""
    network = aws.network()
    arns = [aws.target_group(network) for _ in range(21)]
    assert len(aws.elb.describe_tags(ResourceArns=arns[:20])["TagDescriptions"]) == 20
    with refused("ValidationError"):
        aws.elb.describe_tags(ResourceArns=arns)


@rule(f"{_API}/API_Tag.html")
def tags_are_letters_digits_and_some_signs(aws: Account) -> None:
    """A tag's value has at most 256 letters, digits, spaces and + - = . _ : / @ signs."""
    arn = aws.target_group(aws.network())
    aws.elb.add_tags(ResourceArns=[arn], Tags=[{"Key": "pg:hostname", "Value": "a-b.c_d:5432/e@f +g=h"}])
    for value in ("a,b", "a" * 257):
        with refused("ValidationError"):
            aws.elb.add_tags(ResourceArns=[arn], Tags=[{"Key": "pg:hostname", "Value": value}])

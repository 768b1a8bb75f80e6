"""Rules of Network Load Balancers and their listeners."""

from tests.emulator.rule import rule
from tests.emulator.world import ZONES, Account, refused

_GUIDE = "elasticloadbalancing/latest/network"
_API = "elasticloadbalancing/latest/APIReference"
_ENFORCEMENT = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"


def _described(aws: Account, arn: str) -> dict[str, object]:
    answer: dict[str, object] = aws.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
    return answer


@rule(f"{_API}/API_CreateLoadBalancer.html")
def network_load_balancer_is_named_net(aws: Account) -> None:
    """A Network Load Balancer's ARN has `net/`, its DNS name ends in `.elb.<region>.amazonaws.com`.

    CloudWatch's dimensions are the end of that ARN.
    """
    arn = aws.load_balancer(aws.network())
    described = _described(aws, arn)
    assert f":{aws.id}:loadbalancer/net/{described['LoadBalancerName']}/" in arn
    assert str(described["DNSName"]).endswith(".elb.us-east-1.amazonaws.com")


@rule(f"{_API}/API_CreateTargetGroup.html")
def names_are_short_and_plain(aws: Account) -> None:
    """Names of load balancers and target groups are at most 32 letters, digits and hyphens, with none at the ends."""
    network = aws.network()
    for name in ("a" * 33, "under_score", "-a", "a-"):
        with refused("ValidationError"):
            aws.load_balancer(network, Name=name)
        with refused("ValidationError"):
            aws.target_group(network, Name=name)
    with refused("ValidationError"):
        aws.load_balancer(network, Name="internal-a")
    assert f"/net/{'a' * 32}/" in aws.load_balancer(network, Name="a" * 32)


@rule(f"{_API}/API_LoadBalancer.html")
def load_balancer_is_where_its_subnets_are(aws: Account) -> None:
    """VPC and zones of a load balancer are those of its subnets; two subnets of one zone are refused."""
    network = aws.network(zones=ZONES[1:])
    described = _described(aws, aws.load_balancer(network))
    assert described["VpcId"] == network.vpc
    zones = described["AvailabilityZones"]
    assert isinstance(zones, list)
    assert [(zone["ZoneName"], zone["SubnetId"]) for zone in zones] == list(
        zip(ZONES[1:], network.subnets, strict=True)
    )
    twin = aws.subnet(network.vpc, "10.0.8.0/24", ZONES[1])
    with refused("InvalidConfigurationRequest"):
        aws.load_balancer(network, Subnets=[network.subnets[0], twin])


@rule(f"{_API}/API_SubnetMapping.html")
def pinned_addresses_are_kept(aws: Account) -> None:
    """`SubnetMappings` place a load balancer like `Subnets` do and may pin its private address in each zone."""
    network = aws.network()
    pins = ["10.0.0.10", "10.0.1.10"]
    mappings = [
        {"SubnetId": subnet, "PrivateIPv4Address": pin} for subnet, pin in zip(network.subnets, pins, strict=True)
    ]
    described = _described(aws, aws.load_balancer(network, SubnetMappings=mappings))
    zones = described["AvailabilityZones"]
    assert isinstance(zones, list)
    assert [zone["LoadBalancerAddresses"][0]["PrivateIPv4Address"] for zone in zones] == pins


@rule(f"{_API}/API_SubnetMapping.html")
def pinned_addresses_are_the_subnets_and_private(aws: Account) -> None:
    """A pinned private address is one of its subnet, and the load balancer is internal."""
    network = aws.network()
    for pin, scheme in (("10.9.0.10", "internal"), ("10.0.0.10", "internet-facing")):
        mapping = {"SubnetId": network.subnets[0], "PrivateIPv4Address": pin}
        with refused("InvalidConfigurationRequest"):
            aws.load_balancer(network, SubnetMappings=[mapping], Scheme=scheme)


@rule(f"{_API}/API_SetSubnets.html")
def zone_that_stays_keeps_subnet_and_address(aws: Account) -> None:
    """Zones are added with a pinned address or removed; an enabled one keeps its subnet and its address."""
    network = aws.network(zones=ZONES)
    first, second, third = network.subnets
    twin = aws.subnet(network.vpc, "10.0.8.0/24", ZONES[0])
    pinned = {"SubnetId": first, "PrivateIPv4Address": "10.0.0.10"}
    arn = aws.load_balancer(network, SubnetMappings=[pinned, {"SubnetId": second}])

    def change(*mappings: dict[str, str]) -> None:
        aws.elb.set_subnets(LoadBalancerArn=arn, SubnetMappings=list(mappings))

    for mapping in ({**pinned, "PrivateIPv4Address": "10.0.0.11"}, {"SubnetId": first}, {"SubnetId": twin}):
        with refused("InvalidConfigurationRequest"):
            change(mapping, {"SubnetId": second})
    with refused("InvalidConfigurationRequest"):
        change(pinned, {"SubnetId": second, "PrivateIPv4Address": "10.0.1.10"})
    change(pinned, {"SubnetId": third, "PrivateIPv4Address": "10.0.2.10"})
    zones = _described(aws, arn)["AvailabilityZones"]
    assert isinstance(zones, list)
    assert {zone["ZoneName"]: zone["LoadBalancerAddresses"][0]["PrivateIPv4Address"] for zone in zones} == {
        ZONES[0]: "10.0.0.10",
        ZONES[2]: "10.0.2.10",
    }


@rule(f"{_GUIDE}/load-balancer-security-groups.html")
def enforcement_on_privatelink_traffic_is_kept(aws: Account) -> None:
    """With a security group, inbound rules bind PrivateLink traffic until they are told not to."""
    network = aws.network()
    group = aws.security_group(network)
    arn = aws.load_balancer(network, SecurityGroups=[group])
    assert _described(aws, arn)[_ENFORCEMENT] == "on"
    aws.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[group], **{_ENFORCEMENT: "off"})
    assert _described(aws, arn)[_ENFORCEMENT] == "off"


@rule(f"{_GUIDE}/load-balancer-security-groups.html")
def security_groups_are_decided_at_creation(aws: Account) -> None:
    """A load balancer created without a security group never gets one; one created with some keeps at least one."""
    network = aws.network()
    group = aws.security_group(network)
    with refused("InvalidConfigurationRequest"):
        aws.elb.set_security_groups(LoadBalancerArn=aws.load_balancer(network), SecurityGroups=[group])
    with refused("InvalidConfigurationRequest"):
        aws.elb.set_security_groups(
            LoadBalancerArn=aws.load_balancer(network, SecurityGroups=[group]), SecurityGroups=[]
        )


@rule(f"{_GUIDE}/network-load-balancers.html")
def load_balancer_attributes_have_defaults(aws: Account) -> None:
    """Cross-zone load balancing and deletion protection are off, DNS answers with every zone."""
    answer = aws.elb.describe_load_balancer_attributes(LoadBalancerArn=aws.load_balancer(aws.network()))
    values = {entry["Key"]: entry["Value"] for entry in answer["Attributes"]}
    assert values["load_balancing.cross_zone.enabled"] == "false"
    assert values["deletion_protection.enabled"] == "false"
    assert values["dns_record.client_routing_policy"] == "any_availability_zone"
    assert "idle_timeout.timeout_seconds" not in values


@rule(f"{_API}/API_DeleteLoadBalancer.html")
def protected_load_balancer_is_not_deleted(aws: Account) -> None:
    """A load balancer with deletion protection is not deleted until the protection is off."""
    arn = aws.load_balancer(aws.network())

    def protect(value: str) -> None:
        attribute = {"Key": "deletion_protection.enabled", "Value": value}
        aws.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])

    protect("true")
    with refused("OperationNotPermitted"):
        aws.elb.delete_load_balancer(LoadBalancerArn=arn)
    protect("false")
    aws.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert aws.elb.describe_load_balancers()["LoadBalancers"] == []


@rule(f"{_API}/API_DeleteLoadBalancer.html")
def load_balancer_of_a_service_is_not_deleted(aws: Account) -> None:
    """A load balancer that an endpoint service uses is not deleted."""
    arn = aws.load_balancer(aws.network())
    aws.service(arn)
    with refused("ResourceInUse"):
        aws.elb.delete_load_balancer(LoadBalancerArn=arn)


@rule(f"{_API}/API_DeleteLoadBalancer.html")
def listeners_go_with_their_load_balancer(aws: Account) -> None:
    """Deleting a load balancer deletes its listeners and leaves its target groups, which may then be deleted."""
    network = aws.network()
    group, arn = aws.target_group(network), aws.load_balancer(network)
    listener = aws.listener(arn, group)
    aws.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert aws.elb.describe_listeners(ListenerArns=[listener])["Listeners"] == []
    assert aws.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"] == []
    aws.elb.delete_target_group(TargetGroupArn=group)


@rule(f"{_API}/API_CreateListener.html")
def port_is_listened_on_once(aws: Account) -> None:
    """A load balancer has one listener per port, whether it is created there or moved there."""
    network = aws.network()
    group, arn = aws.target_group(network), aws.load_balancer(network)
    aws.listener(arn, group, 5432)
    second = aws.listener(arn, group, 5433)
    with refused("DuplicateListener"):
        aws.listener(arn, group, 5432)
    with refused("DuplicateListener"):
        aws.elb.modify_listener(ListenerArn=second, Port=5432)


@rule(f"{_API}/API_CreateListener.html")
def network_listener_speaks_no_http(aws: Account) -> None:
    """Listeners of a Network Load Balancer are TCP, TLS or UDP."""
    network = aws.network()
    group, arn = aws.target_group(network), aws.load_balancer(network)
    with refused("ValidationError"):
        aws.listener(arn, group, Protocol="HTTP")


@rule(f"{_GUIDE}/update-idle-timeout.html")
def idle_timeout_is_350_seconds_or_60_to_6000(aws: Account) -> None:
    """A TCP listener's idle timeout is 350 seconds by default and may be 60 to 6000."""
    network = aws.network()
    listener = aws.listener(aws.load_balancer(network), aws.target_group(network))

    def timeout() -> str:
        answer = aws.elb.describe_listener_attributes(ListenerArn=listener)["Attributes"]
        return next(str(entry["Value"]) for entry in answer if entry["Key"] == "tcp.idle_timeout.seconds")

    def change(seconds: int) -> None:
        attribute = {"Key": "tcp.idle_timeout.seconds", "Value": str(seconds)}
        aws.elb.modify_listener_attributes(ListenerArn=listener, Attributes=[attribute])

    assert timeout() == "350"
    with refused("ValidationError"):
        change(6001)
    change(6000)
    assert timeout() == "6000"


@rule(f"{_GUIDE}/load-balancer-limits.html")
def load_balancer_has_at_most_50_listeners(aws: Account) -> None:
    """A Network Load Balancer has at most 50 listeners."""
    network = aws.network()
    group, arn = aws.target_group(network), aws.load_balancer(network)
    for port in range(5000, 5050):
        aws.listener(arn, group, port)
    with refused("TooManyListeners"):
        aws.listener(arn, group, 5050)


@rule(f"{_GUIDE}/load-balancer-target-groups.html")
def target_group_serves_one_load_balancer_of_its_vpc(aws: Account) -> None:
    """A target group is used by one load balancer, which is in the target group's VPC."""
    network, other = aws.network(), aws.network("10.1.0.0/16")
    group = aws.used_target_group(network)
    with refused("TargetGroupAssociationLimit"):
        aws.listener(aws.load_balancer(network), group)
    with refused("InvalidConfigurationRequest"):
        aws.listener(aws.load_balancer(other), aws.target_group(network))

"""Rules of CloudFormation's types of Elastic Load Balancing."""

from tests.emulator.rule import rule
from tests.emulator.templates import front_resources, listener_resources
from tests.emulator.world import ZONES, Account

_TYPES = "AWSCloudFormation/latest/TemplateReference"
_GUIDE = "AWSCloudFormation/latest/UserGuide"


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-targetgroup.html")
def targets_of_a_template_are_registered(aws: Account) -> None:
    """`Targets` of a template are registered, with each target's port, and follow its updates."""
    network = aws.network()
    deploy = [{"Id": "10.0.0.5", "Port": "5433"}], [{"Id": "10.0.0.6", "Port": "5433"}]
    arn = aws.deploy(front_resources(network, Targets=deploy[0]), Group={"Ref": "Group"})["Group"]
    assert set(aws.health(arn)) == {("10.0.0.5", 5433)}
    aws.deploy(front_resources(network, Targets=deploy[1]), Group={"Ref": "Group"})
    assert aws.health(arn)["10.0.0.5", 5433][0] == "draining"
    assert aws.health(arn)["10.0.0.6", 5433][0] in {"initial", "healthy"}


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-targetgroup.html")
def only_the_difference_of_targets_is_changed(aws: Account) -> None:
    """An update registers and deregisters only what `Targets` gained and lost; targets from elsewhere stay."""
    network = aws.network()
    one, two, three = ({"Id": f"10.0.0.{number}", "Port": 5432} for number in (5, 6, 7))
    output = {"Ref": "Group"}
    arn = aws.deploy(front_resources(network, Targets=[one, two]), Group=output)["Group"]
    aws.delay(arn, 10)
    aws.register(arn, three)
    aws.deregister(arn, two)
    aws.deploy(front_resources(network, Targets=[one, two], HealthCheckIntervalSeconds=10), Group=output)
    aws.eventually(lambda: set(aws.health(arn)) == {("10.0.0.5", 5432), ("10.0.0.7", 5432)})
    assert aws.deploy(front_resources(network), Group=output)["Group"] == arn
    aws.eventually(lambda: set(aws.health(arn)) == {("10.0.0.7", 5432)})


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-listener.html")
def listener_attributes_of_a_template_are_set(aws: Account) -> None:
    """`ListenerAttributes` of a template hold from the listener's creation on."""
    listener = aws.deploy(front_resources(aws.network()), Listener={"Ref": "Listener"})["Listener"]
    answer = aws.elb.describe_listener_attributes(ListenerArn=listener)["Attributes"]
    assert {"Key": "tcp.idle_timeout.seconds", "Value": "600"} in answer


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-loadbalancer.html")
def load_balancer_of_a_template_is_what_the_template_says(aws: Account) -> None:
    """`SubnetMappings` and the enforcement setting of a template hold; `LoadBalancerFullName` begins with `net/`."""
    network = aws.network()
    resources = front_resources(network)
    properties = resources["LoadBalancer"]["Properties"]
    del properties["Subnets"]
    properties["SubnetMappings"] = [{"SubnetId": network.subnets[0], "PrivateIPv4Address": "10.0.0.10"}]
    properties["SecurityGroups"] = [aws.security_group(network)]
    properties["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = "off"
    properties["LoadBalancerAttributes"] = [{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
    outputs = aws.deploy(
        resources, Arn={"Ref": "LoadBalancer"}, Name={"Fn::GetAtt": ["LoadBalancer", "LoadBalancerFullName"]}
    )
    described = aws.elb.describe_load_balancers(LoadBalancerArns=[outputs["Arn"]])["LoadBalancers"][0]
    zones = described["AvailabilityZones"]
    assert [zone["LoadBalancerAddresses"][0]["PrivateIPv4Address"] for zone in zones] == ["10.0.0.10"]
    assert described["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"
    assert outputs["Name"].startswith("net/")
    assert outputs["Arn"].endswith(outputs["Name"])


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-loadbalancer.html")
def subnets_of_a_stack_change_in_place(aws: Account) -> None:
    """`Subnets` become `SubnetMappings` in place and zones join with pinned addresses; an enabled one keeps its own."""
    network = aws.network(zones=ZONES)
    resources, output = front_resources(network), {"Ref": "LoadBalancer"}
    properties = resources["LoadBalancer"]["Properties"]
    properties["Subnets"] = list(network.subnets[:2])
    arn = aws.deploy(resources, Arn=output)["Arn"]
    del properties["Subnets"]
    mappings = [{"SubnetId": subnet} for subnet in network.subnets]
    mappings[2]["PrivateIPv4Address"] = "10.0.2.10"
    properties["SubnetMappings"] = mappings
    assert aws.deploy(resources, Arn=output)["Arn"] == arn
    described = aws.elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]["AvailabilityZones"]
    assert {zone["ZoneName"] for zone in described} == set(ZONES)
    mappings[2] = {**mappings[2], "PrivateIPv4Address": "10.0.2.11"}
    assert "InvalidConfigurationRequest" in aws.refused_update(resources)["LoadBalancer"]


def _ports(aws: Account) -> dict[int, str]:
    (load_balancer,) = aws.elb.describe_load_balancers()["LoadBalancers"]
    listeners = aws.elb.describe_listeners(LoadBalancerArn=load_balancer["LoadBalancerArn"])["Listeners"]
    return {listener["Port"]: listener["ListenerArn"] for listener in listeners}


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-listener.html")
def listeners_do_not_swap_ports_in_one_update(aws: Account) -> None:
    """A listener's port changes in place; two that swap theirs fail, since each moves while the other is there."""
    network = aws.network()
    aws.deploy(listener_resources(network, {"One": 5432, "Two": 5433}))
    before = _ports(aws)
    aws.deploy(listener_resources(network, {"One": 5434, "Two": 5433}))
    assert _ports(aws) == {5434: before[5432], 5433: before[5433]}
    reasons = aws.refused_update(listener_resources(network, {"One": 5433, "Two": 5434}))
    assert any("DuplicateListener" in reason for reason in reasons.values())
    assert _ports(aws) == {5434: before[5432], 5433: before[5433]}
    # Over a third port it is two deployments.
    aws.deploy(listener_resources(network, {"One": 5434, "Two": 5435}))
    aws.deploy(listener_resources(network, {"One": 5433, "Two": 5435}))
    assert _ports(aws) == {5433: before[5432], 5435: before[5433]}


@rule(f"{_GUIDE}/using-cfn-updating-stacks-update-behaviors.html")
def listener_is_created_before_its_predecessor_is_deleted(aws: Account) -> None:
    """A listener under another logical id cannot take over its predecessor's port: creation comes before deletion."""
    network = aws.network()
    aws.deploy(listener_resources(network, {"One": 5432}))
    before = _ports(aws)
    reasons = aws.refused_update(listener_resources(network, {"Renamed": 5432}))
    assert "DuplicateListener" in reasons["Renamed"]
    assert _ports(aws) == before
    aws.deploy(listener_resources(network, {"Renamed": 5433}))
    assert set(_ports(aws)) == {5433}


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-targetgroup.html", stock=True)
def port_of_a_target_group_replaces_it(aws: Account) -> None:
    """Another `Port` replaces a target group; other health-check settings do not."""
    network = aws.network()
    alone = {"Group": front_resources(network)["Group"]}
    before = aws.deploy(alone, Arn={"Ref": "Group"})["Arn"]
    alone["Group"]["Properties"]["HealthCheckIntervalSeconds"] = 10
    assert aws.deploy(alone, Arn={"Ref": "Group"})["Arn"] == before
    alone["Group"]["Properties"]["Port"] = 5433
    assert aws.deploy(alone, Arn={"Ref": "Group"})["Arn"] != before

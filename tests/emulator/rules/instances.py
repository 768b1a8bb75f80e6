"""Rules of EC2 instances and Auto Scaling groups, and of target groups that take them."""

from typing import Any

from emulator.database import Database
from tests.emulator.rule import rule
from tests.emulator.world import ZONES, Account, Network, refused

_GUIDE = "elasticloadbalancing/latest/network"
_ELB = "elasticloadbalancing/latest/APIReference"
_REGISTER = f"{_GUIDE}/target-group-register-targets.html"
_HEALTH = f"{_GUIDE}/target-group-health-checks.html"
_SCALING = "autoscaling/ec2/APIReference"
_ATTACH = "autoscaling/ec2/userguide/attach-load-balancer-asg.html"
_TYPES = "AWSCloudFormation/latest/TemplateReference"
_LOOPBACK = "127.0.0.0/16"
_UNKNOWN = "i-0123456789abcdef0"
Resources = dict[str, Any]


def _group(aws: Account, network: Network, **arguments: object) -> str:
    return aws.target_group(network, TargetType="instance", **arguments)


@rule("AWSEC2/latest/APIReference/API_RunInstances.html")
def instance_is_where_its_subnet_is(aws: Account) -> None:
    """An instance has an address of its subnet, or the free one asked for, and is in the subnet's VPC and zone."""
    network = aws.network()
    described = aws.described_instance(aws.instance(network, subnet=1))
    assert described["PrivateIpAddress"].startswith("10.0.1.")
    assert (described["VpcId"], described["Placement"]["AvailabilityZone"]) == (network.vpc, ZONES[1])
    pinned = aws.instance(network, PrivateIpAddress="10.0.0.20")
    assert aws.described_instance(pinned)["PrivateIpAddress"] == "10.0.0.20"
    with refused("InvalidIPAddress.InUse"):
        aws.instance(network, PrivateIpAddress="10.0.0.20")


@rule("systems-manager/latest/userguide/parameter-store-public-parameters-ami.html")
def amazon_linux_is_found_by_a_public_parameter(aws: Account) -> None:
    """The newest image of Amazon Linux 2023 has public parameters by kernel and architecture."""
    prefix = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-"
    for kernel in ("default", "6.1"):
        for architecture in ("arm64", "x86_64"):
            answer = aws.client("ssm").get_parameter(Name=f"{prefix}{kernel}-{architecture}")
            assert answer["Parameter"]["Value"].startswith("ami-")


@rule(f"{_ELB}/API_RegisterTargets.html")
def only_running_instances_of_the_vpc_are_registered(aws: Account) -> None:
    """An instance is registered by its id if it exists, is running, and is in the target group's VPC."""
    network, other = aws.network(), aws.network("10.1.0.0/16")
    group = _group(aws, network)
    running, stopped, foreign = aws.instance(network), aws.instance(network), aws.instance(other)
    aws.ec2.terminate_instances(InstanceIds=[stopped])
    for instance in (_UNKNOWN, stopped, foreign):
        with refused("InvalidTarget"):
            aws.register(group, {"Id": running}, {"Id": instance})
    assert aws.health(group) == {}
    aws.register(group, {"Id": running}, {"Id": running, "Port": 6000})
    assert set(aws.health(group)) == {(running, 5432), (running, 6000)}


@rule(f"{_ELB}/API_TargetDescription.html")
def target_group_takes_one_kind_of_target(aws: Account) -> None:
    """A group of instances takes no address and no `AvailabilityZone`; a group of addresses takes no instance."""
    network = aws.network()
    instances, addresses, instance = _group(aws, network), aws.target_group(network), aws.instance(network)
    for group, target in (
        (instances, {"Id": "10.0.0.5"}),
        (instances, {"Id": instance, "AvailabilityZone": ZONES[0]}),
        (addresses, {"Id": instance}),
    ):
        with refused("ValidationError"):
            aws.register(group, target)


@rule(_REGISTER)
def old_instance_types_are_not_registered_by_id(aws: Account) -> None:
    """Instances of the first generations, such as M3 and T1, are not registered by id."""
    network = aws.network()
    with refused("InvalidTarget"):
        aws.register(_group(aws, network), {"Id": aws.instance(network, InstanceType="m3.medium")})


@rule(_HEALTH)
def instance_is_checked_at_its_private_address(aws: Account) -> None:
    """An instance is healthy when its private address accepts connections on the target's port."""
    network = aws.network(_LOOPBACK)
    group = _group(aws, network, HealthCheckIntervalSeconds=5)
    aws.listener(aws.load_balancer(network), group)
    instance = aws.instance(network)
    address = aws.described_instance(instance)["PrivateIpAddress"]
    assert address.startswith("127.0.0.")
    with Database(address) as database:
        target = (instance, database.port)
        aws.register(group, {"Id": instance, "Port": database.port})
        aws.eventually(lambda: aws.health(group)[target] == ("healthy", None))
        database.die()
        aws.eventually(lambda: aws.health(group)[target] == ("unhealthy", "Target.FailedHealthChecks"))


@rule(f"{_ELB}/API_TargetHealth.html")
def stopped_instance_is_unused(aws: Account) -> None:
    """A registered instance that is stopped or terminated is `unused` (Target.InvalidState)."""
    network = aws.network()
    group = _group(aws, network)
    aws.listener(aws.load_balancer(network), group)
    stopped, terminated = aws.instance(network), aws.instance(network)
    aws.register(group, {"Id": stopped}, {"Id": terminated})
    aws.eventually(lambda: set(aws.health(group).values()) == {("healthy", None)})
    aws.ec2.stop_instances(InstanceIds=[stopped])
    aws.ec2.terminate_instances(InstanceIds=[terminated])
    assert set(aws.health(group).values()) == {("unused", "Target.InvalidState")}


@rule(_HEALTH)
def instance_in_a_zone_that_is_not_enabled_is_unused(aws: Account) -> None:
    """An instance in a zone that the load balancer has no subnet in is `unused`; its zone is not reported."""
    network = aws.network(zones=ZONES)
    group, outside = _group(aws, network), aws.instance(network, subnet=2)
    aws.listener(aws.load_balancer(network, Subnets=list(network.subnets[:2])), group)
    aws.register(group, {"Id": outside})
    assert aws.health(group) == {(outside, 5432): ("unused", "Target.NotInUse")}
    (row,) = aws.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert "AvailabilityZone" not in row["Target"]


@rule("AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html")
def security_group_of_an_instance_is_not_deleted(aws: Account) -> None:
    """A security group of an instance is not deleted until the instance is terminated."""
    network = aws.network()
    group = aws.security_group(network)
    instance = aws.instance(network, SecurityGroupIds=[group])
    with refused("DependencyViolation"):
        aws.ec2.delete_security_group(GroupId=group)
    aws.ec2.terminate_instances(InstanceIds=[instance])
    aws.ec2.delete_security_group(GroupId=group)


@rule(f"{_TYPES}/aws-resource-ec2-instance.html")
def instance_of_a_stack_is_found_and_terminated(aws: Account) -> None:
    """A stack's instance has the address and groups of the template, tells its address, and goes with the stack."""
    network = aws.network()
    group = aws.security_group(network)
    properties = {
        "ImageId": "ami-0abcdef1234567890",
        "InstanceType": "t4g.small",
        "SubnetId": network.subnets[1],
        "PrivateIpAddress": "10.0.1.20",
        "SecurityGroupIds": [group],
        "Tags": [{"Key": "Name", "Value": "postgres"}],
    }
    resources = {"Server": {"Type": "AWS::EC2::Instance", "Properties": properties}}
    outputs = aws.deploy(
        resources,
        Id={"Ref": "Server"},
        Address={"Fn::GetAtt": ["Server", "PrivateIp"]},
        Zone={"Fn::GetAtt": ["Server", "AvailabilityZone"]},
    )
    assert (outputs["Address"], outputs["Zone"]) == ("10.0.1.20", ZONES[1])
    described = aws.described_instance(outputs["Id"])
    assert [entry["GroupId"] for entry in described["SecurityGroups"]] == [group]
    assert {"Key": "Name", "Value": "postgres"} in described["Tags"]
    properties["PrivateIpAddress"] = "10.0.1.21"
    replaced = aws.deploy(resources, Id={"Ref": "Server"})["Id"]
    assert replaced != outputs["Id"]
    assert aws.delete() == "DELETE_COMPLETE"
    assert aws.described_instance(replaced)["State"]["Name"] == "terminated"


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-targetgroup.html")
def instances_of_a_template_follow_its_updates(aws: Account) -> None:
    """`Targets` of a template may be its own instances; when one is replaced, its successor is registered."""
    network = aws.network()

    def resources(address: str) -> Resources:
        server = {"ImageId": "ami-1", "SubnetId": network.subnets[0], "PrivateIpAddress": address}
        group = {
            "Protocol": "TCP",
            "Port": 5432,
            "TargetType": "instance",
            "VpcId": network.vpc,
            "Targets": [{"Id": {"Ref": "Server"}}],
        }
        return {
            "Server": {"Type": "AWS::EC2::Instance", "Properties": server},
            "Group": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": group},
        }

    before = aws.deploy(resources("10.0.0.20"), Server={"Ref": "Server"}, Group={"Ref": "Group"})
    assert set(aws.health(before["Group"])) == {(before["Server"], 5432)}
    after = aws.deploy(resources("10.0.0.21"), Server={"Ref": "Server"}, Group={"Ref": "Group"})
    assert (after["Group"], after["Server"] == before["Server"]) == (before["Group"], False)
    assert set(aws.health(after["Group"])) == {(after["Server"], 5432)}


def _scaling(network: Network, size: int, *target_groups: object) -> Resources:
    """Return an Auto Scaling group over both subnets of a network and its launch template."""
    data = {"ImageId": "ami-0abcdef1234567890", "InstanceType": "t4g.small"}
    template = {"LaunchTemplateId": {"Ref": "Template"}, "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]}}
    properties = {
        "MinSize": str(size),
        "MaxSize": "5",
        "VPCZoneIdentifier": list(network.subnets),
        "LaunchTemplate": template,
        "TargetGroupARNs": list(target_groups),
    }
    return {
        "Template": {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": data}},
        "Servers": {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": properties},
    }


def _members(aws: Account, name: str) -> list[str]:
    (group,) = aws.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return [instance["InstanceId"] for instance in group["Instances"]]


@rule(f"{_TYPES}/aws-resource-autoscaling-autoscalinggroup.html")
def group_of_a_stack_registers_its_instances(aws: Account) -> None:
    """A stack's Auto Scaling group launches instances in its subnets and registers them on the target group's port."""
    network = aws.network()
    target_group = _group(aws, network, Port=6432)
    name = aws.deploy(_scaling(network, 2, target_group), Name={"Ref": "Servers"})["Name"]
    members = _members(aws, name)
    assert len(members) == 2
    assert set(aws.health(target_group)) == {(instance, 6432) for instance in members}
    zones = {aws.described_instance(instance)["Placement"]["AvailabilityZone"] for instance in members}
    assert zones == set(ZONES[:2])
    assert aws.delete() == "DELETE_COMPLETE"
    assert aws.health(target_group) == {}
    assert {aws.described_instance(instance)["State"]["Name"] for instance in members} == {"terminated"}


@rule(f"{_TYPES}/aws-resource-autoscaling-autoscalinggroup.html")
def target_groups_of_a_group_change_in_place(aws: Account) -> None:
    """Another target group in a template moves a group's instances there; the instances stay."""
    network = aws.network()
    first, second = _group(aws, network), _group(aws, network, Port=6432)
    name = aws.deploy(_scaling(network, 2, first), Name={"Ref": "Servers"})["Name"]
    members = _members(aws, name)
    assert len(members) == 2
    assert set(aws.health(first)) == {(instance, 5432) for instance in members}
    assert aws.deploy(_scaling(network, 2, second), Name={"Ref": "Servers"})["Name"] == name
    assert aws.health(first) == {}
    assert set(aws.health(second)) == {(instance, 6432) for instance in members}
    aws.deploy(_scaling(network, 2))
    assert aws.health(second) == {}
    assert _members(aws, name) == members


@rule(_ATTACH)
def group_keeps_its_size_and_its_targets(aws: Account) -> None:
    """An instance that is terminated is replaced and its successor registered; scaling in deregisters."""
    network = aws.network()
    target_group = _group(aws, network)
    name = aws.deploy(_scaling(network, 2, target_group), Name={"Ref": "Servers"})["Name"]
    assert len(_members(aws, name)) == 2
    lost, kept = _members(aws, name)
    aws.ec2.terminate_instances(InstanceIds=[lost])
    members = set(_members(aws, name))
    assert (len(members), lost in members, kept in members) == (2, False, True)
    assert set(aws.health(target_group)) == {(instance, 5432) for instance in members}
    scaling = aws.client("autoscaling")
    scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=1)
    scaling.set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=1)
    assert set(aws.health(target_group)) == {(instance, 5432) for instance in _members(aws, name)}
    assert len(aws.health(target_group)) == 1


@rule(f"{_SCALING}/API_AttachLoadBalancerTargetGroups.html")
def target_group_is_attached_by_a_call(aws: Account) -> None:
    """A target group is attached to and detached from an existing group by a call; its type must be `instance`."""
    network = aws.network()
    target_group, addresses = _group(aws, network), aws.target_group(network)
    name = aws.deploy(_scaling(network, 1), Name={"Ref": "Servers"})["Name"]
    scaling = aws.client("autoscaling")
    with refused("ValidationError"):
        scaling.attach_load_balancer_target_groups(AutoScalingGroupName=name, TargetGroupARNs=[addresses])
    scaling.attach_load_balancer_target_groups(AutoScalingGroupName=name, TargetGroupARNs=[target_group])
    answer = scaling.describe_load_balancer_target_groups(AutoScalingGroupName=name)["LoadBalancerTargetGroups"]
    assert [entry["LoadBalancerTargetGroupARN"] for entry in answer] == [target_group]
    assert [instance for instance, _ in aws.health(target_group)] == _members(aws, name)
    scaling.detach_load_balancer_target_groups(AutoScalingGroupName=name, TargetGroupARNs=[target_group])
    assert aws.health(target_group) == {}


@rule(f"{_SCALING}/API_DeleteAutoScalingGroup.html")
def group_with_instances_is_deleted_by_force_only(aws: Account) -> None:
    """An Auto Scaling group that has instances is not deleted by a call, unless with `ForceDelete`."""
    network = aws.network()
    name = aws.deploy(_scaling(network, 1), Name={"Ref": "Servers"})["Name"]
    scaling = aws.client("autoscaling")
    with refused("ResourceInUse"):
        scaling.delete_auto_scaling_group(AutoScalingGroupName=name)
    (instance,) = _members(aws, name)
    scaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    assert aws.described_instance(instance)["State"]["Name"] == "terminated"

"""`PostgresTarget.from_ec2_instances` and `from_ec2_instance_ids`: instances that stand in the template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from constructs_pg import PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    ServiceFactory = Callable[..., PostgresEndpointService]

INSTANCE_ID = "i-0123456789abcdef0"


def instance(scope: cdk.Stack, construct_id: str, vpc: ec2.IVpc) -> ec2.Instance:
    """Return an instance in a private subnet."""
    return ec2.Instance(
        scope,
        construct_id,
        vpc=vpc,
        instance_type=ec2.InstanceType("t4g.micro"),
        machine_image=ec2.MachineImage.generic_linux({"eu-central-1": "ami-0123456789abcdef0"}),
    )


def target_group(stack: cdk.Stack) -> tuple[str, dict[str, Any]]:
    """Return the only target group's logical id and properties."""
    ((logical_id, group),) = (
        Template.from_stack(stack).find_resources("AWS::ElasticLoadBalancingV2::TargetGroup").items()
    )
    return logical_id, dict(group["Properties"])


def own_group(stack: cdk.Stack) -> dict[str, Any]:
    """Return the properties of the load balancer's security group."""
    groups = Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroup")
    (ours,) = (each for logical_id, each in groups.items() if logical_id.startswith("Orders"))
    return dict(ours["Properties"])


def test_ids_stand_in_the_template_and_need_no_function(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Each carries the database's port; client addresses, which AWS would preserve for instances, are not."""
    make_service(listeners={"main": PostgresTarget.from_ec2_instance_ids([INSTANCE_ID, "i-01234567"], port=6543)})

    logical_id, group = target_group(stack)
    assert logical_id.startswith("OrdersListenersmainInstanceTargetGroup")
    assert (group["TargetType"], group["Port"]) == ("instance", 5432)
    assert group["Targets"] == [{"Id": INSTANCE_ID, "Port": 6543}, {"Id": "i-01234567", "Port": 6543}]
    assert {"Key": "preserve_client_ip.enabled", "Value": "false"} in group["TargetGroupAttributes"]
    Template.from_stack(stack).resource_count_is("AWS::Lambda::Function", 0)


def test_without_groups_the_load_balancer_reaches_the_vpc(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """An instance's address is not known, but that it lies in the VPC."""
    make_service(listeners={"main": PostgresTarget.from_ec2_instance_ids([INSTANCE_ID])})

    (rule,) = own_group(stack)["SecurityGroupEgress"]
    assert (rule["CidrIp"], rule["FromPort"]) == ("10.0.0.0/16", 5432)
    Template.from_stack(stack).resource_count_is("AWS::EC2::SecurityGroupIngress", 0)


def test_with_groups_it_reaches_nothing_else(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """A reference follows the instances wherever they are, and the groups admit the load balancer."""
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0", mutable=False)

    make_service(listeners={"main": PostgresTarget.from_ec2_instance_ids([INSTANCE_ID], security_groups=[group])})

    (rule,) = own_group(stack)["SecurityGroupEgress"]
    assert rule["DestinationSecurityGroupId"] == "sg-0123456789abcdef0"
    assert "CidrIp" not in rule
    rules = Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroupIngress").values()
    assert {each["Properties"].get("CidrIp") for each in rules} == {None, "10.0.1.0/24", "10.0.2.0/24"}


def test_created_instances_bring_their_groups(stack: cdk.Stack) -> None:
    """Two instances of two groups: each is opened and reached."""
    vpc = ec2.Vpc(stack, "NewVpc", max_azs=2)
    instances = [instance(stack, name, vpc) for name in ("First", "Second")]

    PostgresEndpointService(stack, "Orders", vpc=vpc, listeners={"main": PostgresTarget.from_ec2_instances(instances)})

    template = Template.from_stack(stack)
    ids = list(template.find_resources("AWS::EC2::Instance"))
    assert target_group(stack)[1]["Targets"] == [{"Id": {"Ref": each}, "Port": 5432} for each in ids]
    reached = {rule["DestinationSecurityGroupId"]["Fn::GetAtt"][0] for rule in own_group(stack)["SecurityGroupEgress"]}
    rules = template.find_resources("AWS::EC2::SecurityGroupIngress").values()
    opened = {rule["Properties"]["GroupId"]["Fn::GetAtt"][0] for rule in rules}
    assert reached == opened
    assert len(opened) == 2


def test_rules_that_users_add_to_the_group_stay(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """The load balancer's group can be used like any other."""
    service = make_service(listeners={"main": PostgresTarget.from_ec2_instance_ids([INSTANCE_ID])})

    service.network.security_group.add_egress_rule(ec2.Peer.ipv4("10.7.0.0/16"), ec2.Port.tcp(6543), "Mine")

    rules = {(rule["CidrIp"], rule["FromPort"]) for rule in own_group(stack)["SecurityGroupEgress"]}
    assert rules == {("10.0.0.0/16", 5432), ("10.7.0.0/16", 6543)}


def test_a_service_without_listeners_lets_nothing_out(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """A security group without outbound rules would let everything out."""
    make_service(listeners={})

    (rule,) = own_group(stack)["SecurityGroupEgress"]
    assert rule["CidrIp"] == "255.255.255.255/32"


def test_an_instance_of_another_vpc_is_refused(stack: cdk.Stack) -> None:
    """Elastic Load Balancing registers instances of the target group's VPC only."""
    vpc = ec2.Vpc(stack, "NewVpc", max_azs=2)
    other = ec2.Vpc(stack, "OtherVpc", max_azs=2)
    target = PostgresTarget.from_ec2_instances([instance(stack, "Far", other)])

    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresEndpointService(stack, "Orders", vpc=vpc, listeners={"main": target})

    assert str(caught.value) == (
        "security group 'Stack/Far/InstanceSecurityGroup' and what it protects are in another VPC than the service: "
        "put the service into that VPC, or where the VPCs are connected, use from_ip_addresses with the instances' "
        "addresses"
    )


def test_the_zone_of_a_created_instance_is_checked(stack: cdk.Stack) -> None:
    """A target in a zone that the load balancer does not have is never used."""
    vpc = ec2.Vpc(stack, "NewVpc", availability_zones=[f"eu-central-1{letter}" for letter in "abc"])
    target = PostgresTarget.from_ec2_instances([instance(stack, "Database", vpc)])

    with pytest.raises(PostgresEndpointServiceError, match="eu-central-1a"):
        PostgresEndpointService(
            stack,
            "Orders",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnets=vpc.private_subnets[1:]),
            listeners={"main": target},
        )


def test_ids_can_be_tokens(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """What another stack exports is known at deployment only."""
    make_service(listeners={"main": PostgresTarget.from_ec2_instance_ids([cdk.Fn.import_value("Id")])})

    assert target_group(stack)[1]["Targets"] == [{"Id": {"Fn::ImportValue": "Id"}, "Port": 5432}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"instance_ids": []}, "no EC2 instance is given: give at least one"),
        ({"instance_ids": ["orders"]}, "EC2 instance id must look like i-0123456789abcdef0, got 'orders'"),
        ({"instance_ids": [INSTANCE_ID, INSTANCE_ID]}, f"EC2 instance {INSTANCE_ID} is given twice"),
        ({"port": 0}, "port must be an integer from 1 to 65535, got 0"),
    ],
)
def test_every_argument_is_checked(arguments: dict[str, Any], message: str) -> None:
    """A mistake is named where it is made."""
    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresTarget.from_ec2_instance_ids(**{"instance_ids": [INSTANCE_ID], **arguments})

    assert str(caught.value).startswith(message)


def test_ids_in_place_of_instances() -> None:
    """The message names the factory to use."""
    with pytest.raises(PostgresEndpointServiceError, match=r"needs EC2 instances, got a str: .* from_ec2_instance_ids"):
        PostgresTarget.from_ec2_instances([INSTANCE_ID])  # type: ignore[list-item]


def test_no_instances() -> None:
    """An empty list is a mistake, not a target."""
    with pytest.raises(PostgresEndpointServiceError, match="no EC2 instance is given"):
        PostgresTarget.from_ec2_instances([])

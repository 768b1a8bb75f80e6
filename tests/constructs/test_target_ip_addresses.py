"""`PostgresTarget.from_ip_addresses`: addresses that stand in the template."""

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


def target_group(stack: cdk.Stack) -> dict[str, Any]:
    """Return the only target group's properties."""
    (group,) = Template.from_stack(stack).find_resources("AWS::ElasticLoadBalancingV2::TargetGroup").values()
    return dict(group["Properties"])


def test_addresses_stand_in_the_template_and_need_no_function(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """AWS wants `all` for an address outside the VPC, and refuses it for one inside."""
    make_service(listeners={"main": PostgresTarget.from_ip_addresses(["10.0.9.9", "192.168.1.5"], port=6543)})

    group = target_group(stack)
    assert group["Targets"] == [
        {"Id": "10.0.9.9", "Port": 6543},
        {"Id": "192.168.1.5", "Port": 6543, "AvailabilityZone": "all"},
    ]
    assert (group["TargetType"], group["Port"]) == ("ip", 5432)
    assert "Tags" not in group
    template = Template.from_stack(stack)
    for resource_type in ("AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Events::Rule", "AWS::Logs::LogGroup"):
        template.resource_count_is(resource_type, 0)


def test_the_load_balancer_reaches_exactly_these(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Nothing else may ever be registered, so nothing else is allowed."""
    make_service(listeners={"main": PostgresTarget.from_ip_addresses(["10.0.9.9", "192.168.1.5"])})

    (group,) = Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroup").values()
    rules = group["Properties"]["SecurityGroupEgress"]
    assert {(rule["CidrIp"], rule["FromPort"]) for rule in rules} == {
        ("10.0.9.9/32", 5432),
        ("192.168.1.5/32", 5432),
    }


def test_the_group_is_another_than_one_that_the_function_fills(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """CloudFormation would leave in it what the function registered there."""
    make_service(listeners={"main": PostgresTarget.from_ip_addresses(["10.0.9.9"])})

    (logical_id,) = Template.from_stack(stack).find_resources("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert logical_id.startswith("OrdersListenersmainAddressTargetGroup")


def test_the_range_of_a_created_vpc_is_known(stack: cdk.Stack) -> None:
    """In the template it is a reference, but CDK was given it."""
    vpc = ec2.Vpc(stack, "NewVpc", max_azs=2, ip_addresses=ec2.IpAddresses.cidr("10.8.0.0/16"))

    PostgresEndpointService(
        stack,
        "Orders",
        vpc=vpc,
        listeners={"main": PostgresTarget.from_ip_addresses(["10.8.1.1", "10.9.1.1"])},
    )

    assert [each.get("AvailabilityZone") for each in target_group(stack)["Targets"]] == [None, "all"]


def test_a_vpc_whose_range_is_not_known_must_be_given_it(stack: cdk.Stack) -> None:
    """Inside or outside decides how an address is registered, so it may not be guessed."""
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Imported",
        vpc_id="vpc-0123456789abcdef0",
        vpc_cidr_block=cdk.Fn.import_value("Cidr"),
        availability_zones=["eu-central-1a", "eu-central-1b"],
        private_subnet_ids=["subnet-0000000a", "subnet-0000000b"],
    )

    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresEndpointService(
            stack, "Orders", vpc=vpc, listeners={"main": PostgresTarget.from_ip_addresses(["10.8.1.1"])}
        )

    assert str(caught.value) == (
        "whether target address 10.8.1.1 lies in the VPC is not known, since the VPC's range is known only at "
        "deployment, and AWS wants it said: list all IPv4 CIDRs of the VPC in 'vpc_cidrs'"
    )


def test_a_token_is_an_address_inside(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """What a deployment makes lies in the VPC, as a rule."""
    make_service(listeners={"main": PostgresTarget.from_ip_addresses([cdk.Fn.import_value("Address")])})

    assert target_group(stack)["Targets"] == [{"Id": {"Fn::ImportValue": "Address"}, "Port": 5432}]


def test_security_groups_of_the_servers_are_opened(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Addresses in the VPC belong to something with security groups."""
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0", mutable=False)

    make_service(listeners={"main": PostgresTarget.from_ip_addresses(["10.0.9.9"], security_groups=[group])})

    Template.from_stack(stack).resource_count_is("AWS::EC2::SecurityGroupIngress", 3)


def test_a_public_address_is_refused(make_service: ServiceFactory) -> None:
    """A load balancer reaches private and shared address space, and its VPC."""
    with pytest.raises(PostgresEndpointServiceError, match=r"^target address 8\.8\.8\.8 is public"):
        make_service(listeners={"main": PostgresTarget.from_ip_addresses(["8.8.8.8"])})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"addresses": []}, "no target address is given: give at least one"),
        ({"addresses": "10.0.0.1"}, "a list is needed, got the text '10.0.0.1': put it into brackets"),
        ({"addresses": ["fd00::1"]}, "target address must be an IPv4 address, got 'fd00::1': IPv6 is not supported"),
        ({"addresses": ["10.0.0.1", "10.0.0.1"]}, "target address 10.0.0.1 is given twice: remove one"),
        ({"port": -1}, "port must be an integer from 1 to 65535, got -1"),
        ({"availability_zones": ["nowhere"]}, "zone must be a zone name"),
    ],
)
def test_every_argument_is_checked(arguments: dict[str, Any], message: str) -> None:
    """A mistake is named where it is made."""
    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresTarget.from_ip_addresses(**{"addresses": ["10.0.0.1"], **arguments})

    assert str(caught.value).startswith(message)

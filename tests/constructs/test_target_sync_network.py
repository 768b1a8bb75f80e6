"""A function in the VPC: where it runs, what it reaches, and what AWS Lambda may do for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Annotations, Match, Template

from constructs_pg import PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk

    ServiceFactory = Callable[..., PostgresEndpointService]

NO_WAY_OUT = Match.string_like_regexp("interface endpoints .*'elasticloadbalancing'.*'rds'.*'s3'")
PRIVATE_NAMESERVERS = Match.string_like_regexp("name servers with private addresses")


def ours(stack: cdk.Stack, resource_type: str) -> dict[str, Any]:
    """Return the only resource of a type that belongs to the function."""
    resources = Template.from_stack(stack).find_resources(resource_type)
    (found,) = (each for logical_id, each in resources.items() if logical_id.startswith("OrdersTargetSync"))
    return dict(found["Properties"])


def statements(stack: cdk.Stack) -> dict[str, Any]:
    """Return the statements of the function's role by their ids."""
    document = ours(stack, "AWS::IAM::Policy")["PolicyDocument"]
    return {each.get("Sid", "logs"): each for each in document["Statement"]}


def arn(*parts: str | dict[str, Any]) -> dict[str, Any]:
    """Return an ARN of EC2 as CloudFormation joins it; the first part is what follows the Region."""
    return {
        "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":ec2:", {"Ref": "AWS::Region"}, *parts]],
    }


INTERFACES = arn(":", {"Ref": "AWS::AccountId"}, ":network-interface/*")
NOT_BY_CODE = {"Null": {"lambda:SourceFunctionArn": "true"}}


@pytest.fixture
def selection(subnets: list[ec2.ISubnet]) -> ec2.SubnetSelection:
    """Return the load balancer's subnets."""
    return ec2.SubnetSelection(subnets=subnets)


@pytest.fixture
def created_vpc(stack: cdk.Stack) -> ec2.Vpc:
    """Return a VPC with public subnets, private ones behind a NAT gateway, and isolated ones."""
    return ec2.Vpc(
        stack,
        "Created",
        availability_zones=["eu-central-1a", "eu-central-1b"],
        nat_gateways=1,
        restrict_default_security_group=False,
        subnet_configuration=[
            ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC),
            ec2.SubnetConfiguration(name="private", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ec2.SubnetConfiguration(name="isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        ],
    )


def in_created(vpc: ec2.Vpc, kind: ec2.SubnetType, **options: object) -> dict[str, object]:
    """Return the options of a service in a VPC created in CDK whose function runs in subnets of a kind."""
    return {
        "vpc": vpc,
        "vpc_cidrs": None,
        "vpc_subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        "function_vpc_subnets": ec2.SubnetSelection(subnet_type=kind),
        **options,
    }


def test_function_is_outside_the_vpc_by_default(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """There RDS names resolve to private addresses too, and AWS's API costs nothing to reach."""
    make_service()

    assert "VpcConfig" not in ours(stack, "AWS::Lambda::Function")
    assert set(statements(stack)) == {"logs", "FollowTargets", "ReadTargets"}


def test_function_in_the_vpc_has_a_group_of_its_own(
    stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance, selection: ec2.SubnetSelection
) -> None:
    """It gets out to AWS's API, to DNS servers, and to name servers that are not on port 53; nothing gets in."""
    target = PostgresTarget.from_instance(database, nameservers=["10.0.0.2:5353", "10.0.0.3", "10.0.0.4:53"])
    make_service(listeners={"main": target}, function_vpc_subnets=selection)

    (group_id,) = (
        logical_id
        for logical_id in Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroup")
        if logical_id.startswith("OrdersTargetSync")
    )
    assert ours(stack, "AWS::Lambda::Function")["VpcConfig"] == {
        "SecurityGroupIds": [{"Fn::GetAtt": [group_id, "GroupId"]}],
        "SubnetIds": ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
    }
    group = ours(stack, "AWS::EC2::SecurityGroup")
    assert group["GroupDescription"] == "Function of a Postgres endpoint service"
    assert "SecurityGroupIngress" not in group
    assert [(each["CidrIp"], each["IpProtocol"], each["FromPort"]) for each in group["SecurityGroupEgress"]] == [
        ("0.0.0.0/0", "tcp", 443),
        ("0.0.0.0/0", "udp", 53),
        ("0.0.0.0/0", "tcp", 53),
        ("10.0.0.2/32", "udp", 5353),
        ("10.0.0.2/32", "tcp", 5353),
    ]


def test_given_groups_are_used_as_they_are(
    stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance, selection: ec2.SubnetSelection
) -> None:
    """A shop that brings its group has its own rules."""
    group = ec2.SecurityGroup.from_security_group_id(stack, "Given", "sg-0fedcba9876543210")
    target = PostgresTarget.from_instance(database, nameservers=["10.0.0.2:5353"])
    make_service(listeners={"main": target}, function_vpc_subnets=selection, function_security_groups=[group])

    template = Template.from_stack(stack)
    assert ours(stack, "AWS::Lambda::Function")["VpcConfig"]["SecurityGroupIds"] == ["sg-0fedcba9876543210"]
    template.resource_count_is("AWS::EC2::SecurityGroup", 1)
    template.resource_count_is("AWS::EC2::SecurityGroupEgress", 0)


def test_lambda_may_make_interfaces_in_these_subnets_with_these_groups(
    stack: cdk.Stack, make_service: ServiceFactory, selection: ec2.SubnetSelection
) -> None:
    """What the managed policy has on `*`, narrowed; imported subnets may be another account's, which shares them."""
    group = ec2.SecurityGroup.from_security_group_id(stack, "Given", "sg-0fedcba9876543210")
    make_service(function_vpc_subnets=selection, function_security_groups=[group])

    found = statements(stack)
    assert found["CreateNetworkInterfaces"] == {
        "Sid": "CreateNetworkInterfaces",
        "Effect": "Allow",
        "Action": "ec2:CreateNetworkInterface",
        "Resource": [
            INTERFACES,
            arn(":*:subnet/subnet-0123456789abcdef1"),
            arn(":*:subnet/subnet-0123456789abcdef2"),
            arn(":*:security-group/sg-0fedcba9876543210"),
        ],
        "Condition": NOT_BY_CODE,
    }
    assert found["KeepNetworkInterfaces"] == {
        "Sid": "KeepNetworkInterfaces",
        "Effect": "Allow",
        "Action": ["ec2:AssignPrivateIpAddresses", "ec2:DeleteNetworkInterface", "ec2:UnassignPrivateIpAddresses"],
        "Resource": INTERFACES,
        "Condition": NOT_BY_CODE,
    }
    assert found["ReadNetworkInterfaces"] == {
        "Sid": "ReadNetworkInterfaces",
        "Effect": "Allow",
        "Action": ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"],
        "Resource": "*",
        "Condition": NOT_BY_CODE,
    }


def test_what_is_created_in_cdk_is_named_with_its_account(
    stack: cdk.Stack, make_service: ServiceFactory, created_vpc: ec2.Vpc
) -> None:
    """No wildcard is left but that of the interfaces."""
    make_service(**in_created(created_vpc, ec2.SubnetType.PRIVATE_WITH_EGRESS))

    resources = statements(stack)["CreateNetworkInterfaces"]["Resource"]
    accounts = [each["Fn::Join"][1][5] for each in resources]
    assert len(resources) == 4
    assert accounts == [{"Ref": "AWS::AccountId"}] * 4


def test_all_permissions_are_there_before_the_function(
    stack: cdk.Stack, make_service: ServiceFactory, selection: ec2.SubnetSelection
) -> None:
    """AWS Lambda refuses a function in a VPC whose role may not make interfaces, and deletes them as that role."""
    make_service(function_vpc_subnets=selection)

    resources = Template.from_stack(stack).to_json()["Resources"]
    (function,) = (
        each
        for name, each in resources.items()
        if each["Type"] == "AWS::Lambda::Function" and name.startswith("OrdersTargetSync")
    )
    assert "AWS::IAM::Policy" in {resources[each]["Type"] for each in function["DependsOn"]}


def test_subnets_without_a_known_way_out_are_warned_of(
    stack: cdk.Stack, make_service: ServiceFactory, selection: ec2.SubnetSelection
) -> None:
    """The deployment would fail, and not say that a NAT gateway or endpoints are missing."""
    make_service(function_vpc_subnets=selection)

    Annotations.from_stack(stack).has_warning("/Stack/Orders", NO_WAY_OUT)
    assert len(Annotations.from_stack(stack).find_warning("*", NO_WAY_OUT)) == 1


@pytest.mark.parametrize(
    ("kind", "warnings"), [(ec2.SubnetType.PRIVATE_WITH_EGRESS, 0), (ec2.SubnetType.PRIVATE_ISOLATED, 1)]
)
def test_a_known_nat_gateway_is_no_matter(
    stack: cdk.Stack, make_service: ServiceFactory, created_vpc: ec2.Vpc, kind: ec2.SubnetType, warnings: int
) -> None:
    """CDK calls subnets private with egress whose route leads to a NAT gateway."""
    make_service(**in_created(created_vpc, kind))

    found = Annotations.from_stack(stack).find_warning("*", NO_WAY_OUT)
    assert len(found) == warnings


def test_public_subnets_are_refused(make_service: ServiceFactory, created_vpc: ec2.Vpc) -> None:
    """A function has no public address, so an internet gateway is of no use to it."""
    with pytest.raises(PostgresEndpointServiceError, match="'function_vpc_subnets' has a public subnet"):
        make_service(**in_created(created_vpc, ec2.SubnetType.PUBLIC))


def test_one_zone_is_refused(make_service: ServiceFactory, subnets: list[ec2.ISubnet]) -> None:
    """A zone that fails would take the function with it just when the failover must be followed."""
    with pytest.raises(PostgresEndpointServiceError, match=r"is in zone euc1-az1 alone: .* at least two zones"):
        make_service(function_vpc_subnets=ec2.SubnetSelection(subnets=subnets[:1]))


def test_more_subnets_than_a_function_takes(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """AWS Lambda takes 16."""
    many = [
        ec2.Subnet.from_subnet_attributes(
            stack,
            f"Many{number}",
            subnet_id=f"subnet-0123456789abcde{number:02}",
            availability_zone=f"euc1-az{number % 3 + 1}",
            ipv4_cidr_block=f"10.0.{number}.0/24",
        )
        for number in range(17)
    ]
    with pytest.raises(PostgresEndpointServiceError, match="has 17 subnets, a function takes up to 16"):
        make_service(function_vpc_subnets=ec2.SubnetSelection(subnets=many))


@pytest.mark.parametrize("count", [0, 6])
def test_number_of_groups(
    stack: cdk.Stack, make_service: ServiceFactory, selection: ec2.SubnetSelection, count: int
) -> None:
    """AWS Lambda takes one to five."""
    groups = [
        ec2.SecurityGroup.from_security_group_id(stack, f"Given{number}", f"sg-0fedcba987654321{number}")
        for number in range(count)
    ]
    with pytest.raises(PostgresEndpointServiceError, match=f"must be 1 to 5 groups, got {count}"):
        make_service(function_vpc_subnets=selection, function_security_groups=groups)


def test_groups_need_subnets(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Outside the VPC there is nothing that a group could guard."""
    group = ec2.SecurityGroup.from_security_group_id(stack, "Given", "sg-0fedcba9876543210")
    with pytest.raises(PostgresEndpointServiceError, match="give 'function_vpc_subnets' too"):
        make_service(function_security_groups=[group])


def test_a_public_database_is_followed_from_inside(
    stack: cdk.Stack, make_service: ServiceFactory, created_vpc: ec2.Vpc
) -> None:
    """Inside the VPC its name stands for the private address; outside it is refused."""
    instance = rds.DatabaseInstance(
        stack,
        "Public",
        vpc=created_vpc,
        engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17),
        publicly_accessible=True,
    )
    options = in_created(
        created_vpc, ec2.SubnetType.PRIVATE_WITH_EGRESS, listeners={"main": PostgresTarget.from_instance(instance)}
    )

    service = make_service(**options)

    assert set(service.listeners) == {"main"}


@pytest.mark.parametrize(("nameserver", "warnings"), [("10.0.0.2", 1), ("192.168.0.2:53", 1), ("192.0.2.53", 0)])
def test_private_name_servers_outside_the_vpc_are_warned_of(
    stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance, nameserver: str, warnings: int
) -> None:
    """From outside the VPC they cannot be reached, and every question would time out."""
    make_service(listeners={"main": PostgresTarget.from_instance(database, nameservers=[nameserver])})

    assert len(Annotations.from_stack(stack).find_warning("*", PRIVATE_NAMESERVERS)) == warnings


def test_private_name_servers_inside_the_vpc_are_reached(
    stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance, selection: ec2.SubnetSelection
) -> None:
    """That is what the option is for."""
    target = PostgresTarget.from_instance(database, nameservers=["10.0.0.2"])
    make_service(listeners={"main": target}, function_vpc_subnets=selection)

    Annotations.from_stack(stack).has_no_warning("*", PRIVATE_NAMESERVERS)

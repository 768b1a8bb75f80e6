"""`PostgresTarget.from_instance`: what is known of an RDS instance that is created in CDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Template

from constructs_pg import PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from constructs import Construct

PRIVATE = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
ENGINE = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_16)


def instance(scope: Construct, construct_id: str, vpc: ec2.IVpc, **changes: Any) -> rds.DatabaseInstance:  # noqa: ANN401
    """Return an instance in private subnets, but for the arguments given."""
    arguments = {"vpc": vpc, "engine": ENGINE, "vpc_subnets": PRIVATE, **changes}
    return rds.DatabaseInstance(scope, construct_id, **arguments)


@pytest.fixture
def new_vpc(stack: cdk.Stack) -> ec2.Vpc:
    """Return a VPC over three zones with names."""
    return ec2.Vpc(stack, "NewVpc", availability_zones=[f"eu-central-1{letter}" for letter in "abc"])


def test_a_public_instance_is_refused(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """Outside the VPC its name stands for a public address, which no load balancer takes."""
    public = instance(stack, "Public", new_vpc, publicly_accessible=True)

    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresEndpointService(stack, "Orders", vpc=new_vpc, listeners={"main": PostgresTarget.from_instance(public)})

    assert str(caught.value) == (
        "the database is publicly accessible ('publicly_accessible=True'): outside the VPC its name stands for a "
        "public address, which a load balancer refuses as a target; set publicly_accessible=False on the database, or "
        "let the function run in the VPC, where the name stands for the private address ('function_vpc_subnets')"
    )


def test_a_public_instance_is_accepted_with_the_function_in_the_vpc(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """Inside the VPC its name stands for the private address."""
    public = instance(stack, "Public", new_vpc, publicly_accessible=True)

    service = PostgresEndpointService(
        stack,
        "Orders",
        vpc=new_vpc,
        function_vpc_subnets=PRIVATE,
        listeners={"main": PostgresTarget.from_instance(public)},
    )

    assert service.listener("main").target.publicly_accessible


def test_public_subnets_make_an_instance_public(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """CDK decides so where nothing is said."""
    public = instance(stack, "Public", new_vpc, vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC))

    with pytest.raises(PostgresEndpointServiceError, match="publicly accessible"):
        PostgresEndpointService(stack, "Orders", vpc=new_vpc, listeners={"main": PostgresTarget.from_instance(public)})


def test_zones_of_a_created_subnet_group_are_checked(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """The database can fail over to any of them, and a target in another zone is never used."""
    database = instance(stack, "Database", new_vpc)
    two = ec2.SubnetSelection(subnets=new_vpc.private_subnets[:2])

    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresEndpointService(
            stack,
            "Orders",
            vpc=new_vpc,
            vpc_subnets=two,
            listeners={"main": PostgresTarget.from_instance(database)},
        )

    assert str(caught.value) == (
        "the database can fail over to eu-central-1c, but the load balancer has subnets in eu-central-1a, "
        "eu-central-1b only: a target in another zone gets no connections, so add a subnet there"
    )


def test_zones_that_are_given_are_taken_in_place_of_the_groups(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """Whoever pins a single-AZ instance to a zone knows better."""
    target = PostgresTarget.from_instance(
        instance(stack, "Database", new_vpc), availability_zones=["eu-central-1a", "eu-central-1b"]
    )

    service = PostgresEndpointService(
        stack,
        "Orders",
        vpc=new_vpc,
        vpc_subnets=ec2.SubnetSelection(subnets=new_vpc.private_subnets[:2]),
        listeners={"main": target},
    )

    assert service.network.availability_zones == ("eu-central-1a", "eu-central-1b")


def test_an_instance_of_another_vpc_is_refused(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """Its addresses would be refused at run time, and its security group cannot name ours."""
    other = ec2.Vpc(stack, "OtherVpc", max_azs=2)
    target = PostgresTarget.from_instance(instance(stack, "Database", other))

    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresEndpointService(stack, "Orders", vpc=new_vpc, listeners={"main": target})

    assert str(caught.value) == (
        "security group 'Stack/Database/SecurityGroup' and what it protects are in another VPC than the service: put "
        "the service into that VPC, or where the VPCs are connected, give that VPC's ranges as the target's "
        "'allowed_ranges'"
    )


def test_an_instance_of_a_connected_vpc_is_accepted(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """Ranges outside the VPC are given by those who know that there is a way."""
    other = ec2.Vpc(stack, "OtherVpc", max_azs=2, ip_addresses=ec2.IpAddresses.cidr("10.9.0.0/16"))
    target = PostgresTarget.from_instance(instance(stack, "Database", other), allowed_ranges=["10.9.0.0/16"])

    service = PostgresEndpointService(stack, "Orders", vpc=new_vpc, listeners={"main": target})

    assert service.listener("main").allowed_ranges == [new_vpc.vpc_cidr_block, "10.9.0.0/16"]


def test_a_literal_vpc_id_that_differs_is_another_vpc(stack: cdk.Stack) -> None:
    """Ids that are written out can be compared, ids and references cannot."""
    group = ec2.SecurityGroup(
        stack,
        "Group",
        vpc=ec2.Vpc.from_vpc_attributes(stack, "A", vpc_id="vpc-0000000a", availability_zones=["a", "b"]),
    )
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "B",
        vpc_id="vpc-0000000b",
        availability_zones=["eu-central-1a", "eu-central-1b"],
        private_subnet_ids=["subnet-0000000a", "subnet-0000000b"],
    )
    target = PostgresTarget.from_hostname("db.example.com", security_groups=[group])

    with pytest.raises(PostgresEndpointServiceError, match="in another VPC than the service"):
        PostgresEndpointService(stack, "Orders", vpc=vpc, vpc_cidrs=["10.0.0.0/16"], listeners={"main": target})


@pytest.mark.parametrize("order", [("first", "second", "name"), ("name", "second", "first")])
def test_databases_on_one_port_share_the_way_out_in_any_order(
    stack: cdk.Stack, new_vpc: ec2.Vpc, order: tuple[str, ...]
) -> None:
    """Two rules for one range and port are refused by AWS, though a template may call the port by two names."""
    targets = {
        "first": PostgresTarget.from_instance(instance(stack, "First", new_vpc)),
        "second": PostgresTarget.from_instance(instance(stack, "Second", new_vpc)),
        "name": PostgresTarget.from_hostname("db.example.com"),
    }
    service = PostgresEndpointService(stack, "Orders", vpc=new_vpc)

    for index, name in enumerate(order):
        service.add_listener(name, port=5432 + index, target=targets[name])

    template = Template.from_stack(stack)
    # The id that the first release gave to the only rule of its kind.
    assert list(template.find_resources("AWS::EC2::SecurityGroupEgress")) == [
        "OrdersNetworkSecurityGrouptoIndirectPeerIndirectPort4BF4D4BF"
    ]
    (group,) = (
        each["Properties"]
        for logical_id, each in template.find_resources("AWS::EC2::SecurityGroup").items()
        if logical_id.startswith("Orders")
    )
    assert "SecurityGroupEgress" not in group


def test_databases_on_different_ports_each_have_a_way_out(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """CDK takes all ports that it does not know for one."""
    service = PostgresEndpointService(stack, "Orders", vpc=new_vpc, vpc_cidrs=["10.0.0.0/16"])
    for port in (5432, 6543, 7654):
        database = instance(stack, f"On{port}", new_vpc, port=port)
        service.add_listener(f"on{port}", port=port, target=PostgresTarget.from_instance(database))

    template = Template.from_stack(stack)
    rules = template.find_resources("AWS::EC2::SecurityGroupEgress").values()
    databases = set(template.find_resources("AWS::RDS::DBInstance"))
    assert {rule["Properties"]["FromPort"]["Fn::GetAtt"][0] for rule in rules} == databases
    assert {rule["Properties"]["CidrIp"] for rule in rules} == {"10.0.0.0/16"}


def test_two_databases_in_one_security_group_share_its_rules(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """The same rule twice in a group is refused by AWS."""
    group = ec2.SecurityGroup(stack, "Group", vpc=new_vpc)
    service = PostgresEndpointService(stack, "Orders", vpc=new_vpc)
    for index in range(2):
        database = instance(stack, f"Database{index}", new_vpc, security_groups=[group])
        service.add_listener(f"on{index}", port=5432 + index, target=PostgresTarget.from_instance(database))

    # Its own, and one for each of three subnets.
    Template.from_stack(stack).resource_count_is("AWS::EC2::SecurityGroupIngress", 4)


def test_the_port_of_a_replica_is_known_if_it_is_given(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """It comes from the source, and CDK's replica does not tell it; a wrong guess would leave out a rule."""
    source = instance(stack, "Source", new_vpc)
    replica = rds.DatabaseInstanceReadReplica(
        stack,
        "Replica",
        source_database_instance=source,
        instance_type=ec2.InstanceType("t4g.micro"),
        vpc=new_vpc,
        vpc_subnets=PRIVATE,
    )

    assert PostgresTarget.from_instance(source).bind(stack).known_port == 5432
    assert PostgresTarget.from_instance(replica).bind(stack).known_port is None
    assert PostgresTarget.from_instance(replica, port=5432).bind(stack).port == 5432


def test_a_cluster_in_place_of_an_instance(stack: cdk.Stack) -> None:
    """The message names the factory to use."""
    cluster = rds.DatabaseCluster.from_database_cluster_attributes(stack, "Cluster", cluster_identifier="orders")

    with pytest.raises(PostgresEndpointServiceError, match=r"from_instance needs a DB instance, got .* from_cluster"):
        PostgresTarget.from_instance(cluster)  # type: ignore[arg-type]

"""A stack with a known account, a VPC known by its ids, and an RDS instance known by its attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from constructs_pg import Consumer, PostgresEndpointService, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

VPC_CIDR = "10.0.0.0/16"
ENDPOINT = "orders.abcdefghijkl.eu-central-1.rds.amazonaws.com"


@pytest.fixture
def stack() -> cdk.Stack:
    """Return a stack of a known account and Region."""
    app = cdk.App(analytics_reporting=False)
    return cdk.Stack(app, "Stack", env=cdk.Environment(account="111122223333", region="eu-central-1"))


@pytest.fixture
def subnets(stack: cdk.Stack) -> list[ec2.ISubnet]:
    """Return two subnets in different zones."""
    return [
        ec2.Subnet.from_subnet_attributes(
            stack,
            f"Subnet{index}",
            subnet_id=f"subnet-0123456789abcdef{index}",
            availability_zone=f"euc1-az{index}",
            ipv4_cidr_block=f"10.0.{index}.0/24",
        )
        for index in (1, 2)
    ]


@pytest.fixture
def vpc(stack: cdk.Stack) -> ec2.IVpc:
    """Return a VPC known by its id, which knows no range."""
    return ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-0123456789abcdef0", availability_zones=["euc1-az1", "euc1-az2"]
    )


@pytest.fixture
def database(stack: cdk.Stack) -> rds.IDatabaseInstance:
    """Return an RDS instance known by its attributes."""
    return rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        "Database",
        instance_identifier="Orders",
        instance_endpoint_address=ENDPOINT,
        port=5432,
        security_groups=[
            ec2.SecurityGroup.from_security_group_id(
                stack, "DatabaseSecurityGroup", "sg-0123456789abcdef0", mutable=False
            )
        ],
    )


@pytest.fixture
def make_service(
    stack: cdk.Stack, vpc: ec2.IVpc, subnets: list[ec2.ISubnet], database: rds.IDatabaseInstance
) -> Callable[..., PostgresEndpointService]:
    """Make the default service, but for the arguments given."""

    def make(**changes: object) -> PostgresEndpointService:
        arguments = {
            "vpc": vpc,
            "vpc_subnets": ec2.SubnetSelection(subnets=subnets),
            "vpc_cidrs": [VPC_CIDR],
            "consumers": [Consumer.dbt_platform()],
            "listeners": {"main": PostgresTarget.from_instance(database)},
            **changes,
        }
        return PostgresEndpointService(stack, "Orders", **arguments)  # type: ignore[arg-type]

    return make

"""What users wrote with this release. Never changed: newer versions of the library must take it as it stands."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds

from constructs_pg import Consumer, DbtEnvironment, PostgresEndpointService, PostgresTarget

VPC_CIDR = "10.0.0.0/16"


def _vpc(stack: cdk.Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-0123456789abcdef0", availability_zones=["euc1-az1", "euc1-az2", "euc1-az3"]
    )


def _subnets(stack: cdk.Stack, *numbers: int) -> ec2.SubnetSelection:
    return ec2.SubnetSelection(
        subnets=[
            ec2.Subnet.from_subnet_attributes(
                stack,
                f"Subnet{number}",
                subnet_id=f"subnet-0123456789abcdef{number}",
                availability_zone=f"euc1-az{number}",
                ipv4_cidr_block=f"10.0.{number}.0/24",
            )
            for number in numbers
        ]
    )


def _database(stack: cdk.Stack, name: str, number: int) -> rds.IDatabaseInstance:
    group = ec2.SecurityGroup.from_security_group_id(
        stack, f"{name}SecurityGroup", f"sg-0123456789abcdef{number}", mutable=False
    )
    return rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        name,
        instance_identifier=name.lower(),
        instance_endpoint_address=f"{name.lower()}.abcdefghijkl.eu-central-1.rds.amazonaws.com",
        port=5432,
        security_groups=[group],
    )


def defaults(stack: cdk.Stack) -> None:
    """One database for dbt; every default."""
    PostgresEndpointService(
        stack,
        "Orders",
        vpc=_vpc(stack),
        vpc_subnets=_subnets(stack, 1, 2),
        vpc_cidrs=[VPC_CIDR],
        consumers=[Consumer.dbt_platform()],
        listeners={"main": PostgresTarget.from_instance(_database(stack, "Orders0", 0))},
    )


def three_listeners(stack: cdk.Stack) -> None:
    """Three databases, two of which share a security group."""
    service = PostgresEndpointService(
        stack,
        "Service",
        vpc=_vpc(stack),
        vpc_subnets=_subnets(stack, 1, 2, 3),
        vpc_cidrs=[VPC_CIDR],
        consumers=[Consumer.dbt_platform(), Consumer(name="Other", principals=["arn:aws:iam::222222222222:root"])],
    )
    for number, name in enumerate(("Orders", "Billing", "Catalog")):
        target = PostgresTarget.from_instance(_database(stack, name, number // 2))
        service.add_listener(name.lower(), port=5432 + number, target=target)


def every_option(stack: cdk.Stack) -> None:
    """Every option of this release, each with another value than its default."""
    service = PostgresEndpointService(
        stack,
        "Service",
        vpc=_vpc(stack),
        vpc_subnets=_subnets(stack, 1, 2, 3),
        vpc_cidrs=[VPC_CIDR, "10.1.0.0/16"],
        consumers=[
            Consumer.dbt_platform(
                environment=DbtEnvironment.EMEA,
                account_url="https://ab123.eu1.dbt.com",
                source_ranges=["10.20.0.0/16"],
            ),
            Consumer(
                name="Reporting",
                principals=["arn:aws:iam::222222222222:role/Reporting"],
                source_ranges=["172.20.0.0/16"],
                request="{service_name} {region} {ports}",
            ),
        ],
        acceptance_required=False,
        poll_interval=cdk.Duration.seconds(60),
        wait_for_healthy=False,
        healthy_timeout=cdk.Duration.seconds(30),
        deletion_protection=True,
        removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    target = PostgresTarget.from_instance(
        _database(stack, "Orders", 0),
        port=6432,
        identifier="orders-1",
        availability_zones=["euc1-az1", "euc1-az2"],
        nameservers=["192.0.2.53", "192.0.2.54:5353"],
        allowed_ranges=["192.168.0.0/16"],
    )
    service.add_listener("main", port=5433, target=target)


def created_database(stack: cdk.Stack) -> None:
    """VPC and database made in the same stack: names and ports are tokens."""
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2, restrict_default_security_group=False)
    database = rds.DatabaseInstance(
        stack,
        "Database",
        vpc=vpc,
        multi_az=True,
        engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17),
    )
    PostgresEndpointService(
        stack,
        "Orders",
        vpc=vpc,
        consumers=[Consumer.dbt_platform()],
        listeners={"main": PostgresTarget.from_instance(database)},
    )

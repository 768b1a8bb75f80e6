"""What the constructs send is what the function parses: the one place where both are imported."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Template

from constructs_pg import PostgresEndpointService, PostgresTarget
from target_sync import custom_resource
from target_sync.listener import FOLLOWED_TAG, Listener, NameServer
from target_sync.settings import Settings

ENDPOINT = "orders.abcdefghijkl.eu-central-1.rds.amazonaws.com"
ARN = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/net/orders/0123456789abcdef"


@pytest.fixture(scope="module")
def resources() -> list[dict[str, Any]]:
    """Return the resources of a service whose options differ from the defaults where the function reads them."""
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Stack")
    subnets = [
        ec2.Subnet.from_subnet_attributes(
            stack,
            f"Subnet{n}",
            subnet_id=f"subnet-{n}",
            availability_zone=f"euc1-az{n}",
            ipv4_cidr_block=f"10.0.{n}.0/24",
        )
        for n in (1, 2)
    ]
    database = rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        "Database",
        instance_identifier="orders",
        instance_endpoint_address=ENDPOINT,
        port=6543,
        security_groups=[],
    )
    PostgresEndpointService(
        stack,
        "Orders",
        vpc=ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", availability_zones=["a", "b"]),
        vpc_subnets=ec2.SubnetSelection(subnets=subnets),
        vpc_cidrs=["10.0.0.0/16", "10.1.0.0/16"],
        poll_interval=cdk.Duration.seconds(60),
        wait_for_healthy=False,
        healthy_timeout=cdk.Duration.seconds(90),
        listeners={
            "main": PostgresTarget.from_instance(
                database, nameservers=["10.0.0.2", "10.0.0.3:5353"], allowed_ranges=["192.168.0.0/16"]
            )
        },
    )
    # The other function has a contract test of its own.
    made = Template.from_stack(stack).to_json()["Resources"]
    return [each for logical_id, each in made.items() if "ConnectionsGate" not in logical_id]


def only(resources: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the properties of the only resource of a type."""
    (found,) = (each["Properties"] for each in resources if each["Type"] == kind)
    return dict(found)


def test_environment(resources: list[dict[str, Any]]) -> None:
    """Every variable is read, and none is missing."""
    variables = only(resources, "AWS::Lambda::Function")["Environment"]["Variables"]

    settings = Settings.from_environment({**variables, "LOAD_BALANCER_ARN": ARN})

    assert set(variables) == {"LOAD_BALANCER_ARN", "POLL_INTERVAL_SECONDS", "VPC_RANGES"}
    assert settings == Settings(
        load_balancer_arn=ARN,
        vpc_ranges=(ipaddress.IPv4Network("10.0.0.0/16"), ipaddress.IPv4Network("10.1.0.0/16")),
        poll_interval=60.0,
    )
    assert settings.economical


def test_tags(resources: list[dict[str, Any]]) -> None:
    """A target group's tags are a listener."""
    group = only(resources, "AWS::ElasticLoadBalancingV2::TargetGroup")
    vpc_ranges = (ipaddress.IPv4Network("10.0.0.0/16"), ipaddress.IPv4Network("10.1.0.0/16"))

    listener = Listener.from_tags("arn:group", {tag["Key"]: tag["Value"] for tag in group["Tags"]}, vpc_ranges)

    assert listener == Listener(
        name="main",
        target_group_arn="arn:group",
        hostname=ENDPOINT,
        port=6543,
        ranges=(*vpc_ranges, ipaddress.IPv4Network("192.168.0.0/16")),
        vpc_ranges=vpc_ranges,
        nameservers=(NameServer("10.0.0.2", 53), NameServer("10.0.0.3", 5353)),
        followed="",
    )


def test_the_tag_that_the_function_writes_is_the_one_it_may_write(resources: list[dict[str, Any]]) -> None:
    """The role's condition names exactly the function's own tag."""
    statements = only(resources, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    (condition,) = (each["Condition"] for each in statements if "Condition" in each)

    assert condition == {"ForAllValues:StringEquals": {"aws:TagKeys": [FOLLOWED_TAG]}}


def test_custom_resources(resources: list[dict[str, Any]]) -> None:
    """Types and properties are those that the function knows; scalars are text, as CloudFormation makes them."""
    start, targets = only(resources, custom_resource.START_TYPE), only(resources, custom_resource.TARGETS_TYPE)

    assert set(start) == {"ServiceToken", "ServiceTimeout", "CodeHash"}
    assert targets["WaitForHealthy"] == "false"
    assert targets["HealthyTimeoutSeconds"] == "90"
    assert list(targets["Listeners"]) == ["main"]


def test_rules(resources: list[dict[str, Any]]) -> None:
    """The schedule's input and RDS's events are the two kinds that the handler takes besides custom resources."""
    rules = [each["Properties"] for each in resources if each["Type"] == "AWS::Events::Rule"]

    inputs = [json.loads(target["Input"]) for rule in rules for target in rule["Targets"] if "Input" in target]
    sources = [rule["EventPattern"]["source"] for rule in rules if "EventPattern" in rule]
    assert [each.pop("action") for each in inputs] == ["watch"]
    assert [len(each.pop("listeners")) for each in inputs] == [16]
    assert inputs == [{}]
    assert sources == [["aws.rds"]]


def test_handler_exists(resources: list[dict[str, Any]]) -> None:
    """The configured name is a function of the staged package."""
    module, _, function = only(resources, "AWS::Lambda::Function")["Handler"].rpartition(".")

    imported = __import__(module, fromlist=[function])

    assert callable(getattr(imported, function))

"""`PostgresTarget.from_hostname`: whatever a DNS name stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from constructs_pg import PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_pg import PostgresEndpointService

    ServiceFactory = Callable[..., PostgresEndpointService]


def tags(stack: cdk.Stack) -> dict[str, Any]:
    """Return the only target group's tags."""
    (group,) = Template.from_stack(stack).find_resources("AWS::ElasticLoadBalancingV2::TargetGroup").values()
    return {tag["Key"].removeprefix("pg-privatelink:"): tag["Value"] for tag in group["Properties"]["Tags"]}


def test_a_name_on_the_premises(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Name servers and ranges are its own; nothing of AWS is behind it, so no group is opened and no event heard."""
    target = PostgresTarget.from_hostname(
        "DB.corp.example.com.", port=6543, nameservers=["192.168.0.2"], allowed_ranges=["192.168.0.0/16"]
    )

    make_service(listeners={"main": target})

    assert tags(stack) == {
        "hostname": "db.corp.example.com",
        "listener": "main",
        "nameservers": "192.168.0.2",
        "port": "6543",
        "ranges": "10.0.0.0/16 192.168.0.0/16",
    }
    template = Template.from_stack(stack)
    template.resource_count_is("AWS::EC2::SecurityGroupIngress", 0)
    template.resource_count_is("AWS::Events::Rule", 1)
    (group,) = template.find_resources("AWS::EC2::SecurityGroup").values()
    allowed = {(rule["CidrIp"], rule["FromPort"]) for rule in group["Properties"]["SecurityGroupEgress"]}
    assert allowed == {("10.0.0.0/16", 6543), ("192.168.0.0/16", 6543)}


def test_security_groups_of_its_servers_are_opened(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """A Postgres of one's own in the VPC has groups like a database of RDS."""
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0", mutable=False)

    make_service(listeners={"main": PostgresTarget.from_hostname("db.example.com", security_groups=[group])})

    rules = Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroupIngress").values()
    assert {rule["Properties"].get("CidrIp") for rule in rules} == {None, "10.0.1.0/24", "10.0.2.0/24"}


def test_its_zones_are_checked(make_service: ServiceFactory) -> None:
    """A target in a zone that the load balancer does not have is never used."""
    target = PostgresTarget.from_hostname("db.example.com", availability_zones=["euc1-az3"])

    with pytest.raises(PostgresEndpointServiceError, match="can fail over to euc1-az3"):
        make_service(listeners={"main": target})


def test_name_and_port_can_be_tokens(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """What another stack exports is known at deployment only."""
    port = cdk.Token.as_number(cdk.Fn.import_value("Port"))
    target = PostgresTarget.from_hostname(cdk.Fn.import_value("Name"), port=port)  # type: ignore[arg-type]

    make_service(listeners={"main": target})

    described = tags(stack)
    assert described["hostname"] == {"Fn::ImportValue": "Name"}
    assert described["port"] == {"Fn::ImportValue": "Port"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hostname": "10.0.0.1"}, "host name '10.0.0.1' is an IPv4 address"),
        ({"hostname": "postgres://db.example.com/x"}, "host name 'postgres://db.example.com/x' is a URL"),
        ({"hostname": "db_1.example.com"}, "host name 'db_1.example.com' is not a DNS name"),
        ({"port": "5432"}, "port must be an integer from 1 to 65535, got '5432'"),
        ({"availability_zones": ["nowhere"]}, "zone must be a zone name"),
        ({"nameservers": ["dns.example.com"]}, "name server must be an IPv4 address"),
        ({"allowed_ranges": ["8.8.8.0/24"]}, "allowed range 8.8.8.0/24 holds addresses"),
    ],
)
def test_every_argument_is_checked(arguments: dict[str, Any], message: str) -> None:
    """A mistake is named where it is made."""
    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresTarget.from_hostname(**{"hostname": "db.example.com", **arguments})

    assert str(caught.value).startswith(message)

"""A load balancer's 50 listeners, of all kinds: within CloudFormation's and IAM's limits."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Template

from constructs_pg import ClusterRole, Consumer, PostgresEndpointService, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

ENVIRONMENT = cdk.Environment(account="111122223333", region="eu-central-1")


def security_group(scope: Construct, number: int) -> ec2.ISecurityGroup:
    """Return a security group of its own for each database: none of the rules can be shared."""
    group_id = f"sg-{number:017x}"
    return ec2.SecurityGroup.from_security_group_id(scope, f"Group{number}", group_id, mutable=False)


def instance(scope: Construct, number: int) -> PostgresTarget:
    """Return an RDS instance."""
    database = rds.DatabaseInstance.from_database_instance_attributes(
        scope,
        f"Instance{number}",
        instance_identifier=f"orders-{number}",
        instance_endpoint_address=f"orders-{number}.abcdefghijkl.eu-central-1.rds.amazonaws.com",
        port=5432,
        security_groups=[security_group(scope, number)],
    )
    return PostgresTarget.from_instance(database)


def readers(scope: Construct, number: int) -> PostgresTarget:
    """Return the readers of a cluster with a name as long as RDS allows."""
    cluster = rds.DatabaseCluster.from_database_cluster_attributes(
        scope,
        f"Cluster{number}",
        cluster_identifier=f"orders-{number:056}",
        reader_endpoint_address=f"orders-{number:056}.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com",
        port=5432,
        security_groups=[security_group(scope, number)],
    )
    return PostgresTarget.from_cluster(cluster, role=ClusterRole.READER)


def proxy(scope: Construct, number: int) -> PostgresTarget:
    """Return an RDS Proxy."""
    imported = rds.DatabaseProxy.from_database_proxy_attributes(
        scope,
        f"Proxy{number}",
        db_proxy_name=f"orders-{number}",
        db_proxy_arn=f"arn:aws:rds:eu-central-1:111122223333:db-proxy:prx-{number}",
        endpoint=f"orders-{number}.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com",
        security_groups=[],
    )
    return PostgresTarget.from_proxy(imported, security_groups=[security_group(scope, number)])


def instances(scope: Construct, number: int) -> PostgresTarget:
    """Return an EC2 instance."""
    return PostgresTarget.from_ec2_instance_ids([f"i-{number:017x}"], security_groups=[security_group(scope, number)])


MIXED: list[Callable[[Construct, int], PostgresTarget]] = [
    instance,
    readers,
    proxy,
    instances,
    lambda _, number: PostgresTarget.from_hostname(f"db-{number}.corp.example.com", allowed_ranges=["192.168.0.0/16"]),
    lambda _, number: PostgresTarget.from_ip_addresses([f"10.0.9.{number}", f"192.168.1.{number}"]),
]


def template(kinds: list[Callable[[Construct, int], PostgresTarget]], count: int) -> dict[str, Any]:
    """Return the template of a service over three zones with so many listeners of these kinds in turn."""
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Stack", env=ENVIRONMENT)
    letters = "abc"
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        vpc_cidr_block="10.0.0.0/16",
        availability_zones=[f"eu-central-1{letter}" for letter in letters],
        private_subnet_ids=[f"subnet-{letter * 17}" for letter in letters],
        private_subnet_ipv4_cidr_blocks=[f"10.0.{index}.0/24" for index in range(3)],
    )
    service = PostgresEndpointService(stack, "Orders", vpc=vpc, consumers=[Consumer.dbt_platform()])
    for number, kind in zip(range(count), itertools.cycle(kinds), strict=False):
        service.add_listener(f"listener{number}", port=5432 + number, target=kind(stack, number))
    return dict(Template.from_stack(stack).to_json())


@pytest.mark.parametrize("kinds", [MIXED, [readers]], ids=["mixed", "readers"])
def test_fifty_listeners_fit_one_stack(kinds: list[Callable[[Construct, int], PostgresTarget]]) -> None:
    """CloudFormation allows 500 resources and 1 MB; a tenth of the former is left for the user's own."""
    whole = template(kinds, 50)

    assert len(whole["Resources"]) < 450
    assert len(json.dumps(whole)) < 1_000_000


def test_fifty_clusters_fit_the_roles_policies() -> None:
    """IAM allows 10,240 characters in a role's inline policies and 6,144 in a managed one, without white space."""
    made = template([readers], 50)["Resources"]
    resources = [each for logical_id, each in made.items() if "ConnectionsGate" not in logical_id]

    (managed,) = (each["Properties"] for each in resources if each["Type"] == "AWS::IAM::ManagedPolicy")
    (inline,) = (each["Properties"] for each in resources if each["Type"] == "AWS::IAM::Policy")
    (statement,) = managed["PolicyDocument"]["Statement"]
    arns = [f"arn:aws-us-gov:rds:us-gov-west-1:111122223333:cluster:{'x' * 63}"] * len(statement["Resource"])
    assert len(arns) == 50
    deployed = {**managed["PolicyDocument"], "Statement": [{**statement, "Resource": arns}]}
    assert len(json.dumps(deployed, separators=(",", ":"))) < 6_144
    assert "rds:" not in json.dumps(inline["PolicyDocument"])

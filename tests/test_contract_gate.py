"""What the constructs send is what the connection gate parses: the one place where both are imported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Template

from connection_gate import custom_resource
from connection_gate.databases import Databases, uncovered
from connection_gate.settings import Settings
from constructs_pg import Consumer, PostgresEndpointService, PostgresTarget
from tests.connection_gate.fakes import Aws

if TYPE_CHECKING:
    from collections.abc import Mapping

ARN = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/net/orders/0123456789abcdef"
SERVICE_ID = "vpce-svc-0123456789abcdef0"
ACCOUNTS = [f"{number:012d}" for number in range(200)]


@pytest.fixture(scope="module")
def resources() -> list[dict[str, Any]]:
    """Return the resources of a service that asks everything of the function, with as many accounts as fit."""
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
    PostgresEndpointService(
        stack,
        "Orders",
        vpc=ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", availability_zones=["a", "b"]),
        vpc_subnets=ec2.SubnetSelection(subnets=subnets),
        vpc_cidrs=["10.0.0.0/16"],
        listeners={"main": PostgresTarget.from_ip_addresses(["10.0.1.5"], port=5432, security_groups=[])},
        consumers=[Consumer(name="All", principals=["*"])],
        accept_from=ACCOUNTS,
        reject_others=True,
        reject_connections_on_delete=True,
    )
    return list(Template.from_stack(stack).to_json()["Resources"].values())


def only(resources: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    """Return the properties of the only resource of a type."""
    (found,) = (each["Properties"] for each in resources if each["Type"] == kind)
    return dict(found)


def variables(resources: list[dict[str, Any]]) -> Mapping[str, str]:
    """Return the function's environment, with what is known only at deployment filled in."""
    given = only(resources, "AWS::Lambda::Function")["Environment"]["Variables"]
    assert set(given) == {"ACCEPT_FROM", "LOAD_BALANCER_ARN", "REJECT_OTHERS", "SERVICE_ID"}
    return {**given, "LOAD_BALANCER_ARN": ARN, "SERVICE_ID": SERVICE_ID}


def test_environment(resources: list[dict[str, Any]]) -> None:
    """Every variable is read, and none is missing."""
    settings = Settings.from_environment(variables(resources))

    assert settings == Settings(SERVICE_ID, ARN, frozenset(ACCOUNTS), reject_others=True)


def test_environment_fits(resources: list[dict[str, Any]]) -> None:
    """AWS Lambda takes 4 KB of names and values (docs.aws.amazon.com: gettingstarted-limits)."""
    assert sum(len(name) + len(value) for name, value in variables(resources).items()) < 4096


def test_custom_resources(resources: list[dict[str, Any]]) -> None:
    """Types are those that the function knows; its answers come before CloudFormation's patience ends."""
    zones = only(resources, custom_resource.ZONES_TYPE)
    rejection = only(resources, custom_resource.REJECTION_TYPE)
    timeout = only(resources, "AWS::Lambda::Function")["Timeout"]

    assert set(zones) == {"ServiceToken", "ServiceTimeout", "CodeHash", "Zones"}
    assert set(rejection) == {"ServiceToken", "ServiceTimeout", "CodeHash"}
    for each in (zones, rejection):
        assert float(each["ServiceTimeout"]) > custom_resource._PATIENCE_SECONDS + custom_resource._MARGIN_SECONDS
    assert timeout > custom_resource._PATIENCE_SECONDS + custom_resource._MARGIN_SECONDS


def test_schedule(resources: list[dict[str, Any]]) -> None:
    """Its input is no request of CloudFormation's."""
    (target,) = only(resources, "AWS::Events::Rule")["Targets"]

    assert json.loads(target["Input"]) == {"action": "reconcile"}


def test_handler_exists(resources: list[dict[str, Any]]) -> None:
    """The configured name is a function of the staged package."""
    module, _, function = only(resources, "AWS::Lambda::Function")["Handler"].rpartition(".")

    imported = __import__(module, fromlist=[function])

    assert callable(getattr(imported, function))


class _Rds:
    """Amazon RDS: every subnet group covers a zone that the load balancer lacks."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def describe_db_instances(self, *, DBInstanceIdentifier: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        self.asked.append(DBInstanceIdentifier)
        return {"DBInstances": [{"DBSubnetGroup": self._group("of-instance")}]}

    def describe_db_clusters(self, *, DBClusterIdentifier: str) -> dict[str, Any]:  # noqa: N803
        self.asked.append(DBClusterIdentifier)
        return {"DBClusters": [{"DBSubnetGroup": "of-cluster"}]}

    def describe_db_subnet_groups(self, *, DBSubnetGroupName: str) -> dict[str, Any]:  # noqa: N803
        return {"DBSubnetGroups": [self._group(DBSubnetGroupName)]}

    @staticmethod
    def _group(name: str) -> dict[str, Any]:
        return {"DBSubnetGroupName": name, "Subnets": [{"SubnetAvailabilityZone": {"Name": "eu-central-1z"}}]}


def test_databases_whose_zones_are_asked_for() -> None:
    """What the property names is what RDS is asked, by the call for its kind; the listener is named in the message."""
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
    instance = rds.DatabaseInstance.from_database_instance_attributes(
        stack, "Instance", instance_identifier="Orders", instance_endpoint_address="a", port=5432, security_groups=[]
    )
    cluster = rds.DatabaseCluster.from_database_cluster_attributes(
        stack, "Cluster", cluster_identifier="ledger", cluster_endpoint_address="b", port=5432
    )
    service = PostgresEndpointService(
        stack,
        "Orders",
        vpc=ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", availability_zones=["a", "b"]),
        vpc_subnets=ec2.SubnetSelection(subnets=subnets),
        vpc_cidrs=["10.0.0.0/16"],
        listeners={"main": PostgresTarget.from_instance(instance)},
    )
    service.add_listener("second", port=5433, target=PostgresTarget.from_cluster(cluster))
    sent = only(list(Template.from_stack(stack).to_json()["Resources"].values()), custom_resource.ZONES_TYPE)
    client: Any = _Rds()

    problems = uncovered(Aws().service(), sent["Databases"], Databases(lambda: client))

    assert [problem.partition(":")[0] for problem in problems] == ["main", "second"]
    assert all("can be in eu-central-1z" in problem for problem in problems)
    assert client.asked == ["orders", "ledger"]

"""What each kind of target adds to a service: its target group, the rules, the events and what the function may do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Template
from syrupy.extensions.json import JSONSnapshotExtension

from constructs_pg import ClusterRole, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk
    from syrupy.assertion import SnapshotAssertion

    from constructs_pg import PostgresEndpointService

    ServiceFactory = Callable[..., PostgresEndpointService]

# What is the same for every kind stands in the snapshot of the default service.
_SHOWN = {
    "AWS::EC2::SecurityGroup": ("SecurityGroupEgress",),
    "AWS::EC2::SecurityGroupEgress": (),
    "AWS::EC2::SecurityGroupIngress": ("GroupId", "FromPort", "CidrIp", "SourceSecurityGroupId"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": ("Port", "TargetType", "Targets", "Tags", "TargetGroupAttributes"),
    "AWS::AutoScaling::AutoScalingGroup": ("TargetGroupARNs",),
    "AWS::Events::Rule": ("EventPattern",),
    "AWS::IAM::ManagedPolicy": ("PolicyDocument", "Roles"),
    "Custom::PostgresTargets": ("Listeners",),
}


def security_group(stack: cdk.Stack) -> ec2.ISecurityGroup:
    """Return a security group known by its id."""
    return ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0fedcba9876543210", mutable=False)


def cluster(stack: cdk.Stack) -> rds.IDatabaseCluster:
    """Return a cluster known by its attributes."""
    return rds.DatabaseCluster.from_database_cluster_attributes(
        stack,
        "Cluster",
        cluster_identifier="orders",
        cluster_endpoint_address="orders.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com",
        reader_endpoint_address="orders.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com",
        port=5432,
        instance_identifiers=["orders-1", "orders-2"],
        instance_endpoint_addresses=["a.example.com", "b.example.com"],
        security_groups=[security_group(stack)],
    )


def proxy(stack: cdk.Stack) -> rds.IDatabaseProxy:
    """Return a proxy known by its attributes."""
    return rds.DatabaseProxy.from_database_proxy_attributes(
        stack,
        "Proxy",
        db_proxy_name="orders",
        db_proxy_arn="arn:aws:rds:eu-central-1:111122223333:db-proxy:prx-0123456789abcdef0",
        endpoint="orders.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com",
        security_groups=[],
    )


def auto_scaling_group(stack: cdk.Stack) -> autoscaling.AutoScalingGroup:
    """Return a group in a VPC of its own making, whose instances have a security group known by its id."""
    return autoscaling.AutoScalingGroup(
        stack,
        "Servers",
        vpc=ec2.Vpc.from_vpc_attributes(
            stack,
            "ServersVpc",
            vpc_id="vpc-0123456789abcdef0",
            availability_zones=["euc1-az1"],
            private_subnet_ids=["subnet-0123456789abcdef1"],
        ),
        security_group=security_group(stack),
        instance_type=ec2.InstanceType("t4g.micro"),
        machine_image=ec2.MachineImage.generic_linux({"eu-central-1": "ami-0123456789abcdef0"}),
    )


TARGETS: dict[str, Callable[[cdk.Stack], PostgresTarget]] = {
    "cluster_writer": lambda stack: PostgresTarget.from_cluster(cluster(stack)),
    "cluster_reader": lambda stack: PostgresTarget.from_cluster(cluster(stack), role=ClusterRole.READER),
    "proxy": lambda stack: PostgresTarget.from_proxy(proxy(stack), security_groups=[security_group(stack)]),
    "hostname": lambda _: PostgresTarget.from_hostname(
        "db.corp.example.com", port=6543, nameservers=["192.168.0.2"], allowed_ranges=["192.168.0.0/16"]
    ),
    "ip_addresses": lambda _: PostgresTarget.from_ip_addresses(["10.0.9.9", "192.168.1.5"], port=6543),
    "ec2_instance_ids": lambda stack: PostgresTarget.from_ec2_instance_ids(
        ["i-0123456789abcdef0", "i-0fedcba9876543210"], port=6543, security_groups=[security_group(stack)]
    ),
    "auto_scaling_group": lambda stack: PostgresTarget.from_auto_scaling_group(auto_scaling_group(stack), port=6543),
}


def shown(stack: cdk.Stack) -> dict[str, Any]:
    """Return what a kind of target decides, by logical id."""
    resources = Template.from_stack(stack).to_json()["Resources"]
    described = {
        logical_id: {
            key: value
            for key, value in resource["Properties"].items()
            if key in _SHOWN[resource["Type"]] or not _SHOWN[resource["Type"]]
        }
        for logical_id, resource in resources.items()
        if resource["Type"] in _SHOWN and "ConnectionsGate" not in logical_id  # no target decides about that function
    }
    return {"kinds": sorted({each["Type"] for each in resources.values()}), **described}


@pytest.mark.parametrize("kind", TARGETS)
def test_target(stack: cdk.Stack, make_service: ServiceFactory, snapshot: SnapshotAssertion, kind: str) -> None:
    """What one listener of a kind adds; read line by line whenever it changes."""
    make_service(listeners={"main": TARGETS[kind](stack)})

    assert shown(stack) == snapshot(extension_class=JSONSnapshotExtension)


def test_the_snapshots_are_small() -> None:
    """A snapshot that nobody can read is approved unread."""
    folder = Path(__file__).parent / "__snapshots__" / "test_target_snapshots"
    sizes = {path.stem: len(path.read_text().splitlines()) for path in folder.iterdir()}
    assert set(sizes) == {f"test_target[{kind}]" for kind in TARGETS}
    assert max(sizes.values()) < 200

"""Stacks that are put before the policy packs: as a newcomer makes one, with every option, and for a strict shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_sns as sns

from constructs_pg import AlarmTier, ClusterRole, Consumer, FlowLogs, PostgresEndpointService, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ACCOUNT, REGION = "111122223333", "eu-central-1"


class World:
    """A stack, and what is there before ours: nothing of it has findings."""

    def __init__(self, app: cdk.App) -> None:
        self.stack = cdk.Stack(app, "Stack", env=cdk.Environment(account=ACCOUNT, region=REGION))
        self.vpc = ec2.Vpc.from_vpc_attributes(
            self.stack, "Vpc", vpc_id="vpc-0123456789abcdef0", availability_zones=["euc1-az1", "euc1-az2"]
        )
        self.subnets = [
            ec2.Subnet.from_subnet_attributes(
                self.stack,
                f"Subnet{number}",
                subnet_id=f"subnet-0123456789abcdef{number}",
                availability_zone=f"euc1-az{number}",
                ipv4_cidr_block=f"10.0.{number}.0/24",
                route_table_id=f"rtb-0123456789abcdef{number}",
            )
            for number in (1, 2)
        ]
        self.group = ec2.SecurityGroup.from_security_group_id(self.stack, "Group", "sg-0123456789abcdef0")

    def selection(self) -> ec2.SubnetSelection:
        """Return both subnets."""
        return ec2.SubnetSelection(subnets=self.subnets)

    def key(self) -> kms.Key:
        """Return a key that the packs like."""
        return kms.Key(self.stack, "Key", enable_key_rotation=True)

    def instance(self) -> PostgresTarget:
        """Return an RDS instance, followed by its name."""
        return PostgresTarget.from_instance(
            rds.DatabaseInstance.from_database_instance_attributes(
                self.stack,
                "Instance",
                instance_identifier="orders",
                instance_endpoint_address="orders.abcdefghijkl.eu-central-1.rds.amazonaws.com",
                port=5432,
                security_groups=[self.group],
            )
        )

    def targets(self) -> dict[str, PostgresTarget]:
        """Return targets of every other kind that brings resources or permissions of its own."""
        cluster = rds.DatabaseCluster.from_database_cluster_attributes(
            self.stack,
            "Cluster",
            cluster_identifier="billing",
            cluster_endpoint_address="billing.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com",
            reader_endpoint_address="billing.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com",
            port=5432,
            security_groups=[self.group],
        )
        return {
            "writer": PostgresTarget.from_cluster(cluster),
            "reader": PostgresTarget.from_cluster(cluster, role=ClusterRole.READER),
            "hostname": PostgresTarget.from_hostname("db.corp.example.com", nameservers=["10.0.0.53:5353"]),
            "addresses": PostgresTarget.from_ip_addresses(["10.0.9.9", "192.168.1.5"]),
            "instances": PostgresTarget.from_ec2_instance_ids(["i-0123456789abcdef0"], security_groups=[self.group]),
        }


def _service(world: World, **options: Any) -> PostgresEndpointService:  # noqa: ANN401 - whatever an option may be
    arguments = {"consumers": [Consumer.dbt_platform()], **options}
    return PostgresEndpointService(
        world.stack,
        "Orders",
        vpc=world.vpc,
        vpc_subnets=world.selection(),
        vpc_cidrs=["10.0.0.0/16"],
        listeners={"main": world.instance()},
        **arguments,
    )


def _default(world: World) -> None:
    _service(world)


def _every_option(world: World, **options: Any) -> None:  # noqa: ANN401 - the same
    key = world.key()
    consumer = Consumer(
        name="Partner", principals=["arn:aws:iam::444455556666:root"], source_ranges=["10.20.0.0/16"], request="Hello"
    )
    service = _service(
        world,
        consumers=[consumer],
        private_ipv4_addresses={"euc1-az1": "10.0.1.10", "euc1-az2": "10.0.2.10"},
        accept_from=["444455556666"],
        reject_others=True,
        reject_connections_on_delete=True,
        notification_emails=["ops@example.com"],
        notification_key=key,
        supported_regions=["eu-west-1"],
        deletion_protection=True,
        function_vpc_subnets=world.selection(),
        encryption_key=key,
        log_retention=logs.RetentionDays.ONE_YEAR,
        alarms=AlarmTier.FULL,
        alarm_actions=[sns.Topic.from_topic_arn(world.stack, "Operators", f"arn:aws:sns:{REGION}:{ACCOUNT}:operators")],
        dashboard=True,
        flow_logs=FlowLogs.to_cloud_watch_logs(encryption_key=key),
        **options,
    )
    for index, (name, target) in enumerate(world.targets().items()):
        service.add_listener(name, port=6000 + index, target=target)


def _full(world: World) -> None:
    boundary = iam.ManagedPolicy.from_managed_policy_arn(
        world.stack, "Boundary", f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    )
    _every_option(world, permissions_boundary=boundary)


def _strict(world: World) -> None:
    role = iam.Role.from_role_arn(world.stack, "Role", f"arn:aws:iam::{ACCOUNT}:role/follow-dns", mutable=False)
    _every_option(world, function_role=role)


STACKS: Mapping[str, Callable[[World], None]] = {"default": _default, "full": _full, "strict": _strict}


def _plain_topic(world: World) -> None:
    sns.Topic(world.stack, "Plain")


def _malformed_subnet(world: World) -> None:
    ec2.CfnSubnet(world.stack, "Bad", vpc_id="no-vpc")


def _wide_policy(world: World) -> None:
    iam.Policy(
        world.stack,
        "Wide",
        force=True,
        users=[iam.User.from_user_name(world.stack, "User", "somebody")],
        statements=[iam.PolicyStatement(actions=["*"], resources=["*"])],
    )


#: What is wrong on purpose: each pack must say so.
FAULTS: Mapping[str, Callable[[World], None]] = {
    "topic": _plain_topic,
    "subnet": _malformed_subnet,
    "policy": _wide_policy,
}

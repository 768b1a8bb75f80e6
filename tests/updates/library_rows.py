"""The update matrix of the library: each option, from its default to another value and back."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns

from constructs_pg import AlarmTier, Consumer, DbtEnvironment, FlowLogs
from tests.updates.refusals import ENDPOINT_SERVICE, LOAD_BALANCER, TARGET_GROUP
from tests.updates.row import Row
from tests.updates.target_rows import addresses
from tests.updates.world import Setup, World, instance_target, main, service

DEFAULT = service()
_SERVICE = "PostgresEndpointService"
_OTHER = Consumer(name="Other", principals=["arn:aws:iam::222222222222:root"])
_KEY = "arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"
_ROLE = "arn:aws:iam::111122223333:role/Given"
_BOUNDARY = "arn:aws:iam::111122223333:policy/Boundary"
_ADDRESSES = {"euc1-az1": "10.0.1.10", "euc1-az2": "10.0.2.10"}
_KEEP_ZONE = "Keep the zone; without a database in it, it costs nothing but an address. Without consumers it is removed"
_OTHER_SUBNET = (
    "Without consumers only, and in two deployments: without the zone, then with its other subnet. A third zone stands "
    "in where there are only two"
)
_ANOTHER_SERVICE = (
    "Add a second service under another id, have the consumers connect to it, then remove the first: AWS gives it "
    "another name"
)
_THREE_STEPS = "Three deployments, each to a port that is free: `main` to a third port, `other`, then `main`"


def option(name: str, change: str, value: Any) -> Row:  # noqa: ANN401 - whatever an option may be
    """Return the row of an option of the service that changes in place."""
    return Row(option=f"{_SERVICE}.{name}", change=change, old=DEFAULT, new=service(**{name: value}))


def consumer(name: str, change: str, new: Consumer, old: Consumer | None = None) -> Row:
    """Return the row of an option of a consumer."""
    before = DEFAULT if old is None else service(consumers=[old])
    return Row(option=f"Consumer{name}", change=change, old=before, new=service(consumers=[new]))


def _boundary(world: World) -> iam.IManagedPolicy:
    return iam.ManagedPolicy.from_managed_policy_arn(world.stack, "Boundary", _BOUNDARY)


def _ports(**ports: int) -> Setup:
    databases = {"main": 0, "other": 1, "renamed": 0, "third": 2}
    return service(listeners={name: (port, instance_target(databases[name])) for name, port in ports.items()})


def listener(name: str, change: str, **options: object) -> Row:
    """Return the row of an option of `add_listener` that changes in place."""
    new = service(listeners={"main": (5432, instance_target(0), options), "other": (5433, instance_target(1))})
    return Row(option=f"{_SERVICE}.add_listener.{name}", change=change, old=DEFAULT, new=new)


ROWS = [
    option("acceptance_required", "true to false", value=False),
    option("poll_interval", "5 s to 60 s", cdk.Duration.seconds(60)),
    option("wait_for_healthy", "true to false", value=False),
    option("healthy_timeout", "5 min to 30 s", cdk.Duration.seconds(30)),
    option("deletion_protection", "off to on", value=True),
    option("alarms", "basic to full", AlarmTier.FULL),
    option("alarms", "basic to none", AlarmTier.NONE),
    option("alarm_actions", "none to one", lambda world: [sns.Topic(world.stack, "Operators")]),
    option("dashboard", "off to on", value=True),
    option("flow_logs", "none to rejects in CloudWatch Logs", lambda _: FlowLogs.to_cloud_watch_logs()),
    option("removal_policy", "delete to retain", cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE),
    option("observe_only", "off to on", value=True),
    option("runtime", "Python 3.14 to 3.13", lambda_.Runtime.PYTHON_3_13),
    option("connection_notifications", "on to off", value=False),
    option("notification_topic", "made here to given", lambda world: sns.Topic(world.stack, "Given")),
    option("notification_emails", "given", ["oncall@example.com"]),
    option("notification_key", "none to one", lambda world: kms.Key.from_key_arn(world.stack, "Key", _KEY)),
    option("accept_from", "an account given", ["346425330055"]),
    Row(
        option=f"{_SERVICE}.reject_others",
        change="off to on",
        old=service(accept_from=["346425330055"]),
        new=service(accept_from=["346425330055"], reject_others=True),
    ),
    option("reject_connections_on_delete", "off to on", value=True),
    option("supported_regions", "a Region added", ["eu-west-1"]),
    *(
        Row(
            option=f"{_SERVICE}.{name}",
            change="the consumer pays to the service's owner pays",
            old=DEFAULT,
            new=service(payer_responsibility="ServiceOwner", payer_responsibility_is_irreversible=True),
            refused_back=("payer",),
            way="The owner pays for ever; another endpoint service begins anew",
        )
        for name in ("payer_responsibility", "payer_responsibility_is_irreversible")
    ),
    option("log_retention", "a month to a year", logs.RetentionDays.ONE_YEAR),
    option("encryption_key", "AWS's to one's own", lambda world: kms.Key.from_key_arn(world.stack, "Key", _KEY)),
    option("permissions_boundary", "none to one", _boundary),
    option("function_role", "made here to given", lambda world: iam.Role.from_role_arn(world.stack, "Given", _ROLE)),
    option(
        "connection_function_role",
        "made here to given",
        lambda world: iam.Role.from_role_arn(world.stack, "GivenToo", _ROLE),
    ),
    option("function_vpc_subnets", "outside the VPC to inside", lambda world: world.subnets(7, 8)),
    Row(
        option=f"{_SERVICE}.function_security_groups",
        change="made here to given",
        old=service(function_vpc_subnets=lambda world: world.subnets(7, 8)),
        new=service(
            function_vpc_subnets=lambda world: world.subnets(7, 8),
            function_security_groups=lambda world: [world.security_group(9)],
        ),
    ),
    option("vpc_cidrs", "a range of the VPC added", ["10.0.0.0/16", "10.1.0.0/16"]),
    option("consumers", "a consumer added", [Consumer.dbt_platform(), _OTHER]),
    option("consumers", "another consumer in its place", [_OTHER]),
    option("consumers", "the last consumer removed", ()),
    Row(
        option=f"{_SERVICE}.vpc_subnets",
        change="a zone added",
        old=DEFAULT,
        new=service(vpc_subnets=lambda world: world.subnets(1, 2, 3)),
        refused_back=("subnet-removed",),
        way=_KEEP_ZONE,
    ),
    Row(
        option=f"{_SERVICE}.vpc_subnets",
        change="the same subnets in another order",
        old=DEFAULT,
        new=service(vpc_subnets=lambda world: world.subnets(2, 1)),
    ),
    Row(
        option=f"{_SERVICE}.vpc_subnets",
        change="one subnet for another of its zone",
        old=DEFAULT,
        new=service(vpc_subnets=lambda world: world.subnets(1, 5)),
        refused=("subnet-removed",),
        refused_back=("subnet-removed",),
        way=_OTHER_SUBNET,
    ),
    Row(
        option=f"{_SERVICE}.vpc",
        change="another VPC",
        old=DEFAULT,
        new=service(vpc=lambda world: world.another_vpc(1), vpc_subnets=lambda world: world.subnets(7, 8)),
        refused=("another-vpc", "subnet-removed"),
        refused_back=("another-vpc", "subnet-removed"),
        way=_ANOTHER_SERVICE,
    ),
    Row(
        option=f"{_SERVICE}.construct_id",
        change="another id: it would be another service, and the old one deleted",
        old=DEFAULT,
        new=service(construct_ids=["Renamed"]),
        lost=(LOAD_BALANCER, TARGET_GROUP, TARGET_GROUP, ENDPOINT_SERVICE),
        lost_back=(LOAD_BALANCER, TARGET_GROUP, TARGET_GROUP, ENDPOINT_SERVICE),
        refused=("rule-twice", "service-removed"),
        refused_back=("rule-twice", "service-removed"),
        way=_ANOTHER_SERVICE,
    ),
    Row(
        option=f"{_SERVICE}.listeners",
        change="a listener added",
        old=_ports(other=5433),
        new=DEFAULT,
        lost_back=(TARGET_GROUP,),
    ),
    Row(
        option=f"{_SERVICE}.add_listener.name",
        change="a listener renamed, on a port that is free",
        old=DEFAULT,
        new=_ports(renamed=5434, other=5433),
        lost=(TARGET_GROUP,),
        lost_back=(TARGET_GROUP,),
    ),
    Row(
        option=f"{_SERVICE}.add_listener.name",
        change="a listener renamed, on the same port",
        old=DEFAULT,
        new=_ports(renamed=5432, other=5433),
        lost=(TARGET_GROUP,),
        lost_back=(TARGET_GROUP,),
        refused=("port-taken",),
        refused_back=("port-taken",),
        way="Keep the name, it is shown nowhere. Or two deployments: without the listener, then with the new name; in "
        "between nobody listens on the port",
        through=(_ports(other=5433),),
    ),
    listener("health_check_interval", "10 s to 30 s", health_check_interval=cdk.Duration.seconds(30)),
    listener("healthy_threshold_count", "2 to 5", healthy_threshold_count=5),
    listener("unhealthy_threshold_count", "2 to 5", unhealthy_threshold_count=5),
    Row(
        option=f"{_SERVICE}.private_ipv4_addresses",
        change="chosen by AWS to given",
        old=DEFAULT,
        new=service(private_ipv4_addresses=_ADDRESSES),
        refused=("private-address",),
        refused_back=("private-address",),
        way=f"Decide when the service is made. {_ANOTHER_SERVICE}",
    ),
    Row(
        option=f"{_SERVICE}.private_ipv4_addresses",
        change="a zone added, with its address",
        old=service(private_ipv4_addresses=_ADDRESSES),
        new=service(
            private_ipv4_addresses={**_ADDRESSES, "euc1-az3": "10.0.3.10"},
            vpc_subnets=lambda world: world.subnets(1, 2, 3),
        ),
        refused_back=("subnet-removed",),
        way=_KEEP_ZONE,
    ),
    Row(
        option=f"{_SERVICE}.add_listener.port",
        change="a port that is free",
        old=DEFAULT,
        new=_ports(main=5434, other=5433),
    ),
    Row(
        option=f"{_SERVICE}.add_listener.port",
        change="two listeners swap their ports",
        old=DEFAULT,
        new=_ports(main=5433, other=5432),
        refused=("port-taken",),
        refused_back=("port-taken",),
        way=_THREE_STEPS,
        through=(_ports(main=5434, other=5433), _ports(main=5434, other=5432)),
    ),
    Row(
        option=f"{_SERVICE}.add_listener.port",
        change="the port of a listener that is removed at the same time",
        old=DEFAULT,
        new=_ports(main=5433),
        lost=(TARGET_GROUP,),
        lost_back=(),
        refused=("port-taken",),
        refused_back=("port-taken",),
        way="Two deployments: without the other listener, then on its port",
        through=(_ports(main=5432),),
    ),
    Row(
        option=f"{_SERVICE}.add_listener.target",
        change="another database, with another security group",
        old=DEFAULT,
        new=main(instance_target(2)),
    ),
    Row(
        option=f"{_SERVICE}.add_listener.target",
        change="two listeners swap their databases",
        old=DEFAULT,
        new=service(listeners={"main": (5432, instance_target(1)), "other": (5433, instance_target(0))}),
    ),
    Row(
        option=f"{_SERVICE}.add_listener.target",
        change="the last DNS name of the service: its function goes, or comes",
        old=service(listeners={"main": (5432, instance_target(0))}),
        new=service(listeners={"main": (5432, addresses())}),
        lost=(TARGET_GROUP,),
        lost_back=(TARGET_GROUP,),
    ),
    Row(
        option=f"{_SERVICE}.listeners",
        change="the same listeners in another order",
        old=DEFAULT,
        new=_ports(other=5433, main=5432),
    ),
    consumer(".name", "another name", Consumer(name="Another", principals=_OTHER.principals), _OTHER),
    consumer(".principals", "a principal added", Consumer(name="Other", principals=[*_OTHER.principals, "*"]), _OTHER),
    consumer(
        ".source_ranges",
        "none to some: inbound rules are enforced",
        Consumer(name="Other", principals=_OTHER.principals, source_ranges=["172.20.0.0/16"]),
        _OTHER,
    ),
    consumer(
        ".requires_acceptance",
        "given",
        Consumer(name="Other", principals=_OTHER.principals, requires_acceptance=True),
        _OTHER,
    ),
    consumer(
        ".regions", "given", Consumer(name="Other", principals=_OTHER.principals, regions=["eu-central-1"]), _OTHER
    ),
    consumer(".request", "a text given", Consumer(name="Other", principals=_OTHER.principals, request="Hello"), _OTHER),
    consumer(".dbt_platform", "`Other` to this", Consumer.dbt_platform(), _OTHER),
    consumer(".dbt_single_tenant", "`dbt_platform` to this", Consumer.dbt_single_tenant(account_id="222222222222")),
    consumer(".dbt_self_hosted", "`dbt_platform` to this", Consumer.dbt_self_hosted(account_id="222222222222")),
    consumer(".clickpipes", "`dbt_platform` to this", Consumer.clickpipes()),
    consumer(".databricks_serverless", "`dbt_platform` to this", Consumer.databricks_serverless(region="eu-central-1")),
    consumer(".materialize", "`dbt_platform` to this", Consumer.materialize(principals=_OTHER.principals)),
    consumer(".dbt_platform.environment", "given", Consumer.dbt_platform(environment=DbtEnvironment.EMEA)),
    consumer(".dbt_platform.account_url", "given", Consumer.dbt_platform(account_url="https://ab123.eu1.dbt.com")),
    consumer(
        ".dbt_platform.source_ranges",
        "none to some: inbound rules are enforced",
        Consumer.dbt_platform(source_ranges=["10.20.0.0/16"]),
    ),
]

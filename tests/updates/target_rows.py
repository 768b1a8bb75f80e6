"""The update matrix of what stands behind a listener: each kind of Postgres, each option of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from constructs_pg import ClusterRole, PostgresTarget
from tests.updates.refusals import TARGET_GROUP
from tests.updates.row import Row
from tests.updates.world import World, instance_target, main

if TYPE_CHECKING:
    from tests.updates.world import Target

_ZONES = ["euc1-az1", "euc1-az2"]
_RANGES = ["172.16.0.0/16"]
_NAME_SERVERS = ["192.0.2.53"]
_OWN_GROUP = (
    "The listener, and it alone, gets another target group, for {} cannot change. Connections to the old one end"
)


def instance_created(world: World) -> PostgresTarget:
    """Return a DB instance that is created in the same stack."""
    instance = rds.DatabaseInstance(
        world.stack,
        "Created",
        vpc=world.vpc,
        vpc_subnets=world.subnets(7, 8),
        engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17),
    )
    return PostgresTarget.from_instance(instance)


def cluster(number: int = 0, **options: Any) -> Target:  # noqa: ANN401
    """Return a DB cluster known by its attributes."""

    def make(world: World) -> PostgresTarget:
        imported = rds.DatabaseCluster.from_database_cluster_attributes(
            world.stack,
            "Cluster",
            cluster_identifier=f"cluster-{number}",
            cluster_endpoint_address=f"cluster-{number}.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com",
            reader_endpoint_address=f"cluster-{number}.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com",
            port=5432,
            security_groups=[world.security_group(5)],
        )
        return PostgresTarget.from_cluster(imported, **options)

    return make


def proxy(number: int = 0, **options: Any) -> Target:  # noqa: ANN401
    """Return an RDS Proxy known by its attributes; `groups` are numbers of its security groups."""

    def make(world: World) -> PostgresTarget:
        groups = [world.security_group(each) for each in options.get("groups", [5])]
        imported = rds.DatabaseProxy.from_database_proxy_attributes(
            world.stack,
            "Proxy",
            db_proxy_arn=f"arn:aws:rds:eu-central-1:111122223333:db-proxy:prx-0123456789abcdef{number}",
            db_proxy_name=f"proxy-{number}",
            endpoint=f"proxy-{number}.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com",
            security_groups=groups,
        )
        further = {name: value for name, value in options.items() if name != "groups"}
        return PostgresTarget.from_proxy(imported, security_groups=groups, **further)

    return make


def with_groups(name: str, first: Any, *, groups: tuple[int, ...] = (), **options: Any) -> Target:  # noqa: ANN401
    """Return the target of a factory that takes one value, and security groups by number."""
    return lambda world: getattr(PostgresTarget, name)(
        first, **({"security_groups": [world.security_group(each) for each in groups]} if groups else {}), **options
    )


def hostname(first: str = "postgres.example.com", **options: Any) -> Target:  # noqa: ANN401
    """Return any Postgres behind a DNS name."""
    return with_groups("from_hostname", first, **options)


def addresses(*given: str, **options: Any) -> Target:  # noqa: ANN401
    """Return a Postgres at fixed addresses."""
    return with_groups("from_ip_addresses", given or ("10.0.1.20",), **options)


def instance_ids(*given: str, **options: Any) -> Target:  # noqa: ANN401
    """Return EC2 instances by their ids."""
    return with_groups("from_ec2_instance_ids", given or ("i-0123456789abcdef0",), **options)


def _instance(world: World, number: int) -> ec2.Instance:
    return ec2.Instance(
        world.stack,
        f"Server{number}",
        vpc=world.vpc,
        vpc_subnets=world.subnets(6 + number),
        instance_type=ec2.InstanceType("t4g.micro"),
        machine_image=ec2.MachineImage.generic_linux({"eu-central-1": "ami-0123456789abcdef0"}),
    )


def ec2_instances(*numbers: int, **options: Any) -> Target:  # noqa: ANN401
    """Return EC2 instances that are created in the same stack, the first of them always."""
    return lambda world: PostgresTarget.from_ec2_instances(
        [_instance(world, number) for number in (1, *numbers)], **options
    )


def auto_scaling_group(name: str = "Servers", *, groups: tuple[int, ...] = (), **options: Any) -> Target:  # noqa: ANN401
    """Return an Auto Scaling group that is created in the same stack."""

    def make(world: World) -> PostgresTarget:
        template = ec2.LaunchTemplate(
            world.stack,
            f"{name}Template",
            instance_type=ec2.InstanceType("t4g.micro"),
            machine_image=ec2.MachineImage.generic_linux({"eu-central-1": "ami-0123456789abcdef0"}),
            security_group=world.security_group(5),
        )
        group = autoscaling.AutoScalingGroup(
            world.stack, name, vpc=world.vpc, vpc_subnets=world.subnets(7, 8), launch_template=template
        )
        given = [world.security_group(each) for each in groups] if groups else None
        return PostgresTarget.from_auto_scaling_group(group, security_groups=given, **options)

    return make


def target(name: str, change: str, old: Target, new: Target) -> Row:
    """Return the row of an option of a target, `from_instance.port`: the listener keeps its target group."""
    return Row(option=f"PostgresTarget.{name}", change=change, old=main(old), new=main(new))


def group_of_its_own(name: str, change: str, old: Target, new: Target, *, unlike: str = "the type of a group") -> Row:
    """Return the row of a change with which the listener, and it alone, gets another target group."""
    return Row(
        option=f"PostgresTarget.{name}",
        change=change,
        old=main(old),
        new=main(new),
        lost=(TARGET_GROUP,),
        lost_back=(TARGET_GROUP,),
        way=_OWN_GROUP.format(unlike),
    )


INSTANCE = instance_target(0)
ROWS = [
    target("from_instance.instance", "imported to created in the same stack", INSTANCE, instance_created),
    target("from_instance.port", "5432 to 6432", INSTANCE, instance_target(port=6432)),
    target("from_instance.identifier", "another", INSTANCE, instance_target(identifier="orders-blue")),
    target("from_instance.availability_zones", "given", INSTANCE, instance_target(availability_zones=_ZONES)),
    target("from_instance.nameservers", "given", INSTANCE, instance_target(nameservers=_NAME_SERVERS)),
    target("from_instance.allowed_ranges", "outside the VPC", INSTANCE, instance_target(allowed_ranges=_RANGES)),
    target("from_cluster.cluster", "a DB instance to a cluster", INSTANCE, cluster()),
    target("from_cluster.cluster", "another cluster", cluster(), cluster(1)),
    target("from_cluster.role", "writer to readers", cluster(), cluster(role=ClusterRole.READER)),
    target("from_cluster.port", "5432 to 6432", cluster(), cluster(port=6432)),
    target("from_cluster.identifier", "another", cluster(), cluster(identifier="blue")),
    target("from_cluster.availability_zones", "given", cluster(), cluster(availability_zones=_ZONES)),
    target("from_cluster.nameservers", "given", cluster(), cluster(nameservers=_NAME_SERVERS)),
    target("from_cluster.allowed_ranges", "outside the VPC", cluster(), cluster(allowed_ranges=_RANGES)),
    target("from_proxy.proxy", "a DB instance to a proxy", INSTANCE, proxy()),
    target("from_proxy.proxy", "another proxy", proxy(), proxy(1)),
    target("from_proxy.endpoint", "another of its endpoints", proxy(), proxy(endpoint="read.proxy-a.example.com")),
    target("from_proxy.security_groups", "another", proxy(), proxy(groups=[6])),
    target("from_proxy.port", "5432 to 6432", proxy(), proxy(port=6432)),
    target("from_proxy.availability_zones", "given", proxy(), proxy(availability_zones=_ZONES)),
    target("from_proxy.nameservers", "given", proxy(), proxy(nameservers=_NAME_SERVERS)),
    target("from_proxy.allowed_ranges", "outside the VPC", proxy(), proxy(allowed_ranges=_RANGES)),
    target("from_hostname.hostname", "a DB instance to any name", INSTANCE, hostname()),
    target("from_hostname.hostname", "another name", hostname(), hostname("other.example.com")),
    target("from_hostname.port", "5432 to 6432", hostname(), hostname(port=6432)),
    target("from_hostname.security_groups", "given", hostname(), hostname(groups=(5,))),
    target("from_hostname.availability_zones", "given", hostname(), hostname(availability_zones=_ZONES)),
    target("from_hostname.nameservers", "given", hostname(), hostname(nameservers=_NAME_SERVERS)),
    target("from_hostname.allowed_ranges", "outside the VPC", hostname(), hostname(allowed_ranges=_RANGES)),
    group_of_its_own(
        "from_ip_addresses.addresses",
        "a DB instance to fixed addresses",
        INSTANCE,
        addresses(),
        unlike="whether the function or CloudFormation registers in a group",
    ),
    target("from_ip_addresses.addresses", "other addresses", addresses(), addresses("10.0.2.20", "192.168.0.20")),
    target("from_ip_addresses.port", "5432 to 6432", addresses(), addresses(port=6432)),
    target("from_ip_addresses.security_groups", "given", addresses(), addresses(groups=(5,))),
    target("from_ip_addresses.availability_zones", "given", addresses(), addresses(availability_zones=_ZONES)),
    group_of_its_own("from_ec2_instance_ids.instance_ids", "a DB instance to EC2", INSTANCE, instance_ids()),
    target("from_ec2_instance_ids.instance_ids", "others", instance_ids(), instance_ids("i-0123456789abcdef1")),
    target("from_ec2_instance_ids.port", "5432 to 6432", instance_ids(), instance_ids(port=6432)),
    target("from_ec2_instance_ids.security_groups", "another", instance_ids(groups=(5,)), instance_ids(groups=(6,))),
    target("from_ec2_instances.instances", "one added", ec2_instances(), ec2_instances(2)),
    target("from_ec2_instances.port", "5432 to 6432", ec2_instances(), ec2_instances(port=6432)),
    group_of_its_own("from_auto_scaling_group.group", "a DB instance to a group", INSTANCE, auto_scaling_group()),
    target("from_auto_scaling_group.group", "another", auto_scaling_group(), auto_scaling_group("Others")),
    target("from_auto_scaling_group.security_groups", "others", auto_scaling_group(), auto_scaling_group(groups=(6,))),
    group_of_its_own(
        "from_auto_scaling_group.port",
        "5432 to 6432",
        auto_scaling_group(),
        auto_scaling_group(port=6432),
        unlike="the port on which Auto Scaling registers",
    ),
]

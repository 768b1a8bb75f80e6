"""Every kind of Postgres on an emulated account, and one app with a service for each way to name it.

The stacks: `Created` (databases and service in one stack), `Imported` (the library, databases known by their
attributes), `PgPrivateLink-kinds` (the same databases by the YAML file), `PgPrivateLink-fixed` (YAML, no function).
"""

from __future__ import annotations

import json
import shutil
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from constructs_pg import ClusterRole, Consumer, PostgresEndpointService, PostgresTarget
from emulator.database import Database
from emulator.ports import free_port
from pg_privatelink.app import PgPrivateLinkApp
from tools.demo_world import PROVIDER_ACCOUNT, REGION, VPC_CIDR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.deployment.conftest import Site

# Whatever AWS gives to instances (the lowest free addresses of a subnet), and what the names below stand for.
ADDRESSES = tuple(f"127.0.{subnet}.{host}" for subnet in (0, 1) for host in (*range(4, 10), *range(20, 52)))
OUTSIDE = "192.168.7.20"
PROXY_ADDRESSES = ["127.0.0.40", "127.0.1.40"]
_IMAGE = ec2.MachineImage.generic_linux({REGION: "ami-0123456789abcdef0"})
_MICRO = ec2.InstanceType("t4g.micro")
_AURORA = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_16_4)
_POSTGRES = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_16)


@dataclass(frozen=True)
class Kinds:
    """The account with what a user has before they come to us.

    Attributes:
        site: Emulator, name server, VPC and CDK CLI.
        port: The one port on which all servers listen.
        cluster: An Aurora cluster, as `Control.define_cluster` describes it.
        proxy: An RDS Proxy's endpoint name.
        instance_ids: Two EC2 instances.
        security_groups: One for each stack, since AWS takes each rule once.
    """

    site: Site
    port: int
    cluster: dict[str, Any]
    proxy: str
    instance_ids: tuple[str, str]
    security_groups: dict[str, str]

    def rds_name(self, identifier: str, kind: str = "") -> str:
        """Return the endpoint name of a database that is created later: RDS's names tell the identifier."""
        return f"{identifier}.{kind}{self.site.world.endpoint.partition('.')[2]}"

    def resolve(self, name: str, *addresses: str) -> None:
        """Let a name stand for addresses."""
        self.site.name_server.set(name, addresses, ttl=1)

    def resources(self, stack: str) -> dict[str, tuple[str, str]]:
        """Return type and physical id of a stack's resources, by logical id."""
        rows = self.site.client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
        return {row["LogicalResourceId"]: (row["ResourceType"], row["PhysicalResourceId"]) for row in rows}

    def physical(self, stack: str, kind: str) -> list[str]:
        """Return the physical ids of a stack's resources of a type."""
        return [physical for each, physical in self.resources(stack).values() if each == kind]

    def groups(self, stack: str) -> dict[int, str]:
        """Return the target group behind each port of a stack's load balancer."""
        (arn,) = self.physical(stack, "AWS::ElasticLoadBalancingV2::LoadBalancer")
        listeners = self.site.client("elbv2").describe_listeners(LoadBalancerArn=arn)["Listeners"]
        return {each["Port"]: each["DefaultActions"][0]["TargetGroupArn"] for each in listeners}

    def rows(self, group: str) -> list[dict[str, Any]]:
        """Return what AWS says of a group's targets."""
        answer = self.site.client("elbv2").describe_target_health(TargetGroupArn=group)
        rows: list[dict[str, Any]] = answer["TargetHealthDescriptions"]
        return rows

    def targets(self, group: str) -> dict[str, str]:
        """Return a group's targets and their states."""
        return {row["Target"]["Id"]: row["TargetHealth"]["State"] for row in self.rows(group)}

    def health(self, stack: str) -> dict[int, dict[str, str]]:
        """Return the targets and their states behind each port of a stack's load balancer."""
        return {port: self.targets(group) for port, group in self.groups(stack).items()}

    def function(self, stack: str) -> str:
        """Return the name of the function that follows DNS."""
        (name,) = (
            physical
            for logical, (kind, physical) in self.resources(stack).items()
            if kind == "AWS::Lambda::Function" and "TargetSync" in logical
        )
        return name

    def minute(self, stack: str) -> str:
        """Return what the schedule sends to the function each minute."""
        (found,) = (
            physical
            for logical, (kind, physical) in self.resources(stack).items()
            if kind == "AWS::Events::Rule" and "Schedule" in logical
        )
        # The physical id of a rule on the default bus is its name.
        (target,) = self.site.client("events").list_targets_by_rule(Rule=found.rpartition("|")[2])["Targets"]
        return str(target["Input"])

    def begin_minute(self, *stacks: str) -> None:
        """Send each stack's function what its schedule sends, and do not wait for it."""
        for stack in stacks:
            self.site.client("lambda").invoke(
                FunctionName=self.function(stack), InvocationType="Event", Payload=self.minute(stack).encode()
            )

    def invoke(self, stack: str, payload: str) -> tuple[bool, Any]:
        """Send an event to the function and wait for the end: whether it failed, and what it returned."""
        answer = self.site.client("lambda").invoke(FunctionName=self.function(stack), Payload=payload.encode())
        return "FunctionError" in answer, json.loads(answer["Payload"].read())

    def logged(self, stack: str, message: str, since: float = 0) -> list[dict[str, Any]]:
        """Return the function's log lines with a message.

        Args:
            stack: The function's stack.
            message: What they say.
            since: Seconds since the epoch; earlier lines are left out.
        """
        (group,) = (
            physical
            for logical, (kind, physical) in self.resources(stack).items()
            if kind == "AWS::Logs::LogGroup" and "TargetSync" in logical
        )
        pages = self.site.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        found = []
        for event in (each for page in pages for each in page["events"]):
            for text in event["message"].splitlines():
                line = json.loads(text) if text.startswith("{") else {}
                if line.get("message") == message and line["timestamp"] >= _stamp(since):
                    found.append(line)
        return found


def _stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"


def eventually(look: Callable[[], object], wanted: object, seconds: float = 60) -> None:
    """Wait until what is seen is what is wanted."""
    deadline = time.monotonic() + seconds
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, f"wanted {wanted}, there is {seen}"
        time.sleep(0.2)


@contextmanager
def make_kinds(site: Site) -> Iterator[Kinds]:
    """Make a cluster, a proxy and two EC2 instances in a site's account, and a server on every address."""
    port = free_port(*ADDRESSES)
    world = site.world
    # Who was deregistered is out of sight after a second instead of ten.
    site.emulator.control.set(drain_scale=0.1)
    site.client("rds").create_db_cluster(
        DBClusterIdentifier="ledger",
        Engine="aurora-postgresql",
        DBSubnetGroupName="orders",
        Port=port,
        MasterUsername="postgres",
        ManageMasterUserPassword=True,
    )
    for member in ("ledger-1", "ledger-2"):
        cluster = site.emulator.control.add_member("ledger", member, account=PROVIDER_ACCOUNT, announce=False)
    proxy = site.client("rds").create_db_proxy(
        DBProxyName="pooled",
        EngineFamily="POSTGRESQL",
        DefaultAuthScheme="IAM_AUTH",
        RoleArn=f"arn:aws:iam::{PROVIDER_ACCOUNT}:role/pooled",
        VpcSubnetIds=[each.id for each in world.subnets],
    )["DBProxy"]["Endpoint"]
    instance_ids = [
        site.client("ec2").run_instances(
            ImageId="ami-0123456789abcdef0", InstanceType="t4g.micro", MinCount=1, MaxCount=1, SubnetId=each.id
        )["Instances"][0]["InstanceId"]
        for each in world.subnets
    ]
    groups = {
        name: site.client("ec2").create_security_group(GroupName=name, Description=name, VpcId=world.vpc_id)["GroupId"]
        for name in ("imported", "fixed")
    } | {"kinds": world.database_security_group}
    kinds = Kinds(site, port, cluster, proxy, (instance_ids[0], instance_ids[1]), groups)
    kinds.resolve(world.endpoint, "127.0.0.41")
    kinds.resolve(cluster["endpoint"], "127.0.0.42")
    kinds.resolve(cluster["reader_endpoint"], "127.0.1.43")
    kinds.resolve(cluster["members"]["ledger-1"], "127.0.0.42")
    kinds.resolve(cluster["members"]["ledger-2"], "127.0.1.43")
    kinds.resolve(proxy, *PROXY_ADDRESSES)
    kinds.resolve("self-hosted.example.com", "127.0.0.44", OUTSIDE)
    with ExitStack() as started:
        for address in ADDRESSES:
            started.enter_context(Database(address, port))
        yield kinds


def subnets(scope: cdk.Stack, kinds: Kinds) -> tuple[ec2.IVpc, list[ec2.ISubnet]]:
    """Return the account's VPC and its subnets in a stack."""
    world = kinds.site.world
    made = [
        ec2.Subnet.from_subnet_attributes(
            scope, f"Subnet{index}", subnet_id=each.id, availability_zone=each.zone, ipv4_cidr_block=each.cidr
        )
        for index, each in enumerate(world.subnets)
    ]
    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id=world.vpc_id,
        vpc_cidr_block=VPC_CIDR,
        availability_zones=[each.zone for each in world.subnets],
        private_subnet_ids=[each.id for each in world.subnets],
    )
    return vpc, made


def _add_service(stack: cdk.Stack, kinds: Kinds, targets: list[PostgresTarget]) -> None:
    """Add a service whose listeners are on ports 5432 and following, in the order given."""
    vpc, chosen = subnets(stack, kinds)
    service = PostgresEndpointService(
        stack,
        "Service",
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnets=chosen),
        consumers=[Consumer.dbt_platform()],
        healthy_timeout=cdk.Duration.seconds(20),
    )
    for number, target in enumerate(targets):
        service.add_listener(f"listener-{number}", port=5432 + number, target=target)


def add_created(app: cdk.App, kinds: Kinds) -> None:
    """Add the stack with databases and servers that are created in it."""
    stack = cdk.Stack(app, "Created", env=cdk.Environment(account=PROVIDER_ACCOUNT, region=REGION))
    scope = cdk.Stack.of(stack)
    network = cdk.Stack.of(scope)
    vpc = ec2.Vpc.from_vpc_attributes(
        network,
        "DatabaseVpc",
        vpc_id=kinds.site.world.vpc_id,
        availability_zones=[each.zone for each in kinds.site.world.subnets],
        private_subnet_ids=[each.id for each in kinds.site.world.subnets],
    )
    inside = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
    nameservers = [kinds.site.name_server.endpoint]

    def instance(identifier: str, *, multi_az: bool) -> PostgresTarget:
        made = rds.DatabaseInstance(
            stack,
            identifier,
            instance_identifier=identifier,
            engine=_POSTGRES,
            port=kinds.port,
            vpc=vpc,
            vpc_subnets=inside,
            multi_az=multi_az,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        return PostgresTarget.from_instance(made, nameservers=nameservers)

    aurora = rds.DatabaseCluster(
        stack,
        "Aurora",
        cluster_identifier="aurora",
        engine=_AURORA,
        port=kinds.port,
        vpc=vpc,
        vpc_subnets=inside,
        writer=rds.ClusterInstance.serverless_v2("First", instance_identifier="aurora-1"),
        readers=[rds.ClusterInstance.serverless_v2("Second", instance_identifier="aurora-2")],
        removal_policy=cdk.RemovalPolicy.DESTROY,
    )
    three = rds.CfnDBCluster(
        stack,
        "Three",
        db_cluster_identifier="three",
        engine="postgres",
        db_cluster_instance_class="db.m5d.large",
        db_subnet_group_name="orders",
        port=kinds.port,
        master_username="postgres",
        manage_master_user_password=True,
    )
    multi_az_cluster = rds.DatabaseCluster.from_database_cluster_attributes(
        stack,
        "MultiAzCluster",
        cluster_identifier=three.ref,
        cluster_endpoint_address=three.attr_endpoint_address,
        reader_endpoint_address=three.attr_read_endpoint_address,
        port=kinds.port,
    )
    assert aurora.secret is not None
    proxy = rds.DatabaseProxy(
        stack,
        "Proxy",
        db_proxy_name="made",
        proxy_target=rds.ProxyTarget.from_cluster(aurora),
        secrets=[aurora.secret],
        vpc=vpc,
        vpc_subnets=inside,
    )
    servers = [
        ec2.Instance(
            stack,
            f"Server{number}",
            vpc=vpc,
            vpc_subnets=inside,
            instance_type=_MICRO,
            machine_image=_IMAGE,
            private_ip_address=f"127.0.0.5{number}",
        )
        for number in (0, 1)
    ]
    group = autoscaling.AutoScalingGroup(
        stack,
        "Group",
        vpc=vpc,
        vpc_subnets=inside,
        launch_template=ec2.LaunchTemplate(
            stack,
            "Template",
            instance_type=_MICRO,
            machine_image=_IMAGE,
            security_group=ec2.SecurityGroup(stack, "GroupOfGroup", vpc=vpc),
        ),
        min_capacity=2,
        max_capacity=2,
    )
    kinds.resolve(kinds.rds_name("single"), "127.0.0.30")
    kinds.resolve(kinds.rds_name("multi"), "127.0.1.31")
    kinds.resolve(kinds.rds_name("aurora", "cluster-"), "127.0.0.32")
    kinds.resolve(kinds.rds_name("aurora", "cluster-ro-"), "127.0.1.33")
    kinds.resolve(kinds.rds_name("aurora-1"), "127.0.0.32")
    kinds.resolve(kinds.rds_name("aurora-2"), "127.0.1.33")
    kinds.resolve(kinds.rds_name("three", "cluster-"), "127.0.0.34")
    kinds.resolve(kinds.rds_name("three", "cluster-ro-"), "127.0.1.35")
    for number, address in enumerate(("127.0.0.34", "127.0.1.35", "127.0.1.36"), start=1):
        kinds.resolve(kinds.rds_name(f"three-instance-{number}"), address)
    kinds.resolve(kinds.rds_name("made", "proxy-"), *PROXY_ADDRESSES)
    kinds.resolve("server.example.com", "127.0.0.50")
    _add_service(
        stack,
        kinds,
        [
            instance("single", multi_az=False),
            instance("multi", multi_az=True),
            PostgresTarget.from_cluster(aurora, nameservers=nameservers),
            PostgresTarget.from_cluster(aurora, role=ClusterRole.READER, nameservers=nameservers),
            PostgresTarget.from_cluster(multi_az_cluster, nameservers=nameservers),
            PostgresTarget.from_cluster(multi_az_cluster, role=ClusterRole.READER, nameservers=nameservers),
            PostgresTarget.from_proxy(proxy, port=kinds.port, nameservers=nameservers),
            PostgresTarget.from_hostname(
                "server.example.com",
                port=kinds.port,
                security_groups=servers[0].connections.security_groups,
                nameservers=nameservers,
            ),
            PostgresTarget.from_ip_addresses([servers[0].instance_private_ip], port=kinds.port),
            PostgresTarget.from_ec2_instances(servers, port=kinds.port),
            PostgresTarget.from_auto_scaling_group(group, port=kinds.port),
        ],
    )


def add_imported(app: cdk.App, kinds: Kinds) -> None:
    """Add the stack of a library user whose databases are known by their attributes."""
    stack = cdk.Stack(app, "Imported", env=cdk.Environment(account=PROVIDER_ACCOUNT, region=REGION))
    world = kinds.site.world
    nameservers = [kinds.site.name_server.endpoint]
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", kinds.security_groups["imported"], mutable=False)
    instance = rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        "Instance",
        instance_identifier="orders",
        instance_endpoint_address=world.endpoint,
        port=kinds.port,
        security_groups=[group],
    )
    cluster = rds.DatabaseCluster.from_database_cluster_attributes(
        stack,
        "Cluster",
        cluster_identifier="ledger",
        cluster_endpoint_address=kinds.cluster["endpoint"],
        reader_endpoint_address=kinds.cluster["reader_endpoint"],
        port=kinds.port,
        security_groups=[group],
    )
    proxy = rds.DatabaseProxy.from_database_proxy_attributes(
        stack,
        "Proxy",
        db_proxy_name="pooled",
        db_proxy_arn=f"arn:aws:rds:{REGION}:{PROVIDER_ACCOUNT}:db-proxy:prx-0123456789abcdef0",
        endpoint=kinds.proxy,
        security_groups=[group],
    )
    _add_service(
        stack,
        kinds,
        [
            PostgresTarget.from_instance(instance, nameservers=nameservers),
            PostgresTarget.from_cluster(cluster, nameservers=nameservers),
            PostgresTarget.from_cluster(cluster, role=ClusterRole.READER, nameservers=nameservers),
            PostgresTarget.from_proxy(proxy, security_groups=[group], port=kinds.port, nameservers=nameservers),
            PostgresTarget.from_hostname(
                "self-hosted.example.com",
                port=kinds.port,
                nameservers=nameservers,
                allowed_ranges=["192.168.7.0/24"],
            ),
            PostgresTarget.from_ip_addresses(["127.0.0.45", OUTSIDE], port=kinds.port),
            PostgresTarget.from_ec2_instance_ids(kinds.instance_ids, port=kinds.port, security_groups=[group]),
        ],
    )


def yaml_file(kinds: Kinds, *services: str) -> str:
    """Return a YAML file of services, each given from `listeners:` on, without its indentation.

    Args:
        kinds: Where they are.
        services: Name, a colon and the rest.
    """
    world = kinds.site.world
    chosen = "\n".join(f"        - {{id: {each.id}, zone: {each.zone}, cidr: {each.cidr}}}" for each in world.subnets)
    text = f'account: "{PROVIDER_ACCOUNT}"\nregion: {REGION}\ntermination_protection: false\nservices:\n'
    for service in services:
        name, _, rest = service.partition(":")
        text += f"""\
  {name}:
    vpc:
      id: {world.vpc_id}
      cidrs: [{VPC_CIDR}]
      subnets:
{chosen}
    consumers: [{{dbt_platform: {{environment: EMEA}}}}]
    healthy_timeout: 20
"""
        text += "".join(f"    {line}\n" for line in rest.strip("\n").splitlines())
    return text


def every_kind(kinds: Kinds) -> str:
    """Return the YAML file with each kind in one service, and those without a function in another."""
    asked = f'nameservers: ["{kinds.site.name_server.endpoint}"], port: {kinds.port}'
    groups = {name: f"security_groups: [{group}]" for name, group in kinds.security_groups.items()}
    followed = f"{asked}, {groups['kinds']}"
    first, second = kinds.instance_ids
    cluster = kinds.cluster
    return yaml_file(
        kinds,
        f"""kinds:
poll_interval: 60
listeners:
  instance: {{port: 5432, rds_instance: {{identifier: orders, endpoint: {kinds.site.world.endpoint}, {followed}}}}}
  writer: {{port: 5433, rds_cluster: {{identifier: ledger, endpoint: {cluster["endpoint"]}, {followed}}}}}
  readers:
    port: 5434
    rds_cluster: {{identifier: ledger, role: reader, endpoint: {cluster["reader_endpoint"]}, {followed}}}
  proxy: {{port: 5435, rds_proxy: {{name: pooled, endpoint: {kinds.proxy}, {followed}}}}}
  name:
    port: 5436
    hostname: {{name: self-hosted.example.com, {asked}, allowed_ranges: [192.168.7.0/24]}}
""",
        f"""fixed:
listeners:
  addresses: {{port: 5432, ip_addresses: {{addresses: [127.0.0.45, {OUTSIDE}], port: {kinds.port}}}}}
  servers: {{port: 5433, ec2_instances: {{ids: [{first}, {second}], port: {kinds.port}, {groups["fixed"]}}}}}
""",
    )


def synthesize(kinds: Kinds, text: str, *more: Callable[[cdk.App, Kinds], None]) -> None:
    """Make the assembly of a YAML file and of what is added to its app."""
    site = kinds.site
    site.config.write_text(text)
    shutil.rmtree(site.cdk.assembly, ignore_errors=True)
    app = PgPrivateLinkApp(configuration=site.config, outdir=str(site.cdk.assembly))
    for add in more:
        add(app, kinds)
    app.synth()

"""The two stacks: a database with its endpoint service, and a consumer in a VPC of its own. Imports no AWS SDK."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3_assets as s3_assets

from constructs_pg import AlarmTier, Consumer, PostgresConnectivityCheck, PostgresEndpointService, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from constructs import Construct

PROVIDER, CONSUMER = "PgPrivateLinkInteg", "PgPrivateLinkIntegConsumer"
IDENTIFIER, USER, DATABASE = "pg-privatelink-integ", "postgres", "postgres"
TAG = "pg-privatelink:integ"
PORT, CIDR = 5432, "10.90.0.0/16"
# Connects to an address of the VPC and says what came of it; a program of its own, since nothing else is in that VPC.
_PROBE = """\
import socket, time
def handle(event, context):
    began = time.monotonic()
    try:
        socket.create_connection((event["host"], event["port"]), timeout=3).close()
        outcome = "connected"
    except OSError as error:
        outcome = f"{type(error).__name__}: {error}"
    return {"outcome": outcome, "seconds": round(time.monotonic() - began, 3)}
"""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What differs between an account and the emulator.

    Attributes:
        account: The account.
        region: The Region.
        zones: Two Availability Zones, by name.
        wheel: The wheel of this project, which the consumer's host installs.
        cidr: The range of the database's VPC.
        port: The database's port.
        nameservers: Who knows the database's name; () for AWS's own resolver.
        revision: A text in a tag of the service's stack: another one is an update that changes nothing else.
    """

    account: str
    region: str
    zones: tuple[str, ...]
    wheel: Path
    cidr: str = CIDR
    port: int = PORT
    nameservers: tuple[str, ...] = ()
    revision: str = "1"

    @property
    def environment(self) -> cdk.Environment:
        """Account and Region."""
        return cdk.Environment(account=self.account, region=self.region)


class Provider(cdk.Stack):
    """A Multi-AZ database and the endpoint service before it.

    Args:
        scope: The app.
        settings: Where.
    """

    def __init__(self, scope: Construct, settings: Settings) -> None:
        super().__init__(scope, PROVIDER, env=settings.environment)
        vpc = _vpc(self, settings.zones, settings.cidr, public=False)
        self.database = rds.DatabaseInstance(
            self,
            "Database",
            instance_identifier=IDENTIFIER,
            engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17),
            instance_type=ec2.InstanceType("t4g.micro"),
            allocated_storage=20,
            multi_az=True,
            port=settings.port,
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            credentials=rds.Credentials.from_generated_secret(USER),
            # It holds nothing but what the drill writes.
            removal_policy=cdk.RemovalPolicy.DESTROY,
            backup_retention=cdk.Duration.days(0),
        )
        self.service = PostgresEndpointService(
            self,
            "Service",
            vpc=vpc,
            consumers=[Consumer(name="Integ", principals=[f"arn:aws:iam::{settings.account}:root"])],
            accept_from=[settings.account],
            reject_connections_on_delete=True,
            alarms=AlarmTier.FULL,
            listeners={"main": PostgresTarget.from_instance(self.database, nameservers=settings.nameservers)},
        )
        cdk.Tags.of(self).add(f"{TAG}:revision", settings.revision)
        self._record_events()
        self._probe(vpc, settings.port)
        assert self.database.secret is not None  # credentials from a generated secret
        assert self.service.target_sync is not None  # the target has a name
        _output(self, "LoadBalancer", self.service.load_balancer.load_balancer_arn)
        _output(self, "TargetGroup", self.service.listener("main").target_group.target_group_arn)
        _output(self, "Endpoint", self.database.instance_endpoint.hostname)
        _output(self, "DatabaseGroup", self.database.connections.security_groups[0].security_group_id)
        _output(self, "ServiceGroup", self.service.network.security_group.security_group_id)
        _output(self, "Function", self.service.target_sync.function.function_name)
        _output(self, "FunctionLogGroup", self.service.target_sync.log_group.log_group_name)

    def _record_events(self) -> None:
        """Write down when events of RDS arrive at EventBridge's targets: what the function gets, it gets then."""
        group = logs.LogGroup(
            self, "Events", retention=logs.RetentionDays.ONE_DAY, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        # By hand: the CDK's own target for log groups brings a function to write the policy.
        policy = logs.ResourcePolicy(
            self,
            "EventsPolicy",
            policy_statements=[
                iam.PolicyStatement(
                    principals=[
                        iam.ServicePrincipal("events.amazonaws.com"),
                        iam.ServicePrincipal("delivery.logs.amazonaws.com"),
                    ],
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    resources=[group.log_group_arn],
                )
            ],
        )
        target = f"arn:{self.partition}:logs:{self.region}:{self.account}:log-group:{group.log_group_name}"
        events.CfnRule(
            self,
            "DatabaseEvents",
            event_pattern={"source": ["aws.rds"], "detail": {"SourceIdentifier": [IDENTIFIER]}},
            targets=[events.CfnRule.TargetProperty(arn=target, id="LogGroup")],
        ).node.add_dependency(policy)
        _output(self, "EventsLogGroup", group.log_group_name)

    def _probe(self, vpc: ec2.IVpc, port: int) -> None:
        """Make a function in the database's VPC that connects where it is told."""
        function = lambda_.Function(
            self,
            "Probe",
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler="index.handle",
            code=lambda_.Code.from_inline(_PROBE),
            timeout=cdk.Duration.seconds(10),
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        )
        self.database.connections.allow_from(function, ec2.Port.tcp(port), "The probe of the integration test")
        _output(self, "ProbeFunction", function.function_name)


class ConsumerSide(cdk.Stack):
    """Another VPC with an interface endpoint, a check of it, and a host that runs the drill.

    Args:
        scope: The app.
        provider: The service's stack.
        settings: Where.
    """

    def __init__(self, scope: Construct, provider: Provider, settings: Settings) -> None:
        super().__init__(scope, CONSUMER, env=settings.environment)
        self.add_stack_dependency(provider)
        vpc = _vpc(self, settings.zones, "10.91.0.0/16", public=True)
        check = PostgresConnectivityCheck(
            self,
            "Check",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
            endpoint_service_name=provider.service.endpoint_service_name,
            alarms=False,
        )
        # In a public subnet without anything that comes in: packages and Systems Manager need a way out, and a NAT
        # gateway would cost more than all the rest.
        host = ec2.Instance(
            self,
            "Host",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            instance_type=ec2.InstanceType("t4g.small"),
            machine_image=ec2.MachineImage.latest_amazon_linux2023(cpu_type=ec2.AmazonLinuxCpuType.ARM_64),
            ssm_session_permissions=True,
            require_imdsv2=True,
        )
        check.network.endpoint_group.add_ingress_rule(host.connections.security_groups[0], ec2.Port.tcp(PORT), "Host")
        wheel = s3_assets.Asset(self, "Wheel", path=str(settings.wheel))
        wheel.grant_read(host)
        secret = provider.database.secret
        assert secret is not None  # credentials from a generated secret
        secret.grant_read(host)
        for statement in _drill(settings):
            host.add_to_role_policy(statement)
        _output(self, "CheckFunction", check.function.function_name)
        _output(self, "EndpointId", check.endpoint.vpc_endpoint_id)
        _output(self, "EndpointHost", check.host)
        _output(self, "HostId", host.instance_id)
        _output(self, "WheelUrl", wheel.s3_object_url)
        _output(self, "SecretArn", secret.secret_arn)


def _drill(settings: Settings) -> Sequence[iam.PolicyStatement]:
    """Return what `pg-privatelink drill --iam-policy` asks for, the failover of this database alone."""
    return (
        iam.PolicyStatement(
            actions=[
                "cloudformation:DescribeStacks",
                "cloudformation:ListStackResources",
                "elasticloadbalancing:DescribeListeners",
                "elasticloadbalancing:DescribeTags",
                "rds:DescribeDBClusters",
                "rds:DescribeDBInstances",
            ],
            resources=["*"],
        ),
        iam.PolicyStatement(
            actions=["rds:RebootDBInstance"],
            resources=[f"arn:{cdk.Aws.PARTITION}:rds:{settings.region}:{settings.account}:db:{IDENTIFIER}"],
        ),
    )


def _vpc(scope: cdk.Stack, zones: Sequence[str], cidr: str, *, public: bool) -> ec2.Vpc:
    groups = [ec2.SubnetConfiguration(name="Isolated", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24)]
    if public:
        groups.append(ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24))
    return ec2.Vpc(
        scope,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(cidr),
        availability_zones=list(zones),
        nat_gateways=0,
        subnet_configuration=groups,
        restrict_default_security_group=False,  # it would need a function of CDK's
    )


def _output(stack: cdk.Stack, name: str, value: str) -> None:
    cdk.CfnOutput(stack, name, value=value)


def build(app: cdk.App, settings: Settings) -> tuple[Provider, ConsumerSide]:
    """Add both stacks to an app."""
    provider = Provider(app, settings)
    consumer = ConsumerSide(app, provider, settings)
    cdk.Tags.of(app).add(TAG, "true")
    return provider, consumer

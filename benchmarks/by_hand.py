"""The default service written by hand: the same resources, made with the same CDK classes, and nothing around them.

What the constructs are measured against. It holds no checks, no names of its own and no options; the descriptions are
shorter, everything else in the template is the same, which a test compares.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aws_cdk import aws_rds as rds
    from constructs import Construct

_DBT = "arn:aws:iam::346425330055:role/MTPL_Admin"
_MINUTE = cdk.Duration.minutes(1)
_CATEGORIES = [
    "availability",
    "configuration change",
    "failover",
    "failure",
    "maintenance",
    "notification",
    "recovery",
    "restoration",
]


def make(
    stack: cdk.Stack,
    *,
    vpc: ec2.IVpc,
    vpc_cidr: str,
    databases: Mapping[str, rds.IDatabaseInstance],
    edition: str,
    target_sync: Path,
    connection_gate: Path,
) -> None:
    """Make the service's resources.

    Args:
        stack: The stack.
        vpc: The VPC; its private subnets are the load balancer's.
        vpc_cidr: Its range.
        databases: The databases by listener, the first on port 5432, each further one on the next.
        edition: What the schedule tells the function of its table.
        target_sync: The code of the function that follows DNS.
        connection_gate: The code of the function of the connections.
    """
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc, description="Load balancer", allow_all_outbound=False)
    group.add_egress_rule(ec2.Peer.ipv4(vpc_cidr), ec2.Port.tcp(5432), "Databases")
    group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
    balancer = elbv2.NetworkLoadBalancer(
        stack,
        "LoadBalancer",
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnets=vpc.private_subnets),
        internet_facing=False,
        ip_address_type=elbv2.IpAddressType.IPV4,
        cross_zone_enabled=True,
        deletion_protection=False,
        security_groups=[group],
        enforce_security_group_inbound_rules_on_private_link_traffic=False,
    )
    balancer.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
    service = _service(stack, balancer, vpc)
    gate = _Function(stack, "Gate", "connection_gate.handler.handle", connection_gate, timeout=15, event_age=10)
    _gate(gate, balancer, service, vpc, databases)
    follower = _Function(stack, "Follower", "target_sync.handler.handle", target_sync, timeout=6, event_age=1)
    targets, follow, schedule = _follower(follower, balancer, vpc_cidr, edition)
    followed = {}
    for number, (name, database) in enumerate(databases.items()):
        address = f"{database.instance_endpoint.hostname}:5432"
        followed[name] = f"{address} {vpc_cidr}"
        target_group, needed = _listener(stack, name, 5432 + number, database, vpc, vpc_cidr, balancer, group)
        follow.add_resources(target_group.target_group_arn)
        schedule.node.add_dependency(target_group)
        rule = _event_rule(follower, name, database)
        targets.node.add_dependency(*needed, rule)
        alarm = target_group.metrics.healthy_host_count(statistic="Minimum", period=_MINUTE).create_alarm(
            stack,
            f"NoHealthyTarget{name}",
            threshold=1,
            evaluation_periods=3,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        alarm.node.add_dependency(targets)
    resource = targets.node.default_child
    assert isinstance(resource, cdk.CfnResource)  # noqa: S101  # true of the L2
    resource.add_property_override("Listeners", followed)


class _Function:
    """A function with its log group."""

    def __init__(self, stack: cdk.Stack, name: str, handler: str, code: Path, *, timeout: int, event_age: int) -> None:
        self.stack = stack
        self.name = name
        self.logs = logs.LogGroup(
            stack, f"{name}Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=cdk.RemovalPolicy.DESTROY
        )
        self.role = iam.Role(
            stack, f"{name}Role", description=name, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")
        )
        self.may_log = iam.PolicyStatement(
            actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self.logs.log_group_arn]
        )
        self._code = lambda_.Code.from_asset(str(code))
        self._handler = handler
        self._timeout = timeout
        self._event_age = event_age
        self.code_hash = cdk.FileSystem.fingerprint(str(code))

    def make(self, environment: Mapping[str, str]) -> lambda_.Function:
        """Make the function, once its role may do what it has to."""
        self.function = lambda_.Function(
            self.stack,
            f"{self.name}Function",
            description=self.name,
            code=self._code,
            handler=self._handler,
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=128,
            timeout=cdk.Duration.minutes(self._timeout),
            role=self.role,
            log_group=self.logs,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            retry_attempts=0,
            max_event_age=cdk.Duration.minutes(self._event_age),
            environment=dict(environment),
        )
        return self.function

    def resource(self, name: str, kind: str, *, timeout: cdk.Duration, **properties: object) -> cdk.CustomResource:
        """Make a custom resource that this function answers for."""
        return cdk.CustomResource(
            self.stack,
            name,
            service_token=self.function.function_arn,
            resource_type=kind,
            service_timeout=timeout,
            removal_policy=cdk.RemovalPolicy.RETAIN,
            properties={"CodeHash": self.code_hash, **properties},
        )

    def rule(self, name: str, *, constant_input: str | None = None, **properties: Any) -> events.CfnRule:  # noqa: ANN401
        """Make a rule that invokes this function."""
        retry = events.CfnRule.RetryPolicyProperty(maximum_event_age_in_seconds=60, maximum_retry_attempts=0)
        target = events.CfnRule.TargetProperty(
            arn=self.function.function_arn, id="TargetSync", input=constant_input, retry_policy=retry
        )
        return events.CfnRule(self.stack, name, description=name, state="ENABLED", targets=[target], **properties)


def _service(stack: cdk.Stack, balancer: elbv2.NetworkLoadBalancer, vpc: ec2.IVpc) -> ec2.VpcEndpointService:
    service = ec2.VpcEndpointService(
        stack,
        "EndpointService",
        vpc_endpoint_service_load_balancers=[balancer],
        acceptance_required=True,
        allowed_principals=[iam.ArnPrincipal(_DBT)],
    )
    for child in service.node.find_all():
        if isinstance(child, cdk.CfnResource):
            child.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
    cdk.Tags.of(service).add("pg-privatelink:zones", " ".join(each.availability_zone for each in vpc.private_subnets))
    topic = sns.Topic(stack, "Topic", enforce_ssl=True)
    added = topic.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("vpce.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={
                "ArnLike": {"aws:SourceArn": _service_arn(service)},
                "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
            },
        )
    )
    notification = ec2.CfnVPCEndpointConnectionNotification(
        stack,
        "Notification",
        connection_events=["Connect"],
        connection_notification_arn=topic.topic_arn,
        service_id=service.vpc_endpoint_service_id,
    )
    assert added.policy_dependable is not None  # noqa: S101  # true of a topic made here
    notification.node.add_dependency(added.policy_dependable)
    topic.metric_number_of_messages_published(period=cdk.Duration.minutes(5), statistic="Sum").create_alarm(
        stack,
        "ConnectionWaits",
        threshold=1,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    return service


def _service_arn(service: ec2.VpcEndpointService) -> str:
    return cdk.Stack.of(service).format_arn(
        service="ec2", resource="vpc-endpoint-service", resource_name=service.vpc_endpoint_service_id
    )


def _gate(
    gate: _Function,
    balancer: elbv2.NetworkLoadBalancer,
    service: ec2.VpcEndpointService,
    vpc: ec2.IVpc,
    databases: Mapping[str, rds.IDatabaseInstance],
) -> None:
    stack = gate.stack
    policy = iam.ManagedPolicy(
        stack,
        "GatePolicy",
        description="Gate",
        roles=[gate.role],
        statements=[
            gate.may_log,
            iam.PolicyStatement(
                sid="ReadZones",
                actions=["ec2:DescribeVpcEndpointServiceConfigurations", "elasticloadbalancing:DescribeLoadBalancers"],
                resources=["*"],
            ),
            iam.PolicyStatement(
                sid="LearnZones",
                actions=["ec2:ModifyVpcEndpointServiceConfiguration"],
                resources=[_service_arn(service)],
            ),
            iam.PolicyStatement(sid="ReadStack", actions=["cloudformation:DescribeStacks"], resources=[stack.stack_id]),
        ],
    )
    read = iam.ManagedPolicy(
        stack,
        "ReadInstances",
        description="Databases",
        roles=[gate.role],
        statements=[
            iam.PolicyStatement(
                sid="ReadInstances",
                actions=["rds:DescribeDBInstances"],
                resources=[
                    stack.format_arn(
                        service="rds",
                        resource="db",
                        resource_name=each.instance_identifier,
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    )
                    for each in databases.values()
                ],
            )
        ],
    )
    function = gate.make(
        {"SERVICE_ID": service.vpc_endpoint_service_id, "LOAD_BALANCER_ARN": balancer.load_balancer_arn}
    )
    function.node.add_dependency(policy)
    zones = gate.resource(
        "Zones",
        "Custom::PostgresEndpointServiceZones",
        timeout=cdk.Duration.minutes(7),
        Zones=[subnet.availability_zone for subnet in vpc.private_subnets],
        Databases={name: f"db:{database.instance_identifier}" for name, database in databases.items()},
    )
    zones.node.add_dependency(read)


def _follower(
    follower: _Function, balancer: elbv2.NetworkLoadBalancer, vpc_cidr: str, edition: str
) -> tuple[cdk.CustomResource, iam.PolicyStatement, events.CfnRule]:
    stack = follower.stack
    follow = iam.PolicyStatement(
        sid="FollowTargets",
        actions=[
            "elasticloadbalancing:AddTags",
            "elasticloadbalancing:DeregisterTargets",
            "elasticloadbalancing:RegisterTargets",
        ],
        conditions={"ForAllValues:StringEquals": {"aws:TagKeys": ["pg-privatelink:followed"]}},
    )
    read = iam.PolicyStatement(
        sid="ReadTargets",
        actions=[
            "elasticloadbalancing:DescribeTags",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
        ],
        resources=["*"],
    )
    for statement in (follower.may_log, follow, read):
        follower.role.add_to_principal_policy(statement)
    function = follower.make(
        {
            "LOAD_BALANCER_ARN": balancer.load_balancer_arn,
            "VPC_RANGES": vpc_cidr,
            "POLL_INTERVAL_SECONDS": "5",
        }
    )
    permission = lambda_.CfnPermission(
        stack,
        "AllowEventRules",
        action="lambda:InvokeFunction",
        function_name=function.function_arn,
        principal="events.amazonaws.com",
        source_account=cdk.Aws.ACCOUNT_ID,
        source_arn=stack.format_arn(service="events", resource="rule", resource_name="*"),
    )
    watch = json.dumps({"action": "watch", "listeners": edition})
    schedule = follower.rule("Schedule", constant_input=watch, schedule_expression="rate(1 minute)")
    start = follower.resource("Start", "Custom::PostgresTargetSyncStart", timeout=_MINUTE)
    targets = follower.resource(
        "Targets",
        "Custom::PostgresTargets",
        timeout=cdk.Duration.minutes(7),
        WaitForHealthy="true",
        HealthyTimeoutSeconds="300",
    )
    targets.node.add_dependency(start, permission, schedule)
    function.metric_errors(statistic="Sum", period=_MINUTE).create_alarm(
        stack,
        "Fails",
        threshold=1,
        evaluation_periods=5,
        datapoints_to_alarm=3,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    silent = function.metric_invocations(statistic="Sum", period=_MINUTE).create_alarm(
        stack,
        "Silent",
        threshold=1,
        evaluation_periods=5,
        comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
    )
    silent.node.add_dependency(targets)
    return targets, follow, schedule


def _listener(  # noqa: PLR0917  # all that a listener is made of
    stack: cdk.Stack,
    name: str,
    port: int,
    database: rds.IDatabaseInstance,
    vpc: ec2.IVpc,
    vpc_cidr: str,
    balancer: elbv2.NetworkLoadBalancer,
    group: ec2.SecurityGroup,
) -> tuple[elbv2.NetworkTargetGroup, Sequence[Construct]]:
    target_group = elbv2.NetworkTargetGroup(
        stack,
        f"{name}TargetGroup",
        vpc=vpc,
        port=5432,
        protocol=elbv2.Protocol.TCP,
        target_type=elbv2.TargetType.IP,
        health_check=elbv2.HealthCheck(
            protocol=elbv2.Protocol.TCP,
            port="traffic-port",
            interval=cdk.Duration.seconds(10),
            timeout=cdk.Duration.seconds(10),
            healthy_threshold_count=2,
            unhealthy_threshold_count=2,
        ),
        deregistration_delay=cdk.Duration.seconds(10),
        connection_termination=True,
        proxy_protocol_v2=False,
        preserve_client_ip=False,
    )
    resource = target_group.node.default_child
    assert isinstance(resource, elbv2.CfnTargetGroup)  # noqa: S101  # true of the L2
    tags = {
        "listener": name,
        "hostname": database.instance_endpoint.hostname,
        "port": "5432",
        "ranges": vpc_cidr,
    }
    for key, value in tags.items():
        resource.tags.set_tag(f"pg-privatelink:{key}", value)
    listener = elbv2.NetworkListener(
        stack,
        f"{name}Listener",
        load_balancer=balancer,
        port=port,
        protocol=elbv2.Protocol.TCP,
        default_target_groups=[target_group],
    )
    for each in (target_group, listener):
        each.node.default_child.apply_removal_policy(cdk.RemovalPolicy.DESTROY)  # type: ignore[union-attr]  # an L1
    sources: list[dict[str, str]] = [
        {"source_security_group_id": group.security_group_id},
        *({"cidr_ip": subnet.ipv4_cidr_block} for subnet in vpc.private_subnets),
    ]
    rules = [
        ec2.CfnSecurityGroupIngress(
            stack,
            f"{name}Ingress{number}{index}",
            group_id=database_group.security_group_id,
            ip_protocol="tcp",
            from_port=5432,
            to_port=5432,
            description="Load balancer",
            **source,
        )
        for number, database_group in enumerate(database.connections.security_groups)
        for index, source in enumerate(sources)
    ]
    return target_group, [listener, *rules]


def _event_rule(follower: _Function, name: str, database: rds.IDatabaseInstance) -> events.CfnRule:
    return follower.rule(
        f"{name}Events",
        event_pattern={
            "source": ["aws.rds"],
            "detail-type": ["RDS DB Instance Event"],
            "detail": {
                "SourceIdentifier": [database.instance_identifier],
                "EventCategories": _CATEGORIES,
            },
        },
    )

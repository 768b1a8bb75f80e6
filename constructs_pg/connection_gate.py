"""`ConnectionGate`: the function that accepts and rejects connections, and tells the service of its zones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from ._acknowledgments import CONCURRENCY, DEAD_LETTERS, DESCRIBE_ACTIONS
from ._assets import stage_connection_gate
from ._keys import allow_logs_to_use
from .function_network import FunctionNetwork
from .function_permissions import NOT_BY_CODE, acknowledge_network_interfaces, network_interface_statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_elasticloadbalancingv2 as elbv2
    from aws_cdk import aws_kms as kms
    from constructs import IDependable

_HANDLER = "connection_gate.handler.handle"
# Of a zone that AWS does not enable within minutes the function reminds it for as long as it may run.
_FUNCTION_TIMEOUT = cdk.Duration.minutes(15)
# It answers after 5 minutes at the latest; CloudFormation waits a little longer, so that the reason arrives.
_RESOURCE_TIMEOUT = cdk.Duration.minutes(7)
_RECONCILE_INTERVAL = cdk.Duration.minutes(10)


class ConnectionGate(Construct):
    """One function for what a service's connections need, with its role, its log group and its custom resources.

    On deployment it has the endpoint service learn zones that the load balancer has gained. More it does only where
    it is told to: see `accept` and `reject_on_delete`.

    Args:
        scope: The construct of the connections.
        construct_id: This construct's id.
        load_balancer: The service's load balancer.
        endpoint_service_id: The service's id.
        endpoint_service_arn: Its ARN.
        zones: The load balancer's zones: when they change, the service is told.
        accept_from: The accounts whose connections are accepted.
        reject_others: Whether waiting connections of other accounts are rejected.
        runtime: The function's runtime.
        vpc: The load balancer's VPC.
        vpc_subnets: The subnets of that VPC in which the function runs; None runs it outside (default: None).
        security_groups: Security groups for a function in the VPC; None makes one (default: None).
        encryption_key: A key for the function's environment and logs; None leaves both to AWS (default: None).
        permissions_boundary: A permissions boundary for the role (default: none).
        log_retention: How long logs are kept (default: one month).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        load_balancer: elbv2.NetworkLoadBalancer,
        endpoint_service_id: str,
        endpoint_service_arn: str,
        zones: Sequence[str],
        accept_from: Sequence[str],
        reject_others: bool,
        runtime: lambda_.Runtime,
        vpc: ec2.IVpc,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        encryption_key: kms.IKey | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        stage = cdk.Stage.of(self)
        assert stage is not None  # noqa: S101 - every stack has one
        code = stage_connection_gate(Path(stage.asset_outdir) / "pg-privatelink-connection-gate")
        code_hash = cdk.FileSystem.fingerprint(str(code))
        self._endpoint_service_arn = endpoint_service_arn
        self.log_group = logs.LogGroup(
            self,
            "LogGroup",
            retention=log_retention,
            encryption_key=encryption_key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.role = self._role(permissions_boundary)
        if encryption_key is not None:
            allow_logs_to_use(encryption_key, stack=cdk.Stack.of(self))
            self._allow("DecryptEnvironment", "kms:Decrypt", resource=encryption_key.key_arn, conditions=NOT_BY_CODE)
        #: None outside the VPC.
        self.network: FunctionNetwork | None = None
        if vpc_subnets is not None:
            self.network = FunctionNetwork(
                self,
                "Network",
                vpc=vpc,
                vpc_subnets=vpc_subnets,
                security_groups=security_groups,
                services="'ec2', 'elasticloadbalancing' and, to reject connections on deletion, 'cloudformation'",
            )
            self._policy.add_statements(*network_interface_statements(self.network))
            acknowledge_network_interfaces(self._policy, self.network)
        self.function = lambda_.Function(
            self,
            "Function",
            description="Connections and zones of a Postgres endpoint service",
            code=lambda_.Code.from_asset(str(code)),
            handler=_HANDLER,
            runtime=runtime,
            architecture=lambda_.Architecture.ARM_64,
            memory_size=128,
            timeout=_FUNCTION_TIMEOUT,
            role=self.role,
            vpc=None if self.network is None else self.network.vpc,
            vpc_subnets=None if self.network is None else ec2.SubnetSelection(subnets=self.network.subnets),
            security_groups=None if self.network is None else self.network.security_groups,
            environment_encryption=encryption_key,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
            system_log_level_v2=lambda_.SystemLogLevel.WARN,
            # The next look repairs what failed.
            retry_attempts=0,
            max_event_age=cdk.Duration.minutes(10),
            environment={
                "SERVICE_ID": endpoint_service_id,
                "LOAD_BALANCER_ARN": load_balancer.load_balancer_arn,
                **({"ACCEPT_FROM": " ".join(accept_from)} if accept_from else {}),
                **({"REJECT_OTHERS": "true"} if reject_others else {}),
            },
        )
        for acknowledged in (CONCURRENCY, DEAD_LETTERS):
            acknowledged.on(self.function)
        self.function.node.add_dependency(self._policy)
        self.zones = cdk.CustomResource(
            self,
            "Zones",
            service_token=self.function.function_arn,
            resource_type="Custom::PostgresEndpointServiceZones",
            service_timeout=_RESOURCE_TIMEOUT,
            # Never called on deletion: there is nothing to undo.
            removal_policy=cdk.RemovalPolicy.RETAIN,
            properties={"CodeHash": code_hash, "Zones": list(zones)},
        )
        self._code_hash = code_hash
        if accept_from:
            self._allow("AcceptConnections", "ec2:AcceptVpcEndpointConnections")
        if reject_others:
            self._allow("RejectConnections", "ec2:RejectVpcEndpointConnections")

    def accept(self, topic: sns.ITopic | None, *, after: Sequence[IDependable] = ()) -> None:
        """Look at the connections when there is a notification, and every 10 minutes in case one is lost.

        Args:
            topic: The topic of the notifications; None leaves it to the schedule.
            after: What must exist before; on deletion, what goes later.
        """
        self._allow("ReadConnections", "ec2:DescribeVpcEndpointConnections", resource="*")
        schedule = events.CfnRule(
            self,
            "Schedule",
            description="Connections of a Postgres endpoint service: finds those of which no notification came",
            schedule_expression=f"rate({_RECONCILE_INTERVAL.to_minutes():.0f} minutes)",
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    arn=self.function.function_arn,
                    id="ConnectionGate",
                    input='{"action": "reconcile"}',
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=60, maximum_retry_attempts=0
                    ),
                )
            ],
        )
        called = [schedule, self._permission("AllowSchedule", "events.amazonaws.com", schedule.attr_arn)]
        if topic is not None:
            permission = self._permission("AllowTopic", "sns.amazonaws.com", topic.topic_arn)
            subscription = sns.CfnSubscription(
                self,
                "Subscription",
                topic_arn=topic.topic_arn,
                protocol="lambda",
                endpoint=self.function.function_arn,
            )
            subscription.node.add_dependency(permission)
            called += [permission, subscription]
        for each in called:
            each.node.add_dependency(*after)

    def reject_on_delete(self) -> cdk.CustomResource:
        """Reject all connections when the stack is deleted.

        Returns:
            What does so. What it depends on is deleted after it, and what depends on it before.
        """
        stack = cdk.Stack.of(self)
        # A policy of its own: when the option is turned off, it goes after the custom resource that needs it.
        policy = iam.ManagedPolicy(
            self,
            "RejectionPolicy",
            description="Reject the connections of a Postgres endpoint service that is deleted",
            roles=[self.role],
            statements=[
                iam.PolicyStatement(
                    sid="ReadConnections", actions=["ec2:DescribeVpcEndpointConnections"], resources=["*"]
                ),
                iam.PolicyStatement(
                    sid="RejectConnections",
                    actions=["ec2:RejectVpcEndpointConnections"],
                    resources=[self._endpoint_service_arn],
                ),
                # Turning the option off deletes the custom resource too, and must reject nobody.
                iam.PolicyStatement(
                    sid="ReadStack", actions=["cloudformation:DescribeStacks"], resources=[stack.stack_id]
                ),
            ],
        )
        DESCRIBE_ACTIONS.on(policy)
        rejection = cdk.CustomResource(
            self,
            "Rejection",
            service_token=self.function.function_arn,
            resource_type="Custom::PostgresConnectionRejection",
            service_timeout=_RESOURCE_TIMEOUT,
            removal_policy=cdk.RemovalPolicy.DESTROY,
            properties={"CodeHash": self._code_hash},
        )
        # A function that cannot start is found out by the other resource, whose deletion calls nobody.
        rejection.node.add_dependency(self.zones, policy)
        return rejection

    def _role(self, permissions_boundary: iam.IManagedPolicy | None) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description="Connections and zones of a Postgres endpoint service",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            permissions_boundary=permissions_boundary,
        )
        # Managed, since many a policy pack refuses inline ones.
        self._policy = iam.ManagedPolicy(
            self, "Policy", description="Connections and zones of a Postgres endpoint service", roles=[role]
        )
        self._policy.add_statements(
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self.log_group.log_group_arn]
            )
        )
        self._policy.add_statements(
            iam.PolicyStatement(
                sid="ReadZones",
                actions=[
                    "ec2:DescribeVpcEndpointServiceConfigurations",
                    "elasticloadbalancing:DescribeLoadBalancers",
                ],
                resources=["*"],
            )
        )
        self._policy.add_statements(
            iam.PolicyStatement(
                sid="LearnZones",
                actions=["ec2:ModifyVpcEndpointServiceConfiguration"],
                resources=[self._endpoint_service_arn],
            )
        )
        DESCRIBE_ACTIONS.on(self._policy)
        self._allowed: set[str] = set()
        return role

    def _allow(
        self, sid: str, action: str, *, resource: str | None = None, conditions: Mapping[str, object] | None = None
    ) -> None:
        """Allow an action once, on the endpoint service unless told otherwise."""
        if sid not in self._allowed:
            self._allowed.add(sid)
            self._policy.add_statements(
                iam.PolicyStatement(
                    sid=sid,
                    actions=[action],
                    resources=[resource or self._endpoint_service_arn],
                    conditions=conditions,
                )
            )

    def _permission(self, construct_id: str, principal: str, source_arn: str) -> lambda_.CfnPermission:
        return lambda_.CfnPermission(
            self,
            construct_id,
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal=principal,
            source_arn=source_arn,
        )

"""`PostgresConnectivityCheck`: an endpoint of one's own that proves the path without the consumer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from ._acknowledgments import DESCRIBE_ACTIONS
from ._assets import stage_connectivity_check
from ._functions import asset_folder, make_function
from ._keys import allow_logs_to_use
from ._validation import (
    check_alarm_topics,
    check_check_minutes,
    check_check_ports,
    check_endpoint_service_name,
)
from .check_network import CheckNetwork
from .errors import PostgresEndpointServiceError
from .network_interfaces import NOT_BY_CODE, acknowledge_network_interfaces, network_interface_statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

_HANDLER = "connectivity_check.handler.handle"
_NAMESPACE = "PgPrivateLink"
_CONNECTION_TIMEOUT_SECONDS = 5
# 50 ports in 3 zones, 16 connections at a time, each until its timeout.
_FUNCTION_TIMEOUT = cdk.Duration.minutes(2)
_PERIODS = 3
_NO_ANSWER = (
    "No check of port {port} succeeded in all zones of the endpoint for {periods} intervals: consumers may not be able "
    "to connect either. The last line in the function's log says how it failed: dns (is the endpoint accepted?), "
    "timeout (security groups, source_ranges, no target), refused (no listener on that port, or the database is down), "
    "not-postgres, closed, no-tls. Without any line it does not run"
)


class PostgresConnectivityCheck(Construct):
    """An interface endpoint in a VPC of yours, and a function that connects to Postgres through it.

    It goes the consumer's way, from the endpoint through the load balancer to the database, up to the first byte that
    Postgres answers: no user and no password are needed. It reports latency, whether the server can do TLS, and how a
    connection failed, as a log line and as metrics (docs/monitoring.md).

    The endpoint's account must be a consumer of the service, `Consumer(name="Check",
    principals=["arn:aws:iam::<account>:root"])`, before this is deployed: within one stack, let this construct depend
    on the service (`check.node.add_dependency(service)`). Where connections wait, its endpoint has to be accepted like
    any other. Where the service enforces `source_ranges`, this VPC's must be among them. Run it at once with
    `aws lambda invoke` on `function`.

    Args:
        scope: The stack, or a construct in it.
        construct_id: The check's id.
        vpc: The VPC of the endpoint and the function. Its DNS support must be on.
        endpoint_service_name: The service's name, `com.amazonaws.vpce.<region>.vpce-svc-...`.
        ports: The listeners' ports to check, up to 50 (default: 5432).
        vpc_subnets: Private subnets, one in each zone to check; all in zones that the service has (default: one private
            subnet in each zone).
        interval: The time between two checks, 1 to 60 minutes, whole (default: 5 minutes).
        tls_required: Whether a server that can do no TLS counts as failed (default: false, it is only reported).
        alarms: Whether an alarm for each port tells that no check succeeded for three intervals (default: true).
        alarm_actions: Topics that these alarms tell, up to 5 (default: none).
        runtime: The function's runtime (default: Python 3.14, pinned).
        encryption_key: A key for the function's environment and its log group (default: keys of AWS's own).
        permissions_boundary: A permissions boundary for the function's role (default: none).
        log_retention: How long the function's logs are kept; they are deleted with the stack (default: one month).

    Attributes:
        function: The function, for `aws lambda invoke`.
        endpoint: The endpoint, `ec2.InterfaceVpcEndpoint`.
        log_group: The function's log group.
        alarms: The alarm of each port, by the port; none if they are turned off.

    Raises:
        PostgresEndpointServiceError: An argument is out of its range or contradicts another.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        endpoint_service_name: str,
        ports: Sequence[int] = (5432,),
        vpc_subnets: ec2.SubnetSelection | None = None,
        interval: cdk.Duration | None = None,
        tls_required: bool = False,
        alarms: bool = True,
        alarm_actions: Sequence[sns.ITopic] = (),
        runtime: lambda_.Runtime = lambda_.Runtime.PYTHON_3_14,
        encryption_key: kms.IKey | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        check_endpoint_service_name(endpoint_service_name)
        self.ports = check_check_ports(ports)
        interval = interval or cdk.Duration.minutes(5)
        self._interval = cdk.Duration.minutes(check_check_minutes(interval.to_minutes(integral=False)))
        check_alarm_topics([topic.node.path for topic in alarm_actions], has_alarms=alarms)
        #: The value of the metrics' dimension `Check`.
        self.check_name = cdk.Names.unique_resource_name(self, max_length=128)
        self.network = CheckNetwork(self, "Network", vpc=vpc, vpc_subnets=vpc_subnets, ports=self.ports)
        self.endpoint = ec2.InterfaceVpcEndpoint(
            self,
            "Endpoint",
            vpc=vpc,
            service=ec2.InterfaceVpcEndpointService(endpoint_service_name, self.ports[0]),
            subnets=ec2.SubnetSelection(subnets=self.network.subnets),
            security_groups=[self.network.endpoint_group],
            open=False,
            private_dns_enabled=False,
        )
        if encryption_key is not None:
            allow_logs_to_use(encryption_key, stack=cdk.Stack.of(self))
        self.log_group = logs.LogGroup(
            self,
            "LogGroup",
            retention=log_retention,
            encryption_key=encryption_key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self.role = self._make_role(permissions_boundary, encryption_key)
        self.function = self._make_function(runtime, encryption_key, tls_required=tls_required)
        self._schedule()
        #: The alarm of each port; none if they are turned off.
        self.alarms = {port: self._make_alarm(port, alarm_actions) for port in self.ports} if alarms else {}

    @property
    def host(self) -> str:
        """The endpoint's name for the Region, which stands for its address in each zone."""
        first = cdk.Fn.select(0, self.endpoint.vpc_endpoint_dns_entries)
        return cdk.Fn.select(1, cdk.Fn.split(":", first))

    def metric_latency(self, *, port: int = 5432) -> cloudwatch.Metric:
        """Return the longest time in milliseconds from connecting to Postgres's answer; nothing if a zone failed.

        Args:
            port: The port, one of those that are checked (default: 5432).
        """
        return self._metric("Latency", port, "Maximum")

    def metric_failures(self, *, port: int = 5432, failure: str | None = None) -> cloudwatch.Metric:
        """Return how many addresses of the endpoint failed; nothing if none did.

        Args:
            port: The port, one of those that are checked (default: 5432).
            failure: `dns`, `timeout`, `refused`, `not-postgres`, `closed` or `no-tls` (default: all together).
        """
        return self._metric("Failures", port, "Sum", **({} if failure is None else {"Failure": failure}))

    def metric_unencrypted(self, *, port: int = 5432) -> cloudwatch.Metric:
        """Return how many addresses answered that the server can do no TLS; nothing if none did.

        Args:
            port: The port, one of those that are checked (default: 5432).
        """
        return self._metric("Unencrypted", port, "Sum")

    def _metric(self, name: str, port: int, statistic: str, **dimensions: str) -> cloudwatch.Metric:
        if port not in self.ports:
            raise PostgresEndpointServiceError(
                f"port {port} is not checked, so it has no metrics; checked are {', '.join(map(str, self.ports))}"
            )
        return cloudwatch.Metric(
            namespace=_NAMESPACE,
            metric_name=name,
            dimensions_map={"Check": self.check_name, "Port": str(port), **dimensions},
            statistic=statistic,
            period=self._interval,
        )

    def _make_role(self, permissions_boundary: iam.IManagedPolicy | None, key: kms.IKey | None) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description="Connectivity check of a Postgres endpoint service: write its log, nothing else",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            permissions_boundary=permissions_boundary,
        )
        statements = [
            iam.PolicyStatement(
                actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[self.log_group.log_group_arn]
            ),
            *network_interface_statements(self.network),
        ]
        if key is not None:
            statements.append(
                iam.PolicyStatement(
                    sid="DecryptEnvironment", actions=["kms:Decrypt"], resources=[key.key_arn], conditions=NOT_BY_CODE
                )
            )
        # Managed, since many a policy pack refuses inline ones; below the role, which the function waits for.
        policy = iam.ManagedPolicy(
            role,
            "Policy",
            description="Connectivity check of a Postgres endpoint service",
            roles=[role],
            statements=statements,
        )
        acknowledge_network_interfaces(policy, self.network)
        DESCRIBE_ACTIONS.on(policy)
        return role

    def _make_function(self, runtime: lambda_.Runtime, key: kms.IKey | None, *, tls_required: bool) -> lambda_.Function:
        function = make_function(
            self,
            description="Connects to Postgres through an interface endpoint, as consumers do",
            code=stage_connectivity_check(asset_folder(self, "connectivity-check")),
            handler=_HANDLER,
            runtime=runtime,
            timeout=_FUNCTION_TIMEOUT,
            max_event_age=cdk.Duration.minutes(1),
            role=self.role,
            network=self.network,
            encryption_key=key,
            log_group=self.log_group,
            environment={
                "CHECK": self.check_name,
                "HOST": self.host,
                "PORTS": " ".join(map(str, self.ports)),
                "TIMEOUT_SECONDS": str(_CONNECTION_TIMEOUT_SECONDS),
                **({"TLS_REQUIRED": "true"} if tls_required else {}),
            },
        )
        # AWS Lambda connects it to the VPC as this role, so the role must be complete before.
        function.node.add_dependency(self.role)
        return function

    def _schedule(self) -> None:
        minutes = round(self._interval.to_minutes())
        schedule = events.CfnRule(
            self,
            "Schedule",
            description="Checks the path to Postgres",
            schedule_expression=f"rate({minutes} minute{'s' if minutes > 1 else ''})",
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    arn=self.function.function_arn,
                    id="ConnectivityCheck",
                    input='{"action": "check"}',
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=60, maximum_retry_attempts=0
                    ),
                )
            ],
        )
        lambda_.CfnPermission(
            self,
            "AllowSchedule",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="events.amazonaws.com",
            source_arn=schedule.attr_arn,
        )

    def _make_alarm(self, port: int, topics: Sequence[sns.ITopic]) -> cloudwatch.Alarm:
        answers = self.metric_latency(port=port).with_(statistic="SampleCount")
        alarm = answers.create_alarm(
            self,
            f"NoAnswer-{port}",
            alarm_description=_NO_ANSWER.format(port=port, periods=_PERIODS),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=_PERIODS,
            # A failed check reports no latency, and neither does a function that does not run.
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )
        for topic in topics:
            alarm.add_alarm_action(cloudwatch_actions.SnsAction(topic))
        return alarm

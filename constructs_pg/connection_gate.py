"""`ConnectionGate`: the function that accepts and rejects connections, and tells the service of its zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from ._assets import stage_connection_gate
from ._functions import asset_folder, make_function
from ._keys import allow_logs_to_use
from .function_network import FunctionNetwork
from .gate_permissions import GatePermissions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_elasticloadbalancingv2 as elbv2
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from constructs import IConstruct, IDependable

    from .targets import RdsDatabase

_HANDLER = "connection_gate.handler.handle"
# Of a zone that AWS does not enable within minutes the function reminds it for as long as it may run.
_FUNCTION_TIMEOUT = cdk.Duration.minutes(15)
# It answers after 5 minutes at the latest; CloudFormation waits a little longer, so that the reason arrives.
_RESOURCE_TIMEOUT = cdk.Duration.minutes(7)
_RECONCILE_INTERVAL = cdk.Duration.minutes(10)


class ConnectionGate(Construct):
    """One function for what a service's connections need, with its role, its log group and its custom resources.

    On deployment it has the endpoint service learn zones that the load balancer has gained. More it does only where
    it is told to: see `accept`, `reject_on_delete` and `check_zones_of`.

    Args:
        scope: The construct of the connections.
        construct_id: This construct's id.
        load_balancer: The service's load balancer.
        endpoint_service_id: The service's id.
        endpoint_service_arn: Its ARN.
        zones: The load balancer's zones: when they change, the service is told.
        accept_from: The accounts whose connections are accepted.
        reject_others: Whether waiting connections of other accounts are rejected.
        rejects_on_delete: Whether `reject_on_delete` will be called: a role must be told what it needs all at once.
        runtime: The function's runtime.
        vpc: The load balancer's VPC.
        vpc_subnets: The subnets of that VPC in which the function runs; None runs it outside (default: None).
        security_groups: Security groups for a function in the VPC; None makes one (default: None).
        encryption_key: A key for the function's environment and logs; None leaves both to AWS (default: None).
        role: A role for the function; None makes one (default: None).
        permissions_boundary: A permissions boundary for the role that is made here (default: none).
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
        rejects_on_delete: bool,
        runtime: lambda_.Runtime,
        vpc: ec2.IVpc,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        encryption_key: kms.IKey | None = None,
        role: iam.IRole | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        code = stage_connection_gate(asset_folder(self, "connection-gate"))
        code_hash = cdk.FileSystem.fingerprint(str(code))
        self.log_group = logs.LogGroup(
            self,
            "LogGroup",
            retention=log_retention,
            encryption_key=encryption_key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        self._permissions = GatePermissions(
            self,
            role=role,
            permissions_boundary=permissions_boundary,
            endpoint_service_arn=endpoint_service_arn,
            log_group_arn=self.log_group.log_group_arn,
        )
        if encryption_key is not None:
            allow_logs_to_use(encryption_key, stack=cdk.Stack.of(self))
            self._permissions.allow_decryption(encryption_key)
        #: None outside the VPC.
        self.network: FunctionNetwork | None = None
        if vpc_subnets is not None:
            self.network = FunctionNetwork(
                self,
                "Network",
                vpc=vpc,
                vpc_subnets=vpc_subnets,
                security_groups=security_groups,
                service=scope.node.scope or scope,
            )
            self._permissions.allow_network_interfaces(self.network)
        self.function = make_function(
            self,
            description="Connections and zones of a Postgres endpoint service",
            code=code,
            handler=_HANDLER,
            runtime=runtime,
            timeout=_FUNCTION_TIMEOUT,
            max_event_age=cdk.Duration.minutes(10),
            role=self.role,
            network=self.network,
            encryption_key=encryption_key,
            log_group=self.log_group,
            environment={
                "SERVICE_ID": endpoint_service_id,
                "LOAD_BALANCER_ARN": load_balancer.load_balancer_arn,
                **({"ACCEPT_FROM": " ".join(accept_from)} if accept_from else {}),
                **({"REJECT_OTHERS": "true"} if reject_others else {}),
            },
        )
        if self._permissions.policy is not None:
            self.function.node.add_dependency(self._permissions.policy)
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
        resource = self.zones.node.default_child
        assert isinstance(resource, cdk.CfnResource)  # noqa: S101 - true of the L2
        self._zones_resource = resource
        self._readers: list[IConstruct] = []
        self._code_hash = code_hash
        if accept_from:
            self._permissions.allow("AcceptConnections", "ec2:AcceptVpcEndpointConnections")
        if reject_others:
            self._permissions.allow("RejectConnections", "ec2:RejectVpcEndpointConnections")
        if accept_from:
            self._permissions.allow("ReadConnections", "ec2:DescribeVpcEndpointConnections", resource="*")
        self._rejection_policy = self._permissions.allow_rejection() if rejects_on_delete else None
        self._permissions.warn_of_what_is_missing()

    @property
    def role(self) -> iam.IRole:
        """The function's role, made here or given."""
        return self._permissions.role

    @property
    def required_policy(self) -> iam.PolicyDocument:
        """All that the role needs, for a role given as one that takes no policies.

        Put it into a managed policy of that role, and let `function` depend on the policy.
        """
        return self._permissions.required_policy

    def check_zones_of(self, listener: str, database: RdsDatabase) -> None:
        """Ask RDS at deployment in which zones a database can be, and compare them with the load balancer's.

        A first deployment fails if the load balancer lacks one; an update says so in the function's log.

        Args:
            listener: The listener in front of it.
            database: Its description names the DB subnet group.
        """
        self._zones_resource.add_property_override(f"Databases.{listener}", f"{database.kind}:{database.identifier}")
        policy = self._permissions.allow_to_read_zones_of(database)
        if policy is not None and policy not in self._readers:
            self._readers.append(policy)
            self.zones.node.add_dependency(policy)

    def accept(self, topic: sns.ITopic | None, *, after: Sequence[IDependable] = ()) -> None:
        """Look at the connections when there is a notification, and every 10 minutes in case one is lost.

        Args:
            topic: The topic of the notifications; None leaves it to the schedule.
            after: What must exist before; on deletion, what goes later.
        """
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
        rejection.node.add_dependency(self.zones)
        if self._rejection_policy is not None:
            rejection.node.add_dependency(self._rejection_policy)
        return rejection

    def _permission(self, construct_id: str, principal: str, source_arn: str) -> lambda_.CfnPermission:
        return lambda_.CfnPermission(
            self,
            construct_id,
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal=principal,
            source_arn=source_arn,
        )

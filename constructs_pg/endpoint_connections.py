"""`EndpointConnections`: the life of consumers' connections: announced, accepted, and rejected in the end."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from .connection_gate import ConnectionGate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_elasticloadbalancingv2 as elbv2
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_logs as logs
    from constructs import IDependable

_PRINCIPAL = "vpce.amazonaws.com"
_KEY_POLICY = "constructs-pg:PostgresEndpointService.notificationKeyPolicy"
_TOPIC_POLICY = "constructs-pg:PostgresEndpointService.notificationTopicPolicy"
# Amazon SNS sends its metrics every 5 minutes.
_TOPIC_PERIOD = cdk.Duration.minutes(5)
# As often as the gate looks: while somebody waits, each look is an error.
_GATE_PERIOD = cdk.Duration.minutes(10)


class EndpointConnections(Construct):
    """What happens when a consumer makes an endpoint, and when the service goes.

    Args:
        scope: The endpoint service's construct.
        construct_id: This construct's id.
        endpoint_service: The VPC endpoint service.
        load_balancer: Its load balancer.
        zones: The load balancer's zones.
        notify: Whether a topic is told that a connection waits.
        topic: That topic; None makes one.
        email_addresses: Who is told by e-mail.
        topic_key: The key that encrypts the topic made here.
        accept_from: The accounts whose connections are accepted.
        reject_others: Whether waiting connections of other accounts are rejected.
        reject_on_delete: Whether all connections are rejected before the service is deleted.
        runtime: The runtime of the function, where one is needed.
        vpc: The load balancer's VPC.
        vpc_subnets: The subnets in which that function runs; None runs it outside of the VPC.
        security_groups: Security groups for that function in the VPC; None makes one.
        encryption_key: A key for that function's environment and logs; None leaves both to AWS.
        role: A role for that function; None makes one.
        permissions_boundary: A permissions boundary for the role that is made here.
        log_retention: How long that function's logs are kept.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_service: ec2.VpcEndpointService,
        load_balancer: elbv2.NetworkLoadBalancer,
        zones: Sequence[str],
        notify: bool,
        topic: sns.ITopic | None,
        email_addresses: Sequence[str],
        topic_key: kms.IKey | None,
        accept_from: Sequence[str],
        reject_others: bool,
        reject_on_delete: bool,
        runtime: lambda_.Runtime,
        vpc: ec2.IVpc,
        vpc_subnets: ec2.SubnetSelection | None,
        security_groups: Sequence[ec2.ISecurityGroup] | None,
        encryption_key: kms.IKey | None,
        role: iam.IRole | None,
        permissions_boundary: iam.IManagedPolicy | None,
        log_retention: logs.RetentionDays,
    ) -> None:
        super().__init__(scope, construct_id)
        self._endpoint_service = endpoint_service
        self._is_listed = bool(accept_from)
        self._make_gate = functools.partial(
            ConnectionGate,
            self,
            "Gate",
            load_balancer=load_balancer,
            endpoint_service_id=endpoint_service.vpc_endpoint_service_id,
            endpoint_service_arn=self._service_arn(endpoint_service.vpc_endpoint_service_id),
            zones=zones,
            accept_from=accept_from,
            reject_others=reject_others,
            rejects_on_delete=reject_on_delete,
            runtime=runtime,
            vpc=vpc,
            vpc_subnets=vpc_subnets,
            security_groups=security_groups,
            encryption_key=encryption_key,
            role=role,
            permissions_boundary=permissions_boundary,
            log_retention=log_retention,
        )
        #: None where nothing needs the function.
        self.gate: ConnectionGate | None = None
        #: None where connections are not announced.
        self.topic: sns.ITopic | None = None
        #: Whether somebody waits; None where connections are not announced, or on a topic that others use too.
        self.alarm: cloudwatch.Alarm | None = None
        self._rejection: cdk.CustomResource | None = None
        if notify:
            self.topic = topic or self._make_topic(topic_key)
            for index, address in enumerate(email_addresses):
                sns.CfnSubscription(
                    self,
                    f"Email{index}" if cdk.Token.is_unresolved(address) else f"Email-{address}",
                    topic_arn=self.topic.topic_arn,
                    protocol="email",
                    endpoint=address,
                )
            self._announce(self.topic)
        if reject_on_delete:
            self._rejection = self._reject_on_delete()
        if accept_from:
            self.make_gate().accept(self.topic, after=() if self._rejection is None else [self._rejection])
        if accept_from or (self.topic is not None and topic is None):
            self.alarm = self._make_alarm()

    def make_gate(self) -> ConnectionGate:
        """Return the function's construct, made when it is first asked for."""
        if self.gate is None:
            self.gate = self._make_gate()
        return self.gate

    def reject_before(self, *constructs: IDependable) -> None:
        """Reject all connections before these are deleted, if they are rejected at all."""
        if self._rejection is not None:
            self._rejection.node.add_dependency(*constructs)

    def _reject_on_delete(self) -> cdk.CustomResource:
        """Reject all connections before the service is deleted, and after nobody can ask for another one."""
        service = self._endpoint_service
        rejection = self.make_gate().reject_on_delete()
        rejection.node.add_dependency(service.node.find_child(service.node.id))
        permissions = service.node.try_find_child("Permissions")
        if permissions is not None:
            permissions.node.add_dependency(rejection)
        return rejection

    def _make_topic(self, key: kms.IKey | None) -> sns.Topic:
        # Plain HTTP is refused: AWS publishes over TLS.
        topic = sns.Topic(self, "Topic", enforce_ssl=True, master_key=key)
        if key is not None:
            added = key.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(_PRINCIPAL)],
                    actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                    resources=["*"],
                )
            )
            if not added.statement_added:
                cdk.Validations.of(topic).add_warning(
                    _KEY_POLICY,
                    f"the policy of the topic's key cannot be changed from here: let {_PRINCIPAL} call kms:Decrypt and "
                    "kms:GenerateDataKey*, or no notification arrives; acknowledge this when it is done",
                )
        return topic

    def _announce(self, topic: sns.ITopic) -> None:
        service_id = self._endpoint_service.vpc_endpoint_service_id
        # A topic of another stack cannot name our service: that stack would need ours, which needs the topic.
        ours = cdk.Stack.of(topic) is cdk.Stack.of(self)
        added = topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal(_PRINCIPAL)],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={
                    "ArnLike": {"aws:SourceArn": self._service_arn(service_id if ours else "*")},
                    "StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID},
                },
            )
        )
        if not added.statement_added:
            cdk.Validations.of(self).add_warning(
                _TOPIC_POLICY,
                f"the policy of the given topic cannot be changed from here: let {_PRINCIPAL} call sns:Publish on it, "
                "or the deployment fails; acknowledge this when it is done",
            )
        notification = ec2.CfnVPCEndpointConnectionNotification(
            self,
            "Notification",
            connection_events=["Connect"],
            connection_notification_arn=topic.topic_arn,
            service_id=service_id,
        )
        if added.policy_dependable is not None:
            notification.node.add_dependency(added.policy_dependable)

    def _make_alarm(self) -> cloudwatch.Alarm:
        if self._is_listed:
            metric = self.make_gate().function.metric_errors(period=_GATE_PERIOD, statistic="Sum")
            description = "A connection waits that nobody listed, or could not be accepted: see the function's log"
        else:
            assert self.topic is not None  # noqa: S101 - see the only caller
            metric = self.topic.metric_number_of_messages_published(period=_TOPIC_PERIOD, statistic="Sum")
            description = "A consumer made an endpoint: its connection waits to be accepted"
        return metric.create_alarm(
            self,
            "ConnectionWaits",
            alarm_description=description,
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # Neither reports anything while nothing happens.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _service_arn(self, service_id: str) -> str:
        return cdk.Stack.of(self).format_arn(service="ec2", resource="vpc-endpoint-service", resource_name=service_id)

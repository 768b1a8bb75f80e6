"""The stack of one service in the YAML file: constructs wired from the configuration, and outputs for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from constructs_pg import AlarmTier, FlowLogs, PostgresEndpointService
from pg_privatelink.connectivity_check import add_connectivity_check
from pg_privatelink.consumers import consumer
from pg_privatelink.databases import postgres_target
from pg_privatelink.function import (
    RETENTION,
    encryption_key,
    function_role,
    function_security_groups,
    function_subnets,
    permissions_boundary,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_logs as logs

    from pg_privatelink.config import (
        FlowLogsConfiguration,
        ServiceConfiguration,
        VpcConfiguration,
    )

STACK_NAME_PREFIX = "PgPrivateLink-"

_WARNING_PREFIX = "constructs-pg:PostgresEndpointService"
_REMOVAL_POLICIES = {
    "delete": cdk.RemovalPolicy.DESTROY,
    # Of a first deployment that fails nothing is retained: it could not be tried again.
    "retain": cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
}


class EndpointServiceStack(cdk.Stack):
    """One endpoint service, and what to do next as stack outputs.

    Args:
        scope: The app.
        construct_id: The stack's id, which is also its name.
        name: The service's name in the YAML file.
        configuration: The service as the YAML file describes it.
        env: Account and Region.
        termination_protection: Whether the stack refuses to be deleted.
        tags: Tags of everything in the stack; the service's own win.

    Raises:
        PostgresEndpointServiceError: The constructs refuse what the YAML file asks for.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        configuration: ServiceConfiguration,
        env: cdk.Environment,
        termination_protection: bool,
        tags: dict[str, str],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            env=env,
            description=f"Postgres over AWS PrivateLink: {name}",
            termination_protection=termination_protection,
        )
        function = configuration.function
        notifications = configuration.notifications
        kms_key = encryption_key(self, configuration.encryption_key)
        boundary = permissions_boundary(self, function.permissions_boundary)
        topics = _topics(self, configuration.alarms.topics)
        log_retention = RETENTION[configuration.log_retention]
        self.service = PostgresEndpointService(
            self,
            "Service",
            vpc=_vpc(self, configuration.vpc),
            vpc_subnets=_vpc_subnets(self, configuration.vpc),
            vpc_cidrs=configuration.vpc.cidrs or None,
            private_ipv4_addresses=_private_addresses(configuration.vpc),
            consumers=[consumer(each) for each in configuration.consumers],
            acceptance_required=configuration.acceptance_required,
            accept_from=configuration.accept_from,
            reject_others=configuration.reject_others,
            reject_connections_on_delete=configuration.reject_connections_on_delete,
            connection_notifications=notifications.enabled,
            notification_topic=_notification_topic(self, notifications.topic),
            notification_emails=notifications.emails,
            notification_key=_notification_key(self, notifications.key),
            supported_regions=configuration.supported_regions,
            payer_responsibility=configuration.payer_responsibility,
            payer_responsibility_is_irreversible=configuration.payer_responsibility_is_irreversible,
            poll_interval=cdk.Duration.seconds(configuration.poll_interval),
            wait_for_healthy=configuration.wait_for_healthy,
            healthy_timeout=cdk.Duration.seconds(configuration.healthy_timeout),
            observe_only=configuration.observe_only,
            function_vpc_subnets=function_subnets(self, function.subnets),
            function_security_groups=function_security_groups(self, function.security_groups),
            function_role=function_role(self, function.role),
            connection_function_role=function_role(
                self, function.connection_role, construct_id="ConnectionFunctionRole"
            ),
            permissions_boundary=boundary,
            encryption_key=kms_key,
            log_retention=log_retention,
            deletion_protection=configuration.deletion_protection,
            removal_policy=_REMOVAL_POLICIES[configuration.removal_policy],
            alarms=AlarmTier(configuration.alarms.tier),
            alarm_actions=topics,
            dashboard=configuration.dashboard,
            flow_logs=_flow_logs(self, configuration.flow_logs, retention=log_retention, key=kms_key),
        )
        for warning, reason in configuration.acknowledged_warnings.items():
            cdk.Validations.of(self.service).acknowledge(
                cdk.Acknowledgment(id=f"Annotation::{_WARNING_PREFIX}.{warning}", reason=reason)
            )
        databases = Construct(self, "Databases")
        for listener_name, listener in configuration.listeners.items():
            target = postgres_target(listener.target, Construct(databases, listener_name))
            self.service.add_listener(
                listener_name,
                port=listener.port,
                target=target,
                health_check_interval=cdk.Duration.seconds(listener.health_check.interval),
                healthy_threshold_count=listener.health_check.healthy_threshold,
                unhealthy_threshold_count=listener.health_check.unhealthy_threshold,
            )
        if configuration.connectivity_check is not None:
            add_connectivity_check(
                self.service,
                configuration.connectivity_check,
                configuration=configuration,
                topics=topics,
                encryption_key=kms_key,
                permissions_boundary=boundary,
            )
        for key, value in {**tags, **configuration.tags}.items():
            cdk.Tags.of(self).add(key, value)
        self._write_outputs()

    def _write_outputs(self) -> None:
        service = self.service
        zones = service.network.availability_zones
        self._output("EndpointServiceName", "What the consumer needs", service.endpoint_service_name)
        self._output("EndpointServiceId", "The endpoint service's id", service.endpoint_service_id)
        self._output("Zones", "The zones in which consumers can make endpoints", ", ".join(zones))
        self._output(
            "LoadBalancerSecurityGroup",
            "Databases must admit this group; done by this stack where it was told their security groups",
            service.network.security_group.security_group_id,
        )
        for each in service.consumers:
            text = each.request_text(
                service_name=service.endpoint_service_name,
                region=self.region,
                ports=[listener.port for listener in service.listeners.values()],
                zones=zones,
            )
            if text is not None:
                self._output(f"Request{each.name}", "The request to send, filled in", text)
        self._output(
            "AcceptCommand",
            "Accepts a waiting connection; put the consumer's endpoint id in place of vpce-ID",
            f"aws ec2 accept-vpc-endpoint-connections --region {self.region} "
            f"--service-id {service.endpoint_service_id} --vpc-endpoint-ids vpce-ID",
        )
        self._output(
            "RejectCommand",
            "Rejects a connection, or ends one that was accepted; put the consumer's endpoint id in place of vpce-ID",
            f"aws ec2 reject-vpc-endpoint-connections --region {self.region} "
            f"--service-id {service.endpoint_service_id} --vpc-endpoint-ids vpce-ID",
        )
        self._output(
            "WaitingCommand",
            "Lists connections that wait to be accepted, with the account that asks",
            f"aws ec2 describe-vpc-endpoint-connections --region {self.region} --filters "
            f"Name=service-id,Values={service.endpoint_service_id} Name=vpc-endpoint-state,Values=pendingAcceptance "
            "--query 'VpcEndpointConnections[].[VpcEndpointId,VpcEndpointOwner]' --output text",
        )
        self._output(
            "ConnectionsCommand",
            "Lists all connections, with their states and the accounts that own them",
            f"aws ec2 describe-vpc-endpoint-connections --region {self.region} --filters "
            f"Name=service-id,Values={service.endpoint_service_id} "
            "--query 'VpcEndpointConnections[].[VpcEndpointId,VpcEndpointState,VpcEndpointOwner]' --output text",
        )

    def _output(self, output_id: str, description: str, value: str) -> None:
        cdk.CfnOutput(self, output_id, description=description, value=value)


def _vpc(scope: Construct, vpc: VpcConfiguration) -> ec2.IVpc:
    if vpc.lookup is not None:
        return ec2.Vpc.from_lookup(scope, "Vpc", vpc_id=vpc.lookup.id, tags=dict(vpc.lookup.tags) or None)
    assert vpc.id is not None  # noqa: S101 - the configuration has either an id or a look-up
    return ec2.Vpc.from_vpc_attributes(
        scope, "Vpc", vpc_id=vpc.id, availability_zones=[subnet.zone for subnet in vpc.subnets]
    )


def _vpc_subnets(scope: Construct, vpc: VpcConfiguration) -> ec2.SubnetSelection:
    if vpc.lookup is not None:
        return ec2.SubnetSelection(subnet_group_name=vpc.subnet_group, one_per_az=True)
    subnets = Construct(scope, "Subnets")
    cdk.Validations.of(subnets).acknowledge(
        cdk.Acknowledgment(
            id="Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId",
            reason="Nothing here routes: the load balancer only stands in these subnets.",
        )
    )
    return ec2.SubnetSelection(
        subnets=[
            ec2.Subnet.from_subnet_attributes(
                subnets,
                subnet.id,
                subnet_id=subnet.id,
                availability_zone=subnet.zone,
                ipv4_cidr_block=subnet.cidr,
            )
            for subnet in vpc.subnets
        ]
    )


def _private_addresses(vpc: VpcConfiguration) -> dict[str, str] | None:
    return {subnet.id: subnet.private_ipv4_address for subnet in vpc.subnets if subnet.private_ipv4_address} or None


def _notification_topic(scope: Construct, arn: str | None) -> sns.ITopic | None:
    return None if arn is None else sns.Topic.from_topic_arn(scope, "NotificationTopic", arn)


def _notification_key(scope: Construct, arn: str | None) -> kms.IKey | None:
    return None if arn is None else kms.Key.from_key_arn(scope, "NotificationKey", arn)


def _topics(scope: Construct, arns: Sequence[str]) -> list[sns.ITopic]:
    topics = Construct(scope, "Topics")
    return [sns.Topic.from_topic_arn(topics, arn.rpartition(":")[2], arn) for arn in arns]


def _flow_logs(
    scope: Construct,
    configuration: FlowLogsConfiguration | None,
    *,
    retention: logs.RetentionDays,
    key: kms.IKey | None,
) -> FlowLogs | None:
    if configuration is None:
        return None
    traffic_type = ec2.FlowLogTrafficType[configuration.traffic.upper()]
    if configuration.bucket is None:
        return FlowLogs.to_cloud_watch_logs(traffic_type=traffic_type, retention=retention, encryption_key=key)
    bucket = s3.Bucket.from_bucket_arn(scope, "FlowLogsBucket", configuration.bucket)
    return FlowLogs.to_s3(bucket, traffic_type=traffic_type, key_prefix=configuration.key_prefix)

"""`PostgresEndpointService`: load balancer, listeners and endpoint service, wired together."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from ._acknowledgments import TLS_LISTENER
from ._arguments import check_consumers_together, check_types
from ._idle_timeouts import IdleTimeouts
from ._validation import (
    check_alarm_topics,
    check_consumer_regions,
    check_email_addresses,
    check_function_roles,
    check_function_security_groups,
    check_healthy_timeout,
    check_listener_count,
    check_listener_name,
    check_listener_ports,
    check_notifications,
    check_payer_responsibility,
    check_poll_interval,
    check_port,
    check_rejection,
    check_supported_regions,
    is_wide,
)
from .endpoint_connections import EndpointConnections
from .errors import PostgresEndpointServiceError
from .flow_logs import EndpointServiceFlowLogs
from .listener import PostgresListener, whole_seconds
from .load_balancer import make_load_balancer
from .monitoring import Alarms, AlarmTier, Dashboard, FunctionMetrics, PostgresEndpointServiceMetrics
from .network import EndpointServiceNetwork
from .target_sync import TargetSync
from .vpc_endpoint_service import make_vpc_endpoint_service

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sns as sns

    from .consumer import Consumer
    from .flow_logs import FlowLogs
    from .targets import PostgresTarget

_DEFAULT_PORT = 5432
_NO_PRINCIPALS = "constructs-pg:PostgresEndpointService.noPrincipals"
_WIDE_SOURCE_RANGE = "constructs-pg:PostgresEndpointService.wideSourceRange"


@jsii.implements(ec2.IConnectable)
class PostgresEndpointService(Construct):
    """Postgres databases behind an internal Network Load Balancer, offered as a VPC endpoint service.

    Created are: a security group, the load balancer, a listener and a target group per Postgres, the endpoint service
    with its permissions, ingress rules in the databases' security groups, and, if any target is known by a DNS name,
    one function for all of them with its role, log group, rules and two custom resources.

    Args:
        scope: The stack, or a construct in it.
        construct_id: The service's id; logical ids come from it, so another id is another service.
        vpc: The VPC in which the load balancer stands.
        listeners: The databases by the listener's name. All of these listen on port 5432, so with more than one use
            `add_listener` (default: none yet).
        consumers: Who may connect (default: nobody, with a warning).
        vpc_subnets: The load balancer's subnets, one per zone, in every zone to which a database can fail over
            (default: a private subnet in each zone).
        vpc_cidrs: All IPv4 CIDRs of the VPC (default: the one the VPC object knows; an import may know none).
        private_ipv4_addresses: The load balancer's address in each of its subnets, by the subnet's zone or its id;
            where inbound rules do not apply to PrivateLink traffic, the databases' security groups then admit these
            addresses alone. To be decided when the service is made: AWS does not change the address in a zone that the
            load balancer has already (default: AWS chooses, and the groups admit the subnets).
        acceptance_required: Whether each connection waits until it is accepted (default: true).
        poll_interval: The longest time between two DNS questions, 1 to 60 seconds, whole (default: 5 seconds; 60
            costs next to nothing, see the README).
        wait_for_healthy: Whether a deployment waits until a new target passes its health check, and fails if it does
            not (default: true). Only behind a DNS name: for fixed addresses, EC2 instances and Auto Scaling groups
            nothing waits.
        healthy_timeout: How long it waits, 10 to 300 seconds, whole; registration alone takes a minute or two on AWS
            (default: 5 minutes). Only behind a DNS name, as above.
        deletion_protection: Whether AWS refuses to delete the load balancer. It also stops the rollback of a failed
            first deployment, so turn it on once the stack stands (default: false).
        removal_policy: What happens to load balancer, target groups and endpoint service when they leave the stack,
            one policy for all (default: they are deleted). `RETAIN_ON_UPDATE_OR_DELETE` keeps them together.
        observe_only: Whether the function only says in its log what it would change, and has no permission to change
            anything: to see what it makes of target groups before it is trusted with them (default: false).
        runtime: The function's runtime (default: Python 3.14, pinned).
        function_vpc_subnets: Subnets of the VPC in which all functions run: private ones in two zones or more, with a
            route to a NAT gateway, or else with endpoints for `elasticloadbalancing`, `ec2`, `rds` (readers of
            clusters, and databases whose zones nobody named), `cloudformation` (rejection on deletion) and `s3`
            (answers to CloudFormation). Needed for
            publicly accessible databases and for name servers that only the VPC reaches (default: outside the VPC).
        function_security_groups: Security groups for the functions in the VPC, which must let them out to AWS's API on
            port 443 and to DNS servers (default: one for each function, which does).
        encryption_key: A key for the functions' environment and their log groups. The policy of a key made in CDK is
            extended; that of an imported one must let `logs.<Region>.amazonaws.com` do `kms:Encrypt*`, `kms:Decrypt*`,
            `kms:ReEncrypt*`, `kms:GenerateDataKey*` and `kms:Describe*`, best with the condition that
            `kms:EncryptionContext:aws:logs:arn` is like `arn:aws:logs:<Region>:<account>:log-group:<stack>-*`, must
            leave `kms:Decrypt` to IAM policies, and whoever deploys needs `kms:CreateGrant` and `kms:Encrypt`
            (default: keys of AWS's own).
        function_role: A role for the function that follows DNS, which AWS Lambda may assume. It gets a policy of ours,
            unless CDK may not change it (`iam.Role.from_role_arn(..., mutable=False)` or
            `role.without_policy_updates()`): then it must have what `target_sync.required_policy` says, and so does a
            warning (default: a role made here).
        connection_function_role: The same for the connection function, which answers for consumers' connections and for
            zones, see `endpoint_connections.gate`; without either task there is none (default: a role made here).
        permissions_boundary: A permissions boundary for the roles made here (default: none).
        log_retention: How long the functions' logs are kept; they are deleted with the stack (default: one month).
        connection_notifications: Whether a topic and an alarm tell that a connection waits to be accepted; without
            acceptance nothing waits (default: true).
        notification_topic: The topic to tell; it has no alarm of ours, since others may use it too (default: one made
            here).
        notification_emails: Who is told by e-mail; each has to confirm once (default: nobody).
        notification_key: The key that encrypts the topic made here. The policy of a key made in CDK is extended
            (default: not encrypted).
        accept_from: The ids of the accounts whose connections are accepted by themselves: on the notification, and
            every 10 minutes. Others stay waiting and set off the alarm. An account that a vendor uses for all its
            customers is accepted whoever of them asks (default: none, you accept every connection).
        reject_others: Whether waiting connections of accounts outside `accept_from` are rejected (default: false).
        reject_connections_on_delete: Whether all consumers are cut off when the stack is deleted; otherwise AWS refuses
            to delete a service that somebody is connected to. Only the permission to make new endpoints goes before;
            a deletion that fails can be repeated (default: false).
        supported_regions: Regions in which consumers can make endpoints, besides the service's own. Whoever deploys
            needs `vpce:AllowMultiRegion` (default: none).
        payer_responsibility: `ServiceOwner` makes you pay for the consumers' endpoints, for ever: AWS does not let it
            be changed back (default: the consumers pay).
        payer_responsibility_is_irreversible: Whether you know that; `payer_responsibility` needs it (default: false).
        alarms: How much is watched, see `AlarmTier` and what each tier costs in docs/monitoring.md (default: basic).
        alarm_actions: Topics that are told when an alarm goes off, up to 5 (default: none, alarms only show).
        dashboard: Whether there is a CloudWatch dashboard of the path (default: false).
        flow_logs: Records of the traffic in the load balancer's subnets (default: none).

    Attributes:
        load_balancer: The load balancer, `elbv2.NetworkLoadBalancer`.
        endpoint_service: The endpoint service, `ec2.VpcEndpointService`.
        consumers: Who may connect, as given.
        network: Its security group (`network.security_group`), subnets, zones and rules.
        target_sync: The function that follows DNS names, see `TargetSync`; None while no target has a name.
        endpoint_connections: The topic (`topic`) and the alarm (`alarm`) of waiting connections; None where there are
            none.
        metrics: Metrics by hop, see `PostgresEndpointServiceMetrics`.
        alarms: The alarms: `alarms.metric_alarms`, and in the full tier `alarms.path_broken`.
        dashboard: The dashboard; None unless asked for.
        flow_logs: The flow logs; None unless asked for.

    Raises:
        PostgresEndpointServiceError: An argument is out of its range or contradicts another.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        listeners: Mapping[str, PostgresTarget] | None = None,
        consumers: Sequence[Consumer] = (),
        vpc_subnets: ec2.SubnetSelection | None = None,
        vpc_cidrs: Sequence[str] | None = None,
        private_ipv4_addresses: Mapping[str, str] | None = None,
        acceptance_required: bool = True,
        poll_interval: cdk.Duration | None = None,
        wait_for_healthy: bool = True,
        healthy_timeout: cdk.Duration | None = None,
        deletion_protection: bool = False,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
        observe_only: bool = False,
        runtime: lambda_.Runtime = lambda_.Runtime.PYTHON_3_14,
        function_vpc_subnets: ec2.SubnetSelection | None = None,
        function_security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        encryption_key: kms.IKey | None = None,
        function_role: iam.IRole | None = None,
        connection_function_role: iam.IRole | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        connection_notifications: bool = True,
        notification_topic: sns.ITopic | None = None,
        notification_emails: Sequence[str] = (),
        notification_key: kms.IKey | None = None,
        accept_from: Sequence[str] = (),
        reject_others: bool = False,
        reject_connections_on_delete: bool = False,
        supported_regions: Sequence[str] = (),
        payer_responsibility: str | None = None,
        payer_responsibility_is_irreversible: bool = False,
        alarms: AlarmTier = AlarmTier.BASIC,
        alarm_actions: Sequence[sns.ITopic] = (),
        dashboard: bool = False,
        flow_logs: FlowLogs | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        check_types(listeners or {}, consumers, {"poll_interval": poll_interval, "healthy_timeout": healthy_timeout})
        self.consumers = tuple(consumers)
        principals = check_consumers_together(
            consumers, acceptance_required=acceptance_required, accept_from=accept_from, reject_others=reject_others
        )
        check_rejection(on_delete=reject_connections_on_delete, retained=removal_policy != cdk.RemovalPolicy.DESTROY)
        check_notifications(
            connection_notifications,
            given={
                "notification_topic": notification_topic is not None,
                "notification_emails": bool(notification_emails),
                "notification_key": notification_key is not None,
            },
        )
        check_email_addresses(notification_emails)
        check_payer_responsibility(payer_responsibility, irreversible=payer_responsibility_is_irreversible)
        check_alarm_topics([topic.node.path for topic in alarm_actions], has_alarms=alarms is not AlarmTier.NONE)
        poll_interval = poll_interval or cdk.Duration.seconds(5)
        check_poll_interval(whole_seconds(poll_interval))
        healthy_timeout = healthy_timeout or cdk.Duration.minutes(5)
        check_healthy_timeout(whole_seconds(healthy_timeout))
        check_function_roles(
            roles_are_given=function_role is not None and connection_function_role is not None,
            boundary_is_given=permissions_boundary is not None,
        )
        self._function_in_vpc = function_vpc_subnets is not None
        check_function_security_groups(
            None if function_security_groups is None else len(function_security_groups), in_vpc=self._function_in_vpc
        )
        self._vpc = vpc
        self._source_ranges = sorted({cidr for consumer in consumers for cidr in consumer.source_ranges})
        self._removal_policy = removal_policy
        self._listeners: dict[str, PostgresListener] = {}

        self.network = EndpointServiceNetwork(
            self,
            "Network",
            vpc=vpc,
            vpc_cidrs=vpc_cidrs,
            vpc_subnets=vpc_subnets,
            private_ipv4_addresses=private_ipv4_addresses,
            enforced=bool(self._source_ranges),
        )
        self._connections = ec2.Connections(security_groups=[self.network.security_group])
        self.load_balancer = make_load_balancer(
            self,
            vpc=vpc,
            network=self.network,
            enforced=bool(self._source_ranges),
            deletion_protection=deletion_protection,
            removal_policy=removal_policy,
        )
        #: None as long as no target is known by a DNS name.
        self.target_sync: TargetSync | None = None
        self._make_target_sync = functools.partial(
            TargetSync,
            self,
            "TargetSync",
            load_balancer=self.load_balancer,
            vpc=vpc,
            vpc_cidrs=self.network.vpc_cidrs,
            poll_interval=poll_interval,
            wait_for_healthy=wait_for_healthy,
            healthy_timeout=healthy_timeout,
            observe_only=observe_only,
            runtime=runtime,
            vpc_subnets=function_vpc_subnets,
            security_groups=function_security_groups,
            encryption_key=encryption_key,
            role=function_role,
            permissions_boundary=permissions_boundary,
            log_retention=log_retention,
        )
        self._listener_scope = Construct(self, "Listeners")
        region = cdk.Stack.of(self).region
        self._supported_regions = check_supported_regions(
            supported_regions, service_region=region, zones=self.network.availability_zones
        )
        check_consumer_regions(
            {consumer.name: consumer.regions for consumer in consumers},
            service_region=region,
            supported_regions=self._supported_regions,
        )
        self.endpoint_service = make_vpc_endpoint_service(
            self,
            load_balancer=self.load_balancer,
            zones=self.network.availability_zones,
            principals=principals,
            acceptance_required=acceptance_required,
            supported_regions=self._supported_regions,
            payer_responsibility=payer_responsibility,
            removal_policy=removal_policy,
        )
        self.endpoint_connections = EndpointConnections(
            self,
            "Connections",
            endpoint_service=self.endpoint_service,
            load_balancer=self.load_balancer,
            zones=self.network.availability_zones,
            notify=connection_notifications and (acceptance_required or notification_topic is not None),
            topic=notification_topic,
            email_addresses=notification_emails,
            topic_key=notification_key,
            accept_from=accept_from,
            reject_others=reject_others,
            reject_on_delete=reject_connections_on_delete,
            runtime=runtime,
            vpc=vpc,
            vpc_subnets=function_vpc_subnets,
            security_groups=function_security_groups,
            encryption_key=encryption_key,
            role=connection_function_role,
            permissions_boundary=permissions_boundary,
            log_retention=log_retention,
        )
        self.endpoint_connections.reject_before(self.network, self.load_balancer, self._listener_scope)
        self._monitor(alarms, alarm_actions, dashboard=dashboard, flow_logs=flow_logs)
        self.node.add_validation(IdleTimeouts(lambda: self._listeners, supported_regions=self._supported_regions))
        for name, target in (listeners or {}).items():
            self.add_listener(name, target=target)
        self._warn_of_wide_ranges()
        if not principals:
            cdk.Validations.of(self).add_warning(
                _NO_PRINCIPALS,
                "nobody may connect: no consumer is named; add one (consumers: in the YAML file, consumers=[...] in "
                "code), or acknowledge this until the consumer's principal is known",
            )

    @property
    @jsii.member(jsii_name="connections")
    def connections(self) -> ec2.Connections:
        """The load balancer's security group, for clients inside the VPC only.

        Consumers come through PrivateLink: `Consumer.source_ranges` admits them, not this.
        """
        return self._connections

    @property
    def endpoint_service_id(self) -> str:
        """The endpoint service's id, `vpce-svc-...`."""
        return self.endpoint_service.vpc_endpoint_service_id

    @property
    def endpoint_service_name(self) -> str:
        """The name that consumers need, `com.amazonaws.vpce.<region>.vpce-svc-...`."""
        return self.endpoint_service.vpc_endpoint_service_name

    @property
    def listeners(self) -> Mapping[str, PostgresListener]:
        """The listeners by name."""
        return dict(self._listeners)

    def listener(self, name: str) -> PostgresListener:
        """Return a listener.

        Args:
            name: Its name.

        Raises:
            PostgresEndpointServiceError: There is no listener of this name.
        """
        if name not in self._listeners:
            known = ", ".join(sorted(self._listeners)) or "none"
            raise PostgresEndpointServiceError(f"there is no listener '{name}'; the service has: {known}")
        return self._listeners[name]

    def add_listener(
        self,
        name: str,
        *,
        target: PostgresTarget,
        port: int = _DEFAULT_PORT,
        health_check_interval: cdk.Duration | None = None,
        healthy_threshold_count: int = 2,
        unhealthy_threshold_count: int = 2,
    ) -> PostgresListener:
        """Offer one more Postgres on a port of its own.

        Args:
            name: The listener's name, unique in the service; logical ids come from it, so another name is another
                listener and target group.
            target: The Postgres behind it.
            port: The port on which consumers connect (default: 5432).
            health_check_interval: The time between two health checks of a target, 5 to 300 seconds, whole (default: 10
                seconds).
            healthy_threshold_count: The number of successful checks in a row that make a target healthy again, 2 to 10
                (default: 2).
            unhealthy_threshold_count: The number of failed checks in a row that make a target unhealthy, 2 to 10
                (default: 2).

        Raises:
            PostgresEndpointServiceError: The name or the port is taken or malformed, there are too many listeners, a
                setting is out of its range, or the load balancer cannot reach the target: the database can be in a zone
                in which the load balancer is not, or is in another VPC, or has a public address.
        """
        check_types({name: target}, (), {"health_check_interval": health_check_interval})
        check_listener_name(name, existing=self._listeners)
        check_port(port)
        check_listener_ports({**{known: each.port for known, each in self._listeners.items()}, name: port})
        check_listener_count(len(self._listeners) + 1)
        listener = PostgresListener(
            self._listener_scope,
            name,
            vpc=self._vpc,
            network=self.network,
            load_balancer=self.load_balancer,
            port=port,
            target=target,
            removal_policy=self._removal_policy,
            function_in_vpc=self._function_in_vpc,
            health_check_interval=health_check_interval or cdk.Duration.seconds(10),
            healthy_threshold_count=healthy_threshold_count,
            unhealthy_threshold_count=unhealthy_threshold_count,
        )
        TLS_LISTENER.on(listener.listener)
        self._listeners[name] = listener
        rules = self.network.rules
        rules.allow_consumers(self._source_ranges, port)
        bound = listener.target
        rules.allow_to_targets(
            ranges=listener.allowed_ranges,
            groups=listener.allowed_groups,
            port=bound.port,
            known_port=bound.known_port,
        )
        into_databases = rules.allow_into_databases(bound.security_groups, port=bound.port, known_port=bound.known_port)
        if listener.target.hostname is not None:
            if self.target_sync is None:
                self.target_sync = self._make_target_sync()
                self.metrics.function = FunctionMetrics(self.target_sync.function)
                self.alarms.watch_function(self.target_sync, self.metrics.function)
                self.endpoint_connections.reject_before(self.target_sync)
                # A service without functions gets none for this: its tag tells CloudFormation of the zones.
                self.endpoint_connections.make_gate()
            self.target_sync.add_listener(listener, rules=into_databases)
            if bound.database is not None and not self.network.knows_zones_of(bound):
                self.endpoint_connections.make_gate().check_zones_of(name, bound.database)
        followed_by = None if listener.target.hostname is None else self.target_sync
        self.alarms.watch_listener(listener, followed_by=followed_by)
        return listener

    def _monitor(
        self, tier: AlarmTier, topics: Sequence[sns.ITopic], *, dashboard: bool, flow_logs: FlowLogs | None
    ) -> None:
        connections = self.endpoint_connections
        self.metrics = PostgresEndpointServiceMetrics(
            load_balancer=self.load_balancer, endpoint_service=self.endpoint_service
        )
        self.alarms = Alarms(self, "Alarms", metrics=self.metrics, tier=tier, topics=topics)
        if connections.alarm is not None:
            self.alarms.tell(connections.alarm)
        #: None unless asked for.
        self.dashboard: Dashboard | None = None
        if dashboard:
            topic = connections.topic
            announced = None if topic is None else topic.metric_number_of_messages_published(statistic="Sum")
            self.dashboard = Dashboard(
                self,
                "Dashboard",
                metrics=self.metrics,
                alarms=self.alarms,
                listeners=lambda: self._listeners,
                announced=announced,
                log_group=lambda: None if self.target_sync is None else self.target_sync.log_group,
            )
        #: None unless asked for.
        self.flow_logs: EndpointServiceFlowLogs | None = None
        if flow_logs is not None:
            subnets = self.network.subnets
            self.flow_logs = EndpointServiceFlowLogs(self, "FlowLogs", flow_logs=flow_logs, subnets=subnets)

    def _warn_of_wide_ranges(self) -> None:
        for consumer in self.consumers:
            wide = [each for each in consumer.source_ranges if is_wide(each)]
            if wide:
                cdk.Validations.of(self).add_warning(
                    _WIDE_SOURCE_RANGE,
                    f"consumer '{consumer.name}' may come from {', '.join(wide)}, which is a stop-gap: ask for its "
                    "private ranges and give those, or acknowledge this",
                )

"""`PostgresEndpointService`: load balancer, listeners and endpoint service, wired together."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from constructs_pg._validation import (
    check_acceptance,
    check_consumer_name,
    check_consumers,
    check_database_zones,
    check_healthy_timeout,
    check_listener_count,
    check_listener_name,
    check_listener_ports,
    check_poll_interval,
    check_port,
)
from constructs_pg.consumer import Consumer
from constructs_pg.errors import PostgresEndpointServiceError
from constructs_pg.listener import PostgresListener
from constructs_pg.network import EndpointServiceNetwork
from constructs_pg.target_sync import TargetSync
from constructs_pg.targets import PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DEFAULT_PORT = 5432
_NO_PRINCIPALS = "constructs-pg:PostgresEndpointService.noPrincipals"


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
        acceptance_required: Whether each connection waits until it is accepted (default: true).
        poll_interval: The longest time between two DNS questions, 1 to 60 seconds, whole (default: 5 seconds; 60
            costs next to nothing, see the README).
        wait_for_healthy: Whether a deployment waits until a new target passes its health check, and fails if it does
            not (default: true).
        healthy_timeout: How long it waits, 10 to 300 seconds, whole; registration alone takes a minute or two on AWS
            (default: 5 minutes).
        deletion_protection: Whether AWS refuses to delete the load balancer. It also stops the rollback of a failed
            first deployment, so turn it on once the stack stands (default: false).
        removal_policy: What happens to load balancer, target groups and endpoint service when they leave the stack,
            one policy for all (default: they are deleted). `RETAIN_ON_UPDATE_OR_DELETE` keeps them together.
        observe_only: Whether the function only says in its log what it would change, and has no permission to change
            anything: to see what it makes of target groups before it is trusted with them (default: false).
        runtime: The function's runtime (default: Python 3.14, pinned).

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
        acceptance_required: bool = True,
        poll_interval: cdk.Duration | None = None,
        wait_for_healthy: bool = True,
        healthy_timeout: cdk.Duration | None = None,
        deletion_protection: bool = False,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
        observe_only: bool = False,
        runtime: lambda_.Runtime = lambda_.Runtime.PYTHON_3_14,
    ) -> None:
        super().__init__(scope, construct_id)
        _check_types(listeners or {}, consumers, {"poll_interval": poll_interval, "healthy_timeout": healthy_timeout})
        self.consumers = tuple(consumers)
        for index, consumer in enumerate(consumers):
            check_consumer_name(consumer.name, existing=[earlier.name for earlier in consumers[:index]])
        principals = [principal for consumer in consumers for principal in consumer.principals]
        check_acceptance(principals, acceptance_required=acceptance_required)
        check_consumers({consumer.name: consumer.source_ranges for consumer in consumers})
        poll_interval = poll_interval or cdk.Duration.seconds(5)
        check_poll_interval(_seconds(poll_interval))
        healthy_timeout = healthy_timeout or cdk.Duration.minutes(5)
        check_healthy_timeout(_seconds(healthy_timeout))
        self._vpc = vpc
        self._source_ranges = sorted({cidr for consumer in consumers for cidr in consumer.source_ranges})
        self._removal_policy = removal_policy
        self._target_sync_settings = (poll_interval, wait_for_healthy, healthy_timeout, observe_only, runtime)
        self._listeners: dict[str, PostgresListener] = {}

        self.network = EndpointServiceNetwork(
            self,
            "Network",
            vpc=vpc,
            vpc_cidrs=vpc_cidrs,
            vpc_subnets=vpc_subnets,
            enforced=bool(self._source_ranges),
        )
        self._connections = ec2.Connections(security_groups=[self.network.security_group])
        self.load_balancer = self._make_load_balancer(deletion_protection=deletion_protection)
        #: None as long as no target is known by a DNS name.
        self.target_sync: TargetSync | None = None
        self._listener_scope = Construct(self, "Listeners")
        self.endpoint_service = self._make_endpoint_service(principals, acceptance_required=acceptance_required)
        for name, target in (listeners or {}).items():
            self.add_listener(name, target=target)
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

    def add_listener(self, name: str, *, target: PostgresTarget, port: int = _DEFAULT_PORT) -> PostgresListener:
        """Offer one more Postgres on a port of its own.

        Args:
            name: The listener's name, unique in the service; logical ids come from it, so another name is another
                listener and target group.
            target: The Postgres behind it.
            port: The port on which consumers connect (default: 5432).

        Raises:
            PostgresEndpointServiceError: The name or the port is taken or malformed, there are too many listeners, or
                the database can be in a zone in which the load balancer is not.
        """
        check_listener_name(name, existing=self._listeners)
        check_port(port)
        check_listener_ports({**{known: each.port for known, each in self._listeners.items()}, name: port})
        check_listener_count(len(self._listeners) + 1)
        listener = PostgresListener(
            self._listener_scope,
            name,
            vpc=self._vpc,
            load_balancer=self.load_balancer,
            port=port,
            target=target,
            vpc_cidrs=self.network.vpc_cidrs,
            removal_policy=self._removal_policy,
        )
        if self.network.is_known:
            check_database_zones(listener.target.availability_zones, self.network.availability_zones)
        self._listeners[name] = listener
        self.network.allow_consumers(self._source_ranges, port)
        self.network.allow_to_targets(listener.allowed_ranges, listener.target.port)
        rules = self.network.allow_into_database(listener.target.security_groups, listener.target.port)
        if listener.target.hostname is not None:
            self._make_target_sync().add_listener(listener, rules=rules)
        return listener

    def _make_load_balancer(self, *, deletion_protection: bool) -> elbv2.NetworkLoadBalancer:
        load_balancer = elbv2.NetworkLoadBalancer(
            self,
            "LoadBalancer",
            vpc=self._vpc,
            vpc_subnets=ec2.SubnetSelection(subnets=self.network.subnets),
            internet_facing=False,
            ip_address_type=elbv2.IpAddressType.IPV4,
            # A database with one writer lives in one zone; consumers come in through all of them.
            cross_zone_enabled=True,
            deletion_protection=deletion_protection,
            security_groups=[self.network.security_group],
            enforce_security_group_inbound_rules_on_private_link_traffic=bool(self._source_ranges),
        )
        _apply_removal_policy(load_balancer, self._removal_policy)
        self.network.security_group.apply_removal_policy(self._removal_policy)
        cdk.Validations.of(load_balancer).acknowledge(
            cdk.Acknowledgment(
                id="AwsSolutions-ELB2", reason="A Network Load Balancer writes access logs for TLS listeners only."
            )
        )
        return load_balancer

    def _make_endpoint_service(self, principals: Sequence[str], *, acceptance_required: bool) -> ec2.VpcEndpointService:
        service = ec2.VpcEndpointService(
            self,
            "EndpointService",
            vpc_endpoint_service_load_balancers=[self.load_balancer],
            acceptance_required=acceptance_required,
            allowed_principals=[iam.ArnPrincipal(principal) for principal in sorted(set(principals))],
        )
        _apply_removal_policy(service, self._removal_policy)
        return service

    def _make_target_sync(self) -> TargetSync:
        if self.target_sync is None:
            poll_interval, wait_for_healthy, healthy_timeout, observe_only, runtime = self._target_sync_settings
            self.target_sync = TargetSync(
                self,
                "TargetSync",
                load_balancer=self.load_balancer,
                vpc_cidrs=self.network.vpc_cidrs,
                poll_interval=poll_interval,
                wait_for_healthy=wait_for_healthy,
                healthy_timeout=healthy_timeout,
                observe_only=observe_only,
                runtime=runtime,
            )
        return self.target_sync


def _check_types(listeners: Mapping[str, object], consumers: Sequence[object], durations: Mapping[str, object]) -> None:
    """Name the mistakes that come first to mind; Python would say that some attribute is missing."""
    problems = [
        f"listener '{name}' is a {type(target).__name__}: wrap it, as in PostgresTarget.from_instance(...)"
        for name, target in listeners.items()
        if not isinstance(target, PostgresTarget)
    ]
    problems += [
        f"consumers[{index}] is a {type(consumer).__name__}: give a Consumer(name=..., principals=[...])"
        for index, consumer in enumerate(consumers)
        if not isinstance(consumer, Consumer)
    ]
    problems += [
        f"'{name}' must be a Duration, got {value!r}: give cdk.Duration.seconds({value})"
        for name, value in durations.items()
        if value is not None and not isinstance(value, cdk.Duration)
    ]
    if problems:
        raise PostgresEndpointServiceError(problems)


def _seconds(duration: cdk.Duration) -> int:
    """Return a duration in seconds; a fraction stays one, for the check to refuse."""
    return cast("int", duration.to_seconds(integral=False))


def _apply_removal_policy(construct: Construct, policy: cdk.RemovalPolicy) -> None:
    """Set the policy on every resource of a construct; the endpoint service's own is not its default child."""
    for child in construct.node.find_all():
        if isinstance(child, cdk.CfnResource):
            child.apply_removal_policy(policy)

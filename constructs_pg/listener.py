"""`PostgresListener`: one port of the load balancer, its target group, and the Postgres behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import CfnResource, Duration, RemovalPolicy, Tokenization
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_elasticloadbalancingv2_targets as elbv2_targets
from constructs import Construct

from ._validation import check_health_check_interval, check_tag_list, check_threshold, is_token
from .errors import PostgresEndpointServiceError
from .monitoring import PostgresListenerMetrics

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2

    from .network import EndpointServiceNetwork
    from .targets import PostgresTarget, PostgresTargetConfig

# A target group's port cannot change without replacing the group, so it says nothing: every target carries its own.
# Only Auto Scaling registers targets without one.
_TARGET_GROUP_PORT = 5432
_HEALTH_CHECK_TIMEOUT = 10
_TAG_PREFIX = "pg-privatelink:"


class PostgresListener(Construct):
    """One port of a `PostgresEndpointService`. Made by the service; reach it with `service.listener(name)`.

    Args:
        scope: The service's namespace for listeners.
        construct_id: The listener's name, from which logical ids come.
        vpc: The VPC.
        network: The service's network.
        load_balancer: The service's load balancer.
        port: The port on which consumers connect.
        target: The Postgres behind it.
        removal_policy: What happens to the target group when it leaves the stack.
        health_check_interval: The time between two health checks of a target, 5 to 300 seconds.
        healthy_threshold_count: The number of successful checks in a row that make a target healthy, 2 to 10.
        unhealthy_threshold_count: The number of failed checks in a row that make a target unhealthy, 2 to 10.
        function_in_vpc: Whether the function that follows DNS names runs in the VPC (default: false).

    Attributes:
        name: Its name.
        port: The port on which consumers connect.
        target: How the Postgres behind it is reached, see `PostgresTargetConfig`.
        target_group: The target group, `elbv2.NetworkTargetGroup`.
        listener: The listener of the load balancer, `elbv2.NetworkListener`.
        metrics: Its metrics, see `PostgresListenerMetrics`.

    Raises:
        PostgresEndpointServiceError: The target cannot be reached by this service, or a setting is out of its range.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        network: EndpointServiceNetwork,
        load_balancer: elbv2.NetworkLoadBalancer,
        port: int,
        target: PostgresTarget,
        removal_policy: RemovalPolicy,
        health_check_interval: Duration,
        healthy_threshold_count: int,
        unhealthy_threshold_count: int,
        function_in_vpc: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = construct_id
        self.port = port
        self.target = target.bind(self)
        _check_public(self.target, function_in_vpc=function_in_vpc)
        network.check_target(self.target)
        self._vpc_cidrs = network.vpc_cidrs
        interval = check_health_check_interval(whole_seconds(health_check_interval))
        self.target_group = elbv2.NetworkTargetGroup(
            self,
            self._target_group_id(),
            vpc=vpc,
            port=self.target.group_port or _TARGET_GROUP_PORT,
            protocol=elbv2.Protocol.TCP,
            target_type=self.target.target_type,
            # A TCP check sees a database that is down; it cannot tell a writer from a reader: that is what DNS says.
            health_check=elbv2.HealthCheck(
                protocol=elbv2.Protocol.TCP,
                port="traffic-port",
                interval=Duration.seconds(interval),
                # No check may outlast the interval.
                timeout=Duration.seconds(min(_HEALTH_CHECK_TIMEOUT, interval)),
                healthy_threshold_count=check_threshold(healthy_threshold_count, what="healthy threshold"),
                unhealthy_threshold_count=check_threshold(unhealthy_threshold_count, what="unhealthy threshold"),
            ),
            # Sessions must not stay on a demoted writer: they end 10 s after its address left the group.
            deregistration_delay=Duration.seconds(10),
            connection_termination=True,
            # Postgres cannot parse the proxy protocol, and RDS Proxy breaks with client addresses preserved. Stated for
            # instances too, for which AWS would preserve them: PrivateLink hides consumers' addresses in either case,
            # and clients inside the VPC would need rules of their own in the instances' groups.
            proxy_protocol_v2=False,
            preserve_client_ip=False,
        )
        self._register_fixed_targets(network)
        self.listener = elbv2.NetworkListener(
            self,
            "Listener",
            load_balancer=load_balancer,
            port=port,
            protocol=elbv2.Protocol.TCP,
            default_target_groups=[self.target_group],
        )
        self.metrics = PostgresListenerMetrics(self.target_group)
        for construct in (self.target_group, self.listener):
            child = construct.node.default_child
            assert isinstance(child, CfnResource)  # noqa: S101 - true of every L2 in aws-elasticloadbalancingv2
            child.apply_removal_policy(removal_policy)
        if self.target.hostname is not None:
            self._describe_target(self.target.hostname)

    @property
    def allowed_ranges(self) -> list[str]:
        """Where addresses of this listener may lie: the fixed ones alone; else the VPC, and what the target adds.

        Empty where the load balancer reaches its targets through their security groups, see `allowed_groups`.
        """
        if self.target.addresses:
            return [f"{address}/32" for address in self.target.addresses]
        if self.allowed_groups:
            return []
        return [*self._vpc_cidrs, *(cidr for cidr in self.target.allowed_ranges if cidr not in self._vpc_cidrs)]

    @property
    def allowed_groups(self) -> list[ec2.ISecurityGroup]:
        """The security groups through which the load balancer reaches instances; empty where addresses count."""
        return list(self.target.security_groups) if self.target.target_type == elbv2.TargetType.INSTANCE else []

    @property
    def target_port(self) -> str:
        """The database's port as text; a token where the database is created in CDK."""
        port = self.target.port
        return Tokenization.stringify_number(port) if is_token(port) else str(port)

    def _target_group_id(self) -> str:
        """Return the id of the target group's construct: another one for whatever AWS or we cannot change in a group.

        A group's type and port are create-only. And a group whose addresses stand in the template must not be one that
        the function has filled, since CloudFormation would leave those addresses in it. With a group of its own, a
        listener whose target becomes one of another kind gets that group, and changes in place.
        """
        if self.target.target_type == elbv2.TargetType.INSTANCE:
            group_port = self.target.group_port or _TARGET_GROUP_PORT
            return "InstanceTargetGroup" if group_port == _TARGET_GROUP_PORT else f"InstanceTargetGroup{group_port}"
        return "AddressTargetGroup" if self.target.addresses or self.target.targets else "TargetGroup"

    def _register_fixed_targets(self, network: EndpointServiceNetwork) -> None:
        """Put targets that never change into the template."""
        addresses = [
            elbv2_targets.IpTarget(
                address,
                self.target.port,
                # AWS wants it said for an address outside of the VPC, and refuses it for one inside.
                None if network.is_inside_vpc(address) else "all",
            )
            for address in self.target.addresses
        ]
        for target in (*addresses, *self.target.targets):
            self.target_group.add_target(target)

    def _describe_target(self, hostname: str) -> None:
        """Tag the target group with what the function needs: the resource describes itself, to any number of them."""
        tags = {
            "listener": self.name,
            "hostname": hostname,
            "port": self.target_port,
            "ranges": check_tag_list(self.allowed_ranges, "allowed_ranges"),
        }
        if self.target.members_of is not None:
            tags["members"] = self.target.members_of
        if self.target.nameservers:
            tags["nameservers"] = check_tag_list(self.target.nameservers, "nameservers")
        group = self.target_group.node.default_child
        assert isinstance(group, elbv2.CfnTargetGroup)  # noqa: S101 - true of the L2
        manager = group.tags
        for key, value in tags.items():
            manager.set_tag(f"{_TAG_PREFIX}{key}", value)


def whole_seconds(duration: Duration) -> int:
    """Return a duration in seconds; a fraction stays one, for the check to refuse."""
    return cast("int", duration.to_seconds(integral=False))


def _check_public(target: PostgresTargetConfig, *, function_in_vpc: bool) -> None:
    if target.publicly_accessible and not function_in_vpc:
        raise PostgresEndpointServiceError(
            "the database is publicly accessible ('publicly_accessible=True'): outside the VPC its name stands for a "
            "public address, which a load balancer refuses as a target; set publicly_accessible=False on the database, "
            "or let the function run in the VPC, where the name stands for the private address ('function_vpc_subnets')"
        )

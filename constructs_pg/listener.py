"""`PostgresListener`: one port of the load balancer, its target group, and the Postgres behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import CfnResource, Duration, RemovalPolicy, Token, Tokenization
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from constructs_pg._validation import check_tag_list
from constructs_pg.monitoring import PostgresListenerMetrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2

    from constructs_pg.targets import PostgresTarget

# A target group's port cannot change without replacing the group, so it says nothing: every target carries its own.
_TARGET_GROUP_PORT = 5432
_TAG_PREFIX = "pg-privatelink:"


class PostgresListener(Construct):
    """One port of a `PostgresEndpointService`. Made by the service; reach it with `service.listener(name)`.

    Args:
        scope: The service's namespace for listeners.
        construct_id: The listener's name, from which logical ids come.
        vpc: The VPC.
        load_balancer: The service's load balancer.
        port: The port on which consumers connect.
        target: The Postgres behind it.
        vpc_cidrs: The VPC's IPv4 CIDRs.
        removal_policy: What happens to the target group when it leaves the stack.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        load_balancer: elbv2.NetworkLoadBalancer,
        port: int,
        target: PostgresTarget,
        vpc_cidrs: Sequence[str],
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        self.name = construct_id
        self.port = port
        self.target = target.bind(self)
        #: Where addresses of this listener may lie: the VPC, and what the target adds.
        self.allowed_ranges = [*vpc_cidrs, *(cidr for cidr in self.target.allowed_ranges if cidr not in vpc_cidrs)]
        self.target_group = elbv2.NetworkTargetGroup(
            self,
            "TargetGroup",
            vpc=vpc,
            port=_TARGET_GROUP_PORT,
            protocol=elbv2.Protocol.TCP,
            target_type=self.target.target_type,
            # A TCP check sees a database that is down; it cannot tell a writer from a reader: that is what DNS says.
            health_check=elbv2.HealthCheck(
                protocol=elbv2.Protocol.TCP,
                port="traffic-port",
                interval=Duration.seconds(10),
                timeout=Duration.seconds(10),
                healthy_threshold_count=2,
                unhealthy_threshold_count=2,
            ),
            # Sessions must not stay on a demoted writer: they end 10 s after its address left the group.
            deregistration_delay=Duration.seconds(10),
            connection_termination=True,
            # Postgres cannot parse the proxy protocol, and RDS Proxy breaks with client addresses preserved.
            proxy_protocol_v2=False,
            preserve_client_ip=False,
        )
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
    def target_port(self) -> str:
        """The database's port as text; a token where the database is created in CDK."""
        port = self.target.port
        return Tokenization.stringify_number(port) if Token.is_unresolved(port) else str(port)

    def _describe_target(self, hostname: str) -> None:
        """Tag the target group with what the function needs: the resource describes itself, to any number of them."""
        tags = {
            "listener": self.name,
            "hostname": hostname,
            "port": self.target_port,
            "ranges": check_tag_list(self.allowed_ranges, "allowed_ranges"),
        }
        if self.target.nameservers:
            tags["nameservers"] = check_tag_list(self.target.nameservers, "nameservers")
        group = self.target_group.node.default_child
        assert isinstance(group, elbv2.CfnTargetGroup)  # noqa: S101 - true of the L2
        for key, value in tags.items():
            group.tags.set_tag(f"{_TAG_PREFIX}{key}", value)

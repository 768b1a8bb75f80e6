"""Where the connectivity check's endpoint and function stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from ._subnets import select_subnets
from .errors import PostgresEndpointServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence

_DNS_PORT = 53
_ANYWHERE = "0.0.0.0/0"


class CheckNetwork(Construct):
    """Where endpoint and function stand, and what may pass between them.

    Args:
        scope: The check.
        construct_id: This construct's id.
        vpc: The VPC.
        vpc_subnets: The subnets; None takes a private one in each zone.
        ports: The listeners' ports.

    Raises:
        PostgresEndpointServiceError: The subnets are public or all in one zone, or there are too many.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        vpc_subnets: ec2.SubnetSelection | None,
        ports: Sequence[int],
    ) -> None:
        super().__init__(scope, construct_id)
        selected = select_subnets(vpc, vpc_subnets or ec2.SubnetSelection(one_per_az=True))
        self.vpc = vpc
        self.subnets = selected.subnets
        public = {subnet.subnet_id for subnet in vpc.public_subnets}
        if not selected.is_pending_lookup and any(subnet.subnet_id in public for subnet in self.subnets):
            raise PostgresEndpointServiceError(
                "'vpc_subnets' has a public subnet: give private ones, where the consumer's clients would be too"
            )
        self.endpoint_group = self._group("EndpointSecurityGroup", "Endpoint of a Postgres connectivity check")
        function_group = self._group("FunctionSecurityGroup", "Function of a Postgres connectivity check")
        self.security_groups: list[ec2.ISecurityGroup] = [function_group]
        for port in ports:
            self.endpoint_group.add_ingress_rule(function_group, ec2.Port.tcp(port), "The check")
            function_group.add_egress_rule(self.endpoint_group, ec2.Port.tcp(port), "The endpoint")
        # AWS's own resolver needs no rule, but the VPC may name others (DHCP options).
        for port_of_dns in (ec2.Port.udp(_DNS_PORT), ec2.Port.tcp(_DNS_PORT)):
            function_group.add_egress_rule(ec2.Peer.ipv4(_ANYWHERE), port_of_dns, "DNS")

    def _group(self, construct_id: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self,
            construct_id,
            vpc=self.vpc,
            # Create-only: another text would replace the group.
            description=description,
            allow_all_outbound=False,
            disable_inline_rules=False,
        )

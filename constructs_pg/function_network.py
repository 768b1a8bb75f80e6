"""`FunctionNetwork`: where in the VPC the function runs, and what it may reach from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct

from ._subnets import select_subnets
from ._validation import check_function_subnets, is_token

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_WAY_OUT = "constructs-pg:PostgresEndpointService.functionNetwork"
_ANYWHERE = "0.0.0.0/0"
_HTTPS, _DNS = 443, 53


class FunctionNetwork(Construct):
    """The subnets and security groups of a function in the VPC.

    Args:
        scope: The function's construct.
        construct_id: This construct's id.
        vpc: The VPC.
        vpc_subnets: The subnets, private, in at least two zones.
        security_groups: Security groups to use; None makes one that may reach AWS's API and DNS servers.
        service: The endpoint service's construct, which warns once for all of its functions.

    Raises:
        PostgresEndpointServiceError: The subnets are public or all in one zone, or there are too many.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        vpc_subnets: ec2.SubnetSelection,
        security_groups: Sequence[ec2.ISecurityGroup] | None,
        service: IConstruct,
    ) -> None:
        super().__init__(scope, construct_id)
        selected = select_subnets(vpc, vpc_subnets)
        self.vpc = vpc
        self.subnets = selected.subnets
        public = {subnet.subnet_id for subnet in vpc.public_subnets}
        if not selected.is_pending_lookup:
            check_function_subnets(
                [subnet.availability_zone for subnet in self.subnets],
                has_public=any(subnet.subnet_id in public for subnet in self.subnets),
            )
        self._own_group = self._make_security_group() if security_groups is None else None
        self.security_groups = [self._own_group] if self._own_group is not None else list(security_groups or ())
        # A VPC object calls a subnet private if it has a route to a NAT gateway or the like, otherwise isolated.
        with_egress = {subnet.subnet_id for subnet in vpc.private_subnets}
        if any(subnet.subnet_id not in with_egress for subnet in self.subnets):
            _warn_once(service)

    def allow_nameservers(self, nameservers: Sequence[str]) -> None:
        """Let the function reach name servers that are not on port 53; given security groups are left alone.

        Args:
            nameservers: Each `ip` or `ip:port`; a token is taken for one on port 53.
        """
        if self._own_group is None:
            return
        for nameserver in nameservers:
            address, _, number = ("", "", "") if is_token(nameserver) else nameserver.partition(":")
            if number and int(number) != _DNS:
                for port in (ec2.Port.udp(int(number)), ec2.Port.tcp(int(number))):
                    self._own_group.add_egress_rule(ec2.Peer.ipv4(f"{address}/32"), port, "A name server")

    def _make_security_group(self) -> ec2.SecurityGroup:
        group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=self.vpc,
            # Create-only: another text would replace the group.
            description="Function of a Postgres endpoint service",
            allow_all_outbound=False,
            disable_inline_rules=False,
        )
        # AWS's own resolver needs no rule, but the VPC may name others (DHCP options).
        for port, text in (
            (ec2.Port.tcp(_HTTPS), "AWS API"),
            (ec2.Port.udp(_DNS), "DNS"),
            (ec2.Port.tcp(_DNS), "DNS"),
        ):
            group.add_egress_rule(ec2.Peer.ipv4(_ANYWHERE), port, text)
        return group


def _warn_once(service: IConstruct) -> None:
    """Say what functions need that may have no way out: the same for all functions of a service."""
    if any(_NO_WAY_OUT in str(entry.data) for entry in service.node.metadata):
        return
    Validations.of(service).add_warning(
        _NO_WAY_OUT,
        "functions run in subnets of which is not known that they have a route to a NAT gateway: without one they need "
        "interface endpoints with private DNS names for 'elasticloadbalancing', 'ec2', 'rds' (readers of clusters, and "
        "zones of databases that nobody has named) and 'cloudformation' (rejection on deletion), which admit their "
        "security groups on port 443, and a gateway or interface endpoint for 's3', through which they answer "
        "CloudFormation; otherwise the deployment fails after a minute or more; acknowledge this once they are there",
    )

"""The network around the load balancer: its subnets and zones, its security group, and the rules on both sides."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IConstruct

from constructs_pg._validation import check_load_balancer_zones, check_vpc_cidrs
from constructs_pg.errors import PostgresEndpointServiceError

if TYPE_CHECKING:
    from collections.abc import Sequence


class EndpointServiceNetwork(Construct):
    """Where the load balancer stands and what may pass: one security group of ours, and rules in databases' groups.

    A Network Load Balancer that is created without a security group can never get one, so there always is one
    (docs.aws.amazon.com: load-balancer-security-groups). Rules for databases' groups are resources of this stack, so
    that neither stack depends on the other in a circle; each (group, port, source) exists once.

    Args:
        scope: The endpoint service's construct.
        construct_id: This construct's id.
        vpc: The VPC.
        vpc_cidrs: All IPv4 CIDRs of the VPC; None asks the VPC object, which knows only its primary one.
        vpc_subnets: The load balancer's subnets, one per zone; None takes one private subnet per zone.
        enforced: Whether inbound rules apply to PrivateLink traffic. If not, databases must also admit the load
            balancer's subnets, because then AWS recommends rules by address.

    Raises:
        PostgresEndpointServiceError: Fewer than two zones, a zone twice, or CIDRs that are missing or malformed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        vpc_cidrs: Sequence[str] | None,
        vpc_subnets: ec2.SubnetSelection | None,
        enforced: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.vpc_cidrs = _vpc_cidrs(vpc, vpc_cidrs)
        selected = _select(vpc, vpc_subnets or ec2.SubnetSelection(one_per_az=True))
        self.subnets = selected.subnets
        self.availability_zones = tuple(subnet.availability_zone for subnet in self.subnets)
        #: False while CDK is about to look the VPC up; the app is synthesized again with the real subnets.
        self.is_known = not selected.is_pending_lookup
        if self.is_known:
            check_load_balancer_zones(self.availability_zones)
        self._enforced = enforced
        self._database_rules: set[str] = set()
        self.security_group = ec2.SecurityGroup(
            self,
            "SecurityGroup",
            vpc=vpc,
            # Create-only: another text would replace the group, and with it break every rule that names it.
            description="Load balancer of a Postgres endpoint service",
            allow_all_outbound=False,
            # Stated, since the consumer's feature flags may say otherwise and the rules would move.
            disable_inline_rules=False,
        )

    def allow_consumers(self, source_ranges: Sequence[str], port: int) -> None:
        """Admit consumers' addresses to a listener's port."""
        for source_range in source_ranges:
            self.security_group.add_ingress_rule(
                ec2.Peer.ipv4(source_range), ec2.Port.tcp(port), f"Consumers in {source_range}"
            )

    def allow_to_targets(self, ranges: Sequence[str], port: int) -> None:
        """Let the load balancer reach addresses in these ranges: exactly those that may ever be registered."""
        for target_range in ranges:
            self.security_group.add_egress_rule(ec2.Peer.ipv4(target_range), ec2.Port.tcp(port), "Databases")

    def allow_into_database(self, security_groups: Sequence[ec2.ISecurityGroup], port: int) -> list[IConstruct]:
        """Open databases' security groups for the load balancer; returns the rules, new ones and earlier ones."""
        rules = []
        for group in security_groups:
            rules.append(
                self._database_rule(group, port, source_security_group_id=self.security_group.security_group_id)
            )
            if not self._enforced:
                # AWS recommends rules by address where inbound rules do not apply to PrivateLink traffic
                # (docs.aws.amazon.com: target-group-register-targets, target security groups).
                rules += [self._database_rule(group, port, cidr_ip=cidr) for cidr in self._subnet_cidrs()]
        return rules

    def _database_rule(
        self,
        group: ec2.ISecurityGroup,
        port: int,
        *,
        cidr_ip: str | None = None,
        source_security_group_id: str | None = None,
    ) -> IConstruct:
        identity = Stack.of(self).to_json_string([group.security_group_id, port, cidr_ip or "LoadBalancer"])
        resolved = str(Stack.of(self).resolve(identity))
        construct_id = f"DatabaseIngress{hashlib.sha256(resolved.encode()).hexdigest()[:8]}"
        existing = self.node.try_find_child(construct_id)
        if existing is not None:
            return existing
        return ec2.CfnSecurityGroupIngress(
            self,
            construct_id,
            group_id=group.security_group_id,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            cidr_ip=cidr_ip,
            source_security_group_id=source_security_group_id,
            description="Load balancer of a Postgres endpoint service",
        )

    def _subnet_cidrs(self) -> list[str]:
        try:
            return [subnet.ipv4_cidr_block for subnet in self.subnets]
        except RuntimeError as error:
            raise PostgresEndpointServiceError(
                "the CIDR of a load balancer's subnet is not known, but the database's security group must admit it "
                "(without consumers' source ranges, AWS asks for rules by address); import the subnet with "
                "ec2.Subnet.from_subnet_attributes(..., ipv4_cidr_block=...)"
            ) from error


def _vpc_cidrs(vpc: ec2.IVpc, given: Sequence[str] | None) -> list[str]:
    if given is None:
        try:
            return [vpc.vpc_cidr_block]
        except RuntimeError as error:
            raise PostgresEndpointServiceError(
                "'vpc_cidrs' is needed for a VPC that was imported without its CIDR: which addresses lie inside the "
                "VPC decides how they are registered; list all IPv4 CIDRs of the VPC"
            ) from error
    return list(check_vpc_cidrs(given))


def _select(vpc: ec2.IVpc, selection: ec2.SubnetSelection) -> ec2.SelectedSubnets:
    return vpc.select_subnets(
        availability_zones=selection.availability_zones,
        one_per_az=selection.one_per_az,
        subnet_filters=selection.subnet_filters,
        subnet_group_name=selection.subnet_group_name,
        subnets=selection.subnets,
        subnet_type=selection.subnet_type,
    )

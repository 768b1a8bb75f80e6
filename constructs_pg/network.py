"""The network around the load balancer: its VPC's ranges, its subnets and zones, its security group and its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from constructs import Construct

from ._references import literal_cidrs
from ._subnets import select_subnets
from ._validation import (
    check_database_zones,
    check_load_balancer_zones,
    check_private_ipv4_addresses,
    check_target_address,
    check_vpc_cidrs,
    is_in,
    is_token,
    is_zone_id,
)
from .errors import PostgresEndpointServiceError
from .security_rules import SecurityRules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .targets import PostgresTargetConfig


class EndpointServiceNetwork(Construct):
    """Where the load balancer stands and what may pass: one security group of ours, and rules in databases' groups.

    A Network Load Balancer that is created without a security group can never get one, so there always is one
    (docs.aws.amazon.com: load-balancer-security-groups).

    Args:
        scope: The endpoint service's construct.
        construct_id: This construct's id.
        vpc: The VPC.
        vpc_cidrs: All IPv4 CIDRs of the VPC; None asks the VPC object, which knows only its primary one.
        vpc_subnets: The load balancer's subnets, one per zone; None takes one private subnet per zone.
        private_ipv4_addresses: The load balancer's address in each subnet, by the subnet's zone or id; None lets AWS
            choose.
        enforced: Whether inbound rules apply to PrivateLink traffic.

    Raises:
        PostgresEndpointServiceError: Fewer than two zones, a zone twice, CIDRs that are missing or malformed, or
            addresses that do not fit the subnets.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        vpc_cidrs: Sequence[str] | None,
        vpc_subnets: ec2.SubnetSelection | None,
        private_ipv4_addresses: Mapping[str, str] | None,
        enforced: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self._vpc = vpc
        self.vpc_cidrs = _vpc_cidrs(vpc, vpc_cidrs)
        selected = select_subnets(vpc, vpc_subnets or ec2.SubnetSelection(one_per_az=True))
        self.subnets = selected.subnets
        self._subnet_cidrs: list[str] = []
        self.availability_zones = tuple(subnet.availability_zone for subnet in self.subnets)
        #: False while CDK is about to look the VPC up; the app is synthesized again with the real subnets.
        self.is_known = not selected.is_pending_lookup
        #: The load balancer's fixed address in each subnet, in their order; empty if AWS chooses.
        self.private_ipv4_addresses: tuple[str, ...] = ()
        if self.is_known:
            check_load_balancer_zones(self.availability_zones)
            if private_ipv4_addresses is not None:
                self.private_ipv4_addresses = self._addresses_by_subnet(private_ipv4_addresses)
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
        self.rules = SecurityRules(
            self, security_group=self.security_group, vpc=vpc, enforced=enforced, sources=self._sources
        )

    @property
    def subnet_mappings(self) -> list[elbv2.SubnetMapping] | None:
        """The load balancer's subnets with its fixed addresses in them; None if AWS chooses the addresses."""
        if not self.private_ipv4_addresses:
            return None
        return [
            elbv2.SubnetMapping(subnet=subnet, private_ipv4_address=address)
            for subnet, address in zip(self.subnets, self.private_ipv4_addresses, strict=True)
        ]

    def is_inside_vpc(self, address: str) -> bool:
        """Tell whether an address that is to be registered lies in the VPC; a token is taken for one that does.

        Raises:
            PostgresEndpointServiceError: The address cannot be a target, or the VPC's ranges are not known.
        """
        if not self.is_known:
            return True  # decided when the VPC was looked up
        ranges = literal_cidrs(self.vpc_cidrs)
        check_target_address(address, vpc_cidrs=ranges)
        if is_token(address) or is_in(address, [each for each in ranges if not is_token(each)]):
            return True
        if any(is_token(each) for each in ranges):
            raise PostgresEndpointServiceError(
                f"whether target address {address} lies in the VPC is not known, since the VPC's range is known only "
                "at deployment, and AWS wants it said: list all IPv4 CIDRs of the VPC in 'vpc_cidrs'"
            )
        return False

    def check_target(self, target: PostgresTargetConfig) -> None:
        """Refuse a target that is surely in another VPC, or in a zone in which the load balancer is not."""
        if target.target_type == elbv2.TargetType.INSTANCE:
            self.rules.check_vpc(
                target.security_groups,
                advice="where the VPCs are connected, use from_ip_addresses with the instances' addresses",
            )
        elif not target.allowed_ranges and not target.addresses:
            self.rules.check_vpc(
                target.security_groups,
                advice="where the VPCs are connected, give that VPC's ranges as the target's 'allowed_ranges'",
            )
        if self.is_known:
            check_database_zones(target.availability_zones or self._zones_of(target), self.availability_zones)

    def knows_zones_of(self, target: PostgresTargetConfig) -> bool:
        """Tell whether `check_target` has compared all zones of a target; where it can be elsewhere, none matters."""
        if target.availability_zones or target.allowed_ranges:
            return True
        return bool(target.subnet_ids) and self._zones_by_subnet(target).keys() == set(target.subnet_ids)

    def _zones_of(self, target: PostgresTargetConfig) -> list[str]:
        """Return the zones of a target's subnets, as far as the VPC object knows them by the load balancer's names."""
        return list(dict.fromkeys(self._zones_by_subnet(target).values()))

    def _zones_by_subnet(self, target: PostgresTargetConfig) -> dict[str, str]:
        wanted = set(target.subnet_ids)
        if not wanted or any(is_token(zone) for zone in self.availability_zones):
            return {}
        known = (*self._vpc.private_subnets, *self._vpc.isolated_subnets, *self._vpc.public_subnets)
        zones = {subnet.subnet_id: subnet.availability_zone for subnet in known if subnet.subnet_id in wanted}
        by_id = is_zone_id(self.availability_zones[0])
        return {
            subnet_id: zone for subnet_id, zone in zones.items() if not is_token(zone) and is_zone_id(zone) == by_id
        }

    def _addresses_by_subnet(self, given: Mapping[str, str]) -> tuple[str, ...]:
        return check_private_ipv4_addresses(
            given,
            subnets={subnet.subnet_id: (subnet.availability_zone, _known_cidr(subnet)) for subnet in self.subnets},
        )

    def _sources(self) -> list[str]:
        """Return the ranges from which the load balancer comes: its fixed addresses, or its subnets."""
        if self.private_ipv4_addresses:
            return [f"{address}/32" for address in self.private_ipv4_addresses]
        try:
            self._subnet_cidrs = self._subnet_cidrs or [subnet.ipv4_cidr_block for subnet in self.subnets]
        except RuntimeError as error:
            raise PostgresEndpointServiceError(
                "the CIDR of a load balancer's subnet is not known, but the database's security group must admit it "
                "(without consumers' source ranges, AWS asks for rules by address); import the subnet with "
                "ec2.Subnet.from_subnet_attributes(..., ipv4_cidr_block=...)"
            ) from error
        return self._subnet_cidrs


def _known_cidr(subnet: ec2.ISubnet) -> str | None:
    try:
        cidr = subnet.ipv4_cidr_block
    except RuntimeError:
        return None
    return None if is_token(cidr) else cidr


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

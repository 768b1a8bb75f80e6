"""`Network`: the VPC of a database, and the subnets for a load balancer that reaches it everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_ec2 import EC2Client

    from pg_privatelink.cli.aws import Aws

MIN_ZONES = 2
"""A load balancer of ours stands in no fewer zones."""

MIN_FREE = 8
"""Free addresses that a load balancer needs in a subnet (Elastic Load Balancing, "Network Load Balancers")."""


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet.

    Attributes:
        id: Its id.
        zone_id: Its zone's id, which is the same in every account.
        zone_name: Its zone's name, which is the account's own.
        cidr: Its IPv4 range.
        free: How many of its addresses are free.
    """

    id: str
    zone_id: str
    zone_name: str
    cidr: str
    free: int


@dataclass(frozen=True, slots=True)
class Network:
    """A VPC.

    Attributes:
        vpc_id: Its id.
        cidrs: All of its IPv4 ranges.
        subnets: One subnet in each zone that the load balancer is to stand in.
        database_zone_ids: The zones in which the database can be.
    """

    vpc_id: str
    cidrs: tuple[str, ...]
    subnets: tuple[Subnet, ...]
    database_zone_ids: tuple[str, ...]


def read_network(aws: Aws, *, vpc_id: str, database_subnet_ids: Sequence[str]) -> Network:
    """Return the VPC of a database.

    Args:
        aws: Where it is.
        vpc_id: Its id.
        database_subnet_ids: The subnets in which the database can be.

    Raises:
        Problem: A load balancer cannot stand in this VPC.
    """
    ec2: EC2Client = aws.client("ec2")
    vpc = ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"][0]
    pages = ec2.get_paginator("describe_subnets").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
    return network(vpc, [row for page in pages for row in page["Subnets"]], database_subnet_ids=database_subnet_ids)


def network(
    vpc: Mapping[str, Any], subnets: Sequence[Mapping[str, Any]], *, database_subnet_ids: Sequence[str]
) -> Network:
    """Choose the load balancer's subnets: one in each of the database's zones, of its own subnets the roomiest.

    Where the database has one zone only, another subnet of the VPC makes up the second.

    Args:
        vpc: What EC2 says of the VPC.
        subnets: What EC2 says of all of its subnets.
        database_subnet_ids: The subnets in which the database can be.

    Raises:
        Problem: The VPC has subnets in fewer than two zones.
    """
    vpc_id = str(vpc["VpcId"])
    cidrs = tuple(
        each["CidrBlock"]
        for each in vpc.get("CidrBlockAssociationSet", [])
        if each.get("CidrBlockState", {}).get("State", "associated") == "associated"
    ) or (str(vpc["CidrBlock"]),)
    known = [_subnet(row) for row in subnets if row.get("CidrBlock")]
    own = [each for each in known if each.id in database_subnet_ids]
    if not own:
        raise Problem(
            f"the database's subnets ({', '.join(database_subnet_ids)}) have no IPv4 range in VPC {vpc_id}, or may "
            "not be seen",
            "a load balancer needs IPv4: see 'aws ec2 describe-subnets'",
        )
    chosen = _roomiest(own)
    zones = tuple(chosen)
    if len(chosen) < MIN_ZONES:
        others = _roomiest([each for each in known if each.zone_id not in chosen])
        for zone_id in sorted(others)[: MIN_ZONES - len(chosen)]:
            chosen[zone_id] = others[zone_id]
    if len(chosen) < MIN_ZONES:
        raise Problem(
            f"VPC {vpc_id} has IPv4 subnets in zone {zones[0]} only, and a service of ours needs two zones",
            "add a private subnet in another zone",
        )
    return Network(vpc_id=vpc_id, cidrs=cidrs, subnets=tuple(chosen.values()), database_zone_ids=zones)


def _subnet(row: Mapping[str, Any]) -> Subnet:
    return Subnet(
        id=row["SubnetId"],
        zone_id=row["AvailabilityZoneId"],
        zone_name=row["AvailabilityZone"],
        cidr=row["CidrBlock"],
        free=int(row.get("AvailableIpAddressCount", 0)),
    )


def _roomiest(subnets: Sequence[Subnet]) -> dict[str, Subnet]:
    """Return by zone the subnet with the most free addresses, the zones in order."""
    best: dict[str, Subnet] = {}
    for each in sorted(subnets, key=lambda each: (each.zone_id, -each.free, each.id)):
        best.setdefault(each.zone_id, each)
    return best

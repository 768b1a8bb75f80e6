"""What a user has before they come to us, made on the emulator through AWS's API: a VPC and a Multi-AZ database."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from emulator.running import Emulator

PROVIDER_ACCOUNT = "111122223333"
DBT_ACCOUNT = "346425330055"
REGION = "eu-central-1"
# On loopback, so that health checks are real connections; 127.0.0.0/8 is this computer, every address of it.
VPC_CIDR = "127.0.0.0/16"
SUBNET_CIDRS = ("127.0.0.0/24", "127.0.1.0/24")
PRIMARY, STANDBY = "127.0.0.10", "127.0.1.10"
IDENTIFIER = "orders"


@dataclass(frozen=True, kw_only=True)
class Subnet:
    """A subnet as the YAML file wants it."""

    id: str
    zone: str
    cidr: str


@dataclass(frozen=True, kw_only=True)
class World:
    """The VPC and the database, and nothing of ours."""

    vpc_id: str
    subnets: tuple[Subnet, ...]
    database_security_group: str
    endpoint: str
    port: int


def make_world(emulator: Emulator) -> World:
    """Create the VPC, two subnets in different zones, a security group and a Multi-AZ Postgres instance."""
    ec2 = emulator.client("ec2", account=PROVIDER_ACCOUNT)
    rds = emulator.client("rds", account=PROVIDER_ACCOUNT)
    vpc_id = ec2.create_vpc(CidrBlock=VPC_CIDR)["Vpc"]["VpcId"]
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    subnets = []
    for cidr, zone in zip(SUBNET_CIDRS, zones, strict=False):
        subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]
        subnets.append(Subnet(id=subnet["SubnetId"], zone=subnet["AvailabilityZoneId"], cidr=cidr))
    group = ec2.create_security_group(GroupName="orders-database", Description="Orders database", VpcId=vpc_id)
    rds.create_db_subnet_group(
        DBSubnetGroupName="orders", DBSubnetGroupDescription="Orders", SubnetIds=[subnet.id for subnet in subnets]
    )
    port = free_port((PRIMARY, STANDBY))
    rds.create_db_instance(
        DBInstanceIdentifier=IDENTIFIER,
        Engine="postgres",
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=20,
        MultiAZ=True,
        Port=port,
        MasterUsername="postgres",
        ManageMasterUserPassword=True,
        DBSubnetGroupName="orders",
        VpcSecurityGroupIds=[group["GroupId"]],
        PubliclyAccessible=False,
    )
    instance = rds.describe_db_instances(DBInstanceIdentifier=IDENTIFIER)["DBInstances"][0]
    return World(
        vpc_id=vpc_id,
        subnets=tuple(subnets),
        database_security_group=group["GroupId"],
        endpoint=instance["Endpoint"]["Address"],
        port=port,
    )


def free_port(addresses: tuple[str, ...]) -> int:
    """Return a port that is free on each of these addresses."""
    while True:
        with socket.socket() as first:
            first.bind((addresses[0], 0))
            port: int = first.getsockname()[1]
            try:
                for address in addresses[1:]:
                    with socket.socket() as other:
                        other.bind((address, port))
            except OSError:
                continue
            return port


def write_configuration(world: World, path: Path, *, name_server: str) -> None:
    """Write the YAML file that a user with this VPC and database would write.

    Args:
        world: The VPC and the database.
        path: The file to write.
        name_server: The DNS server that knows the database's name, `ip:port`.
    """
    subnets = "\n".join(
        f"        - {{id: {subnet.id}, zone: {subnet.zone}, cidr: {subnet.cidr}}}" for subnet in world.subnets
    )
    path.write_text(
        f"""\
account: "{PROVIDER_ACCOUNT}"
region: {REGION}
termination_protection: false  # the demo takes itself away
services:
  orders:
    vpc:
      id: {world.vpc_id}
      cidrs: [{VPC_CIDR}]
      subnets:
{subnets}
    consumers:
      - dbt_platform:
          environment: EMEA
          account_url: https://emea.dbt.com/accounts/1234
    listeners:
      main:
        port: 5432
        rds_instance:
          identifier: {IDENTIFIER}
          endpoint: {world.endpoint}
          port: {world.port}
          security_groups: [{world.database_security_group}]
          zones: [{", ".join(subnet.zone for subnet in world.subnets)}]
          nameservers: ["{name_server}"]
"""
    )

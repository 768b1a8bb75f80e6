"""What a user has before they come to us, made on the emulator through AWS's API: a VPC and a Multi-AZ database."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.ports import free_network, free_port

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
_POSTGRES = 5432


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where on loopback a world is: everything in it has an address of its own.

    Attributes:
        vpc_cidr: The VPC's range.
        subnet_cidrs: Those of its two subnets.
        primary: The address of the database's first primary, in the first subnet.
        standby: That of its standby, in the second.
        port: The port of both; 0: any that is free on both.
    """

    vpc_cidr: str = VPC_CIDR
    subnet_cidrs: tuple[str, str] = SUBNET_CIDRS
    primary: str = PRIMARY
    standby: str = STANDBY
    port: int = 0

    def address(self, number: int) -> str:
        """Return an address of the VPC that is neither in its subnets nor a database's, for a load balancer."""
        network = self.vpc_cidr.rpartition(".0.0/")[0]
        return f"{network}.{200 + number // 250}.{1 + number % 250}"


def own_place() -> Place:
    """Return a place that nobody else on this computer is at, with Postgres on its own port.

    Two runs that are side by side have different second numbers of 127.x.0.0/16.
    """
    while True:
        network = f"127.{free_network()}"
        place = Place(
            vpc_cidr=f"{network}.0.0/16",
            subnet_cidrs=(f"{network}.0.0/24", f"{network}.1.0/24"),
            primary=f"{network}.0.10",
            standby=f"{network}.1.10",
            port=_POSTGRES,
        )
        # Another checkout's, or whoever else is on this computer.
        with contextlib.suppress(OSError):
            for address in (place.primary, place.standby, place.address(0)):
                with socket.socket() as probe:
                    probe.bind((address, _POSTGRES))
            return place


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
    vpc_cidr: str = VPC_CIDR


def make_world(emulator: Emulator, place: Place | None = None) -> World:
    """Create the VPC, two subnets in different zones, a security group and a Multi-AZ Postgres instance.

    Args:
        emulator: Where.
        place: On which addresses (default: always the same ones, and a port that is free).
    """
    place = place or Place()
    ec2 = emulator.client("ec2", account=PROVIDER_ACCOUNT)
    rds = emulator.client("rds", account=PROVIDER_ACCOUNT)
    vpc_id = ec2.create_vpc(CidrBlock=place.vpc_cidr)["Vpc"]["VpcId"]
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    subnets = []
    for cidr, zone in zip(place.subnet_cidrs, zones, strict=False):
        subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]
        subnets.append(Subnet(id=subnet["SubnetId"], zone=subnet["AvailabilityZoneId"], cidr=cidr))
    group = ec2.create_security_group(GroupName="orders-database", Description="Orders database", VpcId=vpc_id)
    rds.create_db_subnet_group(
        DBSubnetGroupName="orders", DBSubnetGroupDescription="Orders", SubnetIds=[subnet.id for subnet in subnets]
    )
    port = place.port or free_port(place.primary, place.standby)
    endpoint = make_database(emulator, IDENTIFIER, port=port, security_group=group["GroupId"])
    return World(
        vpc_id=vpc_id,
        subnets=tuple(subnets),
        database_security_group=group["GroupId"],
        endpoint=endpoint,
        port=port,
        vpc_cidr=place.vpc_cidr,
    )


def make_database(emulator: Emulator, identifier: str, *, port: int, security_group: str) -> str:
    """Create a Multi-AZ Postgres instance in the world's VPC; returns its endpoint's name."""
    rds = emulator.client("rds", account=PROVIDER_ACCOUNT)
    rds.create_db_instance(
        DBInstanceIdentifier=identifier,
        Engine="postgres",
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=20,
        MultiAZ=True,
        Port=port,
        MasterUsername="postgres",
        ManageMasterUserPassword=True,
        DBSubnetGroupName="orders",
        VpcSecurityGroupIds=[security_group],
        PubliclyAccessible=False,
    )
    instance = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
    return str(instance["Endpoint"]["Address"])


def write_configuration(world: World, path: Path, *, name_server: str, more_listeners: str = "") -> None:
    """Write the YAML file that a user with this VPC and database would write.

    Args:
        world: The VPC and the database.
        path: The file to write.
        name_server: The DNS server that knows the database's name, `ip:port`.
        more_listeners: Lines of YAML with further entries of `listeners`, indented by six.
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
      cidrs: [{world.vpc_cidr}]
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
{more_listeners}"""
    )

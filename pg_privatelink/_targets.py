"""The kinds of Postgres in the YAML file: the fields of each. Exactly one of them stands in a listener."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from pg_privatelink._fields import (
    POSTGRES_PORT,
    WRITER,
    AllowedRange,
    ClusterRole,
    DbClusterEndpoint,
    DbClusterIdentifier,
    DbInstanceEndpoint,
    DbInstanceIdentifier,
    DbProxyEndpoint,
    DbProxyName,
    Ec2InstanceId,
    Fields,
    HostName,
    IpAddress,
    NameServer,
    Port,
    SecurityGroupId,
    Zone,
)

_DifferentValues = Field(min_length=1, json_schema_extra={"uniqueItems": True})

TargetPort = Annotated[Port, Field(description="The port on which Postgres listens.")]
SecurityGroups = Annotated[
    tuple[SecurityGroupId, ...],
    Field(
        min_length=1,
        description="The database's security groups. Rules are added to them for the load balancer (default: none, "
        "you admit the load balancer's security group yourself).",
    ),
]
Zones = Annotated[
    tuple[Zone, ...],
    Field(
        min_length=1,
        description="The zones in which the database can be, those of its DB subnet group, to check that the load "
        "balancer covers them (default: the first deployment asks RDS, unless allowed_ranges are given).",
    ),
]
ZonesNobodyKnows = Annotated[
    tuple[Zone, ...],
    Field(
        min_length=1,
        description="The zones in which the addresses can be, to check that the load balancer covers them (default: "
        "not checked).",
    ),
]
NameServers = Annotated[
    tuple[NameServer, ...],
    Field(
        min_length=1,
        description="Name servers to ask, each as address or address:port. The function runs outside the VPC unless "
        "it is given subnets, and must reach them from there (default: AWS Lambda's own resolver, which knows RDS "
        "endpoints).",
    ),
]
AllowedRanges = Annotated[
    tuple[AllowedRange, ...],
    Field(
        min_length=1,
        description="IPv4 ranges outside the VPC in which the database can be, in a peered VPC for example "
        "(default: the VPC's ranges only).",
    ),
]


class RdsInstanceConfiguration(Fields):
    """An RDS DB instance, single-AZ or Multi-AZ, followed by its endpoint name."""

    identifier: DbInstanceIdentifier = Field(
        description="The DB instance identifier. Its events make failovers faster."
    )
    endpoint: DbInstanceEndpoint = Field(description="The instance's endpoint, without the port.")
    port: TargetPort = POSTGRES_PORT
    security_groups: SecurityGroups = ()
    zones: Zones = ()
    nameservers: NameServers = ()
    allowed_ranges: AllowedRanges = ()


class RdsClusterConfiguration(Fields):
    """An Aurora or Multi-AZ DB cluster, followed by its writer or its reader endpoint."""

    identifier: DbClusterIdentifier = Field(description="The DB cluster identifier. Its events make failovers faster.")
    role: ClusterRole = Field(
        default=WRITER, description="Which members of the cluster get the connections: the writer, or the readers."
    )
    endpoint: DbClusterEndpoint = Field(
        description="The endpoint of this role, without the port: the writer endpoint has .cluster- in its name, the "
        "reader endpoint .cluster-ro-."
    )
    port: TargetPort = POSTGRES_PORT
    security_groups: SecurityGroups = ()
    zones: Zones = ()
    nameservers: NameServers = ()
    allowed_ranges: AllowedRanges = ()


class RdsProxyConfiguration(Fields):
    """An RDS Proxy, followed by its endpoint name."""

    name: DbProxyName = Field(description="The proxy's name.")
    endpoint: DbProxyEndpoint = Field(description="One of the proxy's endpoints, without the port.")
    port: TargetPort = POSTGRES_PORT
    security_groups: Annotated[
        tuple[SecurityGroupId, ...],
        Field(
            min_length=1,
            description="The proxy's own security groups, which nothing else tells. Rules are added to them for the "
            "load balancer.",
        ),
    ]
    zones: ZonesNobodyKnows = ()
    nameservers: NameServers = ()
    allowed_ranges: AllowedRanges = ()


class HostnameConfiguration(Fields):
    """Any Postgres behind a DNS name, followed by that name."""

    name: HostName = Field(description="The DNS name, without the port.")
    port: TargetPort = POSTGRES_PORT
    security_groups: SecurityGroups = ()
    zones: ZonesNobodyKnows = ()
    nameservers: NameServers = ()
    allowed_ranges: AllowedRanges = ()


class IpAddressesConfiguration(Fields):
    """Postgres at fixed addresses, in the VPC or on-premises behind Direct Connect or a VPN. Needs no function."""

    addresses: Annotated[tuple[IpAddress, ...], _DifferentValues] = Field(
        description="The private IPv4 addresses. Each that answers gets connections: give a standby only if consumers "
        "may read from it."
    )
    port: TargetPort = POSTGRES_PORT
    security_groups: SecurityGroups = ()


class Ec2InstancesConfiguration(Fields):
    """Postgres on EC2 instances in the load balancer's VPC. Needs no function."""

    ids: Annotated[tuple[Ec2InstanceId, ...], _DifferentValues] = Field(
        description="The instances' ids. Each that answers gets connections: give a standby only if consumers may read "
        "from it."
    )
    port: TargetPort = POSTGRES_PORT
    security_groups: SecurityGroups = ()


TargetConfiguration: TypeAlias = (
    RdsInstanceConfiguration
    | RdsClusterConfiguration
    | RdsProxyConfiguration
    | HostnameConfiguration
    | IpAddressesConfiguration
    | Ec2InstancesConfiguration
)

KINDS = ("rds_instance", "rds_cluster", "rds_proxy", "hostname", "ip_addresses", "ec2_instances")
"""The fields of a listener of which it has exactly one."""

FIXED = ("ip_addresses", "ec2_instances")
"""Those of `KINDS` that have no DNS name to follow."""

NOT_SUPPORTED = {
    "auto_scaling_group": "CloudFormation cannot attach a target group to an Auto Scaling group of another stack: use "
    "ec2_instances with the ids of its instances, or hostname with a DNS name that it keeps; then new instances can "
    "be added by hand, on port 5432: aws autoscaling attach-traffic-sources --auto-scaling-group-name NAME "
    "--traffic-sources Identifier=ARN,Type=elbv2 with the ARN of the target group that ec2_instances makes",
}
"""What a user may look for among `KINDS`, and what to do instead."""

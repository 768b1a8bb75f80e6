"""`PostgresTarget`: the strategy that tells a listener how to reach one Postgres."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from .cluster_role import ClusterRole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_autoscaling as autoscaling
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_rds as rds
    from constructs import Construct

    from .config import PostgresTargetConfig

# ruff: noqa: PLC0415  # the variants subclass this class, so its factories import them when they are called


class PostgresTarget(ABC):
    """A Postgres that a listener forwards to. Use a factory, or subclass and implement `bind`.

    Behind a DNS name a function follows the addresses and reports when they change; fixed addresses, EC2 instances and
    Auto Scaling groups stand in the template and need no function.
    """

    @staticmethod
    def from_instance(
        instance: rds.IDatabaseInstance,
        *,
        port: int | None = None,
        identifier: str | None = None,
        availability_zones: Sequence[str] = (),
        nameservers: Sequence[str] = (),
        allowed_ranges: Sequence[str] = (),
    ) -> PostgresTarget:
        """Forward to an RDS DB instance, single-AZ or Multi-AZ.

        The function registers the address behind the instance's endpoint name and follows it when it changes. For an
        instance known only by its attributes use `rds.DatabaseInstance.from_database_instance_attributes`.

        Args:
            instance: The instance, created in CDK or imported. Its security groups get ingress rules for the load
                balancer; an import without security groups gets none.
            port: The database's port (default: the instance's own, 5432 for a created Postgres instance without one).
                To be given for a read replica created in CDK that shares the service with others: its port is not
                known, and AWS refuses a second security-group rule that turns out to be for the same port.
            identifier: The DB instance identifier, by which RDS names the instance in its events (default: the
                instance's own).
            availability_zones: Zones of the DB subnet group, names or ids (default: those of a group created in CDK,
                otherwise the first deployment asks RDS, and fails if the load balancer lacks one).
            nameservers: DNS servers to ask, each `ip` or `ip:port`. The function must reach them: private ones only
                from inside the VPC, see `function_vpc_subnets` (default: AWS Lambda's own resolver, which knows RDS
                endpoints).
            allowed_ranges: IPv4 CIDRs in which its addresses may lie, besides the VPC's, such as those of a peered VPC
                (default: the VPC's only).

        Raises:
            PostgresEndpointServiceError: An argument is out of its range.
        """
        from .instance import InstanceTarget

        return InstanceTarget(
            instance,
            port=port,
            identifier=identifier,
            availability_zones=availability_zones,
            nameservers=nameservers,
            allowed_ranges=allowed_ranges,
        )

    @staticmethod
    def from_cluster(
        cluster: rds.IDatabaseCluster,
        *,
        role: ClusterRole = ClusterRole.WRITER,
        port: int | None = None,
        identifier: str | None = None,
        availability_zones: Sequence[str] = (),
        nameservers: Sequence[str] = (),
        allowed_ranges: Sequence[str] = (),
    ) -> PostgresTarget:
        """Forward to an Aurora cluster or a Multi-AZ DB cluster: to its writer, or to its readers.

        The function follows the cluster's endpoint name. A reader endpoint names one reader at a time, so for readers
        it also asks RDS which members there are, and registers all that do not take writes; its role may describe this
        cluster, and nothing else. For a cluster known only by its attributes use
        `rds.DatabaseCluster.from_database_cluster_attributes`, with the endpoint of the role and the port.

        Args:
            cluster: The cluster, created in CDK or imported. Its security groups get ingress rules for the load
                balancer; an import without security groups gets none.
            role: The writer or the readers (default: the writer).
            port: The database's port (default: the cluster's own).
            identifier: The DB cluster identifier, by which RDS names the cluster in its events and API (default: the
                cluster's own).
            availability_zones: Zones of the DB subnet group, names or ids (default: those of a group created in CDK,
                otherwise the first deployment asks RDS, and fails if the load balancer lacks one of them).
            nameservers: DNS servers to ask, each `ip` or `ip:port` (default: AWS Lambda's own resolver, which knows RDS
                endpoints).
            allowed_ranges: IPv4 CIDRs in which its addresses may lie, besides the VPC's (default: the VPC's only).

        Raises:
            PostgresEndpointServiceError: An argument is out of its range, or the import lacks the role's endpoint.
        """
        from .cluster import ClusterTarget

        return ClusterTarget(
            cluster,
            role=role,
            port=port,
            identifier=identifier,
            availability_zones=availability_zones,
            nameservers=nameservers,
            allowed_ranges=allowed_ranges,
        )

    @staticmethod
    def from_proxy(
        proxy: rds.IDatabaseProxy,
        *,
        endpoint: str | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        port: int = 5432,
        availability_zones: Sequence[str] = (),
        nameservers: Sequence[str] = (),
        allowed_ranges: Sequence[str] = (),
    ) -> PostgresTarget:
        """Forward to an RDS Proxy. The function registers every address of its endpoint.

        Behind a proxy a failover moves no address; clients keep their connection to it. Postgres's logical replication
        does not pass through a proxy, so a consumer that captures changes needs the database itself.

        Args:
            proxy: The proxy, created in CDK, or by `rds.DatabaseProxy.from_database_proxy_attributes`.
            endpoint: The DNS name of another of its endpoints, such as a read-only one (default: the proxy's own).
            security_groups: The endpoint's security groups; they get ingress rules for the load balancer (default:
                those of a created proxy; for an imported one they must be given).
            port: The port, which for Postgres is always 5432 unless AWS changes that (default: 5432).
            availability_zones: Zones of the endpoint's subnets, names or ids (default: those of a proxy created in CDK,
                otherwise unknown).
            nameservers: DNS servers to ask, each `ip` or `ip:port` (default: AWS Lambda's own resolver, which knows RDS
                endpoints).
            allowed_ranges: IPv4 CIDRs in which its addresses may lie, besides the VPC's (default: the VPC's only).

        Raises:
            PostgresEndpointServiceError: An argument is out of its range, or security groups are missing.
        """
        from .proxy import ProxyTarget

        return ProxyTarget(
            proxy,
            endpoint=endpoint,
            security_groups=security_groups,
            port=port,
            availability_zones=availability_zones,
            nameservers=nameservers,
            allowed_ranges=allowed_ranges,
        )

    @staticmethod
    def from_hostname(
        hostname: str,
        *,
        port: int = 5432,
        security_groups: Sequence[ec2.ISecurityGroup] = (),
        availability_zones: Sequence[str] = (),
        nameservers: Sequence[str] = (),
        allowed_ranges: Sequence[str] = (),
    ) -> PostgresTarget:
        """Forward to whatever a DNS name stands for: a Postgres of your own, an alias, a name on your premises.

        The function registers every address behind the name and follows them.

        Args:
            hostname: The name, which must be resolvable by the function; may be a token.
            port: The database's port (default: 5432).
            security_groups: Security groups of the servers; they get ingress rules for the load balancer (default:
                none, for servers outside of the VPC or opened by yourself).
            availability_zones: Zones in which the servers can be, names or ids (default: unknown).
            nameservers: DNS servers to ask, each `ip` or `ip:port` (default: the resolver of the function's network).
            allowed_ranges: IPv4 CIDRs in which its addresses may lie, besides the VPC's, such as those on your premises
                (default: the VPC's only).

        Raises:
            PostgresEndpointServiceError: An argument is out of its range.
        """
        from .hostname import HostnameTarget

        return HostnameTarget(
            hostname,
            port=port,
            security_groups=security_groups,
            availability_zones=availability_zones,
            nameservers=nameservers,
            allowed_ranges=allowed_ranges,
        )

    @staticmethod
    def from_ip_addresses(
        addresses: Sequence[str],
        *,
        port: int = 5432,
        security_groups: Sequence[ec2.ISecurityGroup] = (),
        availability_zones: Sequence[str] = (),
    ) -> PostgresTarget:
        """Forward to fixed IPv4 addresses, such as those of servers behind Direct Connect or a VPN. No function.

        The load balancer may reach exactly these. An RDS endpoint's address changes: use its name instead.

        Args:
            addresses: One address or more, inside the VPC or private (10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16,
                100.64.0.0/10). A token is taken for an address inside the VPC.
            port: The database's port (default: 5432).
            security_groups: Security groups of the servers; they get ingress rules for the load balancer (default:
                none, for servers outside of the VPC or opened by yourself).
            availability_zones: Zones in which the servers are, names or ids (default: unknown).

        Raises:
            PostgresEndpointServiceError: An argument is out of its range; the listener raises it for public addresses.
        """
        from .ip_addresses import IpAddressesTarget

        return IpAddressesTarget(
            addresses, port=port, security_groups=security_groups, availability_zones=availability_zones
        )

    @staticmethod
    def from_ec2_instances(instances: Sequence[ec2.IInstance], *, port: int = 5432) -> PostgresTarget:
        """Forward to EC2 instances of the service's VPC. No function.

        Their security groups get ingress rules for the load balancer, which reaches nothing but these groups.

        Args:
            instances: One instance or more.
            port: The database's port (default: 5432).

        Raises:
            PostgresEndpointServiceError: An argument is out of its range.
        """
        from .ec2_instances import Ec2InstancesTarget

        return Ec2InstancesTarget.from_instances(instances, port=port)

    @staticmethod
    def from_ec2_instance_ids(
        instance_ids: Sequence[str],
        *,
        port: int = 5432,
        security_groups: Sequence[ec2.ISecurityGroup] = (),
    ) -> PostgresTarget:
        """Forward to EC2 instances of the service's VPC that are known by their ids. No function.

        Args:
            instance_ids: One id or more; tokens pass.
            port: The database's port (default: 5432).
            security_groups: The instances' security groups; they get ingress rules for the load balancer, which then
                reaches nothing but these groups (default: none; open them yourself, and the load balancer may reach
                the whole VPC on this port).

        Raises:
            PostgresEndpointServiceError: An argument is out of its range.
        """
        from .._references import different_groups
        from .ec2_instances import Ec2InstancesTarget

        return Ec2InstancesTarget(instance_ids, port=port, security_groups=different_groups(security_groups))

    @staticmethod
    def from_auto_scaling_group(
        group: autoscaling.AutoScalingGroup,
        *,
        port: int = 5432,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
    ) -> PostgresTarget:
        """Forward to the instances of an Auto Scaling group, which registers them itself. No function.

        Auto Scaling registers instances on the target group's own port, which AWS cannot change. Another port
        therefore makes another target group, in the same listener and without replacing anything else.

        Args:
            group: The group, created in CDK, in the service's stack unless it brings security groups from elsewhere.
            port: The database's port, a number known at synthesis (default: 5432).
            security_groups: The instances' security groups; they get ingress rules for the load balancer, which reaches
                nothing but these groups (default: the group's own).

        Raises:
            PostgresEndpointServiceError: An argument is out of its range, or the group is imported: CloudFormation has
                no attachment for it. The message says how to attach it by hand.
        """
        from .auto_scaling_group import AutoScalingGroupTarget

        return AutoScalingGroupTarget(group, port=port, security_groups=security_groups)

    @abstractmethod
    def bind(self, scope: Construct) -> PostgresTargetConfig:
        """Return how to reach this Postgres; called once by each listener that forwards to it.

        Args:
            scope: The listener's construct, below which a target may create what it needs.
        """

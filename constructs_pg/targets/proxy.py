"""An RDS Proxy as a target."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_rds as rds

from .._references import different_groups
from .._validation import (
    check_allowed_ranges,
    check_host_name,
    check_nameservers,
    check_port,
    check_zones,
)
from ..errors import PostgresEndpointServiceError
from .config import PostgresTargetConfig
from .target import PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_ec2 as ec2
    from constructs import Construct


class ProxyTarget(PostgresTarget):
    """An RDS Proxy, followed by the name of one of its endpoints. See `PostgresTarget.from_proxy`."""

    def __init__(
        self,
        proxy: rds.IDatabaseProxy,
        *,
        endpoint: str | None,
        security_groups: Sequence[ec2.ISecurityGroup] | None,
        port: int,
        availability_zones: Sequence[str],
        nameservers: Sequence[str],
        allowed_ranges: Sequence[str],
    ) -> None:
        if not hasattr(proxy, "db_proxy_name"):
            raise PostgresEndpointServiceError(
                f"from_proxy needs an RDS Proxy, got a {type(proxy).__name__}: give an rds.IDatabaseProxy; for a DB "
                "instance there is from_instance, for a DB cluster from_cluster"
            )
        self._proxy = proxy
        self._endpoint = None if endpoint is None else check_host_name(endpoint, what="proxy endpoint")
        self._security_groups = (
            _security_groups(proxy) if security_groups is None else list(different_groups(security_groups))
        )
        self._port = check_port(port)
        self._availability_zones = check_zones(availability_zones)
        self._nameservers = check_nameservers(nameservers)
        self._allowed_ranges = check_allowed_ranges(allowed_ranges)

    def bind(self, scope: Construct) -> PostgresTargetConfig:  # noqa: ARG002 - part of the strategy's signature
        """Return the endpoint and the proxy's security groups. No event of RDS tells that its addresses changed."""
        created = self._proxy.node.default_child
        return PostgresTargetConfig(
            port=self._port,
            hostname=self._endpoint or self._proxy.endpoint,
            nameservers=self._nameservers,
            allowed_ranges=self._allowed_ranges,
            security_groups=self._security_groups,
            availability_zones=self._availability_zones,
            # A further endpoint can have subnets of its own, which the proxy does not know.
            subnet_ids=created.vpc_subnet_ids if isinstance(created, rds.CfnDBProxy) and self._endpoint is None else (),
        )


def _security_groups(proxy: rds.IDatabaseProxy) -> list[ec2.ISecurityGroup]:
    connections = getattr(proxy, "connections", None)
    if connections is None:
        raise PostgresEndpointServiceError(
            f"the security groups of the imported RDS Proxy '{proxy.db_proxy_name}' are not known, and they must admit "
            "the load balancer: give them as 'security_groups' (an empty list if you open them yourself)"
        )
    return list(connections.security_groups)

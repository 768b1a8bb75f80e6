"""The endpoint service in AWS: its connections and its zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import botocore.config

from .decide import Connection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

    from .settings import Settings

_GONE = "InvalidVpcEndpointService.NotFound", "InvalidVpcEndpointServiceId.NotFound"
_DENIED = "AccessDenied", "AccessDeniedException", "UnauthorizedOperation"
_AT_ONCE = 100  # endpoints in one call; AWS states no limit


def client(name: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
    """A client whose calls end in bounded time, retries included.

    Args:
        name: botocore's name of the service.
    """
    config = botocore.config.Config(
        connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}
    )
    return boto3.client(name, config=config)


def code(error: BaseException) -> str:
    """AWS's code for an error, such as AccessDenied; the class for one that did not come from AWS."""
    response: Mapping[str, Mapping[str, str]] = getattr(error, "response", None) or {}
    return response.get("Error", {}).get("Code", type(error).__name__)


class Service:
    """One endpoint service."""

    def __init__(
        self,
        settings: Settings,
        ec2: EC2Client | None = None,
        elbv2: ElasticLoadBalancingv2Client | None = None,
        cloudformation: CloudFormationClient | None = None,
    ) -> None:
        """Makes no call yet.

        Args:
            settings: Which service it is.
            ec2: Default: a client of its own, as for the others.
            elbv2: Asked for the load balancer's zones.
            cloudformation: Asked for the stack's status.
        """
        self._settings = settings
        self._ec2: EC2Client = ec2 or client("ec2")
        self._elbv2 = elbv2
        self._cloudformation = cloudformation

    def connections(self) -> list[Connection]:
        """All connections that AWS lists, whatever their state."""
        pages = self._ec2.get_paginator("describe_vpc_endpoint_connections").paginate(
            Filters=[{"Name": "service-id", "Values": [self._settings.service_id]}]
        )
        return [
            Connection(row["VpcEndpointId"], row.get("VpcEndpointOwner", ""), row.get("VpcEndpointState", "").lower())
            for page in pages
            for row in page.get("VpcEndpointConnections", [])
            # The filter is AWS's; nothing is ever decided about another service's connection.
            if row.get("ServiceId") == self._settings.service_id
        ]

    def accept(self, endpoint_ids: Sequence[str]) -> dict[str, str]:
        """Accepts waiting endpoints.

        Returns:
            Why not, by endpoint, for those that AWS did not accept: the consumer may have deleted one meanwhile.
        """
        return self._settle(self._ec2.accept_vpc_endpoint_connections, endpoint_ids)

    def reject(self, endpoint_ids: Sequence[str]) -> dict[str, str]:
        """Rejects waiting endpoints, or cuts connected ones; see `accept`."""
        return self._settle(self._ec2.reject_vpc_endpoint_connections, endpoint_ids)

    def load_balancer_zones(self) -> set[str]:
        """The zones in which the load balancer has a subnet."""
        elbv2 = self._elbv2 or client("elbv2")
        (balancer,) = elbv2.describe_load_balancers(LoadBalancerArns=[self._settings.load_balancer_arn])[
            "LoadBalancers"
        ]
        return {zone["ZoneName"] for zone in balancer.get("AvailabilityZones", [])}

    def missing_zones(self) -> list[str]:
        """The load balancer's zones in which the service is not available."""
        zones = self.load_balancer_zones()
        (service,) = self._ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[self._settings.service_id])[
            "ServiceConfigurations"
        ]
        return sorted(zones - set(service.get("AvailabilityZones", [])))

    def learn_zones(self) -> None:
        """Has the service look at its load balancer's zones anew: a modification that names only the service.

        Source: vpc/latest/privatelink/configure-endpoint-service.html in AWS's documentation.
        """
        self._ec2.modify_vpc_endpoint_service_configuration(ServiceId=self._settings.service_id)

    def stack_status(self, stack_id: str) -> str:
        """The status of a CloudFormation stack.

        Args:
            stack_id: Its ARN.
        """
        cloudformation = self._cloudformation or client("cloudformation")
        (stack,) = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        return str(stack["StackStatus"])

    def _settle(self, call: Any, endpoint_ids: Sequence[str]) -> dict[str, str]:  # noqa: ANN401 - two calls of one form
        refused: dict[str, str] = {}
        for start in range(0, len(endpoint_ids), _AT_ONCE):
            answer = call(
                ServiceId=self._settings.service_id, VpcEndpointIds=list(endpoint_ids[start : start + _AT_ONCE])
            )
            for item in answer.get("Unsuccessful", []):
                error = item.get("Error", {})
                refused[item.get("ResourceId", "")] = f"{error.get('Code', '')}: {error.get('Message', '')}"
        return refused


def is_gone(error: BaseException) -> bool:
    """Whether an error says that the endpoint service does not exist any more."""
    return code(error) in _GONE


def is_denied(error: BaseException) -> bool:
    """Whether an error says that the function's role lacks a permission."""
    return code(error) in _DENIED

"""A fake of the endpoint service in AWS: its connections as EC2 keeps and reports them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from connection_gate.service import Service
from connection_gate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SERVICE_ID = "vpce-svc-0123456789abcdef0"
LOAD_BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:111111111111:loadbalancer/net/orders/0123456789abcdef"
STACK = "arn:aws:cloudformation:eu-central-1:111111111111:stack/orders/1"
LISTED, OTHER = "222222222222", "333333333333"


def aws_error(code: str, operation: str = "AcceptVpcEndpointConnections") -> ClientError:
    """An error as AWS reports it."""
    return ClientError({"Error": {"Code": code, "Message": f"{code} it is"}}, operation)


@dataclass
class Endpoint:
    """A consumer's endpoint.

    Attributes:
        owner: Its account.
        state: As AWS writes it.
        service_id: The service it belongs to.
    """

    owner: str
    state: str = "pendingAcceptance"
    service_id: str = SERVICE_ID


@dataclass
class Aws:
    """EC2, Elastic Load Balancing and CloudFormation, as far as the function asks them.

    Attributes:
        endpoints: All connections by the endpoint's id.
        zones: The load balancer's zones.
        enabled: Those in which the service is available.
        enable_after: So many modifications it takes until all zones are enabled.
        status: The stack's status.
        page_size: How many connections come on a page.
        faults: Errors that the next calls get, by the operation.
        before: Called before a call is answered, with the operation's name.
        calls: The operations that were called, with the endpoints they named.
    """

    endpoints: dict[str, Endpoint] = field(default_factory=dict)
    zones: list[str] = field(default_factory=lambda: ["eu-central-1a", "eu-central-1b"])
    enabled: list[str] = field(default_factory=lambda: ["eu-central-1a", "eu-central-1b"])
    enable_after: int = 1
    status: str = "DELETE_IN_PROGRESS"
    page_size: int = 2
    faults: dict[str, list[ClientError]] = field(default_factory=dict)
    before: Callable[[str], None] = lambda _: None
    calls: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    def service(self, settings: Settings | None = None) -> Service:
        """The function's view of it."""
        client: Any = self
        return Service(settings or make_settings(), ec2=client, elbv2=client, cloudformation=client)

    def called(self, operation: str) -> list[tuple[str, ...]]:
        """The endpoints that each call of an operation named."""
        return [endpoints for name, endpoints in self.calls if name == operation]

    def get_paginator(self, operation: str) -> Aws:
        """EC2's only paginated call."""
        assert operation == "describe_vpc_endpoint_connections"
        return self

    def paginate(self, *, Filters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:  # noqa: N803 - AWS's name
        """Pages of connections; the filter is left to the caller, as if AWS had ignored it."""
        assert Filters == [{"Name": "service-id", "Values": [SERVICE_ID]}]
        self._called("describe_vpc_endpoint_connections")
        rows = [
            {
                "ServiceId": each.service_id,
                "VpcEndpointId": endpoint_id,
                "VpcEndpointOwner": each.owner,
                "VpcEndpointState": each.state,
            }
            for endpoint_id, each in self.endpoints.items()
        ]
        for start in range(0, len(rows) or 1, self.page_size):
            yield {"VpcEndpointConnections": rows[start : start + self.page_size]}

    def accept_vpc_endpoint_connections(
        self,
        *,
        ServiceId: str,  # noqa: N803
        VpcEndpointIds: Sequence[str],  # noqa: N803
    ) -> dict[str, Any]:
        """Accepts what waits or was rejected, and reports the rest."""
        self._called("accept_vpc_endpoint_connections", VpcEndpointIds)
        return self._settle(ServiceId, VpcEndpointIds, {"pendingAcceptance", "rejected"}, "available")

    def reject_vpc_endpoint_connections(
        self,
        *,
        ServiceId: str,  # noqa: N803
        VpcEndpointIds: Sequence[str],  # noqa: N803
    ) -> dict[str, Any]:
        """Rejects what waits or is connected, and reports the rest."""
        self._called("reject_vpc_endpoint_connections", VpcEndpointIds)
        return self._settle(ServiceId, VpcEndpointIds, {"pendingAcceptance", "available", "pending"}, "rejected")

    def describe_load_balancers(self, *, LoadBalancerArns: list[str]) -> dict[str, Any]:  # noqa: N803
        """The load balancer."""
        assert LoadBalancerArns == [LOAD_BALANCER]
        self._called("describe_load_balancers")
        return {"LoadBalancers": [{"AvailabilityZones": [{"ZoneName": zone} for zone in self.zones]}]}

    def describe_vpc_endpoint_service_configurations(self, *, ServiceIds: list[str]) -> dict[str, Any]:  # noqa: N803
        """The service."""
        assert ServiceIds == [SERVICE_ID]
        self._called("describe_vpc_endpoint_service_configurations")
        return {"ServiceConfigurations": [{"AvailabilityZones": self.enabled}]}

    def modify_vpc_endpoint_service_configuration(self, *, ServiceId: str) -> dict[str, Any]:  # noqa: N803
        """Enables zones, at the first call or a later one."""
        assert ServiceId == SERVICE_ID
        self._called("modify_vpc_endpoint_service_configuration")
        if len(self.called("modify_vpc_endpoint_service_configuration")) >= self.enable_after:
            self.enabled = list(self.zones)
        return {"Return": True}

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        """The stack."""
        assert StackName == STACK
        self._called("describe_stacks")
        return {"Stacks": [{"StackStatus": self.status}]}

    def _called(self, operation: str, endpoints: Sequence[str] = ()) -> None:
        self.calls.append((operation, tuple(endpoints)))
        self.before(operation)
        if self.faults.get(operation):
            raise self.faults[operation].pop(0)

    def _settle(self, service_id: str, endpoints: Sequence[str], states: set[str], state: str) -> dict[str, Any]:
        assert service_id == SERVICE_ID
        unsuccessful = []
        for endpoint_id in endpoints:
            known = self.endpoints.get(endpoint_id)
            if known is None or known.state not in states:
                error = {"Code": "InvalidState" if known else "InvalidVpcEndpoint.NotFound", "Message": "not so"}
                unsuccessful.append({"ResourceId": endpoint_id, "Error": error})
            else:
                known.state = state
        return {"Unsuccessful": unsuccessful}


def make_settings(*, accept_from: Sequence[str] = (LISTED,), reject_others: bool = False) -> Settings:
    """The function's settings."""
    return Settings(SERVICE_ID, LOAD_BALANCER, frozenset(accept_from), reject_others)

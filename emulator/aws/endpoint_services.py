"""VPC endpoint services: what stands in front of a load balancer, who may connect, who is told.

Rules from the Amazon EC2 API reference (CreateVpcEndpointServiceConfiguration and its neighbours) and the AWS
PrivateLink guide (privatelink/create-endpoint-service.html, configure-endpoint-service.html).
"""

from dataclasses import dataclass, field
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import alb, ec2

from emulator.aws.apis import EC2, all_zones, matches, new_id, tags_of
from emulator.aws.wire import ApiError, Arguments, Result


@dataclass
class Service:
    """One endpoint service. Stores of ministack show only the caller's own; consumers must see this one."""

    id: str
    owner: str
    region: str
    load_balancers: list[str]
    acceptance_required: bool = True
    private_dns_name: str | None = None
    ip_address_types: list[str] = field(default_factory=lambda: ["ipv4"])
    regions: list[str] = field(default_factory=list)
    zones: list[str] = field(default_factory=list)
    principals: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return the name consumers connect to."""
        return f"com.amazonaws.vpce.{self.region}.{self.id}"

    @property
    def arn(self) -> str:
        """Return the ARN that IAM and SNS policies name."""
        return f"arn:aws:ec2:{self.region}:{self.owner}:vpc-endpoint-service/{self.id}"

    def admits(self, account: str) -> bool:
        """Tell whether an account may create an endpoint: it owns the service or is named by a principal."""
        return account == self.owner or any(
            principal == "*" or principal.startswith(f"arn:aws:iam::{account}:") for principal in self.principals
        )

    def learn_zones(self) -> None:
        """Enable the zones its load balancers are in now. AWS does this on creation and on a modify call only."""
        here = {
            ec2._subnets[subnet_id]["AvailabilityZone"]
            for arn in self.load_balancers
            for subnet_id in alb._lbs[arn]["Subnets"]
            if subnet_id in ec2._subnets
        }
        self.zones = [zone for zone in all_zones() if zone in here]

    def as_result(self) -> Result:
        """Return the API's ServiceConfiguration."""
        result: Result = {
            "ServiceType": [{"ServiceType": "Interface"}],
            "ServiceId": self.id,
            "ServiceName": self.name,
            "ServiceState": "Available",
            "AvailabilityZones": self.zones,
            "AvailabilityZoneIds": [ec2._az_id_for_zone_name(zone) for zone in self.zones],
            "AcceptanceRequired": self.acceptance_required,
            "ManagesVpcEndpoints": False,
            "NetworkLoadBalancerArns": self.load_balancers,
            "SupportedIpAddressTypes": self.ip_address_types,
            "BaseEndpointDnsNames": [f"{self.id}.{self.region}.vpce.amazonaws.com"],
            "SupportedRegions": [{"Region": region, "ServiceState": "Available"} for region in self.regions],
            "RemoteAccessEnabled": any(region != self.region for region in self.regions),
            "Tags": ec2._tags.get(self.id, []),
        }
        if self.private_dns_name:
            result |= {
                "PrivateDnsName": self.private_dns_name,
                "PrivateDnsNameConfiguration": {
                    "State": "pendingVerification",
                    "Type": "TXT",
                    "Value": f"vpce:{self.id[-8:]}",
                    "Name": f"_{self.id[-8:]}",
                },
            }
        return result


services: dict[str, Service] = {}


def own(service_id: str | None) -> Service:
    """Return one of the caller's services.

    Raises:
        ApiError: The caller has no such service.
    """
    service = services.get(service_id or "")
    if service is None or (service.owner, service.region) != (get_account_id(), get_region()):
        raise ApiError(
            "InvalidVpcEndpointServiceId.NotFound", f"The VpcEndpointService Id '{service_id}' does not exist"
        )
    return service


def service_of(load_balancer_arn: str) -> Service | None:
    """Return the service a load balancer is associated with, if any."""
    return next((service for service in services.values() if load_balancer_arn in service.load_balancers), None)


def _check_load_balancers(arns: list[str], service: Service | None = None) -> None:
    for arn in arns:
        if arn not in alb._lbs or alb._lbs[arn]["Type"] != "network":
            raise ApiError("InvalidParameter", f"The load balancer ARN '{arn}' is not a Network Load Balancer")
        # "Each load balancer can be associated with only one endpoint service" (create-endpoint-service.html).
        taken = service_of(arn)
        if taken is not None and taken is not service:
            raise ApiError("InvalidParameter", f"The load balancer '{arn}' is already associated with '{taken.id}'")


@EC2.action
def create_vpc_endpoint_service_configuration(given: Arguments) -> Result:
    """Create a service in front of Network Load Balancers; acceptance is required unless told otherwise."""
    arns = given.get("NetworkLoadBalancerArns", [])
    if not arns:
        raise ApiError("MissingParameter", "The request must contain at least one load balancer ARN")
    _check_load_balancers(arns)
    region = get_region()
    service = Service(
        id=new_id("vpce-svc"),
        owner=get_account_id(),
        region=region,
        load_balancers=arns,
        acceptance_required=given.get("AcceptanceRequired", True),
        private_dns_name=given.get("PrivateDnsName"),
        ip_address_types=given.get("SupportedIpAddressTypes", ["ipv4"]),
        regions=sorted({region, *given.get("SupportedRegions", [])}),
    )
    service.learn_zones()
    services[service.id] = service
    ec2._tags[service.id] = tags_of(given.get("TagSpecifications"), "vpc-endpoint-service")
    return {"ServiceConfiguration": service.as_result()}


@EC2.action
def modify_vpc_endpoint_service_configuration(given: Arguments) -> Result:
    """Change a service in place; even an empty change enables zones its load balancers have gained."""
    service = own(given.get("ServiceId"))
    added, removed = given.get("AddNetworkLoadBalancerArns", []), given.get("RemoveNetworkLoadBalancerArns", [])
    _check_load_balancers(added, service)
    if any(connection_lives(service.id) for _ in removed):
        raise ApiError(
            "ExistingVpcEndpointConnections",
            f"Load balancers cannot be removed from {service.id} while endpoints are connected",
        )
    remaining = [arn for arn in service.load_balancers if arn not in removed]
    service.load_balancers = remaining + [arn for arn in added if arn not in remaining]
    regions = (set(service.regions) | set(given.get("AddSupportedRegions", []))) - set(
        given.get("RemoveSupportedRegions", [])
    )
    service.regions = sorted(regions | {service.region})
    types = [kind for kind in service.ip_address_types if kind not in given.get("RemoveSupportedIpAddressTypes", [])]
    service.ip_address_types = types + [
        kind for kind in given.get("AddSupportedIpAddressTypes", []) if kind not in types
    ]
    service.acceptance_required = given.get("AcceptanceRequired", service.acceptance_required)
    if given.get("RemovePrivateDnsName"):
        service.private_dns_name = None
    service.private_dns_name = given.get("PrivateDnsName", service.private_dns_name)
    service.learn_zones()
    return {"Return": True}


@EC2.action
def describe_vpc_endpoint_service_configurations(given: Arguments) -> Result:
    """List the caller's own services; naming an unknown one is an error."""
    wanted = [own(service_id) for service_id in given.get("ServiceIds", [])] or [
        service for service in services.values() if (service.owner, service.region) == (get_account_id(), get_region())
    ]
    known = [
        service
        for service in wanted
        if matches(
            given.get("Filters"),
            {"service-id": service.id, "service-name": service.name, "service-state": "Available"},
        )
    ]
    return {"ServiceConfigurations": [service.as_result() for service in known]}


def connection_lives(service_id: str) -> bool:
    """Tell whether an endpoint is connected to the service or waits for it."""
    from emulator.aws.endpoint_connections import connections  # noqa: PLC0415  # connections need services

    return any(
        connection.service_id == service_id and connection.state in {"available", "pendingAcceptance"}
        for connection in connections.values()
    )


def _deletable(service_id: str) -> Service:
    service = own(service_id)
    if connection_lives(service.id):
        message = f"Service {service.id} has existing active VPC Endpoint connections!"
        raise ApiError("ExistingVpcEndpointConnections", message)
    return service


@EC2.action
def delete_vpc_endpoint_service_configurations(given: Arguments) -> Result:
    """Delete services; one that endpoints are connected to, or wait for, stays and is reported."""
    from emulator.aws.endpoint_notifications import notifications  # noqa: PLC0415  # notifications need services

    unsuccessful: list[dict[str, Any]] = []
    for service_id in given.get("ServiceIds", []):
        try:
            service = _deletable(service_id)
        except ApiError as error:
            problem = {"Code": error.code, "Message": error.message}
            unsuccessful.append({"ResourceId": service_id, "Error": problem})
            continue
        del services[service.id]
        ec2._tags.pop(service.id, None)
        for notification in [n for n in notifications.values() if n.service_id == service.id]:
            del notifications[notification.id]
    return {"Unsuccessful": unsuccessful}


@EC2.action
def describe_vpc_endpoint_services(given: Arguments) -> Result:
    """List AWS's services and those of other accounts that admit the caller."""
    visible = [service for service in services.values() if service.admits(get_account_id())]
    ours = [service for service in visible if service.region == get_region() or get_region() in service.regions]
    wanted = given.get("ServiceNames", [])
    stock = EC2.stock("DescribeVpcEndpointServices", given)
    unknown = set(wanted) - {service.name for service in ours} - set(stock.get("ServiceNames", []))
    if unknown:
        raise ApiError("InvalidServiceName", f"The Vpc Endpoint Service '{min(unknown)}' does not exist")
    found = [
        service
        for service in ours
        if (not wanted or service.name in wanted)
        and matches(given.get("Filters"), {"service-name": service.name, "service-type": "Interface"})
    ]
    details = [
        {**service.as_result(), "Owner": service.owner, "VpcEndpointPolicySupported": False} for service in found
    ]
    return {
        "ServiceNames": [*stock.get("ServiceNames", []), *(service.name for service in found)],
        "ServiceDetails": [*stock.get("ServiceDetails", []), *details],
    }

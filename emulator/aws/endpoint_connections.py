"""Interface endpoints of consumers, and the connections the owner of a service sees.

Rules from the Amazon EC2 API reference (CreateVpcEndpoint, AcceptVpcEndpointConnections, ...) and the AWS PrivateLink
guide (privatelink/create-endpoint-service.html, configure-endpoint-service.html#accept-reject-connection-requests).
"""

from dataclasses import dataclass, field

from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2

from emulator.aws.apis import EC2, matches, new_id, now, subnet, tags_of
from emulator.aws.endpoint_notifications import announce
from emulator.aws.endpoint_services import Service, own, services
from emulator.aws.wire import ApiError, Arguments, Result


@dataclass
class Connection:
    """One endpoint's connection to a service; `state` is the one both sides see."""

    service_id: str
    endpoint_id: str
    owner: str
    region: str
    load_balancers: list[str]
    state: str
    created: str = field(default_factory=now)


connections: dict[str, Connection] = {}


def _move(connection: Connection, state: str) -> None:
    connection.state = state
    endpoint = ec2._vpc_endpoints.get_scoped(connection.owner, connection.region, connection.endpoint_id)
    if endpoint is not None:
        endpoint["State"] = state


def _check_subnets(service: Service, vpc_id: str, subnet_ids: list[str]) -> None:
    zones = [subnet(subnet_id)["AvailabilityZone"] for subnet_id in subnet_ids]
    if any(subnet(subnet_id)["VpcId"] != vpc_id for subnet_id in subnet_ids):
        raise ApiError("InvalidParameter", f"Every subnet must be in {vpc_id}")
    if len(set(zones)) != len(zones):
        raise ApiError("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the same availability zone")
    # Consumers in another Region need no shared zone (privatelink-share-your-services.html).
    if service.region == get_region() and set(zones) - set(service.zones):
        outside = sorted(set(zones) - set(service.zones))
        raise ApiError(
            "InvalidParameter",
            f"The VPC endpoint service {service.name} does not support the availability zone of the subnet: {outside}",
        )


@EC2.action
def create_vpc_endpoint(given: Arguments) -> Result | None:
    """Create an interface endpoint of an endpoint service; AWS's own services are left to stock."""
    name = given.get("ServiceName", "")
    if not name.startswith("com.amazonaws.vpce."):
        return None
    account, region = get_account_id(), get_region()
    service = services.get(name.rpartition(".")[2])
    if service is None or service.name != name or not service.admits(account) or region not in service.regions:
        raise ApiError("InvalidServiceName", f"The Vpc Endpoint Service '{name}' does not exist")
    if given.get("VpcEndpointType") != "Interface":
        raise ApiError("InvalidParameter", f"Endpoint type (Gateway) does not match available service types of {name}")
    vpc_id, subnet_ids = given.get("VpcId", ""), given.get("SubnetIds", [])
    if vpc_id not in ec2._vpcs:
        raise ApiError("InvalidVpcId.NotFound", f"The Vpc Id {vpc_id} does not exist")
    _check_subnets(service, vpc_id, subnet_ids)
    endpoint_id = new_id("vpce")
    state = "pendingAcceptance" if service.acceptance_required else "available"
    base = f"{endpoint_id}-{endpoint_id[-8:]}"
    host = f"{service.id}.{service.region}.vpce.amazonaws.com"
    names = [f"{base}.{host}", *(f"{base}-{subnet(s)['AvailabilityZone']}.{host}" for s in subnet_ids)]
    ec2._vpc_endpoints[endpoint_id] = {
        "VpcEndpointId": endpoint_id,
        "VpcEndpointType": "Interface",
        "VpcId": vpc_id,
        "ServiceName": name,
        "State": state,
        "RouteTableIds": [],
        "SubnetIds": subnet_ids,
        "SecurityGroupIds": given.get("SecurityGroupIds", []),
        "NetworkInterfaceIds": [new_id("eni") for _ in subnet_ids],
        "DnsEntries": [{"DnsName": dns_name, "HostedZoneId": "Z7HUB22UULQXV"} for dns_name in names],
        "PrivateDnsEnabled": given.get("PrivateDnsEnabled", False),
        "OwnerId": account,
        "CreationTimestamp": now(),
    }
    ec2._tags[endpoint_id] = tags_of(given.get("TagSpecifications"), "vpc-endpoint")
    connections[endpoint_id] = Connection(service.id, endpoint_id, account, region, list(service.load_balancers), state)
    announce("Connect", service.id, endpoint_id, account)
    if state == "available":
        announce("Accept", service.id, endpoint_id, account)
    return {"VpcEndpoint": _endpoint(endpoint_id)}


def _endpoint(endpoint_id: str) -> Result:
    record = ec2._vpc_endpoints[endpoint_id]
    return {
        **record,
        "Groups": [{"GroupId": group, "GroupName": group} for group in record.get("SecurityGroupIds", [])],
        "IpAddressType": "ipv4",
        "Tags": ec2._tags.get(endpoint_id, []),
    }


@EC2.action
def describe_vpc_endpoints(given: Arguments) -> Result:
    """List the caller's endpoints; naming an unknown one is an error."""
    wanted = given.get("VpcEndpointIds", [])
    for endpoint_id in wanted:
        if endpoint_id not in ec2._vpc_endpoints:
            raise ApiError("InvalidVpcEndpointId.NotFound", f"The Vpc Endpoint Id '{endpoint_id}' does not exist")
    found = [
        endpoint_id
        for endpoint_id, record in ec2._vpc_endpoints.items()
        if (not wanted or endpoint_id in wanted)
        and matches(
            given.get("Filters"),
            {
                "service-name": record["ServiceName"],
                "vpc-id": record["VpcId"],
                "vpc-endpoint-id": endpoint_id,
                "vpc-endpoint-state": record["State"],
                "vpc-endpoint-type": record["VpcEndpointType"],
            },
        )
    ]
    return {"VpcEndpoints": [_endpoint(endpoint_id) for endpoint_id in found]}


@EC2.action
def delete_vpc_endpoints(given: Arguments) -> Result | None:
    """End the connections of endpoints that are deleted; the endpoints themselves are stock's."""
    for endpoint_id in given.get("VpcEndpointIds", []):
        connection = connections.get(endpoint_id)
        if connection is not None and connection.owner == get_account_id():
            del connections[endpoint_id]
            if connection.service_id in services:
                announce("Delete", connection.service_id, endpoint_id, connection.owner)
    return None


@EC2.action
def describe_vpc_endpoint_connections(given: Arguments) -> Result:
    """List the connections to the caller's services."""
    here = (get_account_id(), get_region())
    mine = [c for c in connections.values() if (s := services.get(c.service_id)) and (s.owner, s.region) == here]
    return {
        "VpcEndpointConnections": [
            {
                "ServiceId": connection.service_id,
                "VpcEndpointId": connection.endpoint_id,
                "VpcEndpointOwner": connection.owner,
                "VpcEndpointState": connection.state,
                "CreationTimestamp": connection.created,
                "NetworkLoadBalancerArns": connection.load_balancers,
                "IpAddressType": "ipv4",
                "VpcEndpointRegion": connection.region,
                "VpcEndpointConnectionId": f"vpce-conn-{connection.endpoint_id.partition('-')[2]}",
            }
            for connection in mine
            if matches(
                given.get("Filters"),
                {
                    "service-id": connection.service_id,
                    "vpc-endpoint-owner": connection.owner,
                    "vpc-endpoint-state": connection.state,
                    "vpc-endpoint-id": connection.endpoint_id,
                    "vpc-endpoint-region": connection.region,
                    "ip-address-type": "ipv4",
                },
            )
        ]
    }


def _settle(given: Arguments, states: set[str], new_state: str, event: str) -> Result:
    service = own(given.get("ServiceId"))
    unsuccessful = []
    for endpoint_id in given.get("VpcEndpointIds", []):
        connection = connections.get(endpoint_id)
        if connection is None or connection.service_id != service.id:
            problem = {
                "Code": "InvalidVpcEndpoint.NotFound",
                "Message": f"The Vpc Endpoint '{endpoint_id}' does not exist",
            }
        elif connection.state not in states:
            problem = {
                "Code": "InvalidState",
                "Message": f"The Vpc Endpoint '{endpoint_id}' is in the state '{connection.state}'",
            }
        else:
            _move(connection, new_state)
            announce(event, service.id, endpoint_id, connection.owner)
            continue
        unsuccessful.append({"ResourceId": endpoint_id, "Error": problem})
    return {"Unsuccessful": unsuccessful}


@EC2.action
def accept_vpc_endpoint_connections(given: Arguments) -> Result:
    """Let waiting endpoints connect, rejected ones too; ids that cannot be accepted are reported."""
    return _settle(given, {"pendingAcceptance", "rejected"}, "available", "Accept")


@EC2.action
def reject_vpc_endpoint_connections(given: Arguments) -> Result:
    """Refuse waiting endpoints, or cut connected ones; ids that cannot be rejected are reported."""
    return _settle(given, {"pendingAcceptance", "available"}, "rejected", "Reject")

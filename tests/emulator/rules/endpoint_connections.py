"""Rules of endpoints and their connections: who may connect, who decides, what both sides see."""

from tests.emulator.rule import rule
from tests.emulator.world import ZONES, Account, refused

_CREATE = "AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html"
_ACCEPT = "AWSEC2/latest/APIReference/API_AcceptVpcEndpointConnections.html"
_REJECT = "AWSEC2/latest/APIReference/API_RejectVpcEndpointConnections.html"
_CONFIGURE = "vpc/latest/privatelink/configure-endpoint-service.html"


@rule(_CONFIGURE)
def only_admitted_accounts_connect(aws: Account) -> None:
    """To an account that no principal of the service names, the service does not exist."""
    consumer, stranger = aws.another(), aws.another()
    service = aws.open_service(consumer)
    with refused("InvalidServiceName"):
        stranger.endpoint(service)
    assert consumer.endpoint(service).startswith("vpce-")


@rule(_ACCEPT)
def connection_waits_until_it_is_accepted(aws: Account) -> None:
    """With acceptance required an endpoint is `pendingAcceptance` on both sides until the owner accepts it."""
    consumer = aws.another()
    service = aws.open_service(consumer)
    endpoint = consumer.endpoint(service)
    assert (consumer.endpoint_state(endpoint), aws.connections(service)) == (
        "pendingAcceptance",
        {endpoint: "pendingAcceptance"},
    )
    aws.ec2.accept_vpc_endpoint_connections(ServiceId=service["ServiceId"], VpcEndpointIds=[endpoint])
    assert (consumer.endpoint_state(endpoint), aws.connections(service)) == ("available", {endpoint: "available"})


@rule(_CREATE)
def connection_is_accepted_automatically(aws: Account) -> None:
    """Without acceptance an endpoint is `available` at once."""
    consumer = aws.another()
    service = aws.open_service(consumer, AcceptanceRequired=False)
    endpoint = consumer.endpoint(service)
    assert (consumer.endpoint_state(endpoint), aws.connections(service)) == ("available", {endpoint: "available"})


@rule(_REJECT)
def connection_is_rejected_on_both_sides(aws: Account) -> None:
    """The owner may reject an endpoint that waits or is connected; both sides see `rejected`."""
    consumer = aws.another()
    service = aws.open_service(consumer)
    endpoint = consumer.endpoint(service)
    aws.ec2.accept_vpc_endpoint_connections(ServiceId=service["ServiceId"], VpcEndpointIds=[endpoint])
    aws.ec2.reject_vpc_endpoint_connections(ServiceId=service["ServiceId"], VpcEndpointIds=[endpoint])
    assert (consumer.endpoint_state(endpoint), aws.connections(service)) == ("rejected", {endpoint: "rejected"})


@rule(_ACCEPT)
def unknown_endpoints_are_reported_not_raised(aws: Account) -> None:
    """Accepting or rejecting an endpoint that is not connected to the service succeeds and reports it."""
    service = aws.open_service()
    for settle in (aws.ec2.accept_vpc_endpoint_connections, aws.ec2.reject_vpc_endpoint_connections):
        answer = settle(ServiceId=service["ServiceId"], VpcEndpointIds=["vpce-0123456789abcdef0"])
        assert [(item["ResourceId"], item["Error"]["Code"]) for item in answer["Unsuccessful"]] == [
            ("vpce-0123456789abcdef0", "InvalidVpcEndpoint.NotFound")
        ]


@rule("AWSEC2/latest/APIReference/API_DeleteVpcEndpoints.html")
def deleted_endpoint_is_no_connection(aws: Account) -> None:
    """When the consumer deletes an endpoint, the owner of the service no longer sees its connection."""
    consumer = aws.another()
    service = aws.open_service(consumer)
    endpoint = consumer.endpoint(service)
    assert list(aws.connections(service)) == [endpoint]
    consumer.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert aws.connections(service) == {}


@rule("AWSEC2/latest/APIReference/API_DescribeVpcEndpointServices.html")
def service_is_listed_to_admitted_accounts(aws: Account) -> None:
    """Consumers find a service in the list of endpoint services once they are admitted, and not before."""
    consumer, service = aws.another(), aws.open_service()

    def found() -> bool:
        return service["ServiceName"] in consumer.ec2.describe_vpc_endpoint_services()["ServiceNames"]

    assert not found()
    aws.admit(service, consumer)
    assert found()


@rule(_CREATE)
def endpoint_is_created_in_zones_of_the_service(aws: Account) -> None:
    """In the service's Region an endpoint's subnets must lie in zones where the service is available."""
    consumer = aws.another()
    service = aws.open_service(consumer, zones=ZONES[:2])
    with refused("InvalidParameter"):
        consumer.endpoint(service, zones=ZONES[2:])


@rule(_CREATE)
def endpoint_has_regional_and_zonal_names(aws: Account) -> None:
    """An interface endpoint has one DNS name for the Region and one for each of its zones, and as many interfaces."""
    consumer = aws.another()
    endpoint = consumer.endpoint(aws.open_service(consumer), zones=ZONES[:2])
    described = consumer.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"][0]
    names = [entry["DnsName"] for entry in described["DnsEntries"]]
    assert len(names) == 3
    assert all(name.startswith(endpoint) for name in names)
    assert [zone in name for zone, name in zip(ZONES[:2], names[1:], strict=True)] == [True, True]
    assert len(described["NetworkInterfaceIds"]) == 2


@rule(_CONFIGURE)
def removed_principal_keeps_its_connections(aws: Account) -> None:
    """Removing a principal stops new endpoints; what is connected stays connected."""
    consumer = aws.another()
    service = aws.open_service(consumer, AcceptanceRequired=False)
    endpoint = consumer.endpoint(service)
    aws.ec2.modify_vpc_endpoint_service_permissions(
        ServiceId=service["ServiceId"], RemoveAllowedPrincipals=[f"arn:aws:iam::{consumer.id}:root"]
    )
    assert aws.connections(service) == {endpoint: "available"}
    with refused("InvalidServiceName"):
        consumer.endpoint(service)


@rule("elasticloadbalancing/latest/network/availability-zones.html")
def zone_with_connected_endpoints_stays(aws: Account) -> None:
    """A zone cannot be removed from a load balancer while endpoints are connected to its service."""
    consumer, network = aws.another(), aws.network()
    load_balancer = aws.load_balancer(network)
    service = aws.service(load_balancer)
    aws.admit(service, consumer)
    endpoint = consumer.endpoint(service)
    with refused("ResourceInUse"):
        aws.elb.set_subnets(LoadBalancerArn=load_balancer, Subnets=[network.subnets[0]])
    consumer.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    aws.elb.set_subnets(LoadBalancerArn=load_balancer, Subnets=[network.subnets[0]])


@rule(_CONFIGURE)
def load_balancer_with_connected_endpoints_stays(aws: Account) -> None:
    """A load balancer cannot be taken from a service while endpoints are connected."""
    consumer = aws.another()
    service = aws.open_service(consumer)
    consumer.endpoint(service)
    with refused("ExistingVpcEndpointConnections"):
        aws.ec2.modify_vpc_endpoint_service_configuration(
            ServiceId=service["ServiceId"], RemoveNetworkLoadBalancerArns=service["NetworkLoadBalancerArns"]
        )

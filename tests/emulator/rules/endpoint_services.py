"""Rules of endpoint services: configurations, permissions, notifications, deletion."""

import json

from tests.emulator.rule import rule
from tests.emulator.world import ZONES, Account, refused

_CREATE = "AWSEC2/latest/APIReference/API_CreateVpcEndpointServiceConfiguration.html"
_MODIFY = "AWSEC2/latest/APIReference/API_ModifyVpcEndpointServiceConfiguration.html"
_DELETE = "AWSEC2/latest/APIReference/API_DeleteVpcEndpointServiceConfigurations.html"
_PERMISSIONS = "AWSEC2/latest/APIReference/API_ModifyVpcEndpointServicePermissions.html"
_NOTIFICATIONS = "vpc/latest/privatelink/create-notification-endpoint-service.html"
_CONFIGURE = "vpc/latest/privatelink/configure-endpoint-service.html"
_SHARE = "vpc/latest/privatelink/privatelink-share-your-services.html"


@rule(_CREATE)
def service_is_named_after_its_id_and_asks_for_acceptance(aws: Account) -> None:
    """An endpoint service has an id `vpce-svc-...`, is named after it, and requires acceptance unless told not to."""
    load_balancer = aws.load_balancer(aws.network())
    service = aws.service(load_balancer)
    assert service["ServiceId"].startswith("vpce-svc-")
    assert service["ServiceName"] == f"com.amazonaws.vpce.us-east-1.{service['ServiceId']}"
    assert (service["ServiceState"], service["AcceptanceRequired"]) == ("Available", True)
    assert service["NetworkLoadBalancerArns"] == [load_balancer]


@rule(_CREATE)
def service_needs_a_network_load_balancer(aws: Account) -> None:
    """An endpoint service stands in front of Network Load Balancers of the same account, not of anything else."""
    network = aws.network()
    application = aws.elb.create_load_balancer(Name=aws.name(), Type="application", Subnets=list(network.subnets))
    stranger = aws.another()
    theirs = stranger.load_balancer(stranger.network())
    for arn in (application["LoadBalancers"][0]["LoadBalancerArn"], theirs):
        with refused("InvalidParameter"):
            aws.service(arn)


@rule("vpc/latest/privatelink/create-endpoint-service.html")
def load_balancer_belongs_to_one_service(aws: Account) -> None:
    """A load balancer can be associated with one endpoint service only."""
    load_balancer = aws.load_balancer(aws.network())
    aws.service(load_balancer)
    with refused("InvalidParameter"):
        aws.service(load_balancer)


@rule(_CREATE)
def service_is_available_in_its_load_balancers_zones(aws: Account) -> None:
    """A service is available in the zones of its load balancer, given as names and as ids valid in every account."""
    service = aws.service(aws.load_balancer(aws.network(zones=ZONES[1:])))
    assert service["AvailabilityZones"] == list(ZONES[1:])
    assert service["AvailabilityZoneIds"] == ["use1-az2", "use1-az3"]


@rule(_CONFIGURE)
def zone_added_to_the_load_balancer_is_enabled_by_a_modify_call(aws: Account) -> None:
    """A zone added to the load balancer is not enabled on the service until the service is modified."""
    network = aws.network()
    load_balancer = aws.load_balancer(network)
    service = aws.service(load_balancer)
    added = aws.subnet(network.vpc, "10.0.9.0/24", ZONES[2])
    aws.elb.set_subnets(LoadBalancerArn=load_balancer, Subnets=[*network.subnets, added])

    def zones() -> list[str]:
        answer = aws.ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[service["ServiceId"]])
        return list(answer["ServiceConfigurations"][0]["AvailabilityZones"])

    assert zones() == list(ZONES[:2])
    aws.ec2.modify_vpc_endpoint_service_configuration(ServiceId=service["ServiceId"])
    assert zones() == list(ZONES)


@rule(_MODIFY)
def service_is_modified_in_place(aws: Account) -> None:
    """Acceptance, load balancers and Regions of a service change while its id and name stay."""
    service = aws.service(aws.load_balancer(aws.network()))
    second = aws.load_balancer(aws.network("10.1.0.0/16"))
    aws.ec2.modify_vpc_endpoint_service_configuration(
        ServiceId=service["ServiceId"],
        AcceptanceRequired=False,
        AddNetworkLoadBalancerArns=[second],
        RemoveNetworkLoadBalancerArns=service["NetworkLoadBalancerArns"],
        AddSupportedRegions=["eu-west-1"],
    )
    changed = aws.ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
    assert [(c["ServiceName"], c["AcceptanceRequired"], c["NetworkLoadBalancerArns"]) for c in changed] == [
        (service["ServiceName"], False, [second])
    ]
    assert [region["Region"] for region in changed[0]["SupportedRegions"]] == ["eu-west-1", "us-east-1"]


@rule("AWSEC2/latest/APIReference/API_DescribeVpcEndpointServiceConfigurations.html")
def owner_sees_only_own_services(aws: Account) -> None:
    """Configurations are listed to their owner only; naming an unknown id is an error."""
    service, stranger = aws.open_service(), aws.another()
    assert stranger.ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []
    with refused("InvalidVpcEndpointServiceId.NotFound"):
        stranger.ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[service["ServiceId"]])


@rule(_PERMISSIONS)
def principals_are_added_and_removed(aws: Account) -> None:
    """Principals are added to and removed from a service one by one; the others stay."""
    service = aws.open_service()
    root, role = "arn:aws:iam::222222222222:root", "arn:aws:iam::333333333333:role/reader"
    modify, service_id = aws.ec2.modify_vpc_endpoint_service_permissions, service["ServiceId"]
    modify(ServiceId=service_id, AddAllowedPrincipals=[root])
    modify(ServiceId=service_id, AddAllowedPrincipals=[role])
    listed = aws.ec2.describe_vpc_endpoint_service_permissions(ServiceId=service_id)["AllowedPrincipals"]
    assert {(entry["Principal"], entry["PrincipalType"]) for entry in listed} == {(root, "Account"), (role, "Role")}
    modify(ServiceId=service_id, RemoveAllowedPrincipals=[root])
    listed = aws.ec2.describe_vpc_endpoint_service_permissions(ServiceId=service_id)["AllowedPrincipals"]
    assert [entry["Principal"] for entry in listed] == [role]


@rule(_PERMISSIONS)
def principal_with_a_path_is_refused(aws: Account) -> None:
    """Principal ARNs with path components are not supported."""
    service = aws.open_service()
    with refused("InvalidPrincipal"):
        aws.ec2.modify_vpc_endpoint_service_permissions(
            ServiceId=service["ServiceId"],
            AddAllowedPrincipals=["arn:aws:iam::222222222222:role/team/reader"],
        )


def _topic(aws: Account, queue: str, *, admitted: bool) -> str:
    sns = aws.client("sns")
    topic = str(sns.create_topic(Name=aws.name())["TopicArn"])
    sns.subscribe(
        TopicArn=topic,
        Protocol="sqs",
        Endpoint=aws.queue_arn(queue),
        Attributes={"RawMessageDelivery": "true"},
    )
    if admitted:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "vpce.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic,
            "Condition": {"StringEquals": {"aws:SourceAccount": aws.id}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
    return topic


def _notify(aws: Account, service_id: str, topic: str, *events: str) -> str:
    answer = aws.ec2.create_vpc_endpoint_connection_notification(
        ServiceId=service_id, ConnectionNotificationArn=topic, ConnectionEvents=list(events)
    )
    return str(answer["ConnectionNotification"]["ConnectionNotificationId"])


@rule("AWSEC2/latest/APIReference/API_ModifyVpcEndpointConnectionNotification.html")
def notification_is_created_modified_and_deleted(aws: Account) -> None:
    """A notification names a topic and events, both changeable; it goes with its service."""
    service_id = aws.open_service()["ServiceId"]
    first, second = (_topic(aws, aws.queue(), admitted=True) for _ in range(2))
    notification = _notify(aws, service_id, first, "Connect")

    def listed() -> list[tuple[str, list[str]]]:
        answer = aws.ec2.describe_vpc_endpoint_connection_notifications()["ConnectionNotificationSet"]
        return [(entry["ConnectionNotificationArn"], entry["ConnectionEvents"]) for entry in answer]

    assert listed() == [(first, ["Connect"])]
    aws.ec2.modify_vpc_endpoint_connection_notification(
        ConnectionNotificationId=notification, ConnectionNotificationArn=second, ConnectionEvents=["Delete", "Accept"]
    )
    assert listed() == [(second, ["Accept", "Delete"])]
    aws.ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[service_id])
    assert listed() == []


@rule(_NOTIFICATIONS)
def events_of_connections_are_announced(aws: Account) -> None:
    """A topic is told of the events it was registered for, one message each, and of no others."""
    consumer, queue = aws.another(), aws.queue()
    service = aws.open_service(consumer)
    _notify(aws, service["ServiceId"], _topic(aws, queue, admitted=True), "Connect", "Reject", "Delete")
    endpoint = consumer.endpoint(service)
    settle = {"ServiceId": service["ServiceId"], "VpcEndpointIds": [endpoint]}
    aws.ec2.accept_vpc_endpoint_connections(**settle)
    aws.ec2.reject_vpc_endpoint_connections(**settle)
    consumer.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    messages: list[object] = []
    aws.eventually(lambda: messages.extend(aws.received(queue)) or len(messages) >= 3)  # type: ignore[func-returns-value]
    assert len(messages) == 3


@rule(_NOTIFICATIONS)
def topic_must_admit_privatelink(aws: Account) -> None:
    """Nothing is announced on a topic whose policy does not let `vpce.amazonaws.com` publish."""
    consumer, queue, control = aws.another(), aws.queue(), aws.queue()
    service = aws.open_service(consumer)
    _notify(aws, service["ServiceId"], _topic(aws, queue, admitted=False), "Connect")
    _notify(aws, service["ServiceId"], _topic(aws, control, admitted=True), "Connect")
    consumer.endpoint(service)
    aws.eventually(lambda: aws.received(control))
    assert aws.received(queue) == []


@rule(_DELETE)
def service_with_connections_is_not_deleted(aws: Account) -> None:
    """A service stays while an endpoint is connected or waits; every such connection must be rejected first."""
    consumer = aws.another()
    service = aws.open_service(consumer)
    service_id, endpoint = service["ServiceId"], consumer.endpoint(service)

    def problems() -> list[str]:
        answer = aws.ec2.delete_vpc_endpoint_service_configurations(ServiceIds=[service_id])
        return [item["Error"]["Code"] for item in answer["Unsuccessful"]]

    assert problems() == ["ExistingVpcEndpointConnections"]
    aws.ec2.accept_vpc_endpoint_connections(ServiceId=service_id, VpcEndpointIds=[endpoint])
    assert problems() == ["ExistingVpcEndpointConnections"]
    aws.ec2.reject_vpc_endpoint_connections(ServiceId=service_id, VpcEndpointIds=[endpoint])
    assert problems() == []
    assert aws.ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []


@rule(_SHARE)
def service_is_reachable_only_from_its_regions(aws: Account) -> None:
    """An endpoint can be created in the service's Region, and in another one once the service supports it."""
    consumer = aws.another()
    service = aws.open_service(consumer)
    with refused("InvalidServiceName"):
        consumer.endpoint(service, ("eu-west-1a",), "eu-west-1")
    aws.ec2.modify_vpc_endpoint_service_configuration(ServiceId=service["ServiceId"], AddSupportedRegions=["eu-west-1"])
    consumer.endpoint(service, ("eu-west-1a",), "eu-west-1", ServiceRegion="us-east-1")
    answer = aws.ec2.describe_vpc_endpoint_connections()["VpcEndpointConnections"]
    assert [connection["VpcEndpointRegion"] for connection in answer] == ["eu-west-1"]

"""Rules of CloudFormation's types of AWS PrivateLink."""

from tests.emulator.rule import rule
from tests.emulator.templates import Resources, resource, service_resources
from tests.emulator.world import ZONES, Account, Network

_TYPES = "AWSCloudFormation/latest/TemplateReference"


@rule("vpc/latest/privatelink/configure-endpoint-service.html")
def zone_of_a_stacks_load_balancer_is_not_the_services_yet(aws: Account) -> None:
    """A zone that a template adds to the load balancer is enabled on its service only when the service changes."""
    network, wider = aws.network(), ZONES[2]
    third = aws.subnet(network.vpc, "10.0.2.0/24", wider)
    service = aws.deploy(service_resources(network), Id={"Ref": "Service"})["Id"]

    def zones() -> set[str]:
        answer = aws.ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[service])
        return set(answer["ServiceConfigurations"][0]["AvailabilityZones"])

    three = Network(network.vpc, (*network.subnets, third))
    aws.deploy(service_resources(three))
    assert zones() == set(ZONES[:2])
    aws.deploy(service_resources(three, AcceptanceRequired=False))
    assert zones() == set(ZONES)


@rule(f"{_TYPES}/aws-resource-ec2-vpcendpointservice.html")
def service_of_a_stack_changes_in_place(aws: Account) -> None:
    """No property of an endpoint service replaces it: its id and name stay for the life of the stack."""
    network, output = aws.network(), {"Ref": "Service"}
    before = aws.deploy(service_resources(network, AcceptanceRequired="true"), Id=output)["Id"]
    changed = service_resources(network, AcceptanceRequired=False, SupportedRegions=["us-east-1", "eu-west-1"])
    assert aws.deploy(changed, Id=output)["Id"] == before
    described = aws.ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
    assert [(entry["ServiceId"], entry["AcceptanceRequired"]) for entry in described] == [(before, False)]
    assert [region["Region"] for region in described[0]["SupportedRegions"]] == ["eu-west-1", "us-east-1"]
    assert aws.delete() == "DELETE_COMPLETE"
    assert aws.ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []


@rule(f"{_TYPES}/aws-resource-ec2-vpcendpointservicepermissions.html")
def principals_of_a_template_are_the_whole_list(aws: Account) -> None:
    """The principals of a service are those of the template: an update adds and removes."""
    network = aws.network()
    one, two, three = (f"arn:aws:iam::{digit * 12}:root" for digit in "234")
    service = aws.deploy(service_resources(network, one, two), Id={"Ref": "Service"})["Id"]
    aws.deploy(service_resources(network, two, three), Id={"Ref": "Service"})
    answer = aws.ec2.describe_vpc_endpoint_service_permissions(ServiceId=service)["AllowedPrincipals"]
    assert {entry["Principal"] for entry in answer} == {two, three}


@rule(f"{_TYPES}/aws-resource-ec2-vpcendpointconnectionnotification.html")
def notification_of_a_stack_changes_in_place(aws: Account) -> None:
    """Events of a notification change in place; the id stays."""

    def resources(*events: str) -> Resources:
        return {
            **service_resources(network),
            "Topic": resource("SNS::Topic"),
            "Notification": resource(
                "EC2::VPCEndpointConnectionNotification",
                ServiceId={"Ref": "Service"},
                ConnectionNotificationArn={"Ref": "Topic"},
                ConnectionEvents=list(events),
            ),
        }

    network = aws.network()
    before = aws.deploy(resources("Connect"), Id={"Ref": "Notification"})["Id"]
    assert aws.deploy(resources("Connect", "Delete"), Id={"Ref": "Notification"})["Id"] == before
    answer = aws.ec2.describe_vpc_endpoint_connection_notifications()["ConnectionNotificationSet"]
    assert [entry["ConnectionEvents"] for entry in answer] == [["Connect", "Delete"]]
    assert aws.delete() == "DELETE_COMPLETE"


@rule(f"{_TYPES}/aws-resource-ec2-vpcendpoint.html")
def endpoint_of_a_stack_needs_permission_and_acceptance(aws: Account) -> None:
    """An endpoint made by a stack asks like any other: it must be admitted, waits for acceptance, has DNS names."""
    consumer, service = aws.another(), aws.open_service()
    network = consumer.network()
    endpoint = resource(
        "EC2::VPCEndpoint",
        VpcEndpointType="Interface",
        VpcId=network.vpc,
        SubnetIds=[network.subnets[0]],
        ServiceName=service["ServiceName"],
    )
    assert "InvalidServiceName" in consumer.refused_stack({"Endpoint": endpoint})["Endpoint"]
    aws.admit(service, consumer)
    outputs = consumer.deploy(
        {"Endpoint": endpoint},
        Id={"Ref": "Endpoint"},
        Name={"Fn::Select": [0, {"Fn::GetAtt": ["Endpoint", "DnsEntries"]}]},
    )
    assert aws.connections(service) == {outputs["Id"]: "pendingAcceptance"}
    assert f":{outputs['Id']}-" in outputs["Name"]
    assert consumer.delete() == "DELETE_COMPLETE"
    assert aws.connections(service) == {}

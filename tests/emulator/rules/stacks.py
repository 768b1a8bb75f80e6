"""Rules of CloudFormation itself: what it refuses, and what happens when a deployment or a deletion fails."""

import json

from tests.emulator.rule import rule
from tests.emulator.templates import Resources, front_resources, resource, service_resources
from tests.emulator.world import Account, refused

_GUIDE = "AWSCloudFormation/latest/UserGuide"


@rule(f"{_GUIDE}/resource-type-schemas.html")
def unknown_property_is_refused(aws: Account) -> None:
    """A property that the type does not have fails the deployment."""
    reasons = aws.refused_stack(service_resources(aws.network(), ServiceName="mine"))
    assert "extraneous key [ServiceName]" in reasons["Service"]


@rule("AWSEC2/latest/APIReference/API_DeleteVpcEndpointServiceConfigurations.html")
def stack_with_connected_endpoints_is_not_deleted(aws: Account) -> None:
    """Deleting a stack fails while an endpoint is connected to its service, and goes on once it is gone."""
    consumer = aws.another()
    service = aws.deploy(
        service_resources(aws.network(), f"arn:aws:iam::{consumer.id}:root", AcceptanceRequired=False),
        Id={"Ref": "Service"},
    )["Id"]
    endpoint = consumer.endpoint({"ServiceName": f"com.amazonaws.vpce.us-east-1.{service}"})
    assert aws.delete() == "DELETE_FAILED"
    assert "ExistingVpcEndpointConnections" in aws.failures()["Service"]
    consumer.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert aws.delete() == "DELETE_COMPLETE"
    assert aws.elb.describe_load_balancers()["LoadBalancers"] == []


def _used_vpc(aws: Account) -> tuple[str, Resources]:
    """Deploy a VPC that needs a topic, and make a subnet in it that the stack does not know: it cannot be deleted."""
    resources = {"Topic": resource("SNS::Topic"), "Alone": resource("SNS::Topic")}
    resources["Vpc"] = {**resource("EC2::VPC", CidrBlock="10.0.0.0/16"), "DependsOn": "Topic"}
    vpc = aws.deploy(resources, Id={"Ref": "Vpc"})["Id"]
    return aws.subnet(vpc, "10.0.0.0/24", "us-east-1a"), resources


@rule(f"{_GUIDE}/cfn-console-delete-stack.html")
def failed_deletion_stops_what_the_resource_needs(aws: Account) -> None:
    """What a resource that cannot be deleted depends on is left alone; a second attempt goes on from there."""
    subnet, _ = _used_vpc(aws)
    assert aws.delete() == "DELETE_FAILED"
    answer = aws.client("cloudformation").describe_stack_resources(StackName="stack")["StackResources"]
    assert {entry["LogicalResourceId"]: entry["ResourceStatus"] for entry in answer} == {
        "Vpc": "DELETE_FAILED",
        "Topic": "CREATE_COMPLETE",
    }
    aws.ec2.delete_subnet(SubnetId=subnet)
    assert aws.delete() == "DELETE_COMPLETE"
    assert aws.client("sns").list_topics()["Topics"] == []


@rule(f"{_GUIDE}/view-stack-events.html")
def stack_whose_deletion_failed_is_not_updated(aws: Account) -> None:
    """A stack in DELETE_FAILED can only be deleted: updates and change sets are refused."""
    _, resources = _used_vpc(aws)
    assert aws.delete() == "DELETE_FAILED"
    cloudformation = aws.client("cloudformation")
    body = json.dumps({"Resources": resources | {"Another": resource("SNS::Topic")}})
    with refused("ValidationError"):
        cloudformation.update_stack(StackName="stack", TemplateBody=body)
    with refused("ValidationError"):
        cloudformation.create_change_set(StackName="stack", ChangeSetName="change", TemplateBody=body)


@rule(f"{_GUIDE}/using-cfn-updating-stacks-update-behaviors.html")
def failed_creation_leaves_nothing(aws: Account) -> None:
    """A target group whose targets are refused fails the deployment, for the reason given, and is gone after it."""
    network = aws.network()
    reasons = aws.refused_stack(front_resources(network, Targets=[{"Id": "8.8.8.8", "AvailabilityZone": "all"}]))
    assert "InvalidTarget" in reasons["Group"]
    assert aws.elb.describe_target_groups()["TargetGroups"] == []
    assert aws.elb.describe_load_balancers()["LoadBalancers"] == []

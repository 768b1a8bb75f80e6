"""Rules of CloudFormation: what its types do, what replaces a resource, what happens when a deletion fails."""

import json
from typing import Any

from tests.emulator.rule import rule
from tests.emulator.world import Account, Network, refused

_TYPES = "AWSCloudFormation/latest/TemplateReference"
_GUIDE = "AWSCloudFormation/latest/UserGuide"
Resources = dict[str, Any]


def _resource(kind: str, **properties: object) -> Resources:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def _front(network: Network, **group: object) -> Resources:
    """Return a load balancer, a target group and a listener between them."""
    return {
        "LoadBalancer": _resource(
            "ElasticLoadBalancingV2::LoadBalancer", Type="network", Scheme="internal", Subnets=list(network.subnets)
        ),
        "Group": _resource(
            "ElasticLoadBalancingV2::TargetGroup",
            Protocol="TCP",
            Port="5432",
            TargetType="ip",
            VpcId=network.vpc,
            **group,
        ),
        "Listener": _resource(
            "ElasticLoadBalancingV2::Listener",
            LoadBalancerArn={"Ref": "LoadBalancer"},
            Protocol="TCP",
            Port=5432,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}],
            ListenerAttributes=[{"Key": "tcp.idle_timeout.seconds", "Value": "600"}],
        ),
    }


def _service(network: Network, *principals: str, **service: object) -> Resources:
    """Return an endpoint service with all in front of it and its principals."""
    return {
        **_front(network),
        "Service": _resource(
            "EC2::VPCEndpointService",
            NetworkLoadBalancerArns=[{"Ref": "LoadBalancer"}],
            **service,
        ),
        "Permissions": _resource(
            "EC2::VPCEndpointServicePermissions", ServiceId={"Ref": "Service"}, AllowedPrincipals=list(principals)
        ),
    }


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-targetgroup.html")
def targets_of_a_template_are_registered(aws: Account) -> None:
    """`Targets` of a template are registered, with each target's port, and follow its updates."""
    network = aws.network()
    deploy = [{"Id": "10.0.0.5", "Port": "5433"}], [{"Id": "10.0.0.6", "Port": "5433"}]
    arn = aws.deploy(_front(network, Targets=deploy[0]), Group={"Ref": "Group"})["Group"]
    assert set(aws.health(arn)) == {("10.0.0.5", 5433)}
    aws.deploy(_front(network, Targets=deploy[1]), Group={"Ref": "Group"})
    assert aws.health(arn)["10.0.0.5", 5433][0] == "draining"
    assert aws.health(arn)["10.0.0.6", 5433][0] in {"initial", "healthy"}


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-listener.html")
def listener_attributes_of_a_template_are_set(aws: Account) -> None:
    """`ListenerAttributes` of a template hold from the listener's creation on."""
    listener = aws.deploy(_front(aws.network()), Listener={"Ref": "Listener"})["Listener"]
    answer = aws.elb.describe_listener_attributes(ListenerArn=listener)["Attributes"]
    assert {"Key": "tcp.idle_timeout.seconds", "Value": "600"} in answer


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-loadbalancer.html")
def load_balancer_of_a_template_is_what_the_template_says(aws: Account) -> None:
    """`SubnetMappings` and the enforcement setting of a template hold; `LoadBalancerFullName` begins with `net/`."""
    network = aws.network()
    resources = _front(network)
    properties = resources["LoadBalancer"]["Properties"]
    del properties["Subnets"]
    properties["SubnetMappings"] = [{"SubnetId": network.subnets[0], "PrivateIPv4Address": "10.0.0.10"}]
    properties["SecurityGroups"] = [aws.security_group(network)]
    properties["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = "off"
    properties["LoadBalancerAttributes"] = [{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
    outputs = aws.deploy(
        resources, Arn={"Ref": "LoadBalancer"}, Name={"Fn::GetAtt": ["LoadBalancer", "LoadBalancerFullName"]}
    )
    described = aws.elb.describe_load_balancers(LoadBalancerArns=[outputs["Arn"]])["LoadBalancers"][0]
    zones = described["AvailabilityZones"]
    assert [zone["LoadBalancerAddresses"][0]["PrivateIPv4Address"] for zone in zones] == ["10.0.0.10"]
    assert described["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"
    assert outputs["Name"].startswith("net/")
    assert outputs["Arn"].endswith(outputs["Name"])


@rule(f"{_TYPES}/aws-resource-ec2-vpcendpointservice.html")
def service_of_a_stack_changes_in_place(aws: Account) -> None:
    """No property of an endpoint service replaces it: its id and name stay for the life of the stack."""
    network, output = aws.network(), {"Ref": "Service"}
    before = aws.deploy(_service(network, AcceptanceRequired="true"), Id=output)["Id"]
    changed = _service(network, AcceptanceRequired=False, SupportedRegions=["us-east-1", "eu-west-1"])
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
    service = aws.deploy(_service(network, one, two), Id={"Ref": "Service"})["Id"]
    aws.deploy(_service(network, two, three), Id={"Ref": "Service"})
    answer = aws.ec2.describe_vpc_endpoint_service_permissions(ServiceId=service)["AllowedPrincipals"]
    assert {entry["Principal"] for entry in answer} == {two, three}


@rule(f"{_TYPES}/aws-resource-ec2-vpcendpointconnectionnotification.html")
def notification_of_a_stack_changes_in_place(aws: Account) -> None:
    """Events of a notification change in place; the id stays."""

    def resources(*events: str) -> Resources:
        return {
            **_service(network),
            "Topic": _resource("SNS::Topic"),
            "Notification": _resource(
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


def _group_rules(aws: Account, group: str) -> set[tuple[bool, int, str, str | None]]:
    answer = aws.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    return {
        (
            entry["IsEgress"],
            entry["FromPort"],
            entry.get("CidrIpv4") or entry["ReferencedGroupInfo"]["GroupId"],
            entry.get("Description"),
        )
        for entry in answer["SecurityGroupRules"]
    }


@rule(f"{_TYPES}/aws-resource-ec2-securitygroupingress.html")
def rules_standing_alone_are_added_and_revoked(aws: Account) -> None:
    """`SecurityGroupIngress` and `Egress` add a rule with its description, replace it when changed, and revoke it."""
    network = aws.network()
    group, other = aws.security_group(network), aws.security_group(network)
    ports = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": "5432"}

    def resources(source: str) -> Resources:
        return {
            "In": _resource("EC2::SecurityGroupIngress", GroupId=group, CidrIp=source, Description="in", **ports),
            "FromGroup": _resource("EC2::SecurityGroupIngress", GroupId=group, SourceSecurityGroupId=other, **ports),
            "Out": _resource(
                "EC2::SecurityGroupEgress", GroupId=group, DestinationSecurityGroupId=other, Description="out", **ports
            ),
        }

    before = _group_rules(aws, group)
    aws.deploy(resources("10.0.0.0/8"))
    fixed = {(False, 5432, other, None), (True, 5432, other, "out")}
    assert _group_rules(aws, group) - before == fixed | {(False, 5432, "10.0.0.0/8", "in")}
    aws.deploy(resources("10.1.0.0/16"))
    assert _group_rules(aws, group) - before == fixed | {(False, 5432, "10.1.0.0/16", "in")}
    assert aws.delete() == "DELETE_COMPLETE"
    assert _group_rules(aws, group) == before


@rule("AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html")
def second_resource_for_the_same_rule_fails(aws: Account) -> None:
    """Two resources of a stack that make the same rule fail the deployment."""
    group = aws.security_group(aws.network())
    twin = _resource("EC2::SecurityGroupIngress", GroupId=group, IpProtocol="tcp", CidrIp="10.0.0.0/8")
    twin["Properties"] |= {"FromPort": 5432, "ToPort": 5432}
    reasons = aws.refused_stack({"First": twin, "Second": twin})
    assert any("InvalidPermission.Duplicate" in reason for reason in reasons.values())


@rule(f"{_TYPES}/aws-resource-ec2-flowlog.html")
def flow_log_is_created_and_deleted(aws: Account) -> None:
    """A flow log of a stack records for its resource and goes with the stack."""
    network = aws.network()
    log = _resource(
        "EC2::FlowLog", ResourceId=network.vpc, ResourceType="VPC", TrafficType="REJECT", LogGroupName="rejected"
    )
    flow_log = aws.deploy({"Log": log}, Id={"Fn::GetAtt": ["Log", "Id"]})["Id"]
    described = aws.ec2.describe_flow_logs()["FlowLogs"]
    assert [(entry["FlowLogId"], entry["ResourceId"], entry["TrafficType"]) for entry in described] == [
        (flow_log, network.vpc, "REJECT")
    ]
    assert aws.delete() == "DELETE_COMPLETE"
    assert aws.ec2.describe_flow_logs()["FlowLogs"] == []


@rule(f"{_TYPES}/aws-resource-ec2-vpcendpoint.html")
def endpoint_of_a_stack_needs_permission_and_acceptance(aws: Account) -> None:
    """An endpoint made by a stack asks like any other: it must be admitted, waits for acceptance, has DNS names."""
    consumer, service = aws.another(), aws.open_service()
    network = consumer.network()
    endpoint = _resource(
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


@rule(f"{_GUIDE}/resource-type-schemas.html")
def unknown_property_is_refused(aws: Account) -> None:
    """A property that the type does not have fails the deployment."""
    reasons = aws.refused_stack(_service(aws.network(), ServiceName="mine"))
    assert "extraneous key [ServiceName]" in reasons["Service"]


@rule(f"{_TYPES}/aws-resource-elasticloadbalancingv2-targetgroup.html", stock=True)
def port_of_a_target_group_replaces_it(aws: Account) -> None:
    """Another `Port` replaces a target group; other health-check settings do not."""
    network = aws.network()
    alone = {"Group": _front(network)["Group"]}
    before = aws.deploy(alone, Arn={"Ref": "Group"})["Arn"]
    alone["Group"]["Properties"]["HealthCheckIntervalSeconds"] = 10
    assert aws.deploy(alone, Arn={"Ref": "Group"})["Arn"] == before
    alone["Group"]["Properties"]["Port"] = 5433
    assert aws.deploy(alone, Arn={"Ref": "Group"})["Arn"] != before


@rule("AWSEC2/latest/APIReference/API_DeleteVpcEndpointServiceConfigurations.html")
def stack_with_connected_endpoints_is_not_deleted(aws: Account) -> None:
    """Deleting a stack fails while an endpoint is connected to its service, and goes on once it is gone."""
    consumer = aws.another()
    service = aws.deploy(
        _service(aws.network(), f"arn:aws:iam::{consumer.id}:root", AcceptanceRequired=False), Id={"Ref": "Service"}
    )["Id"]
    endpoint = consumer.endpoint({"ServiceName": f"com.amazonaws.vpce.us-east-1.{service}"})
    assert aws.delete() == "DELETE_FAILED"
    assert "ExistingVpcEndpointConnections" in aws.failures()["Service"]
    consumer.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert aws.delete() == "DELETE_COMPLETE"
    assert aws.elb.describe_load_balancers()["LoadBalancers"] == []


def _used_vpc(aws: Account) -> tuple[str, Resources]:
    """Deploy a VPC that needs a topic, and make a subnet in it that the stack does not know: it cannot be deleted."""
    resources = {"Topic": _resource("SNS::Topic"), "Alone": _resource("SNS::Topic")}
    resources["Vpc"] = {**_resource("EC2::VPC", CidrBlock="10.0.0.0/16"), "DependsOn": "Topic"}
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
    body = json.dumps({"Resources": resources | {"Another": _resource("SNS::Topic")}})
    with refused("ValidationError"):
        cloudformation.update_stack(StackName="stack", TemplateBody=body)
    with refused("ValidationError"):
        cloudformation.create_change_set(StackName="stack", ChangeSetName="change", TemplateBody=body)


@rule(f"{_GUIDE}/using-cfn-updating-stacks-update-behaviors.html")
def failed_creation_leaves_nothing(aws: Account) -> None:
    """A target group whose targets are refused fails the deployment, for the reason given, and is gone after it."""
    network = aws.network()
    reasons = aws.refused_stack(_front(network, Targets=[{"Id": "8.8.8.8", "AvailabilityZone": "all"}]))
    assert "InvalidTarget" in reasons["Group"]
    assert aws.elb.describe_target_groups()["TargetGroups"] == []
    assert aws.elb.describe_load_balancers()["LoadBalancers"] == []

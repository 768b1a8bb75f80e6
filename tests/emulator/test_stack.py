"""A whole stack of this project's shape, from first deployment to deletion, with a function that really runs."""

import json
import time
from typing import Any

import pytest

from emulator.running import Emulator
from tests.emulator.world import Account, Network

_CODE = """
import json, urllib.request
import boto3

def handle(event, context):
    properties = event["ResourceProperties"]
    if event["RequestType"] != "Delete":
        boto3.client("elbv2").register_targets(
            TargetGroupArn=properties["Group"], Targets=[{"Id": properties["Address"], "Port": int(properties["Port"])}]
        )
    answer = {
        "Status": "FAILED" if properties.get("Fail") == "true" else "SUCCESS",
        "Reason": json.dumps([event["RequestType"], properties["Port"], properties["Flag"]]),
        "PhysicalResourceId": "targets",
        "StackId": event["StackId"],
        "RequestId": event["RequestId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "Data": {"Seen": event["RequestType"]},
    }
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request).close()
"""


def _resource(kind: str, **properties: object) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties}


def _template(network: Network, group: str, address: str, *, fail: bool = False, **policies: str) -> dict[str, Any]:
    """Return the template: a service with all in front of it, rules, and a function that registers a target."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "elasticloadbalancing:RegisterTargets", "Resource": {"Ref": "Group"}}
    ports = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
    return {
        "LoadBalancerGroup": _resource("AWS::EC2::SecurityGroup", GroupDescription="nlb", VpcId=network.vpc),
        "LoadBalancer": _resource(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            Type="network",
            Scheme="internal",
            Subnets=list(network.subnets),
            SecurityGroups=[{"Fn::GetAtt": ["LoadBalancerGroup", "GroupId"]}],
            EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="off",
        ),
        "Group": _resource(
            "AWS::ElasticLoadBalancingV2::TargetGroup", Protocol="TCP", Port=5432, TargetType="ip", VpcId=network.vpc
        ),
        "Listener": _resource(
            "AWS::ElasticLoadBalancingV2::Listener",
            LoadBalancerArn={"Ref": "LoadBalancer"},
            Port=5432,
            Protocol="TCP",
            DefaultActions=[{"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}],
        ),
        "Service": _resource("AWS::EC2::VPCEndpointService", NetworkLoadBalancerArns=[{"Ref": "LoadBalancer"}]),
        "Permissions": _resource(
            "AWS::EC2::VPCEndpointServicePermissions",
            ServiceId={"Ref": "Service"},
            AllowedPrincipals=["arn:aws:iam::222222222222:root"],
        ),
        "FromLoadBalancer": _resource(
            "AWS::EC2::SecurityGroupIngress",
            GroupId=group,
            SourceSecurityGroupId={"Fn::GetAtt": ["LoadBalancerGroup", "GroupId"]},
            **ports,
        ),
        "ToDatabase": _resource(
            "AWS::EC2::SecurityGroupEgress",
            GroupId={"Fn::GetAtt": ["LoadBalancerGroup", "GroupId"]},
            DestinationSecurityGroupId=group,
            **ports,
        ),
        "Role": _resource(
            "AWS::IAM::Role",
            AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]},
            Policies=[
                {"PolicyName": "sync", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]}},
            ],
        ),
        "Function": _resource(
            "AWS::Lambda::Function",
            Runtime="python3.13",
            Handler="index.handle",
            Role={"Fn::GetAtt": ["Role", "Arn"]},
            Timeout=30,
            Code={"ZipFile": _CODE},
        ),
        "Targets": {
            **_resource(
                "Custom::Targets",
                ServiceToken={"Fn::GetAtt": ["Function", "Arn"]},
                ServiceTimeout=60,
                Group={"Ref": "Group"},
                Address=address,
                Port=5433,
                Flag=True,
                Fail=str(fail).lower(),
            ),
            "DependsOn": "Listener",
            **policies,
        },
    }


@pytest.mark.parametrize("authorization", [False, True], ids=["open", "authorized"])
def test_stack_is_deployed_updated_in_place_and_deleted(
    emulators: dict[tuple[bool, bool], Emulator], *, authorization: bool
) -> None:
    """Given a stack as this project makes it, deployment, an update and deletion do what they do on AWS.

    The function runs with its own role and gets every scalar property as a string; the update keeps every identity; the
    deletion leaves nothing. With authorization on, the role's only permission is enough.
    """
    aws = Account(emulators[False, authorization], patience=20.0)
    network = aws.network()
    database = aws.security_group(network)
    outputs: dict[str, Any] = {
        "Service": {"Ref": "Service"},
        "Group": {"Ref": "Group"},
        "LoadBalancer": {"Ref": "LoadBalancer"},
        "Seen": {"Fn::GetAtt": ["Targets", "Seen"]},
    }

    created = aws.deploy(_template(network, database, "10.0.0.5"), **outputs)
    assert created.pop("Seen") == "Create"
    aws.eventually(lambda: aws.health(created["Group"]) == {("10.0.0.5", 5433): ("healthy", None)})

    updated = aws.deploy(_template(network, database, "10.0.0.6"), **outputs)
    assert updated.pop("Seen") == "Update"
    assert updated == created
    assert set(aws.health(created["Group"])) == {("10.0.0.5", 5433), ("10.0.0.6", 5433)}

    assert aws.delete() == "DELETE_COMPLETE"
    assert aws.elb.describe_load_balancers()["LoadBalancers"] == []
    assert aws.elb.describe_target_groups()["TargetGroups"] == []
    rules = aws.ec2.describe_security_groups(GroupIds=[database])["SecurityGroups"][0]["IpPermissions"]
    assert rules == []


def test_failed_custom_resource_rolls_the_update_back(extended: Emulator) -> None:
    """Given a deployed stack, when the function answers FAILED, its reason is shown and the stack is rolled back."""
    aws = Account(extended, patience=20.0)
    network = aws.network()
    database = aws.security_group(network)
    aws.deploy(_template(network, database, "10.0.0.5"))
    body = json.dumps({"Resources": _template(network, database, "10.0.0.6", fail=True)})
    aws.client("cloudformation").update_stack(
        StackName="stack", TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    assert aws.settled("stack")[0] == "UPDATE_ROLLBACK_COMPLETE"
    assert '["Update", "5433", "true"]' in aws.failures()["Targets"]


def test_retained_custom_resource_is_never_called_on_deletion(extended: Emulator) -> None:
    """Given a custom resource with a retain policy, deleting the stack skips it: its function is not called."""
    aws = Account(extended, patience=20.0)
    network = aws.network()
    template = _template(network, aws.security_group(network), "10.0.0.5", DeletionPolicy="Retain")
    function = aws.deploy(template, Function={"Ref": "Function"})["Function"]
    assert aws.delete() == "DELETE_COMPLETE"
    name, deadline = f"/aws/lambda/{function}", time.monotonic() + 20
    logs = aws.client("logs")
    # The function runs beside CloudFormation, which only waits for its answer: its log may come a moment later.
    while not logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"] and time.monotonic() < deadline:
        time.sleep(0.1)
    started = [event for event in logs.filter_log_events(logGroupName=name)["events"] if "START" in event["message"]]
    assert len(started) == 1


_GATE = """
import json, os
import boto3

def handle(event, context):
    service = os.environ["SERVICE"]
    ec2 = boto3.client("ec2")
    waiting = ec2.describe_vpc_endpoint_connections(Filters=[
        {"Name": "service-id", "Values": [service]}, {"Name": "vpc-endpoint-state", "Values": ["pendingAcceptance"]}
    ])["VpcEndpointConnections"]
    if waiting:
        ids = [connection["VpcEndpointId"] for connection in waiting]
        ec2.accept_vpc_endpoint_connections(ServiceId=service, VpcEndpointIds=ids)
"""


@pytest.mark.parametrize("authorization", [False, True], ids=["open", "authorized"])
def test_function_told_of_a_connection_accepts_it(
    emulators: dict[tuple[bool, bool], Emulator], *, authorization: bool
) -> None:
    """Given a topic that a function listens to, when a consumer connects, the function accepts it with its own role."""
    aws = Account(emulators[False, authorization], patience=20.0)
    consumer = aws.another()
    resources = _template(aws.network(), aws.security_group(aws.network("10.1.0.0/16")), "10.0.0.5")
    for unneeded in ("Targets", "FromLoadBalancer", "ToDatabase"):
        del resources[unneeded]
    resources["Permissions"]["Properties"]["AllowedPrincipals"] = [f"arn:aws:iam::{consumer.id}:root"]
    service_arn = {"Fn::Sub": "arn:aws:ec2:${AWS::Region}:${AWS::AccountId}:vpc-endpoint-service/${Service}"}
    publish = {
        "Effect": "Allow",
        "Principal": {"Service": "vpce.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": {"Ref": "Topic"},
        "Condition": {"ArnEquals": {"aws:SourceArn": service_arn}},
    }
    statements = [
        {"Effect": "Allow", "Action": "ec2:DescribeVpcEndpointConnections", "Resource": "*"},
        {"Effect": "Allow", "Action": "ec2:AcceptVpcEndpointConnections", "Resource": service_arn},
    ]
    resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"] = statements
    resources["Function"]["Properties"] |= {
        "Code": {"ZipFile": _GATE},
        "Environment": {"Variables": {"SERVICE": {"Ref": "Service"}}},
    }
    function = {"Fn::GetAtt": ["Function", "Arn"]}
    resources |= {
        "Topic": _resource("AWS::SNS::Topic"),
        "TopicPolicy": _resource(
            "AWS::SNS::TopicPolicy",
            Topics=[{"Ref": "Topic"}],
            PolicyDocument={"Version": "2012-10-17", "Statement": [publish]},
        ),
        "Notification": _resource(
            "AWS::EC2::VPCEndpointConnectionNotification",
            ServiceId={"Ref": "Service"},
            ConnectionNotificationArn={"Ref": "Topic"},
            ConnectionEvents=["Connect"],
        ),
        "Subscription": _resource(
            "AWS::SNS::Subscription", TopicArn={"Ref": "Topic"}, Protocol="lambda", Endpoint=function
        ),
        "Allowed": _resource(
            "AWS::Lambda::Permission",
            FunctionName=function,
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
            SourceArn={"Ref": "Topic"},
        ),
    }
    service = aws.deploy(resources, Id={"Ref": "Service"})["Id"]
    endpoint = consumer.endpoint({"ServiceName": f"com.amazonaws.vpce.us-east-1.{service}"})
    aws.eventually(lambda: consumer.endpoint_state(endpoint) == "available")

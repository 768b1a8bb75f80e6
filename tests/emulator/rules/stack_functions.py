"""Rules of CloudFormation's AWS Lambda functions."""

from tests.emulator.rule import rule
from tests.emulator.templates import Resources, resource
from tests.emulator.world import Account, Network


def _function(network: Network, group: str, *actions: str) -> Resources:
    """Return a function in a VPC and its role, which may do some actions of EC2 on everything."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = {
        "PolicyName": "only",
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["logs:PutLogEvents", *actions], "Resource": "*"}],
        },
    }
    document = {"Version": "2012-10-17", "Statement": [trust]}
    return {
        "Role": resource("IAM::Role", AssumeRolePolicyDocument=document, Policies=[policy]),
        "Function": resource(
            "Lambda::Function",
            Code={"ZipFile": "def handler(event, context):\n    return event\n"},
            Handler="index.handler",
            Runtime="python3.13",
            Role={"Fn::GetAtt": ["Role", "Arn"]},
            VpcConfig={"SubnetIds": list(network.subnets), "SecurityGroupIds": [group]},
        ),
    }


@rule("lambda/latest/dg/configuration-vpc.html")
def function_in_a_vpc_may_attach_itself(aws: Account) -> None:
    """A function in a VPC needs existing subnets and groups, and a role that may manage network interfaces."""
    network = aws.network()
    group = aws.security_group(network)
    allowed = [
        f"ec2:{verb}"
        for verb in (
            "CreateNetworkInterface",
            "DescribeNetworkInterfaces",
            "DescribeSubnets",
            "DeleteNetworkInterface",
            "AssignPrivateIpAddresses",
            "UnassignPrivateIpAddresses",
        )
    ]
    reasons = aws.refused_stack(_function(network, group, *allowed[1:]))
    assert "does not have permissions to call CreateNetworkInterface on EC2" in reasons["Function"]
    assert "sg-0123456789abcdef0" in aws.refused_stack(_function(network, "sg-0123456789abcdef0", *allowed))["Function"]
    name = aws.deploy(_function(network, group, *allowed), Name={"Ref": "Function"})["Name"]
    config = aws.client("lambda").get_function_configuration(FunctionName=name)["VpcConfig"]
    assert (config["SubnetIds"], config["SecurityGroupIds"]) == (list(network.subnets), [group])


_ANSWERS_FIRST = """
import json, time, urllib.request
import boto3

def handler(event, context):
    answer = {"Status": "SUCCESS", "PhysicalResourceId": "it", "Reason": ""}
    answer |= {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    if event["RequestType"] != "Delete":
        ssm, end = boto3.client("ssm"), time.monotonic() + 10
        urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT"))
        while time.monotonic() < end and not ssm.get_parameters(Names=["complete"])["Parameters"]:
            time.sleep(0.1)
        complete = ssm.get_parameters(Names=["complete"])["Parameters"]
        ssm.put_parameter(Name="seen", Type="String", Value="yes" if complete else "no")
    else:
        urllib.request.urlopen(urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT"))
"""


@rule("AWSCloudFormation/latest/UserGuide/template-custom-resources-lambda.html")
def stack_goes_on_once_a_custom_resource_has_answered(aws: Account) -> None:
    """A stack goes on with what a custom resource answered; its function may work on after that."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}
    documents = [{"Version": "2012-10-17", "Statement": [each]} for each in (trust, allowed)]
    resources: Resources = {
        "Role": resource(
            "IAM::Role",
            AssumeRolePolicyDocument=documents[0],
            Policies=[{"PolicyName": "all", "PolicyDocument": documents[1]}],
        ),
        "Function": resource(
            "Lambda::Function",
            Code={"ZipFile": _ANSWERS_FIRST},
            Handler="index.handler",
            Runtime="python3.13",
            Timeout=60,
            Role={"Fn::GetAtt": ["Role", "Arn"]},
        ),
        "Custom": resource("CloudFormation::CustomResource", ServiceToken={"Fn::GetAtt": ["Function", "Arn"]}),
    }
    aws.deploy(resources)
    ssm = aws.client("ssm")
    ssm.put_parameter(Name="complete", Type="String", Value="yes")
    aws.eventually(lambda: bool(ssm.get_parameters(Names=["seen"])["Parameters"]))
    assert ssm.get_parameter(Name="seen")["Parameter"]["Value"] == "yes"

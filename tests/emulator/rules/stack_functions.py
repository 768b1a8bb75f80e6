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

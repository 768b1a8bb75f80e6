"""Rules of CloudFormation's types of the network."""

from tests.emulator.rule import rule
from tests.emulator.templates import Resources, resource
from tests.emulator.world import Account

_TYPES = "AWSCloudFormation/latest/TemplateReference"


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
            "In": resource("EC2::SecurityGroupIngress", GroupId=group, CidrIp=source, Description="in", **ports),
            "FromGroup": resource("EC2::SecurityGroupIngress", GroupId=group, SourceSecurityGroupId=other, **ports),
            "Out": resource(
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
    twin = resource("EC2::SecurityGroupIngress", GroupId=group, IpProtocol="tcp", CidrIp="10.0.0.0/8")
    twin["Properties"] |= {"FromPort": 5432, "ToPort": 5432}
    reasons = aws.refused_stack({"First": twin, "Second": twin})
    assert any("InvalidPermission.Duplicate" in reason for reason in reasons.values())


@rule(f"{_TYPES}/aws-resource-ec2-vpc.html")
def network_of_a_stack_tells_its_ranges(aws: Account) -> None:
    """A stack's VPC and subnets tell their CIDR blocks, and a subnet its VPC and the id of its zone."""
    resources = {
        "Vpc": resource("EC2::VPC", CidrBlock="10.0.0.0/16"),
        "Subnet": resource("EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.0.1.0/24", AvailabilityZone="us-east-1b"),
    }
    outputs = aws.deploy(
        resources,
        Vpc={"Ref": "Vpc"},
        Range={"Fn::GetAtt": ["Vpc", "CidrBlock"]},
        SubnetRange={"Fn::GetAtt": ["Subnet", "CidrBlock"]},
        SubnetVpc={"Fn::GetAtt": ["Subnet", "VpcId"]},
        Zone={"Fn::GetAtt": ["Subnet", "AvailabilityZoneId"]},
    )
    assert (outputs["Range"], outputs["SubnetRange"]) == ("10.0.0.0/16", "10.0.1.0/24")
    assert (outputs["SubnetVpc"], outputs["Zone"]) == (outputs["Vpc"], "use1-az2")


@rule(f"{_TYPES}/aws-resource-ec2-natgateway.html")
def gateway_of_a_stack_uses_its_address(aws: Account) -> None:
    """A stack's NAT gateway stands in its subnet, its elastic address is allocated; both go with the stack."""
    network = aws.network()
    resources = {
        "Address": resource("EC2::EIP", Domain="vpc"),
        "Gateway": resource(
            "EC2::NatGateway",
            SubnetId=network.subnets[0],
            AllocationId={"Fn::GetAtt": ["Address", "AllocationId"]},
            Tags=[{"Key": "Name", "Value": "way-out"}],
        ),
    }
    outputs = aws.deploy(resources, Id={"Ref": "Gateway"}, Address={"Ref": "Address"})
    (gateway,) = aws.ec2.describe_nat_gateways(NatGatewayIds=[outputs["Id"]])["NatGateways"]
    assert (gateway["SubnetId"], gateway["State"]) == (network.subnets[0], "available")
    assert [entry["PublicIp"] for entry in aws.ec2.describe_addresses()["Addresses"]] == [outputs["Address"]]
    assert aws.delete() == "DELETE_COMPLETE"
    assert aws.ec2.describe_addresses()["Addresses"] == []
    states = {entry["State"] for entry in aws.ec2.describe_nat_gateways()["NatGateways"]}
    assert states <= {"deleted"}


@rule(f"{_TYPES}/aws-resource-ec2-flowlog.html")
def flow_log_is_created_and_deleted(aws: Account) -> None:
    """A flow log of a stack records for its resource and goes with the stack."""
    network = aws.network()
    log = resource(
        "EC2::FlowLog", ResourceId=network.vpc, ResourceType="VPC", TrafficType="REJECT", LogGroupName="rejected"
    )
    flow_log = aws.deploy({"Log": log}, Id={"Fn::GetAtt": ["Log", "Id"]})["Id"]
    described = aws.ec2.describe_flow_logs()["FlowLogs"]
    assert [(entry["FlowLogId"], entry["ResourceId"], entry["TrafficType"]) for entry in described] == [
        (flow_log, network.vpc, "REJECT")
    ]
    assert aws.delete() == "DELETE_COMPLETE"
    assert aws.ec2.describe_flow_logs()["FlowLogs"] == []

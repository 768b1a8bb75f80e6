"""Rules of security groups."""

from typing import Any

from tests.emulator.rule import rule
from tests.emulator.world import Account, refused

_API = "AWSEC2/latest/APIReference"
_RULE = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}


@rule(f"{_API}/API_AuthorizeSecurityGroupIngress.html")
def rule_exists_once(aws: Account) -> None:
    """A rule of the same protocol, ports and source exists once per group, in either direction."""
    group = aws.security_group(aws.network())
    permission = {**_RULE, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "one"}]}
    again = {**_RULE, "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "two"}]}
    for authorize in (aws.ec2.authorize_security_group_ingress, aws.ec2.authorize_security_group_egress):
        authorize(GroupId=group, IpPermissions=[permission])
        with refused("InvalidPermission.Duplicate"):
            authorize(GroupId=group, IpPermissions=[again])


@rule("vpc/latest/userguide/amazon-vpc-limits.html")
def group_has_at_most_60_rules(aws: Account) -> None:
    """A security group has at most 60 inbound and 60 outbound rules, counted for IPv4 and IPv6 apart."""
    network = aws.network()
    group, other = aws.security_group(network), aws.security_group(network)
    ranges = [{"CidrIp": f"10.{number}.0.0/16"} for number in range(59)]
    more, last = {"CidrIp": "10.60.0.0/16"}, {"UserIdGroupPairs": [{"GroupId": other}]}
    # An outbound rule for everything is there from the beginning.
    for authorize, first in (
        (aws.ec2.authorize_security_group_ingress, ranges),
        (aws.ec2.authorize_security_group_egress, ranges[1:]),
    ):
        authorize(GroupId=group, IpPermissions=[{**_RULE, "IpRanges": first}])
        authorize(GroupId=group, IpPermissions=[{**_RULE, "Ipv6Ranges": [{"CidrIpv6": "fd00::/8"}]}])
        authorize(GroupId=group, IpPermissions=[{**_RULE, "IpRanges": [more]}])
        with refused("RulesPerSecurityGroupLimitExceeded"):
            authorize(GroupId=group, IpPermissions=[{**_RULE, **last}])


@rule("AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroup.html")
def rules_in_a_groups_properties_are_checked_too(aws: Account) -> None:
    """Rules in a security group's own properties are limited to 60 too, and exist once beside those standing alone."""
    network = aws.network()

    def resources(*cidrs: str, **more: object) -> dict[str, Any]:
        rules = [{**_RULE, "CidrIp": cidr} for cidr in cidrs]
        properties = {"GroupDescription": "g", "VpcId": network.vpc, "SecurityGroupIngress": rules}
        return {"Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}, **more}

    many = [f"10.{number}.0.0/16" for number in range(61)]
    assert "RulesPerSecurityGroupLimitExceeded" in aws.refused_stack(resources(*many))["Group"]
    alone = {"GroupId": {"Ref": "Group"}, "CidrIp": many[0], **_RULE}
    twin = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": alone}
    assert "InvalidPermission.Duplicate" in aws.refused_stack(resources(*many[:1], Twin=twin))["Twin"]
    aws.deploy(resources(*many[:60]))
    reasons = aws.refused_update(resources(*many))
    assert "RulesPerSecurityGroupLimitExceeded" in reasons["Group"]
    aws.deploy(resources(*many[1:]))


@rule(f"{_API}/API_DeleteSecurityGroup.html")
def group_named_by_another_groups_rule_is_not_deleted(aws: Account) -> None:
    """A security group that a rule of another group names is not deleted."""
    network = aws.network()
    source, target = aws.security_group(network), aws.security_group(network)
    permission = {**_RULE, "UserIdGroupPairs": [{"GroupId": source}]}
    aws.ec2.authorize_security_group_ingress(GroupId=target, IpPermissions=[permission])
    with refused("DependencyViolation"):
        aws.ec2.delete_security_group(GroupId=source)


@rule(f"{_API}/API_DeleteSecurityGroup.html")
def group_of_a_load_balancer_is_not_deleted(aws: Account) -> None:
    """A security group that a load balancer uses is not deleted, by a stack as little as by a call."""
    network = aws.network()
    properties = {"GroupDescription": "used", "VpcId": network.vpc}
    resources = {"Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}}
    group = aws.deploy(resources, Id={"Fn::GetAtt": ["Group", "GroupId"]})["Id"]
    load_balancer = aws.load_balancer(network, SecurityGroups=[group])
    with refused("DependencyViolation"):
        aws.ec2.delete_security_group(GroupId=group)
    assert aws.delete() == "DELETE_FAILED"
    aws.elb.delete_load_balancer(LoadBalancerArn=load_balancer)
    assert aws.delete() == "DELETE_COMPLETE"


@rule(f"{_API}/API_DescribeSubnets.html", stock=True)
def subnets_tell_the_id_of_their_zone(aws: Account) -> None:
    """Subnets and zones carry the zone's id, which is the same place in every account."""
    subnets = aws.ec2.describe_subnets(SubnetIds=list(aws.network().subnets))["Subnets"]
    assert [subnet["AvailabilityZoneId"] for subnet in subnets] == ["use1-az1", "use1-az2"]
    zones = aws.ec2.describe_availability_zones()["AvailabilityZones"]
    assert {zone["ZoneName"]: zone["ZoneId"] for zone in zones}["us-east-1a"] == "use1-az1"

"""Rules of security groups."""

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

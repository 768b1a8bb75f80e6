"""Security groups: each rule exists once, there are not too many, and a group that is used stays.

Rules from the Amazon EC2 API reference (AuthorizeSecurityGroupIngress, DeleteSecurityGroup) and the Amazon VPC user
guide's page amazon-vpc-limits.html.
"""

from ministack.services import alb, ec2

from emulator.aws import instances
from emulator.aws.apis import EC2
from emulator.aws.wire import ApiError, Arguments, Result

_SOURCES = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "UserIdGroupPairs": "GroupId",
    "PrefixListIds": "PrefixListId",
}
# "Inbound or outbound rules per security group", each direction by itself, IPv4 and IPv6 apart; a rule that names a
# group or prefix list counts for both.
_MAXIMUM_RULES = 60
Rule = tuple[str, int | None, int | None, str]


def rules_of(permissions: list[Arguments]) -> set[Rule]:
    """Return protocol, ports and source of every rule in a list of IpPermissions."""
    return {
        (str(permission["IpProtocol"]), permission.get("FromPort"), permission.get("ToPort"), source[key])
        for permission in permissions
        for sources, key in _SOURCES.items()
        for source in permission.get(sources, [])
        if key in source
    }


def _count(permissions: list[Arguments], addresses: str) -> int:
    """Return how many rules count against the quota of one kind of addresses: `IpRanges` or `Ipv6Ranges`."""
    return sum(
        len(permission.get(sources) or [])
        for permission in permissions
        for sources in (addresses, "UserIdGroupPairs", "PrefixListIds")
    )


def check_rules(wanted: list[Arguments], present: list[Arguments]) -> None:
    """Refuse rules that exist already, that are asked for twice, or that are too many.

    Args:
        wanted: IpPermissions to be added to one direction of a group.
        present: Those that are there.

    Raises:
        ApiError: They cannot be added.
    """
    twice = rules_of(wanted) & rules_of(present)
    if twice:
        protocol, first, last, source = min(twice, key=str)
        raise ApiError(
            "InvalidPermission.Duplicate",
            f'the specified rule "peer: {source}, {protocol}, from port: {first}, to port: {last}, ALLOW" already '
            "exists",
        )
    if len(rules_of(wanted)) < sum(len(permission.get(sources) or []) for permission in wanted for sources in _SOURCES):
        raise ApiError("InvalidParameterValue", "The same permission must not appear multiple times")
    if any(_count([*present, *wanted], addresses) > _MAXIMUM_RULES for addresses in ("IpRanges", "Ipv6Ranges")):
        raise ApiError(
            "RulesPerSecurityGroupLimitExceeded",
            "The maximum number of rules per security group has been reached.",
        )


def _check_authorization(given: Arguments, store: str) -> None:
    group = ec2._security_groups.get(given.get("GroupId", ""))
    if group is None:
        raise ApiError("InvalidGroup.NotFound", f"The security group '{given.get('GroupId')}' does not exist")
    wanted = given.get("IpPermissions") or ([given] if given.get("IpProtocol") else [])
    if "CidrIp" in given:
        wanted = [{**given, "IpRanges": [{"CidrIp": given["CidrIp"]}]}]
    check_rules(wanted, group[store])


@EC2.action
def authorize_security_group_ingress(given: Arguments) -> Result | None:
    """Refuse an inbound rule that cannot be added; the rest is stock's."""
    _check_authorization(given, "IpPermissions")
    return None


@EC2.action
def authorize_security_group_egress(given: Arguments) -> Result | None:
    """Refuse an outbound rule that cannot be added; the rest is stock's."""
    _check_authorization(given, "IpPermissionsEgress")
    return None


@EC2.action
def delete_security_group(given: Arguments) -> Result | None:
    """Refuse to delete a group that something uses or another group's rules name; the rest is stock's."""
    group_id = given.get("GroupId", "")
    named = any(
        rule[3] == group_id
        for group in ec2._security_groups.values()
        if group["GroupId"] != group_id
        for rule in rules_of(group["IpPermissions"]) | rules_of(group["IpPermissionsEgress"])
    )
    used = any(
        group_id in (resource.get("SecurityGroups") or resource.get("SecurityGroupIds") or [])
        for resource in (*alb._lbs.values(), *ec2._vpc_endpoints.values())
    ) or any(
        group_id in {entry["GroupId"] for entry in instance["SecurityGroups"]}
        for instance in ec2._instances.values()
        if instances.state(instance) != "terminated"
    )
    if named or used:
        raise ApiError("DependencyViolation", f"resource {group_id} has a dependent object")
    return None

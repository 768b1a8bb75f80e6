"""Security groups: each rule exists once, and a group that is used stays.

Rules from the Amazon EC2 API reference (AuthorizeSecurityGroupIngress, DeleteSecurityGroup).
"""

from ministack.services import alb, ec2

from emulator.aws.apis import EC2
from emulator.aws.wire import ApiError, Arguments, Result

_SOURCES = {
    "IpRanges": "CidrIp",
    "Ipv6Ranges": "CidrIpv6",
    "UserIdGroupPairs": "GroupId",
    "PrefixListIds": "PrefixListId",
}
Rule = tuple[str, int | None, int | None, str]


def _rules(permissions: list[Arguments]) -> set[Rule]:
    """Return protocol, ports and source of every rule in a list of IpPermissions."""
    return {
        (str(permission["IpProtocol"]), permission.get("FromPort"), permission.get("ToPort"), source[key])
        for permission in permissions
        for sources, key in _SOURCES.items()
        for source in permission.get(sources, [])
        if key in source
    }


def _refuse_duplicates(given: Arguments, store: str) -> None:
    group = ec2._security_groups.get(given.get("GroupId", ""))
    if group is None:
        raise ApiError("InvalidGroup.NotFound", f"The security group '{given.get('GroupId')}' does not exist")
    wanted = given.get("IpPermissions") or ([given] if given.get("IpProtocol") else [])
    if "CidrIp" in given:
        wanted = [{**given, "IpRanges": [{"CidrIp": given["CidrIp"]}]}]
    twice = _rules(wanted) & _rules(group[store])
    if twice:
        protocol, first, last, source = min(twice, key=str)
        raise ApiError(
            "InvalidPermission.Duplicate",
            f'the specified rule "peer: {source}, {protocol}, from port: {first}, to port: {last}, ALLOW" already '
            "exists",
        )


@EC2.action
def authorize_security_group_ingress(given: Arguments) -> Result | None:
    """Refuse an inbound rule that exists already; the rest is stock's."""
    _refuse_duplicates(given, "IpPermissions")
    return None


@EC2.action
def authorize_security_group_egress(given: Arguments) -> Result | None:
    """Refuse an outbound rule that exists already; the rest is stock's."""
    _refuse_duplicates(given, "IpPermissionsEgress")
    return None


@EC2.action
def delete_security_group(given: Arguments) -> Result | None:
    """Refuse to delete a group that something uses or another group's rules name; the rest is stock's."""
    group_id = given.get("GroupId", "")
    named = any(
        rule[3] == group_id
        for group in ec2._security_groups.values()
        if group["GroupId"] != group_id
        for rule in _rules(group["IpPermissions"]) | _rules(group["IpPermissionsEgress"])
    )
    used = any(
        group_id in (resource.get("SecurityGroups") or resource.get("SecurityGroupIds") or [])
        for resource in (*alb._lbs.values(), *ec2._vpc_endpoints.values())
    )
    if named or used:
        raise ApiError("DependencyViolation", f"resource {group_id} has a dependent object")
    return None

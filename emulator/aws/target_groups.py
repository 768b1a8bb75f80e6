"""Target groups of Network Load Balancers, and the tags of all Elastic Load Balancing resources.

Rules from the Elastic Load Balancing API reference (CreateTargetGroup, AddTags, DescribeTags) and the guide's pages
network/target-group-health-checks.html and network/edit-target-group-attributes.html.
"""

import re
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import alb

from emulator.aws import targets
from emulator.aws.apis import ELB
from emulator.aws.load_balancers import attributes, check_name, find
from emulator.aws.wire import ApiError, Arguments, Result

_PROTOCOLS = frozenset({"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"})
_HEALTH_CHECK = {
    "HealthCheckProtocol": "TCP",
    "HealthCheckPort": "traffic-port",
    "HealthCheckEnabled": True,
    "HealthCheckIntervalSeconds": 30,
    "HealthCheckTimeoutSeconds": 10,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 2,
}
_RANGES = {
    "HealthCheckIntervalSeconds": range(5, 301),
    "HealthCheckTimeoutSeconds": range(2, 121),
    "HealthyThresholdCount": range(2, 11),
    "UnhealthyThresholdCount": range(2, 11),
}
_ATTRIBUTES = {
    "deregistration_delay.timeout_seconds": "300",
    "deregistration_delay.connection_termination.enabled": "false",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "preserve_client_ip.enabled": "false",
    "proxy_protocol_v2.enabled": "false",
    "stickiness.enabled": "false",
    "stickiness.type": "source_ip",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
}
_DELAY = range(3601)
_TAGGED_AT_ONCE = 20
_TAG = {"Key": re.compile(r"[\w +\-=.:/@]{1,128}"), "Value": re.compile(r"[\w +\-=.:/@]{0,256}")}


def _check_health_check(group: dict[str, Any]) -> None:
    for name, allowed in _RANGES.items():
        if int(group[name]) not in allowed:
            raise ApiError(
                "ValidationError", f"{name} must be between {allowed[0]} and {allowed[-1]}, got {group[name]}"
            )


@ELB.action
def create_target_group(given: Arguments) -> Result | None:
    """Create a target group of a Network Load Balancer."""
    if given.get("Protocol") not in _PROTOCOLS:
        return None
    name = given["Name"]
    check_name(name)
    if any(group["TargetGroupName"] == name for group in alb._tgs.values()):
        raise ApiError("DuplicateTargetGroupName", f"A target group with the same name '{name}' exists")
    arn = f"arn:aws:elasticloadbalancing:{get_region()}:{get_account_id()}:targetgroup/{name}/{alb._short_id()}"
    target_type = given.get("TargetType", "instance")
    group = {
        "TargetGroupArn": arn,
        "TargetGroupName": name,
        "Protocol": given["Protocol"],
        "Port": given.get("Port"),
        "VpcId": given.get("VpcId", ""),
        "LoadBalancerArns": [],
        "TargetType": target_type,
        "IpAddressType": given.get("IpAddressType", "ipv4"),
        **{name: given.get(name, default) for name, default in _HEALTH_CHECK.items()},
    }
    if group["HealthCheckProtocol"] != "TCP":
        group |= {"HealthCheckPath": given.get("HealthCheckPath", "/"), "Matcher": given.get("Matcher", {})}
    _check_health_check(group)
    alb._tgs[arn] = group
    alb._targets[arn] = []
    alb._tags[arn] = given.get("Tags", [])
    kept = {"preserve_client_ip.enabled": str(target_type == "instance").lower()}
    alb._tg_attrs[arn] = attributes(_ATTRIBUTES | kept)
    return {"TargetGroups": [group]}


@ELB.action
def describe_target_groups(given: Arguments) -> Result | None:
    """Refuse an unknown load balancer or name; the list is stock's."""
    if given.get("LoadBalancerArn"):
        find(given["LoadBalancerArn"])
    unknown = set(given.get("Names", [])) - {group["TargetGroupName"] for group in alb._tgs.values()}
    if unknown or set(given.get("TargetGroupArns", [])) - set(alb._tgs):
        raise ApiError("TargetGroupNotFound", "One or more target groups not found")
    return None


@ELB.action
def modify_target_group(given: Arguments) -> Result | None:
    """Refuse health checks outside AWS's limits; the change is stock's."""
    group = alb._tgs.get(given.get("TargetGroupArn", ""))
    if group is not None and group["Protocol"] in _PROTOCOLS:
        _check_health_check({**group, **given})
    return None


@ELB.action
def modify_target_group_attributes(given: Arguments) -> Result | None:
    """Refuse attributes that a Network Load Balancer's groups do not have; the change is stock's."""
    group = alb._tgs.get(given.get("TargetGroupArn", ""))
    if group is None or group["Protocol"] not in _PROTOCOLS:
        return None
    for entry in given.get("Attributes", []):
        if entry["Key"] not in _ATTRIBUTES:
            raise ApiError(
                "InvalidConfigurationRequest", f"Target group attribute key '{entry['Key']}' is not recognized"
            )
        if entry["Key"] == "deregistration_delay.timeout_seconds" and int(entry["Value"]) not in _DELAY:
            raise ApiError("ValidationError", f"The deregistration delay must be 0-3600, got {entry['Value']}")
    return None


@ELB.action
def delete_target_group(given: Arguments) -> Result | None:
    """Delete a target group with its targets, unless a listener uses it."""
    arn = given.get("TargetGroupArn", "")
    group = alb._tgs.get(arn)
    if group is not None and group["LoadBalancerArns"]:
        raise ApiError("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
    targets.forget(arn)
    return None


@ELB.action
def add_tags(given: Arguments) -> Result | None:
    """Refuse tags with characters that Elastic Load Balancing does not allow; the change is stock's."""
    for tag in given.get("Tags", []):
        for part, allowed in _TAG.items():
            if not allowed.fullmatch(tag.get(part, "")):
                raise ApiError("ValidationError", f"Tag {part.lower()} '{tag.get(part)}' is not valid")
    return None


@ELB.action
def describe_tags(given: Arguments) -> Result | None:
    """Refuse more than 20 resources in one call, the limit of the API reference; the list is stock's."""
    if len(given.get("ResourceArns", [])) > _TAGGED_AT_ONCE:
        raise ApiError("ValidationError", f"Up to {_TAGGED_AT_ONCE} resources can be described in one call")
    return None


def install() -> None:
    """Make stock's DescribeTargetGroups show the groups of Network Load Balancers as they are."""
    stock = alb._tg_xml

    def target_group_xml(group: dict[str, Any]) -> str:
        if group["Protocol"] not in _PROTOCOLS:
            return str(stock(group))
        return ELB.member_xml("DescribeTargetGroups", "TargetGroups", group)

    alb._tg_xml = target_group_xml

"""What RegisterTargets takes: addresses with their zones, or running instances of the target group's VPC.

Rules from the Elastic Load Balancing API reference (RegisterTargets, TargetDescription) and the guide's page
network/target-group-register-targets.html.
"""

import ipaddress
import re
import time
from dataclasses import dataclass, field
from typing import Any

from ministack.services import ec2

from emulator.aws import instances
from emulator.aws.apis import all_zones
from emulator.aws.wire import ApiError

_OUTSIDE = [ipaddress.ip_network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
_INSTANCE_ID = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})")
# "You can't register instances by instance ID if they use one of the following instance types".
_OLD_TYPES = frozenset(["c1", "cc1", "cc2", "cg1", "cg2", "cr1", "g1", "g2", "hi1", "hs1", "m1", "m2", "m3", "t1"])


@dataclass
class Target:
    """One registered target; its identity in the group is address and port."""

    id: str
    port: int
    zone: str | None = None
    registered: float = field(default_factory=time.monotonic)
    checked: bool = False
    healthy: bool = False
    in_a_row: int = 0
    draining_until: float | None = None


def _is_inside(address: ipaddress.IPv4Address, vpc_id: str) -> bool:
    # The emulator's VPCs have one range; AWS also counts associated ones.
    return vpc_id in ec2._vpcs and address in ipaddress.IPv4Network(ec2._vpcs[vpc_id]["CidrBlock"])


def _zone_of(address: ipaddress.IPv4Address, vpc_id: str) -> str | None:
    return next(
        (
            record["AvailabilityZone"]
            for record in ec2._subnets.values()
            if record["VpcId"] == vpc_id and address in ipaddress.IPv4Network(record["CidrBlock"])
        ),
        None,
    )


def registered(group: dict[str, Any], entry: dict[str, Any]) -> Target:
    """Return the target an entry of RegisterTargets describes.

    Raises:
        ApiError: The entry does not describe one that this group may have.
    """
    port = entry.get("Port", group["Port"])
    if group["TargetType"] == "ip":
        return _address(group, entry, port)
    if "AvailabilityZone" in entry:
        raise ApiError(
            "ValidationError",
            f"You cannot specify an Availability Zone for targets of the type '{group['TargetType']}'",
        )
    return _instance(group, entry["Id"], port) if group["TargetType"] == "instance" else Target(entry["Id"], port)


def _instance(group: dict[str, Any], instance_id: str, port: int) -> Target:
    if not _INSTANCE_ID.fullmatch(instance_id):
        raise ApiError("ValidationError", f"Instance ID '{instance_id}' is not valid")
    record = instances.find(instance_id)
    if record is None:
        raise ApiError("InvalidTarget", f"The following targets do not exist: '{instance_id}'")
    if instances.state(record) != "running":
        raise ApiError(
            "InvalidTarget",
            f"The following targets are not in a running state and cannot be registered: '{instance_id}'",
        )
    if record["VpcId"] != group["VpcId"]:
        raise ApiError(
            "InvalidTarget",
            f"The following targets are not in the target group VPC '{group['VpcId']}': '{instance_id}'",
        )
    if record["InstanceType"].partition(".")[0] in _OLD_TYPES:
        raise ApiError(
            "InvalidTarget",
            f"The instance '{instance_id}' has the type '{record['InstanceType']}', which cannot be registered by id",
        )
    return Target(instance_id, port, record["Placement"]["AvailabilityZone"])


def _address(group: dict[str, Any], entry: dict[str, Any], port: int) -> Target:
    """The zone of an address inside the VPC is detected, so it must not be given; one outside needs it."""
    try:
        address = ipaddress.IPv4Address(entry["Id"])
    except ValueError as error:
        raise ApiError("ValidationError", f"The IP address '{entry['Id']}' is not a valid IPv4 address") from error
    given_zone = entry.get("AvailabilityZone")
    if _is_inside(address, group["VpcId"]):
        detected = _zone_of(address, group["VpcId"])
        if given_zone not in {None, detected}:
            raise ApiError(
                "InvalidTarget",
                f"You cannot specify the Availability Zone '{given_zone}' for '{address}', which is within the VPC "
                f"'{group['VpcId']}'",
            )
        return Target(entry["Id"], port, detected)
    if not any(address in cidr for cidr in _OUTSIDE):
        raise ApiError("InvalidTarget", f"The IP address '{address}' is not within a range that is allowed for targets")
    if given_zone not in {"all", *all_zones()}:
        raise ApiError(
            "InvalidTarget",
            f"You must specify an Availability Zone for '{address}', which is outside the VPC '{group['VpcId']}'",
        )
    return Target(entry["Id"], port, given_zone)

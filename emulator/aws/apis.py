"""The emulated services this extension adds rules to, and ids and times in AWS's shapes."""

import secrets
from datetime import UTC, datetime
from typing import Any

from ministack.core.responses import get_region
from ministack.services import alb, autoscaling, ec2
from ministack.services import rds as _rds

from emulator.aws.wire import Api, ApiError

AUTO_SCALING = Api("autoscaling", autoscaling, "AutoScaling")
EC2 = Api("ec2", ec2, "Ec2")
ELB = Api("elbv2", alb, "ElasticLoadBalancingV2")
RDS = Api("rds", _rds, "Rds")


def new_id(prefix: str) -> str:
    """Return an id of EC2's shape: the prefix and 17 hexadecimal digits."""
    return f"{prefix}-{secrets.token_hex(9)[:17]}"


def now() -> str:
    """Return the current time as AWS's APIs write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def subnet(subnet_id: str) -> dict[str, Any]:
    """Return the record of one of the caller's subnets.

    Raises:
        ApiError: There is no such subnet.
    """
    record: dict[str, Any] | None = ec2._subnets.get(subnet_id)
    if record is None:
        raise ApiError("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")
    return record


def all_zones() -> list[str]:
    """Return the names of the Region's availability zones, as the emulator knows them."""
    return [f"{get_region()}{letter}" for letter in "abc"]


def tags_of(specifications: list[dict[str, Any]] | None, resource_type: str) -> list[dict[str, str]]:
    """Return the tags that `TagSpecifications` give to one type of resource."""
    return [
        tag
        for specification in specifications or []
        if specification.get("ResourceType") == resource_type
        for tag in specification.get("Tags", [])
    ]


def matches(filters: list[dict[str, Any]] | None, known: dict[str, str]) -> bool:
    """Tell whether a record passes an EC2 call's `Filters`, given its value for every filter the call has.

    Raises:
        ApiError: A filter's name is not among `known`.
    """
    for condition in filters or []:
        if condition["Name"] not in known:
            raise ApiError("InvalidParameterValue", f"The filter '{condition['Name']}' is invalid")
        if known[condition["Name"]] not in condition.get("Values", []):
            return False
    return True

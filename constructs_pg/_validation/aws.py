"""Rules for AWS's identifiers, ARNs and tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import PostgresEndpointServiceError
from .kit import different, each, is_token, matching, shown, token_aware
from .network import check_host_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ACCOUNT_ID = re.compile(r"[0-9]{12}")
REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}")
VPC_ID = re.compile(r"vpc-([0-9a-f]{8}|[0-9a-f]{17})")
SUBNET_ID = re.compile(r"subnet-([0-9a-f]{8}|[0-9a-f]{17})")
EC2_INSTANCE_ID = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})")
SECURITY_GROUP_ID = re.compile(r"sg-([0-9a-f]{8}|[0-9a-f]{17})")

MAX_TAGS = 43
"""AWS allows 50 on a resource; the target groups need seven of them to describe themselves to the function."""
TAG_VALUE_LENGTH = 256
_TAG_KEY_LENGTH = 128
_TAG_TEXT = re.compile(r"[\w\s+\-=.:/@]*")
_RESERVED_PREFIXES = ("aws:", "pg-privatelink:")

_MAX_RDS_NAME = 63
_RDS_NAME = re.compile(r"[A-Za-z](-?[A-Za-z0-9])*")
_RDS_ENDPOINT = re.compile(r"(?P<name>[^.]+)\.(?P<kind>(cluster|proxy)-)?[^.]+\.(?P<region>[^.]+)\.rds\.amazonaws\.com")

_PRINCIPAL = re.compile(r"arn:aws(-cn|-us-gov)?:iam::[0-9]{12}:(root|(role|user)/[A-Za-z0-9_+=,.@-]{1,64})")
_PRINCIPAL_WITH_PATH = re.compile(r"arn:[^:]+:iam::[0-9]{12}:(?P<kind>role|user)/.+/(?P<name>[^/]+)")
_ARN_PARTS = 6


@token_aware
def check_account_id(value: str) -> str:
    """Require an AWS account id: text, since a number would lose leading zeros."""
    return matching(value, ACCOUNT_ID, "account id must be text of 12 digits")


@token_aware
def check_region(value: str) -> str:
    """Require the form of a Region's name. Whether the Region exists is AWS's to say."""
    if isinstance(value, str) and REGION.fullmatch(value[:-1]) and value[-1:].isalpha():
        raise PostgresEndpointServiceError(f"{shown(value)} is a zone: its Region is '{value[:-1]}'")
    return matching(value, REGION, "Region must look like eu-central-1")


@token_aware
def check_vpc_id(value: str) -> str:
    """Require a VPC id, of the present or the older, shorter form."""
    return matching(value, VPC_ID, "VPC id must look like vpc-0123456789abcdef0")


@token_aware
def check_subnet_id(value: str) -> str:
    """Require a subnet id, of the present or the older, shorter form."""
    return matching(value, SUBNET_ID, "subnet id must look like subnet-0123456789abcdef0")


def check_subnet_ids(values: Sequence[str]) -> tuple[str, ...]:
    """Require the ids of different subnets."""
    checked = each(check_subnet_id, values)
    problems = [
        f"subnet {value} is given twice: remove one, or correct its id"
        for value in dict.fromkeys(checked)
        if checked.count(value) > 1
    ]
    if problems:
        raise PostgresEndpointServiceError(problems)
    return checked


@token_aware
def check_security_group_id(value: str) -> str:
    """Require a security group id, of the present or the older, shorter form."""
    return matching(value, SECURITY_GROUP_ID, "security group id must look like sg-0123456789abcdef0")


def check_security_group_ids(values: Sequence[str]) -> tuple[str, ...]:
    """Require the ids of different security groups; tokens are different from everything."""
    checked = each(check_security_group_id, values)
    problems = [
        f"security group {value} is given twice: remove one, or correct its id"
        for value in dict.fromkeys(checked)
        if checked.count(value) > 1 and not is_token(value)
    ]
    if problems:
        raise PostgresEndpointServiceError(problems)
    return checked


@token_aware
def check_ec2_instance_id(value: str) -> str:
    """Require the id of an EC2 instance, of the present or the older, shorter form."""
    return matching(value, EC2_INSTANCE_ID, "EC2 instance id must look like i-0123456789abcdef0")


def check_ec2_instance_ids(values: Sequence[str]) -> tuple[str, ...]:
    """Require the ids of different EC2 instances, at least one."""
    return different(each(check_ec2_instance_id, values), "EC2 instance")


@token_aware
def check_principal(value: str) -> str:
    """Require a principal that an endpoint service accepts: an account's root, a role, a user, or "*" for everyone.

    ARNs with path components are refused by AWS (ModifyVpcEndpointServicePermissions in the EC2 API reference,
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcEndpointServicePermissions.html).
    """
    text = value if isinstance(value, str) else ""
    if text == "*" or _PRINCIPAL.fullmatch(text):
        return text
    advice = "allowed are arn:aws:iam::<account id>:root, :role/<name> and :user/<name>"
    if ACCOUNT_ID.fullmatch(text):
        advice = f"for the whole account write arn:aws:iam::{text}:root"
    elif with_path := _PRINCIPAL_WITH_PATH.fullmatch(text):
        advice = (
            f"endpoint services do not support a path before the {with_path['kind']}'s name; "
            f"use one without a path, or the account's root"
        )
    raise PostgresEndpointServiceError(f"{shown(value)} is not a principal of an endpoint service: {advice}")


@token_aware
def check_db_instance_identifier(value: str) -> str:
    """Require a DB instance identifier, and return it in lower case, as RDS stores it and names it in events."""
    return _rds_name(value, "DB instance identifier")


@token_aware
def check_db_cluster_identifier(value: str) -> str:
    """Require a DB cluster identifier, and return it in lower case, as RDS stores it and names it in events."""
    return _rds_name(value, "DB cluster identifier")


@token_aware
def check_db_proxy_name(value: str) -> str:
    """Require the name of an RDS Proxy, and return it in lower case, as RDS stores it."""
    return _rds_name(value, "RDS Proxy name")


def check_rds_instance_endpoint(endpoint: str, *, identifier: str, region: str) -> str:
    """Require that an endpoint belongs to the DB instance it is given for.

    Otherwise the service would follow one database and listen for the events of another. Names outside
    rds.amazonaws.com (a CNAME of the user's) tell nothing and pass.

    Args:
        endpoint: The host name to follow.
        identifier: The DB instance's identifier.
        region: The Region of the endpoint service.
    """
    if is_token(endpoint):
        return endpoint
    name = check_host_name(endpoint, what="endpoint")
    parts = _RDS_ENDPOINT.fullmatch(name)
    if parts is None:
        return name
    problems: list[str] = []
    if parts["kind"]:
        kind = "a cluster" if parts["kind"] == "cluster-" else "an RDS Proxy"
        problems.append(f"endpoint {name} is that of {kind}: give the endpoint of DB instance '{identifier}'")
    elif not is_token(identifier) and parts["name"] != identifier.lower():
        problems.append(
            f"endpoint {name} is that of DB instance '{parts['name']}', but the identifier is '{identifier}': "
            "both must name the same instance, or its events would be missed"
        )
    if not is_token(region) and parts["region"] != region:
        problems.append(
            f"endpoint {name} is in Region {parts['region']}, but the endpoint service is in {region}: "
            "events and security groups do not cross Regions, so put the service where the database is"
        )
    if problems:
        raise PostgresEndpointServiceError(problems)
    return name


@token_aware
def check_arn_location(value: str, *, what: str, region: str | None = None, account: str | None = None) -> str:
    """Require that an ARN is well formed and lies in the service's Region and account, where these are known.

    Args:
        value: The ARN.
        what: Its subject in messages, as in "DB instance ARN".
        region: The service's Region; `None` or a token if not known.
        account: The service's account; `None` or a token if not known.
    """
    parts = value.split(":", _ARN_PARTS - 1) if isinstance(value, str) else []
    if len(parts) != _ARN_PARTS or parts[0] != "arn" or not all((parts[1], parts[2], parts[5])):
        raise PostgresEndpointServiceError(
            f"{what} must look like arn:aws:<service>:<region>:<account id>:<resource>, got {shown(value)}"
        )
    problems = [
        f"{what} {shown(value)} is in {kind} {given}, but the endpoint service is in {expected}: they must not differ"
        for kind, given, expected in (("Region", parts[3], region), ("account", parts[4], account))
        if given and expected is not None and not is_token(given) and not is_token(expected) and given != expected
    ]
    if problems:
        raise PostgresEndpointServiceError(problems)
    return value


@token_aware
def check_tag_key(value: str) -> str:
    """Require a tag key: 1 to 128 characters, none of the prefixes that AWS and this library keep for themselves."""
    _tag_text(value, "tag key", _TAG_KEY_LENGTH)
    for prefix in _RESERVED_PREFIXES:
        if value.lower().startswith(prefix):
            raise PostgresEndpointServiceError(
                f"tag key {shown(value)} begins with {prefix}, which is reserved: rename it"
            )
    return value


@token_aware
def check_tag_value(value: str) -> str:
    """Require a tag value: 1 to 256 characters. CloudFormation refuses empty ones."""
    return _tag_text(value, "tag value", TAG_VALUE_LENGTH)


def check_tags(values: Mapping[str, str]) -> dict[str, str]:
    """Require tags, reporting every key and value that is none."""
    problems: list[str] = []
    for key, value in values.items():
        for rule, text in ((check_tag_key, key), (check_tag_value, value)):
            try:
                rule(text)
            except PostgresEndpointServiceError as error:
                problems.extend(error.problems)
    if problems:
        raise PostgresEndpointServiceError(problems)
    check_tag_count(len(values))
    return dict(values)


def check_tag_count(count: int) -> int:
    """Require that so many tags fit on one resource, besides those that the library needs."""
    if count > MAX_TAGS:
        raise PostgresEndpointServiceError(f"{count} tags are too many: at most {MAX_TAGS} fit, remove some")
    return count


def check_tag_list(values: Sequence[str], what: str) -> str:
    """Join values by spaces into one tag value, the form in which a target group tells the function about itself.

    Args:
        values: Texts without spaces.
        what: Their subject in messages, as in "allowed ranges".
    """
    joined = " ".join(values)
    if len(joined) > TAG_VALUE_LENGTH and not any(is_token(value) for value in values):
        raise PostgresEndpointServiceError(
            f"{len(values)} {what} take {len(joined)} characters: a tag holds them, separated by spaces, in at most "
            f"{TAG_VALUE_LENGTH}; give fewer or wider ones"
        )
    return joined


def _rds_name(value: str, what: str) -> str:
    matching(
        value[:_MAX_RDS_NAME] if isinstance(value, str) else value,
        _RDS_NAME,
        f"{what} must be letters, digits and single hyphens, beginning with a letter and not ending in a hyphen",
    )
    if len(value) > _MAX_RDS_NAME:
        raise PostgresEndpointServiceError(f"{what} must have at most {_MAX_RDS_NAME} characters, got {len(value)}")
    return value.lower()


def _tag_text(value: str, what: str, length: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= length:
        raise PostgresEndpointServiceError(f"{what} must be text of 1 to {length} characters, got {shown(value)}")
    return matching(value, _TAG_TEXT, f"{what} must consist of letters, digits, spaces and + - = . _ : / @")

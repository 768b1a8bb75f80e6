"""Rules for ARNs of what an account has already: keys, roles and managed policies."""

from __future__ import annotations

import re

from ..errors import PostgresEndpointServiceError
from .kit import is_token, shown, token_aware

KEY_ARN = re.compile(
    r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/"
    r"(mrk-[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
)
ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,64}")
MANAGED_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,128}")
"""Names and paths as IAM has them: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html. The
account of policies that AWS keeps is `aws`."""

_MAX_PATH = 512
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
}
"""By the beginning of a Region's name; all others are in `aws`: the table of partitions in botocore."""


@token_aware
def check_key_arn(value: str) -> str:
    """Require the ARN of a KMS key: CloudWatch Logs takes neither an alias nor an id."""
    text = value if isinstance(value, str) else ""
    if KEY_ARN.fullmatch(text):
        return text
    advice = "give the key's ARN"
    if ":alias/" in text or text.startswith("alias/"):
        advice = "an alias can be moved to another key, so give the ARN of the key that it stands for"
    raise PostgresEndpointServiceError(
        "encryption key must look like arn:aws:kms:eu-central-1:111122223333:key/"
        f"1234abcd-12ab-34cd-56ef-1234567890ab, got {shown(value)}: {advice}"
    )


@token_aware
def check_role_arn(value: str) -> str:
    """Require the ARN of an IAM role, which may have a path."""
    text = value if isinstance(value, str) else ""
    if _fits(ROLE_ARN, text):
        return text
    advice = "give the role's ARN"
    if ":assumed-role/" in text:
        advice = "this is a session of a role, so give the ARN of the role itself"
    elif ":instance-profile/" in text:
        advice = "this is an instance profile, so give the ARN of the role in it"
    raise PostgresEndpointServiceError(
        f"role must look like arn:aws:iam::111122223333:role/network/PgPrivateLink, got {shown(value)}: {advice}"
    )


@token_aware
def check_managed_policy_arn(value: str) -> str:
    """Require the ARN of a managed policy, the account's own or one of AWS's. Only these can be a boundary."""
    text = value if isinstance(value, str) else ""
    if _fits(MANAGED_POLICY_ARN, text):
        return text
    raise PostgresEndpointServiceError(
        f"permissions boundary must look like arn:aws:iam::111122223333:policy/Boundary, got {shown(value)}: give the "
        "ARN of a managed policy"
    )


@token_aware
def check_arn_partition(value: str, *, what: str, region: str) -> str:
    """Require that a well formed ARN is of the partition that a Region belongs to: nothing is shared between two.

    Args:
        value: The ARN.
        what: Its subject in messages, as in "role".
        region: The Region; a token if not known.
    """
    if is_token(region):
        return value
    expected = next((name for beginning, name in _PARTITIONS.items() if region.startswith(beginning)), "aws")
    given = value.split(":")[1]
    if given != expected:
        raise PostgresEndpointServiceError(
            f"{what} {shown(value)} is in partition {given}, but Region {region} is in {expected}: "
            f"give one whose ARN begins with arn:{expected}:"
        )
    return value


def _fits(pattern: re.Pattern[str], arn: str) -> bool:
    """Tell whether an ARN has a pattern's form, and no longer path than IAM allows."""
    return pattern.fullmatch(arn) is not None and len(arn[arn.find("/") : arn.rfind("/") + 1]) <= _MAX_PATH

"""What an error of AWS means for the person at the keyboard. Pure: from the error to a message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import botocore.exceptions as errors

from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

ERRORS = (errors.ClientError, errors.BotoCoreError)
"""What a call may raise."""

IAM_ACTION = "pg-privatelink-iam-action"
"""The key, in a response's metadata, of the IAM action that the call needs; see `Aws`."""

_DENIED = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess", "AuthorizationError"}
)
_REFUSED_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_THROTTLED = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException", "TooManyRequestsException"})
_MISSING_CREDENTIALS = (
    errors.NoCredentialsError,
    errors.PartialCredentialsError,
    errors.CredentialRetrievalError,
    errors.NoAuthTokenError,
    errors.SSOError,
    errors.TokenRetrievalError,
)
_UNREACHABLE = (errors.ConnectionError, errors.HTTPClientError)

_ACTION = re.compile(r"not authorized to perform:? ([a-z][a-z0-9-]*:[A-Za-z]+)")
_WHO = re.compile(r"User: (arn:\S+)")


def explain(error: BaseException) -> Problem:
    """Return what is missing and what to do.

    Args:
        error: What boto3 raised; a `Problem` is returned as it is.
    """
    if isinstance(error, Problem):
        return error
    return _refusal(error) if isinstance(error, errors.ClientError) else _not_asked(error)


def code(error: errors.ClientError) -> str:
    """Return AWS's code for an error, such as AccessDenied."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def message(error: errors.ClientError) -> str:
    """Return AWS's sentence for an error, on one line."""
    return " ".join(str(error.response.get("Error", {}).get("Message", "")).split()).rstrip(".")


def denied(error: BaseException) -> bool:
    """Return whether the credentials lack a permission for the call."""
    return isinstance(error, errors.ClientError) and code(error) in _DENIED


def denied_in(text: str) -> bool:
    """Return whether a sentence of somebody else's, such as the function's, tells of a permission that is missing."""
    return _ACTION.search(text) is not None or any(re.search(rf"\b{each}\b", text) for each in _DENIED)


def iam_action(error: errors.ClientError) -> str:
    """Return the IAM action that the call needs, such as `ec2:DescribeVpcs`."""
    told = _ACTION.search(message(error))
    if told:
        return told[1]
    metadata: Mapping[str, Any] = error.response.get("ResponseMetadata", {})
    return str(metadata.get(IAM_ACTION, error.operation_name))


def _refusal(error: errors.ClientError) -> Problem:
    refused = code(error)
    if refused in _DENIED:
        who = _WHO.search(message(error))
        return Problem(
            f"the permission {iam_action(error)} is missing{f' for {who[1]}' if who else ''}",
            "have it added to the policies of these credentials, or use others with --profile or AWS_PROFILE",
        )
    if refused in _REFUSED_CREDENTIALS:
        return Problem(
            f"AWS does not accept the credentials ({refused})",
            "log in again ('aws sso login'), or use others with --profile or AWS_PROFILE; in a Region that must be "
            "enabled first, see that it is",
        )
    if refused in _THROTTLED:
        return Problem(f"AWS asks for patience ({refused} for {error.operation_name})", "try again in a minute")
    return Problem(
        f"AWS refused {error.operation_name} ({refused}: {message(error)})",
        "see what its message says; nothing was changed by this command",
    )


def _not_asked(error: BaseException) -> Problem:
    if isinstance(error, errors.ProfileNotFound):
        what = f"there is no AWS profile '{error.kwargs['profile']}'"
        remedy = "give another one with --profile or AWS_PROFILE; 'aws configure list-profiles' shows those there are"
    elif isinstance(error, _MISSING_CREDENTIALS):
        what = f"there are no AWS credentials to use ({_plain(error)})"
        remedy = "log in ('aws sso login', 'aws configure'), or name a profile that has some with --profile"
    elif isinstance(error, errors.InvalidRegionError):
        what = f"'{error.kwargs['region_name']}' is not a Region's name"
        remedy = "give one like --region eu-central-1"
    elif isinstance(error, _UNREACHABLE):
        what = f"AWS does not answer ({_plain(error)})"
        remedy = "see that the Region exists, and that this computer reaches it (HTTPS_PROXY, AWS_ENDPOINT_URL)"
    else:
        what = f"AWS could not be asked ({_plain(error)})"
        remedy = "see the AWS settings of this computer: 'aws configure list'"
    return Problem(what, remedy)


def _plain(error: BaseException) -> str:
    """Return an error's text on one line."""
    return " ".join(str(error).split()).rstrip(".")

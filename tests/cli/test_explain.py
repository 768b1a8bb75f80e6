"""Every error of AWS in words: what is missing, and what to do."""

from __future__ import annotations

import botocore.exceptions as errors
import pytest

from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.explain import IAM_ACTION, denied, explain, iam_action
from pg_privatelink.cli.problem import Problem


def refusal(code: str, message: str = "", action: str | None = None) -> errors.ClientError:
    """What boto3 raises where AWS refuses."""
    metadata = {} if action is None else {IAM_ACTION: action}
    return errors.ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata},  # type: ignore[typeddict-item]
        "DescribeVpcs",
    )


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_a_missing_permission_by_the_call(code: str) -> None:
    """EC2 does not name the action, so the call does."""
    error = refusal(code, "You are not authorized to perform this operation.", "ec2:DescribeVpcs")

    assert denied(error)
    assert explain(error).what == "the permission ec2:DescribeVpcs is missing"


def test_a_missing_permission_by_the_message() -> None:
    """Where AWS names action and user, both are told."""
    error = refusal(
        "AccessDenied",
        "User: arn:aws:iam::111122223333:user/ana is not authorized to perform: logs:FilterLogEvents on resource: x",
        "wrong",
    )

    assert iam_action(error) == "logs:FilterLogEvents"
    assert explain(error).what == (
        "the permission logs:FilterLogEvents is missing for arn:aws:iam::111122223333:user/ana"
    )


@pytest.mark.parametrize("code", ["ExpiredToken", "RequestExpired", "InvalidClientTokenId", "AuthFailure"])
def test_credentials_that_are_not_accepted(code: str) -> None:
    """Mostly a session that ended."""
    found = explain(refusal(code))

    assert found.what == f"AWS does not accept the credentials ({code})"
    assert found.remedy.startswith("log in again")
    assert not denied(refusal(code))


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (refusal("Throttling"), "AWS asks for patience (Throttling for DescribeVpcs)"),
        (refusal("Odd", "It is\n so."), "AWS refused DescribeVpcs (Odd: It is so)"),
        (errors.SSOTokenLoadError(error_msg="x"), "there are no AWS credentials to use (Error loading SSO Token: x)"),
        (errors.ProfileNotFound(profile="p"), "there is no AWS profile 'p'"),
        (
            errors.ConnectTimeoutError(endpoint_url="u"),
            'AWS does not answer (Connect timeout on endpoint URL: "u")',
        ),
        (errors.DataNotFoundError(data_path="x"), "AWS could not be asked (Unable to load data for: x)"),
        (Problem("a", "b"), "a"),
    ],
)
def test_what_is_said(error: Exception, what: str) -> None:
    """One sentence each, and it could not be told."""
    found = explain(error)

    assert found.what == what
    assert found.exit_code is ExitCode.UNKNOWN

"""`Aws`: the account and the Region that the command talks to."""

from __future__ import annotations

import os
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from pg_privatelink._document import CONFIGURATION
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    import boto3

_CONNECT_SECONDS = 5
_READ_SECONDS = 90
"""More than the function takes for one look at all listeners, which is 30 s at most."""

_ATTEMPTS = 3

# Where the name that signs requests is not the prefix of the IAM action (Service Authorization Reference).
_PREFIXES = {"monitoring": "cloudwatch"}
_ACTIONS = {"lambda:Invoke": "lambda:InvokeFunction"}


class Aws:
    """Clients of AWS, made when they are first asked for. Credentials and Region come as for the AWS CLI.

    Args:
        region: The Region (default: AWS_REGION, AWS_DEFAULT_REGION, or the profile's).
        profile: The profile (default: AWS_PROFILE, or the default profile).
    """

    def __init__(self, *, region: str | None = None, profile: str | None = None) -> None:
        self._given_region = region
        self._given_profile = profile
        self.client = cache(self._client)
        """Return the client of a service by boto3's name for it."""

    @cached_property
    def session(self) -> boto3.Session:
        """The session.

        Raises:
            botocore.exceptions.ProfileNotFound: There is no such profile.
        """
        import boto3  # noqa: PLC0415 - a quarter of a second that --help need not take

        # boto3 reads AWS_DEFAULT_REGION only; the AWS CLI reads AWS_REGION first.
        region = self._given_region or os.environ.get("AWS_REGION") or None
        return boto3.Session(profile_name=self._given_profile, region_name=region)

    @cached_property
    def region(self) -> str:
        """The Region.

        Raises:
            Problem: None is set anywhere.
        """
        region = self.session.region_name
        if not region:
            raise Problem("no Region is set", _ways_to_set_it())
        return str(region)

    @cached_property
    def account(self) -> str:
        """The account that the credentials belong to. Needs no permission."""
        return str(self.client("sts").get_caller_identity()["Account"])

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time; annotate the variable
        import botocore.config  # noqa: PLC0415

        client = self.session.client(
            service,
            region_name=self.region,
            config=botocore.config.Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            ),
        )
        client.meta.events.register("after-call", _note_iam_action)
        return client


def _ways_to_set_it() -> str:
    """Return how to set the Region: to that of the YAML file in this folder, if there is one that says it."""
    from pg_privatelink._yaml import read  # noqa: PLC0415 - only where the Region is missing
    from pg_privatelink.errors import ConfigurationError  # noqa: PLC0415

    try:
        top = read(CONFIGURATION).data
    except ConfigurationError:
        top = None
    region = top.get("region") if isinstance(top, dict) else None
    if isinstance(region, str):
        return f"{CONFIGURATION} here says {region}: give --region {region}, or set AWS_REGION"
    return "give --region, set AWS_REGION, or run 'aws configure set region eu-central-1'"


def _note_iam_action(*, model: Any, parsed: dict[str, Any], **_: object) -> None:  # noqa: ANN401 - botocore has no type
    """Write into a response which IAM action its call needs, for `explain` to name."""
    from pg_privatelink.cli.explain import IAM_ACTION  # noqa: PLC0415 - by now botocore is loaded

    prefix = model.service_model.signing_name
    action = f"{_PREFIXES.get(prefix, prefix)}:{model.name}"
    parsed.setdefault("ResponseMetadata", {})[IAM_ACTION] = _ACTIONS.get(action, action)

"""What the Lambda functions of this package have in common."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_

from ._acknowledgments import CONCURRENCY, DEAD_LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from .check_network import CheckNetwork
    from .function_network import FunctionNetwork


def asset_folder(scope: Construct, name: str) -> Path:
    """Return where a function's code is staged: in the cloud assembly, which nobody has to clean up after.

    Args:
        scope: The construct that has the function.
        name: What the function is called, such as target-sync.
    """
    stage = cdk.Stage.of(scope)
    assert stage is not None  # noqa: S101 - every stack has one
    return Path(stage.asset_outdir) / f"pg-privatelink-{name}"


def make_function(
    scope: Construct,
    *,
    description: str,
    code: Path,
    handler: str,
    runtime: lambda_.Runtime,
    timeout: cdk.Duration,
    max_event_age: cdk.Duration,
    role: iam.IRole,
    network: FunctionNetwork | CheckNetwork | None,
    encryption_key: kms.IKey | None,
    log_group: logs.ILogGroup,
    environment: Mapping[str, str],
) -> lambda_.Function:
    """Make the function `Function` of a construct: small, on Arm, one JSON object a log line, and never called again.

    Each of them is called by a schedule, too, which repairs what an event's call did not do: a repetition, minutes
    late, would act on old news.

    Args:
        scope: The construct.
        description: What it is for.
        code: The folder with its code.
        handler: The function in there that is called.
        runtime: The Python.
        timeout: How long one call may take.
        max_event_age: How long an event may wait for it.
        role: Its role.
        network: Where in the VPC it is; None outside.
        encryption_key: Encrypts its environment; None leaves that to AWS's own key.
        log_group: Where it writes.
        environment: Its settings.
    """
    function = lambda_.Function(
        scope,
        "Function",
        description=description,
        code=lambda_.Code.from_asset(str(code)),
        handler=handler,
        runtime=runtime,
        architecture=lambda_.Architecture.ARM_64,
        memory_size=128,
        timeout=timeout,
        role=role,
        vpc=None if network is None else network.vpc,
        vpc_subnets=None if network is None else ec2.SubnetSelection(subnets=network.subnets),
        security_groups=None if network is None else network.security_groups,
        environment_encryption=encryption_key,
        log_group=log_group,
        logging_format=lambda_.LoggingFormat.JSON,
        application_log_level_v2=lambda_.ApplicationLogLevel.INFO,
        # Start and report lines, of 1440 calls a day, would outweigh what the function has to say.
        system_log_level_v2=lambda_.SystemLogLevel.WARN,
        retry_attempts=0,
        max_event_age=max_event_age,
        environment=dict(environment),
    )
    for acknowledged in (CONCURRENCY, DEAD_LETTERS):
        acknowledged.on(function)
    return function

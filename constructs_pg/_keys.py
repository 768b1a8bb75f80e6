"""What the policy of a user's key must allow so that AWS can use it for what is made here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms


def allow_logs_to_use(key: kms.IKey, *, stack: cdk.Stack) -> None:
    """Let CloudWatch Logs encrypt our log group with a key whose policy CDK makes.

    The group's own ARN would make a circle of it and the key. CloudFormation begins its name with the stack's, which is
    known at synthesis unless the stack is nested. See "Encrypt log data in CloudWatch Logs using AWS KMS".
    """
    names = "*" if stack.nested and cdk.Stack.of(key) is not stack else f"{stack.stack_name}-*"
    key.add_to_resource_policy(
        iam.PolicyStatement(
            actions=["kms:Decrypt*", "kms:Describe*", "kms:Encrypt*", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
            # In a key's policy that is the key.
            resources=["*"],
            conditions={
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": stack.format_arn(
                        service="logs",
                        resource="log-group",
                        resource_name=names,
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    )
                }
            },
        )
    )

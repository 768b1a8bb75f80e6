"""The fields of what happens when a consumer makes an endpoint: who is told of it."""

from __future__ import annotations

from pydantic import Field

from pg_privatelink._fields import EmailAddress, Fields, KeyArn, Switch, TopicArn


class NotificationsConfiguration(Fields):
    """Who is told that a connection waits to be accepted. Without acceptance nothing waits."""

    enabled: Switch = Field(default=True, description="Whether a topic and an alarm tell of a waiting connection.")
    topic: TopicArn | None = Field(
        default=None,
        description="The ARN of an Amazon SNS topic to tell, which must let vpce.amazonaws.com call sns:Publish; it "
        "has no alarm, since others may use it too (default: one made here).",
    )
    emails: tuple[EmailAddress, ...] = Field(
        default=(),
        min_length=1,
        description="Who is told by e-mail. Each has to confirm once (default: nobody).",
        json_schema_extra={"uniqueItems": True},
    )
    key: KeyArn | None = Field(
        default=None,
        description="The ARN of a KMS key that encrypts the topic made here. Its policy must let vpce.amazonaws.com "
        "call kms:Decrypt and kms:GenerateDataKey* (default: not encrypted).",
    )

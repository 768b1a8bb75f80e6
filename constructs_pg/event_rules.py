"""`EventRules`: what wakes the function that follows DNS when RDS says that something happened."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_events as events
from constructs import Construct

from ._validation import is_token

if TYPE_CHECKING:
    from constructs import IConstruct

    from .targets import RdsEventSource

# What RDS calls the events after which the address behind a name may differ; topology changes of a cluster
# (RDS-EVENT-0385) come as "notification". Too many wake-ups do no harm, too few do.
# Source: "Amazon RDS event categories and event messages" in the RDS user guide.
_EVENT_CATEGORIES = [
    "availability",
    "configuration change",
    "failover",
    "failure",
    "maintenance",
    "notification",
    "recovery",
    "restoration",
]
_MEMBER_DETAIL_TYPE = "RDS DB Instance Event"


class EventRules(Construct):
    """A rule for each RDS resource whose name is followed: one, however many listeners forward to it.

    Args:
        scope: The function's construct.
        construct_id: This construct's id.
        function_arn: The function.
    """

    def __init__(self, scope: Construct, construct_id: str, *, function_arn: str) -> None:
        super().__init__(scope, construct_id)
        self._function_arn = function_arn
        self._rules: dict[str, IConstruct] = {}

    def rule_of(self, source: RdsEventSource) -> IConstruct:
        """Return the rule for an RDS resource, made when it is first asked for."""
        described: dict[str, object] = {
            "detail_type": source.detail_type,
            "source_identifier": source.source_identifier,
        }
        if source.members:
            described["members"] = list(source.members)
        if any(map(is_token, (source.detail_type, source.source_identifier, *source.members))):
            stack = cdk.Stack.of(self)
            identity = str(stack.resolve(stack.to_json_string(described)))
        else:
            # What CDK would write, without asking it; part of a logical id.
            identity = json.dumps(described, separators=(",", ":"), ensure_ascii=False)
        construct_id = f"Rds{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
        if construct_id not in self._rules:
            self._rules[construct_id] = self._make(construct_id, source)
        return self._rules[construct_id]

    def _make(self, construct_id: str, source: RdsEventSource) -> events.CfnRule:
        return events.CfnRule(
            self,
            construct_id,
            description="Something happened to a database: look closely at its DNS name",
            event_pattern={
                "source": ["aws.rds"],
                "detail-type": [source.detail_type, *([_MEMBER_DETAIL_TYPE] if source.members else [])],
                "detail": {
                    "SourceIdentifier": [source.source_identifier, *source.members],
                    "EventCategories": _EVENT_CATEGORIES,
                },
            },
            state="ENABLED",
            targets=[rule_target(self._function_arn)],
        )


def rule_target(function_arn: str, *, constant_input: str | None = None) -> events.CfnRule.TargetProperty:
    """Return the function as a rule's target: what comes late would act on old news."""
    return events.CfnRule.TargetProperty(
        arn=function_arn,
        id="TargetSync",
        input=constant_input,
        retry_policy=events.CfnRule.RetryPolicyProperty(maximum_event_age_in_seconds=60, maximum_retry_attempts=0),
    )

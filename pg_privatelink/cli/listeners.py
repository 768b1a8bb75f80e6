"""Listeners of a service with what is registered behind them, as Elastic Load Balancing tells it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pg_privatelink.cli.service import LISTENER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.service import Service

TAG = "pg-privatelink:"
"""What the tags of a followed target group begin with."""

HEALTHY = "healthy"
DRAINING = "draining"

_TAGS_AT_ONCE = 20  # DescribeTags takes no more


@dataclass(frozen=True, slots=True)
class Target:
    """A row of DescribeTargetHealth.

    Attributes:
        target: address:port; the id of an EC2 instance in the place of the address.
        state: initial, healthy, unhealthy, unhealthy.draining, draining, unused or unavailable.
        reason: AWS's reason code; empty while healthy.
        description: AWS's sentence for it.
    """

    target: str
    state: str
    reason: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Listener:
    """A port of the load balancer.

    Attributes:
        name: The user's name for it.
        port: The port that consumers connect to.
        target_group_arn: Its target group.
        tags: That group's tags of ours, without `pg-privatelink:`; empty where the targets are fixed.
    """

    name: str
    port: int
    target_group_arn: str
    tags: Mapping[str, str]

    @property
    def hostname(self) -> str | None:
        """The DNS name that is followed; None where the targets are fixed."""
        return self.tags.get("hostname")


def read_listeners(aws: Aws, service: Service) -> list[Listener]:
    """Return the listeners of a service, by port."""
    elbv2: ElasticLoadBalancingv2Client = aws.client("elbv2")
    rows = [
        row
        for page in elbv2.get_paginator("describe_listeners").paginate(LoadBalancerArn=service.load_balancer_arn)
        for row in page["Listeners"]
    ]
    groups = {row["ListenerArn"]: row["DefaultActions"][0].get("TargetGroupArn", "") for row in rows}
    tags = _tags(elbv2, [arn for arn in groups.values() if arn])
    found = [
        Listener(
            name=own.get("listener") or listener_name(service, row["ListenerArn"]) or f"port {row['Port']}",
            port=row["Port"],
            target_group_arn=groups[row["ListenerArn"]],
            tags=own,
        )
        for row in rows
        for own in [tags.get(groups[row["ListenerArn"]], {})]
    ]
    return sorted(found, key=lambda each: each.port)


def listener_name(service: Service, listener_arn: str) -> str | None:
    """Return a listener's name by its logical id, which has it without hyphens; None if the stack does not know it."""
    for each in service.of_type(LISTENER):
        named = re.fullmatch(rf"{re.escape(service.beginning)}Listeners(.+)Listener[0-9A-F]{{8}}", each.logical_id)
        if each.physical_id == listener_arn and named:
            return named[1]
    return None


def read_targets(aws: Aws, target_group_arn: str) -> list[Target]:
    """Return what is registered in a target group, what is leaving it included."""
    elbv2: ElasticLoadBalancingv2Client = aws.client("elbv2")
    rows = elbv2.describe_target_health(TargetGroupArn=target_group_arn)["TargetHealthDescriptions"]
    found = [
        Target(
            target=f"{row['Target']['Id']}:{row['Target'].get('Port', '')}".rstrip(":"),
            state=health.get("State", "unavailable"),
            reason=health.get("Reason", ""),
            description=health.get("Description", ""),
        )
        for row in rows
        for health in [row.get("TargetHealth", {})]
    ]
    return sorted(found, key=lambda each: each.target)


def _tags(elbv2: ElasticLoadBalancingv2Client, arns: list[str]) -> dict[str, dict[str, str]]:
    return {
        row["ResourceArn"]: {
            tag["Key"].removeprefix(TAG): tag.get("Value", "") for tag in row["Tags"] if tag["Key"].startswith(TAG)
        }
        for start in range(0, len(arns), _TAGS_AT_ONCE)
        for row in elbv2.describe_tags(ResourceArns=arns[start : start + _TAGS_AT_ONCE])["TagDescriptions"]
    }

"""`PostgresTargetConfig`: what targets that users write can say, and what contradicts itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_elasticloadbalancingv2_targets as elbv2_targets
from aws_cdk.assertions import Match, Template

from constructs_pg import PostgresEndpointServiceError, PostgresTarget, PostgresTargetConfig, RdsEventSource

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk
    from constructs import Construct

    from constructs_pg import PostgresEndpointService

    ServiceFactory = Callable[..., PostgresEndpointService]

TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


class OwnTarget(PostgresTarget):
    """A target as users write one."""

    def __init__(self, config: PostgresTargetConfig) -> None:
        self._config = config

    def bind(self, scope: Construct) -> PostgresTargetConfig:
        """Return what was given."""
        return self._config


def test_a_target_of_ones_own_may_register_what_it_likes(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Elastic Load Balancing's targets pass as they are."""
    target = OwnTarget(
        PostgresTargetConfig(port=5432, targets=[elbv2_targets.IpTarget("192.168.1.5", 6543, "euc1-az1")])
    )

    make_service(listeners={"main": target})

    Template.from_stack(stack).has_resource_properties(
        TARGET_GROUP, {"Targets": [{"Id": "192.168.1.5", "Port": 6543, "AvailabilityZone": "euc1-az1"}]}
    )


def test_a_group_can_be_left_to_its_owner(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """An imported Auto Scaling group is attached by hand: what the template does not say is left alone."""
    target = OwnTarget(PostgresTargetConfig(port=6543, group_port=6543, target_type=elbv2.TargetType.INSTANCE))

    make_service(listeners={"main": target})

    Template.from_stack(stack).has_resource_properties(
        TARGET_GROUP, {"TargetType": "instance", "Port": 6543, "Targets": Match.absent()}
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"target_type": elbv2.TargetType.ALB}, "target type ALB is not for a Postgres: give IP or INSTANCE"),
        (
            {"target_type": elbv2.TargetType.INSTANCE, "hostname": "db.example.com"},
            "'hostname' and 'addresses' stand for addresses, got target type INSTANCE: leave it out",
        ),
        (
            {"target_type": elbv2.TargetType.INSTANCE, "addresses": ["10.0.0.1"]},
            "'hostname' and 'addresses' stand for addresses, got target type INSTANCE: leave it out",
        ),
        (
            {"group_port": 6543},
            "addresses carry their own port, got a 'group_port': leave it out, or give type INSTANCE",
        ),
        (
            {"hostname": "db.example.com", "addresses": ["10.0.0.1"]},
            (
                "the function follows 'db.example.com', and CloudFormation would undo what it registers, got "
                "'addresses' or 'targets' too: give one of them"
            ),
        ),
        (
            {"members_of": "orders", "publicly_accessible": True},
            "no name is followed, got members_of and publicly_accessible: give 'hostname', or leave them out",
        ),
        (
            {"nameservers": ["10.0.0.2"], "event_sources": [RdsEventSource(detail_type="x", source_identifier="y")]},
            "no name is followed, got nameservers and event_sources: give 'hostname', or leave them out",
        ),
    ],
)
def test_contradictions_are_named(fields: dict[str, Any], message: str) -> None:
    """A target is followed, or fixed, or left to its owner."""
    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresTargetConfig(port=5432, **fields)

    assert str(caught.value) == message

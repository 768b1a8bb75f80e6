"""Deployments that must fail: with the reason, soon, and leaving nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.cdk_cli import CdkError
from tools.demo_world import PRIMARY

if TYPE_CHECKING:
    from tests.deployment.conftest import Site

STACK = "PgPrivateLink-orders"


def _impatient(text: str) -> str:
    return text.replace("    listeners:", "    healthy_timeout: 10\n    listeners:")


def _assert_rolled_back_clean(site: Site) -> None:
    (stack,) = site.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert site.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert site.client("elbv2").describe_target_groups()["TargetGroups"] == []
    assert site.client("ec2").describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []


def test_a_name_that_does_not_resolve(site: Site) -> None:
    """A stack without a target would be complete and broken; the reason names listener and name."""
    nowhere = "endpoint: nowhere.example.com"
    site.configure(lambda text: _impatient(text).replace(f"endpoint: {site.world.endpoint}", nowhere))

    with pytest.raises(CdkError) as failed:
        site.cdk.deploy()

    assert "main" in failed.value.output
    assert "nowhere.example.com" in failed.value.output
    _assert_rolled_back_clean(site)


def test_a_database_that_does_not_listen(site: Site) -> None:
    """The target never becomes healthy; the reason names the address and what AWS says of it."""
    site.configure(_impatient)
    for database in site.databases.values():
        database.die()

    with pytest.raises(CdkError) as failed:
        site.cdk.deploy()

    assert f"{PRIMARY}:{site.world.port}" in failed.value.output
    assert "Target.FailedHealthChecks" in failed.value.output
    _assert_rolled_back_clean(site)

"""The life of a stack, in order: deployed, unchanged, failed over, updated while the database is down, destroyed.

The tests build on each other, since a deployment costs seconds; each leaves the stack as the next one needs it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from tools.demo_world import IDENTIFIER, PRIMARY, STANDBY

if TYPE_CHECKING:
    from tests.deployment.conftest import Site

STACK = "PgPrivateLink-orders"


def wait_for(site: Site, wanted: dict[str, str], seconds: float = 60) -> None:
    """Wait until the target group's targets and states are these."""
    deadline = time.monotonic() + seconds
    while (seen := site.targets()) != wanted:
        assert time.monotonic() < deadline, f"wanted {wanted}, the target group has {seen}"
        time.sleep(0.2)


def test_deployment_ends_with_a_healthy_target(site: Site) -> None:
    """A stack that is complete works: the database's present address is registered and passes its health check."""
    printed = site.configure()
    assert "warning" not in printed.lower()

    outputs = site.cdk.deploy()[STACK]

    assert site.targets() == {PRIMARY: "healthy"}
    assert outputs["EndpointServiceName"] == f"com.amazonaws.vpce.eu-central-1.{outputs['EndpointServiceId']}"
    assert f"- VPC Endpoint Service Name: {outputs['EndpointServiceName']}\n" in outputs["RequestDbtPlatform"]
    assert outputs["Zones"] == ", ".join(subnet.zone for subnet in site.world.subnets)


def test_a_second_deployment_would_change_nothing(site: Site) -> None:
    """What was deployed is what the app says; nothing moves by itself."""
    assert "There were no differences" in site.cdk.diff()


def test_a_failover_is_followed(site: Site) -> None:
    """The function registers the new address and takes the old one out, once RDS says that something happened."""
    site.client("rds").reboot_db_instance(DBInstanceIdentifier=IDENTIFIER, ForceFailover=True)
    site.name_server.set(site.world.endpoint, [STANDBY], ttl=1)

    wait_for(site, {STANDBY: "healthy"})


def test_an_update_succeeds_while_the_database_is_down(site: Site) -> None:
    """What is registered is kept: if an update failed for it, its rollback would fail for the same reason."""
    for database in site.databases.values():
        database.die()
    wait_for(site, {STANDBY: "unhealthy"})
    # Another range makes CloudFormation call the function; a principal is an ordinary change beside it.
    site.configure(
        lambda text: text.replace("nameservers:", "allowed_ranges: [10.9.0.0/16]\n          nameservers:").replace(
            "    listeners:", '      - principals: ["arn:aws:iam::222233334444:root"]\n    listeners:'
        )
    )

    site.cdk.deploy()

    assert site.targets() == {STANDBY: "unhealthy"}
    service_id = site.resource("AWS::EC2::VPCEndpointService")
    allowed = site.client("ec2").describe_vpc_endpoint_service_permissions(ServiceId=service_id)["AllowedPrincipals"]
    assert {each["Principal"] for each in allowed} == {
        "arn:aws:iam::346425330055:role/MTPL_Admin",
        "arn:aws:iam::222233334444:root",
    }


def test_an_update_succeeds_while_the_name_does_not_resolve(site: Site) -> None:
    """The same for DNS: no answer changes nothing."""
    site.name_server.set(site.world.endpoint, [], ttl=1)
    site.configure()

    site.cdk.deploy()

    assert site.targets() == {STANDBY: "unhealthy"}


def test_destroying_leaves_nothing(site: Site) -> None:
    """The custom resources are not called, and nothing of ours remains."""
    site.cdk.destroy()

    with pytest.raises(ClientError, match="does not exist"):
        site.client("cloudformation").describe_stacks(StackName=STACK)
    assert site.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert site.client("elbv2").describe_target_groups()["TargetGroups"] == []
    assert site.client("ec2").describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []
    assert site.client("lambda").list_functions()["Functions"] == []

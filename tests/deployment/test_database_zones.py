"""Zones of a DB subnet group that nobody has named: the deployment asks RDS and compares them with the load balancer's.

The tests build on each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployment.mutants import STACK, statements, template, write
from tools.cdk_cli import CdkError
from tools.demo_world import PRIMARY

if TYPE_CHECKING:
    from tests.deployment.conftest import Site

TOLD = "DB instance 'wide' can be in eu-central-1c (DB subnet group 'wide')"


@pytest.fixture(scope="module")
def wide(site: Site) -> str:
    """Make an instance whose DB subnet group covers a zone more than the load balancer; returns its endpoint."""
    ec2, rds = site.client("ec2"), site.client("rds")
    third = ec2.create_subnet(VpcId=site.world.vpc_id, CidrBlock="127.0.9.0/24", AvailabilityZone="eu-central-1c")
    rds.create_db_subnet_group(
        DBSubnetGroupName="wide",
        DBSubnetGroupDescription="Wide",
        SubnetIds=[*(each.id for each in site.world.subnets), third["Subnet"]["SubnetId"]],
    )
    made = rds.create_db_instance(
        DBInstanceIdentifier="wide",
        Engine="postgres",
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=20,
        MultiAZ=True,
        Port=site.world.port,
        MasterUsername="postgres",
        ManageMasterUserPassword=True,
        DBSubnetGroupName="wide",
    )
    endpoint = str(made["DBInstance"]["Endpoint"]["Address"])
    site.name_server.set(endpoint, [PRIMARY], ttl=1)
    return endpoint


def configure(site: Site, endpoint: str, *, named: bool) -> None:
    """Synthesize a service before it, with the load balancer's zones named as the database's, or without any."""

    def changed(text: str) -> str:
        lines = (
            text.replace("identifier: orders", "identifier: wide").replace(site.world.endpoint, endpoint).split("\n")
        )
        return "\n".join(line for line in lines if named or not line.strip().startswith("zones:"))

    site.configure(changed)


def status(site: Site) -> str:
    """Return the stack's status."""
    (stack,) = site.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return str(stack["StackStatus"])


def test_a_first_deployment_fails_and_says_which_zone(site: Site, wide: str) -> None:
    """A failover to a zone without the load balancer would cut everybody off: better now than then."""
    configure(site, wide, named=False)

    with pytest.raises(CdkError) as failed:
        site.cdk.deploy()

    assert TOLD in " ".join(failed.value.output.split())
    assert status(site) == "ROLLBACK_COMPLETE"


def test_who_names_the_zones_is_believed(site: Site, wide: str) -> None:
    """They were compared at synthesis; RDS is not asked, and nobody may ask it."""
    configure(site, wide, named=True)
    assert not {sid for _, sid, _ in statements(template(site))} & {"ReadInstances", "ReadStack"}

    site.cdk.deploy()

    assert status(site) == "CREATE_COMPLETE"


def test_an_update_goes_on_and_says_it_in_the_log(site: Site, wide: str) -> None:
    """The database was served before, and is served after."""
    before = site.targets()
    configure(site, wide, named=False)

    site.cdk.deploy()

    assert status(site) == "UPDATE_COMPLETE"
    assert site.targets() == before == {PRIMARY: "healthy"}
    group = site.resource("AWS::Logs::LogGroup", of="Gate")
    events = site.client("logs").filter_log_events(logGroupName=group)["events"]
    assert any(TOLD in each["message"] for each in events)


def test_a_stack_of_an_earlier_release_is_updated(site: Site, wide: str) -> None:
    """It has no such resource yet, so CloudFormation creates it; still the database was served before."""
    configure(site, wide, named=False)
    earlier = template(site)
    for logical_id, resource in list(earlier["Resources"].items()):
        if "ConnectionsGate" in logical_id:
            del earlier["Resources"][logical_id]
        elif "DependsOn" in resource:
            resource["DependsOn"] = [each for each in resource["DependsOn"] if "ConnectionsGate" not in each]
    write(site, earlier)
    site.cdk.deploy()
    configure(site, wide, named=False)

    site.cdk.deploy()

    assert status(site) == "UPDATE_COMPLETE"
    assert site.targets() == {PRIMARY: "healthy"}


def test_without_reading_the_stack_it_fails(site: Site, wide: str) -> None:
    """Whether the stack is new decides whether a gap fails it, so not knowing is a failure that rolls back."""
    site.cdk.destroy()
    configure(site, wide, named=False)
    changed = template(site)
    for _, sid, found in list(statements(changed)):
        if sid == "ReadStack":
            found[:] = [each for each in found if each.get("Sid") != "ReadStack"]
    write(site, changed)

    with pytest.raises(CdkError) as failed:
        site.cdk.deploy()

    assert "DescribeStacks" in failed.value.output
    assert status(site) == "ROLLBACK_COMPLETE"

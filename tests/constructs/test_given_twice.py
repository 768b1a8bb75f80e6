"""What AWS takes once, given twice: security groups of a target, and rules by address of two services."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

import constructs_pg
from constructs_pg import Consumer, PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget
from constructs_pg._validation import WARNINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_cdk import aws_rds as rds

    ServiceFactory = Callable[..., PostgresEndpointService]
    Make = Callable[[Sequence[ec2.ISecurityGroup]], PostgresTarget]

GROUP_ID = "sg-0123456789abcdef0"


@pytest.mark.parametrize(
    "make",
    [
        lambda groups: PostgresTarget.from_hostname("db.example.com", security_groups=groups),
        lambda groups: PostgresTarget.from_ip_addresses(["10.0.1.5"], security_groups=groups),
        lambda groups: PostgresTarget.from_ec2_instance_ids(["i-0123456789abcdef0"], security_groups=groups),
    ],
)
def test_a_security_group_twice_is_refused(stack: cdk.Stack, make: Make) -> None:
    """Two imports of one group may well have two construct ids; its own id tells."""
    groups = [ec2.SecurityGroup.from_security_group_id(stack, name, GROUP_ID, mutable=False) for name in ("A", "B")]
    with pytest.raises(PostgresEndpointServiceError, match=f"security group {GROUP_ID} is given twice: remove one"):
        make(groups)


def test_groups_made_in_cdk_pass(stack: cdk.Stack, vpc: ec2.IVpc) -> None:
    """Their ids are known at deployment only."""
    groups = [ec2.SecurityGroup(stack, name, vpc=vpc) for name in ("A", "B")]
    PostgresTarget.from_hostname("db.example.com", security_groups=groups)


class TestTwoServices:
    def second(
        self, stack: cdk.Stack, vpc: ec2.IVpc, subnets: list[ec2.ISubnet], target: PostgresTarget, **more: object
    ) -> PostgresEndpointService:
        """Make another service in the same subnets."""
        return PostgresEndpointService(
            stack,
            "Second",
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnets=subnets),
            vpc_cidrs=["10.0.0.0/16"],
            listeners={"main": target},
            **more,  # type: ignore[arg-type]
        )

    @pytest.mark.parametrize("same_stack", [True, False])
    def test_the_same_rule_is_refused(
        self,
        stack: cdk.Stack,
        vpc: ec2.IVpc,
        subnets: list[ec2.ISubnet],
        database: rds.IDatabaseInstance,
        make_service: ServiceFactory,
        *,
        same_stack: bool,
    ) -> None:
        """AWS takes a rule once, whatever stack it is in: the second deployment would fail after minutes."""
        make_service()
        where = stack if same_stack else cdk.Stack(cdk.App.of(stack), "Other")
        with pytest.raises(PostgresEndpointServiceError) as error:
            self.second(where, vpc, subnets, PostgresTarget.from_instance(database))

        assert str(error.value) == (
            "'Stack/Orders' lets 10.0.1.0/24 into security group sg-0123456789abcdef0 on port 5432 already, and AWS "
            "takes a rule once: leave the security group out here (an empty security_groups), since those rules serve "
            "both services, or give one of the load balancers fixed addresses ('private_ipv4_addresses'), which then "
            "have rules of their own"
        )

    @pytest.mark.parametrize(
        "more",
        [
            {"private_ipv4_addresses": {"euc1-az1": "10.0.1.9", "euc1-az2": "10.0.2.9"}},
            {"consumers": [Consumer(name="A", principals=["*"], source_ranges=["10.20.0.0/16"])]},
        ],
        ids=["fixed addresses", "enforced"],
    )
    def test_other_rules_are_not(
        self,
        stack: cdk.Stack,
        vpc: ec2.IVpc,
        subnets: list[ec2.ISubnet],
        database: rds.IDatabaseInstance,
        make_service: ServiceFactory,
        *,
        more: dict[str, object],
    ) -> None:
        """Fixed addresses have rules of their own; with inbound rules enforced there are none by address."""
        make_service()
        self.second(stack, vpc, subnets, PostgresTarget.from_instance(database), **more)

    def test_another_app_is_not_seen(
        self, stack: cdk.Stack, vpc: ec2.IVpc, make_service: ServiceFactory, subnets: list[ec2.ISubnet]
    ) -> None:
        """What is remembered is one app's: tests, and programs that make several, are not disturbed."""
        make_service()
        del vpc, subnets, stack
        app = cdk.App(analytics_reporting=False)
        other = cdk.Stack(app, "Stack")
        group = ec2.SecurityGroup.from_security_group_id(other, "Group", GROUP_ID, mutable=False)
        made = [
            ec2.Subnet.from_subnet_attributes(
                other,
                f"Subnet{n}",
                subnet_id=f"subnet-{n}",
                availability_zone=f"euc1-az{n}",
                ipv4_cidr_block=f"10.0.{n}.0/24",
            )
            for n in (1, 2)
        ]
        imported = ec2.Vpc.from_vpc_attributes(other, "Vpc", vpc_id="vpc-1", availability_zones=["a", "b"])
        target = PostgresTarget.from_hostname("db.example.com", security_groups=[group])
        self.second(other, imported, made, target)


def test_every_warning_can_be_acknowledged_by_its_name() -> None:
    """The YAML file names warnings by the last part of their ids, so each one is in the list."""
    package = Path(constructs_pg.__file__).parent
    found = {
        name
        for path in package.rglob("*.py")
        for name in re.findall(r'"constructs-pg:PostgresEndpointService\.(\w+)"', path.read_text())
    }

    assert found == set(WARNINGS)

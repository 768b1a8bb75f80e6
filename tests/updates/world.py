"""What an update starts from and ends with: apps in code and YAML documents, and the templates they make."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import tempfile
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any
from unittest import mock

import aws_cdk as cdk
import yaml
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from constructs_pg import Consumer, PostgresEndpointService, PostgresTarget
from pg_privatelink.app import PgPrivateLinkApp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from aws_cdk import cx_api

    from tests.updates.replacement import Template

    Target = Callable[["World"], PostgresTarget]
    Listener = tuple[int, Target] | tuple[int, Target, Mapping[str, Any]]

ACCOUNT, REGION = "111122223333", "eu-central-1"
VPC_CIDR = "10.0.0.0/16"


class World:
    """A stack, and what a user has before they come to us: VPC, subnets in three zones, databases."""

    def __init__(self) -> None:
        self.app = cdk.App(analytics_reporting=False, outdir=tempfile.mkdtemp())
        self.stack = cdk.Stack(self.app, "Stack", env=cdk.Environment(account=ACCOUNT, region=REGION))
        self.vpc = self.another_vpc(0)

    def another_vpc(self, number: int) -> ec2.IVpc:
        """Return a VPC known by its id."""
        return ec2.Vpc.from_vpc_attributes(
            self.stack,
            f"Vpc{number}",
            vpc_id=f"vpc-0123456789abcdef{number}",
            availability_zones=["euc1-az1", "euc1-az2", "euc1-az3"],
        )

    def subnets(self, *numbers: int) -> ec2.SubnetSelection:
        """Return subnets 1 to 9; the last three zones repeat from the fourth on."""
        return ec2.SubnetSelection(
            subnets=[
                ec2.Subnet.from_subnet_attributes(
                    self.stack,
                    f"Subnet{number}",
                    subnet_id=f"subnet-0123456789abcdef{number}",
                    availability_zone=f"euc1-az{(number - 1) % 3 + 1}",
                    ipv4_cidr_block=f"10.0.{number}.0/24",
                )
                for number in numbers
            ]
        )

    def security_group(self, number: int) -> ec2.ISecurityGroup:
        """Return a security group known by its id."""
        return ec2.SecurityGroup.from_security_group_id(
            self.stack, f"SecurityGroup{number}", f"sg-0123456789abcdef{number}", mutable=False
        )

    def instance(self, number: int) -> rds.IDatabaseInstance:
        """Return a DB instance known by its attributes, with a security group of its own."""
        return rds.DatabaseInstance.from_database_instance_attributes(
            self.stack,
            f"Instance{number}",
            instance_identifier=f"orders-{number}",
            instance_endpoint_address=f"orders-{number}.abcdefghijkl.eu-central-1.rds.amazonaws.com",
            port=5432,
            security_groups=[self.security_group(number)],
        )


class Setup:
    """A stack, or the stacks of a YAML file, before or after an update.

    Args:
        build: Returns the templates by `account/Region/stack`.
    """

    def __init__(self, build: Callable[[], dict[str, Template]]) -> None:
        self._build = build

    @functools.cached_property
    def stacks(self) -> dict[str, Template]:
        """The templates by where they are deployed: another account, Region or stack name is another stack."""
        return self._build()


@contextlib.contextmanager
def context(values: Mapping[str, object]) -> Iterator[None]:
    """Give every app that is made meanwhile these context values, as `cdk.json` and look-ups do."""
    with mock.patch.object(cdk.App, "__init__", functools.partialmethod(cdk.App.__init__, context=values)):
        yield


def given(world: World, value: Any) -> Any:  # noqa: ANN401 - whatever an argument may be
    """Return an argument: a function is called with the world, anything else is the value."""
    return value(world) if isinstance(value, FunctionType) else value


def instance_target(number: int = 0, **options: Any) -> Callable[[World], PostgresTarget]:  # noqa: ANN401
    """Return a target: DB instance `number`, with options of `PostgresTarget.from_instance`."""
    return lambda world: PostgresTarget.from_instance(world.instance(number), **options)


def service(
    *,
    construct_ids: Sequence[str] = ("Orders",),
    listeners: Mapping[str, Listener] | None = None,
    **options: object,
) -> Setup:
    """Return a stack with the default service, but for what is given.

    Args:
        construct_ids: The ids of the services (default: one, `Orders`).
        listeners: Port, target and further arguments by the listener's name (default: `main`, the one that rows change,
            and `other`).
        options: Further arguments of `PostgresEndpointService`; a function is called with the `World`.
    """

    def build() -> dict[str, Template]:
        world = World()
        chosen: Mapping[str, Listener] = listeners or {
            "main": (5432, instance_target(0)),
            "other": (5433, instance_target(1)),
        }
        for construct_id in construct_ids:
            arguments: dict[str, Any] = {
                "vpc": world.vpc,
                "vpc_cidrs": [VPC_CIDR],
                "consumers": [Consumer.dbt_platform()],
                **{name: given(world, value) for name, value in options.items()},
            }
            if "vpc_subnets" not in arguments:
                arguments["vpc_subnets"] = world.subnets(1, 2)
            made = PostgresEndpointService(world.stack, construct_id, **arguments)
            for name, (port, target, *further) in chosen.items():
                made.add_listener(name, port=port, target=target(world), **(further[0] if further else {}))
        return _stacks(world.app.synth())

    return Setup(build)


def main(target: Target) -> Setup:
    """Return the default service with another target behind the listener `main`."""
    return service(listeners={"main": (5432, target), "other": (5433, instance_target(1))})


DOCUMENT = """
account: "111122223333"
region: eu-central-1
services:
  orders:
    vpc:
      id: vpc-0123456789abcdef0
      cidrs: [10.0.0.0/16]
      subnets:
        - {id: subnet-0123456789abcdef1, zone: euc1-az1, cidr: 10.0.1.0/24}
        - {id: subnet-0123456789abcdef2, zone: euc1-az2, cidr: 10.0.2.0/24}
    consumers:
      - dbt_platform: {}
    listeners:
      main:
        rds_instance:
          identifier: orders
          endpoint: orders.abcdefghijkl.eu-central-1.rds.amazonaws.com
          security_groups: [sg-0123456789abcdef0]
      other:
        port: 5433
        rds_instance:
          identifier: billing
          endpoint: billing.abcdefghijkl.eu-central-1.rds.amazonaws.com
          security_groups: [sg-0123456789abcdef1]
"""


def document(change: Callable[[dict[str, Any]], object] = lambda _: None) -> Setup:
    """Return the stacks of the YAML file above, changed as asked."""

    def build() -> dict[str, Template]:
        data = copy.deepcopy(yaml.safe_load(DOCUMENT))
        change(data)
        folder = Path(tempfile.mkdtemp())
        file = folder / "privatelink.yaml"
        file.write_text(yaml.safe_dump(data))
        assembly = PgPrivateLinkApp(configuration=file, outdir=str(folder / "cdk.out")).synth()
        if missing := _missing(assembly):
            with context(dict.fromkeys(missing, _FOUND_VPC)):
                assembly = PgPrivateLinkApp(configuration=file, outdir=str(folder / "again.out")).synth()
            assert not _missing(assembly), "each look-up is asked for at once, and answered"
        return _stacks(assembly)

    return Setup(build)


# What the CDK CLI would find in the account; the VPC of the document.
_FOUND_VPC = {
    "vpcId": "vpc-0123456789abcdef0",
    "vpcCidrBlock": VPC_CIDR,
    "ownerAccountId": ACCOUNT,
    "availabilityZones": [],
    "subnetGroups": [
        {
            "name": "Private",
            "type": "Private",
            "subnets": [
                {
                    "subnetId": f"subnet-0123456789abcdef{number}",
                    "cidr": f"10.0.{number}.0/24",
                    "availabilityZone": f"eu-central-1{zone}",
                    "routeTableId": f"rtb-0123456789abcdef{number}",
                }
                for number, zone in ((1, "a"), (2, "b"))
            ],
        }
    ],
}


def _missing(assembly: cx_api.CloudAssembly) -> list[str]:
    """Return the keys of what the CDK CLI would look up before it synthesizes again."""
    # The manifest's own object does not pass jsii: "Unable to serialize value" of an artifact without a template.
    manifest = json.loads((Path(assembly.directory) / "manifest.json").read_text())
    return [each["key"] for each in manifest.get("missing", [])]


def _stacks(assembly: cx_api.CloudAssembly) -> dict[str, Template]:
    return {
        f"{stack.environment.account}/{stack.environment.region}/{stack.stack_name}": stack.template
        for stack in assembly.stacks
    }

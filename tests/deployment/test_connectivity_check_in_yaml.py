"""A connectivity check in the YAML file, deployed by the real CDK CLI with its service, and destroyed with it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from emulator.database import Database
from emulator.name_server import NameServer
from emulator.running import Emulator
from tools.cdk_cli import Cdk
from tools.demo_world import PRIMARY, PROVIDER_ACCOUNT, REGION, STANDBY, make_world, write_configuration
from tools.install import install_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

STACK = "PgPrivateLink-orders"


class Account:
    """The account in which the service and its check are deployed.

    Args:
        emulator: AWS.
        cdk: The CDK CLI.
    """

    def __init__(self, emulator: Emulator, cdk: Cdk) -> None:
        self.emulator = emulator
        self.cdk = cdk

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client of the account."""
        return self.emulator.client(service, account=PROVIDER_ACCOUNT)

    def physical(self, kind: str, part: str) -> list[str]:
        """Return the physical ids of the stack's resources of a type whose logical ids have a part."""
        rows = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        return [
            row["PhysicalResourceId"]
            for row in rows
            if row["ResourceType"] == kind and part in row["LogicalResourceId"]
        ]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Deploy the service with a check from another VPC, whose endpoint a function accepts."""
    install_tools()
    folder = tmp_path_factory.mktemp("check")
    with ExitStack() as started:
        emulator = started.enter_context(Emulator(folder / "emulator", region=REGION, authorization=True))
        emulator.control.set(health_check_interval_scale=0.1)
        name_server = started.enter_context(NameServer())
        world = make_world(emulator)
        for address in (PRIMARY, STANDBY):
            started.enter_context(Database(address, world.port))
        name_server.set(world.endpoint, [PRIMARY], ttl=1)
        ec2 = emulator.client("ec2", account=PROVIDER_ACCOUNT)
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnets = []
        for number, zone in enumerate("ab"):
            row = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
            subnets.append({"id": row["Subnet"]["SubnetId"], "zone": row["Subnet"]["AvailabilityZoneId"]})
        config = folder / "privatelink.yaml"
        write_configuration(world, config, name_server=name_server.endpoint)
        principal = f"arn:aws:iam::{PROVIDER_ACCOUNT}:root"
        config.write_text(
            config.read_text().replace(
                "    listeners:\n",
                f'      - {{name: Check, principals: ["{principal}"]}}\n'
                f'    accept_from: ["{PROVIDER_ACCOUNT}"]\n'
                f"    connectivity_check: {json.dumps({'vpc': vpc, 'subnets': subnets})}\n"
                "    listeners:\n",
            )
        )
        cdk = Cdk(folder, emulator.environment(account=PROVIDER_ACCOUNT), config=config)
        cdk.bootstrap()
        cdk.synth(validation=False)
        cdk.deploy()
        yield Account(emulator, cdk)


def test_its_endpoint_is_accepted(account: Account) -> None:
    """The account makes an endpoint of its own service, in both zones, and is among those that are accepted."""
    (endpoint,) = account.physical("AWS::EC2::VPCEndpoint", "ConnectivityCheck")
    (row,) = account.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]

    assert (row["State"], len(row["SubnetIds"])) == ("available", 2)


def test_it_checks_the_port_of_the_listener(account: Account) -> None:
    """It runs as deployed, and says of each port how it went: the emulator's endpoint has a name that leads nowhere."""
    (function,) = account.physical("AWS::Lambda::Function", "ConnectivityCheckFunction")
    answer = account.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    found = json.loads(answer["Payload"].read())

    assert "FunctionError" not in answer, found
    assert [(port["port"], port["failure"]) for port in found["ports"]] == [(5432, "dns")]
    assert account.physical("AWS::CloudWatch::Alarm", "ConnectivityCheckNoAnswer5432")


def test_it_goes_with_the_service(account: Account) -> None:
    """Its endpoint is deleted before the service, which could not go while somebody is connected."""
    account.cdk.destroy()

    ec2 = account.client("ec2")
    assert ec2.describe_vpc_endpoints()["VpcEndpoints"] == []
    assert ec2.describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []

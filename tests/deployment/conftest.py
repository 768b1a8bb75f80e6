"""An account on an emulator that enforces IAM, with a database in it, and the real CDK CLI to deploy with."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from emulator.database import Database
from emulator.name_server import NameServer
from emulator.running import Emulator
from tools.cdk_cli import Cdk
from tools.demo_world import (
    PRIMARY,
    PROVIDER_ACCOUNT,
    REGION,
    STANDBY,
    World,
    make_world,
    write_configuration,
)
from tools.install import WORK, install_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

STACK = "PgPrivateLink-orders"


@dataclass
class Site:
    """An emulated account with a VPC and a database, and the CDK CLI to deploy with."""

    emulator: Emulator
    name_server: NameServer
    world: World
    databases: dict[str, Database]
    config: Path
    cdk: Cdk

    def configure(self, change: Callable[[str], str] = lambda text: text) -> str:
        """Write the YAML file, changed as asked, and synthesize; returns what the CLI printed."""
        write_configuration(self.world, self.config, name_server=self.name_server.endpoint)
        before = self.config.read_text()
        after = change(before)
        self.config.write_text(after)
        return self.cdk.synth(validation=False)

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client of the account that deploys."""
        return self.emulator.client(service, account=PROVIDER_ACCOUNT)

    def targets(self) -> dict[str, str]:
        """Return the only target group's targets and their states."""
        elbv2 = self.client("elbv2")
        (group,) = elbv2.describe_target_groups()["TargetGroups"]
        rows = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        return {row["Target"]["Id"]: row["TargetHealth"]["State"] for row in rows}

    def resource(self, kind: str, *, of: str = "") -> str:
        """Return the physical id of the stack's only resource of a type, or of one construct's, such as TargetSync."""
        rows = self.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
        (found,) = (
            row["PhysicalResourceId"] for row in rows if row["ResourceType"] == kind and of in row["LogicalResourceId"]
        )
        return str(found)


@pytest.fixture(scope="session", autouse=True)
def _tools() -> None:
    """Bring emulator and CDK CLI where pytest was started by hand; `make` has them already."""
    install_tools()


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Make an account with IAM enforced, a VPC, a Multi-AZ database, and nothing of ours but the bootstrap stack."""
    folder = WORK / "tests" / request.module.__name__.rpartition(".")[2]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with ExitStack() as started:
        emulator = started.enter_context(Emulator(folder / "emulator", region=REGION, authorization=True))
        # A minute's deadline of AWS is a second of ours where nothing is being measured.
        emulator.control.set(health_check_interval_scale=0.1)
        name_server = started.enter_context(NameServer())
        world = make_world(emulator)
        databases = {address: started.enter_context(Database(address, world.port)) for address in (PRIMARY, STANDBY)}
        name_server.set(world.endpoint, [PRIMARY], ttl=1)
        config = folder / "privatelink.yaml"
        cdk = Cdk(folder, emulator.environment(account=PROVIDER_ACCOUNT), config=config)
        cdk.bootstrap()
        yield Site(emulator, name_server, world, databases, config, cdk)

"""A service deployed on an emulator that enforces IAM, once for all tests, and the command as users run it."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from emulator.database import Database
from emulator.name_server import NameServer
from emulator.running import Emulator
from pg_privatelink.cli.application import run
from tools.cdk_cli import Cdk
from tools.demo_world import (
    DBT_ACCOUNT,
    PRIMARY,
    PROVIDER_ACCOUNT,
    REGION,
    STANDBY,
    World,
    make_world,
    write_configuration,
)
from tools.install import ROOT, WORK, install_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Done:
    """What became of a run of the command.

    Attributes:
        code: Its exit code.
        out: Its standard output.
        error: Its standard error.
    """

    code: int
    out: str
    error: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - JSON
        """The one JSON document on standard output."""
        assert self.out, f"nothing was said but: {self.error or 'nothing'} (exit code {self.code})"
        return json.loads(self.out)


@dataclass
class Site:
    """An emulated account in which the service `orders` is deployed.

    Attributes:
        emulator: The emulator.
        name_server: Knows the database's name.
        world: The VPC and the database.
        databases: The database's two hosts, by address.
        outputs: The stack's outputs.
        cdk: The CDK CLI with which it was deployed.
        folder: Where files of this site go.
    """

    emulator: Emulator
    name_server: NameServer
    world: World
    databases: dict[str, Database]
    outputs: dict[str, str]
    cdk: Cdk
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables under which the command reaches this account."""
        return {**self.emulator.environment(account=PROVIDER_ACCOUNT), "PYTHONPATH": str(ROOT)}

    def run(
        self,
        *arguments: str,
        columns: int | None = None,
        cwd: Path | None = None,
        variables: Mapping[str, str | None] | None = None,
    ) -> Done:
        """Run the command in a process of its own, without a terminal.

        Args:
            arguments: What stands after its name.
            columns: The width that it is told (default: none, as in a pipe).
            cwd: The working directory (default: this one's).
            variables: Environment variables to set; None takes one away.
        """
        changed = {"COLUMNS": None if columns is None else str(columns), **(variables or {})}
        environment = {**self.environment, **{name: value for name, value in changed.items() if value is not None}}
        for name, value in changed.items():
            if value is None:
                environment.pop(name, None)
        done = subprocess.run(
            [sys.executable, "-m", "pg_privatelink.cli", *arguments],
            env=environment,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def run_here(self, *arguments: str, variables: Mapping[str, str] | None = None) -> Done:
        """Run the command in this process, where its imports are made already; a traceback fails the test.

        Args:
            arguments: What stands after its name.
            variables: Environment variables to set.
        """
        out, error = io.StringIO(), io.StringIO()
        environment = {**self.environment, **(variables or {})}
        with patch.dict(os.environ, environment, clear=True), redirect_stdout(out), redirect_stderr(error):
            code = run(list(arguments))
        return Done(code, out.getvalue(), error.getvalue())

    def client(self, service: str, account: str = PROVIDER_ACCOUNT) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client of one of the accounts."""
        return self.emulator.client(service, account=account)

    @property
    def service_id(self) -> str:
        """The endpoint service's id."""
        return self.outputs["EndpointServiceId"]

    def endpoint(self, account: str = DBT_ACCOUNT, service_name: str | None = None) -> str:
        """Have a consumer make an endpoint; returns its id."""
        ec2 = self.client("ec2", account)
        vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", VpcId=vpc_id, ServiceName=service_name or self.outputs["EndpointServiceName"]
        )
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    def role(self, name: str, *statements: dict[str, Any]) -> dict[str, str]:
        """Return the variables of a role that may do what the statements say, and nothing else."""
        iam = self.client("iam")
        root = {"AWS": f"arn:aws:iam::{PROVIDER_ACCOUNT}:root"}
        trust = {"Effect": "Allow", "Principal": root, "Action": "sts:AssumeRole"}
        role = iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=json.dumps(document))
        assumed = self.client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="cli")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": assumed["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": assumed["SecretAccessKey"],
            "AWS_SESSION_TOKEN": assumed["SessionToken"],
        }


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Deploy the app's service `orders`, with its function, in front of a Multi-AZ database."""
    install_tools()
    folder = WORK / "tests" / "cli"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with ExitStack() as started:
        emulator = started.enter_context(Emulator(folder / "emulator", region=REGION, authorization=True))
        emulator.control.set(health_check_interval_scale=0.1)
        name_server = started.enter_context(NameServer())
        world = make_world(emulator)
        databases = {address: started.enter_context(Database(address, world.port)) for address in (PRIMARY, STANDBY)}
        name_server.set(world.endpoint, [PRIMARY], ttl=1)
        config = folder / "privatelink.yaml"
        write_configuration(world, config, name_server=name_server.endpoint)
        # Flow logs, for what `doctor --around` looks at.
        config.write_text(config.read_text().replace("    listeners:\n", "    flow_logs:\n    listeners:\n"))
        cdk = Cdk(folder, emulator.environment(account=PROVIDER_ACCOUNT), config=config)
        cdk.bootstrap()
        cdk.synth(validation=False)
        outputs = cdk.deploy()["PgPrivateLink-orders"]
        yield Site(emulator, name_server, world, databases, outputs, cdk, folder)

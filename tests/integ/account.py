"""An account at AWS: the calls of the integration test, and the CDK CLI."""

from __future__ import annotations

import datetime as dt
import json
import os
import shlex
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import boto3

from tests.integ.answers import Look
from tools.install import ROOT, cdk_script, node

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FOLDER_OF_HOST = "/opt/pg-privatelink"


class IntegError(Exception):
    """A step failed; the message is for the user."""


class Account:
    """What the test does in an account.

    Args:
        region: The Region.
        profile: A profile of the AWS configuration; None for the usual ways.
        folder: Where logs, the wheel and the report go.
    """

    def __init__(self, *, region: str, profile: str | None, folder: Path) -> None:
        self._session = boto3.Session(region_name=region, profile_name=profile)
        self._folder = folder
        self.region = region
        self.id = str(self.client("sts").get_caller_identity()["Account"])

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client."""
        return self._session.client(service)

    def zones(self) -> list[str]:
        """Return two Availability Zones that every account may use."""
        answer = self.client("ec2").describe_availability_zones(
            Filters=[{"Name": "opt-in-status", "Values": ["opt-in-not-required"]}]
        )
        return sorted(each["ZoneName"] for each in answer["AvailabilityZones"])[:2]

    def cdk(self, *arguments: str, context: Mapping[str, str]) -> None:
        """Run the CDK CLI with the test's app; its output goes to the terminal.

        Raises:
            IntegError: It failed.
        """
        credentials = self._session.get_credentials()
        frozen = credentials.get_frozen_credentials() if credentials else None
        variables = {
            **os.environ,
            "JSII_NODE": str(node()),
            "PYTHONPATH": str(ROOT),
            "AWS_REGION": self.region,
            "CDK_DEFAULT_REGION": self.region,
        }
        if frozen is not None:
            # The CLI knows fewer ways to credentials than boto3: it gets what boto3 found, anew at each step.
            variables.pop("AWS_PROFILE", None)
            token = {"AWS_SESSION_TOKEN": frozen.token} if frozen.token else {}
            variables |= {"AWS_ACCESS_KEY_ID": str(frozen.access_key), "AWS_SECRET_ACCESS_KEY": str(frozen.secret_key)}
            variables |= token
        command = [
            str(node()), str(cdk_script()), *arguments,
            "--app", f"{shlex.quote(sys.executable)} -m tests.integ.app",
            "--output", str(self._folder / "cdk.out"),
            *(word for name, value in context.items() for word in ("-c", f"{name}={value}")),
        ]  # fmt: skip
        if subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode != 0:
            raise IntegError(f"cdk {' '.join(arguments)} failed; its output is above")

    def outputs(self, stack: str) -> dict[str, str]:
        """Return a stack's outputs."""
        (row,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in row.get("Outputs", [])}

    def exists(self, stack: str) -> bool:
        """Tell whether there is such a stack."""
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        return any(each["StackName"] == stack for page in pages for each in page["Stacks"])

    def invoke(self, function: str, event: Mapping[str, object]) -> dict[str, Any]:
        """Invoke a function and return what it answers.

        Raises:
            IntegError: It failed.
        """
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise IntegError(f"function {function} failed: {payload}")
        return payload

    def look(self, provider: Mapping[str, str]) -> Look:
        """Look once at DNS, as the function sees it, and at the targets."""
        seen = self.invoke(provider["Function"], {"action": "observe"})["listeners"]["main"]
        return Look(
            at=time.time(),
            addresses=tuple((seen.get("answer") or {}).get("addresses", ())),
            states=self.states(provider),
        )

    def states(self, provider: Mapping[str, str]) -> dict[str, str]:
        """Return the targets' states by address."""
        rows = self.client("elbv2").describe_target_health(TargetGroupArn=provider["TargetGroup"])
        return {each["Target"]["Id"]: each["TargetHealth"]["State"] for each in rows["TargetHealthDescriptions"]}

    def tags(self, provider: Mapping[str, str]) -> dict[str, str]:
        """Return the target group's tags."""
        rows = self.client("elbv2").describe_tags(ResourceArns=[provider["TargetGroup"]])["TagDescriptions"]
        return {each["Key"]: each["Value"] for row in rows for each in row["Tags"]}

    def changes(self, provider: Mapping[str, str], *, since: float) -> list[dict[str, Any]]:
        """Return the function's log lines about changes."""
        found = []
        for event in self._events(provider["FunctionLogGroup"], since, '{ $.message = "changed" }'):
            line: dict[str, Any] = json.loads(event["message"])
            found.append({**line, "at": _seconds(line["timestamp"])})
        return found

    def rds_events(self, provider: Mapping[str, str], *, since: float) -> list[dict[str, Any]]:
        """Return the events of RDS that arrived, with when they happened and when CloudWatch Logs had them."""
        found = []
        for event in self._events(provider["EventsLogGroup"], since, ""):
            detail = json.loads(event["message"])["detail"]
            happened, arrived = _seconds(detail["Date"]), event["ingestionTime"] / 1000
            found.append({"id": detail["EventID"], "happened": happened, "arrived": arrived})
        return found

    def _events(self, group: str, since: float, pattern: str) -> list[dict[str, Any]]:
        pages = (
            self.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=group, startTime=int(since * 1000), filterPattern=pattern)
        )
        return [event for page in pages for event in page["events"]]

    def run(self, host: str, *commands: str, seconds: int) -> str:
        """Run commands on the host by Systems Manager; returns what they printed.

        Raises:
            IntegError: One failed, or it took too long.
        """
        ssm = self.client("ssm")
        sent = ssm.send_command(
            InstanceIds=[host],
            DocumentName="AWS-RunShellScript",
            Parameters={"commands": ["set -eu", *commands], "executionTimeout": [str(seconds)]},
        )["Command"]["CommandId"]
        deadline = time.monotonic() + seconds + 60
        while time.monotonic() < deadline:
            time.sleep(3)
            try:
                done = ssm.get_command_invocation(CommandId=sent, InstanceId=host)
            except ssm.exceptions.InvocationDoesNotExist:  # not yet
                continue
            if done["Status"] == "Success":
                return str(done["StandardOutputContent"])
            if done["Status"] not in {"Pending", "InProgress", "Delayed"}:
                raise IntegError(f"on the host: {done['Status']}: {done['StandardErrorContent'][-2000:]}")
        raise IntegError(f"on the host: not done after {seconds} s")

    def wait_for_host(self, host: str, *, seconds: int = 300) -> None:
        """Wait until Systems Manager reaches the host.

        Raises:
            IntegError: It does not.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            rows = self.client("ssm").describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [host]}])[
                "InstanceInformationList"
            ]
            if rows and rows[0]["PingStatus"] == "Online":
                return
            time.sleep(5)
        raise IntegError(f"Systems Manager does not reach host {host} after {seconds} s")

    def install(self, host: str, wheel: str, *, name: str) -> None:
        """Install this project on the host, with what the drill needs.

        Args:
            host: The host.
            wheel: Where the wheel is, `s3://...`; an asset's name is a hash.
            name: The wheel's own name, which pip reads.

        Raises:
            IntegError: It failed.
        """
        self.run(
            host,
            "dnf -q -y install python3.11 python3.11-pip",
            f"python3.11 -m venv {_FOLDER_OF_HOST}",
            f"aws s3 cp --quiet {wheel} /tmp/{name}",
            f"{_FOLDER_OF_HOST}/bin/pip install -q '/tmp/{name}[drill]'",
            seconds=600,
        )


def drill_commands(*, stack: str, host: str, secret: str, region: str, user: str, database: str) -> list[str]:
    """Return the commands that run the drill on the host and print its JSON document.

    Args:
        stack: The service's stack.
        host: The endpoint's name.
        secret: The ARN of the database's secret.
        region: The Region.
        user: The Postgres user.
        database: The database.
    """
    password = "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"password\"])'"
    secret_string = f"aws secretsmanager get-secret-value --secret-id {secret} --query SecretString --output text"
    drill = (
        f"{_FOLDER_OF_HOST}/bin/pg-privatelink drill --stack {stack} --host {host} --user {user} --dbname {database}"
    )
    return [
        f"export AWS_REGION={region}",
        f"export PGPASSWORD=$({secret_string} | {password})",
        f"{drill} --yes --json || test $? -eq 1",  # 1: clients were out, which is an answer
    ]


def _seconds(stamp: str) -> float:
    return dt.datetime.fromisoformat(stamp).timestamp()

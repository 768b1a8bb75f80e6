"""The integration test's app and runner without an account: what is deployed, and that everything is destroyed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Match, Template

from pg_privatelink.cli.drill.permissions import policy
from tests.docs.commands import check
from tests.integ import __main__ as runner
from tests.integ.account import IntegError, drill_commands
from tests.integ.stacks import CONSUMER, PROVIDER, ConsumerSide, Provider, Settings, build
from tools.install import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS = Settings(
    account="111122223333", region="us-east-1", zones=("us-east-1a", "us-east-1b"), wheel=ROOT / "LICENSE"
)


@pytest.fixture(scope="module")
def stacks() -> tuple[Provider, ConsumerSide]:
    """Return both stacks."""
    return build(cdk.App(analytics_reporting=False), SETTINGS)


def test_the_database_is_multi_az_and_goes_with_the_stack(stacks: tuple[Provider, ConsumerSide]) -> None:
    """It can fail over, and neither a snapshot nor a backup costs anything afterwards."""
    template = Template.from_stack(stacks[0])

    template.has_resource(
        "AWS::RDS::DBInstance",
        {
            "Properties": {"MultiAZ": True, "PubliclyAccessible": False, "BackupRetentionPeriod": 0},
            "DeletionPolicy": "Delete",
        },
    )
    kept = [
        logical
        for logical, row in template.to_json()["Resources"].items()
        # The requests that deletion must not call; they are no resources of AWS's.
        if row.get("DeletionPolicy", "Delete") != "Delete" and not row["Type"].startswith("Custom::")
    ]
    assert kept == []


def test_nothing_comes_into_the_host(stacks: tuple[Provider, ConsumerSide]) -> None:
    """It is in a public subnet for its way out alone."""
    template = Template.from_stack(stacks[1])

    groups = template.find_resources("AWS::EC2::SecurityGroup", {"Properties": {"GroupDescription": Match.any_value()}})
    assert all("SecurityGroupIngress" not in row["Properties"] for row in groups.values())
    sources = template.find_resources("AWS::EC2::SecurityGroupIngress")
    assert all("CidrIp" not in row["Properties"] for row in sources.values())


def test_the_host_may_fail_over_this_database_alone(stacks: tuple[Provider, ConsumerSide]) -> None:
    """Of what changes anything it has one action on one resource."""
    policies = Template.from_stack(stacks[1]).find_resources("AWS::IAM::Policy")
    changing = [
        statement
        for each in policies.values()
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        if "rds:RebootDBInstance" in statement["Action"]
    ]

    (statement,) = changing
    assert str(statement["Resource"]).count(":db:pg-privatelink-integ") == 1


def test_the_host_may_read_what_the_drill_reads(stacks: tuple[Provider, ConsumerSide]) -> None:
    """What `pg-privatelink drill --iam-policy` asks for and does not change anything, the host's role allows."""
    policies = Template.from_stack(stacks[1]).find_resources("AWS::IAM::Policy")
    allowed = {
        action
        for each in policies.values()
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    wanted = {action for statement in policy()["Statement"] for action in statement["Action"]}

    # The one of a cluster; there is none here.
    assert wanted - allowed == {"rds:FailoverDBCluster"}


def test_the_drill_asks_nobody_and_prints_json() -> None:
    """The host has no terminal; a drill that ends with 1 has figures, and any other code is a failure."""
    *_, last = drill_commands(
        stack=PROVIDER, host="vpce.example.com", secret="arn", region="us-east-1", user="postgres", database="postgres"
    )

    assert re.search(r"pg-privatelink drill --stack \S+ --host vpce.example.com .*--yes --json", last)
    assert last.endswith("|| test $? -eq 1")
    check(f"pg-privatelink {last.partition('pg-privatelink ')[2].partition(' || ')[0]}")


class _Account:
    """An account in which a step fails, and what is asked of it."""

    id, region = "111122223333", "us-east-1"

    def __init__(self, failing: str, error: BaseException, *, left: bool = False) -> None:
        self.asked: list[tuple[str, ...]] = []
        self._failing, self._error, self._left = failing, error, left

    def zones(self) -> list[str]:
        return ["us-east-1a", "us-east-1b"]

    def cdk(self, *arguments: str, context: Mapping[str, str]) -> None:
        self.asked.append(arguments)
        if arguments[0] == self._failing:
            raise self._error

    def outputs(self, stack: str) -> dict[str, str]:
        if self._failing == "outputs":
            raise self._error
        return {"HostId": "i-0123456789abcdef0"}

    def wait_for_host(self, host: str) -> None:
        raise IntegError(f"{host} is not reached")

    def exists(self, stack: str) -> bool:
        return self._left


@pytest.mark.parametrize(
    ("failing", "error"),
    [
        ("deploy", IntegError("no")),
        ("deploy", KeyboardInterrupt()),
        ("outputs", IntegError("no")),
        ("outputs", KeyboardInterrupt()),
    ],
)
def test_everything_is_destroyed_whatever_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], failing: str, error: BaseException
) -> None:
    """A deployment that fails, a measurement that fails, and Ctrl-C at either: the last step is the destruction."""
    account: Any = _Account(failing, error)

    code = runner.run(account, tmp_path, Path("some.whl"))

    assert code == 1
    assert account.asked[-1] == ("destroy", "--all", "--force")
    assert (tmp_path / "report.json").is_file()
    assert "LEFT" not in capsys.readouterr().err


def test_what_is_left_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """If AWS refuses twice, the commands that delete it by hand are told."""
    account: Any = _Account("destroy", IntegError("no"), left=True)

    runner.run(account, tmp_path, Path("some.whl"))

    assert account.asked.count(("destroy", "--all", "--force")) == 2
    error = capsys.readouterr().err
    assert f"--stack-name {PROVIDER}" in error
    assert f"--stack-name {CONSUMER}" in error

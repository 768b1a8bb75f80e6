"""Whatever is missing: one message that says what and what to do, exit code 2, and no traceback."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pg_privatelink.cli.aws import Aws
from pg_privatelink.cli.problem import Problem
from tools.demo_world import PROVIDER_ACCOUNT, REGION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Site

COMMANDS = [["status"], ["request"], ["logs"], ["accept", "vpce-0123456789abcdef0"], ["init", "orders", "-o", "-"]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_without_credentials(site: Site, command: list[str]) -> None:
    """No key, no profile, no instance."""
    done = site.run(*command, variables={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None})

    assert done.code == 2
    assert done.out == ""
    assert done.error == (
        "pg-privatelink: there are no AWS credentials to use (Unable to locate credentials)\n"
        "  log in ('aws sso login', 'aws configure'), or name a profile that has some with --profile\n"
    )


def test_the_message_is_in_the_document_too(site: Site) -> None:
    """A script that reads JSON gets JSON, whatever happens."""
    done = site.run("status", "--json", variables={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None})

    assert done.code == 2
    assert done.document["error"] == {
        "what": "there are no AWS credentials to use (Unable to locate credentials)",
        "remedy": "log in ('aws sso login', 'aws configure'), or name a profile that has some with --profile",
    }


def test_without_a_region(site: Site) -> None:
    """Neither option nor variable nor profile names one."""
    done = site.run("status", variables={"AWS_REGION": None, "AWS_DEFAULT_REGION": None})

    assert done.code == 2
    assert done.error == (
        "pg-privatelink: no Region is set\n"
        "  privatelink.yaml here says eu-central-1: give --region eu-central-1, or set AWS_REGION\n"
    )


@pytest.mark.parametrize("file", [None, "region: [", "region: 5", "- a"])
def test_without_a_region_or_a_file_that_says_one(
    file: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is only a help: whatever is wrong with it is not this command's matter."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    if file is not None:
        (tmp_path / "privatelink.yaml").write_text(file)

    with pytest.raises(Problem) as caught:
        _ = Aws().region

    assert caught.value.remedy == "give --region, set AWS_REGION, or run 'aws configure set region eu-central-1'"


@pytest.mark.parametrize("arguments", [["--version"], ["--version", "status"]])
def test_the_version(site: Site, arguments: list[str]) -> None:
    """That of the installed package; a checkout that is not installed says so."""
    done = site.run(*arguments)

    assert (done.code, done.error) == (0, "")
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*|a checkout that is not installed", done.out.strip())


def test_an_unknown_profile(site: Site) -> None:
    """Named by option, before or after the subcommand."""
    message = (
        "pg-privatelink: there is no AWS profile 'nobody'\n"
        "  give another one with --profile or AWS_PROFILE; 'aws configure list-profiles' shows those there are\n"
    )

    for arguments in (["status", "--profile", "nobody"], ["--profile", "nobody", "status"]):
        done = site.run(*arguments)

        assert (done.code, done.error) == (2, message)


def test_another_region(site: Site) -> None:
    """The service is not there: the message names account and Region, since one of them is wrong."""
    done = site.run("status", "--region", "us-west-2")

    assert done.code == 2
    assert done.error == (
        f"pg-privatelink: there is no stack PgPrivateLink-... in account {PROVIDER_ACCOUNT}, Region us-west-2\n"
        "  give the Region or the account of your service with --region and --profile, the stack's name with --stack "
        "if you use the construct library, or deploy one: 'npx cdk deploy --all'\n"
    )


def test_no_region_of_this_form(site: Site) -> None:
    """A slip of the keyboard."""
    done = site.run("status", "--region", "eu central")

    assert done.code == 2
    assert done.error == (
        "pg-privatelink: 'eu central' is not a Region's name\n  give one like --region eu-central-1\n"
    )


def test_an_unknown_service(site: Site) -> None:
    """The message names those there are."""
    done = site.run("status", "--service", "warehouse")

    assert done.code == 2
    assert done.error == (
        f"pg-privatelink: there is no stack PgPrivateLink-warehouse in account {PROVIDER_ACCOUNT}, Region {REGION}\n"
        "  see the name, and give the Region or the account of your service with --region and --profile; "
        "services here: orders\n"
    )


def test_an_unknown_service_id(site: Site) -> None:
    """The same by id."""
    done = site.run("request", "--service", "vpce-svc-0123456789abcdef0")

    assert done.code == 2
    assert done.error == (
        f"pg-privatelink: there is no service vpce-svc-0123456789abcdef0 (account {PROVIDER_ACCOUNT}, Region {REGION})"
        f"\n  choose one with --service: orders ({site.service_id}, stack PgPrivateLink-orders)\n"
    )


def test_a_stack_without_a_service_of_ours(site: Site) -> None:
    """A stack of the user's own, but the wrong one."""
    done = site.run("logs", "--stack", "CDKToolkit")

    assert done.code == 2
    assert done.error == (
        f"pg-privatelink: no endpoint service of ours is in stack CDKToolkit (account {PROVIDER_ACCOUNT}, Region "
        f"{REGION}; CREATE_COMPLETE)\n  name another stack with --stack, or deploy it: 'npx cdk deploy --all'\n"
    )


def test_nobody_answers(site: Site) -> None:
    """No network, or a Region that does not exist."""
    done = site.run("status", variables={"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})

    assert done.code == 2
    assert done.error == (
        'pg-privatelink: AWS does not answer (Could not connect to the endpoint URL: "http://127.0.0.1:1/")\n'
        "  see that the Region exists, and that this computer reaches it (HTTPS_PROXY, AWS_ENDPOINT_URL)\n"
    )


def test_without_the_permission_to_find_the_stack(site: Site) -> None:
    """The message names the permission, and who lacks it."""
    role = site.role("cli-nothing", {"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"})

    done = site.run("status", variables=role)

    assert done.code == 2
    assert done.error == (
        "pg-privatelink: the permission cloudformation:DescribeStacks is missing for "
        f"arn:aws:sts::{PROVIDER_ACCOUNT}:assumed-role/cli-nothing/cli\n"
        "  have it added to the policies of these credentials, or use others with --profile or AWS_PROFILE\n"
    )


def test_a_command_that_is_misspelt(site: Site) -> None:
    """The usual message of the usual exit code."""
    done = site.run("statsu")

    assert done.code == 2
    assert "No such command 'statsu'" in done.error

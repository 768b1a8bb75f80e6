"""The command's help: quick, in whole lines, and the same as its page."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pg_privatelink.cli import application
from tests.cli.page import PAGE, help_of, written
from tools.install import ROOT

COMMANDS = ["", "status", "request", "accept", "reject", "logs", "init", "doctor", "drill"]


def test_the_page_has_the_help_of_every_command() -> None:
    """docs/command.md says what the command says of itself; `python -m tests.cli.page` writes it anew."""
    assert PAGE.read_text() == written(PAGE.read_text())


@pytest.mark.parametrize("command", COMMANDS)
def test_help_needs_neither_account_nor_aws_packages(command: str) -> None:
    """What takes long to import is not imported: boto3, aws_cdk, rich."""
    program = (
        "import sys; from pg_privatelink.cli.application import run; code = run(sys.argv[1:]); "
        "print(sorted({'boto3', 'botocore', 'aws_cdk', 'rich'} & set(sys.modules)), code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *command.split(), "--help"],
        env={"PYTHONPATH": str(ROOT), "COLUMNS": "80"},
        cwd=Path(ROOT),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "[] 0"
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_no_summary_is_cut_off() -> None:
    """In the list of commands each stands with a whole sentence."""
    listed = help_of("").partition("Commands:\n")[2].splitlines()

    assert {line.split()[0] for line in listed} >= set(COMMANDS) - {""}
    assert [line for line in listed if not line.endswith(".") or line.endswith("..")] == []


def test_an_unforeseen_error_is_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug of ours shows no traceback either, unless it is asked for."""

    def broken(**_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(application, "app", broken)

    assert application.run(["status"]) == 2
    assert capsys.readouterr().err == (
        "pg-privatelink: the command itself failed (ZeroDivisionError: division by zero)\n"
        "  please report it, with what PG_PRIVATELINK_DEBUG=1 in the environment prints\n"
    )
    monkeypatch.setenv("PG_PRIVATELINK_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        application.run(["status"])

"""Every command in the documents, and in the comments of the files we give away, names what there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.commands import WrongCommandError, check, lines
from tests.docs.documents import DOCUMENTS, Block, blocks, code_in_the_text
from tools.install import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_BEGINS = re.compile(r"(make|aws|npx|npm|pip|pg-privatelink|\S*python3?) \S")


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_commands_in_blocks_are_right(block: Block) -> None:
    """Every line that a reader may copy is a command with options that exist."""
    found = list(lines(block.text))

    assert found
    for line in found:
        check(line)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_the_text_are_right(path: Path) -> None:
    """The same for those between backticks, of which the text may leave out what is clear."""
    for command in code_in_the_text(path):
        if _BEGINS.match(command):
            check(command, whole=False)


@pytest.mark.parametrize("name", ["privatelink.yaml", *(f"examples/{path.name}" for path in ROOT.glob("examples/*"))])
def test_commands_in_comments_are_right(name: str) -> None:
    """The commands that print the values to fill in."""
    text = "\n".join(re.findall(r"^# ? ?(.*)$", (ROOT / name).read_text(), flags=re.MULTILINE))
    for command in re.findall(r"^ *(aws (?:.*\\\n)*.*)$", text, flags=re.MULTILINE):
        for line in lines(command):
            check(line)


@pytest.mark.parametrize(
    "line",
    [
        "make lunch",
        "pg-privatelink statsu",
        "pg-privatelink status --sevrice orders",
        "pg-privatelink logs --since",
        "npx cdk deplay",
        "npx cdk deploy --al",
        "aws elb3 describe-target-health",
        "aws elbv2 describe-target-helth",
        "aws elbv2 describe-target-health --target-group arn:aws:...",
        "aws elbv2 describe-target-health --query 'a.b'",
        "aws lambda invoke --function-name orders",
        "aws rds wait db-instance-redy",
        "python -m pg_privatelink.nothing",
        "python nothing.py",
        "pip install -r nothing.txt",
        "rm -rf /",
        "mv nothing.yaml privatelink.yaml",
    ],
)
def test_a_wrong_command_is_found(line: str) -> None:
    """Otherwise none of the tests above could fail."""
    with pytest.raises(WrongCommandError):
        check(line)

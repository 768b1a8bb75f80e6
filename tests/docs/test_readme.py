"""The README's promises: deployed within one screen, options that exist, and what is unverified said in both places."""

from __future__ import annotations

import re

from pg_privatelink._models import Configuration
from tests.docs.documents import blocks, text_of
from tools.install import ROOT
from tools.reference.yaml_file import sections

_README = ROOT / "README.md"
_SCREEN = 60  # lines of a tall terminal


def test_a_newcomer_is_deployed_within_one_screen() -> None:
    """Everything from the clone to the accepted connection stands in the first lines."""
    commands = {
        line.split("#")[0].strip(): block.line
        for block in blocks("console")
        if block.path == _README
        for line in block.text.splitlines()
    }

    assert commands["npx cdk deploy --all"] < _SCREEN
    assert max(line for command, line in commands.items() if " accept " in command) < _SCREEN


def test_the_default_settings_name_options_that_exist() -> None:
    """What stands in brackets in the table can be written into the file."""
    _, _, table = text_of(_README).partition("## Default settings\n")
    table, _, _ = table.partition("\n## ")
    named = {name for cell in re.findall(r"\((`[^)]*)\)", table) for name in re.findall(r"`(\w+)`", cell)}
    # An option with its value, `role: reader`, and the address that stands in a subnet.
    named |= set(re.findall(r"`(\w+): \w+`", table))
    known = {name for _, model in sections(Configuration) for name in model.model_fields}

    assert len(named) >= 20
    assert {name.removesuffix("es") if name == "private_ipv4_addresses" else name for name in named} - known == set()


def test_what_aws_alone_can_show_has_a_question() -> None:
    """The page of the integration test has the questions that its code answers, and the README lists as many."""
    page = text_of(ROOT / "tests" / "integ" / "README.md")
    asked = re.findall(r'question = "(.+?)"', (ROOT / "tests" / "integ" / "answers.py").read_text())
    _, _, unverified = text_of(_README).partition("**Not yet verified on AWS**")
    unverified, _, _ = unverified.partition("\n## ")

    assert len(asked) == len(set(asked)) == len(re.findall(r"^- ", unverified, flags=re.MULTILINE))
    assert [question for question in asked if f"| {question} |" not in page] == []

"""The YAML in the documents and in the comments of the files we give away loads, and makes stacks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pg_privatelink._models import Configuration, ServiceConfiguration
from pg_privatelink._targets import KINDS
from pg_privatelink.app import PgPrivateLinkApp
from tests.docs.documents import Block, blocks
from tools.install import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_EXAMPLES = ROOT / "examples"
_SMALLEST = (_EXAMPLES / "rds-to-dbt.yaml").read_text(encoding="utf-8")
_STRICT = (_EXAMPLES / "strict.yaml").read_text(encoding="utf-8")
_SERVICE_FIELDS = {*ServiceConfiguration.model_fields}
_FILE_FIELDS = {*Configuration.model_fields}
BLOCKS = blocks("yaml")


def whole(block: Block) -> dict[str, Any]:
    """Return the block as a whole file: as it is, or with the rest of a complete file around it.

    A part is what may stand in a service, or at the top of the file; in place of what that file has under its names.
    """
    data: dict[str, Any] = yaml.safe_load(block.text)
    if "services" in data:
        return data
    complete = _around(block)
    (service,) = complete["services"].values()
    assert {*data} <= _SERVICE_FIELDS or {*data} <= _FILE_FIELDS, f"{block} is no part of a file: {sorted(data)}"
    (service if {*data} <= _SERVICE_FIELDS else complete).update(data)
    return complete


def _around(block: Block) -> dict[str, Any]:
    """Return the file that a part belongs to: the one above it on its page, or the page's example, or the smallest."""
    above = [each.text for each in BLOCKS if each.path == block.path and each.line < block.line]
    whole_ones = [text for text in above if "services" in yaml.safe_load(text)]
    example = _STRICT if block.path.name == "strict-compliance.md" else _SMALLEST
    found: dict[str, Any] = yaml.safe_load([example, *whole_ones][-1])
    return found


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_yaml_makes_stacks(tmp_path: Path, block: Block) -> None:
    """What is copied out of a document has no mistakes, and is not taken apart by the tests where it is whole."""
    path = tmp_path / "privatelink.yaml"
    data = whole(block)
    path.write_text(block.text if data == yaml.safe_load(block.text) else yaml.safe_dump(data), encoding="utf-8")

    assembly = PgPrivateLinkApp(configuration=path, outdir=str(tmp_path / "cdk.out")).synth()

    assert {stack.stack_name for stack in assembly.stacks} == {f"PgPrivateLink-{name}" for name in data["services"]}


def test_the_strict_guide_shows_its_example() -> None:
    """What the page says that `examples/strict.yaml` adds to a service is what stands in it."""
    (shown,) = (block for block in BLOCKS if block.path.name == "strict-compliance.md")

    assert whole(shown) == yaml.safe_load(_STRICT)


def test_every_kind_of_postgres_has_a_snippet() -> None:
    """docs/targets.md shows each kind of the YAML file once; a kind that is added is documented."""
    shown = [
        kind
        for block in BLOCKS
        if block.path.name == "targets.md"
        for listener in yaml.safe_load(block.text)["listeners"].values()
        for kind in KINDS
        if kind in listener
    ]

    assert sorted(shown) == sorted([*KINDS, "rds_cluster"])  # the writer, and the readers


@pytest.mark.parametrize("name", ["privatelink.yaml", *(f"examples/{path.name}" for path in ROOT.glob("examples/*"))])
def test_what_is_commented_out_can_be_commented_in(tmp_path: Path, name: str) -> None:
    """`# account: "..."` and the like become part of the file when the mark is taken away, one at a time."""
    text = (ROOT / name).read_text(encoding="utf-8")
    for found in re.finditer(r"^( *)# ((?:- )?\w+: ?[\"\[{\w].*)$", text, flags=re.MULTILINE):
        if not _is_field(found[2]):
            continue
        path = tmp_path / "privatelink.yaml"
        path.write_text(f"{text[: found.start()]}{found[1]}{found[2]}{text[found.end() :]}", encoding="utf-8")

        PgPrivateLinkApp(configuration=path, outdir=str(tmp_path / "cdk.out")).synth()


def _is_field(text: str) -> bool:
    return text.removeprefix("- ").partition(":")[0] in _SERVICE_FIELDS | _FILE_FIELDS | {"principals"}

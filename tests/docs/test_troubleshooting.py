"""docs/troubleshooting.md goes as `doctor` goes."""

from __future__ import annotations

import re

from pg_privatelink.cli.doctor.walk import HOPS
from tests.docs.documents import text_of
from tools.install import ROOT

_PAGE = ROOT / "docs" / "troubleshooting.md"


def _sections() -> dict[str, str]:
    _, _, hops = text_of(_PAGE).partition("## The hops\n")
    hops, _, _ = hops.partition("\n## ")
    parts = re.split(r"^### (.+)\n", hops, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def test_the_page_has_the_hops_of_doctor() -> None:
    """The same names in the same order: who reads a line of `doctor` finds its section, and no section is idle."""
    assert [*_sections()] == [*HOPS]


def test_each_hop_says_what_must_hold_and_what_changes_it() -> None:
    """A section without either would send the reader away with nothing; evidence has nothing to change."""
    lacking = {
        name: word
        for name, text in _sections().items()
        for word in ("Must hold", "Change")
        if f"- **{word}:** " not in text and name != "Last change"
    }
    assert lacking == {}

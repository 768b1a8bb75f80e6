"""Documents lead where they say, and hold no kind of block that no test runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.docs.documents import DOCUMENTS, anchors, blocks, code_in_the_text, links, text_of
from tools.install import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_OF_THE_PROJECT = re.compile(
    r"(benchmarks|constructs_pg|docs|emulator|examples|lambdas|pg_privatelink|tests|tools)/[\w./*:-]*"
)
_RUN_BY = {
    "yaml": "test_yaml.py",
    "python": "test_python.py",
    "console": "test_console.py",
    "json": "test_events.py",
    "text": None,  # output and drawings: nothing to run
}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    """A link to a file names one that is there, and a part of a page one that the page has."""
    broken = []
    for link in links(path):
        if re.match(r"https?://|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        is_there = target.is_relative_to(ROOT) and target.exists()
        if not is_there or (anchor and (target.suffix != ".md" or anchor not in anchors(target))):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_in_the_text_are_there(path: Path) -> None:
    """A file or folder between backticks, `tests/docs/`, is one of the project's; `*` stands for any.

    Lines about what a long run writes name files that may not be there yet.
    """
    written = {name for line in text_of(path).splitlines() if "an idle computer" in line for name in line.split("`")}
    missing = [
        name
        for name in code_in_the_text(path)
        if name not in written
        and _OF_THE_PROJECT.fullmatch(name)
        and not any(ROOT.glob(name.partition("::")[0].rstrip("/")))
    ]

    assert missing == []


def test_every_document_can_be_found() -> None:
    """From the README some path of links leads to each page."""
    found: set[Path] = set()
    next_ones = [ROOT / "README.md"]
    while next_ones:
        path = next_ones.pop()
        found.add(path)
        targets = [(path.parent / link.partition("#")[0]).resolve() for link in links(path)]
        pages = [page for target in targets for page in (target, target / "README.md")]
        next_ones += [page for page in pages if page.suffix == ".md" and page.is_file() and page not in found]

    assert [str(path.relative_to(ROOT)) for path in DOCUMENTS if path not in found] == []


def test_every_block_is_of_a_kind_that_is_run() -> None:
    """A block without a language, or with another one, would be run by nobody."""
    assert [str(block) for block in blocks() if block.language not in _RUN_BY] == []
    assert all((ROOT / "tests" / "docs" / name).is_file() for name in _RUN_BY.values() if name)


def test_every_fence_is_closed() -> None:
    """A block that does not end hides what follows from all these tests."""
    marks = {path: len(re.findall(r"^ *```", text_of(path), flags=re.MULTILINE)) for path in DOCUMENTS}
    found = {path: sum(2 for block in blocks() if block.path == path) for path in DOCUMENTS}

    assert marks == found

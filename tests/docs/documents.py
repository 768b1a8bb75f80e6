"""The documents for people, taken apart: blocks of code, headings, links, commands in the text."""

from __future__ import annotations

import functools
import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.install import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")
_IMAGE = re.compile(r"""<(?:img|source)[^>]*?(?:src|srcset)="([^"]+)\"""")
_CODE = re.compile(r"`([^`\n]+)`")

DOCUMENTS = tuple(
    sorted(
        path
        for pattern in ("*.md", "docs/**/*.md", "benchmarks/*.md", "tests/integ/*.md")
        for path in ROOT.glob(pattern)
    )
)
"""Every document of the project."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block.

    Attributes:
        path: Its document.
        line: The line of the document on which its text begins.
        language: What stands behind the fence; "" for nothing.
        text: Its text, without the indentation of a list it stands in.
    """

    path: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Where it stands, for people and for test ids."""
        return f"{self.path.relative_to(ROOT)}:{self.line}"


@functools.cache
def text_of(path: Path) -> str:
    """Return a document's text."""
    return path.read_text(encoding="utf-8")


def blocks(*languages: str) -> list[Block]:
    """Return all blocks of some languages, of all documents; without a language, all blocks there are."""
    found = []
    for path in DOCUMENTS:
        for fence in _FENCE.finditer(text_of(path)):
            line = text_of(path).count("\n", 0, fence.start("text")) + 1
            text = textwrap.dedent(fence["text"])
            found.append(Block(path=path, line=line, language=fence["language"], text=text))
    return [block for block in found if not languages or block.language in languages]


def prose(path: Path) -> str:
    """Return a document without its blocks."""
    return _FENCE.sub("", text_of(path))


def links(path: Path) -> list[str]:
    """Return where a document's links and pictures lead."""
    text = prose(path)
    return [*_LINK.findall(_CODE.sub("", text)), *_LINK.findall(text), *_IMAGE.findall(text)]


def code_in_the_text(path: Path) -> list[str]:
    """Return what stands between backticks in a document's text."""
    return _CODE.findall(prose(path))


@functools.cache
def anchors(path: Path) -> frozenset[str]:
    """Return a document's headings as GitHub writes them into addresses."""
    found: set[str] = set()
    for heading in _HEADING.findall(prose(path)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        anchor = base = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        again = 0
        while anchor in found:
            again += 1
            anchor = f"{base}-{again}"
        found.add(anchor)
    return frozenset(found)

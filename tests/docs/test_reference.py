"""The reference is what models and docstrings say today, and says something of everything."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tools.install import ROOT
from tools.reference import library, yaml_file
from tools.reference.docstring import parse, split_default
from tools.reference.pages import PAGES

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_page_is_current(path: Path) -> None:
    """What is generated is what would be generated now."""
    assert path.read_text(encoding="utf-8") == PAGES[path](), "make it anew: make reference"


@pytest.mark.parametrize("page", [yaml_file.page, library.page], ids=["yaml", "library"])
def test_no_cell_is_empty(page: object) -> None:
    """Each option has a meaning, a type, a default, and what a change of it does; a method, what it returns."""
    assert callable(page)
    rows = [line for line in page().splitlines() if line.startswith("| ")]

    # The stack in which something stands is no option.
    assert [row for row in rows if re.search(r"\|\s+\|", row) and not row.startswith("| `scope` ")] == []


def test_every_number_has_a_unit() -> None:
    """An interval says seconds or days, a threshold what it counts."""
    rows = [line for line in yaml_file.page().splitlines() if "whole number" in line or "one of `1`, `3`" in line]

    assert len(rows) > 10
    assert [row for row in rows if not re.search(r"in seconds|in minutes|in days|port|How many", row)] == []


def test_every_argument_of_the_library_is_described() -> None:
    """A docstring has all arguments of its signature and no other, in the same order."""
    wrong = []
    for subject in library.classes():
        if subject.__name__ in library.MADE_BY_THE_SERVICE:
            continue
        functions = [(subject.__name__, vars(subject).get("__init__"), subject.__doc__)]
        functions += [
            (f"{subject.__name__}.{name}", getattr(member, "__func__", member), member.__doc__)
            for name, member in library.members(subject)
            if not isinstance(member, property)
        ]
        for name, function, text in functions:
            # A dataclass documents its fields, in `Args:` too.
            if function is None or (text is None and name == subject.__name__):
                continue
            documented = [*parse(text).sections.get("Args", {})]
            if [each.name for each in library.arguments(function)] != documented:
                wrong.append(name)

    assert wrong == []


def test_every_optional_argument_says_what_its_default_does() -> None:
    """None and () say nothing by themselves."""
    vague = [
        f"{subject.__name__}.{each.name}"
        for subject in library.classes()
        if "__init__" in vars(subject) and subject.__name__ not in library.MADE_BY_THE_SERVICE
        for each in library.arguments(vars(subject)["__init__"])
        if each.default in (None, ())
        and split_default(parse(subject.__doc__).sections.get("Args", {}).get(each.name, ""))[1] is None
    ]

    # FlowLogs is made by its factories, which say it.
    assert [each for each in vague if not each.startswith("FlowLogs.")] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How long (default: 5 minutes).", ("How long.", "5 minutes")),
        (
            "The port (default: the instance's own). Given for replicas.",
            ("The port. Given for replicas.", "the instance's own"),
        ),
        ("A role (default: one made here, as `f(a, b)` does).", ("A role.", "one made here, as `f(a, b)` does")),
        ("No default here.", ("No default here.", None)),
    ],
)
def test_a_default_is_taken_out_of_its_sentence(text: str, expected: tuple[str, str | None]) -> None:
    """It stands in a column of its own, and the sentence stays whole."""
    assert split_default(text) == expected

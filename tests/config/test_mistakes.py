"""What users see when a configuration is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pg_privatelink.config import ConfigurationError, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from pg_privatelink.config import Configuration

CASES: list[dict[str, Any]] = [
    case
    for name in (
        "mistakes.yaml",
        "mistakes_in_connections.yaml",
        "mistakes_in_targets.yaml",
        "mistakes_in_function.yaml",
        "mistakes_in_connectivity_check.yaml",
    )
    for case in yaml.safe_load(Path(__file__).with_name(name).read_text(encoding="utf-8"))
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["case"]) for case in CASES])
def test_a_mistake_is_reported_with_its_line_and_what_to_change(
    case: dict[str, Any], valid: str, mistakes: Callable[[str | bytes], list[str]]
) -> None:
    """Every kind of mistake gives its own message, at the place where the user must change something, and no other."""
    # GIVEN a configuration with one mistake
    text = case.get("file")
    if text is None:
        assert case["replace"] in valid
        text = valid.replace(case["replace"], case["by"], 1)
    # WHEN it is loaded, THEN exactly these lines are shown
    assert mistakes(text) == case["says"]


def test_all_mistakes_come_at_once_in_the_order_of_the_lines(mistakes: Callable[[str | bytes], list[str]]) -> None:
    """A contradiction is reported though other fields, in the same listener too, have mistakes of their own."""
    text = """\
region: eu-central-1
services:
  broken:
    vpc: vpc-0123456789abcdef0
    listeners: []
  orders:
    vpc:
      id: vpc-0123456789abcdef0
      cidrs: [10.0.0.0/16]
      subnets:
        - {id: subnet-0123456789abcdef0, zone: euc1-az1, cidr: 10.0.0.0/24}
        - {id: subnet-0123456789abcdef1, zone: euc1-az2, cidr: 10.0.1.0/33}
    listeners:
      main:
        rds_instance: {identifier: orders, endpoint: 10.0.0.5}
      reporting:
        port: 5432
        rds_instance: {identifier: orders, endpoint: orders.example.com, zones: [euc1-az3], port: "x"}
colour: red
"""
    lines = mistakes(text)
    assert [":".join(line.split(":")[:3]) for line in lines] == [
        "4:10: services.broken.vpc",
        "5:5: services.broken.listeners",
        "12:64: services.orders.vpc.subnets[1].cidr",
        "15:54: services.orders.listeners.main.rds_instance.endpoint",
        "17:15: services.orders.listeners.reporting.port",
        "18:74: services.orders.listeners.reporting.rds_instance.zones",
        "18:99: services.orders.listeners.reporting.rds_instance.port",
        "19:1: colour",
    ]
    assert "both use port 5432" in lines[4]
    assert "add a subnet there" in lines[5]


@pytest.mark.parametrize(
    ("count", "last"),
    [(20, "unknown field"), (21, "and 1 more mistake"), (33, "and 13 more mistakes")],
)
def test_more_than_a_screen_of_mistakes_is_cut(
    count: int, last: str, valid: str, loading: Callable[[str | bytes], Configuration]
) -> None:
    """Twenty mistakes fill a screen; of the rest only the number is shown, but programs get all of them."""
    with pytest.raises(ConfigurationError) as caught:
        loading(valid + "".join(f"unknown_{number}: 1\n" for number in range(count)))
    lines = str(caught.value).splitlines()
    assert len(caught.value.problems) == count
    assert len(lines) == min(count, 21)
    assert last in lines[-1]


def test_an_aliased_mistake_is_shown_where_it_is_written(
    valid: str, mistakes: Callable[[str | bytes], list[str]]
) -> None:
    """Two services that share a VPC by an alias have its mistake in one line, named for each of them."""
    text = valid.replace("vpc:\n", "vpc: &vpc\n").replace("id: vpc-0123456789abcdef0", "id: none")
    text += """\
  billing:
    vpc: *vpc
    listeners:
      main:
        rds_instance: {identifier: billing, endpoint: billing.example.com}
"""
    assert [line.split(": VPC id")[0] for line in mistakes(text)] == [
        "6:11: services.billing.vpc.id",
        "6:11: services.orders.vpc.id",
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"region: eu-central-1\nservices:\n  caf\xe9: {}\n", "3:1: not UTF-8 text: save the file in this encoding"),
        ("region: x\n".encode("utf-16"), "1:1: not UTF-8 text: save the file in this encoding"),
        (b"\n# nothing yet\n", " the file is empty: give at least 'region' and 'services'"),
        (b"[" * 5000, " nested too deeply to be read"),
        (b"region: " + b"9" * 5000, "1:9: region: a number that cannot be used"),
    ],
    ids=["Latin-1", "UTF-16", "comments only", "deep nesting", "endless number"],
)
def test_a_file_that_is_no_usable_text_is_one_clear_line(
    content: bytes, says: str, mistakes: Callable[[str | bytes], list[str]]
) -> None:
    """Whatever stops the reading is said in one line, never by a traceback."""
    assert says in mistakes(content)


@pytest.mark.parametrize(
    "value", ["[*x, *x, *x, *x, *x, *x, *x, *x, *x, *x]", "{<<: [*x, *x, *x, *x, *x, *x, *x, *x]}"]
)
def test_aliases_that_unfold_without_end_are_refused(
    value: str, valid: str, mistakes: Callable[[str | bytes], list[str]]
) -> None:
    """A few lines of nested aliases stand for billions of values; reading stops long before."""
    bomb = "a0: &a0 {x: 1}\n"
    for level in range(1, 20):
        bomb += f"a{level}: &a{level} {value.replace('*x', f'*a{level - 1}')}\n"
    assert mistakes(valid + bomb) == [" more than 20000 values once all aliases are unfolded"]


def test_a_missing_file_is_said_by_the_name_that_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is not there, and a directory, are named as the user named them."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ConfigurationError,
        match=r"^sub/other\.yaml: there is no such file: run in the folder that has it, name it \(-c config=FILE\), ",
    ):
        load("sub/other.yaml")
    Path("sub").mkdir()
    with pytest.raises(ConfigurationError, match=r"^sub: is a directory, not a file$"):
        load(Path("sub"))
    with pytest.raises(ConfigurationError, match=r"^a\0b: cannot be read: embedded null byte$"):
        load("a\0b")

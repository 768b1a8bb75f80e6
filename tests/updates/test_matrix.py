"""The update matrix: every option changes in place, or AWS refuses it and there is a way; nothing is ever replaced."""

from __future__ import annotations

import inspect
import itertools

import pytest

from constructs_pg import Consumer, PostgresEndpointService, PostgresTarget
from tests.updates.library_rows import ROWS as LIBRARY_ROWS
from tests.updates.refusals import RULES
from tests.updates.replacement import Outcome
from tests.updates.row import STATEFUL, Row, result
from tests.updates.table import DOCUMENT, document
from tests.updates.target_rows import ROWS as TARGET_ROWS
from tests.updates.yaml_rows import ROWS as YAML_ROWS
from tests.updates.yaml_rows import fields

ROWS = [*LIBRARY_ROWS, *TARGET_ROWS, *YAML_ROWS]
_WHILE_CONNECTED = {rule.name for rule in RULES if rule.while_connected}


def _options(prefix: str, function: object) -> set[str]:
    assert callable(function)
    return {f"{prefix}.{name}" for name in inspect.signature(function).parameters if name not in {"self", "scope"}}


def library_options() -> set[str]:
    """Return every argument that the library's public constructors, factories and methods take."""
    found = _options("PostgresEndpointService", PostgresEndpointService.__init__)
    found |= _options("PostgresEndpointService.add_listener", PostgresEndpointService.add_listener)
    found |= _options("Consumer", Consumer.__init__) | _options("Consumer.dbt_platform", Consumer.dbt_platform)
    # A consumer that is made by a factory is data: how each datum changes, the rows of `Consumer` itself tell.
    found |= {f"Consumer.{name}" for name, each in vars(Consumer).items() if isinstance(each, classmethod)}
    for name in dir(PostgresTarget):
        if name.startswith("from_"):
            found |= _options(f"PostgresTarget.{name}", getattr(PostgresTarget, name))
    return found


def test_every_option_of_the_library_has_a_row() -> None:
    """An option without a row is one of which nobody has asked what a change does to a deployed stack."""
    missing = library_options() - {row.option for row in (*LIBRARY_ROWS, *TARGET_ROWS)}

    assert not missing, f"add rows to tests/updates/library_rows.py or target_rows.py for: {', '.join(sorted(missing))}"


def test_every_field_of_the_yaml_file_has_a_row() -> None:
    """The same for the YAML file."""
    missing = fields() - {row.option for row in YAML_ROWS}

    assert not missing, f"add rows to tests/updates/yaml_rows.py for: {', '.join(sorted(missing))}"


def test_no_row_is_about_an_option_that_is_gone() -> None:
    """A row that proves nothing any more is taken out."""
    assert {row.option for row in (*LIBRARY_ROWS, *TARGET_ROWS)} - library_options() == set()
    assert {row.option for row in YAML_ROWS} - fields(groups=True) == set()


@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.option}: {row.change}")
def test_nothing_is_replaced(row: Row, back: bool) -> None:
    """A change and its reverse keep load balancer, endpoint service and target groups, but for what the row says."""
    found = result(row.new, row.old) if back else result(row.old, row.new)

    refused = {*(row.refused_back if back else row.refused)}
    assert found.refused == refused
    assert found.common is not row.elsewhere
    assert found.lost == sorted(row.lost_back if back else row.lost)
    # What AWS refuses at any time is rolled back, and nothing is replaced; anything else that is replaced is lost.
    if not refused - _WHILE_CONNECTED:
        assert found.types(Outcome.REPLACED) == sorted(row.anew)
    assert not {*found.types(Outcome.REPLACED)} & {*STATEFUL} - {"AWS::ElasticLoadBalancingV2::TargetGroup"}


@pytest.mark.parametrize("row", [row for row in ROWS if row.refused or row.refused_back or row.elsewhere])
def test_what_cannot_be_done_in_place_has_a_way(row: Row) -> None:
    """What AWS refuses is followed by what to do instead."""
    assert row.way


@pytest.mark.parametrize("row", [row for row in ROWS if row.through], ids=lambda row: f"{row.option}: {row.change}")
@pytest.mark.parametrize("back", [False, True], ids=["there", "back"])
def test_the_way_is_open(row: Row, back: bool) -> None:
    """Step by step AWS refuses nothing, and load balancer and endpoint service stay."""
    steps = [row.old, *row.through, row.new]
    for old, new in itertools.pairwise(reversed(steps) if back else steps):
        found = result(old, new)
        assert found.refused == set()
        assert found.types(Outcome.REPLACED) == []
        assert {*found.lost} <= {"AWS::ElasticLoadBalancingV2::TargetGroup"}


def test_document_shows_the_matrix() -> None:
    """`docs/updates.md` shows the tables as they are; `make updates` writes them anew."""
    assert DOCUMENT.read_text() == document()

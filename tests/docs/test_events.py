"""The events in the documents are what the functions take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_sync import handler, report
from tests.docs.documents import Block, blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCKS = blocks("json")


class _Listeners:
    """What the function does with the fleet of listeners, written down."""

    fresh = False

    def __init__(self) -> None:
        self.done: list[str] = []
        self.settings = self
        self.economical = False

    def refresh(self, **_: object) -> None:
        self.done.append("refresh")

    def watch(self, *, event: bool = False, **_: object) -> None:
        self.done.append("event" if event else "watch")


class _Context:
    log_stream_name = "2026/01/31/[$LATEST]0"

    def get_remaining_time_in_millis(self) -> int:
        return 300_000


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_the_function_takes_the_event(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each JSON block is an event that the function that follows DNS knows, and does what the page says."""
    event: Mapping[str, Any] = json.loads(block.text)
    listeners = _Listeners()
    monkeypatch.setattr(handler, "fleet", lambda: listeners)
    monkeypatch.setattr(report, "observe", lambda _: {"observed": True})

    answer = handler.handle(event, _Context())

    if event.get("action") == "observe":
        assert (answer, listeners.done) == ({"observed": True}, [])
    else:
        assert answer is None
        assert listeners.done == ["refresh", "event" if event.get("source") == "aws.rds" else "watch"]


def test_all_kinds_of_events_are_shown() -> None:
    """The page has the minute's event, one of Amazon RDS, and the one that people send."""
    events = [json.loads(block.text) for block in BLOCKS]

    assert {each.get("action", each.get("source")) for each in events} == {"watch", "observe", "aws.rds"}


def test_an_event_of_rds_is_one_that_the_rules_let_through() -> None:
    """The sample has the fields by which a rule of ours filters, with a value it looks for."""
    import aws_cdk as cdk  # noqa: PLC0415 - only this test needs it
    from aws_cdk import aws_ec2 as ec2  # noqa: PLC0415
    from aws_cdk import aws_rds as rds  # noqa: PLC0415

    from constructs_pg import PostgresEndpointService, PostgresTarget  # noqa: PLC0415

    (event,) = (found for block in BLOCKS if (found := json.loads(block.text)).get("source") == "aws.rds")
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, "Stack", env=cdk.Environment(account="111122223333", region="us-east-1"))
    database = rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        "Database",
        instance_identifier=event["detail"]["SourceIdentifier"],
        instance_endpoint_address="orders.abcdefghijkl.us-east-1.rds.amazonaws.com",
        port=5432,
        security_groups=[],
    )
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    PostgresEndpointService(stack, "Service", vpc=vpc, listeners={"main": PostgresTarget.from_instance(database)})

    template = app.synth().get_stack_by_name("Stack").template
    patterns = [
        each["Properties"].get("EventPattern")
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Events::Rule"
    ]
    assert any(pattern and _matches(pattern, event) for pattern in patterns)


def _matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Whether an event passes a pattern of lists of values, which is all that the rules for RDS have."""
    for key, wanted in pattern.items():
        found = event.get(key)
        if isinstance(wanted, dict):
            if not isinstance(found, dict) or not _matches(wanted, found):
                return False
        elif not {*(found if isinstance(found, list) else [found])} & {*wanted}:
            return False
    return True

"""What the integration test makes of what it saw on AWS: each question answered yes, no, or "not told"."""

from __future__ import annotations

import pytest

from tests.integ.answers import (
    Answer,
    Look,
    event_latency,
    group_alone,
    outside_dns,
    registration,
    report,
    standby,
    tags_kept,
)

OLD, NEW = "10.90.0.10", "10.90.1.20"
LOOKS = [
    Look(at=100.0, addresses=(OLD,), states={OLD: "healthy"}),
    Look(at=160.0, addresses=(), states={OLD: "unhealthy"}),
    Look(at=162.0, addresses=(NEW,), states={OLD: "unhealthy", NEW: "initial"}),
    Look(at=300.0, addresses=(NEW,), states={NEW: "initial"}),
    Look(at=302.0, addresses=(NEW,), states={NEW: "healthy"}),
]


def test_a_registration_ends_when_the_address_is_healthy() -> None:
    """It is counted from the function's own line, not from the first look that shows it."""
    changes = [{"at": 90.0, "deregistered": [f"{OLD}:5432"]}, {"at": 161.0, "registered": [f"{NEW}:5432"]}]

    answer = registration(LOOKS, changes)

    assert answer.figures == {"seconds": 141.0, "address": NEW}


@pytest.mark.parametrize("changes", [[], [{"at": 161.0, "registered": ["10.90.1.99:5432"]}]])
def test_a_registration_that_was_not_seen_is_not_told(changes: list[dict[str, object]]) -> None:
    """No figure is made up."""
    assert registration(LOOKS, changes).figures == {}


def test_each_event_has_its_own_latency() -> None:
    """What arrived late is told beside what arrived at once; none at all is an answer too: they are best effort."""
    arrived = [
        {"id": "RDS-EVENT-0013", "happened": 100.0, "arrived": 103.25},
        {"id": "RDS-EVENT-0049", "happened": 160.0, "arrived": 160.4},
    ]

    assert event_latency(arrived).figures == {"events": {"RDS-EVENT-0013": 3.2, "RDS-EVENT-0049": 0.4}}
    assert event_latency([]).figures == {"events": {}}


def test_dns_is_told_turn_by_turn() -> None:
    """Answers that stay the same are one turn; looks without an answer are counted."""
    answer = outside_dns(LOOKS, "10.90.0.0/16")

    assert answer.figures == {"turns": [[0.0, [OLD]], [62.0, [NEW]]], "without_answer": 1}
    assert outside_dns([Look(at=1.0)], "10.90.0.0/16").figures == {}


@pytest.mark.parametrize(
    ("works", "states", "before", "holds"),
    [
        ([True] * 5, ["healthy"] * 5, True, True),
        ([True, False], ["healthy", "healthy"], True, False),
        ([True, True], ["healthy", "unhealthy"], True, False),
        ([False], ["unhealthy"], False, None),
        ([], [], True, None),
    ],
)
def test_a_group_holds_only_if_everything_works(
    works: list[bool], states: list[str], before: bool, holds: bool | None
) -> None:
    """One check that fails or one unhealthy target is a no; nothing is told where the path was broken before."""
    assert group_alone(works, states, works_before=before).figures.get("holds") is holds


def test_a_standby_is_judged_by_each_try() -> None:
    """How many of the tries connected, and what became of the others."""
    answer = standby(["TimeoutError: timed out", "connected", "TimeoutError: timed out"])

    assert answer.figures == {"connected": 1, "of": 3}
    assert "TimeoutError: timed out" in answer.said
    assert standby([]).figures == {}


def test_only_the_functions_own_tag_counts() -> None:
    """The update changes another tag on purpose."""
    before = {"pg-privatelink:followed": "10.90.0.10:5432 steady", "pg-privatelink:integ:revision": "1"}
    after = {**before, "pg-privatelink:integ:revision": "2"}

    assert tags_kept(before, after).figures == {"kept": True}
    assert tags_kept(before, {"pg-privatelink:integ:revision": "2"}).figures == {"kept": False}
    assert tags_kept({}, after).figures == {}


def test_the_report_has_every_question_and_the_drill() -> None:
    """Also where the drill did not come to an end."""
    found = [Answer(question="How late?", said="3 s", figures={"seconds": 3})]

    assert "| How late? | 3 s |" in report(found, {"figures": {"outage_s": 12.5}})
    assert "| outage_s | 12.5 |" in report(found, {"figures": {"outage_s": 12.5}})
    assert "did not end with figures" in report(found, None)

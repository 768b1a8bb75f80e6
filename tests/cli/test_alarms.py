"""Alarms that are on and need nobody: those that go off by themselves."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from pg_privatelink.cli.alarms import YOUNG, is_young, passing
from pg_privatelink.cli.connections import Connection

NOW = dt.datetime(2026, 1, 31, 14, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def row(label: str, *, state: str = "ALARM", **fields: object) -> dict[str, Any]:
    """An alarm as DescribeAlarms tells it, with what the command adds."""
    return {"AlarmName": f"stack-{label}", "Label": label, "StateValue": state, "Young": False, **fields}


def connection(state: str) -> Connection:
    """A consumer's endpoint."""
    return Connection("vpce-1", "vpce-svc-1", "111122223333", state)


@pytest.mark.parametrize(
    ("missing", "age", "young"),
    [
        ("breaching", SECOND, True),
        ("breaching", YOUNG - SECOND, True),
        ("breaching", YOUNG, False),
        ("notBreaching", SECOND, False),
    ],
)
def test_an_alarm_is_young_for_ten_minutes_if_missing_data_set_it_off(
    missing: str, age: dt.timedelta, young: bool
) -> None:
    """Before it was made there were no data: it begins with an alarm where that counts as a fault."""
    alarm = row("FunctionSilent", TreatMissingData=missing, AlarmConfigurationUpdatedTimestamp=NOW - age)

    assert is_young(alarm, NOW) is young


def test_an_alarm_without_a_time_is_not_young() -> None:
    """What is not known is no excuse."""
    assert not is_young(row("FunctionSilent", TreatMissingData="breaching"), NOW)


@pytest.mark.parametrize(
    ("connections", "goes_off"),
    [([], True), ([connection("available")], True), ([connection("pendingAcceptance")], False), (None, False)],
    ids=["nobody", "answered", "waits", "not known"],
)
def test_the_alarm_on_a_connection_that_waits(connections: list[Connection] | None, goes_off: bool) -> None:
    """It looks at minutes that are over, so it goes off once none waits any more."""
    found = passing([row("ConnectionsConnectionWaits")], connections)

    assert found == ({"stack-ConnectionsConnectionWaits": "no connection waits any more"} if goes_off else {})


def test_only_what_is_on_and_young_passes() -> None:
    """Another alarm is never taken for done, nor is one told of that is off."""
    found = passing([row("A", Young=True), row("B"), row("C", state="OK", Young=True)], [])

    assert {*found} == {"stack-A"}


def test_an_alarm_that_is_made_of_others_goes_off_with_them() -> None:
    """But not beside one that stays, nor if none of them is on."""
    whole = row("PathBroken", AlarmRule="ALARM(x)")

    assert {*passing([whole, row("A", Young=True)], [])} == {"stack-PathBroken", "stack-A"}
    assert {*passing([whole, row("A", Young=True), row("B")], [])} == {"stack-A"}
    assert passing([whole], []) == {}

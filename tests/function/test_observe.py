"""Looking without touching: a service that only observes, and a question by people."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from target_sync import custom_resource, handler
from target_sync.resolve import Answer, Outcome
from target_sync.settings import Settings, SettingsError
from tests.function.fakes import HOST, LOAD_BALANCER, World, aws_error, endpoints, group_arn
from tests.function.test_handler import ENVIRONMENT, Context
from tests.function.test_members import Cluster

if TYPE_CHECKING:
    from collections.abc import Mapping

A, B, C = "10.0.0.5", "10.0.1.6", "10.0.2.7"
OBSERVE = {"action": "observe"}


def observing(*held: str, poll_interval: float = 5.0) -> World:
    """A process that only observes a group which somebody else filled."""
    world = World(poll_interval, observe_only=True)
    world.elb.add()
    world.elb.hold("main", *endpoints(held))
    world.dns.set(A)
    return world


def lines(text: str, message: str) -> list[dict[str, object]]:
    """The log lines with a message."""
    return [line for line in map(json.loads, text.splitlines()) if line["message"] == message]


def writes(world: World) -> set[str]:
    """The operations called that change something."""
    return {name for name in world.elb.count() if not name.startswith("Describe")}


def test_what_would_be_registered_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """An adopted group lacks the database's address: one line an address, however long it lasts; nothing is written."""
    world = observing(B)

    world.minutes(10)

    told = lines(capsys.readouterr().out, "would change")
    assert [line.get("registered") for line in told] == [[f"{A}:5432"]]
    assert told[0]["cause"] == "it is not recorded yet that this name's addresses are registered"
    assert world.live() == {B}
    assert writes(world) == set()


def test_another_change_is_said_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The name goes on to another address."""
    world = observing(A)
    world.minutes(3)
    world.dns.set(B)

    world.minutes(3)

    told = lines(capsys.readouterr().out, "would change")
    assert [(line.get("registered"), line.get("followed")) for line in told] == [
        (None, f"{HOST}:5432"),
        (None, f"{HOST}:5432 steady"),
        ([f"{B}:5432"], None),
    ]
    assert writes(world) == set()


def test_all_that_would_be_done_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """One address is missing, another one is a stranger: both are told, though the first one stays undone."""
    world = observing(A, C)
    world.dns.set(A, B)

    world.minutes(5)

    told = lines(capsys.readouterr().out, "would change")
    assert [(line.get("registered"), line.get("deregistered")) for line in told] == [
        ([f"{B}:5432"], None),
        (None, [f"{C}:5432"]),
    ]
    assert writes(world) == set()


@pytest.mark.parametrize(("poll_interval", "looks"), [(5.0, 13), (60.0, 1)])
@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_an_open_difference_is_no_reason_to_look_closely(poll_interval: float, looks: int, cold: bool) -> None:
    """What is only told is settled by that: a quiet hour costs as little as where the targets are right."""
    world = observing(B, poll_interval=poll_interval)
    world.minutes(0 if cold else 15)
    calls, asked = len(world.elb.calls), len(world.dns.asked)

    world.minutes(60)

    cold_start = 5 if cold else 0  # the table, its tags; the group, and both again before the change is told
    assert len(world.elb.calls) - calls <= 12 + cold_start
    assert len(world.dns.asked) - asked <= 60 * looks + (2 if cold else 0)


def test_a_deployment_that_only_observes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It succeeds, waits for nothing, and says what it saw."""
    world = observing(B)
    said: list[custom_resource.Response] = []
    monkeypatch.setattr(custom_resource, "answer", lambda _event, response, _context: said.append(response))
    request = {
        "RequestType": "Create",
        "ResourceType": "Custom::PostgresTargets",
        "ResponseURL": "https://example.com",
        "ResourceProperties": {"Listeners": {"main": f"{HOST}:5432"}},
    }

    custom_resource.serve(request, Context(360), lambda: world.fleet)

    (response,) = said
    assert not response.failed
    assert response.reason.startswith("Only observed, nothing registered: ")
    assert json.loads(response.reason.partition(": ")[2])["main"]["register"] == [f"{A}:5432"]
    assert writes(world) == set()


def report(world: World, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Mapping[str, Mapping[str, object]]]:
    """What the function answers to the question."""
    monkeypatch.setattr(handler, "fleet", lambda: world.fleet)
    seen = handler.handle(OBSERVE, Context(360))
    return json.loads(json.dumps(seen))  # type: ignore[no-any-return]


def test_a_question_by_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name, answer, targets and what would happen, of a process that may change things but was not asked to."""
    world = World()
    world.elb.add(nameservers="10.0.0.2")
    world.elb.hold("main", *endpoints([B]))
    world.dns.set(A)

    seen = report(world, monkeypatch)

    assert seen == {
        "listeners": {
            "main": {
                "hostname": HOST,
                "port": 5432,
                "nameservers": ["10.0.0.2:53"],
                "followed": "",
                "answer": {"addresses": [A], "ttl": 5.0, "aliases": []},
                "failure": "",
                "targets": [{"target": f"{B}:5432", "state": "healthy", "reason": "", "description": ""}],
                "register": [f"{A}:5432"],
                "unnamed": [f"{B}:5432"],
            }
        },
        "broken": {},
    }
    assert writes(world) == set()


def test_a_question_while_dns_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure is told; nothing is claimed about targets that would come or go."""
    world = World()
    world.elb.add()
    world.elb.hold("main", *endpoints([B]))
    world.dns.fail(Outcome.SERVFAIL)

    main = report(world, monkeypatch)["listeners"]["main"]

    assert main["answer"] is None
    assert main["failure"] == f"SERVFAIL: {HOST} fails"
    assert (main["register"], main["unnamed"]) == ([], [])


def test_a_question_asks_amazon_rds_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of members may not be read any more: told at once, though the process has one that it still goes by."""
    cluster = Cluster()
    cluster.minutes(1)
    cluster.rds.error = aws_error("AccessDenied", "DescribeDBClusters")

    main = report(cluster, monkeypatch)["listeners"]["main"]

    assert main["answer"] is None
    assert str(main["failure"]).startswith("MEMBERS_UNKNOWN: the members of DB cluster sales cannot be listed: Access")
    assert isinstance(cluster.resolve(), Answer)


def test_a_question_disturbs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process knows of the past stays: a failover goes on as if nobody had asked."""
    asked, left = World(), World()
    for world in (asked, left):
        world.elb.add()
        world.dns.set(A)
        world.minutes(5)
        world.dns.set(B)
        world.minutes(1)
    report(asked, monkeypatch)
    for world in (asked, left):
        world.minutes(2)

    assert asked.changes() == left.changes() == [f"+{A}", f"+{B}", f"-{A}"]


def test_a_broken_group_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tags cannot be read: which group, and why."""
    world = World()
    world.elb.add(ranges="everywhere")

    seen = report(world, monkeypatch)

    assert seen["listeners"] == {}
    assert "ranges of listener main is 'everywhere'" in str(seen["broken"][group_arn("main")])


@pytest.mark.parametrize(("text", "observe_only"), [("true", True), ("false", False), (None, False)])
def test_the_setting(text: str | None, observe_only: bool) -> None:
    """OBSERVE_ONLY, false by default."""
    given = {"LOAD_BALANCER_ARN": LOAD_BALANCER} | ({} if text is None else {"OBSERVE_ONLY": text})

    assert Settings.from_environment(ENVIRONMENT | given).observe_only is observe_only


def test_a_wrong_setting() -> None:
    """Anything but true and false is an error: nobody wants to find out later what it meant."""
    with pytest.raises(SettingsError, match="OBSERVE_ONLY is 'yes'; give true or false"):
        Settings.from_environment(ENVIRONMENT | {"OBSERVE_ONLY": "yes"})

"""One listener over time: the function's own code in virtual time, against the fakes."""

from __future__ import annotations

import functools
import json
import math
import random
from typing import TYPE_CHECKING

import pytest

from target_sync.resolve import Answer, Outcome
from target_sync.target import Endpoint
from target_sync.watch import SyncError
from tests.function.fakes import HOST, World, aws_error, endpoints, group_arn

if TYPE_CHECKING:
    from collections.abc import Callable

A, B, C = "10.0.0.5", "10.0.1.6", "10.0.2.7"


def settled_world(*addresses: str, poll_interval: float = 5.0) -> World:
    """A world in which these addresses were deployed, watched for some minutes, and nothing happened since."""
    world = World(poll_interval)
    world.elb.add()
    world.dns.set(*addresses)
    world.minutes(5)
    assert world.live() == set(addresses)
    world.elb.log.clear()
    return world


def test_a_failover_without_an_event() -> None:
    """Found within a poll interval and registered at once; the old one goes a time to live later, seen three times."""
    world = settled_world(A)
    start = world.clock.time()
    world.clock.after(12.0, lambda: world.dns.set(B))

    world.minute()

    (registered, _, first), (deregistered, _, second) = world.elb.log
    assert (first.address, second.address) == (B, A)
    assert registered - (start + 12.0) <= 5.0
    assert 5.0 <= deregistered - registered <= 6.0
    assert not world.elb.emptied


def test_a_failover_after_an_event() -> None:
    """The event comes before the name changes: a look each second finds it, and for a minute looks whether it stays."""
    world = settled_world(A)
    start = world.clock.time()
    world.clock.after(31.5, lambda: world.dns.set(B))

    world.event()

    assert world.changes() == [f"+{B}", f"-{A}"]
    assert world.elb.log[0][0] - (start + 31.5) <= 1.0
    assert world.clock.time() - (start + 31.5) == pytest.approx(60.0, abs=2.0)


def test_an_event_without_a_change() -> None:
    """Five minutes of close looks, nothing changed, and no more than the reconcile's calls."""
    world = settled_world(A)
    start, asked = world.clock.time(), len(world.dns.asked)

    world.event()

    assert world.clock.time() - start == pytest.approx(300.0, abs=2.0)
    assert len(world.dns.asked) - asked == pytest.approx(300, abs=2)
    assert world.changes() == []


def test_a_quiet_hour() -> None:
    """No change, and at most 12 calls of Elastic Load Balancing for a lone listener."""
    world = settled_world(A)
    calls = len(world.elb.calls)

    world.minutes(60)

    assert world.changes() == []
    assert len(world.elb.calls) - calls <= 12


@pytest.mark.parametrize("ttl", [0.0, 1.0, 5.0, 60.0])
def test_questions_keep_to_the_time_to_live(ttl: float) -> None:
    """A quiet minute asks when the time to live is over, at most each second, at least each poll interval; and last."""
    world = settled_world(A)
    world.dns.set(A, ttl=ttl)
    world.minutes(6)
    asked = len(world.dns.asked)

    world.minute()

    assert len(world.dns.asked) - asked == math.ceil(58 / min(5.0, max(1.0, ttl))) + 1


def test_an_economical_minute_takes_one_look() -> None:
    """A poll interval of a minute: one question per minute while nothing happens, each answered at once."""
    world = settled_world(A, poll_interval=60.0)
    asked = len(world.dns.asked)

    world.minutes(10)

    assert len(world.dns.asked) - asked == 10


def test_an_economical_minute_stays_when_something_changed() -> None:
    """The look that finds a new address is followed by close ones until the old one is out."""
    world = settled_world(A, poll_interval=60.0)
    world.dns.set(B)
    start = world.clock.time()

    world.minute()

    assert world.changes() == [f"+{B}", f"-{A}"]
    assert world.elb.log[0][0] == start
    assert world.elb.log[1][0] - start <= 6.0
    world.minutes(11)  # for ten minutes each invocation stays until the next one has begun
    asked = len(world.dns.asked)
    world.minutes(3)
    assert len(world.dns.asked) - asked == 3


def test_an_economical_failover_back() -> None:
    """The database returns to its first address minutes later: as fast as there."""
    world = settled_world(A, poll_interval=60.0)
    world.dns.set(B)
    world.minutes(6)
    world.dns.set(A)
    start = world.clock.time()

    world.minute()

    assert world.changes()[2:] == [f"+{A}", f"-{B}"]
    assert world.elb.log[-1][0] - start <= 6.0


@pytest.mark.parametrize("economical", [False, True])
def test_addresses_in_turn(economical: bool) -> None:
    """One of two addresses in each answer: both are registered once, for ever, and a cold start changes nothing."""
    world = World(60.0 if economical else 5.0)
    world.elb.add()
    world.dns.rotate(A, B, ttl=1.0)

    world.minutes(8)
    world.restart()
    world.minutes(30)

    assert world.changes() == [f"+{A}", f"+{B}"]
    assert world.elb.groups[group_arn("main")].tags["pg-privatelink:followed"] == f"{HOST}:5432"


@pytest.mark.parametrize("count", [2, 3, 15])
def test_addresses_at_random(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader endpoint: one of n at random, every second another one. All are found, and then nothing changes."""
    world = World()
    world.elb.add()
    chance = random.Random(count)  # noqa: S311  # repeatable, not secret
    readers = [f"10.0.{number}.5" for number in range(count)]
    monkeypatch.setattr(world.dns, "ask", lambda *_: Answer(frozenset([chance.choice(readers)]), 1.0))
    world.restart()
    world.minutes(5)
    world.elb.log.clear()

    world.minutes(20)
    world.restart()
    world.minutes(20)

    assert world.live() == set(readers)
    assert world.changes() == []


def test_addresses_in_turn_cost_an_economical_function_one_look() -> None:
    """Answers that differ are nothing new where addresses take turns."""
    world = World(60.0)
    world.elb.add()
    world.dns.rotate(A, B, ttl=1.0)
    world.minutes(10)
    asked = len(world.dns.asked)

    world.minutes(10)

    assert len(world.dns.asked) - asked == 10


def test_somebody_else_undoes_a_change() -> None:
    """What was registered is deregistered elsewhere a moment later: seen at the next look, not at the reconcile."""
    world = settled_world(A)
    world.dns.set(B)
    start = world.clock.time()
    target = {"Id": B, "Port": 5432}
    world.clock.after(0.5, lambda: world.elb.deregister_targets(TargetGroupArn=group_arn("main"), Targets=[target]))

    world.minute()

    assert world.changes() == [f"+{B}", f"-{B}", f"+{B}", f"-{A}"]
    assert world.elb.log[2][0] - start <= 2.0


def test_there_and_back_while_draining() -> None:
    """A, B, A within the deregistration delay: A is registered again and B goes; the group is never empty."""
    world = settled_world(A)
    world.elb.delay = 300.0
    world.clock.after(10.0, lambda: world.dns.set(B))
    world.clock.after(30.0, lambda: world.dns.set(A))

    world.minute()

    assert world.changes() == [f"+{B}", f"-{A}", f"+{A}", f"-{B}"]
    assert world.live() == {A}
    assert not world.elb.emptied


def test_old_and_new_by_turns_during_a_failover() -> None:
    """Answers go back and forth for 25 s: both stay registered, then the old one goes within a few looks."""
    world = settled_world(A)
    start = world.clock.time()
    for turn, address in enumerate([B, A, B, A, B]):
        world.clock.after(5.0 + 5.0 * turn, functools.partial(world.dns.set, address))

    world.minute()

    assert world.changes() == [f"+{B}", f"-{A}"]
    assert world.elb.log[-1][0] - (start + 25.0) <= 11.0


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_failed_answer_changes_nothing_and_is_an_error(outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> None:
    """Each way in which the DNS fails: the targets stay, the log names it, and the invocation fails."""
    world = settled_world(A)
    world.dns.fail(outcome)
    capsys.readouterr()

    with pytest.raises(SyncError, match=f"1 of 1 listeners failed: main: {outcome}: {HOST} fails"):
        world.minute()

    assert world.live() == {A}
    assert world.changes() == []
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failed = [line for line in lines if line["level"] == "ERROR"]
    assert [line["cause"] for line in failed] == [f"{outcome}: {HOST} fails"]
    assert (failed[0]["listener"], failed[0]["hostname"]) == ("main", HOST)


def test_a_failure_that_passes_is_logged_but_no_error() -> None:
    """The last word of an invocation counts: what succeeded in the end was made good."""
    world = settled_world(A)
    world.dns.fail(Outcome.TIMEOUT)
    world.clock.after(20.0, lambda: world.dns.set(B))

    world.minute()

    assert world.live() == {B}


def test_a_public_address_names_the_likely_cause() -> None:
    """A publicly accessible database resolved from outside: nothing is registered, the error says what to do."""
    world = World()
    world.elb.add()
    world.dns.set("3.120.1.2")

    with pytest.raises(SyncError, match=r"3\.120\.1\.2 is a public address.*PubliclyAccessible"):
        world.minute()

    assert world.elb.count()["RegisterTargets"] == 0


def test_a_foreign_address_beside_a_good_one() -> None:
    """The good one is registered, and the other one named in the error."""
    world = World()
    world.elb.add()
    world.dns.set(A, "10.9.0.1")

    with pytest.raises(SyncError, match=r"10\.9\.0\.1 is outside the ranges.*\(10\.0\.0\.0/16\)"):
        world.minute()

    assert world.live() == {A}


def throttled(times: int) -> Callable[[World], None]:
    """RegisterTargets is throttled so many times (after botocore's own retries)."""
    return lambda world: world.elb.faults["RegisterTargets"].extend([aws_error("ThrottlingException")] * times)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_throttled_registration_is_tried_again(times: int) -> None:
    """The old target stays until the new one is registered at last; nothing is lost and no error remains."""
    world = settled_world(A)
    throttled(times)(world)
    world.dns.set(B)

    world.minute()

    assert world.changes() == [f"+{B}", f"-{A}"]
    assert not world.elb.emptied


def test_a_call_that_outlasts_the_invocation() -> None:
    """The last call returns when the time is up, and nothing is settled yet: the invocation ends all the same."""
    world = settled_world(A, poll_interval=60.0)
    world.dns.set(B)
    world.elb.latency = 3.0

    world.fleet.watch(attend=0.0, limit=6.0)

    assert world.live() == {A, B}


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("RegisterTargets", "ThrottlingException"),
        ("RegisterTargets", "AccessDenied"),
        ("RegisterTargets", "InvalidTarget"),
        ("RegisterTargets", "TooManyTargets"),
        ("DescribeTags", "AccessDenied"),
    ],
)
def test_a_call_that_always_fails(operation: str, code: str) -> None:
    """The old target stays, each invocation fails and names it, and the failing call is not hammered."""
    world = settled_world(A)
    world.elb.always[operation] = aws_error(code, operation)
    world.dns.set(B)
    before = world.elb.count()[operation]

    for _ in range(2):
        with pytest.raises(SyncError, match=f"main: .*{code}"):
            world.minute()

    assert world.live() == {A}
    assert world.elb.count()[operation] - before <= 14
    world.elb.always.clear()
    world.minute()
    assert world.live() == {B}


def test_targets_that_cannot_be_read_stop_no_registration() -> None:
    """The new address comes in all the same, the old one stays until it is known to be there, and it is an error."""
    world = settled_world(A)
    world.elb.always["DescribeTargetHealth"] = aws_error("ThrottlingException", "DescribeTargetHealth")
    world.dns.set(B)
    before = world.elb.count()["DescribeTargetHealth"]

    for _ in range(2):
        with pytest.raises(SyncError, match=r"main: read failed: ThrottlingException"):
            world.minute()

    assert world.live() == {A, B}
    assert world.elb.count()["DescribeTargetHealth"] - before <= 14
    world.elb.always.clear()
    world.minute()
    assert world.live() == {B}


def test_a_failed_deregistration_is_tried_again() -> None:
    """The new target is there; the old one goes as soon as the call is allowed again."""
    world = settled_world(A)
    world.elb.always["DeregisterTargets"] = aws_error("AccessDenied", "DeregisterTargets")
    world.dns.set(B)
    with pytest.raises(SyncError, match="main: deregister failed: AccessDenied"):
        world.minute()
    assert world.live() == {A, B}

    world.elb.always.clear()
    world.minute()

    assert world.live() == {B}


def test_a_deleted_target_group_is_no_error() -> None:
    """A deployment removed the listener: the group is gone at the next change, and the others go on."""
    world = settled_world(A)
    world.elb.add("reporting", hostname="reporting.example.com", port=5433)
    world.dns.set(C, hostname="reporting.example.com")
    world.restart()
    world.fleet.refresh()
    del world.elb.groups[group_arn("main")]
    world.dns.set(B)

    for follower in world.fleet.followers.values():
        world.fleet.go(world.fleet.work.look(follower))

    assert world.elb.live("reporting") == {f"{C}:5433"}
    assert world.fleet.followers[group_arn("main")].missing


def test_a_new_host_name_waits_for_health() -> None:
    """A deployment changed the name: the new address is registered, the old one serves until the new one does."""
    world = settled_world(A)
    world.elb.healthy_after = 100.0
    world.elb.groups[group_arn("main")].tags["pg-privatelink:hostname"] = "new.example.com"
    world.dns.set(B, hostname="new.example.com")
    world.fleet.refresh(older_than=0)

    world.minute()
    assert world.live() == {A, B}

    world.minutes(1)
    assert world.live() == {B}
    assert world.elb.groups[group_arn("main")].tags["pg-privatelink:followed"] == "new.example.com:5432"


def test_new_tags_are_found_before_anything_is_changed() -> None:
    """The tags changed and this process does not know: what it reads before a change is what counts."""
    world = settled_world(A)
    world.elb.groups[group_arn("main")].tags["pg-privatelink:hostname"] = "new.example.com"
    world.dns.set(C, hostname="new.example.com")
    world.dns.set(B)

    world.minute()

    assert world.live() == {C}
    assert f"+{B}" not in world.changes()


def test_new_tags_are_found_by_reconciling() -> None:
    """Nothing else happens, and no deployment said so: the table is read again within an hour."""
    world = settled_world(A)
    world.elb.groups[group_arn("main")].tags["pg-privatelink:hostname"] = "new.example.com"
    world.dns.set(B, hostname="new.example.com")

    world.minutes(62)

    assert world.live() == {B}


def test_new_tags_are_found_when_the_deployment_says_so() -> None:
    """The minute's event names another edition of the table: read at once, and not again with the next event."""
    world = settled_world(A)
    world.fleet.refresh(edition="1")
    world.elb.add("green", hostname="green.example.com")
    world.dns.set(B, hostname="green.example.com")
    calls = world.elb.count()["DescribeTargetGroups"]

    for _ in range(3):
        world.fleet.refresh(edition="2")
        world.fleet.watch(attend=0.0, limit=1.0)

    assert world.elb.live("green") == {f"{B}:5432"}
    assert world.elb.count()["DescribeTargetGroups"] == calls + 1


def test_new_tags_end_the_trouble_with_the_old_name() -> None:
    """The old name is gone with its database: the table is read again at the next invocation."""
    world = settled_world(A)
    world.dns.fail(Outcome.NXDOMAIN)
    world.elb.groups[group_arn("main")].tags["pg-privatelink:hostname"] = "new.example.com"
    world.dns.set(B, hostname="new.example.com")

    with pytest.raises(SyncError, match="NXDOMAIN"):
        world.minute()
    world.minute()

    assert world.live() == {B}


def test_a_changed_port() -> None:
    """The same address on another port: the new target first, the old one goes once the new one is healthy."""
    world = settled_world(A)
    world.elb.groups[group_arn("main")].tags["pg-privatelink:port"] = "6432"
    world.fleet.refresh(older_than=0)

    world.minute()

    assert [(what, str(endpoint)) for _, what, endpoint in world.elb.log] == [
        ("register", f"{A}:6432"),
        ("deregister", f"{A}:5432"),
    ]


def test_a_target_removed_by_hand_comes_back() -> None:
    """Drift is found by the slow reconcile, within 10 minutes."""
    world = settled_world(A, B)
    del world.elb.groups[group_arn("main")].rows[Endpoint(B, 5432)]

    world.minutes(11)

    assert world.live() == {A, B}


def test_a_stray_target_goes() -> None:
    """Somebody added a target that no answer names: seen by the reconcile, and gone by the usual confirmation."""
    world = settled_world(A)
    added = len(world.elb.calls)
    world.elb.hold("main", *endpoints([C]))

    world.minutes(13)

    assert world.live() == {A}
    assert world.changes() == [f"-{C}"]
    seen = next(when for when, operation, _ in world.elb.calls[added:] if operation == "DescribeTargetHealth")
    assert 10.0 <= world.elb.log[-1][0] - seen <= 15.0


def test_an_interrupted_failover_is_finished_after_a_cold_start() -> None:
    """The process died between registering and deregistering: the next one cannot know which one is new, but learns."""
    world = World()
    world.elb.add(followed=f"{HOST}:5432")
    world.elb.hold("main", *endpoints([A, B]))
    world.dns.set(B)

    world.minutes(2)

    assert world.changes() == [f"-{A}"]


def test_a_failover_while_the_function_was_away() -> None:
    """A cold start finds another address than the registered one: the usual rule, no long patience."""
    world = World()
    world.elb.add(followed=f"{HOST}:5432")
    world.elb.hold("main", *endpoints([A]))
    world.elb.down.add(B)
    world.dns.set(B)
    start = world.clock.time()

    world.minute()

    assert [(when - start, what, endpoint.address) for when, what, endpoint in world.elb.log] == [
        (0.0, "register", B),
        (5.0, "deregister", A),
    ]


def test_an_adopted_group() -> None:
    """A group that somebody else filled, nothing recorded: its target stays until the database's is healthy."""
    world = World()
    world.elb.add()
    world.elb.hold("main", *endpoints([A]))
    world.elb.down.add(B)
    world.dns.set(B)
    world.minutes(3)
    assert world.live() == {A, B}

    world.elb.down.clear()
    world.minutes(3)

    assert world.live() == {B}


def test_two_processes_at_once() -> None:
    """An event starts a second process that finds the new address first: the first one does not undo it."""
    world = settled_world(A)
    slow = world.fleet
    world.restart()
    world.dns.set(B)
    world.fleet.refresh()
    world.fleet.go(world.fleet.work.look(world.fleet.followers[group_arn("main")]))
    assert world.live() == {A, B}

    # The first process's resolver still has the old answer, and its reconcile is due.
    world.dns.set(A)
    world.clock.sleep(601.0)
    slow.watch(attend=10.0, limit=10.0)

    assert world.live() == {A, B}


def test_a_decision_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Each change says listener, name, answer, what was done, why, and how long after the answer."""
    world = settled_world(A)
    world.elb.latency = 0.2
    world.dns.set(B)
    capsys.readouterr()

    world.minute()

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    changed = [line for line in lines if line["message"] == "changed"]
    assert changed[0] | {"timestamp": ""} == {
        "timestamp": "",
        "level": "INFO",
        "message": "changed",
        "listener": "main",
        "hostname": HOST,
        "answer": [B],
        "registered": [f"{B}:5432"],
        "cause": "the name answers with other addresses",
        "seconds": 0.4,
    }
    assert changed[1]["deregistered"] == [f"{A}:5432"]


def test_a_quiet_minute_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing happened: a single summary."""
    world = settled_world(A)
    capsys.readouterr()

    world.minute()

    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert (line["message"], line["listeners"], line["looks"], line["changes"]) == ("watched", 1, 13, 0)

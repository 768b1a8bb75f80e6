"""Each fault that a follower of DNS names was ever seen to get wrong, as one table: what went wrong, what must be."""

from __future__ import annotations

import functools

import pytest

from target_sync.resolve import Outcome
from target_sync.watch import SyncError
from tests.function.fakes import HOST, World, aws_error, endpoints, group_arn

A, B, C = "10.0.0.5", "10.0.1.6", "10.0.2.7"
CHANGING_CALLS = ("DescribeTags", "DescribeTargetHealth", "RegisterTargets", "DeregisterTargets")


def settled(*addresses: str) -> World:
    """A group that follows its name for some minutes; nothing happened since."""
    world = World()
    world.elb.add(followed=f"{HOST}:5432")
    world.elb.hold("main", *endpoints(addresses))
    world.dns.set(*addresses)
    world.minutes(2)
    assert world.changes() == []
    return world


@pytest.mark.parametrize("operation", CHANGING_CALLS)
@pytest.mark.parametrize("times", [1, 2])
def test_a_call_throttled_once_or_twice(operation: str, times: int) -> None:
    """Whichever of a failover's calls it is: tried again within the minute, and the result is the same."""
    world = settled(A)
    world.elb.faults[operation].extend([aws_error("ThrottlingException", operation)] * times)
    world.dns.set(B)

    world.minute()

    assert world.changes() == [f"+{B}", f"-{A}"]
    assert not world.elb.faults[operation]
    assert not world.elb.emptied


@pytest.mark.parametrize("operation", CHANGING_CALLS)
@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDenied"])
def test_a_call_that_fails_for_ever(operation: str, code: str) -> None:
    """The old target stays, each minute's invocation is an error, and when the fault ends all is done at once."""
    world = settled(A)
    world.elb.always[operation] = aws_error(code, operation)
    world.dns.set(B)

    for _ in range(3):
        with pytest.raises(SyncError, match=f"listeners failed: .*main: .* failed: {code}"):
            world.minute()

    # Registering needs no look at the targets, so that one which fails does not stop it.
    assert world.live() == ({A, B} if operation in ("DeregisterTargets", "DescribeTargetHealth") else {A})
    world.elb.always.clear()
    world.minute()
    assert world.live() == {B}
    assert world.changes() == [f"+{B}", f"-{A}"]


def test_a_throttled_record() -> None:
    """The tag cannot be written: the targets are right all the same, and it is written later."""
    world = World()
    world.elb.add()
    world.dns.set(A)
    world.elb.faults["AddTags"].extend([aws_error("ThrottlingException", "AddTags")] * 2)

    world.minutes(2)

    assert world.changes() == [f"+{A}"]
    assert world.elb.groups[group_arn("main")].tags["pg-privatelink:followed"] == f"{HOST}:5432"


@pytest.mark.parametrize("code", ["InvalidTarget", "TooManyTargets", "TooManyRegistrationsForTargetId"])
def test_a_refused_registration(code: str) -> None:
    """AWS does not take the new address: the old one stays, and the error says which call and why."""
    world = settled(A)
    world.elb.always["RegisterTargets"] = aws_error(code)
    world.dns.set(B)

    with pytest.raises(SyncError, match=f"main: register failed: {code}: .*{code} it is"):
        world.minute()

    assert world.live() == {A}
    assert world.elb.count()["DeregisterTargets"] == 0


def test_a_forbidden_address_is_no_part_of_the_answer() -> None:
    """One good address and one that is refused: the good one is registered and recorded as all there is."""
    world = World()
    world.elb.add()
    world.dns.set(A, "10.9.0.1")

    for _ in range(2):
        with pytest.raises(SyncError, match=r"10\.9\.0\.1 is outside the ranges"):
            world.minute()

    assert world.changes() == [f"+{A}"]
    assert world.elb.groups[group_arn("main")].tags["pg-privatelink:followed"] == f"{HOST}:5432"


def test_a_new_configuration_in_the_middle_of_a_failover() -> None:
    """The old name's failover is all but done when another name is to be followed: it takes nothing out any more."""
    world = settled(A)
    world.dns.set(B)
    world.dns.set(A, hostname="green.example.com")
    tags = world.elb.groups[group_arn("main")].tags
    world.clock.after(2.5, lambda: tags.update({"pg-privatelink:hostname": "green.example.com"}))

    world.minutes(2)

    assert f"-{A}" not in world.changes()
    assert world.live() == {A}


def test_somebody_else_undoes_a_repair() -> None:
    """A target that was missing is registered again, and once more when somebody takes it out: at the next look."""
    world = settled(A, B)

    def undo() -> None:
        world.elb.deregister_targets(TargetGroupArn=group_arn("main"), Targets=[{"Id": B, "Port": 5432}])

    undo()
    while world.live() == {A}:
        world.minute()
    world.restart()
    undo()
    world.elb.log.clear()
    world.clock.after(0.5, undo)
    start = world.clock.time()

    world.minute()

    assert world.changes() == [f"+{B}", f"-{B}", f"+{B}"]
    assert world.elb.log[-1][0] - start <= 6.0


def test_a_deleted_group_in_the_middle_of_a_failover() -> None:
    """The group goes between reading and registering: nobody's error, and no further call for it."""
    world = settled(A)
    world.elb.always["RegisterTargets"] = aws_error("TargetGroupNotFound")
    world.dns.set(B)

    world.minute()

    assert world.elb.count()["RegisterTargets"] == 1


def test_a_failed_answer_in_the_middle_of_a_failover() -> None:
    """It says nothing: what was heard before still counts, and the old target goes as soon as without it."""
    world = settled(A)
    world.dns.set(B)
    start = world.clock.time()
    world.clock.after(1.5, lambda: world.dns.fail(Outcome.SERVFAIL))
    world.clock.after(3.5, lambda: world.dns.set(B))

    world.minute()

    assert world.changes() == [f"+{B}", f"-{A}"]
    assert world.elb.log[1][0] - start <= 10.0


def test_registered_first_when_both_are_due() -> None:
    """A new address and one that should long since be out: the new one comes before the old one goes."""
    world = settled(A)
    world.elb.always["DeregisterTargets"] = aws_error("AccessDenied", "DeregisterTargets")
    world.dns.set(B)
    for _ in range(2):
        with pytest.raises(SyncError):
            world.minute()
    world.elb.always.clear()
    world.dns.set(B, C)

    world.minute()

    assert world.changes() == [f"+{B}", f"+{C}", f"-{A}"]
    assert world.elb.log[1][0] == world.elb.log[2][0]


@pytest.mark.parametrize("operation", ["RegisterTargets", "DeregisterTargets"])
def test_a_lost_response(operation: str) -> None:
    """The change took effect and an error came back: tried again at most once, which changes nothing more."""
    world = settled(A)
    world.elb.lost[operation].append(aws_error("InternalFailure", operation))
    world.dns.set(B)

    world.minute()

    assert world.changes() == [f"+{B}", f"-{A}"]
    assert world.elb.count()[operation] <= 2


def test_a_registration_that_took_effect_in_part() -> None:
    """One of two new targets was registered, then an error: the other one follows, and then both old ones go."""
    world = settled(A)
    world.elb.partly["RegisterTargets"].append(aws_error("TooManyTargets"))
    world.dns.set(B, C)

    world.minute()

    assert world.changes() == [f"+{B}", f"+{C}", f"-{A}"]


def test_a_deregistration_that_took_effect_in_part() -> None:
    """One of two old targets is out, then an error: the other one goes at the next attempt."""
    world = settled(A, C)
    world.elb.partly["DeregisterTargets"].append(aws_error("InternalFailure", "DeregisterTargets"))
    world.dns.set(B)

    world.minute()

    assert world.changes() == [f"+{B}", f"-{A}", f"-{C}"]
    assert world.live() == {B}


def test_an_old_target_on_another_port() -> None:
    """A on 6432 is no target of this name: it goes on its own port, and on no other."""
    world = World()
    world.elb.add(followed=f"{HOST}:5432")
    world.elb.hold("main", *endpoints([A], 6432))
    world.dns.set(B)

    world.minutes(2)

    assert world.elb.live() == {f"{B}:5432"}
    assert [(what, str(endpoint)) for _, what, endpoint in world.elb.log] == [
        ("register", f"{B}:5432"),
        ("deregister", f"{A}:6432"),
    ]


def test_one_of_two_addresses_is_replaced() -> None:
    """{A, B} becomes {B, C}: one registration, one deregistration, and B is never touched."""
    world = settled(A, B)
    world.dns.set(B, C)

    world.minutes(2)

    assert world.changes() == [f"+{C}", f"-{A}"]


@pytest.mark.parametrize(
    ("answers", "changes"),
    [
        pytest.param([(9.0, B), (10.5, A)], [f"+{B}", f"-{B}"], id="A>B>A within two looks"),
        pytest.param([(5.0, B), (25.0, A)], [f"+{B}", f"-{A}", f"+{A}", f"-{B}"], id="A>B>A within one minute"),
        pytest.param([(50.0, B), (130.0, A)], [f"+{B}", f"-{A}", f"+{A}", f"-{B}"], id="A>B>A across invocations"),
        pytest.param(
            [(5.0, B), (15.0, A), (25.0, B)],
            [f"+{B}", f"-{A}", f"+{A}", f"-{B}", f"+{B}", f"-{A}"],
            id="new, old, new within one minute",
        ),
        pytest.param([(5.0, B), (8.0, A), (11.0, B)], [f"+{B}", f"-{A}"], id="new, old, new within a few looks"),
        pytest.param(
            [(50.0, B), (70.0, A), (130.0, B)],
            [f"+{B}", f"-{A}", f"+{A}", f"-{B}", f"+{B}", f"-{A}"],
            id="new, old, new across invocations",
        ),
    ],
)
@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_a_name_that_goes_back_and_forth(answers: list[tuple[float, str]], changes: list[str], cold: bool) -> None:
    """The group follows, is never empty, and ends with what the name ends with; a cold start each minute is no harm."""
    world = settled(A)
    world.elb.delay = 300.0
    for at, address in answers:
        world.clock.after(at, functools.partial(world.dns.set, address))

    for _ in range(6):
        world.minute()
        if cold:
            world.restart()

    assert world.live() == {answers[-1][1]}
    assert world.changes() == changes
    assert not world.elb.emptied


def test_a_quiet_day() -> None:
    """24 hours: no change, at most 12 calls of Elastic Load Balancing an hour, one question per 5 s and minute."""
    world = settled(A)
    world.minutes(10)
    world.elb.calls.clear()
    asked = len(world.dns.asked)

    world.minutes(24 * 60)

    assert world.changes() == []
    assert len(world.elb.calls) <= 24 * 12
    assert world.elb.count().keys() == {"DescribeTargetGroups", "DescribeTags", "DescribeTargetHealth"}
    assert len(world.dns.asked) - asked == 24 * 60 * 13


def test_a_quiet_day_at_little_cost() -> None:
    """The same with a poll interval of a minute: one question a minute."""
    world = World(60.0)
    world.elb.add(followed=f"{HOST}:5432")
    world.elb.hold("main", *endpoints([A]))
    world.dns.set(A)
    world.minutes(40)
    world.elb.calls.clear()
    asked = len(world.dns.asked)

    world.minutes(24 * 60)

    assert world.changes() == []
    assert len(world.elb.calls) <= 24 * 12
    assert len(world.dns.asked) - asked == 24 * 60

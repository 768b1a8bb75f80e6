"""What `plan` decides, rule by rule."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_sync.history import STEADY_ROUNDS, UNEXPLAINED_ROUNDS, History
from target_sync.listener import Listener
from target_sync.plan import plan
from target_sync.target import Endpoint, Target
from tests.function.fakes import HOST, VPC, endpoints, group_arn

A, B, C = endpoints(["10.0.0.5", "10.0.1.6", "10.0.2.7"])
LISTENER = Listener("main", group_arn("main"), HOST, 5432, (VPC,), (VPC,), followed=f"{HOST}:5432")
RECONFIGURED = LISTENER._replace(followed="old.example.com:5432")
TTL = 5.0


def heard(*answers: str, held: str = "", ttl: float = TTL, spacing: float = TTL) -> History:
    """The history of answers such as "A" or "BC", in a group that held something before."""
    names = {"A": A, "B": B, "C": C}
    history = History().holding([names[name] for name in held])
    for turn, answer in enumerate(answers):
        history = history.answered([names[name] for name in answer], ttl, 100.0 + spacing * turn)
    return history


def rows(*endpoints: Endpoint, state: str = "healthy") -> list[Target]:
    """Rows of a target group."""
    return [Target(endpoint, state) for endpoint in endpoints]


def deregistered(history: History, targets: list[Target], listener: Listener = LISTENER) -> list[Endpoint]:
    """What a plan takes out."""
    return [target.endpoint for target in plan(history, targets, listener).deregister]


def test_the_first_answer_is_registered() -> None:
    """An empty group gets what the first answer names, at first sight."""
    change = plan(heard("AB"), [], LISTENER)

    assert change.register == (A, B)
    assert change.deregister == ()
    assert change.cause == "the target group was empty"


def test_without_an_answer_nothing_changes() -> None:
    """No successful answer yet: even a strange group stays as it is."""
    assert not plan(History().holding([A, B]), rows(A, B), LISTENER)


def test_a_new_address_is_registered_at_first_sight_and_the_old_one_kept() -> None:
    """One answer is enough to register, and not enough to deregister."""
    change = plan(heard("A", "A", "B", held="A"), rows(A), LISTENER)

    assert (change.register, change.deregister) == ((B,), ())


@pytest.mark.parametrize(
    ("answers", "spacing", "expected"),
    [
        pytest.param("AAABB", 10.0, [], id="missing from two answers only, though over two times to live"),
        pytest.param("AAABBB", 5.0, [A], id="missing from three over two times to live"),
        pytest.param("AAABBB", 2.5, [A], id="missing from three over exactly one time to live"),
        pytest.param("AAABBB", 2.4, [], id="missing from three within less than that"),
        pytest.param("AAABBBB", 2.4, [A], id="missing from four over more than one time to live"),
        pytest.param("AAABAB", 5.0, [], id="it came back in between"),
        pytest.param("AAABBAB", 5.0, [], id="it came back a moment ago"),
        pytest.param("AAABABBB", 5.0, [A], id="new, old, new: the new one stayed"),
    ],
)
def test_an_address_goes_once_it_is_confirmed_gone(answers: str, spacing: float, expected: list[Endpoint]) -> None:
    """On a failover: missing from three answers in a row that span a time to live, its successor registered."""
    history = heard(*answers, held="A", spacing=spacing)

    assert deregistered(history, rows(A, B, state="unhealthy")) == expected


def test_there_and_back_again() -> None:
    """A, B, A: the one in between goes by the same rule, the first one stays."""
    history = heard("A", "A", "B", "A", "A", "A", held="A")

    assert deregistered(history, rows(A, B)) == [B]


def test_a_draining_target_is_not_registered() -> None:
    """What comes back while it is still draining is registered again."""
    targets = [*rows(B), Target(A, "draining", "Target.DeregistrationInProgress")]

    assert plan(heard("B", "A", held="B"), targets, LISTENER).register == (A,)


def test_a_failed_but_registered_target_is_registered() -> None:
    """`unhealthy.draining` says that connections drain, not that the target was deregistered."""
    assert plan(heard("A", held="A"), rows(A, state="unhealthy.draining"), LISTENER).register == ()


def test_nothing_goes_before_its_successor_is_registered() -> None:
    """However long A is gone: as long as B is not registered (a throttled call), A stays."""
    history = heard("A", *"B" * 50, held="A")

    assert plan(history, rows(A), LISTENER).deregister == ()
    assert plan(history, [*rows(A), Target(B, "draining")], LISTENER).deregister == ()
    assert plan(history, rows(A, B), LISTENER).deregister == (Target(A, "healthy"),)


@pytest.mark.parametrize(
    ("old", "new", "goes"),
    [
        ("healthy", "initial", False),
        ("healthy", "unhealthy", False),
        ("healthy", "unused", False),
        ("healthy", "healthy", True),
        ("unavailable", "initial", False),
        ("unhealthy", "initial", True),
        ("unhealthy.draining", "initial", True),
        ("unused", "unhealthy", True),
        ("initial", "initial", True),
    ],
)
def test_after_a_configuration_change_the_successor_must_serve(old: str, new: str, goes: bool) -> None:
    """Another name was followed before: its address serves until the new one does, unless it serves nobody anyway."""
    targets = [Target(A, old), Target(B, new)]

    change = plan(heard("B", "B", "B", held="A"), targets, RECONFIGURED)

    assert [target.endpoint for target in change.deregister] == ([A] if goes else [])
    assert [target.endpoint for target in change.waiting] == ([] if goes else [A])


@pytest.mark.parametrize("new", ["initial", "unhealthy", "unused", "unavailable"])
def test_on_a_failover_health_does_not_matter(new: str) -> None:
    """A demoted writer passes its checks: it goes although the new one does not pass them yet."""
    assert deregistered(heard("B", "B", "B", held="A"), [Target(A, "healthy"), Target(B, new)]) == [A]


def test_a_target_on_another_port_is_another_target() -> None:
    """The port changed: the address is registered on the new one, and goes on the old one by the usual rule."""
    old = A._replace(port=6432)
    first = History().holding([old]).answered([A], TTL, 100.0)

    assert plan(first, rows(old), RECONFIGURED).register == (A,)

    later = first.answered([A], TTL, 105.0).answered([A], TTL, 110.0)
    assert deregistered(later, rows(old, A), RECONFIGURED) == [old]


def test_one_of_two_addresses_is_replaced() -> None:
    """{A, B} becomes {B, C}: C comes at once, A goes when confirmed gone, B is never touched."""
    history = heard("AB", "AB", "BC", held="AB")
    assert plan(history, rows(A, B), LISTENER).register == (C,)

    for turn in range(2):
        history = history.answered([B, C], TTL, 115.0 + turn * TTL)
    change = plan(history, rows(A, B, C), LISTENER)
    assert (change.register, [target.endpoint for target in change.deregister]) == ((), [A])


def test_one_of_two_addresses_is_given_up() -> None:
    """A name that always gave both gives one: the other one goes by the usual rule, having been steady before."""
    history = heard(*["AB"] * (STEADY_ROUNDS + 1), "A", "A", "A", held="AB")

    assert deregistered(history, rows(A, B)) == [B]


def test_a_stray_target_goes_when_nothing_explains_it() -> None:
    """What no answer ever named, beside what they do name, might be taking turns: more answers are asked for."""
    few, enough = (heard(*"A" * count, held="AB") for count in (UNEXPLAINED_ROUNDS - 1, UNEXPLAINED_ROUNDS + 1))

    assert deregistered(few, rows(A, B)) == []
    assert deregistered(enough, rows(A, B)) == [B]


def test_a_target_seen_for_the_first_time_is_not_gone_yet() -> None:
    """Another invocation may have registered it, knowing a newer answer: what it is missing from counts from now on."""
    history = heard(*"A" * 100, held="A").holding([A, B], before=[A])

    assert deregistered(history, rows(A, B)) == []


def test_a_target_that_came_back_is_not_gone_yet() -> None:
    """It was confirmed gone and went; another invocation, which knows a newer answer, registered it again."""
    history = heard(*"BAAAA", held="A")
    assert deregistered(history, rows(A, B)) == [B]

    returned = history.holding([A], before=[A, B]).holding([A, B], before=[A])

    assert deregistered(returned, rows(A, B)) == []
    later = returned
    for turn in range(3):
        later = later.answered([A], TTL, history.at + (turn + 1) * TTL)
    assert deregistered(later, rows(A, B)) == [B]


def test_a_recorded_single_target_tells_that_the_name_is_steady() -> None:
    """A cold start during a failover's flaps: what comes back three times does not take turns."""
    steady = History().holding([A], steady=True)
    unknown = History().holding([A])
    for turn, name in enumerate("BABABABBB"):
        steady, unknown = (
            each.answered([{"A": A, "B": B}[name]], TTL, 100.0 + turn * TTL) for each in (steady, unknown)
        )

    assert deregistered(steady, rows(A, B)) == [A]
    assert deregistered(unknown, rows(A, B)) == []


@pytest.mark.parametrize("address", ["8.8.8.8", "10.1.0.5", "127.0.0.1", "169.254.169.254", "fd00::1", "db-1"])
def test_only_allowed_addresses_are_registered(address: str) -> None:
    """Public ones and those outside the listener's ranges never are, whatever the answer says."""
    history = History().answered([Endpoint(address, 5432), A], TTL, 100.0)

    assert plan(history, [], LISTENER).register == (A,)


def test_a_forbidden_address_is_no_successor() -> None:
    """An answer without any allowed address takes nothing out."""
    history = heard("A", held="A")
    for turn in range(20):
        history = history.answered([Endpoint("8.8.8.8", 5432)], TTL, 105.0 + turn * TTL)

    assert not plan(history, [*rows(A), Target(Endpoint("8.8.8.8", 5432), "healthy")], LISTENER)


def test_ranges_and_vpc_are_two_conditions() -> None:
    """A range that the user allows is not enough for a public address; a VPC may have public ranges of its own."""
    everything = ipaddress.IPv4Network("0.0.0.0/0")
    public = ipaddress.IPv4Network("198.51.100.0/24")

    open_listener = LISTENER._replace(ranges=(everything,))
    assert not open_listener.allows("198.51.100.7")
    assert open_listener.allows("100.64.1.1")
    assert open_listener._replace(vpc_ranges=(public,)).allows("198.51.100.7")


def test_the_followed_name_is_recorded_once_settled() -> None:
    """When the group holds exactly what the settled answers name, and not before."""
    assert plan(heard("A", "A", held="A"), rows(A), RECONFIGURED).record is None
    assert plan(heard("A", "A", "A", held="AB"), rows(A, B), RECONFIGURED).record is None
    assert plan(heard("A", "A", "A", held="A"), rows(A), RECONFIGURED).record == f"{HOST}:5432"
    assert plan(heard("A", "A", "A", held="A"), rows(A), LISTENER).record is None


def test_addresses_that_take_turns_are_all_kept() -> None:
    """Two addresses, one in each answer: registered once, recorded, and then no change ever."""
    history = heard(*"AB" * 4)
    assert plan(history, rows(A, B), RECONFIGURED).record == f"{HOST}:5432"
    for turns in range(1, 60):
        assert not plan(heard(*("AB" * turns)), rows(A, B), LISTENER)


def test_three_addresses_that_take_turns_are_all_kept() -> None:
    """While they are being found, too: each is missing from two answers out of three, or more when there are more."""
    for names in ("ABC", "ABCBA", "ACBABC"):
        for count in range(1, 40):
            history = heard(*(names * count)[:count])
            assert not plan(history, rows(*history.known), LISTENER)


def test_addresses_in_random_turns_are_kept_after_a_cold_start() -> None:
    """Nothing is known but the group: an unlucky streak of one address does not cost the other."""
    for streak in range(1, UNEXPLAINED_ROUNDS):
        assert not plan(heard(*"A" * streak, held="AB"), rows(A, B), LISTENER)


def test_the_longer_the_turns_the_longer_the_patience() -> None:
    """Two addresses that took turns 20 times: 29 answers without one prove nothing, 30 do."""
    before = "AB" * 10

    assert deregistered(heard(*before, *"A" * 30), rows(A, B)) == []
    assert deregistered(heard(*before, *"A" * 31), rows(A, B)) == [B]


def test_a_name_that_was_steady_may_go_back_and_forth_for_a_while() -> None:
    """A failover's flaps on a name known to be steady do not make the demoted writer stay for long."""
    steady = "A" * (STEADY_ROUNDS + 1)

    assert deregistered(heard(*steady, *"BABABABBB", held="A"), rows(A, B)) == [A]
    assert deregistered(heard(*"AAA", *"BABABABBB", held="A"), rows(A, B)) == []


def test_a_name_that_was_steady_is_not_forgiven_for_ever() -> None:
    """After a dozen returns its addresses take turns, as those of any other name."""
    steady = "A" * (STEADY_ROUNDS + 1)

    assert deregistered(heard(*steady, *("BA" * 12), *"BBB", held="A"), rows(A, B)) == []


@pytest.mark.parametrize(
    ("lives", "gone"),
    [
        pytest.param([5, 4, 3, 2, 1, 5], True, id="fetched anew after a time to live"),
        pytest.param([5, 4, 3, 2, 1, 1], False, id="rounded: it may still be the first one"),
        pytest.param([5, 4, 3, 2, 1, 1, 5], True, id="and is not a second later"),
        pytest.param([5, 4, 3, 2, 1, 0, 0], False, id="still rounded"),
        pytest.param([5, 4, 3, 2, 1, 0, 0, 0], True, id="whatever it says, two seconds later it cannot be"),
        pytest.param([0, 0, 0], True, id="an answer that no cache keeps"),
        pytest.param([2, 1, 0, 5, 4], False, id="fetched anew, but a time to live has not passed"),
        pytest.param([2, 1, 0, 5, 4, 3], True, id="until it has: that counts, not how old the latest is"),
    ],
)
def test_a_cache_that_counts_down(lives: list[int], gone: bool) -> None:
    """The longest time to live is the zone's; one answer out of a cache, given again and again, confirms nothing."""
    history = heard("A", "A", "A", held="A")
    for second, left in enumerate(lives):
        assert deregistered(history, rows(A, B)) == []
        history = history.answered([B], float(left), 200.0 + second)

    assert deregistered(history, rows(A, B)) == ([A] if gone else [])


@given(
    answers=st.lists(st.sets(st.sampled_from([A, B, C]), min_size=1), max_size=40),
    held=st.sets(st.sampled_from([A, B, C, A._replace(port=1)])),
    states=st.lists(
        st.sampled_from(["initial", "healthy", "unhealthy", "draining", "unused", "unavailable"]),
        min_size=4,
        max_size=4,
    ),
    followed=st.sampled_from(["", f"{HOST}:5432", "old.example.com:5432"]),
    allowed=st.sampled_from(["10.0.0.0/16", "10.0.0.0/24", "10.0.1.0/24"]),
)
def test_a_plan_never_hurts(
    answers: list[set[Endpoint]], held: set[Endpoint], states: list[str], followed: str, allowed: str
) -> None:
    """Whatever was answered and is registered: nothing forbidden comes in, and a filled group stays filled.

    What goes was registered, is not named now, was missing three times, and leaves a target that is named now.
    """
    listener = LISTENER._replace(followed=followed, ranges=(ipaddress.IPv4Network(allowed),))
    history = History().holding(held)
    for turn, answer in enumerate(answers):
        history = history.answered(answer, TTL, turn * TTL)
    targets = [Target(endpoint, state) for endpoint, state in zip(sorted(held), states, strict=False)]
    live = {target.endpoint for target in targets if target.registered}

    change = plan(history, targets, listener)

    latest = answers[-1] if answers else set()
    going = {target.endpoint for target in change.deregister}
    assert all(listener.allows(endpoint.address) and endpoint in latest for endpoint in change.register)
    assert not live & set(change.register)
    assert going <= live - latest
    assert all(endpoint not in answer for answer in answers[-3:] for endpoint in going)
    if going:
        assert len(answers) >= 3
        assert any(listener.allows(endpoint.address) for endpoint in (live - going) & latest)
    if change.record is not None:
        assert not change.register
        assert live >= latest


@given(
    before=st.lists(st.sets(st.sampled_from([A, B, C]), min_size=1), max_size=60),
    final=st.sets(st.sampled_from([A, B, C]), min_size=1),
    held=st.sets(st.sampled_from([A, B, C])),
    ttl=st.sampled_from([0.0, 1.0, 5.0, 60.0]),
)
def test_a_steady_answer_is_reached_and_kept(
    before: list[set[Endpoint]], final: set[Endpoint], held: set[Endpoint], ttl: float
) -> None:
    """After any past, once answers stay the same, the group becomes exactly that and is left alone."""
    history = History().holding(held)
    live = set(held)
    changes = []
    for turn, answer in enumerate([*before, *[final] * (STEADY_ROUNDS + 2)]):
        history = history.answered(answer, ttl, turn * max(ttl, 1.0))
        history = history.holding(live, before=live)
        change = plan(history, rows(*live), LISTENER)
        live = (live | set(change.register)) - {target.endpoint for target in change.deregister}
        changes.append(bool(change.register or change.deregister))
        assert live

    assert live == final
    assert not changes[-1]

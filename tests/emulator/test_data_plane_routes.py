"""Who gets a load balancer's connections, and who loses them: decisions alone, on a clock that the tests set."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from emulator.data_plane.routes import Endpoint, Routes, Row, Rules

A, B = Endpoint("127.0.0.10", 5432), Endpoint("127.0.1.10", 5432)
STATES = ["initial", "healthy", "unhealthy", "draining", "unused"]


def rows(**states: str) -> list[Row]:
    """Rows of DescribeTargetHealth by target."""
    return [Row({"a": A, "b": B}[name], state) for name, state in states.items()]


def test_what_was_there_before_serves_at_once() -> None:
    """The registration delay concerns targets that are registered while it looks."""
    routes = Routes(Rules(), registration_seconds=180)

    routes.update(rows(a="healthy"), now=0)

    assert routes.candidates(0) == [A]


def test_a_new_target_gets_connections_after_the_delay() -> None:
    """Healthy or not: until then the load balancer does not know of it."""
    routes = Routes(Rules(), registration_seconds=30)
    routes.update(rows(a="healthy"), now=0)

    routes.update(rows(a="healthy", b="healthy"), now=10)

    assert routes.candidates(39.9) == [A]
    assert routes.candidates(40) == [A, B]


def test_nobody_is_left_while_the_successor_is_registered() -> None:
    """The old target has left, the new one does not serve yet: connections are reset."""
    routes = Routes(Rules(), registration_seconds=30)
    routes.update(rows(a="healthy"), now=0)
    routes.update(rows(a="draining", b="healthy"), now=1)

    assert routes.candidates(5) == []
    assert routes.candidates(31) == [B]


def test_healthy_targets_go_first_and_without_any_all_are_tried() -> None:
    """Fail-open: initial and unhealthy ones get connections when there is no healthy one."""
    routes = Routes(Rules())
    routes.update(rows(a="unhealthy", b="healthy"), now=0)
    assert routes.candidates(0) == [B]

    routes.update(rows(a="unhealthy", b="initial"), now=1)
    assert routes.candidates(1) == [A, B]


def test_a_target_that_comes_back_waits_again() -> None:
    """Registered again while it drains: as a new one. AWS says nothing of it; this is the careful guess."""
    routes = Routes(Rules(), registration_seconds=30)
    routes.update(rows(a="healthy"), now=0)
    routes.update(rows(a="draining"), now=1)
    routes.update(rows(a="healthy"), now=2)

    assert routes.candidates(31) == []
    assert routes.candidates(32) == [A]


def test_draining_keeps_connections_until_its_end() -> None:
    """Then connection termination ends them; without it they live on."""
    for rules, ended in ((Rules(end_deregistered=True), True), (Rules(end_deregistered=False), False)):
        routes = Routes(rules)
        routes.update(rows(a="healthy", b="healthy"), now=0)
        routes.update(rows(a="draining", b="healthy"), now=1)
        assert not routes.loses(A, 1)
        routes.update(rows(b="healthy"), now=11)
        assert routes.loses(A, 11) is ended
        assert not routes.loses(B, 11)


def test_an_unhealthy_target_loses_connections_unless_all_are_unhealthy() -> None:
    """As the group's attribute says, which is on by default; never while it fails open."""
    routes = Routes(Rules())
    routes.update(rows(a="unhealthy", b="healthy"), now=0)
    assert routes.loses(A, 0)

    routes.update(rows(a="unhealthy", b="unhealthy"), now=1)
    assert not routes.loses(A, 1)

    kept = Routes(Rules(end_unhealthy=False))
    kept.update(rows(a="unhealthy", b="healthy"), now=0)
    assert not kept.loses(A, 0)


def test_a_healthy_target_that_does_not_serve_yet_is_no_reason_to_end_connections() -> None:
    """While the only healthy target is being registered, the load balancer still fails open."""
    routes = Routes(Rules(), registration_seconds=30)
    routes.update(rows(a="healthy"), now=0)
    routes.update(rows(a="unhealthy", b="healthy"), now=1)

    assert not routes.loses(A, 2)
    assert routes.loses(A, 31)


@given(
    st.lists(st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(STATES)), min_size=1, max_size=12),
    st.sampled_from([0.0, 30.0, 180.0]),
)
def test_only_registered_targets_get_connections(history: list[dict[str, str]], delay: float) -> None:
    """Whatever happens: never one that drains, is unused or is not there, and none loses them by getting healthy."""
    routes = Routes(Rules(end_deregistered=True), registration_seconds=delay)
    for number, states in enumerate(history):
        now = number * 10.0
        routes.update(rows(**states), now)
        live = {each.endpoint for each in rows(**states) if each.state in {"initial", "healthy", "unhealthy"}}
        healthy = {each.endpoint for each in rows(**states) if each.state == "healthy"}
        chosen = set(routes.candidates(now))
        assert chosen <= live
        assert not chosen & healthy or chosen <= healthy
        assert not any(routes.loses(each, now) for each in healthy)
        if delay == 0:
            assert bool(chosen) == bool(live)

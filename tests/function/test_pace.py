"""When calls may start: AWS's published token buckets, and who gets the next place."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_sync.pace import Bucket, Pace
from tests.function.fakes import group_arn

ROUNDING = 1e-6

moments = st.lists(st.floats(0.0, 30.0), min_size=1, max_size=120).map(sorted)
buckets = st.tuples(st.integers(1, 40), st.sampled_from([0.5, 2.0, 3.0, 4.0, 6.0, 10.0]))


def within(times: list[float], capacity: int, per_second: float) -> bool:
    """Whether a bucket that AWS fills at this rate, full at first, grants a call at each of these times."""
    tokens, before = float(capacity), times[0]
    for at in times:
        tokens = min(capacity, tokens + (at - before) * per_second) - 1
        before = at
        if tokens < -ROUNDING:
            return False
    return True


@given(now=moments, bucket=buckets)
def test_no_window_holds_more_than_the_bucket(now: list[float], bucket: tuple[int, float]) -> None:
    """In any window of t seconds there are at most capacity + rate * t places, whenever they were asked for."""
    capacity, per_second = bucket
    made = Bucket(capacity, per_second)

    places = [made.place(moment) for moment in now]

    for first, last in itertools.combinations(range(len(places)), 2):
        window = places[last] - places[first]
        assert last - first + 1 <= capacity + per_second * window + ROUNDING
    assert within(places, capacity, per_second)


@given(now=moments, bucket=buckets)
def test_first_come_first_served_and_no_later_than_needed(now: list[float], bucket: tuple[int, float]) -> None:
    """Nobody overtakes, nobody waits into the past, and nobody waits although AWS would grant the call before."""
    capacity, per_second = bucket
    made = Bucket(capacity, per_second)

    places = [made.place(moment) for moment in now]

    assert places == sorted(places)
    for number, (moment, place) in enumerate(zip(now, places, strict=True)):
        assert place >= moment
        if place > moment + 1e-3:
            assert not within([*places[:number], place - 1e-3], capacity, per_second)


@given(steps=st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans(), st.sampled_from([0.0, 0.5])), max_size=100))
def test_spare_tokens_leave_the_part_that_is_kept(steps: list[tuple[float, bool, float]]) -> None:
    """One is taken only if so much is left after it; one that is refused costs nobody anything."""
    capacity, per_second = 10, 2.0
    made, tokens, now = Bucket(capacity, per_second), float(capacity), 0.0
    for wait, spare, keep in steps:
        now += wait
        tokens = min(capacity, tokens + wait * per_second)
        if spare:
            taken = made.spare(now, keep=keep)
            if abs(tokens - 1 - keep * capacity) > ROUNDING:
                assert taken == (tokens - 1 > keep * capacity)
            tokens -= taken
        else:
            assert made.place(now) == pytest.approx(now + max(0.0, 1 - tokens) / per_second)
            tokens -= 1


def test_a_full_bucket_and_what_comes_after() -> None:
    """As many at once as it holds, the rest at its rate; after a long time it is full again, and no fuller."""
    made = Bucket(3, 2.0)

    assert [made.place(100.0) for _ in range(5)] == [100.0, 100.0, 100.0, 100.5, 101.0]
    assert [made.place(900.0) for _ in range(4)] == [900.0, 900.0, 900.0, 900.5]


def test_changes_get_the_published_bucket() -> None:
    """RegisterTargets and DeregisterTargets together: 20 at once, less two for late ones, then 4 a second."""
    pace = Pace()

    places = [pace.register(group_arn(str(number)), 50.0) for number in range(20)]

    assert places == [50.0] * 18 + [50.25, 50.5]


def test_deregistrations_get_less_of_it() -> None:
    """14 at once and 3.5 a second, of the same bucket: the reading before each brings them closer together."""
    pace = Pace()

    places = [pace.deregister(group_arn(str(number)), 50.0, use=True) for number in range(16)]

    assert places == pytest.approx([50.0] * 14 + [50 + 1 / 3.5, 50 + 2 / 3.5])
    assert [pace.register(f"other {number}", 50.0) for number in range(3)] == [50.0] * 2 + [50.25]


def test_a_registration_goes_before_a_deregistration_that_waits() -> None:
    """A late failover among many: its new address waits for those before it, not for what they are rid of later."""
    pace = Pace()
    places = [pace.deregister(f"early {number}", 0.0, use=False) for number in range(18)]
    assert places[14:16] == pytest.approx([1 / 3.5, 2 / 3.5])
    assert pace.register("in time", 0.0) == 0.25

    assert pace.register("late", 0.0, use=False) == places[14]
    assert pace.deregister("early 14", 0.0, use=False) == 0.5
    assert pace.register("latest", 0.0, use=False) == 0.5
    assert pace.deregister("early 14", 0.0, use=False) == 0.75


def test_a_place_is_held_until_it_is_used() -> None:
    """Asking again gives the same place, which counts once; when it is used, the next one is another."""
    pace = Pace()
    for number in range(8):
        pace.deregister(f"early {number}", 50.0, use=True)
    assert pace.deregister("later", 50.0, use=False) == 50.0
    for number in range(9):
        pace.register(group_arn(str(number)), 50.0)

    assert pace.register("late", 50.0) == 50.25
    assert pace.register("late", 50.1) == 50.25
    assert pace.deregister("later", 50.5, use=False) == 50.5  # it was only prepared: still held
    assert pace.register("late", 50.3, use=False) == 50.3
    assert pace.register("late", 50.3) == 50.3
    assert pace.register("late", 50.3) == 50.5
    assert pace.deregister("later", 50.5, use=True) == 50.5
    assert pace.deregister("later", 70.0, use=True) == 70.0


def rush(pace: Pace, now: float, count: int = 10) -> None:
    """Registers so many at once."""
    for number in range(count):
        pace.register(f"rush {now} {number}", now)


def test_it_is_crowded_when_half_of_the_changes_are_taken() -> None:
    """9 of 18 at once: then the next one is looked at before, since another process may have made it."""
    pace = Pace()

    rush(pace, 50.0, 9)
    assert not pace.crowded(50.0)
    pace.register("tenth", 50.0)

    assert pace.crowded(50.0)
    assert not pace.crowded(50.25)


def test_after_many_registrations_everything_else_waits_for_more() -> None:
    """For 6 s after the last of them: names that changed together are heard one after the other, out of caches."""
    pace = Pace()
    rush(pace, 50.0, 9)
    assert pace.deregister("at once", 50.0, use=True) == 50.0
    rush(pace, 52.0, 14)
    pace.register("late", 53.0)

    assert pace.deregister("old", 54.0, use=False) == 59.0
    assert not pace.spare_read(58.9)
    assert not pace.spare_record(58.9)
    assert pace.register("new", 58.9) == 58.9
    assert pace.spare_read(59.0)
    assert pace.spare_record(59.0)
    assert pace.deregister("old", 59.0, use=True) == 59.0


def test_a_registration_that_waits_for_its_turn_is_no_other_one() -> None:
    """It is told its place again and again, which makes nobody wait longer."""
    pace = Pace()
    rush(pace, 50.0, 25)
    held = pace.register("rush 50.0 24", 50.0)
    assert held == 51.75

    pace.register("rush 50.0 24", 51.0)

    assert pace.deregister("old", 51.0, use=False) == 56.0


def test_nothing_waits_for_ever_for_registrations_that_go_on_and_on() -> None:
    """15 s at most: whoever waited has a place then, before the next ones."""
    pace = Pace()
    for second in range(50, 65):
        rush(pace, float(second))
        assert pace.deregister("old", float(second), use=False) == min(second + 6.0, 65.0)

    assert pace.deregister("old", 65.0, use=False) > 65.0
    waits = pace.deregister("old", 65.0, use=False)
    rush(pace, 65.0)
    assert pace.deregister("old", 65.0, use=False) >= waits
    assert pace.deregister("old", 200.0, use=True) == 200.0


def test_reading_and_writing_tags_stay_within_what_changes_leave() -> None:
    """Whatever is asked for at once: AWS's bucket for descriptions, for other changes, and for all together hold."""
    pace = Pace()
    changes, reads, tags = [], [], []
    waiting: set[str] = set()
    for tenth in range(300):
        now = tenth / 10
        if tenth % 120 == 0:
            changes += [pace.register(f"{tenth} {number}", now) for number in range(15)]
            waiting |= {f"{tenth} {number}" for number in range(15)}
            reads += [pace.read(now) for _ in range(20)]
        # A registration may have taken the place that was said first.
        due = {group for group in sorted(waiting) if pace.deregister(group, now, use=True) <= now}
        waiting -= due
        changes += [now] * len(due)
        recorded = pace.spare_record(now)
        tags += [now] * recorded
        reads += [now] * (not recorded and pace.spare_read(now))

    assert within(sorted(changes), 20, 4)
    assert within(sorted(reads), 40, 10)
    assert within(sorted(tags), 20, 3)
    assert within(sorted(changes + reads + tags), 40, 10)
    assert len(tags) >= 40


def test_what_can_wait_leaves_half_of_the_places_to_what_cannot() -> None:
    """Health checks and records of many listeners at once never delay a failover's reading."""
    pace = Pace()

    assert sum(pace.spare_read(0.0) for _ in range(50)) == 6
    assert not pace.spare_record(0.0)
    assert [pace.read(0.0) for _ in range(8)] == pytest.approx([0.0] * 7 + [1 / 5.8])


def test_records_have_a_bucket_of_their_own() -> None:
    """Tags are written at 2 a second though more descriptions could be made, and a refused one costs no description."""
    pace = Pace()
    written = [now for now in range(60) for _ in range(6) if pace.spare_record(float(now))]

    assert within([float(now) for now in written], 10, 2)
    assert 120 <= len(written) <= 130

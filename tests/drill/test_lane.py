"""Which scenarios go on at the same time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tools.drill.lane import TOGETHER, batches
from tools.drill.scenarios import SCENARIOS


@given(st.lists(st.sampled_from(list(SCENARIOS.values())), unique=True))
def test_scenarios_go_on_together_that_leave_each_other_alone(chosen: list) -> None:  # type: ignore[type-arg]
    """None is left out or played twice; never more databases than the computer bears, nor two of readers."""
    divided = batches(chosen)

    assert sorted(each.name for batch in divided for each in batch) == sorted(each.name for each in chosen)
    for batch in divided:
        assert sum(each.number for each in batch) <= TOGETHER
        assert sum(each.readers for each in batch) <= 1
        assert len(batch) == 1 or not any(each.alone for each in batch)


def test_all_of_them_take_six_rounds() -> None:
    """Three of those that may be together, and three that concern every database."""
    assert [len(batch) for batch in batches(list(SCENARIOS.values()))] == [4, 4, 2, 1, 1, 1]

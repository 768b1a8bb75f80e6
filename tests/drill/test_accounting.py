"""What became of numbered writes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pg_privatelink.cli.drill.accounting import Accounting, account

# One number's life: for each time it was sent, whether it was stored and whether that was acknowledged; and whether
# what was stored vanished in the end.
_LIVES = st.lists(
    st.tuples(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=4), st.booleans()), max_size=30
)


@given(_LIVES)
def test_each_number_is_counted_as_what_became_of_it(lives: list[tuple[list[tuple[bool, bool]], bool]]) -> None:
    """Kept, missing, lost, unacknowledged: what was promised against what is there; doubled stands beside them."""
    attempted: list[int] = []
    acknowledged: list[int] = []
    stored: list[int] = []
    expected: Counter[str] = Counter()
    for number, (tries, vanished) in enumerate(lives, start=1):
        promised, copies = False, 0
        for was_stored, was_acknowledged in tries:
            attempted.append(number)
            copies += was_stored
            if was_acknowledged:
                acknowledged.append(number)
                promised = True
                break
        copies = 0 if vanished else copies
        stored += [number] * copies
        expected[{(True, True): "kept", (True, False): "missing", (False, True): "unacknowledged"}.get((promised, copies > 0), "lost")] += 1  # fmt: skip  # noqa: E501
        expected["doubled"] += copies > 1

    counted = account(attempted, acknowledged, stored)

    assert counted == Accounting(
        kept=expected["kept"],
        missing=expected["missing"],
        lost=expected["lost"],
        unacknowledged=expected["unacknowledged"],
        doubled=expected["doubled"],
    )
    assert counted.kept + counted.missing + counted.lost + counted.unacknowledged == len(lives)


@given(st.lists(st.integers(1, 50)), st.lists(st.integers(1, 50)), st.lists(st.integers(1, 50)))
def test_every_number_is_in_exactly_one_class(attempted: list[int], acknowledged: list[int], stored: list[int]) -> None:
    """Whatever is given, nothing is counted twice or left out, and what nobody wrote is foreign."""
    counted = account(attempted, acknowledged, stored)

    known = {*attempted, *acknowledged}
    assert counted.kept + counted.missing + counted.lost + counted.unacknowledged == len(known)
    assert counted.foreign == len(set(stored) - known)
    assert counted.doubled <= counted.kept + counted.unacknowledged


def test_a_promise_that_is_not_kept_is_missing() -> None:
    """The one that matters most: acknowledged, and gone."""
    assert account([1, 2, 3], [1, 2], [1, 3, 3]) == Accounting(kept=1, missing=1, lost=0, unacknowledged=1, doubled=1)

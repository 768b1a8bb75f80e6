"""What is synthesized by hand is the same as what the constructs make; otherwise comparing them says nothing."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from benchmarks import synthesis
from benchmarks.synthesis_runs import constructs, hand, template

if TYPE_CHECKING:
    from pathlib import Path

# Words for people, and what the schedule tells the function of a table that it computes.
_IGNORED = {"Description", "AlarmDescription", "GroupDescription", "PolicyName", "Input"}


def _shape(made: dict[str, Any]) -> Counter[str]:
    """Return the resources without their names: each reference stands for what it refers to."""
    kinds = {logical_id: resource["Type"] for logical_id, resource in made["Resources"].items()}

    def plain(value: Any) -> Any:  # noqa: ANN401  # whatever stands in a template
        if isinstance(value, dict):
            return {key: plain(each) for key, each in value.items() if key not in _IGNORED}
        if isinstance(value, list):
            return [plain(each) for each in value]
        return kinds.get(value, value) if isinstance(value, str) else value

    shapes: Counter[str] = Counter()
    for resource in made["Resources"].values():
        resource.pop("Metadata", None)
        if "DependsOn" in resource:
            resource["DependsOn"] = sorted(kinds[each] for each in resource["DependsOn"])
        shapes[json.dumps(plain(resource), sort_keys=True)] += 1
    return shapes


def test_both_make_the_same(tmp_path: Path) -> None:
    """Every resource, every property and every dependency, but for names and words."""
    ours = template(constructs, 3, tmp_path / "ours")
    theirs = template(hand(tmp_path / "code"), 3, tmp_path / "theirs")

    assert _shape(ours) == _shape(theirs)


def test_what_the_runs_come_to() -> None:
    """The median of each pair's ratio, and the seconds of one of the further listeners."""
    found = synthesis.summary(
        {
            "constructs_1": [1.0, 2.0, 9.0],
            "by_hand_1": [1.0, 1.0, 9.0],
            "constructs_11": [3.0, 6.0, 30.0],
            "by_hand_11": [2.0, 2.0, 20.0],
        }
    )

    assert found["ratio_to_l2"] == 1.5
    assert found["ratio_to_l2_of_one"] == 1.0
    assert found["seconds_per_extra_listener"] == 0.4
    assert found["seconds_per_extra_listener_by_hand"] == 0.1
    assert found["runs"] == 3

"""The library makes the same template whatever feature flags its user's app has: it states what it relies on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from constructs_pg import ClusterRole, Consumer
from tests.updates import target_rows
from tests.updates.world import Setup, context, document, instance_target, main, service

if TYPE_CHECKING:
    from collections.abc import Callable

_RECOMMENDED = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]


def _enforced() -> Setup:
    return service(consumers=[Consumer.dbt_platform(source_ranges=["10.20.0.0/16"])])


# CDK's own noise, all of it: with the first flag it writes the partition of a known Region as text, with the second it
# sorts the resources of a policy's statement, whose order means nothing.
_PARTITION_FLAG = "@aws-cdk/core:enablePartitionLiterals"
_SORTING_FLAG = "@aws-cdk/aws-iam:minimizePolicies"


def _normal(value: object) -> object:
    """Return a template without that noise; what is deployed is the same."""
    return _sorted(_with_partition(value))


def _sorted(value: object) -> object:
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: _sorted(each) for key, each in value.items()}
    resources = found.get("Resource")
    if isinstance(resources, list) and "Effect" in found:
        found["Resource"] = sorted(resources, key=json.dumps)
    return found


def _with_partition(value: object) -> object:
    if isinstance(value, list):
        return [_with_partition(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.keys() != {"Fn::Join"}:
        return {key: _with_partition(each) for key, each in value.items()}
    separator, parts = value["Fn::Join"]
    joined: list[object] = []
    for part in parts if isinstance(parts, list) else [parts]:
        written = "aws" if part == {"Ref": "AWS::Partition"} else _with_partition(part)
        if separator == "" and joined and isinstance(joined[-1], str) and isinstance(written, str):
            joined[-1] += written
        else:
            joined.append(written)
    return joined[0] if len(joined) == 1 and isinstance(joined[0], str) else {"Fn::Join": [separator, joined]}


@pytest.mark.parametrize(
    "make",
    [
        service,
        document,
        _enforced,
        lambda: main(instance_target()),
        lambda: main(target_rows.cluster()),
        lambda: main(target_rows.cluster(role=ClusterRole.READER)),
        lambda: main(target_rows.proxy()),
        lambda: main(target_rows.hostname(groups=(5,))),
        lambda: main(target_rows.addresses()),
        lambda: main(target_rows.instance_ids(groups=(5,))),
    ],
)
def test_the_same_template_under_any_flags(make: Callable[[], Setup]) -> None:
    """No flag at all, as in an app of years ago, and all that CDK recommends today."""
    plain = make().stacks
    with context(_RECOMMENDED):
        flagged = make().stacks

    assert _normal(flagged) == _normal(plain)


@pytest.mark.parametrize(("make", "flag"), [(service, _PARTITION_FLAG), (document, _SORTING_FLAG)])
def test_the_noise_is_there(make: Callable[[], Setup], flag: str) -> None:
    """What is allowed to differ does differ: an allowance that CDK no longer needs is taken out."""
    plain = make().stacks
    with context({flag: True}):
        flagged = make().stacks

    assert flagged != plain
    assert _normal(flagged) == _normal(plain)

"""From every release to today: what users wrote then, synthesized by today's code, updates their stacks in place."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

import pytest

from tests.releases.synthesize import RELEASES, Template, templates
from tests.updates.refusals import ENDPOINT_SERVICE, LOAD_BALANCER, TARGET_GROUP, refusals
from tests.updates.replacement import Outcome, changes

if TYPE_CHECKING:
    from pathlib import Path

_DEPLOYED = [template for release in RELEASES for template in sorted((release / "templates").glob("*.json"))]
_LOST = {Outcome.REPLACED, Outcome.REMOVED}


@functools.cache
def today(release: Path) -> dict[str, Template]:
    """Return what today's code makes of a release's apps."""
    return templates(release)


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_every_app_of_a_release_still_synthesizes(release: Path) -> None:
    """No argument and no field of a release was taken away, and no app makes fewer or other stacks."""
    assert {path.stem for path in (release / "templates").glob("*.json")} == {*today(release)}


@pytest.mark.parametrize("deployed", _DEPLOYED, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_an_update_to_today_loses_nothing(deployed: Path) -> None:
    """Whoever installs the newest version and deploys keeps every resource; AWS refuses none of the changes."""
    old, new = json.loads(deployed.read_text()), today(deployed.parents[1])[deployed.stem]

    lost = {each: change for each, change in changes(old, new).items() if change.outcome in _LOST}

    assert lost == {}, (
        "a stack that was deployed with this release would lose these resources on the next deployment. A load "
        "balancer, target group or endpoint service must never be replaced: consumers would need another service "
        "name, and days. Keep construct ids, hierarchy and create-only properties as they were"
    )
    assert [(each.rule.name, each.logical_id, each.text) for each in refusals(old, new)] == []


@pytest.mark.parametrize("deployed", _DEPLOYED, ids=lambda path: f"{path.parents[1].name}-{path.stem}")
def test_a_release_holds_what_must_not_be_lost(deployed: Path) -> None:
    """The comparison means something: there is a load balancer, an endpoint service and a target group to lose."""
    types = {each["Type"] for each in json.loads(deployed.read_text())["Resources"].values()}

    assert {LOAD_BALANCER, ENDPOINT_SERVICE, TARGET_GROUP} <= types

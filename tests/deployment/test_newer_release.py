"""A stack of each release, updated by today's code: the same load balancer, target groups and endpoint service.

The committed template is deployed with today's function code in place of the release's, whose asset is not kept; what
the release's custom resources said of their code stays, so the update calls the function as it would on AWS.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.deployment.conftest import STACK
from tests.releases.synthesize import RELEASES
from tests.updates.refusals import ENDPOINT_SERVICE, LOAD_BALANCER, TARGET_GROUP
from tools.demo_world import PRIMARY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.deployment.conftest import Site

_STATEFUL = {LOAD_BALANCER, TARGET_GROUP, ENDPOINT_SERVICE}
_ASSET = re.compile(r"\b[0-9a-f]{64}\b")


def _here(site: Site, text: str) -> str:
    """Return a file of a release with the emulator's ids in place of those that stand for them."""
    world = site.world
    for stand_in, actual in (
        ("vpc-0fedcba9876543210", world.vpc_id),
        ("subnet-0fedcba9876543210", world.subnets[0].id),
        ("subnet-0fedcba9876543211", world.subnets[1].id),
        ("euc1-az1", world.subnets[0].zone),
        ("euc1-az2", world.subnets[1].zone),
        ("orders.release.example.com", world.endpoint),
        ("127.0.0.1:15353", site.name_server.endpoint),
        ("15432", str(world.port)),
    ):
        assert stand_in in text
        text = text.replace(stand_in, actual)
    return text


def _resources(site: Site) -> dict[str, tuple[str, str]]:
    """Return type and physical id of the stack's resources, by logical id."""
    rows = site.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    return {row["LogicalResourceId"]: (row["ResourceType"], row["PhysicalResourceId"]) for row in rows}


def _targets(site: Site) -> list[dict[str, str]]:
    """Return targets and states of each target group."""
    elbv2 = site.client("elbv2")
    found = []
    for group in elbv2.describe_target_groups()["TargetGroups"]:
        rows = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        found.append({row["Target"]["Id"]: row["TargetHealth"]["State"] for row in rows})
    return found


def _put_into_assembly(site: Site, template: dict[str, Any]) -> None:
    """Put another template into the assembly, under a hash of its own: the CLI uploads each hash once."""
    path = site.cdk.assembly / f"{STACK}.template.json"
    before, after = path.read_bytes(), json.dumps(template, indent=1).encode()
    path.write_bytes(after)
    for name in (f"{STACK}.assets.json", "manifest.json"):
        manifest = site.cdk.assembly / name
        text = manifest.read_text()
        old = hashlib.sha256(before).hexdigest()
        assert old in text
        manifest.write_text(text.replace(old, hashlib.sha256(after).hexdigest()))


def _with_code_of(deployed: dict[str, Any], today: dict[str, Any]) -> dict[str, Any]:
    """Return a release's template with today's code for each of its functions: assets of releases are not kept."""
    for logical_id, each in deployed["Resources"].items():
        if each["Type"] == "AWS::Lambda::Function":
            assert _ASSET.search(each["Properties"]["Code"]["S3Key"])
            each["Properties"]["Code"] = today["Resources"][logical_id]["Properties"]["Code"]
    return deployed


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)
def test_an_update_keeps_what_the_release_deployed(site: Site, release: Path) -> None:
    """Nothing is replaced, every target stays healthy, and the endpoint service keeps its name."""
    site.config.write_text(_here(site, (release / "yaml" / "deployment.yaml").read_text()))
    site.cdk.synth(validation=False)
    today = json.loads((site.cdk.assembly / f"{STACK}.template.json").read_text())
    committed = release / "templates" / f"deployment.{STACK}.json"
    deployed = json.loads(_here(site, committed.read_text()))
    _put_into_assembly(site, _with_code_of(deployed, today))
    name = site.cdk.deploy()[STACK]["EndpointServiceName"]
    before = _resources(site)
    assert {kind for kind, _ in before.values()} >= _STATEFUL
    assert _targets(site) == [{PRIMARY: "healthy"}] * 2

    site.cdk.synth(validation=False)
    outputs = site.cdk.deploy()[STACK]

    after = _resources(site)
    assert {each: after.get(each) for each in before} == before
    assert outputs["EndpointServiceName"] == name
    assert _targets(site) == [{PRIMARY: "healthy"}] * 2
    site.cdk.destroy()

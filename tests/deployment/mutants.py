"""A synthesized template that is changed before it is deployed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.deployment.conftest import Site

STACK = "PgPrivateLink-orders"


def template(site: Site) -> dict[str, Any]:
    """Return the template of the service's stack."""
    loaded: dict[str, Any] = json.loads((site.cdk.assembly / f"{STACK}.template.json").read_text())
    return loaded


def write(site: Site, changed: dict[str, Any]) -> None:
    """Put another template into the assembly, under a hash of its own: the CLI uploads each hash once."""
    path = site.cdk.assembly / f"{STACK}.template.json"
    before, after = path.read_bytes(), json.dumps(changed, indent=1).encode()
    old, new = hashlib.sha256(before).hexdigest(), hashlib.sha256(after).hexdigest()
    path.write_bytes(after)
    for name in (f"{STACK}.assets.json", "manifest.json"):
        manifest = site.cdk.assembly / name
        text = manifest.read_text()
        assert old in text
        manifest.write_text(text.replace(old, new))


def statements(made: dict[str, Any]) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
    """Yield every statement of every policy: the construct it is for, its Sid, and the list that holds it."""
    for logical_id, resource in made["Resources"].items():
        if resource["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
            found = resource["Properties"]["PolicyDocument"]["Statement"]
            for statement in found:
                yield "Gate" if "ConnectionsGate" in logical_id else "TargetSync", statement.get("Sid", "logs"), found

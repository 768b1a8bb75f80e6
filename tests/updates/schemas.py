"""CloudFormation's resource schemas, as cfn-lint carries them: which properties can only be set at creation.

Read from cfn-lint's data files, not by its interface: that one prefers newer schemas from the user's cache.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_REGION = "eu-central-1"
_PREFIX = "/properties/"

# A custom resource has one create-only property for everyone: another function is another resource.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-update.html
_CUSTOM = {"createOnlyProperties": [f"{_PREFIX}ServiceToken"], "primaryIdentifier": [f"{_PREFIX}Id"]}


@dataclass(frozen=True, kw_only=True)
class Schema:
    """What decides whether an update replaces a resource.

    Args:
        create_only: Properties that can only be set at creation, as paths of keys.
        conditional_create_only: Those for which that depends on the values; taken as if they always replaced.
        names: Of `create_only` those that users choose and that identify the resource: its physical name.
    """

    create_only: tuple[tuple[str, ...], ...]
    conditional_create_only: tuple[tuple[str, ...], ...]
    names: tuple[tuple[str, ...], ...]


@functools.cache
def schema(resource_type: str) -> Schema:
    """Return the schema of a resource type.

    Args:
        resource_type: For example `AWS::ElasticLoadBalancingV2::TargetGroup`, or `Custom::Anything`.

    Raises:
        KeyError: CloudFormation has no such type in the schemas' Region.
    """
    data: Mapping[str, Any] = _CUSTOM if resource_type.startswith("Custom::") else _provider_schema(resource_type)
    create_only = _paths(data.get("createOnlyProperties", ()))
    identifying = _paths(data.get("primaryIdentifier", ()))
    for additional in data.get("additionalIdentifiers", ()):
        identifying += _paths(additional)
    # A name that is not the identifier (a load balancer's, whose identifier is its ARN) is called Name or ...Name.
    names = tuple(
        path
        for path in create_only
        if path in identifying or path[-1] in {"Name", "GroupName", f"{resource_type.rpartition('::')[2]}Name"}
    )
    return Schema(
        create_only=create_only,
        conditional_create_only=_paths(data.get("conditionalCreateOnlyProperties", ())),
        names=names,
    )


def _paths(pointers: list[str] | tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(pointer.removeprefix(_PREFIX).split("/")) for pointer in pointers)


def _provider_schema(resource_type: str) -> dict[str, Any]:
    folder = _schemas_folder()
    name = json.loads((folder / "providers" / f"{_REGION}.json").read_text())[resource_type]
    loaded: dict[str, Any] = json.loads((folder / "resources" / f"{name}.json").read_text())
    assert loaded["typeName"] == resource_type
    return loaded


def _schemas_folder() -> Path:
    # Found without importing cfn-lint, which takes seconds and would be all for nothing.
    package = importlib.util.find_spec("cfnlint")
    assert package is not None, "cfn-lint is missing: pip install -r requirements.txt"
    assert package.submodule_search_locations is not None
    return Path(package.submodule_search_locations[0]) / "data" / "schemas"

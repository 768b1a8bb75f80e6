"""What a stack update does to each resource, decided from two templates and CloudFormation's resource schemas.

A resource whose create-only property changes is replaced, and with it whatever names it in a create-only property of
its own. What the schemas do not tell stands in `refusals.py`.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.updates.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Template = dict[str, Any]
Resource = dict[str, Any]
Path = tuple[str, ...]

# Attributes that CloudFormation acts on; Metadata is for people and tools.
_ATTRIBUTES = ("Properties", "DependsOn", "DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy")
_UNSUPPORTED = ("Condition",)


class Outcome(enum.Enum):
    """What happens to a resource."""

    SAME = "same"
    UPDATED = "updated in place"
    REPLACED = "replaced"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one resource, and why.

    Args:
        resource_type: Its type, the new one where it changes.
        outcome: What happens.
        because: The properties that change, as `A.B`; of a replaced resource those that make CloudFormation replace it.
    """

    resource_type: str
    outcome: Outcome
    because: tuple[str, ...] = ()


def changes(old: Template, new: Template) -> dict[str, Change]:
    """Return what an update from one template to another does, by logical id.

    Attributes of a resource that is updated in place count as unchanged. A property whose schema says that it only
    sometimes replaces (conditional create-only) counts as replacing.

    Args:
        old: The template that is deployed.
        new: The template to deploy.

    Raises:
        KeyError: A resource has a type that CloudFormation does not know.
        NotImplementedError: A template has conditions or transforms, which this cannot judge.
    """
    _assert_supported(old)
    _assert_supported(new)
    before, after = old.get("Resources", {}), new.get("Resources", {})
    found = {
        logical_id: _change(before.get(logical_id), after.get(logical_id)) for logical_id in sorted({*before, *after})
    }
    # A replacement has another physical id, so whoever names it in a create-only property is replaced as well.
    while True:
        gone = {logical_id for logical_id, change in found.items() if change.outcome is Outcome.REPLACED}
        further = {
            logical_id: Change(
                resource_type=found[logical_id].resource_type, outcome=Outcome.REPLACED, because=tuple(paths)
            )
            for logical_id in before.keys() & after.keys() - gone
            if (paths := list(_naming(after[logical_id], gone)))
        }
        if not further:
            break
        found.update(further)
    for logical_id in before.keys() & after.keys():
        named = references(after[logical_id].get("Properties", {})) & gone
        if named and found[logical_id].outcome is Outcome.SAME:
            because = tuple(f"(names {each})" for each in sorted(named))
            resource_type = found[logical_id].resource_type
            found[logical_id] = Change(resource_type=resource_type, outcome=Outcome.UPDATED, because=because)
    return found


def references(value: object) -> set[str]:
    """Return the logical ids that a value names by Ref, Fn::GetAtt or Fn::Sub."""
    if isinstance(value, list):
        return {each for item in value for each in references(item)}
    if not isinstance(value, dict):
        return set()
    if len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Ref":
            return {str(argument)}
        if function == "Fn::GetAtt":
            return {argument.partition(".")[0] if isinstance(argument, str) else str(argument[0])}
        if function == "Fn::Sub":
            text: str
            own: dict[str, object]
            text, own = (argument, {}) if isinstance(argument, str) else argument
            named = {name.partition(".")[0] for name in re.findall(r"\$\{([^!}][^}]*)\}", text)} - own.keys()
            return named | references(own)
    return {each for item in value.values() for each in references(item)}


def _assert_supported(template: Template) -> None:
    found = [section for section in ("Conditions", "Transform") if template.get(section)]
    resources: Mapping[str, Resource] = template.get("Resources", {})
    found += [f"{name}.{key}" for name, each in resources.items() for key in _UNSUPPORTED if key in each]
    if found:
        raise NotImplementedError(f"what an update does cannot be judged with: {', '.join(found)}")


def _change(before: Resource | None, after: Resource | None) -> Change:
    if before is None:
        assert after is not None
        schema(after["Type"])
        return Change(resource_type=after["Type"], outcome=Outcome.ADDED)
    if after is None:
        return Change(resource_type=before["Type"], outcome=Outcome.REMOVED)
    kind = after["Type"]
    if before["Type"] != kind:
        return Change(resource_type=kind, outcome=Outcome.REPLACED, because=("Type",))
    old, new = before.get("Properties", {}), after.get("Properties", {})
    replacing = tuple(".".join(path) for path in _replacing(kind) if _at(old, path) != _at(new, path))
    if replacing:
        return Change(resource_type=kind, outcome=Outcome.REPLACED, because=replacing)
    because = tuple(sorted(name for name in {*old, *new} if old.get(name) != new.get(name)))
    because += tuple(name for name in _ATTRIBUTES[1:] if before.get(name) != after.get(name))
    return Change(resource_type=kind, outcome=Outcome.UPDATED if because else Outcome.SAME, because=because)


def _replacing(resource_type: str) -> tuple[Path, ...]:
    known = schema(resource_type)
    return (*known.create_only, *known.conditional_create_only)


def _at(properties: object, path: Path) -> object:
    """Return the value at a path; below a list, where schemas write `*`, the whole list."""
    for key in path:
        if key == "*" or not isinstance(properties, dict):
            break
        properties = properties.get(key)
    return properties


def _naming(resource: Resource, gone: set[str]) -> Iterator[str]:
    for path in _replacing(resource["Type"]):
        if references(_at(resource.get("Properties", {}), path)) & gone:
            yield ".".join(path)

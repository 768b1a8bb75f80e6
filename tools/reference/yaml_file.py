"""The reference of the YAML file: every field of the models, with what the JSON Schema says of its values."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel

from pg_privatelink._consumers import CONSUMER_KINDS
from pg_privatelink._models import Configuration
from pg_privatelink._targets import KINDS
from pg_privatelink.schema import json_schema
from tools.reference.docstring import split_default
from tools.reference.markdown import table, update

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

_HEAD = """\
# Every option of the YAML file

Made by `make reference` from the models that load the file; do not edit.
[privatelink.schema.json](../privatelink.schema.json) says the same to editors. `*` stands for a name of your choice or
for a place in a list. What stands under *update* is what a change of the option does to a deployed stack: none replaces
the load balancer or the endpoint service, and few a listener's target group. [updates.md](../updates.md) has each
change, there and back.

Ids, ARNs and names are checked for their form before anything is deployed, and every mistake is told with its line.
"""
_LIST, _MAPPING = "list", "mapping"


def page() -> str:
    """Return the page."""
    lines = _HEAD.splitlines()
    for path, model in sections(Configuration):
        described = _described(model)
        lines += ["", f"## {f'`{path}`' if path else 'The file'}", "", described["description"], ""]
        kinds = KINDS if "rds_instance" in model.model_fields else CONSUMER_KINDS
        if "oneOf" in described and kinds[0] in model.model_fields:
            lines += [f"Exactly one of {', '.join(f'`{kind}`' for kind in kinds)}.", ""]
        lines += table(("option", "value", "default", "meaning", "update"), _rows(path, model, described))
    return "\n".join([*lines, ""])


def sections(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield each group of fields with its path, as the file nests them."""
    yield path, model
    for name, field in model.model_fields.items():
        found = nested(field)
        if found is not None:
            below, shape = found
            yield from sections(below, _join(path, name) + (".*" if shape else ""))


def nested(field: FieldInfo) -> tuple[type[BaseModel], str] | None:
    """Return the group of fields that a field holds, and whether in a list or a mapping; None if it holds a value."""
    return _nested(field.annotation, "")


def _nested(annotation: Any, shape: str) -> tuple[type[BaseModel], str] | None:  # noqa: ANN401 - any type
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, shape
    shape = shape or {tuple: _LIST, dict: _MAPPING, Union: "", UnionType: ""}.get(get_origin(annotation), "")
    return next(filter(None, (_nested(each, shape) for each in get_args(annotation))), None)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _described(model: type[BaseModel]) -> dict[str, Any]:
    schema = json_schema()
    found: dict[str, Any] = schema if model is Configuration else schema["$defs"][model.__name__]
    return found


def _rows(path: str, model: type[BaseModel], described: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        schema = described["properties"][name]
        meaning, default = split_default(schema["description"])
        whole = _join(path, name)
        yield f"`{name}`", _value(schema, field, whole), _default(field, default), meaning, _update(whole, field)


def _update(path: str, field: FieldInfo) -> str:
    # A required group of fields has no row of its own: its fields say all.
    return update(path) or ("see its fields" if nested(field) else "")


def _value(schema: dict[str, Any], field: FieldInfo, path: str) -> str:
    found = nested(field)
    if found is not None:
        below = f"{path}.*" if found[1] else path
        link = f"[`{below}`](#{_anchor(below)})"
        text = {_LIST: f"list of {link}", _MAPPING: f"mapping of names to {link}"}.get(found[1], link)
        return text + _count(schema)
    if schema.get("type") == "array":
        return f"list of {_scalar(schema['items'], many=True)}{_count(schema)}"
    if schema.get("type") == "object":
        return "mapping of keys to values" + _count(schema)
    return _scalar(schema)


def _scalar(schema: dict[str, Any], *, many: bool = False) -> str:
    if "enum" in schema:
        allowed = ", ".join(f"`{each}`" for each in schema["enum"])
        return f"one of {allowed}" if len(schema["enum"]) > 1 else allowed
    if schema["type"] == "boolean":
        return "`true` or `false`"
    if schema["type"] == "integer":
        numbers = "whole numbers" if many else "whole number"
        return f"{numbers}, {schema['minimum']} to {schema['maximum']}" if "minimum" in schema else numbers
    examples = schema.get("examples", ())
    return "text" + (f", as in `{examples[0]}`" if examples else "")


def _count(schema: dict[str, Any]) -> str:
    least = schema.get("minItems", schema.get("minProperties"))
    most = schema.get("maxItems", schema.get("maxProperties"))
    if least and most:
        return f"; {least} to {most}"
    return f"; at least {least}" if least else f"; at most {most}" if most else ""


def _default(field: FieldInfo, described: str | None) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value not in (None, (), {}) and not isinstance(value, BaseModel):
        return f"`{str(value).lower() if isinstance(value, bool) else value}`"
    return described or ("its fields' defaults" if isinstance(value, BaseModel) else "none")


def _anchor(path: str) -> str:
    return "".join(each for each in path.lower() if each.isalnum() or each in "_-")

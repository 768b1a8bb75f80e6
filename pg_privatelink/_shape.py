"""What pydantic finds in single fields, said in the words of someone who edits YAML."""

from __future__ import annotations

import difflib
import re
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from constructs_pg import _validation as rules
from constructs_pg.errors import PostgresEndpointServiceError
from pg_privatelink._targets import KINDS, NOT_SUPPORTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    from pg_privatelink._document import Document, Path
    from pg_privatelink.errors import Mistake

# Fields that hold what one might give in their place.
_SHORT_FORMS = {"hostname": "{name: ...}", "ip_addresses": "{addresses: [...]}", "ec2_instances": "{ids: [...]}"}

# What pydantic calls a wrong type, and what it wants.
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "fields with values",
    "model_type": "fields with values",
}


def mistakes(error: ValidationError, model: type[BaseModel], document: Document) -> Iterator[Mistake]:
    """Describe each field that cannot be what the model says.

    Args:
        error: What pydantic raised.
        model: The model of the whole file, to suggest the fields that it knows.
        document: The file.
    """
    details = error.errors(include_url=False)
    outdented = _outdented(details, document)
    for detail in details:
        steps = detail["loc"]
        if steps in outdented.values():
            continue  # told where it belongs
        # pydantic marks a bad key by a step of its own; a user may have a field of that name all the same.
        of_key = steps[-1:] == ("[key]",) and steps not in document.values
        path = steps[:-1] if of_key else steps
        if path in document.mistakes and detail["input"] is None:
            continue  # said already: there is a value, but not one that could be read
        unknown = detail["type"] == "extra_forbidden"
        if path in outdented:
            inner, field = outdented[path][-1], path[-1]
            yield document.mistake(
                path, f"no value, but '{inner}' follows beside it: indent it if it belongs to '{field}'", of_key=True
            )
            continue
        for message in _messages(detail, path, model, document):
            yield document.mistake(path, message, of_key=of_key or unknown)


def _outdented(details: list[ErrorDetails], document: Document) -> dict[Path, Path]:
    """Return each field without a value after which a field stands that is not known there: it was not indented."""
    unknown = {detail["loc"] for detail in details if detail["type"] == "extra_forbidden"}
    found: dict[Path, Path] = {}
    for detail in details:
        path = detail["loc"]
        if detail["input"] is None and path in document.keys:
            line = document.keys[path].line
            below = [
                (place.line, other)
                for other, place in document.keys.items()
                if other[:-1] == path[:-1] and place.line > line
            ]
            if below and (following := min(below)[1]) in unknown:
                found[path] = following
    return found


def _messages(detail: ErrorDetails, path: Path, model: type[BaseModel], document: Document) -> tuple[str, ...]:
    given = detail["input"]
    kind = detail["type"]
    raised = detail.get("ctx", {}).get("error")
    message = detail["msg"]
    if isinstance(raised, PostgresEndpointServiceError):
        return raised.problems
    if kind == "missing":
        message = "required but missing"
    elif kind == "extra_forbidden":
        message = _unknown_field(str(path[-1]), _known_fields(model, path[:-1]))
    elif given is None:
        message = "no value: give one" if _is_required(model, path) else "no value: give one, or remove the field"
    elif kind == "too_short" and given:
        return ()  # pydantic counts good entries only, and each bad one is reported
    elif kind in ("too_short", "string_too_short"):
        message = "must not be empty: give at least one"
    elif kind in _WANTED:
        written = document.texts.get(path, "")
        message = _wrong_type(kind, given, written)
        if kind == "model_type" and path:
            message += _fields_instead(given, path, model)
        if "principals" in path and isinstance(given, int) and written.isdecimal():
            message = f'must be text, got a number: for a whole account write "arn:aws:iam::{written}:root"'
    return (message,)


def _fields_instead(given: object, path: Path, model: type[BaseModel]) -> str:
    """Return what to write where something else stands than the fields of a model."""
    if inner := _SHORT_FORMS.get(str(path[-1])):
        return f": write {path[-1]}: {inner}"
    if isinstance(given, list):
        return ": remove each '- '"
    if isinstance(given, str) and given in (known := _known_fields(model, path)):
        return f": a colon is missing, write {given}:"
    if isinstance(given, str) and "id" in known:
        return f": write its fields, as in {{id: {given}, ...}}"
    return ""


def _wrong_type(kind: str, given: object, written: str) -> str:
    advice = ""
    if kind == "string_type" and isinstance(given, int | float):
        why = ", since a number loses its leading zeros" if written.startswith("0") else ""
        advice = f': write it in quotes, "{written}"{why}'
    elif kind in ("int_type", "bool_type") and isinstance(given, str) and _would_do(kind, given):
        advice = ": remove the quotes"
    elif kind == "int_type" and isinstance(given, str) and re.fullmatch(r"[0-9]+ ?[a-z]+", given):
        advice = ": write it without a unit"
    elif kind == "tuple_type" and isinstance(given, str):
        advice = ": put it into brackets"
    elif kind == "tuple_type" and isinstance(given, dict):
        advice = ": begin each entry with '- '"
    elif kind == "dict_type" and isinstance(given, list):
        advice = ": remove each '- '"
    return f"must be {_WANTED[kind]}, got {_described(given)}{advice}"


def _would_do(kind: str, text: str) -> bool:
    """Tell whether a text would be right but for its quotes."""
    return text in ("true", "false") if kind == "bool_type" else text.isascii() and text.isdecimal()


def _described(given: object) -> str:
    match given:
        case list():
            return "a list"
        case dict():
            return "fields with values"
        case bool():
            return "true" if given else "false"
        case str():
            return f"the text {rules.shown(given)}"
        case _:
            return f"the number {rules.shown(given)}"


def _unknown_field(name: str, known: list[str]) -> str:
    if name in NOT_SUPPORTED and set(KINDS) <= set(known):
        return NOT_SUPPORTED[name]
    close = difflib.get_close_matches(name.lower().replace("-", "_"), known, n=1)
    advice = f"did you mean '{close[0]}'" if close else f"known here: {', '.join(known)}"
    return f"unknown field; {advice}"


def _known_fields(model: type[BaseModel], path: Path) -> list[str]:
    """Return the fields of the model at a path."""
    return list(_at(model, path).model_fields)


def _is_required(model: type[BaseModel], path: Path) -> bool:
    """Tell whether the field at a path must be given."""
    field = getattr(_at(model, path[:-1]), "model_fields", {}).get(path[-1])
    return field is not None and bool(field.is_required())


def _at(model: type[BaseModel], path: Path) -> Any:  # noqa: ANN401  (annotations have no common type)
    annotation: Any = model
    for step in path:
        annotation = _inside(annotation, step)
    return annotation


def _inside(annotation: Any, step: str | int) -> Any:  # noqa: ANN401  (annotations have no common type)
    """Return the type of a model's field, of a mapping's values or of a list's items."""
    if hasattr(annotation, "model_fields"):
        inner = annotation.model_fields[step].annotation
    else:
        inner = get_args(annotation)[1 if get_origin(annotation) is dict else 0]
    if get_origin(inner) in (Union, UnionType):
        inner = next(option for option in get_args(inner) if option is not NoneType)
    return inner

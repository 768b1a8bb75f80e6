"""What pydantic finds in single fields, said in the words of someone who edits YAML."""

from __future__ import annotations

import difflib
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
    for detail in error.errors(include_url=False):
        steps = detail["loc"]
        # pydantic marks a bad key by a step of its own; a user may have a field of that name all the same.
        of_key = steps[-1:] == ("[key]",) and steps not in document.values
        path = steps[:-1] if of_key else steps
        if path in document.mistakes and detail["input"] is None:
            continue  # said already: there is a value, but not one that could be read
        unknown = detail["type"] == "extra_forbidden"
        for message in _messages(detail, path, model, document):
            yield document.mistake(path, message, of_key=of_key or unknown)


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
        message = "no value: give one, or remove the field"
    elif kind == "too_short" and given:
        return ()  # pydantic counts good entries only, and each bad one is reported
    elif kind in ("too_short", "string_too_short"):
        message = "must not be empty: give at least one"
    elif kind in _WANTED:
        written = document.texts.get(path, "")
        message = _wrong_type(kind, given, written)
        if kind == "model_type" and path and (inner := _SHORT_FORMS.get(str(path[-1]))):
            message += f": write {path[-1]}: {inner}"
        if "principals" in path and isinstance(given, int) and written.isdecimal():
            message = f'must be text, got a number: for a whole account write "arn:aws:iam::{written}:root"'
    return (message,)


def _wrong_type(kind: str, given: object, written: str) -> str:
    advice = ""
    if kind == "string_type" and isinstance(given, int | float):
        why = ", since a number loses its leading zeros" if written.startswith("0") else ""
        advice = f': write it in quotes, "{written}"{why}'
    elif kind in ("int_type", "bool_type") and isinstance(given, str) and _would_do(kind, given):
        advice = ": remove the quotes"
    elif kind == "tuple_type" and isinstance(given, str):
        advice = ": put it into brackets"
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
    annotation: Any = model
    for step in path:
        annotation = _inside(annotation, step)
    return list(annotation.model_fields)


def _inside(annotation: Any, step: str | int) -> Any:  # noqa: ANN401  (annotations have no common type)
    """Return the type of a model's field, of a mapping's values or of a list's items."""
    if hasattr(annotation, "model_fields"):
        inner = annotation.model_fields[step].annotation
    else:
        inner = get_args(annotation)[1 if get_origin(annotation) is dict else 0]
    if get_origin(inner) in (Union, UnionType):
        inner = next(option for option in get_args(inner) if option is not NoneType)
    return inner

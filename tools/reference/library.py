"""The reference of the library: its public classes, from their signatures and docstrings."""

from __future__ import annotations

import ast
import enum
import inspect
import re
import textwrap
from typing import TYPE_CHECKING, Any

import constructs_pg
from tools.reference.docstring import Docstring, parse, split_default
from tools.reference.markdown import plain, table, update

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HEAD = """\
# The library: every class, argument and method

Made by `make reference` from the signatures and docstrings of `constructs_pg`; do not edit. Types of the AWS CDK bear
the names under which its documentation imports them: `ec2` is `aws_cdk.aws_ec2`. All arguments but the first one or two
are given by name. What stands under *update* is what a change of the argument does to a deployed stack:
[updates.md](../updates.md) has each change, there and back.

Every error is a `PostgresEndpointServiceError`, raised while the app is synthesized. [targets.md](../targets.md) says
which Postgres needs what, and [yaml.md](yaml.md) has the options of the YAML file.
"""

MADE_BY_THE_SERVICE = (
    "PostgresListener",
    "TargetSync",
    "PostgresEndpointServiceMetrics",
    "PostgresListenerMetrics",
    "LoadBalancerMetrics",
    "EndpointServiceMetrics",
    "FunctionMetrics",
)
"""Classes that nobody but the service makes: their members count, not their constructors."""
_ATTRIBUTES_ONLY = ("TargetSync",)
"""Those of which the methods are the service's too."""


def page() -> str:
    """Return the page."""
    lines = _HEAD.splitlines()
    for subject in classes():
        lines += _section(subject)
    return "\n".join([*lines, ""])


def classes() -> list[type]:
    """Return the public classes: those that users make or call first, then those that they get."""
    from constructs_pg import monitoring, target_sync  # noqa: PLC0415 - they start Node

    exported = [getattr(constructs_pg, name) for name in constructs_pg.__all__]
    first = ["PostgresEndpointService", "PostgresTarget", "Consumer"]
    exported.sort(key=lambda each: first.index(each.__name__) if each.__name__ in first else len(first))
    got = [target_sync.TargetSync, *(getattr(monitoring, name) for name in monitoring.__all__ if "Metrics" in name)]
    made = [each for each in [*exported, *got] if each.__name__ in MADE_BY_THE_SERVICE]
    made.sort(key=lambda each: MADE_BY_THE_SERVICE.index(each.__name__))
    return [each for each in exported if each not in made] + made


def members(subject: type) -> Iterator[tuple[str, Any]]:
    """Yield the public methods, factories and properties that a class itself defines, as they stand in its code."""
    for name, member in vars(subject).items():
        if not name.startswith("_") and (callable(_function(member)) or isinstance(member, property)):
            yield name, member


def arguments(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return what a call can give: all parameters but `self` and `cls`."""
    parameters = inspect.signature(function).parameters
    return [each for name, each in parameters.items() if name not in {"self", "cls"}]


def _function(member: object) -> Any:  # noqa: ANN401 - whatever is behind a descriptor
    return member.__func__ if isinstance(member, classmethod | staticmethod) else member


def _section(subject: type) -> list[str]:
    documented = parse(subject.__doc__)
    lines = ["", f"## {subject.__name__}", *_paragraphs(documented)]
    if issubclass(subject, enum.Enum):
        return [*lines, "", *table(("member", "meaning"), _values(subject))]
    if subject.__name__ not in MADE_BY_THE_SERVICE and "__init__" in vars(subject):
        lines += _arguments(subject.__name__, vars(subject)["__init__"], documented)
    attributes = [(f"`{name}`", text) for name, text in documented.sections.get("Attributes", {}).items()]
    for name, member in members(subject):
        if isinstance(member, property):
            attributes.append((f"`{name}`", " ".join(parse(member.__doc__).body)))
    if attributes:
        lines += ["", *table(("attribute", "meaning"), attributes)]
    quick: list[tuple[str, Callable[..., Any]]] = []
    rest: list[tuple[str, Callable[..., Any]]] = []
    for name, member in members(subject):
        if isinstance(member, property) or subject.__name__ in _ATTRIBUTES_ONLY:
            continue
        function = _function(member)
        # A method without arguments is a line: metrics are many.
        is_long = arguments(function) or isinstance(member, classmethod | staticmethod)
        (rest if is_long else quick).append((name, function))
    if quick:
        lines += ["", *table(("method", "returns"), ((f"`{name}()`", _returned(each)) for name, each in quick))]
    for name, function in rest:
        lines += _method(subject, name, function)
    return lines


def _method(subject: type, name: str, function: Callable[..., Any]) -> list[str]:
    documented = parse(function.__doc__)
    lines = ["", f"### {subject.__name__}.{name}", *_paragraphs(documented)]
    if arguments(function):
        lines += _arguments(f"{subject.__name__}.{name}", function, documented)
    raises = documented.sections.get("Raises", {})
    return lines + [line for error, when in raises.items() for line in ("", plain(f"Raises `{error}`: {when}"))]


def _paragraphs(documented: Docstring) -> list[str]:
    return [line for each in documented.body for line in ("", *textwrap.wrap(plain(each), 120))]


def _returned(function: Callable[..., Any]) -> str:
    return re.sub(r"^Return (.)", lambda found: found[1].upper(), " ".join(parse(function.__doc__).body))


def _arguments(owner: str, function: Callable[..., Any], documented: Docstring) -> list[str]:
    described = documented.sections.get("Args", {})
    rows = []
    for each in arguments(function):
        meaning, default = split_default(described.get(each.name, ""))
        row = (f"`{each.name}`", f"`{_type(each)}`", _default(each, default), meaning)
        rows.append((*row, update(f"{owner}.{each.name}")))
    head = ["argument", "type", "default", "meaning", "update"]
    if any(row[-1] for row in rows):
        return ["", *table(head, rows)]
    return ["", *table(head[:-1], (row[:-1] for row in rows))]


def _type(parameter: inspect.Parameter) -> str:
    text = parameter.annotation if isinstance(parameter.annotation, str) else parameter.annotation.__name__
    return text.removesuffix(" | None")


def _default(parameter: inspect.Parameter, described: str | None) -> str:
    if parameter.default is inspect.Parameter.empty:
        return "**required**"
    if described is not None:
        return described
    value = parameter.default
    if isinstance(value, enum.Enum):
        return f"`{type(value).__name__}.{value.name}`"
    return "none" if value in (None, ()) else f"`{value!r}`"


def _values(subject: type[enum.Enum]) -> Iterator[tuple[str, str]]:
    """Yield the members of an enumeration with the texts below them."""
    body = ast.parse(inspect.getsource(subject)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class
    texts: dict[str, str] = {}
    name = ""
    for statement in body.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
        elif name and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            texts[name] = " ".join(str(statement.value.value).split())
    for member in subject:
        yield f"`{member.name}`", texts.get(member.name, f"`{member.value}`")

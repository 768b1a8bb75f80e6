"""What every rule is made of: tokens, quoting what was given, patterns, and one rule for each of several values."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from ..errors import PostgresEndpointServiceError

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Sequence

_Value = TypeVar("_Value")
_More = ParamSpec("_More")

_SHOWN_LENGTH = 80
"""Longer values are cut in messages: the beginning is enough to find them."""


def shown(value: object) -> str:
    """Quote a value for a message: printable characters only, never longer than a line."""
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else f"{text[: _SHOWN_LENGTH - 3]}..."


def is_token(value: object) -> bool:
    """Tell whether a value is a CDK token: known to CloudFormation only, so there is nothing to check yet."""
    # Where aws_cdk was not imported nothing can have made a token, and importing it would cost a second.
    if "aws_cdk" not in sys.modules or isinstance(value, bool):
        return False
    if isinstance(value, tuple):
        value = list(value)
    if not isinstance(value, str | int | float | list) or not _may_be_token(value):
        return False
    from aws_cdk import Token  # noqa: PLC0415  (imported already; this module must load without it)

    return bool(Token.is_unresolved(value))


def _may_be_token(value: str | float | list[object]) -> bool:
    """Tell whether it is worth asking CDK, which is another process: most values are not, and there are many.

    CDK writes tokens as `${Token[...]}` and, in lists, `#{Token[...]}`; as numbers, they are below zero.
    """
    if isinstance(value, str):
        return "{" in value
    if isinstance(value, list):
        return any(isinstance(one, str) and "{" in one for one in value)
    return value < 0


def token_aware(rule: Callable[Concatenate[_Value, _More], _Value]) -> Callable[Concatenate[_Value, _More], _Value]:
    """Let tokens pass a rule unchecked."""

    @functools.wraps(rule)
    def unless_token(value: _Value, /, *more: _More.args, **named: _More.kwargs) -> _Value:
        return value if is_token(value) else rule(value, *more, **named)

    return unless_token


def each(rule: Callable[[_Value], _Value], values: Sequence[_Value]) -> tuple[_Value, ...]:
    """Apply a rule to each value and raise all mistakes at once. A list that is a token passes.

    Returns:
        What the rule returned for each value, in order.
    """
    if isinstance(values, str):
        raise PostgresEndpointServiceError(f"a list is needed, got the text {shown(values)}: put it into brackets")
    if is_token(values):
        return tuple(values)
    checked: list[_Value] = []
    problems: list[str] = []
    for value in values:
        try:
            checked.append(rule(value))
        except PostgresEndpointServiceError as error:
            problems.extend(error.problems)
    if problems:
        raise PostgresEndpointServiceError(problems)
    return tuple(checked)


def different(values: tuple[str, ...], what: str) -> tuple[str, ...]:
    """Require values at least one of which is given and none of which is given twice. A list that is a token passes.

    Args:
        values: What was given; tokens are different from everything.
        what: Their subject in messages, in the singular, as in "target address".
    """
    if is_token(values):
        return values
    if not values:
        raise PostgresEndpointServiceError(f"no {what} is given: give at least one")
    twice = [value for value in dict.fromkeys(values) if not is_token(value) and values.count(value) > 1]
    if twice:
        raise PostgresEndpointServiceError(
            [f"{what} {value} is given twice: remove one, or correct it" for value in twice]
        )
    return values


def matching(value: str, pattern: re.Pattern[str], requirement: str) -> str:
    """Require that a text matches a pattern as a whole.

    Args:
        value: What was given. Anything but text is refused with the same message.
        pattern: What it must match.
        requirement: The subject and what it must be, as in "VPC id must look like vpc-0123456789abcdef0".
    """
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise PostgresEndpointServiceError(f"{requirement}, got {shown(value)}")
    return value

"""What a search for contradictions is made of: the file as it is written, a rule of the constructs, and where it fails.

Whatever is not of the expected type is passed over here, because it is reported for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from constructs_pg.errors import PostgresEndpointServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pg_privatelink._document import Document, Path
    from pg_privatelink.errors import Mistake

_Value = TypeVar("_Value")


class Search:
    """Collects the mistakes that rules find in a file.

    Args:
        document: The file.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self.found: list[Mistake] = []

    def check(
        self, path: Path, rule: Callable[..., object], *values: object, of_key: bool = False, **named: object
    ) -> None:
        """Apply a rule to values and note what it says.

        Args:
            path: The field to which its complaints belong.
            rule: The rule.
            *values: What it is about.
            of_key: Whether the field's name is to be marked and not its value.
            **named: The rule's named arguments.
        """
        try:
            rule(*values, **named)
        except PostgresEndpointServiceError as error:
            for problem in error.problems:
                self.add(path, problem, of_key=of_key)

    def add(self, path: Path, problem: str, *, of_key: bool = False) -> None:
        """Note a mistake."""
        self.found.append(self._document.mistake(path, problem, of_key=of_key))

    def names(self, path: Path, named: Iterable[str], rule: Callable[..., str]) -> None:
        """Check the names that users give to services or listeners, each against those before it."""
        existing: list[str] = []
        for name in named:
            self.check((*path, name), rule, name, existing=existing, of_key=True)
            existing.append(name)


def fields(value: object) -> dict[str, Any]:
    """Return a mapping, or an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """Return a list, or an empty one for anything else."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """Return a text, or an empty one for anything else."""
    return value if isinstance(value, str) else ""


def good(rule: Callable[[Any], _Value], values: object) -> list[_Value]:
    """Return those values of a list that a rule accepts, normalised."""
    accepted: list[_Value] = []
    for value in items(values):
        try:
            accepted.append(rule(value))
        except PostgresEndpointServiceError:
            continue
    return accepted

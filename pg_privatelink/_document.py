"""A YAML file as plain data that remembers where each value is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from pg_privatelink.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIGURATION = "privatelink.yaml"
"""The file that is read and written unless another one is named."""

Path: TypeAlias = tuple[str | int, ...]
"""Where a value is: keys and list positions from the top, as in `("services", "orders", "consumers", 0)`."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_:./-]+")


@dataclass(frozen=True)
class Place:
    """A line and a column, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True)
class Document:
    """The content of a file and the places of everything in it.

    Attributes:
        name: The file, as the user named it.
        data: Mappings, lists, texts, numbers, booleans and `None`.
        keys: Where each field's name is written, by path.
        values: Where each value is written, by path. A value behind an alias is where its anchor is.
        texts: How each value that is no mapping or list is written: `012` is a number, and its zero is only here.
        mistakes: What is wrong with the YAML itself, though it could be read.
    """

    name: str
    data: object = None
    keys: Mapping[Path, Place] = field(default_factory=dict)
    values: Mapping[Path, Place] = field(default_factory=dict)
    texts: Mapping[Path, str] = field(default_factory=dict)
    mistakes: Mapping[Path, tuple[Mistake, ...]] = field(default_factory=dict)

    def place(self, path: Path, *, of_key: bool = False) -> Place:
        """Return the place of a value; of what it belongs to if it is not in the file.

        A mapping or a list is placed at the name of its field, which is the line a user looks for.

        Args:
            path: The value's path.
            of_key: Whether to return the place of the field's name in any case.
        """
        for length in range(len(path), -1, -1):
            known = path[:length]
            if known in self.keys and (of_key or known not in self.texts):
                return self.keys[known]
            if known in self.values:
                return self.values[known]
        return Place(1, 1)

    def where(self, path: Path) -> str:
        """Return `file:line:column` of a value, in the form that terminals and editors make a link of."""
        place = self.place(path)
        return f"{self.name}:{place.line}:{place.column}"

    def mistake(self, path: Path, message: str, *, of_key: bool = False) -> Mistake:
        """Describe what is wrong with a value."""
        return mistake(self.name, self.place(path, of_key=of_key), path, message)


def mistake(name: str, place: Place, path: Path, message: str) -> Mistake:
    """Write the line that a user sees: file, line, column, field, message."""
    subject = f"{_spelled(path)}: " if path else ""
    return Mistake(place.line, place.column, f"{name}:{place.line}:{place.column}: {subject}{message}")


def _spelled(path: Path) -> str:
    spelled = ""
    for step in path:
        if isinstance(step, int):
            spelled += f"[{step}]"
        else:
            # Keys are the user's: whatever would break the line or the terminal is quoted.
            spelled += ("." if spelled else "") + (step if _PLAIN_KEY.fullmatch(step) else repr(step))
    return spelled

"""What a user sees when the YAML file has mistakes: all of them, by line, on one screen."""

from __future__ import annotations

from typing import NamedTuple

from constructs_pg.errors import PostgresEndpointServiceError

_SCREEN = 20
"""More lines than these push the first ones off a small terminal."""


class ConfigurationError(PostgresEndpointServiceError):
    """The YAML file cannot be used. The text of this error is the whole message for the user.

    Attributes:
        problems: One line for each mistake, `file:line:column: path.to.field: message`, in the order of the lines.
            All of them, even where the text leaves some out.
    """

    def __str__(self) -> str:
        """Return the first mistakes, and how many more there are."""
        lines = list(self.problems[:_SCREEN])
        more = len(self.problems) - len(lines)
        if more:
            lines.append(f"and {more} more {'mistake' if more == 1 else 'mistakes'}")
        return "\n".join(lines)


class Mistake(NamedTuple):
    """One mistake and its place. Mistakes sort by place.

    Attributes:
        line: Counted from 1.
        column: Counted from 1.
        text: The line that the user sees.
    """

    line: int
    column: int
    text: str


def all_at_once(mistakes: list[Mistake]) -> ConfigurationError:
    """Make one error of several mistakes: by place, none twice."""
    return ConfigurationError(mistake.text for mistake in sorted(set(mistakes)))

"""Errors of this library. All are raised while an app is synthesized, before anything reaches AWS.

```
ValueError
└── PostgresEndpointServiceError            what was given cannot work; `.problems` holds every message
    └── pg_privatelink.ConfigurationError   the same in a YAML file: each message begins with file, line and column
```

A message says what is wrong, what was given, what is allowed and what to change. It begins in lower case and has no
full stop, so that it reads well behind a construct path or a file position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class PostgresEndpointServiceError(ValueError):
    """A value, or a combination of values, that AWS would refuse or that would not carry a connection.

    Several mistakes can be raised at once: a user who has made three should not need three runs to learn it.

    Args:
        problems: The message, or one message for each mistake.

    Attributes:
        problems: One message for each mistake, at least one.
    """

    problems: tuple[str, ...]

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """One mistake a line."""
        return "\n".join(self.problems)

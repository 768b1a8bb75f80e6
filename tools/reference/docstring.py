"""A docstring in Google's convention, taken apart. No input or output."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields|Example|Examples|Note):\s*$")
_ENTRY = re.compile(r"^    (\w[\w.]*): (.*)$")
_DEFAULT = re.compile(r"\s*\(default: ((?:[^()]|\([^()]*\))*)\)")


@dataclass(frozen=True, kw_only=True)
class Docstring:
    """A docstring's parts.

    Attributes:
        body: Its paragraphs, each on one line, the summary first.
        sections: What stands below `Args:` and the like: by the section's name, then by the entry's.
    """

    body: tuple[str, ...]
    sections: dict[str, dict[str, str]] = field(default_factory=dict)


def parse(text: str | None) -> Docstring:
    """Return the parts of a docstring; of None, nothing."""
    lines = inspect.cleandoc(text or "").splitlines()
    paragraphs: list[list[str]] = [[]]
    sections: dict[str, dict[str, str]] = {}
    entries: dict[str, str] | None = None
    name = ""
    for line in lines:
        if heading := _SECTION.match(line):
            entries = sections.setdefault(heading[1], {})
        elif entries is None:
            paragraphs[-1].append(line.strip())
            if not line.strip():
                paragraphs.append([])
        elif entry := _ENTRY.match(line):
            name = entry[1]
            entries[name] = entry[2].strip()
        elif line.strip():
            entries[name] = f"{entries.get(name, '')} {line.strip()}".strip()
    body = tuple(" ".join(filter(None, each)) for each in paragraphs if any(each))
    return Docstring(body=body, sections=sections)


def split_default(description: str) -> tuple[str, str | None]:
    """Return a description without what it says of the default, and that.

    >>> split_default("How long it waits (default: 5 minutes). Whole seconds.")
    ('How long it waits. Whole seconds.', '5 minutes')
    """
    found = _DEFAULT.search(description)
    if found is None:
        return description, None
    return (description[: found.start()] + description[found.end() :]).strip(), found[1]

"""The update matrix as a document: `make updates` writes it into `docs/updates.md`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.updates.row import Result, Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "updates.md"
_BEGIN, _END = "<!-- {}: begin -->", "<!-- {}: end -->"
_DOCUMENTATION = "https://docs.aws.amazon.com/"
_NOTHING = "no change"


def matrix() -> str:
    """Return the rows in Markdown, those of the YAML file first: most people write that."""
    # Only now: importing the constructs starts Node.
    from tests.updates.library_rows import ROWS as LIBRARY_ROWS  # noqa: PLC0415
    from tests.updates.target_rows import ROWS as TARGET_ROWS  # noqa: PLC0415
    from tests.updates.yaml_rows import ROWS as YAML_ROWS  # noqa: PLC0415

    lines: list[str] = []
    for title, rows in (
        ("The YAML file", YAML_ROWS),
        ("The library: service and consumers", LIBRARY_ROWS),
        ("The library: what stands behind a listener", TARGET_ROWS),
    ):
        lines += ["", f"### {title}", "", "| option | change | what an update does | back again |", "|---|---|---|---|"]
        lines += [_line(row) for row in rows]
    return "\n".join([*lines, ""])


def refused() -> str:
    """Return in Markdown what AWS refuses, whether or not an option of ours leads there."""
    from tests.updates.refusals import RULES  # noqa: PLC0415

    lines = ["", "| AWS refuses | when | AWS's message, or error | source |", "|---|---|---|---|"]
    for rule in RULES:
        when = "while consumers are connected" if rule.while_connected else "always"
        page = rule.source.rpartition("/")[2].removesuffix(".html")
        source = f"[{page}]({_DOCUMENTATION}{rule.source})"
        lines.append(f"| {rule.text} | {when} | {rule.message or 'none is known'} | {source} |")
    return "\n".join([*lines, ""])


def document() -> str:
    """Return the document with its tables as they are now."""
    text = DOCUMENT.read_text()
    for name, table in (("matrix", matrix), ("refused", refused)):
        begin, end = _BEGIN.format(name), _END.format(name)
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n{table()}\n{end}{rest.partition(end)[2]}"
    return text


def _line(row: Row) -> str:
    from tests.updates.row import result  # noqa: PLC0415

    option = row.option
    if row.elsewhere:
        return f"| `{option}` | {row.change} | another stack. {row.way} | the same |"
    there, back = _done(result(row.old, row.new)), _done(result(row.new, row.old))
    # What comes on the way there goes on the way back; only what AWS says is worth a word.
    same = there == back or not (row.refused or row.refused_back or row.lost or row.lost_back)
    way = f". {row.way}" if row.way else ""
    if row.refused_back and not row.refused:
        return f"| `{option}` | {row.change} | {there} | {back}{way} |"
    return f"| `{option}` | {row.change} | {there}{way} | {'the same' if same else back} |"


def _done(found: Result) -> str:
    """Return what an update does, as far as users would ask for it."""
    from tests.updates.replacement import Outcome  # noqa: PLC0415

    if found.refused:
        from tests.updates.refusals import RULES  # noqa: PLC0415

        broken = [rule for rule in RULES if rule.name in found.refused]
        when = " while consumers are connected" if all(rule.while_connected for rule in broken) else ""
        return f"**refused{when}**: {' and '.join(rule.text.partition(':')[0] for rule in broken)}"
    changed = [each for each in found.changes.values() if each.outcome is not Outcome.SAME]
    if not changed:
        return _NOTHING
    return "in place; the listener's target group is removed" if found.lost else "in place"


if __name__ == "__main__":
    os.environ["CDK_VALIDATION"] = "false"
    DOCUMENT.write_text(document())
    sys.stdout.write(f"wrote {DOCUMENT}\n")

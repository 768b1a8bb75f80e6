"""The findings as a document: `python -m tests.policies.table` writes the tables of `docs/policy.md`."""

from __future__ import annotations

from itertools import groupby

from tests.policies.report import ROOT, Acknowledgment, report
from tests.policies.settings import MENDED

DOCUMENT = ROOT / "docs" / "policy.md"
_BEGIN, _END = "<!-- tables: begin -->", "<!-- tables: end -->"
_SERVICE = "Stack/Orders/"


def used() -> list[Acknowledgment]:
    """Return the acknowledgments of a service with every option, each of which hides something, by their reason."""
    bare = report("full", bare=True)
    found = [each for each in bare.acknowledgments if any(each.covers(finding) for finding in bare.findings)]
    return sorted(found, key=lambda each: (each.reason, each.path, each.rule))


def tables() -> str:
    """Return both tables in Markdown."""
    lines = ["### Acknowledged by the library", "", "| finding | on | reason |", "|---|---|---|"]
    for reason, group in groupby(used(), key=lambda each: each.reason):
        acknowledged = list(group)
        rules = "<br>".join(f"`{rule}`" for rule in dict.fromkeys(each.rule for each in acknowledged))
        paths = "<br>".join(f"`{path}`" for path in dict.fromkeys(_place(each.path) for each in acknowledged))
        lines.append(f"| {rules} | {paths} | {reason} |")
    lines += ["", "### Mended by a setting", "", "| finding | of | on | setting |", "|---|---|---|---|"]
    for each in MENDED:
        paths = "<br>".join(f"`{path}`" for path in each.paths)
        lines.append(f"| `{each.rule}` | {', '.join(each.packs)} | {paths} | {each.setting} |")
    return "\n".join(lines)


def document() -> str:
    """Return the document with the tables as they are now."""
    before, _, rest = DOCUMENT.read_text().partition(_BEGIN)
    return f"{before}{_BEGIN}\n\n{tables()}\n\n{_END}{rest.partition(_END)[2]}"


def _place(path: str) -> str:
    """Return where a construct is in the service, the same for each listener."""
    parts = path.removeprefix(_SERVICE).split("/")
    return "/".join(["Listeners", "*", *parts[2:]] if parts[0] == "Listeners" else parts)


if __name__ == "__main__":
    DOCUMENT.write_text(document())

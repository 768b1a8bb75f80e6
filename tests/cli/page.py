"""docs/command.md: the parts that are generated from the command itself. `python -m tests.cli.page` writes them."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tools.install import ROOT

PAGE = ROOT / "docs" / "command.md"

_PART = re.compile(r"(<!-- help: (\S+) -->\n)(.*?)(<!-- help: end -->\n)", re.DOTALL)
_COLUMNS = "80"


def written(page: str) -> str:
    """Return the page with the help of each command it names, as the command prints it."""
    return _PART.sub(lambda part: f"{part[1]}\n```text\n{help_of(part[2])}\n```\n\n{part[4]}", page)


def help_of(command: str) -> str:
    """Return the help of a command in 80 columns; "" is the command itself."""
    done = subprocess.run(
        [sys.executable, "-m", "pg_privatelink.cli", *command.split(), "--help"],
        env={**os.environ, "COLUMNS": _COLUMNS, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))

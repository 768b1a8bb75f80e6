"""`Screen`: what a command prints, as tables for people or as one JSON document."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType
    from rich.text import Text

_PIPED_WIDTH = 400
"""Columns where no terminal says how many there are: what reads a pipe wants whole lines."""

_STYLES = {"ok": "green", "problem": "bold red", "unknown": "yellow", "": ""}


class Screen:
    """Standard output. Colours and wrapping only on a terminal.

    Args:
        as_json: Whether one JSON document is printed, and nothing else.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._console: Console | None = None

    @property
    def console(self) -> Console:
        """Rich's console on standard output."""
        if self._console is None:
            from rich.console import Console  # noqa: PLC0415 - not needed for JSON

            piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
            self._console = Console(
                highlight=False, markup=False, emoji=False, width=_PIPED_WIDTH if piped else None, soft_wrap=False
            )
        return self._console

    def document(self, document: object) -> None:
        """Print the one JSON document."""
        print(json.dumps(document, indent=2, default=str), flush=True)  # noqa: T201 - the command's output

    def say(self, text: str = "", *, verdict: str = "", indent: int = 0) -> None:
        """Print a paragraph, wrapped to the terminal.

        Args:
            text: What to say.
            verdict: `ok`, `problem` or `unknown`, for its colour (default: none).
            indent: The columns by which all of its lines are indented.
        """
        from rich.padding import Padding  # noqa: PLC0415

        self._print(Padding(colored(text, verdict), (0, 0, 0, indent)))

    def verbatim(self, text: str) -> None:
        """Print a text as it is, neither wrapped nor coloured: to copy it."""
        print(text, flush=True)  # noqa: T201 - the command's output

    def heading(self, text: str) -> None:
        """Print the heading of a section, after an empty line."""
        from rich.text import Text  # noqa: PLC0415

        self._print("")
        self._print(Text(text, style="bold"))

    def pairs(self, pairs: Iterable[tuple[str, str | Text]]) -> None:
        """Print labels and what they stand for, in two columns."""
        from rich.table import Table  # noqa: PLC0415

        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        # An id that is cut in two cannot be copied: rather a longer line.
        table.add_column(overflow="fold")
        for label, value in pairs:
            table.add_row(label, value)
        self._print(table)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, whole: Sequence[str] = ()) -> None:
        """Print a table without lines, indented by two.

        Args:
            columns: The headings.
            rows: The cells of each row; `colored` makes one that stands out.
            whole: The headings of columns that are never wrapped, such as ids.
        """
        from rich.padding import Padding  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for column in columns:
            table.add_column(column, no_wrap=column in whole, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self._print(Padding(table, (0, 0, 0, 2)))

    def _print(self, renderable: RenderableType) -> None:
        """Print without the spaces that rich fills lines up with: they wrap in a narrower window, and fill files."""
        with self.console.capture() as captured:
            self.console.print(renderable)
        lines = captured.get().splitlines()
        print(*(line.rstrip() for line in lines), sep="\n", flush=True)  # noqa: T201 - the command's output

    def confirm(self, question: str) -> bool:
        """Ask a person, on standard error since standard output may be read by another.

        Raises:
            Problem: There is nobody to ask.
        """
        if not sys.stdin.isatty():
            raise Problem("nobody is there to confirm this", "look at it, and give --yes")
        return self.ask(f"{question} [y/N]: ").lower() in {"y", "yes"}

    def ask(self, question: str) -> str:
        """Ask a person on standard error; returns "" where there is none, or no answer."""
        if not sys.stdin.isatty():
            return ""
        print(question, end="", file=sys.stderr, flush=True)  # noqa: T201 - the command's output
        return sys.stdin.readline().strip()


def colored(text: str, verdict: str) -> Text:
    """Return a cell in the colour of a verdict: `ok`, `problem`, `unknown`, or none."""
    from rich.text import Text  # noqa: PLC0415

    return Text(text, style=_STYLES[verdict])


def complain(problem: Problem) -> None:
    """Say on standard error why a command ends, wrapped to a terminal."""
    lines = [f"pg-privatelink: {problem.what}", f"  {problem.remedy}"]
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        lines = [textwrap.fill(line, width, subsequent_indent="  ", break_long_words=False) for line in lines]
    print(*lines, sep="\n", file=sys.stderr, flush=True)  # noqa: T201 - the command's output

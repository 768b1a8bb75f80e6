"""Why a command cannot do what it was asked for."""

from __future__ import annotations

from pg_privatelink.cli.exit_code import ExitCode


class Problem(Exception):  # noqa: N818 - for the user it is one, for us it is no error
    """Ends a command with one message and an exit code, and without a traceback.

    Args:
        what: What is missing or wrong, one sentence without a full stop.
        remedy: What to do about it, one sentence without a full stop.
        exit_code: How the command ends (default: could not tell).
    """

    def __init__(self, what: str, remedy: str, *, exit_code: ExitCode = ExitCode.UNKNOWN) -> None:
        super().__init__(f"{what}: {remedy}")
        self.what = what
        self.remedy = remedy
        self.exit_code = exit_code

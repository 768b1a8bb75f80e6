"""The command `pg-privatelink`: what was deployed, seen and looked after from a terminal or a script."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command with the arguments of this process, and end the process."""
    # Imported here, so that a part of this package can be used without all of it.
    from pg_privatelink.cli.application import run  # noqa: PLC0415

    sys.exit(run(sys.argv[1:]))

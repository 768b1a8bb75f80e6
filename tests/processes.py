"""The processes that work for a folder, whoever else runs on this computer."""

from __future__ import annotations

import os
import time
from pathlib import Path

_SECONDS_TO_END = 30  # a killed process is there until the system has cleaned up after it


def processes(folder: Path) -> list[str]:
    """Return number and command of all processes that know a folder.

    They name something in it on their command line, or in their environment, as whatever an emulator or the CDK CLI
    starts inherits TMPDIR or CDK_HOME; or they work in it, as PostgreSQL's servers do, which rename themselves.
    """
    mark = os.fsencode(f"{folder}{os.sep}")
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
            known = (command, (process / "environ").read_bytes(), os.fsencode(f"{(process / 'cwd').readlink()}/"))
        except OSError:
            continue  # ended meanwhile, or somebody else's
        if any(mark in each for each in known):
            found.append(f"{process.name} {command.decode()}")
    return found


def assert_ended(folder: Path) -> None:
    """Assert that no process works for a folder any more."""
    deadline = time.monotonic() + _SECONDS_TO_END
    while left := processes(folder):
        assert time.monotonic() < deadline, left
        time.sleep(0.02)

"""Processes of this computer, by their numbers, as Linux tells of them in /proc."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import signal


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; nothing happens if the process is gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def lives(pid: int) -> bool:
    """Whether it is there, frozen or not, and not merely unburied."""
    state = _stat(pid)
    return bool(state) and state[0] != "Z"


def command_line(pid: int) -> str:
    """Return its program and arguments, with spaces between; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def children(pid: int) -> list[int]:
    """Return those that it started and that are there."""
    everyone = [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]
    return [each for each in everyone if (stat := _stat(each)) and int(stat[1]) == pid]


def _stat(pid: int) -> list[str]:
    """Return what follows the name in /proc/PID/stat: state, parent, and so on; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []

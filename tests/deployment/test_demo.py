"""`make demo`, interrupted: whatever it was doing, nothing is left running and nothing is left outside `.work/`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _processes() -> set[str]:
    """Return the command lines, with their process ids, of whatever runs from this project's folder or in it.

    A server of PostgreSQL is recognized by its working directory, which is its data: its children rename themselves.
    """
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                place = str((folder / "cwd").readlink())
            except OSError:
                continue  # ended meanwhile
            if str(ROOT) in command or (command.startswith("postgres") and place.startswith(str(ROOT))):
                found.add(f"{folder.name} {command}")
    return found


@pytest.mark.parametrize("step", ["cdk bootstrap", "cdk synth", "cdk deploy"])
def test_interrupted(tmp_path: Path, step: str) -> None:
    """Ctrl-C ends the step it hits and everything that was started, and says which step that was."""
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    before = _processes()
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "tools.demo"],
        cwd=ROOT,
        env={**os.environ, "HOME": str(home), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout is not None
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if line.startswith(f"{step}"):
                break
        time.sleep(0.7)  # well into the step, whatever it is doing by then
        demo.send_signal(signal.SIGINT)
        lines += demo.stdout.readlines()
        code = demo.wait()

    assert code == 130, lines
    assert f"interrupted during: {step}" in lines[-1]
    assert [*home.iterdir()] == []
    assert [*temporary.iterdir()] == []
    assert _processes() <= before

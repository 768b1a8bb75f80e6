"""`make demo`, interrupted: whatever it was doing, nothing is left running and nothing is left outside its folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.processes import assert_ended, processes
from tools.install import ROOT, WORK

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("step", "working"), [("cdk bootstrap", "aws-cdk"), ("cdk deploy", "aws-cdk"), ("failover", "postgres")]
)
def test_interrupted(tmp_path: Path, step: str, working: str) -> None:
    """Ctrl-C ends the step it hits and everything that was started, and says which step that was."""
    home, temporary, work = tmp_path / "home", tmp_path / "tmp", WORK / "tests" / "demo"
    home.mkdir()
    temporary.mkdir()
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "tools.demo", str(work)],
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
        running = processes(work)
        demo.send_signal(signal.SIGINT)
        lines += demo.stdout.readlines()
        code = demo.wait()

    assert code == 130, lines
    assert f"interrupted during: {step}" in lines[-1]
    assert [*home.iterdir()] == []
    assert [*temporary.iterdir()] == []
    assert any("emulator" in each for each in running), running
    assert any(working in each for each in running), running
    assert_ended(work)

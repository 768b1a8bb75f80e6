"""Ports and addresses for what runs side by side."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tools.install import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# A checkout of its own in which there are three to be had.
_TAKER = """
import sys
from pathlib import Path
from emulator import ports
ports.WORK, ports._NETWORKS = Path({work!r}), range(1, 4)
print(ports.free_network(), flush=True)
sys.stdin.read()
"""


def test_each_is_given_to_one_process_until_it_ends(tmp_path: Path) -> None:
    """Three processes get three different ones; when one is killed, the next gets what it had."""
    with ExitStack() as started:

        def take() -> tuple[subprocess.Popen[bytes], int]:
            process = started.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _TAKER.format(work=str(tmp_path))],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            started.callback(process.kill)
            assert process.stdout is not None
            return process, int(process.stdout.readline())

        taken = [take() for _ in range(3)]
        assert {number for _, number in taken} == {1, 2, 3}

        killed, number = taken[1]
        killed.kill()
        killed.wait()
        assert take()[1] == number

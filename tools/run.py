"""Run a module of the project's environment with its caches below `.work/`: `python -m tools.run pytest -k x`."""

from __future__ import annotations

import os
import sys

from tools.environment import child_environment
from tools.install import ROOT


def main() -> None:
    """Replace this process by the module named on the command line."""
    if len(sys.argv) < 2:  # noqa: PLR2004 - program name and module
        sys.exit("usage: python -m tools.run MODULE [ARGUMENT ...]")
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, "-m", *sys.argv[1:]], child_environment())  # noqa: S606 - no shell wanted


if __name__ == "__main__":
    main()

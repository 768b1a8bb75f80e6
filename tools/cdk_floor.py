"""Run the constructs' tests with the oldest aws-cdk-lib that this project supports: `make cdk-floor`.

The environment stands in `.work/cdk-floor`, installed from `cdk_floor.txt`, a hashed lock of its own. Not part of
`make test`: it installs aws-cdk-lib a second time, half a gigabyte.
"""

from __future__ import annotations

import os
import sys

from tools.environment import child_environment
from tools.install import ROOT, WORK, SetUpError, install_from_lock

LOCK = ROOT / "tools" / "cdk_floor.txt"
# Snapshots show the newest release's templates; the policy packs and schemas are those of the newest as well.
_NOT_MEANT = ("tests/constructs/test_snapshots.py::test_default_service",)


def main() -> int:
    """Install what is missing, then become pytest; return the exit code where that fails."""
    try:
        install_from_lock("cdk-floor", LOCK)
    except SetUpError as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    python = WORK / "cdk-floor" / "bin" / "python"
    arguments = [argument for each in _NOT_MEANT for argument in ("--deselect", each)]
    environment = {**child_environment(), "PATH": os.pathsep.join([str(python.parent), os.environ["PATH"]])}
    os.chdir(ROOT)
    os.execve(  # noqa: S606 - no shell wanted
        python, [str(python), "-m", "pytest", "tests/constructs", "-q", *arguments, *sys.argv[1:]], environment
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

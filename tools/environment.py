"""The variables under which the project's own commands run: nothing leaves `.work/`, nothing reaches a real account."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tools.install import WORK, node


def child_environment() -> dict[str, str]:
    """Return the environment for a child process.

    Caches of jsii and of the CDK CLI, temporary files and the home directory lie below `.work/`; the last because
    aws-cdk-lib keeps fingerprints of assets in `~/.cdk` and cannot be told otherwise.
    """
    temporary, cache, home = WORK / "tmp", WORK / "cache", WORK / "home"
    for folder in (temporary, cache, home):
        folder.mkdir(parents=True, exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CDK_", "JSII_"))}
    binaries = Path(sys.executable).parent
    node_binary = node()
    return {
        **kept,
        "HOME": str(home),
        "PATH": os.pathsep.join([str(binaries), str(node_binary.parent), os.environ.get("PATH", os.defpath)]),
        "TMPDIR": str(temporary),
        "JSII_NODE": str(node_binary),
        # The cache's own check of who owns the folder above is for shared machines; naming the place skips it.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(cache / "jsii"),
        "npm_config_cache": str(cache / "npm"),
        "RUFF_CACHE_DIR": str(cache / "ruff"),
        "MYPY_CACHE_DIR": str(cache / "mypy"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(cache / "hypothesis"),
    }

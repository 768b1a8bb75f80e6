"""How long the function takes to import, against boto3 alone: fresh processes, from the asset as Lambda runs it."""

from __future__ import annotations

import compileall
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from constructs_pg._assets import stage_target_sync

_BOTO3 = "boto3"
_FUNCTION = "target_sync.handler"
_NEEDS = ("boto3", "botocore", "s3transfer", "urllib3", "jmespath", "dateutil", "six")
# CPU time: what else the computer does meanwhile does not count. In Lambda, 128 MB get a small part of a CPU.
_TIMED = "import sys, time; start = time.process_time(); __import__(sys.argv[1]); print(time.process_time() - start)"


def measure(times: int) -> dict[str, Any]:
    """Imports both several times in turn: the field `import` of the results.

    In Lambda the runtime's boto3 comes compiled, and the asset's own files do not: they are source, unpacked to a
    folder that cannot be written. That is `ratio_to_boto3`. The other reading has nothing compiled, boto3 included.
    """
    with tempfile.TemporaryDirectory() as folder:
        asset = stage_target_sync(Path(folder) / "asset")
        source, compiled = _copied(Path(folder) / "source"), _copied(Path(folder) / "compiled")
        # Not the environment's own: whether that is compiled depends on how it was installed.
        if not compileall.compile_dir(compiled, quiet=1):
            raise RuntimeError(f"boto3 cannot be compiled in {compiled}")
        for directory, _, _ in os.walk(asset):
            Path(directory).chmod(0o555)
        try:
            left = list(asset.rglob("*.pyc"))
            with_bytecode = _both(asset, compiled, times)
            without = _both(asset, source, times)
            left += list(asset.rglob("*.pyc"))
        finally:
            for directory, _, _ in os.walk(asset):
                Path(directory).chmod(0o755)
    if left:
        raise RuntimeError(f"there is bytecode in the asset, which Lambda would not have: {left[0]}")
    return {
        "ratio_to_boto3": round(with_bytecode[2], 3),
        "boto3_ms": round(with_bytecode[0] * 1000, 1),
        "function_ms": round(with_bytecode[1] * 1000, 1),
        "ratio_to_boto3_without_bytecode": round(without[2], 3),
        "boto3_without_bytecode_ms": round(without[0] * 1000, 1),
        "function_without_bytecode_ms": round(without[1] * 1000, 1),
        "runs": times,
        "python": ".".join(map(str, sys.version_info[:3])),
    }


def _both(asset: Path, packages: Path, times: int) -> tuple[float, float, float]:
    """The medians for boto3 alone and for the function, in seconds, and of how they compare, measured in turn."""
    taken: dict[str, list[float]] = {_BOTO3: [], _FUNCTION: []}
    for _ in range(times):
        for module, found in taken.items():
            found.append(_import(module, asset, packages))
    # Each is compared with its neighbour: a computer's pace changes while others work on it.
    ratios = [ours / boto3 for boto3, ours in zip(taken[_BOTO3], taken[_FUNCTION], strict=True)]
    return statistics.median(taken[_BOTO3]), statistics.median(taken[_FUNCTION]), statistics.median(ratios)


def _import(module: str, asset: Path, packages: Path) -> float:
    # -S: no site-packages but the folder given; -B: nothing is compiled to disk.
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", _TIMED, module],
        env={
            "PYTHONPATH": f"{asset}{os.pathsep}{packages}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_REGION": "eu-central-1",
        },
        cwd=asset,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def _site_packages() -> Path:
    spec = find_spec(_BOTO3)
    assert spec is not None  # noqa: S101  # it is among the project's own requirements
    assert spec.origin is not None  # noqa: S101
    return Path(spec.origin).parent.parent


def _copied(folder: Path) -> Path:
    """Copies boto3 and what it imports, source only."""
    for name in _NEEDS:
        package = _site_packages() / name
        if package.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "data", "examples")
            shutil.copytree(package, folder / name, ignore=ignored)
        else:
            shutil.copyfile(package.with_suffix(".py"), folder / f"{name}.py")
    return folder

"""The code that functions run: found beside this package or inside it, staged with what it imports.

Third-party code is copied from the environment that synthesizes: no Docker, no network, and the same asset hash on
every machine, because the version is exact and only source files are copied.
"""

from __future__ import annotations

import importlib.metadata
import shutil
from pathlib import Path

from .errors import PostgresEndpointServiceError

DNSPYTHON_VERSION = "2.8.0"
_PACKAGE = Path(__file__).resolve().parent


def functions_folder() -> Path:
    """Return the folder with the functions' packages.

    Inside the installed wheel it is `constructs_pg/_lambdas`; in a checkout, or where `constructs_pg/` is vendored, it
    is `lambdas/` beside the package.

    Raises:
        PostgresEndpointServiceError: Neither exists, typically because only `constructs_pg/` was copied.
    """
    for folder in (_PACKAGE / "_lambdas", _PACKAGE.parent / "lambdas"):
        if folder.is_dir():
            return folder
    raise PostgresEndpointServiceError(
        f"the functions' code is missing: neither {_PACKAGE / '_lambdas'} nor {_PACKAGE.parent / 'lambdas'} exists; "
        "copy the folder 'lambdas' next to 'constructs_pg', or install the wheel"
    )


def stage_target_sync(destination: Path) -> Path:
    """Copy the target-sync function and dnspython to a folder that is ready to become an asset.

    Args:
        destination: The folder to fill; made anew if it exists.

    Returns:
        `destination`, holding the packages `target_sync` and `dns`.

    Raises:
        PostgresEndpointServiceError: dnspython is missing here, or is not exactly `DNSPYTHON_VERSION`.
    """
    _copy_package("target_sync", destination)
    for relative, source in _dnspython_files():
        target = destination / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return destination


def stage_connection_gate(destination: Path) -> Path:
    """Copy the connection-gate function, which needs nothing but boto3, to a folder ready to become an asset.

    Args:
        destination: The folder to fill; made anew if it exists.

    Returns:
        `destination`, holding the package `connection_gate`.
    """
    _copy_package("connection_gate", destination)
    return destination


def stage_connectivity_check(destination: Path) -> Path:
    """Copy the connectivity-check function, which needs nothing but the standard library, to a folder for an asset.

    Args:
        destination: The folder to fill; made anew if it exists.

    Returns:
        `destination`, holding the package `connectivity_check`.
    """
    _copy_package("connectivity_check", destination)
    return destination


def _copy_package(package: str, destination: Path) -> None:
    shutil.rmtree(destination, ignore_errors=True)
    shutil.copytree(
        functions_folder() / package,
        destination / package,
        ignore=shutil.ignore_patterns("__pycache__", "*.pyc"),
    )


def _dnspython_files() -> list[tuple[str, Path]]:
    """Return dnspython's source files, and its licence, which asks to travel with every copy."""
    remedy = f"in the environment that runs the CDK app: pip install dnspython=={DNSPYTHON_VERSION}"
    try:
        distribution = importlib.metadata.distribution("dnspython")
    except importlib.metadata.PackageNotFoundError as error:
        raise PostgresEndpointServiceError(
            f"the target-sync function needs dnspython {DNSPYTHON_VERSION}, but it is not installed; {remedy}"
        ) from error
    if distribution.version != DNSPYTHON_VERSION:
        raise PostgresEndpointServiceError(
            f"the target-sync function needs dnspython {DNSPYTHON_VERSION}, got {distribution.version}; {remedy}"
        )
    staged = []
    for file in distribution.files or ():
        if file.parts[0] == "dns" and file.suffix == ".py":
            staged.append((str(file), Path(str(file.locate()))))
        elif file.name == "LICENSE":
            staged.append(("dns/LICENSE", Path(str(file.locate()))))
    if not any(relative == "dns/__init__.py" for relative, _ in staged):
        raise PostgresEndpointServiceError(
            f"dnspython {DNSPYTHON_VERSION} is installed without a list of its files, so it cannot be copied; {remedy}"
        )
    return staged

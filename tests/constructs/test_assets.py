"""The functions' code: found, complete, and the same on every machine."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from constructs_pg import PostgresEndpointServiceError, _assets


def test_staged_code_starts_without_anything_else(tmp_path: Path) -> None:
    """The asset brings what it imports but for boto3, which the runtime has."""
    _assets.stage_target_sync(tmp_path / "code")
    # -I ignores the environment and the working directory; boto3 comes from the site packages, dns must not.
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import target_sync.handler, dns.message; "
        "print(dns.message.__file__)"
    )

    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", script, str(tmp_path / "code")], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == str(tmp_path / "code" / "dns" / "message.py")


def test_the_gate_starts_without_anything_else(tmp_path: Path) -> None:
    """It needs boto3 alone, and brings nothing of the other function."""
    _assets.stage_connection_gate(tmp_path / "code")
    script = "import sys; sys.path.insert(0, sys.argv[1]); import connection_gate.handler as h; print(h.__file__)"

    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", script, str(tmp_path / "code")], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == str(tmp_path / "code" / "connection_gate" / "handler.py")
    assert [each.name for each in (tmp_path / "code").iterdir()] == ["connection_gate"]


def test_the_check_starts_without_anything_else(tmp_path: Path) -> None:
    """It needs the standard library alone, not even boto3: its metrics travel in its log."""
    _assets.stage_connectivity_check(tmp_path / "code")
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); import connectivity_check.handler as h; "
        "assert 'boto3' not in sys.modules; print(h.__file__)"
    )

    # -S leaves out the site packages.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", script, str(tmp_path / "code")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == str(tmp_path / "code" / "connectivity_check" / "handler.py")


def test_hash_depends_on_content_only(tmp_path: Path) -> None:
    """Where it was staged, who owns it and whether it has run before must not redeploy the function."""
    first = _assets.stage_target_sync(tmp_path / "first")
    second = _assets.stage_target_sync(tmp_path / "elsewhere" / "second")
    for file in second.rglob("*.py"):
        file.chmod(0o755)
        os.utime(file, (0, 0))

    assert cdk.FileSystem.fingerprint(str(first)) == cdk.FileSystem.fingerprint(str(second))
    assert not [*first.rglob("*.pyc")]
    assert (first / "dns" / "LICENSE").is_file()


def test_another_dnspython_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The version is part of what is tested and deployed, so it is exact."""
    real = importlib.metadata.distribution("dnspython")

    class Older:
        version = "2.7.0"
        files = real.files

    monkeypatch.setattr(importlib.metadata, "distribution", lambda _: Older())

    with pytest.raises(PostgresEndpointServiceError, match=r"needs dnspython 2\.8\.0, got 2\.7\.0; .*pip install"):
        _assets.stage_target_sync(tmp_path / "code")


def test_a_missing_dnspython_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users who vendor the library learn what to install."""

    def missing(name: str) -> Any:  # noqa: ANN401
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)

    with pytest.raises(PostgresEndpointServiceError, match="it is not installed"):
        _assets.stage_target_sync(tmp_path / "code")


def test_constructs_without_the_functions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever copies `constructs_pg/` alone is told to copy `lambdas/` as well."""
    monkeypatch.setattr(_assets, "_PACKAGE", tmp_path / "constructs_pg")

    with pytest.raises(PostgresEndpointServiceError, match="copy the folder 'lambdas' next to 'constructs_pg'"):
        _assets.functions_folder()


def test_pinned_versions_agree() -> None:
    """What the library demands is what the project installs."""
    lock = (Path(__file__).parents[2] / "requirements.txt").read_text()

    assert f"dnspython=={_assets.DNSPYTHON_VERSION} " in lock
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert f"dnspython=={_assets.DNSPYTHON_VERSION}" in project["dependencies"]

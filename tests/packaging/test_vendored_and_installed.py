"""However users get the library, it synthesizes the same template, the hash of the function's code included."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

# The app of a user; where the library comes from is all that differs.
_APP = """
import json
import sys

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2, aws_rds as rds

from {package} import Consumer, PostgresEndpointService, PostgresTarget
import {package} as library

stack = cdk.Stack(cdk.App(analytics_reporting=False, outdir="cdk.out"), "Stack")
vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
database = rds.DatabaseInstance(
    stack, "Database", vpc=vpc,
    engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17),
)
PostgresEndpointService(
    stack, "Orders", vpc=vpc, consumers=[Consumer.dbt_platform()],
    listeners={{"main": PostgresTarget.from_instance(database)}},
)
template = cdk.App.of(stack).synth().get_stack_by_name("Stack").template
json.dump({{"library": library.__file__, "template": template}}, sys.stdout)
"""


def synthesize(folder: Path, *, path: Path, package: str = "constructs_pg") -> dict[str, Any]:
    """Run the app in a folder, in a process of its own that finds the library below `path`."""
    folder.mkdir(parents=True)
    (folder / "app.py").write_text(_APP.format(package=package))
    environment = {**os.environ, "PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    # Nothing is proved if the library of the checkout was found after all.
    assert Path(printed["library"]).is_relative_to(path), printed["library"]
    template: dict[str, Any] = printed["template"]
    return template


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the template that the checkout makes, with the hash of the function's code in it."""
    template = synthesize(tmp_path_factory.mktemp("checkout") / "app", path=ROOT)
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Lambda::Function"]
    ours = [each for each in functions if "S3Key" in each["Properties"]["Code"]]
    assert ours
    assert all(each["Properties"]["Code"]["S3Key"].endswith(".zip") for each in ours)
    return template


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, with nothing but what the project's environment has."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    # A copy, so that nothing of the build stays in the checkout; only what the build reads.
    for name in ("constructs_pg", "pg_privatelink", "lambdas"):
        shutil.copytree(ROOT / name, source / name)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(built)],
        cwd=source,
        check=True,
        capture_output=True,
    )
    (path,) = built.glob("*.whl")
    return path


def test_vendored_below_another_package(tmp_path: Path, checkout: dict[str, Any]) -> None:
    """`constructs_pg/` and `lambdas/`, copied side by side below a package of the user's."""
    vendor = tmp_path / "platform_team" / "vendor"
    vendor.mkdir(parents=True)
    (tmp_path / "platform_team" / "__init__.py").touch()
    (vendor / "__init__.py").touch()
    for name in ("constructs_pg", "lambdas"):
        shutil.copytree(ROOT / name, vendor / name)

    vendored = synthesize(tmp_path / "app", path=tmp_path, package="platform_team.vendor.constructs_pg")

    assert vendored == checkout


def test_installed_from_the_wheel(tmp_path: Path, wheel: Path, checkout: dict[str, Any]) -> None:
    """The wheel, installed without the network into a folder."""
    installed = tmp_path / "site"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--disable-pip-version-check", "--target", str(installed), str(wheel)),
        ],
        check=True,
        capture_output=True,
    )

    assert synthesize(tmp_path / "app", path=installed) == checkout


def test_the_wheel_carries_what_is_needed_and_no_more(wheel: Path) -> None:
    """The functions' code and the marker for type checkers are in it; tests, tools and compiled files are not."""
    names = zipfile.ZipFile(wheel).namelist()

    assert {"constructs_pg/_lambdas/target_sync/handler.py", "constructs_pg/py.typed"} <= set(names)
    folders = {name.partition("/")[0] for name in names}
    assert {name for name in folders if not name.endswith(".dist-info")} == {"constructs_pg", "pg_privatelink"}
    assert [name for name in names if name.endswith(".pyc")] == []

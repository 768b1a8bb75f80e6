"""Synthesize what a release's users wrote: `make release-templates VERSION=1.2.3` writes the templates of a release.

The code that synthesizes is the one that Python finds. For a release of the past that is another checkout:
`PYTHONPATH=<checkout> python tests/releases/synthesize.py tests/releases/v1_2_3`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

Template = dict[str, Any]


def _version(folder: Path) -> tuple[tuple[int, int | str], ...]:
    """Return what orders releases: 0.10 after 0.9, and 0.1.0.dev1 before 0.1.0."""
    parts = re.findall(r"\d+|[a-z]+", folder.name.removeprefix("v"))
    return (*((2, int(each)) if each.isdigit() else (0, each) for each in parts), (1, ""))


RELEASES = sorted(Path(__file__).parent.glob("v*_*"), key=_version)
"""The folders of all releases, oldest first."""


def templates(folder: Path) -> dict[str, Template]:
    """Return the templates of a release's apps and YAML files, made by the code of today.

    Args:
        folder: The release's folder, with `apps.py` (each public function fills a stack) and `yaml/`.

    Returns:
        Templates by `apps.<function>` and `<file>.<stack>`.
    """
    # Only now: how a process starts decides what aws_cdk does in it.
    import aws_cdk as cdk  # noqa: PLC0415

    from pg_privatelink.app import PgPrivateLinkApp  # noqa: PLC0415

    made = {}
    with tempfile.TemporaryDirectory() as temporary:
        module = _load(folder / "apps.py")
        for name, function in vars(module).items():
            if name.startswith("_") or getattr(function, "__module__", None) != module.__name__:
                continue
            app = cdk.App(analytics_reporting=False, outdir=f"{temporary}/{name}")
            # Without account and Region where a VPC is created: CDK would ask the account for its zones.
            environment = (
                None if name.startswith("created") else cdk.Environment(account="111122223333", region="eu-central-1")
            )
            function(cdk.Stack(app, "Stack", env=environment))
            made[f"apps.{name}"] = app.synth().get_stack_by_name("Stack").template
        for file in sorted((folder / "yaml").glob("*.yaml")):
            assembly = PgPrivateLinkApp(configuration=file, outdir=f"{temporary}/{file.stem}").synth()
            for stack in assembly.stacks:
                made[f"{file.stem}.{stack.stack_name}"] = stack.template
    return made


def _load(path: Path) -> ModuleType:
    # A name of its own for each release: their modules are all called the same.
    specification = importlib.util.spec_from_file_location(f"release_{path.parent.name}", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def make_release(folder: Path) -> None:
    """Write a release's templates; a folder that does not exist begins with the latest release's apps.

    Args:
        folder: The release's folder, `tests/releases/v1_2_3`.

    Raises:
        SystemExit: The templates exist already. What was released does not change.
    """
    if (folder / "templates").exists():
        sys.exit(f"{folder / 'templates'} exists: what was released does not change")
    if not folder.exists():
        shutil.copytree(RELEASES[-1], folder, ignore=shutil.ignore_patterns("templates", "__pycache__"))
        print(f"apps.py and yaml/ are copied from {RELEASES[-1].name}: add what is new, then run this again")  # noqa: T201
        return
    (folder / "templates").mkdir()
    for name, template in templates(folder).items():
        (folder / "templates" / f"{name}.json").write_text(f"{json.dumps(template, indent=1, sort_keys=True)}\n")


if __name__ == "__main__":
    os.environ["CDK_VALIDATION"] = "false"
    make_release(Path(sys.argv[1]).resolve())

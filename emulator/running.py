"""One running emulator of AWS, for tests, the demo and the drill.

Standard library only; `boto3` is imported where a client is asked for.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from emulator.control import Control
from emulator.ports import free_port
from tools.install import WORK, emulator_python, node

if TYPE_CHECKING:
    from io import BufferedWriter

    import boto3

ACCOUNT = "111111111111"
REGION = "us-east-1"
START = Path(__file__).parent / "aws" / "start.py"


class EmulatorError(Exception):
    """The emulator could not be started; the message names its log."""


class Emulator:
    """An emulator process on a free port of 127.0.0.1, used as a context manager.

    It dies with this process, however that ends, and takes its Lambda workers along. Its state lives in memory: a new
    start is an empty AWS.

    Args:
        work: Folder for the log (`emulator.log`), temporary files and the CDK CLI's cache; made if missing, and kept.
            Default: a new folder below `.work/emulators/`, deleted when the emulator stops.
        stock: Run plain ministack, without this project's extension (and without `control`).
        authorization: Evaluate IAM policies on every request, as AWS does.
        region: The Region of `environment()` and `client()` unless they are told otherwise.
        start_timeout: Seconds to wait until the emulator answers, default 60.
    """

    def __init__(
        self,
        work: Path | None = None,
        *,
        stock: bool = False,
        authorization: bool = False,
        region: str = REGION,
        start_timeout: float = 60.0,
    ) -> None:
        self.stock = stock
        self.authorization = authorization
        self.region = region
        self.port = free_port()
        self._given_work = work
        self._start_timeout = start_timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._output: BufferedWriter | None = None
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @property
    def endpoint_url(self) -> str:
        """Where every AWS API answers. The name matters: virtual-host names are built from `localhost`."""
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> Path:
        """What the emulator printed; Lambda functions log to the emulated CloudWatch Logs instead."""
        return self.work / "emulator.log"

    @property
    def control(self) -> Control:
        """Settings, faults, events and the journal of API calls."""
        if self.stock:
            raise EmulatorError("stock ministack has no control; start the emulator without stock=True")
        return Control(self.endpoint_url)

    def __enter__(self) -> Self:
        """Start the emulator."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the emulator."""
        self.stop()

    def start(self) -> None:
        """Start the process and return when it answers.

        Raises:
            EmulatorError: It ended or did not answer in time.
        """
        if self._given_work is None:
            (WORK / "emulators").mkdir(parents=True, exist_ok=True)
            self.work = Path(tempfile.mkdtemp(dir=WORK / "emulators"))
        else:
            self.work = self._given_work
            self.work.mkdir(parents=True, exist_ok=True)
        # Workers leave folders behind when they are killed: theirs is ours to delete.
        self._temporary = tempfile.TemporaryDirectory(dir=self.work, prefix="tmp-", ignore_cleanup_errors=True)
        self._output = self.log.open("ab")
        command = [str(emulator_python()), str(START), "--port", str(self.port), "--die-with-stdin"]
        if self.stock:
            command.append("--stock")
        self._process = subprocess.Popen(
            command,
            cwd=self._temporary.name,
            env=self._own_environment(self._temporary.name),
            stdin=subprocess.PIPE,  # never written to: its end of file tells the emulator that this process is gone
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self._given_work = self.work  # the log stays: the error names it
            self.stop()
            raise

    def _own_environment(self, temporary: str) -> dict[str, str]:
        """Return the emulator's environment. Lambda workers inherit it, so nothing of the caller's is in it."""
        return {
            "PATH": os.pathsep.join([str(_node().parent), "/usr/local/bin", "/usr/bin", "/bin"]),
            "HOME": temporary,
            "TMPDIR": temporary,
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self.port),
            "LAMBDA_EXECUTOR": "local",
            "PERSIST_STATE": "0",
            "AUTH": str(self.authorization).lower(),
            "MINISTACK_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "DOCKER_HOST": "unix:///nonexistent",  # no container is ever looked for
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "NODE_NO_WARNINGS": "1",
        }

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + self._start_timeout
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise EmulatorError(f"the emulator ended with exit code {process.returncode}; its log: {self.log}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_ministack/ready", timeout=5) as answer:
                    json.load(answer)
                    return
            except (urllib.error.URLError, OSError, ValueError):
                time.sleep(0.05)
        raise EmulatorError(f"the emulator did not answer within {self._start_timeout:.0f} s; its log: {self.log}")

    def stop(self) -> None:
        """End the emulator with everything it started, and delete its temporary files. May be called twice."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                # Its state is in memory only: nothing is lost by not asking politely, and no worker is left behind.
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()
            self._process = None
        if self._output is not None:
            self._output.close()
            self._output = None
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None
            if self._given_work is None:
                shutil.rmtree(self.work, ignore_errors=True)

    def environment(self, account: str = ACCOUNT, region: str | None = None) -> dict[str, str]:
        """Return a whole environment in which the CDK CLI, boto3 and `app.py` talk to this emulator only.

        Args:
            account: Twelve digits. It is the access key, and the access key *is* the account: another number is
                another account, such as the consumer's.
            region: Default: the emulator's.
        """
        chosen = region or self.region
        # One cache per start: the CLI remembers key -> account, and would deploy to the wrong one elsewhere.
        home = self.work / f"cdk-home-{self.port}"
        home.mkdir(exist_ok=True)
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name != "CDK_HOME"
        }
        return {
            **inherited,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "emulator",
            "AWS_REGION": chosen,
            "AWS_DEFAULT_REGION": chosen,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DEFAULT_ACCOUNT": account,
            "CDK_DEFAULT_REGION": chosen,
            "CDK_HOME": str(home),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            "CI": "true",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "JSII_NODE": str(_node()),
            "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
            "NODE_NO_WARNINGS": "1",
        }

    def data_plane(self, account: str = ACCOUNT, region: str | None = None) -> Any:  # noqa: ANN401
        """Return a client of Elastic Load Balancing for `emulator.data_plane`, which no setting slows down."""
        return self.client("elbv2", account, region, user_agent="emulated-data-plane")

    def client(
        self,
        service: str,
        account: str = ACCOUNT,
        region: str | None = None,
        *,
        attempts: int = 1,
        user_agent: str = "",
    ) -> Any:  # noqa: ANN401
        """Return a boto3 client of one account. It does not retry by default: tests want to see every error.

        The type is `Any`: annotate the variable with the service's client type from boto3-stubs where that helps.
        """
        from botocore.config import Config  # noqa: PLC0415

        return _session().client(
            service,
            region_name=region or self.region,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=account,
            aws_secret_access_key="emulator",  # noqa: S106  # any: the key is the account
            config=Config(
                retries={"mode": "standard", "total_max_attempts": attempts},
                proxies={},
                read_timeout=120,
                user_agent_extra=user_agent or None,
            ),
        )


@cache
def _node() -> Path:
    return node()


@cache
def _session() -> "boto3.Session":
    """Return the one session of this process: it keeps the service models, which take long to load."""
    import boto3  # noqa: PLC0415
    import botocore.session  # noqa: PLC0415

    # No profile and no file of the caller's is read: neither a real account nor a broken profile can get in.
    unset = (None, None, None, None)
    nowhere = (None, None, os.devnull, None)
    variables = {"profile": unset, "config_file": nowhere, "credentials_file": nowhere}
    return boto3.Session(botocore_session=botocore.session.Session(variables))

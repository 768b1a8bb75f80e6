"""The real CDK CLI, run against an emulator: synthesize once, then bootstrap, deploy, diff and destroy the assembly."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
from typing import TYPE_CHECKING

from tools.environment import child_environment
from tools.install import ROOT, cdk_script, node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_SECONDS_TO_STOP = 5


class CdkError(Exception):
    """The CDK CLI, or the app it ran, ended with an error.

    Args:
        command: What was run, for people.
        code: Its exit code.
        output: All that it printed.
        log: Where that stands as well.
    """

    def __init__(self, command: str, code: int, output: str, log: Path) -> None:
        last = "\n".join(output.strip().splitlines()[-8:])
        super().__init__(f"'{command}' ended with exit code {code}:\n{last}\n(whole output: {log})")
        self.code = code
        self.output = output


class Cdk:
    """The CDK CLI with one app and one assembly.

    Args:
        folder: Where assembly, outputs and logs go.
        environment: Variables that lead to the emulator's account (see `emulator.running.Emulator.environment`).
        config: The YAML file of the app.
        on_line: Called with each line the CLI prints.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        config: Path,
        on_line: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.assembly = folder / "cdk.out"
        self._folder = folder
        self._config = config
        # Ours last: its paths and caches win, and it holds no AWS_ and CDK_ variable that could lead elsewhere.
        self._environment = {**environment, **child_environment()}
        self._on_line = on_line
        folder.mkdir(parents=True, exist_ok=True)
        # The project's feature flags but not its app: everything runs in this folder, where the CLI keeps the look-ups
        # it caches, and bootstrap must not synthesize first.
        context = json.loads((ROOT / "cdk.json").read_text())["context"]
        (folder / "cdk.json").write_text(json.dumps({"context": context}))

    def synth(self, *, validation: bool = True) -> str:
        """Run the app; its templates are in `assembly` from then on. Returns what the CLI printed.

        Args:
            validation: Whether CDK checks the templates against the resource schemas, which takes some seconds.
        """
        variables = {} if validation else {"CDK_VALIDATION": "false"}
        return self._run(
            "synth",
            "--app", f"python {shlex.quote(str(ROOT / 'app.py'))}",
            "--output", str(self.assembly),
            "--context", f"config={self._config}",
            "--quiet",
            variables=variables,
        )  # fmt: skip

    def bootstrap(self) -> None:
        """Prepare account and Region for deployments; needs no app."""
        account, region = self._environment["CDK_DEFAULT_ACCOUNT"], self._environment["AWS_REGION"]
        self._run("bootstrap", f"aws://{account}/{region}")

    def deploy(self, *stacks: str) -> dict[str, dict[str, str]]:
        """Deploy the assembly's stacks (default: all); returns outputs by stack and name."""
        outputs = self._folder / "outputs.json"
        self._run(
            "deploy",
            "--app", str(self.assembly),
            "--require-approval", "never",
            "--outputs-file", str(outputs),
            *(stacks or ["--all"]),
        )  # fmt: skip
        loaded: dict[str, dict[str, str]] = json.loads(outputs.read_text())
        return loaded

    def diff(self) -> str:
        """Return what a deployment would change; raises if that is anything at all."""
        return self._run("diff", "--app", str(self.assembly), "--all", "--fail")

    def destroy(self) -> None:
        """Delete all stacks of the assembly."""
        self._run("destroy", "--app", str(self.assembly), "--all", "--force")

    def _run(self, *arguments: str, variables: Mapping[str, str] | None = None) -> str:
        command = [str(node()), str(cdk_script()), "--no-notices", "--no-color", "--ci", *arguments]
        log = self._folder / f"cdk-{arguments[0]}.log"
        lines: list[str] = []
        # A session of its own: Ctrl-C reaches this process only, which then ends the CLI and all it started.
        with (
            log.open("w") as file,
            subprocess.Popen(
                command,
                cwd=self._folder,
                env={**self._environment, **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            ) as process,
        ):
            try:
                assert process.stdout is not None  # noqa: S101 - asked for above
                for line in process.stdout:
                    lines.append(line)
                    file.write(line)
                    self._on_line(line.rstrip())
                code = process.wait()
            except BaseException:
                _end_group(process)
                raise
        if code != 0:
            raise CdkError(f"cdk {' '.join(arguments)}", code, "".join(lines), log)
        return "".join(lines)


def _end_group(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

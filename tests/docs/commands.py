"""Commands as they stand in documents: taken apart, and compared with the tools they call. Runs none of them."""

from __future__ import annotations

import functools
import importlib.util
import json
import re
import shlex
from typing import TYPE_CHECKING, Any

import botocore.session
import jmespath  # type: ignore[import-untyped]  # it comes with botocore, without types
import typer
from botocore import xform_name

from pg_privatelink.cli.application import app
from tools.install import ROOT, cdk_script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_AWS_GLOBAL = {"region", "profile", "output", "query", "no-cli-pager", "endpoint-url", "debug"}
_AWS_CLI_ONLY = {("sso", "login")}
"""Commands that the AWS CLI adds to the API's operations."""
_AWS_OUTPUT_FILE = {("lambda", "invoke")}
"""Operations of the AWS CLI that take the name of a file for what they answer."""
_KNOWN = {"cd", "git", ".", "cp", "export", "exit", "mkdir", "touch"}
"""Commands of the shell, and git: nothing of ours to compare with."""


class WrongCommandError(Exception):
    """A command names something that is not there."""


def lines(block: str) -> Iterator[str]:
    """Yield the commands of a block: continued lines joined, comments and answers of a prompt taken away."""
    for line in block.replace("\\\n", " ").splitlines():
        text = re.sub(r"(^|\s+)#.*$", "", line).removeprefix("$ ").strip()
        if text:
            yield text


def check(line: str, *, whole: bool = True) -> None:
    """Compare a line with the tools that it calls.

    Args:
        line: One or more commands, joined by `&&` or `|`.
        whole: Whether it is to be run as it stands; of one that is only mentioned, `...` and required parts may lack.

    Raises:
        WrongCommandError: A command, an option or a file in it does not exist.
    """
    words = shlex.split(re.sub(r"<([\w ]+)>", r"\1", line))
    command: list[str] = []
    for word in [*words, "&&"]:
        if word in {"&&", "|", ";"}:
            _check_one(command, whole=whole)
            command = []
        else:
            command.append(word)


def _check_one(words: list[str], *, whole: bool) -> None:
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if not words:
        raise WrongCommandError("no command")
    tool, *rest = words
    name = tool.rpartition("/")[2]
    checks: dict[str, Callable[[list[str]], None]] = {
        "make": _check_make,
        "aws": functools.partial(_check_aws, whole=whole),
        "pg-privatelink": functools.partial(_check_command, whole=whole),
        "npx": _check_npx,
        "npm": _check_npm,
        "pip": _check_pip,
        "pytest": _check_files,
        "rm": _check_files,
        "mv": lambda words: _check_files(words[:-1]),
    }
    if name in checks:
        checks[name](rest)
    elif re.fullmatch(r"python[0-9.]*", name):
        _check_python(rest, whole=whole)
    elif name not in _KNOWN:
        raise WrongCommandError(f"{tool}: no tool that these tests know")


def _check_make(words: list[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    unknown = [word for word in words if "=" not in word and word not in targets]
    if unknown:
        raise WrongCommandError(f"make has no target {', '.join(unknown)}")


def _check_command(words: list[str], *, whole: bool) -> None:
    """Parse the words as the command would, without running it."""
    # typer's own click, whatever it is called: what it makes of the application parses.
    group: Any = typer.main.get_command(app)
    if not words and not whole:
        return
    try:
        with group.make_context("pg-privatelink", list(words)) as context:
            remaining = [*context._protected_args, *context.args]
            name, subcommand, rest = group.resolve_command(context, remaining)
            subcommand.make_context(name, rest, parent=context)
    except Exception as error:
        kind = type(error).__name__
        if kind == "Exit" or (kind == "MissingParameter" and not whole):  # --help ends the parsing
            return
        raise WrongCommandError(f"pg-privatelink {' '.join(words)}: {error}") from error


def _check_npx(words: list[str]) -> None:
    if words[:1] != ["cdk"]:
        raise WrongCommandError(f"npx {words[0]}: only the CDK CLI is installed")
    registry = json.loads((cdk_script().parents[1] / "lib" / "cli" / "cli-type-registry.json").read_text())
    if words[1] not in registry["commands"]:
        raise WrongCommandError(f"cdk has no command {words[1]}")
    options = {**registry["globalOptions"], **registry["commands"][words[1]].get("options", {})}
    known = {f"--{name}" for name in options} | {f"--no-{name}" for name in options}
    for each in options.values():
        aliases = each.get("alias", [])
        known |= {f"-{alias}" for alias in ([aliases] if isinstance(aliases, str) else aliases)}
    unknown = [word for word in words[2:] if word.startswith("-") and word.partition("=")[0] not in known]
    if unknown:
        raise WrongCommandError(f"cdk {words[1]} has no option {', '.join(unknown)}")


def _check_npm(words: list[str]) -> None:
    if words not in (["ci"], ["install", "--package-lock-only"]):
        raise WrongCommandError(f"npm {' '.join(words)}: neither of those that the project needs")


def _check_pip(words: list[str]) -> None:
    if words[0] not in {"install", "wheel"}:
        raise WrongCommandError(f"pip {words[0]}")
    if "-r" in words:
        _check_files([words[words.index("-r") + 1]])


def _check_python(words: list[str], *, whole: bool) -> None:
    if words[:1] != ["-m"]:
        _check_files(words[:1])
        return
    module, rest = words[1], words[2:]
    if module == "pip":
        _check_pip(rest)
    elif module == "pg_privatelink.cli":
        _check_command(rest, whole=whole)
    elif importlib.util.find_spec(module) is None:
        raise WrongCommandError(f"there is no module {module}")
    elif module == "tools.run":
        _check_python(["-m", *rest], whole=whole)
    elif module == "pytest":
        _check_files(rest)


def _check_files(words: list[str]) -> None:
    files = [ROOT / word.partition("::")[0] for word in words if not word.startswith("-")]
    missing = [str(file) for file in files if not (file.is_relative_to(ROOT) and file.exists())]
    if missing:
        raise WrongCommandError(f"there is no file {', '.join(missing)}")


@functools.cache
def _session() -> botocore.session.Session:
    return botocore.session.Session()


@functools.cache
def _service(name: str) -> Any:  # noqa: ANN401 - botocore's model
    if name not in _session().get_available_services():
        raise WrongCommandError(f"aws has no service {name}")
    return _session().get_service_model(name)


def _check_aws(words: list[str], *, whole: bool) -> None:
    """Compare a command of the AWS CLI with the API's model: service, operation, parameters, the query's syntax."""
    service, operation, *rest = words
    if (service, operation) in _AWS_CLI_ONLY:
        return
    model = _service(service)
    if operation == "wait":
        _check_waiter(service, rest[0])
        return
    names = {xform_name(name, "-"): name for name in model.operation_names}
    if operation not in names:
        raise WrongCommandError(f"aws {service} has no operation {operation}")
    shape = model.operation_model(names[operation]).input_shape
    members = {} if shape is None else shape.members
    parameters = {xform_name(name, "-"): name for name in members}
    switches = {name for name, member in parameters.items() if members[member].type_name == "boolean"}
    given = {word.removeprefix("--").partition("=")[0] for word in rest if word.startswith("--")}
    for name in given:
        if name not in {*parameters, *_AWS_GLOBAL, *(f"no-{each}" for each in switches)}:
            raise WrongCommandError(f"aws {service} {operation} has no option --{name}")
    missing = {each for each, member in parameters.items() if shape and member in shape.required_members} - given
    if missing and whole:
        raise WrongCommandError(f"aws {service} {operation} lacks --{', --'.join(sorted(missing))}")
    if "--query" in rest:
        jmespath.compile(rest[rest.index("--query") + 1])
    # All its options have values; what is left over is the file.
    if whole and (service, operation) in _AWS_OUTPUT_FILE and len(rest) % 2 == 0:
        raise WrongCommandError(f"aws {service} {operation} lacks the file for its answer")


def _check_waiter(service: str, name: str) -> None:
    waiters = _session().create_client(service, region_name="us-east-1").waiter_names
    if name not in {each.replace("_", "-") for each in waiters}:
        raise WrongCommandError(f"aws {service} wait has no {name}")

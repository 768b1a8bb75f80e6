"""The command `init`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pg_privatelink._document import CONFIGURATION
from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.init.database import Kind, read_database
from pg_privatelink.cli.init.network import read_network
from pg_privatelink.cli.init.text import Wishes, text, warnings
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.screen import Screen

_STDOUT = "-"
_LATER = ", or Enter to fill it in later: "


def init(
    aws: Aws,
    screen: Screen,
    *,
    identifier: str,
    output: str,
    kind: str | None,
    name: str | None,
    port: int,
    dbt_environment: str | None,
    dbt_account_url: str | None,
    principals: tuple[str, ...],
) -> int:
    """Write a YAML file for a database of the account.

    Args:
        aws: Where the database is.
        screen: What to print on.
        identifier: Its identifier.
        output: The file; `-` is standard output.
        kind: Which kind it is, where several have this identifier.
        name: The service's name (default: the identifier).
        port: The port that consumers connect to.
        dbt_environment: dbt's environment.
        dbt_account_url: The URL of the dbt account.
        principals: Who else, or instead of dbt, may connect.

    Returns:
        The exit code.

    Raises:
        Problem: The file is there already, or cannot be written for this database.
    """
    if output != _STDOUT and Path(output).exists():
        raise Problem(
            f"{output} is there already, and is not overwritten",
            f"give another file with --output, or '--output {_STDOUT}' to print it",
        )
    database = read_database(aws, identifier, kind=Kind(kind) if kind else None)
    network = read_network(aws, vpc_id=database.vpc_id, database_subnet_ids=database.subnet_ids)
    if not principals and not screen.as_json:
        dbt_environment = dbt_environment or screen.ask(f"dbt environment (US, EMEA, AU, JP){_LATER}") or None
        dbt_account_url = dbt_account_url or screen.ask(f"URL of your dbt account{_LATER}") or None
    wishes = Wishes(
        name=name or database.identifier,
        port=port,
        dbt_environment=dbt_environment,
        dbt_account_url=dbt_account_url,
        principals=principals,
        dbt=not principals or bool(dbt_environment or dbt_account_url),
    )
    content = text(database, network, wishes, account=aws.account, region=aws.region)
    _check(content)
    told = warnings(database, network)
    if output != _STDOUT:
        _write(Path(output), content)
    if screen.as_json:
        screen.document(
            {
                "output": None if output == _STDOUT else output,
                "content": content,
                "service": wishes.name,
                "kind": database.kind.value,
                "warnings": told,
            }
        )
        return int(ExitCode.OK)
    if output == _STDOUT:
        screen.verbatim(content.rstrip("\n"))
        return int(ExitCode.OK)
    screen.say(f"Wrote {output} for {database.kind.noun} '{database.identifier}': service {wishes.name}.", verdict="ok")
    for each in told:
        screen.say(f"Warning: {each}", verdict="unknown")
    config = "" if output == CONFIGURATION else f" -c config={output}"
    screen.say(f"Read it, then: npx cdk deploy --all{config}")
    return int(ExitCode.OK)


def _check(content: str) -> None:
    """Refuse what would not load: nothing is written that has to be mended first."""
    from pg_privatelink.config import ConfigurationError, load  # noqa: PLC0415 - half a second for one command

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / CONFIGURATION
        path.write_text(content)
        try:
            load(path)
        except ConfigurationError as error:
            problems = "; ".join(each.removeprefix(f"{path}:") for each in error.problems)
            raise Problem(
                f"what was given and read makes no valid file ({problems})",
                "give other options: 'pg-privatelink init --help' has them",
            ) from error


def _write(path: Path, content: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:  # "x": nothing that came between is overwritten either
            file.write(content)
    except OSError as error:
        raise Problem(f"{path} cannot be written ({error.strerror})", "give another file with --output") from error

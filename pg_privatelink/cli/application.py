"""The command's face: its subcommands with their options, and what becomes of errors."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from pg_privatelink._document import CONFIGURATION
from pg_privatelink.cli import options  # noqa: TC001 - typer reads the annotations
from pg_privatelink.cli.aws import Aws
from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.screen import Screen, complain

if TYPE_CHECKING:
    from collections.abc import Sequence

DEBUG = "PG_PRIVATELINK_DEBUG"
"""The environment variable that lets tracebacks through."""

# Plain help: whole lines at any width, the same on a terminal and in a pipe, and in half the time.
app = typer.Typer(
    name="pg-privatelink",
    help="See and look after Postgres over AWS PrivateLink. Credentials and Region come as for the AWS CLI. "
    "Exit codes: 0 fine, 1 something is wrong, 2 it could not be told.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@dataclass(frozen=True, slots=True)
class _Before:
    """Options given before the subcommand, as the AWS CLI takes them in either place."""

    region: str | None
    profile: str | None


@app.callback()
def _before(
    context: typer.Context,
    *,
    region: options.Region = None,
    profile: options.Profile = None,
    version: options.Version = False,  # noqa: ARG001 - its callback ends the command
) -> None:
    context.obj = _Before(region, profile)


def _aws(context: typer.Context, region: str | None, profile: str | None) -> Aws:
    before: _Before = context.obj
    return Aws(region=region or before.region, profile=profile or before.profile)


def run(arguments: Sequence[str]) -> int:
    """Run the command.

    Args:
        arguments: What stands on the command line after the command's name.

    Returns:
        The exit code, see `ExitCode`.
    """
    try:
        app(args=list(arguments), prog_name="pg-privatelink")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(ExitCode.OK)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        return _fail(_problem(error), as_json="--json" in arguments)
    return int(ExitCode.OK)


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    from pg_privatelink.cli.explain import ERRORS, explain  # noqa: PLC0415 - botocore is not needed for --help

    if isinstance(error, ERRORS):
        return explain(error)
    return Problem(
        f"the command itself failed ({type(error).__name__}: {error})",
        f"please report it, with what {DEBUG}=1 in the environment prints",
    )


def _fail(problem: Problem, *, as_json: bool) -> int:
    """Say why it ends: on standard error for people, and for scripts in the one document they read."""
    if as_json:
        Screen(as_json=True).document({"error": {"what": problem.what, "remedy": problem.remedy}})
    complain(problem)
    return int(problem.exit_code)


@app.command()
def status(
    *,
    context: typer.Context,
    service: options.Service = None,
    stack: options.Stack = None,
    region: options.Region = None,
    profile: options.Profile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show consumers, targets beside DNS, last change, alarms."""
    from pg_privatelink.cli.status.command import status as command  # noqa: PLC0415

    aws = _aws(context, region, profile)
    raise typer.Exit(command(aws, Screen(as_json=as_json), service=service, stack=stack))


@app.command()
def doctor(
    *,
    context: typer.Context,
    around: options.Around = None,
    iam_policy: options.IamPolicy = False,
    service: options.Service = None,
    stack: options.Stack = None,
    region: options.Region = None,
    profile: options.Profile = None,
    as_json: options.AsJson = False,
) -> None:
    """Say which hop is broken, and what to change.

    Walks the path from the consumer's endpoint to the database and changes nothing.
    Exit codes: 0 all is ok; 1 there is a problem; 2 there is none, but something could not be told.
    """
    from pg_privatelink.cli.doctor.command import doctor as command  # noqa: PLC0415

    aws, screen = _aws(context, region, profile), Screen(as_json=as_json)
    code = command(aws, screen, service=service, stack=stack, iam_policy=iam_policy, around=around)
    raise typer.Exit(code)


@app.command()
def request(
    *,
    context: typer.Context,
    service: options.Service = None,
    stack: options.Stack = None,
    region: options.Region = None,
    profile: options.Profile = None,
    as_json: options.AsJson = False,
) -> None:
    """Print the requests to send to your consumers, filled in."""
    from pg_privatelink.cli.request import request as command  # noqa: PLC0415

    raise typer.Exit(command(_aws(context, region, profile), Screen(as_json=as_json), service=service, stack=stack))


@app.command()
def accept(
    *,
    context: typer.Context,
    endpoint_ids: options.EndpointIds,
    yes: options.Yes = False,
    service: options.Service = None,
    stack: options.Stack = None,
    region: options.Region = None,
    profile: options.Profile = None,
    as_json: options.AsJson = False,
) -> None:
    """Let waiting consumers in, after showing whose they are."""
    from pg_privatelink.cli.answer import Answer, answer  # noqa: PLC0415

    aws, screen = _aws(context, region, profile), Screen(as_json=as_json)
    code = answer(aws, screen, verb=Answer.ACCEPT, endpoint_ids=endpoint_ids, service=service, stack=stack, yes=yes)
    raise typer.Exit(code)


@app.command()
def reject(
    *,
    context: typer.Context,
    endpoint_ids: options.EndpointIds,
    yes: options.Yes = False,
    service: options.Service = None,
    stack: options.Stack = None,
    region: options.Region = None,
    profile: options.Profile = None,
    as_json: options.AsJson = False,
) -> None:
    """Turn waiting consumers away, or cut off connected ones."""
    from pg_privatelink.cli.answer import Answer, answer  # noqa: PLC0415

    aws, screen = _aws(context, region, profile), Screen(as_json=as_json)
    code = answer(aws, screen, verb=Answer.REJECT, endpoint_ids=endpoint_ids, service=service, stack=stack, yes=yes)
    raise typer.Exit(code)


@app.command()
def logs(
    *,
    context: typer.Context,
    since: options.Since = "1h",
    follow: options.Follow = False,
    everything: options.Everything = False,
    service: options.Service = None,
    stack: options.Stack = None,
    region: options.Region = None,
    profile: options.Profile = None,
    as_json: options.AsJson = False,
) -> None:
    """Show what the function that follows DNS decided, and why."""
    from pg_privatelink.cli.logs import logs as command  # noqa: PLC0415

    aws, screen = _aws(context, region, profile), Screen(as_json=as_json)
    code = command(aws, screen, service=service, stack=stack, since=since, follow=follow, everything=everything)
    raise typer.Exit(code)


@app.command()
def init(
    *,
    context: typer.Context,
    identifier: options.DbIdentifier,
    output: options.Output = CONFIGURATION,
    kind: options.DbKind = None,
    name: options.ServiceName = None,
    port: options.Port = 5432,
    dbt_environment: options.DbtEnvironment = None,
    dbt_account_url: options.DbtAccountUrl = None,
    principal: options.Principals = None,
    region: options.Region = None,
    profile: options.Profile = None,
    as_json: options.AsJson = False,
) -> None:
    """Write a privatelink.yaml for a database of your account.

    Reads the account and changes nothing in it; asks what it cannot know.
    """
    from pg_privatelink.cli.init.command import init as command  # noqa: PLC0415

    code = command(
        _aws(context, region, profile),
        Screen(as_json=as_json),
        identifier=identifier,
        output=output,
        kind=kind,
        name=name,
        port=port,
        dbt_environment=dbt_environment,
        dbt_account_url=dbt_account_url,
        principals=tuple(principal or ()),
    )
    raise typer.Exit(code)


@app.command()
def drill(
    *,
    context: typer.Context,
    host: options.Host = None,
    port: options.ListenerPort = None,
    user: options.User = None,
    dbname: options.DbName = None,
    sslmode: options.SslMode = "require",
    listener: options.ListenerName = None,
    before: options.Before = 10.0,
    longest: options.Longest = 600.0,
    writes: options.Writes = True,
    observe: options.Observe = False,
    chart: options.Chart = None,
    yes: options.Yes = False,
    iam_policy: options.IamPolicy = False,
    service: options.Service = None,
    stack: options.Stack = None,
    region: options.Region = None,
    profile: options.Profile = None,
    as_json: options.AsJson = False,
) -> None:
    """Fail the database over, and measure what its clients see.

    Connects ten times a second through the endpoint, keeps one session and one query open, and counts numbered writes.
    Asks before it forces the failover, which RDS does; needs psycopg: pip install '.[drill]' in a checkout.
    Exit codes: 0 all clients came back and no acknowledged write is missing; 1 otherwise; 2 it could not be done.
    """
    from pg_privatelink.cli.drill.command import Plan  # noqa: PLC0415
    from pg_privatelink.cli.drill.command import drill as command  # noqa: PLC0415

    aws, screen = _aws(context, region, profile), Screen(as_json=as_json)
    plan = Plan(
        host=host,
        port=port,
        user=user,
        dbname=dbname,
        sslmode=sslmode,
        listener=listener,
        before=before,
        longest=longest,
        writes=writes,
        observe=observe,
        chart=chart,
        yes=yes,
    )
    raise typer.Exit(command(aws, screen, plan, service=service, stack=stack, iam_policy=iam_policy))

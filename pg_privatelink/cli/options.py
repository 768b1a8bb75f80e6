"""Options that several commands have."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer


def _print_version(wanted: bool) -> None:
    if not wanted:
        return
    import importlib.metadata  # noqa: PLC0415 - as long as all the rest of --help

    try:
        typer.echo(importlib.metadata.version("pg-privatelink"))
    except importlib.metadata.PackageNotFoundError:
        typer.echo("a checkout that is not installed")
    raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version, and end.")
]
Region = Annotated[
    str | None,
    typer.Option(metavar="REGION", help="The Region (default: AWS_REGION, or the profile's).", show_default=False),
]
Profile = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="The profile of the AWS configuration (default: AWS_PROFILE).", show_default=False
    ),
]
Service = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The service: its name in the YAML file, or its id, vpce-svc-... (default: the only one there is).",
        show_default=False,
    ),
]
Stack = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The CloudFormation stack, where you use the construct library (default: PgPrivateLink-<service>).",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for scripts.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
EndpointIds = Annotated[list[str], typer.Argument(metavar="VPCE_ID...", help="The endpoints' ids.", show_default=False)]
Since = Annotated[
    str, typer.Option(metavar="WHEN", help="How far back: 90s, 15m, 1h, 2d, or a time like 2026-01-31T14:00Z.")
]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on with new ones until Ctrl-C.")]
Everything = Annotated[bool, typer.Option("--all", help="Routine lines too: one for each minute without a change.")]


class DbKindName(enum.StrEnum):
    """What an identifier can be of, for --kind."""

    RDS_INSTANCE = "rds_instance"
    RDS_CLUSTER = "rds_cluster"
    RDS_PROXY = "rds_proxy"


DbIdentifier = Annotated[
    str,
    typer.Argument(
        metavar="DB_IDENTIFIER", help="Of a DB instance, a DB cluster, or an RDS Proxy.", show_default=False
    ),
]
Output = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE", help="The file; never overwritten. - prints it.")
]
DbKind = Annotated[
    DbKindName | None,
    typer.Option("--kind", help="Which of them, where several have this identifier.", show_default=False),
]
ServiceName = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="The service's name (default: the identifier).", show_default=False),
]
Port = Annotated[int, typer.Option(metavar="PORT", help="The port that consumers connect to.")]
DbtEnvironment = Annotated[
    str | None, typer.Option(metavar="NAME", help="dbt's environment: US, EMEA, AU or JP.", show_default=False)
]
DbtAccountUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="The URL of your dbt account.", show_default=False)
]
Principals = Annotated[
    list[str] | None,
    typer.Option(
        "--principal",
        metavar="ARN",
        help="Who may connect, instead of dbt or besides it; may be given more than once.",
        show_default=False,
    ),
]
Around = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Also look at the traffic of the minutes around a time like 2026-01-31T14:00Z.",
        show_default=False,
    ),
]
IamPolicy = Annotated[bool, typer.Option("--iam-policy", help="Only print the IAM policy that this command needs.")]

Host = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="What to connect to: the DNS name of an interface endpoint to the service (default: PGHOST).",
        show_default=False,
    ),
]
ListenerPort = Annotated[
    int | None, typer.Option("--port", metavar="PORT", help="Its port (default: the listener's).", show_default=False)
]
User = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The Postgres user (default: PGUSER); PGPASSWORD is read.", show_default=False),
]
DbName = Annotated[
    str | None, typer.Option(metavar="NAME", help="The database (default: PGDATABASE).", show_default=False)
]
SslMode = Annotated[str, typer.Option(metavar="MODE", help="libpq's: verify-full cannot work through an endpoint.")]
ListenerName = Annotated[
    str | None,
    typer.Option("--listener", metavar="NAME", help="The listener (default: the only one).", show_default=False),
]
Before = Annotated[float, typer.Option(metavar="SECONDS", help="How long to look before the failover.")]
Longest = Annotated[float, typer.Option(metavar="SECONDS", help="How long to look after it, at most.")]
Writes = Annotated[
    bool, typer.Option("--writes/--no-writes", help="Write numbers into a table made for it, and count them after.")
]
Observe = Annotated[bool, typer.Option("--observe", help="Force nothing; look at a failover that you cause.")]
Chart = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Draw what was seen: .png, .svg or .pdf; needs matplotlib.", show_default=False),
]

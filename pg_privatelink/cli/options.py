"""Options that several commands have."""

from __future__ import annotations

import enum
from typing import Annotated

import typer

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

"""`PgPrivateLinkApp`: the CDK app of the YAML file, one stack per service."""

from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk

from constructs_pg import PostgresEndpointServiceError
from pg_privatelink._document import CONFIGURATION
from pg_privatelink.config import Configuration, ConfigurationError, load
from pg_privatelink.stack import STACK_NAME_PREFIX, EndpointServiceStack


class PgPrivateLinkApp(cdk.App):
    """Make a stack for each service of a YAML file, without AWS calls or credentials.

    Args:
        configuration: The file's path (default: the context value `config`, as in `cdk deploy -c config=other.yaml`,
            else `privatelink.yaml` in the working directory).
        outdir: Where the cloud assembly goes (default: where the CDK CLI wants it).

    Raises:
        ConfigurationError: The file has mistakes; the message names each with its line.
    """

    def __init__(self, *, configuration: Path | None = None, outdir: str | None = None) -> None:
        super().__init__(outdir=outdir, analytics_reporting=False)
        path = configuration or Path(self.node.try_get_context("config") or CONFIGURATION)
        loaded = load(path)
        problems: list[str] = []
        for name in loaded.services:
            problems += self._add_stack(loaded, name)
        if problems:
            raise ConfigurationError(problems)

    def _add_stack(self, configuration: Configuration, name: str) -> list[str]:
        """Add a service's stack; returns what its constructs refuse, with the line of the service."""
        try:
            EndpointServiceStack(
                self,
                f"{STACK_NAME_PREFIX}{name}",
                name=name,
                configuration=configuration.services[name],
                env=cdk.Environment(account=configuration.account, region=configuration.region),
                termination_protection=configuration.termination_protection,
                tags=dict(configuration.tags),
            )
        except PostgresEndpointServiceError as error:
            return [*configuration.located(("services", name), error)]
        return []

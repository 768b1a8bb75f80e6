"""Who may connect, in the YAML file: the fields of each kind of consumer. Exactly one of them stands in an entry."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import ConfigDict, Field, field_validator

from constructs_pg import _validation as rules
from pg_privatelink._fields import (
    AccountId,
    DbtAccountUrl,
    DbtEnvironment,
    DbtHostName,
    DbtSourceRange,
    Fields,
    Principal,
    Region,
    SourceRange,
    Switch,
    Text,
)

CONSUMER_NAME = "Principals"
"""A consumer's name where the user gives none. Those of the other kinds are their own."""

_Environment = Annotated[
    DbtEnvironment | None,
    Field(description="The multi-tenant environment, for the request text (default: left to fill in)."),
]
_AccountUrl = Annotated[
    DbtAccountUrl | None,
    Field(description="URL of the dbt platform account, for the request text (default: left to fill in)."),
]
_DbtSourceRanges = Annotated[
    tuple[DbtSourceRange, ...],
    Field(
        min_length=1,
        description="The private IPv4 ranges of dbt's clients, as dbt Support gave them (default: inbound rules are "
        "not enforced).",
    ),
]
_SourceRanges = Annotated[
    tuple[SourceRange, ...],
    Field(
        min_length=1,
        description="The IPv4 ranges of its clients (default: inbound rules are not enforced). Either every consumer "
        "of a service gives ranges, and they are enforced, or none does.",
    ),
]


class DbtPlatformConfiguration(Fields):
    """The dbt platform, multi-tenant."""

    environment: _Environment = None
    account_url: _AccountUrl = None
    source_ranges: _DbtSourceRanges = ()


class DbtSingleTenantConfiguration(Fields):
    """The dbt platform, single-tenant (Virtual Private)."""

    account: AccountId = Field(
        description="dbt's AWS account for you, 12 digits in quotes, as dbt Support gave it. All of it may create "
        "endpoints."
    )
    account_url: _AccountUrl = None
    source_ranges: _DbtSourceRanges = ()


class DbtSelfHostedConfiguration(Fields):
    """The dbt platform by its recipe for self-hosted services: for a database under a name of yours."""

    account: AccountId = Field(
        description="dbt's AWS account, 12 digits in quotes, as dbt Support gave it. All of it may create endpoints."
    )
    environment: _Environment = None
    account_url: _AccountUrl = None
    dns_record: DbtHostName | None = Field(
        default=None,
        description="The name under which dbt is to reach the database, so that its certificate can be verified "
        "(default: none).",
    )
    source_ranges: _DbtSourceRanges = ()


class ClickPipesConfiguration(Fields):
    """ClickPipes of ClickHouse Cloud."""

    regions: tuple[Region, ...] = Field(
        default=(),
        min_length=1,
        description="The Regions in which ClickPipes makes its endpoints. Those that are not the service's own belong "
        "into supported_regions too (default: the service's own).",
    )
    source_ranges: _SourceRanges = ()


class DatabricksServerlessConfiguration(Fields):
    """Databricks serverless compute. It connects within its Region only."""

    region: Region = Field(description="The Region of the workspace, in which its endpoint is made.")
    source_ranges: _SourceRanges = ()


class MaterializeConfiguration(Fields):
    """Materialize. Its principals are known once its connections are made: deploy without them first."""

    principals: tuple[Principal, ...] = Field(
        default=(),
        min_length=1,
        description="The roles of the connections, as SELECT principal FROM mz_aws_privatelink_connections gives them "
        "(default: none yet).",
    )
    source_ranges: _SourceRanges = ()


def _bare(name: str) -> Any:  # noqa: ANN401  (what pydantic takes has no common type)
    """Tell editors that nothing after the colon stands for all defaults."""

    def add_null(schema: dict[str, Any]) -> None:
        schema.update(anyOf=[{"$ref": schema.pop("$ref", f"#/$defs/{name}")}, {"type": "null"}])

    return add_null


CONSUMER_KINDS = (
    "dbt_platform",
    "dbt_single_tenant",
    "dbt_self_hosted",
    "clickpipes",
    "databricks_serverless",
    "materialize",
    "principals",
)
"""Of these fields exactly one stands in a consumer."""
_WITHOUT_REQUIRED_FIELDS = ("dbt_platform", "clickpipes", "materialize")


class ConsumerConfiguration(Fields):
    """Who may connect: one of the products known here, or principals of your choice."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [kind]} for kind in CONSUMER_KINDS]})

    dbt_platform: DbtPlatformConfiguration | None = Field(
        default=None,
        description="The dbt platform, multi-tenant. All fields are optional; nothing after the colon will do.",
        json_schema_extra=_bare("DbtPlatformConfiguration"),
    )
    dbt_single_tenant: DbtSingleTenantConfiguration | None = Field(
        default=None, description="The dbt platform, single-tenant (Virtual Private), by the account dbt Support gave."
    )
    dbt_self_hosted: DbtSelfHostedConfiguration | None = Field(
        default=None,
        description="The dbt platform by its recipe for self-hosted services, under a DNS name of yours.",
    )
    clickpipes: ClickPipesConfiguration | None = Field(
        default=None,
        description="ClickPipes of ClickHouse Cloud. Nothing after the colon will do.",
        json_schema_extra=_bare("ClickPipesConfiguration"),
    )
    databricks_serverless: DatabricksServerlessConfiguration | None = Field(
        default=None, description="Databricks serverless compute, in the service's Region."
    )
    materialize: MaterializeConfiguration | None = Field(
        default=None,
        description="Materialize. Nothing after the colon will do until its connections are made.",
        json_schema_extra=_bare("MaterializeConfiguration"),
    )
    principals: tuple[Principal, ...] = Field(
        default=(),
        min_length=1,
        description="Who may create an endpoint: ARNs of accounts (arn:aws:iam::222222222222:root), roles or users "
        'without a path, or "*" for everyone where acceptance is required.',
    )
    name: Text = Field(
        default=CONSUMER_NAME,
        description="With principals: a short name, unique in the service.",
        json_schema_extra={"pattern": f"^{rules.NAME.pattern}$"},
    )
    source_ranges: tuple[SourceRange, ...] = Field(
        default=(),
        min_length=1,
        description="With principals: the IPv4 ranges of the consumer's own clients. Either every consumer of a "
        "service gives ranges, and they are enforced, or none does.",
    )
    requires_acceptance: Switch | None = Field(
        default=None,
        description="With principals: whether the consumer insists that you accept its connection (true), or that it "
        "is not kept waiting (false) (default: either will do).",
    )
    regions: tuple[Region, ...] = Field(
        default=(),
        min_length=1,
        description="With principals: the Regions in which the consumer makes its endpoints; the service must be there "
        "or name them in supported_regions (default: any).",
    )

    @field_validator(*_WITHOUT_REQUIRED_FIELDS, mode="before")
    @classmethod
    def _all_defaults(cls, value: object) -> object:
        return {} if value is None else value

    @property
    def product(self) -> ProductConfiguration | None:
        """What stands in the field of a product; None where principals are given."""
        products: list[ProductConfiguration | None] = [getattr(self, kind) for kind in CONSUMER_KINDS[:-1]]
        return next((product for product in products if product is not None), None)

    @property
    def has_source_ranges(self) -> bool:
        """Whether this consumer gives the ranges of its clients."""
        return bool((self.product or self).source_ranges)


ProductConfiguration: TypeAlias = (
    DbtPlatformConfiguration
    | DbtSingleTenantConfiguration
    | DbtSelfHostedConfiguration
    | ClickPipesConfiguration
    | DatabricksServerlessConfiguration
    | MaterializeConfiguration
)

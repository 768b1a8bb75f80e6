"""The fields of the YAML file: their types, defaults and single-value rules. The JSON Schema is made of this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, Strict, field_validator

from constructs_pg import _validation as rules
from pg_privatelink._document import Document, Path

if TYPE_CHECKING:
    import re

    from pydantic.fields import FieldInfo

    from constructs_pg.errors import PostgresEndpointServiceError

POSTGRES_PORT = 5432
CONSUMER_NAME = "Principals"
"""A consumer's name where the user gives none. The dbt platform's is its own."""


def _like(pattern: re.Pattern[str], *examples: str) -> FieldInfo:
    """Tell editors the form of a text. The rule beside it is what decides, with a better message."""
    info: FieldInfo = Field(json_schema_extra={"pattern": f"^{pattern.pattern}$", "examples": list(examples)})
    return info


def _up_to(maximum: int) -> FieldInfo:
    info: FieldInfo = Field(json_schema_extra={"minimum": 1, "maximum": maximum})
    return info


def _for_example(*examples: str) -> FieldInfo:
    info: FieldInfo = Field(json_schema_extra={"examples": list(examples)})
    return info


_NAMES: dict[str, Any] = {"propertyNames": {"pattern": f"^{rules.NAME.pattern}$"}}

AccountId = Annotated[str, Strict(), AfterValidator(rules.check_account_id), _like(rules.ACCOUNT_ID, "111122223333")]
Region = Annotated[
    str, Strict(), AfterValidator(rules.check_region), _like(rules.REGION, "eu-central-1", "us-east-1", "eu-west-2")
]
VpcId = Annotated[str, Strict(), AfterValidator(rules.check_vpc_id), _like(rules.VPC_ID, "vpc-0123456789abcdef0")]
SubnetId = Annotated[
    str, Strict(), AfterValidator(rules.check_subnet_id), _like(rules.SUBNET_ID, "subnet-0123456789abcdef0")
]
SecurityGroupId = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_security_group_id),
    _like(rules.SECURITY_GROUP_ID, "sg-0123456789abcdef0"),
]
Zone = Annotated[
    str, Strict(), AfterValidator(rules.check_availability_zone), _for_example("euc1-az1", "eu-central-1a")
]
VpcCidr = Annotated[str, Strict(), AfterValidator(rules.check_vpc_cidr), _for_example("10.0.0.0/16")]
SubnetCidr = Annotated[str, Strict(), AfterValidator(rules.check_subnet_cidr), _for_example("10.0.0.0/24")]
SourceRange = Annotated[str, Strict(), AfterValidator(rules.check_source_range), _for_example("10.20.0.0/16")]
DbtSourceRange = Annotated[str, Strict(), AfterValidator(rules.check_dbt_source_range), _for_example("10.0.0.0/8")]
AllowedRange = Annotated[str, Strict(), AfterValidator(rules.check_allowed_range), _for_example("192.168.0.0/16")]
NameServer = Annotated[
    str, Strict(), AfterValidator(rules.check_nameserver), _for_example("192.0.2.53", "192.0.2.53:5353")
]
HostName = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_host_name),
    _for_example("orders.abcdefghijkl.eu-central-1.rds.amazonaws.com"),
]
DbInstanceIdentifier = Annotated[
    str, Strict(), AfterValidator(rules.check_db_instance_identifier), _for_example("orders")
]
Principal = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_principal),
    _for_example("arn:aws:iam::222222222222:root", "arn:aws:iam::222222222222:role/Analytics"),
]
DbtEnvironment = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_dbt_environment),
    Field(json_schema_extra={"enum": list(rules.DBT_ENVIRONMENTS)}),
]
DbtAccountUrl = Annotated[
    str, Strict(), AfterValidator(rules.check_dbt_account_url), _for_example("https://ab123.eu1.dbt.com")
]
Port = Annotated[int, Strict(), AfterValidator(rules.check_port), _up_to(rules.MAX_PORT)]
PollInterval = Annotated[int, Strict(), AfterValidator(rules.check_poll_interval), _up_to(rules.MAX_POLL_INTERVAL)]
HealthyTimeout = Annotated[
    int,
    Strict(),
    AfterValidator(rules.check_healthy_timeout),
    Field(json_schema_extra={"minimum": rules.MIN_HEALTHY, "maximum": rules.MAX_HEALTHY}),
]
TagKey = Annotated[str, Strict(), AfterValidator(rules.check_tag_key)]
TagValue = Annotated[str, Strict(), AfterValidator(rules.check_tag_value), _for_example("data")]
Text = Annotated[str, Strict()]
Switch = Annotated[bool, Strict()]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        # Where a field may be left out its type admits None, but a field that is written without a value was forgotten.
        if value is None:
            raise ValueError("no value")
        return value


class SubnetConfiguration(_Fields):
    """A subnet in which the load balancer gets an address."""

    id: SubnetId = Field(description="The subnet's id.")
    zone: Zone = Field(description="The subnet's zone: a zone name (eu-central-1a) or a zone id (euc1-az1).")
    cidr: SubnetCidr = Field(description="The subnet's IPv4 range. Databases' security groups may have to admit it.")


class VpcLookupConfiguration(_Fields):
    """Which VPC to look up in the account. Needs `account` and credentials when the stacks are made."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    id: VpcId | None = Field(default=None, description="The VPC's id.")
    tags: dict[TagKey, Text] = Field(default_factory=dict, min_length=1, description="Tags that only this VPC has.")


class VpcConfiguration(_Fields):
    """The VPC of the load balancer: either described here (id, cidrs, subnets) or looked up in the account."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["id", "cidrs", "subnets"]}, {"required": ["lookup"]}]}
    )

    id: VpcId | None = Field(default=None, description="The VPC's id. Needs cidrs and subnets.")
    cidrs: tuple[VpcCidr, ...] = Field(
        default=(),
        min_length=1,
        description="All IPv4 ranges of the VPC: addresses inside are registered in another way than those outside. "
        "With lookup only needed where the VPC has secondary ranges.",
    )
    subnets: tuple[SubnetConfiguration, ...] = Field(
        default=(),
        description="Where the load balancer gets an address: one subnet in every zone to which a database can fail "
        "over, at least two.",
        json_schema_extra={"minItems": rules.MIN_ZONES},
    )
    lookup: VpcLookupConfiguration | None = Field(
        default=None, description="Look the VPC up in the account instead of describing it."
    )
    subnet_group: Text | None = Field(
        default=None,
        min_length=1,
        description="With lookup: the group of subnets to use, as the tag aws-cdk:subnet-name or the subnets' names "
        "give it (default: private subnets).",
    )


class DbtPlatformConfiguration(_Fields):
    """The dbt platform, multi-tenant."""

    environment: DbtEnvironment | None = Field(
        default=None, description="The multi-tenant environment, for the request text (default: left to fill in)."
    )
    account_url: DbtAccountUrl | None = Field(
        default=None, description="URL of the dbt platform account, for the request text (default: left to fill in)."
    )
    source_ranges: tuple[DbtSourceRange, ...] = Field(
        default=(),
        min_length=1,
        description="The private IPv4 ranges of dbt's clients, as dbt Support gave them (default: inbound rules are "
        "not enforced).",
    )


class ConsumerConfiguration(_Fields):
    """Who may connect: the dbt platform, or principals of your choice."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["dbt_platform"]}, {"required": ["principals"]}]}
    )

    dbt_platform: DbtPlatformConfiguration | None = Field(
        default=None,
        description="The dbt platform, multi-tenant. All fields are optional; nothing after the colon will do.",
        json_schema_extra=lambda schema: schema.update(
            anyOf=[{"$ref": schema.pop("$ref", "#/$defs/DbtPlatformConfiguration")}, {"type": "null"}]
        ),
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

    @field_validator("dbt_platform", mode="before")
    @classmethod
    def _all_defaults(cls, value: object) -> object:
        return {} if value is None else value


class RdsInstanceConfiguration(_Fields):
    """An RDS DB instance, followed by its endpoint name."""

    identifier: DbInstanceIdentifier = Field(
        description="The DB instance identifier. Its events make failovers faster."
    )
    endpoint: HostName = Field(description="The instance's endpoint, without the port.")
    port: Port = Field(default=POSTGRES_PORT, description="The port on which Postgres listens.")
    security_groups: tuple[SecurityGroupId, ...] = Field(
        default=(),
        min_length=1,
        description="The instance's security groups. Rules are added to them for the load balancer (default: none, "
        "you admit the load balancer's security group yourself).",
    )
    zones: tuple[Zone, ...] = Field(
        default=(),
        min_length=1,
        description="The zones of the DB subnet group, to check that the load balancer covers them (default: not "
        "checked).",
    )
    nameservers: tuple[NameServer, ...] = Field(
        default=(),
        min_length=1,
        description="Name servers to ask, each as address or address:port. The function runs outside the VPC, so they "
        "must be reachable from there (default: AWS Lambda's own resolver, which knows RDS endpoints).",
    )
    allowed_ranges: tuple[AllowedRange, ...] = Field(
        default=(),
        min_length=1,
        description="IPv4 ranges outside the VPC in which the database can be, in a peered VPC for example "
        "(default: the VPC's ranges only).",
    )


class ListenerConfiguration(_Fields):
    """A port of the load balancer and the database behind it."""

    port: Port = Field(default=POSTGRES_PORT, description="The port that consumers connect to.")
    rds_instance: RdsInstanceConfiguration = Field(description="The database: an RDS DB instance.")


class ServiceConfiguration(_Fields):
    """One endpoint service with its load balancer, in a stack of its own."""

    vpc: VpcConfiguration = Field(description="The VPC of the load balancer.")
    consumers: tuple[ConsumerConfiguration, ...] = Field(
        default=(), description="Who may connect (default: nobody yet, with a warning)."
    )
    acceptance_required: Switch = Field(
        default=True, description="Whether you accept each connection before it carries traffic."
    )
    listeners: dict[str, ListenerConfiguration] = Field(
        description="Databases by a name of your choice. The name is the listener's identity: renaming replaces it.",
        json_schema_extra={**_NAMES, "minProperties": 1, "maxProperties": rules.MAX_LISTENERS},
    )
    poll_interval: PollInterval = Field(
        default=5, description="The longest time between two questions to DNS, in seconds. 60 costs least."
    )
    wait_for_healthy: Switch = Field(
        default=True,
        description="Whether a deployment waits until a new database passes its health check, and fails if it does "
        "not.",
    )
    healthy_timeout: HealthyTimeout = Field(
        default=300,
        description="How long a deployment waits for that, in seconds; AWS takes a minute or two to register a target.",
    )
    tags: dict[TagKey, TagValue] = Field(
        default_factory=dict, description="Tags of everything in this service; they win over those of the file."
    )


class Configuration(_Fields):
    """Postgres over AWS PrivateLink: endpoint services and the databases behind them."""

    account: AccountId | None = Field(
        default=None,
        description="The AWS account, 12 digits in quotes (default: the account of the credentials at deployment).",
    )
    region: Region = Field(description="The Region of the VPCs and databases.")
    tags: dict[TagKey, TagValue] = Field(default_factory=dict, description="Tags of everything.")
    termination_protection: Switch = Field(
        default=True,
        description="Whether the stacks refuse to be deleted. A new endpoint service has another name, which consumers "
        "must be told.",
    )
    services: dict[str, ServiceConfiguration] = Field(
        min_length=1,
        description="Endpoint services by a name of your choice. The name is the service's identity: renaming replaces "
        "it. Service 'orders' becomes the stack 'PgPrivateLink-orders'.",
        json_schema_extra=_NAMES,
    )

    _document: Document = PrivateAttr(default_factory=lambda: Document("configuration"))

    def where(self, path: Path) -> str:
        """Return `file:line:column` of a value.

        Args:
            path: Field names and list positions, as in `("services", "orders", "listeners", "main")`. Of a value that
                is not in the file the place is that of what it belongs to.
        """
        return self._document.where(path)

    def located(self, path: Path, error: PostgresEndpointServiceError) -> tuple[str, ...]:
        """Return an error's problems as lines for the user, each with the place and the name of a field.

        Args:
            path: The field that the error is about.
            error: What a construct raised.
        """
        return tuple(self._document.mistake(path, problem).text for problem in error.problems)

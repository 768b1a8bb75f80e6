"""The fields of the YAML file and their defaults. The JSON Schema is made of this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, PrivateAttr, field_validator

from constructs_pg import _validation as rules
from pg_privatelink._connections import NotificationsConfiguration
from pg_privatelink._connectivity_check import ConnectivityCheckConfiguration  # noqa: TC001  (as below)
from pg_privatelink._consumers import ConsumerConfiguration  # noqa: TC001  (pydantic reads the annotations)
from pg_privatelink._document import Document, Path
from pg_privatelink._fields import (
    DELETE,
    POSTGRES_PORT,
    AccountId,
    AlarmTier,
    BucketArn,
    Fields,
    HealthCheckInterval,
    HealthyThreshold,
    HealthyTimeout,
    KeyArn,
    KeyPrefix,
    LogRetention,
    PayerResponsibility,
    PollInterval,
    Port,
    PrivateAddress,
    Region,
    RemovalPolicy,
    SubnetCidr,
    SubnetId,
    Switch,
    TagKey,
    TagValue,
    Text,
    TopicArn,
    TrafficType,
    UnhealthyThreshold,
    VpcCidr,
    VpcId,
    WarningName,
    Zone,
)
from pg_privatelink._function import FunctionConfiguration
from pg_privatelink._targets import (
    KINDS,
    Ec2InstancesConfiguration,
    HostnameConfiguration,
    IpAddressesConfiguration,
    RdsClusterConfiguration,
    RdsInstanceConfiguration,
    RdsProxyConfiguration,
    TargetConfiguration,
)

if TYPE_CHECKING:
    from constructs_pg.errors import PostgresEndpointServiceError

_Reason = Annotated[Text, Field(min_length=1)]
_NAMES: dict[str, Any] = {"propertyNames": {"pattern": f"^{rules.NAME.pattern}$"}}


class SubnetConfiguration(Fields):
    """A subnet in which the load balancer gets an address."""

    id: SubnetId = Field(description="The subnet's id.")
    zone: Zone = Field(description="The subnet's zone: a zone name (eu-central-1a) or a zone id (euc1-az1).")
    cidr: SubnetCidr = Field(description="The subnet's IPv4 range. Databases' security groups may have to admit it.")
    private_ipv4_address: PrivateAddress | None = Field(
        default=None,
        description="A free address of the subnet, for the load balancer to keep (default: AWS picks one). Give one in "
        "every subnet or in none.",
    )


class VpcLookupConfiguration(Fields):
    """Which VPC to look up in the account. Needs `account` and credentials when the stacks are made."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    id: VpcId | None = Field(default=None, description="The VPC's id.")
    tags: dict[TagKey, Text] = Field(default_factory=dict, min_length=1, description="Tags that only this VPC has.")


class VpcConfiguration(Fields):
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


class HealthCheckConfiguration(Fields):
    """How the load balancer finds out whether a target accepts TCP connections."""

    interval: HealthCheckInterval = Field(default=10, description="The time between two checks, in seconds.")
    healthy_threshold: HealthyThreshold = Field(
        default=2, description="How many checks in a row must succeed before a target counts as healthy again."
    )
    unhealthy_threshold: UnhealthyThreshold = Field(
        default=2, description="How many checks in a row must fail before a target counts as unhealthy."
    )


class ListenerConfiguration(Fields):
    """A port of the load balancer and the Postgres behind it, of exactly one kind."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [kind]} for kind in KINDS]})

    port: Port = Field(default=POSTGRES_PORT, description="The port that consumers connect to.")
    rds_instance: RdsInstanceConfiguration | None = Field(
        default=None, description="An RDS DB instance, single-AZ or Multi-AZ."
    )
    rds_cluster: RdsClusterConfiguration | None = Field(
        default=None, description="The writer or the readers of an Aurora or Multi-AZ DB cluster."
    )
    rds_proxy: RdsProxyConfiguration | None = Field(default=None, description="An RDS Proxy.")
    hostname: HostnameConfiguration | None = Field(default=None, description="Any Postgres behind a DNS name.")
    ip_addresses: IpAddressesConfiguration | None = Field(
        default=None, description="Postgres at fixed addresses, in the VPC or on-premises."
    )
    ec2_instances: Ec2InstancesConfiguration | None = Field(default=None, description="Postgres on EC2 instances.")
    health_check: HealthCheckConfiguration = Field(
        default_factory=HealthCheckConfiguration, description="How the load balancer checks the targets."
    )

    @property
    def kind(self) -> str:
        """The one field of `KINDS` that is given."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def target(self) -> TargetConfiguration:
        """What stands in that field."""
        target: TargetConfiguration = getattr(self, self.kind)
        return target


class AlarmsConfiguration(Fields):
    """What is watched, and who is told. docs/monitoring.md says what each tier costs."""

    tier: AlarmTier = Field(
        default="basic",
        description="basic: no healthy target, and a function that fails or does not run. full: also what explains it, "
        "and one alarm above all that break the path. none: no alarms.",
    )
    topics: tuple[TopicArn, ...] = Field(
        default=(),
        min_length=1,
        description="Amazon SNS topics, by ARN, that are told when an alarm goes off.",
        json_schema_extra={"maxItems": rules.MAX_ALARM_TOPICS},
    )


class FlowLogsConfiguration(Fields):
    """Records of the traffic in the load balancer's subnets. docs/monitoring.md says what they never show."""

    traffic: TrafficType = Field(default="reject", description="Which traffic is recorded. Rejected costs least.")
    bucket: BucketArn | None = Field(
        default=None,
        description="The ARN of an Amazon S3 bucket to write to (default: CloudWatch Logs, kept as long as "
        "log_retention says, with saved queries).",
    )
    key_prefix: KeyPrefix | None = Field(default=None, description="With bucket: what the keys begin with.")


class ServiceConfiguration(Fields):
    """One endpoint service with its load balancer, in a stack of its own."""

    vpc: VpcConfiguration = Field(description="The VPC of the load balancer.")
    consumers: tuple[ConsumerConfiguration, ...] = Field(
        default=(), description="Who may connect (default: nobody yet, with a warning)."
    )
    acceptance_required: Switch = Field(
        default=True, description="Whether you accept each connection before it carries traffic."
    )
    accept_from: tuple[AccountId, ...] = Field(
        default=(),
        min_length=1,
        description="The accounts whose connections are accepted by themselves, each 12 digits in quotes. An account "
        "that a product uses for all its customers is accepted whoever of them asks (default: none, you accept each).",
        json_schema_extra={"uniqueItems": True, "maxItems": rules.MAX_ACCEPT_FROM},
    )
    reject_others: Switch = Field(
        default=False,
        description="With accept_from: whether waiting connections of other accounts are rejected, and not left to "
        "you.",
    )
    reject_connections_on_delete: Switch = Field(
        default=False,
        description="Whether all consumers are cut off when the stack is deleted. Otherwise AWS refuses to delete a "
        "service that somebody is connected to.",
    )
    notifications: NotificationsConfiguration = Field(
        default_factory=NotificationsConfiguration,
        description="Who is told that a connection waits to be accepted.",
    )
    supported_regions: tuple[Region, ...] = Field(
        default=(),
        min_length=1,
        description="Regions in which consumers can make endpoints, besides the service's own. Whoever deploys needs "
        "vpce:AllowMultiRegion (default: none).",
        json_schema_extra={"uniqueItems": True},
    )
    payer_responsibility: PayerResponsibility | None = Field(
        default=None,
        description="ServiceOwner makes you pay for the consumers' endpoints, for ever: AWS never lets it be changed "
        "back (default: the consumers pay).",
    )
    payer_responsibility_is_irreversible: Switch = Field(
        default=False, description="Whether you know that. payer_responsibility needs it."
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
        "not. Only behind a DNS name: for fixed addresses and EC2 instances nothing waits.",
    )
    healthy_timeout: HealthyTimeout = Field(
        default=300,
        description="How long a deployment waits for that, in seconds; AWS takes a minute or two to register a target. "
        "Only behind a DNS name: for fixed addresses and EC2 instances nothing waits.",
    )
    observe_only: Switch = Field(
        default=False,
        description="Whether the function only says what it would do, and changes nothing: to try it beside what "
        "registers the addresses today.",
    )
    function: FunctionConfiguration = Field(
        default_factory=FunctionConfiguration,
        description="Where functions run and as which roles, for accounts with rules of their own (default: outside "
        "the VPC, as roles made here).",
    )
    encryption_key: KeyArn | None = Field(
        default=None,
        description="The ARN of a symmetric KMS key of the Region, for the functions' environment and the log groups. "
        "Its policy must let logs.<region>.amazonaws.com encrypt and decrypt, and leave kms:Decrypt to IAM policies; "
        "whoever deploys needs kms:CreateGrant and kms:Encrypt (default: keys of AWS's own).",
    )
    log_retention: LogRetention = Field(
        default=30,
        description="How long CloudWatch Logs keeps what is logged, in days. Logs are deleted with the stack.",
    )
    alarms: AlarmsConfiguration = Field(
        default_factory=AlarmsConfiguration, description="What is watched, and who is told."
    )
    dashboard: Switch = Field(
        default=False, description="Whether there is a CloudWatch dashboard of the path, from consumers to databases."
    )
    flow_logs: FlowLogsConfiguration | None = Field(
        default=None,
        description="Record traffic in the load balancer's subnets (default: nothing). Nothing after the colon records "
        "what is rejected, into CloudWatch Logs.",
        json_schema_extra=lambda schema: schema.update(
            anyOf=[{"$ref": schema.pop("$ref", "#/$defs/FlowLogsConfiguration")}, {"type": "null"}]
        ),
    )
    connectivity_check: ConnectivityCheckConfiguration | None = Field(
        default=None,
        description="Check the whole path as a consumer goes it, from a VPC of yours. The account must be among the "
        "consumers, and the endpoint be accepted (default: no check).",
    )
    deletion_protection: Switch = Field(
        default=False,
        description="Whether AWS refuses to delete the load balancer. It also stops the rollback of a first deployment "
        "that fails, so turn it on once the stack stands.",
    )
    removal_policy: RemovalPolicy = Field(
        default=DELETE,
        description="What happens to load balancer, target groups and endpoint service when they leave the stack: they "
        "are deleted, or retained together.",
    )
    acknowledged_warnings: dict[WarningName, _Reason] = Field(
        default_factory=dict,
        min_length=1,
        description="Warnings that are not to be given any more, each with the reason: the last part of the id that "
        "stands with the warning, as in functionNetwork (default: all are given).",
        json_schema_extra={"propertyNames": {"enum": list(rules.WARNINGS)}},
    )
    tags: dict[TagKey, TagValue] = Field(
        default_factory=dict, description="Tags of everything in this service; they win over those of the file."
    )

    @field_validator("flow_logs", mode="before")
    @classmethod
    def _all_defaults(cls, value: object) -> object:
        return {} if value is None else value


class Configuration(Fields):
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

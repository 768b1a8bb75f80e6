"""What a field of the YAML file can hold: a type, the rule for it, and what editors are told of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, field_validator

from constructs_pg import _validation as rules
from constructs_pg.errors import PostgresEndpointServiceError

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from pydantic.fields import FieldInfo

POSTGRES_PORT = 5432


def _like(pattern: re.Pattern[str], *examples: str) -> FieldInfo:
    """Tell editors the form of a text. The rule beside it is what decides, with a better message."""
    info: FieldInfo = Field(json_schema_extra={"pattern": f"^{pattern.pattern}$", "examples": list(examples)})
    return info


def _between(minimum: int, maximum: int) -> FieldInfo:
    info: FieldInfo = Field(json_schema_extra={"minimum": minimum, "maximum": maximum})
    return info


def _for_example(*examples: str) -> FieldInfo:
    info: FieldInfo = Field(json_schema_extra={"examples": list(examples)})
    return info


def _one_of(*allowed: str | int) -> FieldInfo:
    info: FieldInfo = Field(json_schema_extra={"enum": list(allowed)})
    return info


def _choice(what: str, *allowed: str) -> Callable[[str], str]:
    """Make the rule for a word that only the YAML file has; in Python it is a member of an enum."""

    def check(value: str) -> str:
        if value not in allowed:
            raise PostgresEndpointServiceError(f"{what} must be {' or '.join(allowed)}, got {rules.shown(value)}")
        return value

    return check


def _any_host_name(value: str) -> str:
    """Check a host name where a fixed address has a place of its own in the file."""
    try:
        address = rules.check_ip_address(value)
    except PostgresEndpointServiceError:
        return rules.check_host_name(value)
    raise PostgresEndpointServiceError(
        f"{address} is an IPv4 address: give a DNS name, or ip_addresses in the place of hostname"
    )


WRITER, READER = "writer", "reader"
DELETE, RETAIN = "delete", "retain"

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
Ec2InstanceId = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_ec2_instance_id),
    _like(rules.EC2_INSTANCE_ID, "i-0123456789abcdef0"),
]
Zone = Annotated[
    str, Strict(), AfterValidator(rules.check_availability_zone), _for_example("euc1-az1", "eu-central-1a")
]
VpcCidr = Annotated[str, Strict(), AfterValidator(rules.check_vpc_cidr), _for_example("10.0.0.0/16")]
SubnetCidr = Annotated[str, Strict(), AfterValidator(rules.check_subnet_cidr), _for_example("10.0.0.0/24")]
SourceRange = Annotated[str, Strict(), AfterValidator(rules.check_source_range), _for_example("10.20.0.0/16")]
DbtSourceRange = Annotated[str, Strict(), AfterValidator(rules.check_dbt_source_range), _for_example("10.0.0.0/8")]
AllowedRange = Annotated[str, Strict(), AfterValidator(rules.check_allowed_range), _for_example("192.168.0.0/16")]
IpAddress = Annotated[str, Strict(), AfterValidator(rules.check_ip_address), _for_example("192.168.10.20")]
PrivateAddress = Annotated[
    str,
    Strict(),
    AfterValidator(partial(rules.check_ip_address, what="private address")),
    _for_example("10.0.0.10"),
]
NameServer = Annotated[
    str, Strict(), AfterValidator(rules.check_nameserver), _for_example("192.0.2.53", "192.0.2.53:5353")
]
DbInstanceEndpoint = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_host_name),
    _for_example("orders.abcdefghijkl.eu-central-1.rds.amazonaws.com"),
]
DbClusterEndpoint = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_host_name),
    _for_example(
        "orders.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com",
        "orders.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com",
    ),
]
DbProxyEndpoint = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_host_name),
    _for_example("orders.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com"),
]
HostName = Annotated[str, Strict(), AfterValidator(_any_host_name), _for_example("postgres.example.com")]
DbInstanceIdentifier = Annotated[
    str, Strict(), AfterValidator(rules.check_db_instance_identifier), _for_example("orders")
]
DbClusterIdentifier = Annotated[
    str, Strict(), AfterValidator(rules.check_db_cluster_identifier), _for_example("orders")
]
DbProxyName = Annotated[str, Strict(), AfterValidator(rules.check_db_proxy_name), _for_example("orders")]
ClusterRole = Annotated[str, Strict(), AfterValidator(_choice("role", WRITER, READER)), _one_of(WRITER, READER)]
RemovalPolicy = Annotated[
    str, Strict(), AfterValidator(_choice("removal policy", DELETE, RETAIN)), _one_of(DELETE, RETAIN)
]
Principal = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_principal),
    _for_example("arn:aws:iam::222222222222:root", "arn:aws:iam::222222222222:role/Analytics"),
]
DbtEnvironment = Annotated[str, Strict(), AfterValidator(rules.check_dbt_environment), _one_of(*rules.DBT_ENVIRONMENTS)]
DbtAccountUrl = Annotated[
    str, Strict(), AfterValidator(rules.check_dbt_account_url), _for_example("https://ab123.eu1.dbt.com")
]
DbtHostName = Annotated[str, Strict(), AfterValidator(rules.check_host_name), _for_example("postgres.example.com")]
EmailAddress = Annotated[str, Strict(), AfterValidator(rules.check_email_address), _for_example("oncall@example.com")]
PayerResponsibility = Annotated[str, Strict(), _one_of(rules.SERVICE_OWNER)]
AlarmTier = Annotated[
    str, Strict(), AfterValidator(_choice("alarm tier", *rules.ALARM_TIERS)), _one_of(*rules.ALARM_TIERS)
]
TopicArn = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_topic_arn),
    _for_example("arn:aws:sns:eu-central-1:111122223333:operators"),
]
TrafficType = Annotated[
    str, Strict(), AfterValidator(_choice("traffic type", *rules.TRAFFIC_TYPES)), _one_of(*rules.TRAFFIC_TYPES)
]
BucketArn = Annotated[
    str, Strict(), AfterValidator(rules.check_bucket_arn), _for_example("arn:aws:s3:::flow-logs-of-ours")
]
KeyArn = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_key_arn),
    _like(rules.KEY_ARN, "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
]
RoleArn = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_role_arn),
    _like(rules.ROLE_ARN, "arn:aws:iam::111122223333:role/network/PgPrivateLink"),
]
ManagedPolicyArn = Annotated[
    str,
    Strict(),
    AfterValidator(rules.check_managed_policy_arn),
    _like(rules.MANAGED_POLICY_ARN, "arn:aws:iam::111122223333:policy/Boundary"),
]
LogRetention = Annotated[int, Strict(), AfterValidator(rules.check_log_retention), _one_of(*rules.LOG_RETENTION_DAYS)]
KeyPrefix = Annotated[str, Strict(), AfterValidator(rules.check_key_prefix), _for_example("network/postgres")]
Port = Annotated[int, Strict(), AfterValidator(rules.check_port), _between(1, rules.MAX_PORT)]
CheckMinutes = Annotated[int, Strict(), AfterValidator(rules.check_check_minutes), _between(1, rules.MAX_CHECK_MINUTES)]
PollInterval = Annotated[int, Strict(), AfterValidator(rules.check_poll_interval), _between(1, rules.MAX_POLL_INTERVAL)]
HealthyTimeout = Annotated[
    int, Strict(), AfterValidator(rules.check_healthy_timeout), _between(rules.MIN_HEALTHY, rules.MAX_HEALTHY)
]
HealthCheckInterval = Annotated[
    int,
    Strict(),
    AfterValidator(rules.check_health_check_interval),
    _between(rules.MIN_HEALTH_CHECK_INTERVAL, rules.MAX_HEALTH_CHECK_INTERVAL),
]
HealthyThreshold = Annotated[
    int,
    Strict(),
    AfterValidator(partial(rules.check_threshold, what="healthy threshold")),
    _between(rules.MIN_THRESHOLD, rules.MAX_THRESHOLD),
]
UnhealthyThreshold = Annotated[
    int,
    Strict(),
    AfterValidator(partial(rules.check_threshold, what="unhealthy threshold")),
    _between(rules.MIN_THRESHOLD, rules.MAX_THRESHOLD),
]
WarningName = Annotated[str, Strict(), AfterValidator(rules.check_warning)]
TagKey = Annotated[str, Strict(), AfterValidator(rules.check_tag_key)]
TagValue = Annotated[str, Strict(), AfterValidator(rules.check_tag_value), _for_example("data")]
Text = Annotated[str, Strict()]
Switch = Annotated[bool, Strict()]


class Fields(BaseModel):
    """A mapping in the YAML file: no field but those it knows, and none without a value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _given(cls, value: object) -> object:
        # Where a field may be left out its type admits None, but a field that is written without a value was forgotten.
        if value is None:
            raise ValueError("no value")
        return value

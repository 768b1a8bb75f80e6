"""What a good configuration becomes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from constructs_pg.errors import PostgresEndpointServiceError
from pg_privatelink.config import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from pg_privatelink.config import Configuration

ROOT = Path(__file__).parents[2]

_KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"

SHORTEST = """\
region: eu-central-1
services:
  orders:
    vpc:
      id: vpc-01234567
      cidrs: [10.0.0.0/16]
      subnets:
        - {id: subnet-01234567, zone: eu-central-1a, cidr: 10.0.0.0/24}
        - {id: subnet-01234568, zone: eu-central-1b, cidr: 10.0.1.0/24}
    listeners:
      main:
        rds_instance: {identifier: Orders, endpoint: ORDERS.abc123.eu-central-1.rds.amazonaws.com.}
"""


def test_the_shortest_configuration_has_the_defaults(loading: Callable[[str | bytes], Configuration]) -> None:
    """What is not given has the documented default; names that AWS stores in lower case are given so."""
    configuration = loading(SHORTEST)
    service = configuration.services["orders"]
    listener = service.listeners["main"]
    assert configuration.model_dump(exclude={"services"}) == {
        "account": None,
        "region": "eu-central-1",
        "tags": {},
        "termination_protection": True,
    }
    assert service.model_dump(exclude={"vpc", "listeners"}) == {
        "consumers": (),
        "acceptance_required": True,
        "accept_from": (),
        "reject_others": False,
        "reject_connections_on_delete": False,
        "notifications": {"enabled": True, "topic": None, "emails": (), "key": None},
        "supported_regions": (),
        "payer_responsibility": None,
        "payer_responsibility_is_irreversible": False,
        "poll_interval": 5,
        "wait_for_healthy": True,
        "healthy_timeout": 300,
        "observe_only": False,
        "function": {
            "subnets": (),
            "security_groups": (),
            "role": None,
            "connection_role": None,
            "permissions_boundary": None,
        },
        "encryption_key": None,
        "log_retention": 30,
        "alarms": {"tier": "basic", "topics": ()},
        "dashboard": False,
        "flow_logs": None,
        "connectivity_check": None,
        "deletion_protection": False,
        "removal_policy": "delete",
        "acknowledged_warnings": {},
        "tags": {},
    }
    assert service.vpc.lookup is None
    assert service.vpc.cidrs == ("10.0.0.0/16",)
    assert [subnet.zone for subnet in service.vpc.subnets] == ["eu-central-1a", "eu-central-1b"]
    assert [subnet.private_ipv4_address for subnet in service.vpc.subnets] == [None, None]
    assert listener.port == 5432
    assert listener.health_check.model_dump() == {"interval": 10, "healthy_threshold": 2, "unhealthy_threshold": 2}
    assert listener.kind == "rds_instance"
    assert listener.target.model_dump() == {
        "identifier": "orders",
        "endpoint": "orders.abc123.eu-central-1.rds.amazonaws.com",
        "port": 5432,
        "security_groups": (),
        "zones": (),
        "nameservers": (),
        "allowed_ranges": (),
    }


def test_every_field_reaches_the_configuration(valid: str, loading: Callable[[str | bytes], Configuration]) -> None:
    """Consumers keep their order and kind; values other than the defaults arrive."""
    text = valid.replace("    tags:", "    poll_interval: 60\n    wait_for_healthy: false\n    tags:")
    text = text.replace("    tags:", "    observe_only: true\n    deletion_protection: true\n    tags:")
    text = text.replace("    tags:", "    removal_policy: retain\n    tags:")
    text = text.replace("acceptance_required: true", "acceptance_required: false")
    service = loading(text).services["orders"]
    dbt, reporting = service.consumers
    assert dbt.dbt_platform is not None
    assert dbt.dbt_platform.environment == "EMEA"
    assert reporting.dbt_platform is None
    assert reporting.principals == ("arn:aws:iam::222222222222:root",)
    assert reporting.name == "Reporting"
    assert (service.poll_interval, service.wait_for_healthy, service.acceptance_required) == (60, False, False)
    assert (service.observe_only, service.deletion_protection, service.removal_policy) == (True, True, "retain")
    assert service.tags == {"team": "data"}


def test_a_connectivity_check_reaches_the_configuration(loading: Callable[[str | bytes], Configuration]) -> None:
    """Its VPC and subnets arrive as they are written, the rest has defaults."""
    subnets = "[{id: subnet-0123456789abcdef8, zone: eu-central-1a}]"
    text = SHORTEST.replace(
        "    listeners:", f"    connectivity_check: {{vpc: vpc-01234567, subnets: {subnets}}}\n    listeners:"
    )
    check = loading(text).services["orders"].connectivity_check
    assert check is not None
    assert check.model_dump() == {
        "vpc": "vpc-01234567",
        "subnets": ({"id": "subnet-0123456789abcdef8", "zone": "eu-central-1a"},),
        "ports": (),
        "interval": 5,
        "tls_required": False,
    }


def test_monitoring_reaches_the_configuration(valid: str, loading: Callable[[str | bytes], Configuration]) -> None:
    """Tier, topics, dashboard and flow logs arrive as they are written."""
    topic = "arn:aws:sns:eu-central-1:111122223333:operators"
    text = valid.replace("    tags:", f"    alarms: {{tier: full, topics: ['{topic}']}}\n    tags:")
    text = text.replace("    tags:", "    dashboard: true\n    tags:")
    flow_logs = "{traffic: all, bucket: 'arn:aws:s3:::a-bucket', key_prefix: a}"
    text = text.replace("    tags:", f"    flow_logs: {flow_logs}\n    tags:")

    service = loading(text).services["orders"]

    assert service.alarms.model_dump() == {"tier": "full", "topics": (topic,)}
    assert service.dashboard
    assert service.flow_logs is not None
    assert service.flow_logs.model_dump() == {"traffic": "all", "bucket": "arn:aws:s3:::a-bucket", "key_prefix": "a"}


def test_the_function_reaches_the_configuration(valid: str, loading: Callable[[str | bytes], Configuration]) -> None:
    """Its place, role, key and logs arrive as they are written; a boundary may be one of AWS's policies."""
    boundary, key = "arn:aws:iam::aws:policy/PowerUserAccess", f"arn:aws:kms:eu-central-1:444455556666:key/{_KEY_ID}"
    text = valid.replace(
        "    tags:",
        f"""\
    function:
      subnets:
        - {{id: subnet-0123456789abcdef2, zone: euc1-az1, cidr: 10.0.2.0/24}}
        - {{id: subnet-0123456789abcdef3, zone: euc1-az2, cidr: 10.0.3.0/24}}
      security_groups: [sg-0123456789abcdef0]
      permissions_boundary: {boundary}
    encryption_key: {key}
    log_retention: 3653
    tags:""",
    )

    service = loading(text).services["orders"]

    assert [subnet.model_dump() for subnet in service.function.subnets] == [
        {"id": "subnet-0123456789abcdef2", "zone": "euc1-az1", "cidr": "10.0.2.0/24"},
        {"id": "subnet-0123456789abcdef3", "zone": "euc1-az2", "cidr": "10.0.3.0/24"},
    ]
    assert service.function.security_groups == ("sg-0123456789abcdef0",)
    assert service.function.permissions_boundary == boundary
    assert (service.encryption_key, service.log_retention) == (key, 3653)


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_arns_are_of_the_partition_of_the_region(
    region: str, partition: str, loading: Callable[[str | bytes], Configuration]
) -> None:
    """A role with a path, and a key of several Regions, in each partition that AWS has."""
    role, key = (
        f"arn:{partition}:iam::111122223333:role/network/data/PgPrivateLink",
        f"arn:{partition}:kms:{region}:111122223333:key/mrk-{_KEY_ID.replace('-', '')}",
    )
    text = SHORTEST.replace("eu-central-1", region)
    text += f"    function: {{role: '{role}'}}\n    encryption_key: {key}\n"

    service = loading(text).services["orders"]

    assert (service.function.role, service.encryption_key) == (role, key)


def test_flow_logs_need_no_more_than_their_name(valid: str, loading: Callable[[str | bytes], Configuration]) -> None:
    """Nothing after the colon records rejected traffic in CloudWatch Logs."""
    service = loading(valid.replace("    tags:", "    flow_logs:\n    tags:")).services["orders"]

    assert service.flow_logs is not None
    assert service.flow_logs.model_dump() == {"traffic": "reject", "bucket": None, "key_prefix": None}


def test_a_look_up_needs_no_description_of_the_vpc(loading: Callable[[str | bytes], Configuration]) -> None:
    """With an account, a VPC can be found by its id or its tags."""
    text = SHORTEST.replace("region:", 'account: "012345678901"\nregion:')
    start, end = text.index("      id: vpc"), text.index("    listeners")
    for lookup in ("{id: vpc-01234567}", "{tags: {Name: main}}", "{id: vpc-01234567, tags: {Name: main}}"):
        configuration = loading(f"{text[:start]}      lookup: {lookup}\n      subnet_group: Private\n{text[end:]}")
        vpc = configuration.services["orders"].vpc
        assert configuration.account == "012345678901"
        assert vpc.lookup is not None
        assert (vpc.lookup.id == "vpc-01234567") == ("vpc-" in lookup)
        assert (vpc.lookup.tags == {"Name": "main"}) == ("main" in lookup)
        assert (vpc.id, vpc.subnets, vpc.subnet_group) == (None, (), "Private")


def test_plain_words_are_text_as_in_yaml_1_2(loading: Callable[[str | bytes], Configuration]) -> None:
    """NO is Norway's code, on is a word and 22:30 a time of day: none of them becomes a boolean or a number."""
    configuration = loading(f"tags: {{country: NO, light: on, backup: 22:30, day: 2026-11-23, on: x}}\n{SHORTEST}")
    assert configuration.tags == {"country": "NO", "light": "on", "backup": "22:30", "day": "2026-11-23", "on": "x"}


def test_a_dbt_consumer_needs_no_fields(loading: Callable[[str | bytes], Configuration]) -> None:
    """`- dbt_platform:` with nothing after the colon is the dbt platform with all defaults."""
    for written in ("dbt_platform:", "dbt_platform: {}", "dbt_platform: ~"):
        (consumer,) = loading(f"{SHORTEST}    consumers:\n      - {written}\n").services["orders"].consumers
        assert consumer.dbt_platform is not None
        assert consumer.dbt_platform.model_dump() == {"environment": None, "account_url": None, "source_ranges": ()}


def test_anchors_and_merge_keys_share_fields(loading: Callable[[str | bytes], Configuration]) -> None:
    """A merged field is taken where the mapping has none of its own; of several sources the first wins."""
    configuration = loading(
        SHORTEST.replace("      main:\n        rds_instance: {", "      main:\n        rds_instance: &first {")
        + """\
      second:
        port: 5433
        rds_instance: &second {<<: *first, port: 6432}
      third:
        port: 5434
        rds_instance: {<<: [*second, *first], nameservers: [10.0.0.2]}
"""
    )
    listeners = configuration.services["orders"].listeners
    databases = {name: listener.target.model_dump() for name, listener in listeners.items()}
    assert [database["port"] for database in databases.values()] == [5432, 6432, 6432]
    assert {database["identifier"] for database in databases.values()} == {"orders"}
    assert databases["third"]["nameservers"] == ("10.0.0.2",)


@pytest.mark.parametrize("change", [lambda text: "\ufeff" + text, lambda text: text.replace("\n", "\r\n")])
def test_files_of_other_editors_are_read(
    change: Callable[[str], str], loading: Callable[[str | bytes], Configuration]
) -> None:
    """A byte order mark at the beginning and line ends of Windows change nothing."""
    assert loading(change(SHORTEST)) == loading(SHORTEST)


def test_a_configuration_cannot_be_changed(loading: Callable[[str | bytes], Configuration]) -> None:
    """What was checked stays as it was checked."""
    configuration = loading(SHORTEST)
    with pytest.raises(ValidationError, match="frozen"):
        configuration.region = "us-east-1"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), "1:1"),
        (("region",), "1:9"),
        (("services", "orders"), "3:3"),
        (("services", "orders", "vpc", "subnets", 1), "9:11"),
        (("services", "orders", "vpc", "subnets", 1, "zone"), "9:39"),
        (("services", "orders", "listeners", "main"), "11:7"),
        (("services", "orders", "listeners", "main", "port"), "11:7"),
        (("services", "orders", "poll_interval"), "3:3"),
    ],
)
def test_later_errors_find_their_line(
    path: tuple[str | int, ...], place: str, loading: Callable[[str | bytes], Configuration]
) -> None:
    """A value is where it is written, a mapping at its name, and what is not in the file at what it belongs to."""
    assert loading(SHORTEST).where(path) == f"privatelink.yaml:{place}"


def test_what_a_construct_refuses_is_told_with_the_line(loading: Callable[[str | bytes], Configuration]) -> None:
    """Each problem of an error becomes a line as `load` would have written it."""
    error = PostgresEndpointServiceError(["first", "second"])
    lines = loading(SHORTEST).located(("services", "orders", "listeners", "main"), error)
    assert lines == (
        "privatelink.yaml:11:7: services.orders.listeners.main: first",
        "privatelink.yaml:11:7: services.orders.listeners.main: second",
    )


@pytest.mark.parametrize(
    "path",
    [Path("privatelink.yaml"), *sorted(path.relative_to(ROOT) for path in ROOT.glob("examples/*.yaml"))],
    ids=str,
)
def test_the_files_we_give_away_are_right(path: Path) -> None:
    """The default configuration and every example load, and name the JSON Schema for editors."""
    configuration = load(ROOT / path)
    schema = "../" * (len(path.parts) - 1) + "docs/privatelink.schema.json"
    first_line = (ROOT / path).read_text(encoding="utf-8").splitlines()[0]
    assert configuration.services
    assert first_line == f"# yaml-language-server: $schema={schema}"


def test_reading_a_configuration_does_not_start_the_cdk() -> None:
    """An editor's check or a command must answer at once: aws_cdk, which starts Node, is not imported."""
    code = "import sys, pg_privatelink.config, pg_privatelink.schema; sys.exit('aws_cdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_a_dbt_environment_may_be_written_in_any_case(valid: str, loading: Callable[[str], Configuration]) -> None:
    """It is handed on as dbt's request form has it."""
    configuration = loading(valid.replace("environment: EMEA", "environment: emea"))

    dbt = configuration.services["orders"].consumers[0].dbt_platform
    assert dbt is not None
    assert dbt.environment == "EMEA"

"""The JSON Schema from which editors complete and check the YAML file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from pg_privatelink.config import ConfigurationError
from pg_privatelink.schema import json_schema, json_schema_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]


def test_the_schema_file_is_current() -> None:
    """The file that editors read is what the models say."""
    file = ROOT / "docs" / "privatelink.schema.json"
    assert file.read_text(encoding="utf-8") == json_schema_text(), (
        "the models have changed; run: python -m pg_privatelink.schema docs/privatelink.schema.json"
    )


@pytest.mark.parametrize("path", ["privatelink.yaml", *(str(path) for path in ROOT.glob("examples/*.yaml"))])
def test_the_files_we_give_away_follow_the_schema(path: str) -> None:
    """An editor shows no mistake in the default configuration and the examples."""
    data = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(json_schema()).iter_errors(data)] == []


def test_every_field_is_described_and_closed() -> None:
    """An editor can explain each field, and knows that no other exists."""
    Draft202012Validator.check_schema(json_schema())
    for model in _models(json_schema()):
        assert model["additionalProperties"] is False
        assert model["description"]
        for name, field in model["properties"].items():
            assert field.get("description"), f"{name} has no description"
            assert field.get("default", "") is not None, f"{name} offers null, which load refuses"


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ("port: 5432", 'port: "5432"'),
        ("port: 5432", "port: 0"),
        ("port: 5432", "prot: 5432"),
        ('account: "111122223333"', "account: 111122223333"),
        ("region: eu-central-1", "region: Frankfurt"),
        ("      main:", "      1main:"),
        ("environment: EMEA", "environment: emea"),
        ("        name: Reporting", "        dbt_platform: {}"),
        ("      id: vpc", "      lookup: {tags: {Name: main}}\n      id: vpc"),
        ("cidrs: [10.0.0.0/16]", "cidrs: []"),
        ("cidrs: [10.0.0.0/16]", "cidrs:"),
        ("cidr: 10.0.0.0/24", "cidr: 10.0.0.0/24, private_address: 10.0.0.10"),
        ("        port: 5432", "        hostname: {name: orders.example.com}"),
        ("        rds_instance:", "        auto_scaling_group:"),
        ("        port: 5432", "        health_check: {interval: 4}"),
        ("        port: 5432", "        health_check: {healthy_threshold: 1}"),
        ("acceptance_required: true", "removal_policy: snapshot"),
        ("acceptance_required: true", "log_retention: 31"),
        ("acceptance_required: true", "encryption_key: alias/logs"),
        ("acceptance_required: true", "function: {role: PgPrivateLink}"),
        ("acceptance_required: true", "function: {permissions_boundary: 'arn:aws:iam::aws:role/Boundary'}"),
        (
            "acceptance_required: true",
            "function: {subnets: [{id: subnet-01234567, zone: euc1-az1, cidr: 10.0.2.0/24}]}",
        ),
    ],
)
def test_an_editor_shows_frequent_mistakes(change: str, by: str, valid: str) -> None:
    """What the schema can express is marked while the user types."""
    validator = Draft202012Validator(json_schema())
    assert validator.is_valid(yaml.safe_load(valid))
    assert change in valid
    assert not validator.is_valid(yaml.safe_load(valid.replace(change, by, 1)))


def test_what_the_schema_accepts_for_a_bare_dbt_consumer_is_accepted(
    valid: str, loading: Callable[[str | bytes], object]
) -> None:
    """`dbt_platform:` with nothing after the colon is right for editors, as it is for `load`."""
    text = valid.replace("dbt_platform: {environment: EMEA}", "dbt_platform:")
    assert Draft202012Validator(json_schema()).is_valid(yaml.safe_load(text))
    assert loading(text)


@pytest.mark.parametrize(
    ("database", "is_valid"),
    [
        ("rds_cluster: {identifier: a, role: reader, endpoint: a.example.com}", True),
        ("rds_cluster: {identifier: a, role: main, endpoint: a.example.com}", False),
        ("rds_proxy: {name: a, endpoint: a.example.com, security_groups: [sg-01234567]}", True),
        ("rds_proxy: {name: a, endpoint: a.example.com}", False),
        ("hostname: {name: a.example.com}", True),
        ("hostname: a.example.com", False),
        ("ip_addresses: {addresses: [10.0.0.5]}", True),
        ("ip_addresses: {addresses: [10.0.0.5, 10.0.0.5]}", False),
        ("ec2_instances: {ids: [i-01234567]}", True),
        ("ec2_instances: {ids: [orders]}", False),
        ("health_check: {interval: 10}", False),
    ],
)
def test_an_editor_knows_every_kind_of_postgres(
    database: str, is_valid: bool, valid: str, loading: Callable[[str | bytes], object]
) -> None:
    """What it marks is refused by `load` too, and what it accepts is accepted."""
    content = yaml.safe_load(valid)
    content["services"]["orders"]["listeners"] = {"main": yaml.safe_load(database)}
    assert Draft202012Validator(json_schema()).is_valid(content) is is_valid
    text = json.dumps(content)
    if is_valid:
        assert loading(text)
    else:
        with pytest.raises(ConfigurationError):
            loading(text)


def _models(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    yield from schema["$defs"].values()

"""Consumers of every kind and the life of their connections: what a good file becomes, and what is no mistake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from pg_privatelink.config import Configuration, ConsumerConfiguration

if TYPE_CHECKING:
    from collections.abc import Callable

_TOPIC = "arn:aws:sns:eu-central-1:111122223333:connections"
_KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_ROLE = "arn:aws:iam::664411391173:role/mz_1234_u5678"


def _text(valid: str, consumers: list[dict[str, Any]] | None = None, **service: object) -> str:
    content = yaml.safe_load(valid)
    content["services"]["orders"] |= service
    if consumers is not None:
        content["services"]["orders"]["consumers"] = consumers
    # JSON is YAML; PyYAML would write YAML 1.1, and leave the quotes off some accounts.
    return json.dumps(content)


@pytest.mark.parametrize(
    ("kind", "given", "loaded"),
    [
        ("dbt_single_tenant", {"account": "333333333333"}, {"account": "333333333333", "account_url": None}),
        (
            "dbt_self_hosted",
            {"account": "333333333333", "environment": "emea", "dns_record": "Postgres.example.com."},
            {
                "account": "333333333333",
                "environment": "EMEA",
                "account_url": None,
                "dns_record": "postgres.example.com",
            },
        ),
        ("clickpipes", None, {"regions": ()}),
        ("clickpipes", {"regions": ["eu-central-1"]}, {"regions": ("eu-central-1",)}),
        ("databricks_serverless", {"region": "eu-central-1"}, {"region": "eu-central-1"}),
        ("materialize", None, {"principals": ()}),
        ("materialize", {"principals": [_ROLE]}, {"principals": (_ROLE,)}),
    ],
)
def test_each_product_needs_no_more_than_its_required_fields(
    kind: str,
    given: dict[str, object] | None,
    loaded: dict[str, object],
    valid: str,
    loading: Callable[[str | bytes], Configuration],
) -> None:
    """Nothing after the colon will do where nothing is required; what is left out has the documented default."""
    (consumer,) = loading(_text(valid, [{kind: given}])).services["orders"].consumers

    assert consumer.product is not None
    assert consumer.product == getattr(consumer, kind)
    assert consumer.product.model_dump() == {**loaded, "source_ranges": ()}
    assert not consumer.has_source_ranges


def test_every_product_can_stand_in_one_service(valid: str, loading: Callable[[str | bytes], Configuration]) -> None:
    """With ranges for each of them, and with a consumer of one's own."""
    ranges = {"source_ranges": ["10.20.0.0/16"]}
    consumers: list[dict[str, Any]] = [
        {"dbt_platform": ranges},
        {"dbt_single_tenant": {"account": "333333333333", **ranges}},
        {"dbt_self_hosted": {"account": "444444444444", **ranges}},
        {"clickpipes": ranges},
        {"databricks_serverless": {"region": "eu-central-1", **ranges}},
        {"materialize": ranges},
        {"principals": ["*"], "requires_acceptance": True, "regions": ["eu-central-1"], **ranges},
    ]
    loaded = loading(_text(valid, consumers)).services["orders"].consumers

    assert [consumer.has_source_ranges for consumer in loaded] == [True] * 7
    own = loaded[-1]
    assert own.product is None
    assert (own.requires_acceptance, own.regions) == (True, ("eu-central-1",))


def test_the_life_of_connections_reaches_the_configuration(
    valid: str, loading: Callable[[str | bytes], Configuration]
) -> None:
    """Each setting arrives as it is written."""
    settings: dict[str, Any] = {
        "accept_from": ["222222222222", "346425330055"],
        "reject_others": True,
        "reject_connections_on_delete": True,
        "notifications": {"topic": _TOPIC, "emails": ["a@example.com", "b@example.com"]},
        "supported_regions": ["us-east-1", "eu-west-2"],
        "payer_responsibility": "ServiceOwner",
        "payer_responsibility_is_irreversible": True,
    }
    service = loading(_text(valid, **settings)).services["orders"]

    assert service.model_dump(mode="json", include={*settings}) == {
        **settings,
        "notifications": {"enabled": True, "topic": _TOPIC, "emails": ["a@example.com", "b@example.com"], "key": None},
    }


@pytest.mark.parametrize(
    ("consumer", "account"),
    [
        ({"dbt_platform": {}}, "346425330055"),
        ({"dbt_single_tenant": {"account": "333333333333"}}, "333333333333"),
        ({"dbt_self_hosted": {"account": "333333333333"}}, "333333333333"),
        ({"clickpipes": None}, "072088201116"),
        ({"databricks_serverless": {"region": "eu-central-1"}}, "565502421330"),
        ({"materialize": {"principals": [_ROLE]}}, "664411391173"),
        ({"principals": ["arn:aws:iam::222222222222:user/a"]}, "222222222222"),
        ({"principals": ["*"]}, "999999999999"),
    ],
)
def test_the_account_of_every_consumer_can_be_accepted(
    consumer: dict[str, Any], account: str, valid: str, loading: Callable[[str | bytes], Configuration]
) -> None:
    """The accounts of the products are known without being written."""
    service = loading(_text(valid, [consumer], accept_from=[account])).services["orders"]

    assert service.accept_from == (account,)


@pytest.mark.parametrize(
    "consumer",
    [
        {"dbt_single_tenant": {"account": "3333"}},
        {"databricks_serverless": {"region": "Frankfurt"}},
        {"materialize": {"principals": ["mz_1234"]}},
        {"principals": [333333333333]},
        {"principals": None},
        {"clickpipes": {}, "materialize": {}},
        "clickpipes",
    ],
)
def test_who_may_connect_is_not_judged_by_a_mistake(
    consumer: Any,  # noqa: ANN401  (it is no consumer)
    valid: str,
    mistakes: Callable[[str | bytes], list[str]],
) -> None:
    """While an entry is wrong, the account to accept may be its account: one mistake, one line."""
    assert len(mistakes(_text(valid, [consumer], accept_from=["333333333333"]))) == 1


def test_a_misspelled_region_is_one_mistake(valid: str, mistakes: Callable[[str | bytes], list[str]]) -> None:
    """It may be the one that the consumer needs."""
    text = _text(valid, [{"clickpipes": {"regions": ["us-east-1"]}}], supported_regions=["us-east1"])

    (line,) = mistakes(text)
    assert "supported_regions[0]: Region must look like" in line


def test_a_supported_region_is_one_that_a_consumer_can_be_in(
    valid: str, loading: Callable[[str | bytes], Configuration]
) -> None:
    """In it, endpoints can be made."""
    consumers = [{"clickpipes": {"regions": ["us-east-1", "eu-central-1"]}}]

    assert loading(_text(valid, consumers, supported_regions=["us-east-1"])).services["orders"].supported_regions


def test_no_more_accounts_are_accepted_than_fit(valid: str, mistakes: Callable[[str | bytes], list[str]]) -> None:
    """The function's environment holds 200."""
    accounts = [f"{number:012}" for number in range(201)]

    (line,) = mistakes(_text(valid, [{"principals": ["*"]}], accept_from=accounts))
    assert line.endswith("services.orders.accept_from: 'accept_from' names 201 accounts: at most 200 fit")


def test_consumers_are_given_by_exactly_one_kind() -> None:
    """What is not a product's consumer has principals."""
    own = ConsumerConfiguration(principals=("*",))

    assert own.product is None
    assert not own.has_source_ranges
    assert ConsumerConfiguration(principals=("*",), source_ranges=("10.20.0.0/16",)).has_source_ranges

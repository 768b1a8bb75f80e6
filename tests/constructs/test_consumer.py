"""`Consumer`: who may connect, and the request they want to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from constructs_pg import Consumer, DbtEnvironment, PostgresEndpointServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs_pg import PostgresEndpointService

    ServiceFactory = Callable[..., PostgresEndpointService]


def test_dbt_request_is_dbts_form_filled_in() -> None:
    """Field by field the form of docs.getdbt.com for Postgres; dbt support reads it by these names."""
    consumer = Consumer.dbt_platform(environment=DbtEnvironment.JP, account_url="https://ab123.jp1.dbt.com")

    text = consumer.request_text(
        service_name="com.amazonaws.vpce.ap-northeast-1.vpce-svc-0123456789abcdef0",
        region="ap-northeast-1",
        ports=[5432],
    )

    assert text is not None
    assert text.splitlines() == [
        "To: support@getdbt.com",
        "Subject: New Multi-Tenant PrivateLink Request",
        "- Type: Postgres Interface-type",
        "- dbt platform account URL: https://ab123.jp1.dbt.com",
        "- VPC Endpoint Service Name: com.amazonaws.vpce.ap-northeast-1.vpce-svc-0123456789abcdef0",
        "- Postgres server AWS Region (for example, us-east-1, eu-west-2): ap-northeast-1",
        "- dbt AWS multi-tenant environment (US, EMEA, AU, JP): JP",
    ]


def test_what_is_not_known_is_left_to_fill_in() -> None:
    """A request never goes out with a guess in it."""
    text = Consumer.dbt_platform().request_text(service_name="s", region="r", ports=[5432])

    assert text is not None
    assert text.count("<fill in>") == 2


def test_plain_principals_have_no_request() -> None:
    """Only vendors whose form is known get one."""
    consumer = Consumer(name="Partner", principals=["arn:aws:iam::222233334444:root"])

    assert consumer.request_text(service_name="s", region="r", ports=[5432]) is None


@pytest.mark.parametrize(
    ("principal", "message"),
    [
        ("222233334444", "principal"),
        ("arn:aws:iam::222233334444:role/path/Analytics", "path"),
        ("arn:aws:sts::222233334444:assumed-role/x/y", "principal"),
    ],
)
def test_principals_that_aws_refuses_are_refused_here(principal: str, message: str) -> None:
    """AWS would say so after minutes; some it would accept and never match."""
    with pytest.raises(PostgresEndpointServiceError, match=message):
        Consumer(name="Partner", principals=[principal])


def test_dbt_never_comes_from_public_addresses() -> None:
    """The addresses dbt publishes are those of its public egress; over PrivateLink the rule would let nobody in."""
    with pytest.raises(PostgresEndpointServiceError, match=r"52\.45\.144\.63"):
        Consumer.dbt_platform(source_ranges=["52.45.144.63/32"])


def test_names_are_unique_in_a_service(make_service: ServiceFactory) -> None:
    """Stack outputs are named after consumers."""
    partner = Consumer(name="Partner", principals=["arn:aws:iam::222233334444:root"])

    with pytest.raises(PostgresEndpointServiceError, match="'Partner' exists already"):
        make_service(consumers=[partner, partner])

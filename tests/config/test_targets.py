"""The kinds of Postgres in a file: their defaults, and what is right though it looks unusual."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from pg_privatelink.config import Configuration, ListenerConfiguration

_FOLLOWED: dict[str, Any] = {
    "port": 5432,
    "security_groups": (),
    "zones": (),
    "nameservers": (),
    "allowed_ranges": (),
}


@pytest.fixture
def listener(valid: str, loading: Callable[[str | bytes], Configuration]) -> Callable[[str], ListenerConfiguration]:
    """Load the valid configuration with another Postgres in its listener."""

    def load_listener(database: str) -> ListenerConfiguration:
        content = yaml.safe_load(valid)
        content["services"]["orders"]["listeners"]["main"] = yaml.safe_load(database)
        return loading(yaml.safe_dump(content, default_style='"')).services["orders"].listeners["main"]

    return load_listener


@pytest.mark.parametrize(
    ("kind", "given", "loaded"),
    [
        (
            "rds_cluster",
            "{identifier: Orders, endpoint: ORDERS.cluster-abc123.eu-central-1.rds.amazonaws.com}",
            {
                **_FOLLOWED,
                "identifier": "orders",
                "role": "writer",
                "endpoint": "orders.cluster-abc123.eu-central-1.rds.amazonaws.com",
            },
        ),
        (
            "rds_proxy",
            "{name: Orders, endpoint: orders.example.com, security_groups: [sg-01234567]}",
            {
                **_FOLLOWED,
                "name": "orders",
                "endpoint": "orders.example.com",
                "security_groups": ("sg-01234567",),
            },
        ),
        ("hostname", "{name: Orders.example.com.}", {**_FOLLOWED, "name": "orders.example.com"}),
        (
            "ip_addresses",
            "{addresses: [192.168.10.20, 10.0.0.20]}",
            {"addresses": ("192.168.10.20", "10.0.0.20"), "port": 5432, "security_groups": ()},
        ),
        (
            "ec2_instances",
            "{ids: [i-0123456789abcdef0]}",
            {"ids": ("i-0123456789abcdef0",), "port": 5432, "security_groups": ()},
        ),
    ],
)
def test_each_kind_has_the_documented_defaults(
    kind: str, given: str, loaded: dict[str, Any], listener: Callable[[str], ListenerConfiguration]
) -> None:
    """Names that AWS stores in lower case are given so; nothing but the required fields has to be written."""
    configuration = listener(f"{kind}: {given}")

    assert configuration.kind == kind
    assert configuration.target.model_dump() == loaded


@pytest.mark.parametrize(
    "database",
    [
        "rds_cluster: {identifier: orders, role: reader, endpoint: readers.example.com}",
        "rds_cluster: {identifier: orders, endpoint: writer.example.com}",
        "rds_cluster: {identifier: orders, endpoint: orders.global-abc123.global.rds.amazonaws.com}",
        "rds_cluster: {identifier: orders, endpoint: orders.cluster-abc.rds.cn-north-1.amazonaws.com.cn}",
        "rds_cluster: {identifier: o, role: reader, endpoint: o.cluster-ro-abc.eu-central-1.rds.amazonaws.com}",
    ],
    ids=["own name of the readers", "own name of the writer", "global writer", "another partition", "right"],
)
def test_an_endpoint_that_tells_no_role_can_have_either(
    database: str, listener: Callable[[str], ListenerConfiguration]
) -> None:
    """Only what can be read from a name is compared with the role."""
    assert listener(database).kind == "rds_cluster"


def test_an_endpoint_that_was_added_to_a_proxy_has_a_name_of_its_own(
    listener: Callable[[str], ListenerConfiguration],
) -> None:
    """The name of such an endpoint is not the proxy's."""
    target = listener(
        "rds_proxy: {name: orders, endpoint: reports.endpoint.proxy-abc123.eu-central-1.rds.amazonaws.com, "
        "security_groups: [sg-01234567]}"
    ).target
    assert target.model_dump()["endpoint"] == "reports.endpoint.proxy-abc123.eu-central-1.rds.amazonaws.com"


@pytest.mark.parametrize(
    ("cidrs", "address"), [("[10.0.0.0/16]", "192.168.10.20"), ("[10.0.0.0/16, 52.1.0.0/16]", "52.1.2.3")]
)
def test_fixed_addresses_are_private_or_in_the_vpc(
    cidrs: str, address: str, valid: str, loading: Callable[[str | bytes], Configuration]
) -> None:
    """A VPC can have any range; what lies in it is no foreign address."""
    content = yaml.safe_load(valid)
    content["services"]["orders"]["vpc"]["cidrs"] = yaml.safe_load(cidrs)
    content["services"]["orders"]["listeners"]["main"] = {"ip_addresses": {"addresses": [address]}}
    configuration = loading(yaml.safe_dump(content, default_style='"'))
    assert configuration.services["orders"].listeners["main"].target.model_dump()["addresses"] == (address,)


def test_fixed_private_addresses_reach_the_configuration(
    valid: str, loading: Callable[[str | bytes], Configuration]
) -> None:
    """The first address that a subnet can give, and the last."""
    text = valid.replace("10.0.0.0/24}", "10.0.0.0/24, private_ipv4_address: 10.0.0.4}")
    text = text.replace("10.0.1.0/24}", "10.0.1.0/24, private_ipv4_address: 10.0.1.254}")
    subnets = loading(text).services["orders"].vpc.subnets
    assert [subnet.private_ipv4_address for subnet in subnets] == ["10.0.0.4", "10.0.1.254"]


def test_an_observing_service_needs_one_name_only(valid: str, loading: Callable[[str | bytes], Configuration]) -> None:
    """Fixed targets beside it are no contradiction."""
    text = valid.replace("    tags:", "      fixed: {port: 1, ip_addresses: {addresses: [10.0.0.20]}}\n    tags:")
    assert loading(text.replace("    tags:", "    observe_only: true\n    tags:")).services["orders"].observe_only

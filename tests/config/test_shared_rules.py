"""Two services that ask for the same thing, which AWS gives once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pg_privatelink.config import Configuration, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVICE = """\
  {name}:
    vpc:
      id: vpc-0123456789abcdef0
      cidrs: [10.0.0.0/16]
      subnets:
        - {{id: subnet-0123456789abcdef0, zone: euc1-az1, cidr: {first}}}
        - {{id: subnet-0123456789abcdef1, zone: euc1-az2, cidr: {second}}}
    consumers:
      - principals: ["arn:aws:iam::222222222222:root"]
{ranges}    listeners:
      main:
        rds_instance:
          identifier: orders
          endpoint: orders.abc123.eu-central-1.rds.amazonaws.com
          security_groups: [sg-0123456789abcdef0]
"""


def _file(*services: str) -> str:
    return "region: eu-central-1\nservices:\n" + "".join(services)


def _service(name: str, *, first: str = "10.0.0.0/24", second: str = "10.0.1.0/24", ranges: str = "") -> str:
    given = f"        source_ranges: [{ranges}]\n" if ranges else ""
    return _SERVICE.format(name=name, first=first, second=second, ranges=given)


def test_the_same_rule_of_two_services_is_refused(loading: Callable[[str], Configuration]) -> None:
    """The second stack would fail after minutes; the file says so at once, and what to do."""
    with pytest.raises(ConfigurationError) as error:
        loading(_file(_service("one"), _service("two", first="10.0.9.0/24")))

    assert str(error.value) == (
        "privatelink.yaml:32:11: services.two.listeners.main.rds_instance.security_groups: service 'one' lets the same "
        "subnets into this group on port 5432 already, and AWS takes a rule once: remove security_groups here, since "
        "the rules of 'one' serve both, or give this load balancer fixed addresses (private_ipv4_address), which then "
        "have rules of their own"
    )


@pytest.mark.parametrize(
    "other",
    [
        _service("two", first="10.0.8.0/24", second="10.0.9.0/24"),
        _service("two", ranges="10.20.0.0/16"),
        _service("two").replace("          security_groups: [sg-0123456789abcdef0]\n", ""),
        _service("two")
        .replace("cidr: 10.0.0.0/24", "cidr: 10.0.0.0/24, private_ipv4_address: 10.0.0.9")
        .replace("cidr: 10.0.1.0/24", "cidr: 10.0.1.0/24, private_ipv4_address: 10.0.1.9"),
    ],
    ids=["other subnets", "rules by group only", "no rules", "fixed addresses"],
)
def test_services_that_do_not_meet_are_fine(loading: Callable[[str], Configuration], other: str) -> None:
    """One database may be offered by several services."""
    assert set(loading(_file(_service("one"), other)).services) == {"one", "two"}


_KINDS = {
    "rds_cluster": "identifier: orders, endpoint: orders.cluster-abc123.eu-central-1.rds.amazonaws.com",
    "rds_proxy": "name: orders, endpoint: orders.proxy-abc123.eu-central-1.rds.amazonaws.com",
    "hostname": "name: orders.example.com",
    "ip_addresses": "addresses: [10.0.0.20]",
    "ec2_instances": "ids: [i-0123456789abcdef0]",
}


@pytest.mark.parametrize("kind", _KINDS)
def test_the_same_rule_is_refused_whatever_kinds_stand_behind_it(
    loading: Callable[[str], Configuration], kind: str
) -> None:
    """A rule knows the group, not what is in it: a database by its instance in one service, by a name in another."""
    first = _service("one")
    start = first.index("        rds_instance:")
    second = first.replace("  one:", "  two:")[:start]
    second += f"        {kind}: {{{_KINDS[kind]}, security_groups: [sg-0123456789abcdef0]}}\n"

    with pytest.raises(ConfigurationError) as error:
        loading(_file(first, second))

    (problem,) = error.value.problems
    place = f"privatelink.yaml:29:{len(_KINDS[kind]) + len(kind) + 14}: "
    assert problem.startswith(
        f"{place}services.two.listeners.main.{kind}.security_groups: service 'one' lets the same subnets"
    )


def test_another_port_of_the_same_group_is_fine(loading: Callable[[str], Configuration]) -> None:
    """The rule differs, whatever stands behind it."""
    other = _service("two").replace("identifier: orders\n", "identifier: orders\n          port: 5433\n")
    assert set(loading(_file(_service("one"), other)).services) == {"one", "two"}


def _with_address(service: str, address: str) -> str:
    second = address.replace("10.0.0.", "10.0.1.")
    return service.replace("0/24}", f"0/24, private_ipv4_address: {address}}}", 1).replace(
        "10.0.1.0/24}", f"10.0.1.0/24, private_ipv4_address: {second}}}"
    )


def test_one_address_for_two_load_balancers_is_refused(loading: Callable[[str], Configuration]) -> None:
    """A subnet has each address once; the same services with addresses of their own are fine."""
    without_rules = [
        _service(name).replace("          security_groups: [sg-0123456789abcdef0]\n", "") for name in ("one", "two")
    ]
    one = _with_address(without_rules[0], "10.0.0.10")

    with pytest.raises(ConfigurationError) as error:
        loading(_file(one, _with_address(without_rules[1], "10.0.0.10")))

    assert error.value.problems == tuple(
        f"privatelink.yaml:{line}:99: services.two.vpc.subnets[{index}].private_ipv4_address: service 'one' has "
        f"{address} already: give another address of the subnet"
        for line, index, address in ((22, 0, "10.0.0.10"), (23, 1, "10.0.1.10"))
    )
    assert loading(_file(one, _with_address(without_rules[1], "10.0.0.11")))

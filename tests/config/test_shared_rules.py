"""Two services on one database: AWS takes a security-group rule once."""

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
        "the rules of 'one' serve both"
    )


@pytest.mark.parametrize(
    "other",
    [
        _service("two", first="10.0.8.0/24", second="10.0.9.0/24"),
        _service("two", ranges="10.20.0.0/16"),
        _service("two").replace("          security_groups: [sg-0123456789abcdef0]\n", ""),
    ],
    ids=["other subnets", "rules by group only", "no rules"],
)
def test_services_that_do_not_meet_are_fine(loading: Callable[[str], Configuration], other: str) -> None:
    """One database may be offered by several services."""
    assert set(loading(_file(_service("one"), other)).services) == {"one", "two"}

"""The rules for what users give us. A table each for what is accepted and what is refused, with the whole message."""

from __future__ import annotations

import copy
import ipaddress
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructs_pg import _validation as rules
from constructs_pg.errors import PostgresEndpointServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]

ACCEPTED: list[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any]]] = [
    (rules.check_port, (1,), {}),
    (rules.check_port, (65535,), {}),
    (rules.check_poll_interval, (60,), {}),
    (rules.check_healthy_timeout, (10,), {}),
    (rules.check_healthy_timeout, (300,), {}),
    (rules.check_listener_count, (50,), {}),
    (rules.check_listener_name, ("a" * 63,), {}),
    (rules.check_listener_name, ("reporting-2",), {"existing": ["main", "reporting-1"]}),
    (rules.check_account_id, ("012345678901",), {}),
    (rules.check_region, ("us-gov-west-1",), {}),
    (rules.check_region, ("ap-southeast-2",), {}),
    (rules.check_vpc_id, ("vpc-01234567",), {}),
    (rules.check_subnet_id, ("subnet-0123456789abcdef0",), {}),
    (rules.check_security_group_id, ("sg-0123456789abcdef0",), {}),
    (rules.check_principal, ("*",), {}),
    (rules.check_principal, ("arn:aws:iam::346425330055:role/MTPL_Admin",), {}),
    (rules.check_principal, ("arn:aws-us-gov:iam::222222222222:user/dbt@example.com",), {}),
    (rules.check_principal, ("arn:aws-cn:iam::222222222222:root",), {}),
    (rules.check_db_cluster_identifier, ("orders-2",), {}),
    (rules.check_db_proxy_name, ("orders",), {}),
    (rules.check_cidr, ("0.0.0.0/0",), {}),
    (rules.check_vpc_cidr, ("127.0.0.0/16",), {}),  # a VPC's ranges need not be private
    (rules.check_vpc_cidr, ("198.19.0.0/28",), {}),
    (rules.check_subnet_cidr, ("10.1.0.0/24",), {"vpc_cidrs": ["10.0.0.0/16", "10.1.0.0/16"]}),
    (rules.check_target_address, ("100.64.0.1",), {}),
    (rules.check_target_address, ("52.1.2.3",), {"vpc_cidrs": ["52.1.0.0/16"]}),
    (rules.check_allowed_range, ("172.16.0.0/12",), {}),
    (rules.check_nameserver, ("10.0.0.2:65535",), {}),
    (rules.check_host_name, ("a" * 63 + ".example.com",), {}),
    (rules.check_availability_zone, ("us-east-1a",), {}),
    (rules.check_availability_zone, ("usgw1-az1",), {}),
    (rules.check_zone_in_region, ("euc1-az1",), {"region": "us-east-1"}),
    (rules.check_arn_location, ("arn:aws:rds:eu-central-1:111122223333:db:orders",), {"what": "DB instance ARN"}),
    (rules.check_dbt_environment, ("JP",), {}),
    (rules.check_dbt_account_url, ("https://emea.dbt.com/accounts/12",), {}),
    (rules.check_dbt_source_range, ("10.0.0.0/8",), {}),
    (rules.check_tag_key, ("k" * 128,), {}),
    (rules.check_tag_value, ("Größe + - = . _ : / @ 1",), {}),
    (rules.check_ip_address, ("192.168.10.20",), {}),
    (rules.check_ip_addresses, (("10.0.0.1", "10.0.0.2"),), {}),
    (rules.check_ec2_instance_id, ("i-0123456789abcdef0",), {}),
    (rules.check_ec2_instance_id, ("i-01234567",), {}),
    (rules.check_ec2_instance_ids, (("i-01234567", "i-12345678"),), {}),
    (rules.check_health_check_interval, (5,), {}),
    (rules.check_health_check_interval, (300,), {}),
    (rules.check_threshold, (2,), {}),
    (rules.check_threshold, (10,), {}),
]

REFUSED: list[tuple[Callable[..., object], tuple[Any, ...], dict[str, Any], list[str]]] = [
    *(
        (rules.check_ip_address, (value,), {}, [f"target address must be an IPv4 address, got {value!r}: {advice}"])
        for value, advice in (
            ("db.example.com", "write it as in 192.168.10.20"),
            ("10.0.0.300", "write it as in 192.168.10.20"),
            (5, "write it as in 192.168.10.20"),
            ("10.0.0.0/24", "give single addresses, not a range"),
            ("fd00::1", "IPv6 is not supported"),
            ("fd00::/8", "IPv6 is not supported"),
            ("10.0.0.1:5432", "give the port as the port, not with the address"),
        )
    ),
    (rules.check_ip_addresses, ((),), {}, ["no target address is given: give at least one"]),
    (
        rules.check_ip_addresses,
        (("10.0.0.1", "10.0.0.2", "10.0.0.1"),),
        {},
        ["target address 10.0.0.1 is given twice: remove one, or correct it"],
    ),
    *(
        (
            rules.check_ec2_instance_id,
            (value,),
            {},
            [f"EC2 instance id must look like i-0123456789abcdef0, got {value!r}"],
        )
        for value in ("i-0123456789abcdef", "I-01234567", "db-01234567", 7)
    ),
    (rules.check_ec2_instance_ids, ((),), {}, ["no EC2 instance is given: give at least one"]),
    (
        rules.check_ec2_instance_ids,
        (("i-01234567", "i-01234567"),),
        {},
        ["EC2 instance i-01234567 is given twice: remove one, or correct it"],
    ),
    *(
        (
            rules.check_health_check_interval,
            (value,),
            {},
            [f"health check interval must be a whole number of seconds from 5 to 300, got {value}"],
        )
        for value in (4, 301, 7.5)
    ),
    *(
        (
            rules.check_threshold,
            (value,),
            {"what": "healthy threshold"},
            [f"healthy threshold must be a whole number from 2 to 10, got {value}"],
        )
        for value in (1, 11, 2.5, True)
    ),
    (rules.check_port, (0,), {}, ["port must be an integer from 1 to 65535, got 0"]),
    (rules.check_port, (True,), {}, ["port must be an integer from 1 to 65535, got True"]),
    (rules.check_port, ("5432",), {}, ["port must be an integer from 1 to 65535, got '5432'"]),
    (
        rules.check_poll_interval,
        (2.5,),
        {},
        ["poll interval must be a whole number of seconds from 1 to 60, got 2.5"],
    ),
    *(
        (
            rules.check_healthy_timeout,
            (value,),
            {},
            [f"healthy timeout must be a whole number of seconds from 10 to 300, got {value}"],
        )
        for value in (9, 301, 10.5)
    ),
    (
        rules.check_listener_count,
        (51,),
        {},
        ["a service must have 1 to 50 listeners, got 51: put some of them into another service"],
    ),
    (
        rules.check_listener_name,
        ("main",),
        {"existing": ["main"]},
        ["listener 'main' exists already: choose another name"],
    ),
    (
        rules.check_service_name,
        ("My-DB",),
        {"existing": ["mydb"]},
        [
            (
                "service 'My-DB' differs from service 'mydb' in hyphens or upper and lower case only, and "
                "CloudFormation "
                "could take one for the other: choose another name"
            )
        ],
    ),
    (
        rules.check_consumer_name,
        ("a" * 64,),
        {},
        [
            "consumer name must begin with a letter and have at most 63 letters, digits and hyphens, got "
            "'" + "a" * 64 + "'"
        ],
    ),
    (
        rules.check_listener_ports,
        ({"main": 5432, "b": 5433, "c": 5432, "d": 5433},),
        {},
        [
            (
                "listeners 'main' and 'c' both use port 5432: a load balancer has one listener on a port, give 'c' "
                "another one"
            ),
            (
                "listeners 'b' and 'd' both use port 5433: a load balancer has one listener on a port, give 'd' "
                "another one"
            ),
        ],
    ),
    (rules.check_listener_ports, ({"main": 0},), {}, ["listener port must be an integer from 1 to 65535, got 0"]),
    (rules.check_account_id, (111122223333,), {}, ["account id must be text of 12 digits, got 111122223333"]),
    (rules.check_account_id, ("١١١١٢٢٢٢٣٣٣٣",), {}, ["account id must be text of 12 digits, got '١١١١٢٢٢٢٣٣٣٣'"]),
    (rules.check_region, ("eu-west-2b",), {}, ["'eu-west-2b' is a zone: its Region is 'eu-west-2'"]),
    (
        rules.check_subnet_ids,
        (["subnet-01234567", "subnet-01234567"],),
        {},
        ["subnet subnet-01234567 is given twice: remove one, or correct its id"],
    ),
    (
        rules.check_principal,
        ("arn:aws:iam::222222222222:user/team/dbt",),
        {},
        [
            (
                "'arn:aws:iam::222222222222:user/team/dbt' is not a principal of an endpoint service: endpoint "
                "services do "
                "not support a path before the user's name; use one without a path, or the account's root"
            )
        ],
    ),
    (
        rules.check_db_instance_identifier,
        ("a" * 64,),
        {},
        ["DB instance identifier must have at most 63 characters, got 64"],
    ),
    (
        rules.check_db_cluster_identifier,
        ("a--b",),
        {},
        [
            (
                "DB cluster identifier must be letters, digits and single hyphens, beginning with a letter and "
                "not ending "
                "in a hyphen, got 'a--b'"
            )
        ],
    ),
    (
        rules.check_rds_instance_endpoint,
        ("pool.proxy-abc.eu-west-1.rds.amazonaws.com",),
        {"identifier": "orders", "region": "eu-central-1"},
        [
            (
                "endpoint pool.proxy-abc.eu-west-1.rds.amazonaws.com is that of an RDS Proxy: give the endpoint of DB "
                "instance 'orders'"
            ),
            (
                "endpoint pool.proxy-abc.eu-west-1.rds.amazonaws.com is in Region eu-west-1, but the endpoint "
                "service is in "
                "eu-central-1: events and security groups do not cross Regions, so put the service where the "
                "database is"
            ),
        ],
    ),
    (
        rules.check_arn_location,
        ("arn:aws:rds:us-east-1:222222222222:db:orders",),
        {"what": "DB instance ARN", "region": "eu-central-1", "account": "111122223333"},
        [
            (
                "DB instance ARN 'arn:aws:rds:us-east-1:222222222222:db:orders' is in Region us-east-1, but "
                "the endpoint "
                "service is in eu-central-1: they must not differ"
            ),
            (
                "DB instance ARN 'arn:aws:rds:us-east-1:222222222222:db:orders' is in account 222222222222, "
                "but the endpoint "
                "service is in 111122223333: they must not differ"
            ),
        ],
    ),
    (
        rules.check_arn_location,
        ("orders",),
        {"what": "DB instance ARN"},
        ["DB instance ARN must look like arn:aws:<service>:<region>:<account id>:<resource>, got 'orders'"],
    ),
    (
        rules.check_cidr,
        ("10.0.0.0/255.0.0.0",),
        {},
        ["CIDR must be an IPv4 range, got '10.0.0.0/255.0.0.0': write it as in 10.0.0.0/16"],
    ),
    (
        rules.check_cidr,
        ("10.0.0.0/33",),
        {},
        ["CIDR must be an IPv4 range, got '10.0.0.0/33': the number after the slash is from 0 to 32"],
    ),
    (rules.check_cidr, ("fd00::1",), {}, ["CIDR must be an IPv4 range, got 'fd00::1': IPv6 is not supported"]),
    (
        rules.check_vpc_cidrs,
        ([],),
        {},
        ["the VPC's CIDRs are missing: an address outside of them is registered in another way, so give all of them"],
    ),
    (
        rules.check_vpc_cidrs,
        (["10.0.0.0/8", "x"],),
        {},
        [
            "VPC CIDR must have a netmask from /16 to /28, got '10.0.0.0/8'",
            "VPC CIDR must be an IPv4 range, got 'x': write it as in 10.0.0.0/16",
        ],
    ),
    (
        rules.check_target_address,
        ("52.1.2.3",),
        {"vpc_cidrs": ["10.0.0.0/16"]},
        [
            (
                "target address 52.1.2.3 is public: a Network Load Balancer reaches addresses in 10.0.0.0/8, "
                "172.16.0.0/12, "
                "192.168.0.0/16, 100.64.0.0/10 or in the VPC's own ranges; give the database's private address "
                "and switch "
                "off its public accessibility"
            )
        ],
    ),
    (rules.check_target_address, ("db",), {}, ["target address must be an IPv4 address, got 'db'"]),
    (
        rules.check_nameservers,
        ("10.0.0.2",),
        {},
        ["a list is needed, got the text '10.0.0.2': put it into brackets"],
    ),
    (
        rules.check_nameservers,
        (["dns", "10.0.0.2:0"],),
        {},
        [
            "name server must be an IPv4 address, or address:port as in 10.0.0.2:53, got 'dns'",
            "name server must be an IPv4 address, or address:port as in 10.0.0.2:53, got '10.0.0.2:0'",
        ],
    ),
    (
        rules.check_load_balancer_zones,
        (["euc1-az1"],),
        {},
        [
            (
                "the load balancer needs subnets in at least 2 zones, got euc1-az1: add one in every zone the "
                "database can "
                "fail over to"
            )
        ],
    ),
    (
        rules.check_load_balancer_zones,
        ([],),
        {},
        [
            (
                "the load balancer needs subnets in at least 2 zones, got none: add one in every zone the "
                "database can fail "
                "over to"
            )
        ],
    ),
    (
        rules.check_load_balancer_zones,
        (["euc1-az1", "euc1-az1"],),
        {},
        ["zone euc1-az1 is given twice: a load balancer has one subnet in a zone"],
    ),
    (
        rules.check_zones,
        (["eu-central-1a", "euc1-az2"],),
        {},
        [
            (
                "the database's zones mix zone names (eu-central-1a) and zone ids (euc1-az2): names differ "
                "between accounts, "
                "so use one or the other throughout"
            )
        ],
    ),
    (
        rules.check_database_zones,
        (["euc1-az1", "euc1-az3"], ["euc1-az1", "euc1-az2"]),
        {},
        [
            (
                "the database can fail over to euc1-az3, but the load balancer has subnets in euc1-az1, "
                "euc1-az2 only: a "
                "target in another zone gets no connections, so add a subnet there"
            )
        ],
    ),
    (
        rules.check_zone_in_region,
        ("eu-west-1a",),
        {"region": "eu-central-1"},
        ["zone eu-west-1a is in Region eu-west-1, not in eu-central-1"],
    ),
    (
        rules.check_acceptance,
        (["arn:aws:iam::222222222222:root", "*"],),
        {"acceptance_required": False},
        [
            (
                "principal '*' lets every AWS account connect, and acceptance is not required: name the principals, or "
                "require acceptance"
            )
        ],
    ),
    (
        rules.check_consumers,
        ({"dbt": ["10.0.0.0/8"], "a": [], "b": ()},),
        {},
        [
            (
                "source ranges are given for consumer 'dbt' but not for 'a' and 'b': the load balancer checks "
                "the source of "
                "every consumer or of none, so give ranges for all of them or for none"
            )
        ],
    ),
    (
        rules.check_source_ranges,
        (["10.0.0.0"],),
        {},
        ["source range must be an IPv4 range, got '10.0.0.0': for this one address write 10.0.0.0/32"],
    ),
    (
        rules.check_tags,
        ({"pg-privatelink:x": "1", "ok": "", "ä;": "1"},),
        {},
        [
            "tag key 'pg-privatelink:x' begins with pg-privatelink:, which is reserved: rename it",
            "tag value must be text of 1 to 256 characters, got ''",
            "tag key must consist of letters, digits, spaces and + - = . _ : / @, got 'ä;'",
        ],
    ),
    (rules.check_tag_key, ("AWS:x",), {}, ["tag key 'AWS:x' begins with aws:, which is reserved: rename it"]),
    (rules.check_tag_count, (44,), {}, ["44 tags are too many: at most 43 fit, remove some"]),
]


@pytest.mark.parametrize(("rule", "values", "named"), ACCEPTED)
def test_a_rule_returns_what_it_accepts(
    rule: Callable[..., object], values: tuple[Any, ...], named: dict[str, Any]
) -> None:
    """A good value passes unchanged."""
    assert rule(*values, **named) == values[0]


@pytest.mark.parametrize(("rule", "values", "named", "problems"), REFUSED)
def test_a_rule_says_what_is_wrong_what_was_given_and_what_to_change(
    rule: Callable[..., object], values: tuple[Any, ...], named: dict[str, Any], problems: list[str]
) -> None:
    """A bad value is refused with exactly these messages, all at once, without a full stop at the end."""
    with pytest.raises(PostgresEndpointServiceError) as caught:
        rule(*values, **named)
    assert list(caught.value.problems) == problems
    assert str(caught.value) == "\n".join(problems)
    assert not any(problem.endswith(".") for problem in problems)


def test_names_are_returned_as_aws_stores_them() -> None:
    """RDS keeps identifiers in lower case, and DNS knows no case and no final dot."""
    assert rules.check_db_instance_identifier("Orders") == "orders"
    assert rules.check_host_name("Orders.Example.COM.") == "orders.example.com"


def test_a_list_fits_a_tag_up_to_its_last_character() -> None:
    """256 characters with the spaces between are accepted, one more is not."""
    values = ["a" * 127, "b" * 128]
    assert rules.check_tag_list(values, "name servers") == " ".join(values)
    with pytest.raises(PostgresEndpointServiceError, match=r"^2 name servers take 257 characters: "):
        rules.check_tag_list(["a" * 128, "b" * 128], "name servers")


@pytest.mark.parametrize("error", [PostgresEndpointServiceError("one"), PostgresEndpointServiceError(["one", "two"])])
def test_an_error_survives_a_copy(error: PostgresEndpointServiceError) -> None:
    """Test runners that work in several processes send errors from one to another."""
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301  (our own bytes)
        assert type(again) is PostgresEndpointServiceError
        assert again.problems == error.problems


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_a_range_with_host_bits_is_answered_with_the_right_one(address: int, prefix: int) -> None:
    """A range is accepted exactly if its address is the network's; otherwise the advice is accepted."""
    text = f"{ipaddress.IPv4Address(address)}/{prefix}"
    right = str(ipaddress.IPv4Network(text, strict=False))
    if text == right:
        assert rules.check_cidr(text) == text
    else:
        with pytest.raises(PostgresEndpointServiceError, match="did you mean") as caught:
            rules.check_cidr(text)
        assert rules.check_cidr(str(caught.value).split("did you mean ")[1]) == right


@given(st.integers(0, 2**32 - 1))
def test_only_addresses_that_the_load_balancer_reaches_are_targets(address: int) -> None:
    """Outside the VPC a target is in private or shared address space: AWS refuses all others."""
    given_address = ipaddress.IPv4Address(address)
    reachable = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
    if any(given_address in ipaddress.IPv4Network(cidr) for cidr in reachable):
        assert rules.check_target_address(str(given_address)) == str(given_address)
    else:
        with pytest.raises(PostgresEndpointServiceError, match="public accessibility"):
            rules.check_target_address(str(given_address))


@given(st.text(max_size=300) | st.from_regex(r"[a-zA-Z0-9.:/-]{0,20}", fullmatch=True) | st.none() | st.integers())
def test_every_rule_for_one_text_answers_or_refuses(value: Any) -> None:  # noqa: ANN401  (anything, on purpose)
    """A rule meets whatever users write: it returns an accepted text, accepted again, or raises its own error."""
    for rule in (
        rules.check_account_id,
        rules.check_availability_zone,
        rules.check_cidr,
        rules.check_db_instance_identifier,
        rules.check_dbt_account_url,
        rules.check_dbt_environment,
        rules.check_dbt_source_range,
        rules.check_ec2_instance_id,
        rules.check_host_name,
        rules.check_ip_address,
        rules.check_listener_name,
        rules.check_nameserver,
        rules.check_principal,
        rules.check_region,
        rules.check_tag_key,
        rules.check_tag_value,
        rules.check_target_address,
        rules.check_vpc_cidr,
        rules.check_vpc_id,
    ):
        try:
            accepted = rule(value)
        except PostgresEndpointServiceError:
            continue
        assert rule(accepted) == accepted


def test_tokens_pass_every_rule() -> None:
    """What only CloudFormation knows cannot be checked, and must not be refused."""
    from aws_cdk import Fn, Token  # noqa: PLC0415  (only this test needs the CDK's runtime)

    text = Fn.import_value("Text")
    number = Token.as_number(Fn.import_value("Number"))
    texts = Token.as_list(Fn.import_value("Texts"))
    assert rules.check_port(number) == number  # type: ignore[arg-type]  # a token's number is a float
    assert rules.check_host_name(text) == text
    assert rules.check_ip_address(text) == text
    assert rules.check_ip_addresses([text, text]) == (text, text)
    assert rules.check_ip_addresses(texts) == tuple(texts)
    assert rules.check_ec2_instance_ids([text, text]) == (text, text)
    assert rules.check_db_cluster_identifier(text) == text
    assert rules.check_db_proxy_name(text) == text
    assert rules.check_health_check_interval(number) == number  # type: ignore[arg-type]
    assert rules.check_threshold(number) == number  # type: ignore[arg-type]
    assert rules.check_private_ipv4_addresses({"a": text}, subnets={"subnet-01234567": ("a", text)}) == (text,)
    assert rules.check_principal(text) == text
    assert rules.check_vpc_cidrs([text, "10.0.0.0/16"]) == (text, "10.0.0.0/16")
    assert rules.check_allowed_ranges(texts) == tuple(texts)
    assert rules.check_load_balancer_zones([text, text]) == (text, text)
    assert rules.check_database_zones(["euc1-az1"], [text, text]) == ("euc1-az1",)
    assert rules.check_subnet_cidr("10.0.0.0/24", vpc_cidrs=["10.0.0.0/16", text]) == "10.0.0.0/24"
    assert rules.check_target_address("52.1.2.3", vpc_cidrs=[text]) == "52.1.2.3"
    assert rules.check_listener_ports({"a": number, "b": number}) == {"a": number, "b": number}  # type: ignore[dict-item]
    assert rules.check_tag_list([text, "x" * 256], "ranges") == f"{text} {'x' * 256}"
    assert rules.check_arn_location(
        "arn:aws:rds:us-east-1:222222222222:db:x", what="DB instance ARN", region=text, account=text
    )
    assert rules.check_rds_instance_endpoint("a.abc.us-east-1.rds.amazonaws.com", identifier=text, region=text)
    with pytest.raises(PostgresEndpointServiceError, match="zone must be a zone name"):
        rules.check_zones([text, "nowhere"])


def test_the_rules_do_not_start_the_cdk() -> None:
    """Reading a configuration must not cost the start of aws_cdk's runtime."""
    code = "import sys, constructs_pg._validation as v; v.check_port(1); sys.exit('aws_cdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0

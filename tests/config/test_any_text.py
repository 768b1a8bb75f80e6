"""Whatever a file holds, loading it ends in a configuration or in an error for the user."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pg_privatelink.config import Configuration, ConfigurationError, load

if TYPE_CHECKING:
    from pathlib import Path

# Each example writes the same file anew.
_SHARED_DIRECTORY = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

# What means something to YAML, to JSON or to one of the rules, put together at random.
_PIECES = st.sampled_from(
    [
        *(
            "\n",
            "  ",
            "\t",
            ":",
            ": ",
            "- ",
            "#",
            "'",
            '"',
            "[",
            "]",
            "{",
            "}",
            ",",
            "&a ",
            "*a",
            "<<: ",
            "!x ",
            "!!int ",
        ),
        *("|", ">", "%YAML 1.1", "---", "...", "~", "null", "true", "0x", "1e999", ".nan", "-1", "\\", "\\x"),
        *(
            "\\UFFFFFFFF",
            "\x00",
            "\ud7ff",
            "\ufeff",
            "region",
            "services",
            "vpc",
            "lookup",
            "listeners",
            "rds_instance",
            "rds_cluster",
            "ip_addresses",
            "auto_scaling_group",
            "private_ipv4_address",
            "health_check",
            "function",
            "accept_from",
            "notifications",
            "supported_regions",
            "clickpipes",
            "databricks_serverless",
            "materialize",
            "encryption_key",
        ),
        *("principals", "port", "tags", "eu-central-1", "10.0.0.0/16", "arn:aws:iam::222222222222:root", "*", "[key]"),
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _PIECES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_PIECES | st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
_KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_EVERY_CONSUMER = """\
- dbt_platform: {environment: JP, source_ranges: [10.20.0.0/16]}
- dbt_single_tenant: {account: "333333333333", source_ranges: [10.20.0.0/16]}
- dbt_self_hosted: {account: "333333333333", dns_record: a.example.com, source_ranges: [10.20.0.0/16]}
- clickpipes: {regions: [us-east-1], source_ranges: [10.20.0.0/16]}
- databricks_serverless: {region: eu-central-1, source_ranges: [10.20.0.0/16]}
- materialize: {principals: ["arn:aws:iam::664411391173:role/mz_1"], source_ranges: [10.20.0.0/16]}
- {principals: ["arn:aws:iam::222222222222:root"], source_ranges: [10.20.0.0/16], requires_acceptance: true}
"""
_CONNECTIONS = """\
accept_from: ["222222222222", "333333333333"]
reject_others: true
notifications: {enabled: true, topic: "arn:aws:sns:eu-central-1:111122223333:a", emails: [a@example.com]}
supported_regions: [us-east-1, eu-west-2]
payer_responsibility: ServiceOwner
payer_responsibility_is_irreversible: true
"""
_EVERY_KIND = """\
instance: {port: 1, rds_instance: {identifier: a, endpoint: a.abc.eu-central-1.rds.amazonaws.com, zones: [euc1-az1]}}
cluster: {port: 2, rds_cluster: {identifier: a, role: writer, endpoint: a.cluster-abc.eu-central-1.rds.amazonaws.com}}
proxy:
  port: 3
  rds_proxy: {name: a, endpoint: a.proxy-abc.eu-central-1.rds.amazonaws.com, security_groups: [sg-01234567]}
name: {port: 4, hostname: {name: a.example.com, nameservers: [10.0.0.2], allowed_ranges: [192.168.0.0/16]}}
addresses: {port: 5, ip_addresses: {addresses: [192.168.0.5, 10.0.0.5], security_groups: [sg-01234567]}}
servers: {port: 6, ec2_instances: {ids: [i-01234567, i-01234568]}, health_check: {interval: 30, healthy_threshold: 3}}
"""


def _load(path: Path, content: bytes) -> Configuration | None:
    path.write_bytes(content)
    problems: tuple[str, ...] = ()
    try:
        return load(path)
    except ConfigurationError as error:
        problems = error.problems
        str(error).encode()  # it can be printed
    assert problems
    assert all(problem.startswith(f"{path}:") and "\n" not in problem for problem in problems)
    return None


@given(content=st.binary() | st.text().map(str.encode) | st.lists(_PIECES).map(lambda pieces: "".join(pieces).encode()))
@settings(suppress_health_check=_SHARED_DIRECTORY)
def test_any_text_ends_in_an_error_for_the_user(tmp_path: Path, content: bytes) -> None:
    """Bytes, text and heaps of YAML's own signs never cause anything else."""
    assert _load(tmp_path / "privatelink.yaml", content) is None


@given(data=st.data())
@settings(suppress_health_check=_SHARED_DIRECTORY)
def test_a_damaged_configuration_ends_in_an_error_for_the_user(tmp_path: Path, valid: str, data: st.DataObject) -> None:
    """A good file in which a few stretches were replaced by others is good or refused, nothing else."""
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(valid)))
        length = data.draw(st.integers(0, 12))
        piece = data.draw(_PIECES | st.sampled_from(valid.splitlines(keepends=True)))
        valid = valid[:start] + piece + valid[start + length :]
    _load(tmp_path / "privatelink.yaml", valid.encode())


@given(data=st.data())
@settings(suppress_health_check=_SHARED_DIRECTORY)
def test_any_value_in_any_field_ends_in_an_error_for_the_user(tmp_path: Path, valid: str, data: st.DataObject) -> None:
    """Each field can hold each type of value without a crash, in single rules and in comparisons with other fields."""
    content = yaml.safe_load(valid)
    content["services"]["orders"]["listeners"] = yaml.safe_load(_EVERY_KIND)
    content["services"]["orders"]["consumers"] = yaml.safe_load(_EVERY_CONSUMER)
    content["services"]["orders"] |= yaml.safe_load(_CONNECTIONS)
    content["services"]["orders"]["vpc"]["subnets"][0]["private_ipv4_address"] = "10.0.0.10"
    content["services"]["orders"]["vpc"]["subnets"][1]["private_ipv4_address"] = "10.0.1.10"
    content["services"]["orders"] |= {"observe_only": True, "deletion_protection": True, "removal_policy": "retain"}
    content["services"]["orders"]["alarms"] = {"tier": "full", "topics": ["arn:aws:sns:eu-central-1:111122223333:a"]}
    content["services"]["orders"]["flow_logs"] = {"traffic": "all", "bucket": "arn:aws:s3:::abc", "key_prefix": "a"}
    content["services"]["orders"]["connectivity_check"] = {
        "vpc": "vpc-01234567",
        "subnets": [{"id": "subnet-0123456789abcdef8", "zone": "euc1-az1"}],
        "ports": [5432],
        "interval": 10,
        "tls_required": True,
    }
    content["services"]["orders"]["function"] = {
        "subnets": [
            {"id": f"subnet-0123456789abcdef{zone}", "zone": f"euc1-az{zone}", "cidr": f"10.0.{zone}.0/24"}
            for zone in (2, 3)
        ],
        "security_groups": ["sg-01234567", "sg-01234568"],
        "permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess",
        "role": "arn:aws:iam::111122223333:role/a/b",
        "connection_role": "arn:aws:iam::111122223333:role/a/c",
    }
    content["services"]["orders"] |= {"encryption_key": _KEY, "log_retention": 7}
    parent: Any = content
    while True:
        key = data.draw(st.sampled_from(sorted(parent) if isinstance(parent, dict) else range(len(parent))))
        if not (isinstance(parent[key], dict | list) and parent[key] and data.draw(st.booleans())):
            break
        parent = parent[key]
    parent[key] = data.draw(_VALUES)
    _load(tmp_path / "privatelink.yaml", json.dumps(content, ensure_ascii=False).encode(errors="replace"))


_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_ZONES = ["euc1-az1", "euc1-az2"]
_GROUPS = st.lists(st.from_regex("sg-[0-9a-f]{17}", fullmatch=True), min_size=1, max_size=2)
_ON_A_PORT: dict[str, st.SearchStrategy[Any]] = {"port": st.integers(1, 65535), "security_groups": _GROUPS}
_FOLLOWED: dict[str, st.SearchStrategy[Any]] = {
    **_ON_A_PORT,
    "zones": st.lists(st.sampled_from(_ZONES), min_size=1, max_size=2),
    "nameservers": st.just(["10.0.0.2", "10.0.0.3:5353"]),
    "allowed_ranges": st.just(["192.168.0.0/16"]),
}
_HOST_NAMES = _NAMES.map("{}.example.com".format)
_DATABASES = {
    "rds_instance": st.fixed_dictionaries({"identifier": _NAMES, "endpoint": _HOST_NAMES}, optional=_FOLLOWED),
    "rds_cluster": st.fixed_dictionaries(
        {"identifier": _NAMES, "endpoint": _HOST_NAMES},
        optional={"role": st.sampled_from(["writer", "reader"]), **_FOLLOWED},
    ),
    "rds_proxy": st.fixed_dictionaries(
        {"name": _NAMES, "endpoint": _HOST_NAMES, "security_groups": _GROUPS},
        optional={name: values for name, values in _FOLLOWED.items() if name != "security_groups"},
    ),
    "hostname": st.fixed_dictionaries({"name": _HOST_NAMES}, optional=_FOLLOWED),
    "ip_addresses": st.fixed_dictionaries(
        {"addresses": st.lists(st.integers(0, 255).map("192.168.1.{}".format), min_size=1, max_size=3, unique=True)},
        optional=_ON_A_PORT,
    ),
    "ec2_instances": st.fixed_dictionaries(
        {"ids": st.lists(st.from_regex("i-[0-9a-f]{17}", fullmatch=True), min_size=1, max_size=3, unique=True)},
        optional=_ON_A_PORT,
    ),
}
_HEALTH_CHECKS = st.fixed_dictionaries(
    {},
    optional={
        "interval": st.integers(5, 300),
        "healthy_threshold": st.integers(2, 10),
        "unhealthy_threshold": st.integers(2, 10),
    },
)


def _vpc(index: int, *, is_fixed: bool) -> dict[str, Any]:
    """Return a VPC of its own, since two services cannot make the same rule in a security group."""
    subnets = [
        {"id": f"subnet-0123456789abcdef{zone}", "zone": f"euc1-az{zone}", "cidr": f"10.{zone}.{index}.0/24"}
        for zone in (1, 2)
    ]
    if is_fixed:
        for zone, subnet in enumerate(subnets, start=1):
            subnet["private_ipv4_address"] = f"10.{zone}.{index}.10"
    return {"id": "vpc-0123456789abcdef0", "cidrs": ["10.1.0.0/16", "10.2.0.0/16"], "subnets": subnets}


@st.composite
def _listeners(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(_NAMES, min_size=1, max_size=5, unique=True))
    ports = draw(st.lists(st.integers(1, 65535), min_size=len(names), max_size=len(names), unique=True))
    listeners: dict[str, Any] = {}
    for name, port in zip(names, ports, strict=True):
        kind = draw(st.sampled_from(sorted(_DATABASES)))
        listeners[name] = {"port": port, kind: draw(_DATABASES[kind])}
        if draw(st.booleans()):
            listeners[name]["health_check"] = draw(_HEALTH_CHECKS)
    return listeners


_FUNCTION_SUBNETS = [
    {"id": f"subnet-0123456789abcde{zone}0", "zone": f"euc1-az{zone}", "cidr": f"10.{zone}.200.0/24"} for zone in (1, 2)
]
_FUNCTIONS = st.fixed_dictionaries(
    {"subnets": st.just(_FUNCTION_SUBNETS)}, optional={"security_groups": st.just(["sg-01234567", "sg-01234568"])}
) | st.fixed_dictionaries(
    {},
    optional={"permissions_boundary": st.just("arn:aws:iam::aws:policy/a/b")},
)

_SERVICES = st.fixed_dictionaries(
    {"vpc": st.booleans(), "listeners": _listeners()},
    optional={
        "consumers": st.just([{"dbt_platform": {"environment": "JP"}}, {"principals": ["*"], "name": "Everyone"}]),
        "poll_interval": st.integers(1, 60),
        "wait_for_healthy": st.booleans(),
        "deletion_protection": st.booleans(),
        "alarms": st.fixed_dictionaries({}, optional={"tier": st.sampled_from(["none", "basic", "full"])}),
        "dashboard": st.booleans(),
        "flow_logs": st.fixed_dictionaries({}, optional={"traffic": st.sampled_from(["reject", "accept", "all"])}),
        "function": _FUNCTIONS,
        "notifications": st.fixed_dictionaries({}, optional={"enabled": st.booleans()}),
        "supported_regions": st.just(["us-east-1", "eu-west-2"]),
        "encryption_key": st.just(_KEY),
        "log_retention": st.sampled_from([1, 30, 3653]),
        "removal_policy": st.sampled_from(["delete", "retain"]),
        "tags": st.dictionaries(_NAMES, st.text("abc XYZ-0:/", min_size=1, max_size=12), max_size=3),
    },
)


def _in_vpcs(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {**service, "vpc": _vpc(index, is_fixed=service["vpc"])}
        for index, (name, service) in enumerate(services.items())
    }


_CONFIGURATIONS = st.fixed_dictionaries(
    {
        "region": st.just("eu-central-1"),
        "services": st.dictionaries(_NAMES, _SERVICES, min_size=1, max_size=3).map(_in_vpcs),
    },
    optional={"account": st.from_regex("[0-9]{12}", fullmatch=True), "termination_protection": st.booleans()},
)


@given(content=_CONFIGURATIONS, flow=st.booleans())
@settings(suppress_health_check=_SHARED_DIRECTORY, max_examples=50)
def test_what_is_written_is_what_is_loaded(tmp_path: Path, content: dict[str, Any], flow: bool) -> None:
    """Every good configuration, in block style or as JSON, arrives with its values; so does what was loaded, again."""
    path = tmp_path / "privatelink.yaml"
    # Quoted throughout, since PyYAML writes YAML 1.1 and leaves the quotes off where only 1.2 needs them.
    text = json.dumps(content) if flow else yaml.safe_dump(content, default_style='"')
    loaded = _load(path, text.encode())
    assert loaded is not None
    assert json.loads(json.dumps(loaded.model_dump(exclude_unset=True))) == content
    again = _load(path, loaded.model_dump_json(exclude_unset=True).encode())
    assert again is not None
    assert again.model_dump() == loaded.model_dump()

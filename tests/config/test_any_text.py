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
        ),
        *("principals", "port", "tags", "eu-central-1", "10.0.0.0/16", "arn:aws:iam::222222222222:root", "*", "[key]"),
    ]
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | _PIECES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_PIECES | st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


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
    parent: Any = content
    while True:
        key = data.draw(st.sampled_from(sorted(parent) if isinstance(parent, dict) else range(len(parent))))
        if not (isinstance(parent[key], dict | list) and parent[key] and data.draw(st.booleans())):
            break
        parent = parent[key]
    parent[key] = data.draw(_VALUES)
    _load(tmp_path / "privatelink.yaml", json.dumps(content, ensure_ascii=False).encode(errors="replace"))


_NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_DATABASES = st.fixed_dictionaries(
    {"identifier": _NAMES, "endpoint": _NAMES.map("{}.example.com".format)},
    optional={
        "port": st.integers(1, 65535),
        "security_groups": st.lists(st.from_regex("sg-[0-9a-f]{17}", fullmatch=True), min_size=1, max_size=2),
        "zones": st.lists(st.sampled_from(["euc1-az1", "euc1-az2"]), min_size=1, max_size=2),
        "nameservers": st.just(["10.0.0.2", "10.0.0.3:5353"]),
        "allowed_ranges": st.just(["192.168.0.0/16"]),
    },
)
_VPC = {
    "id": "vpc-0123456789abcdef0",
    "cidrs": ["10.0.0.0/16", "10.1.0.0/16"],
    "subnets": [
        {"id": "subnet-0123456789abcdef0", "zone": "euc1-az1", "cidr": "10.0.0.0/24"},
        {"id": "subnet-0123456789abcdef1", "zone": "euc1-az2", "cidr": "10.1.1.0/24"},
    ],
}


@st.composite
def _listeners(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(_NAMES, min_size=1, max_size=5, unique=True))
    ports = draw(st.lists(st.integers(1, 65535), min_size=len(names), max_size=len(names), unique=True))
    return {name: {"port": port, "rds_instance": draw(_DATABASES)} for name, port in zip(names, ports, strict=True)}


_SERVICES = st.fixed_dictionaries(
    {"vpc": st.just(_VPC), "listeners": _listeners()},
    optional={
        "consumers": st.just([{"dbt_platform": {"environment": "JP"}}, {"principals": ["*"], "name": "Everyone"}]),
        "poll_interval": st.integers(1, 60),
        "wait_for_healthy": st.booleans(),
        "tags": st.dictionaries(_NAMES, st.text("abc XYZ-0:/", min_size=1, max_size=12), max_size=3),
    },
)
_CONFIGURATIONS = st.fixed_dictionaries(
    {"region": st.just("eu-central-1"), "services": st.dictionaries(_NAMES, _SERVICES, min_size=1, max_size=3)},
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

"""A configuration in a directory of its own, loaded by the name that messages then show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pg_privatelink.config import Configuration, ConfigurationError, load

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "privatelink.yaml"

VALID = """\
account: "111122223333"
region: eu-central-1
services:
  orders:
    vpc:
      id: vpc-0123456789abcdef0
      cidrs: [10.0.0.0/16]
      subnets:
        - {id: subnet-0123456789abcdef0, zone: euc1-az1, cidr: 10.0.0.0/24}
        - {id: subnet-0123456789abcdef1, zone: euc1-az2, cidr: 10.0.1.0/24}
    consumers:
      - dbt_platform: {environment: EMEA}
      - principals: ["arn:aws:iam::222222222222:root"]
        name: Reporting
    acceptance_required: true
    listeners:
      main:
        port: 5432
        rds_instance:
          identifier: orders
          endpoint: orders.abc123.eu-central-1.rds.amazonaws.com
          zones: [euc1-az1, euc1-az2]
    tags: {team: data}
"""


@pytest.fixture
def valid() -> str:
    """A configuration that uses most fields; tests break it line by line."""
    return VALID


@pytest.fixture
def loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str | bytes], Configuration]:
    """Load a text as privatelink.yaml in the working directory."""
    monkeypatch.chdir(tmp_path)

    def load_text(text: str | bytes) -> Configuration:
        Path(NAME).write_bytes(text if isinstance(text, bytes) else text.encode())
        return load(NAME)

    return load_text


@pytest.fixture
def mistakes(loading: Callable[[str | bytes], Configuration]) -> Callable[[str | bytes], list[str]]:
    """Load a text that must be refused, and return the lines that the user sees, without the file's name."""

    def lines(text: str | bytes) -> list[str]:
        with pytest.raises(ConfigurationError) as caught:
            loading(text)
        assert all(problem.startswith(f"{NAME}:") for problem in caught.value.problems)
        return [problem.removeprefix(f"{NAME}:") for problem in caught.value.problems]

    return lines

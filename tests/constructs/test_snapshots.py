"""The default service as a whole, and the contract of its logical ids."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Template
from syrupy.extensions.json import JSONSnapshotExtension

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk
    from syrupy.assertion import SnapshotAssertion

    from constructs_pg import PostgresEndpointService

    ServiceFactory = Callable[..., PostgresEndpointService]

_CONTRACT = Path(__file__).parent / "logical_ids.json"


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Return snapshots as one readable JSON file each."""
    return snapshot.use_extension(JSONSnapshotExtension)


def normalised(stack: cdk.Stack) -> dict[str, Any]:
    """Return a stack's template without what differs from release to release and says nothing: hashes of code."""
    text = json.dumps(Template.from_stack(stack).to_json())
    template: dict[str, Any] = json.loads(re.sub(r"\b[0-9a-f]{64}\b", "<hash>", text))
    template.pop("Rules", None)
    template["Parameters"].pop("BootstrapVersion", None)
    return template


def test_default_service(stack: cdk.Stack, make_service: ServiceFactory, snapshot: SnapshotAssertion) -> None:
    """What a user gets who gives a VPC, a database and dbt; read line by line whenever it changes."""
    make_service()

    assert normalised(stack) == snapshot


def test_logical_ids_are_a_contract(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Another logical id replaces the resource in every deployed stack."""
    make_service()

    contract = json.loads(_CONTRACT.read_text())
    resources = Template.from_stack(stack).to_json()["Resources"]
    present = {logical_id: each["Type"] for logical_id, each in resources.items()}
    gone = {logical_id: kind for logical_id, kind in contract.items() if present.get(logical_id) != kind}
    assert not gone, (
        f"these logical ids changed: {gone}; in every deployed stack CloudFormation would delete the resource and make "
        "another. For load balancer and endpoint service that means a new service name, and days of waiting for the "
        "consumer. Keep construct ids and hierarchy as they are"
    )
    assert present == contract, (
        f"new resources are allowed, but must join the contract: add {present.keys() - contract.keys()} to {_CONTRACT}"
    )

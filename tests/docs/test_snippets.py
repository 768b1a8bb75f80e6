"""The snippets in the documents for users work: YAML ones in a complete file, Python ones in a stack."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from constructs_pg import Consumer, PostgresEndpointService
from pg_privatelink._targets import KINDS
from pg_privatelink.config import load

ROOT = Path(__file__).parents[2]
TARGETS = (ROOT / "docs" / "targets.md").read_text()

_FILE = """\
region: us-east-1
services:
  orders:
    vpc:
      id: vpc-0a1b2c3d4e5f60718
      cidrs: [10.40.0.0/16]
      subnets:
        - {id: subnet-0a1b2c3d4e5f60001, zone: us-east-1a, cidr: 10.40.0.0/24}
        - {id: subnet-0a1b2c3d4e5f60002, zone: us-east-1b, cidr: 10.40.1.0/24}
    consumers: [{dbt_platform: {}}]
"""


def snippets(language: str) -> list[str]:
    """Return the blocks of a language in the document on targets."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TARGETS, flags=re.MULTILINE | re.DOTALL)


IMPORTS, *PYTHON = snippets("python")
YAML = snippets("yaml")


@pytest.mark.parametrize("snippet", YAML, ids=lambda text: text.split()[2].rstrip(":"))
def test_yaml_loads(tmp_path: Path, snippet: str) -> None:
    """What is copied into a service has no mistakes."""
    path = tmp_path / "privatelink.yaml"
    path.write_text(_FILE + textwrap.indent(snippet, "    "))

    (listener,) = load(path).services["orders"].listeners.values()

    (kind,) = (kind for kind in KINDS if f"    {kind}:" in snippet)
    assert type(listener.target).__name__ == f"{kind.title().replace('_', '')}Configuration"


def test_every_kind_of_the_yaml_file_has_a_snippet() -> None:
    """A kind that is added is documented."""
    assert {kind for kind in KINDS if any(f"    {kind}:" in each for each in YAML)} == set(KINDS)


@pytest.mark.parametrize("snippet", PYTHON, ids=lambda text: text.split()[0])
def test_python_synthesizes(snippet: str) -> None:
    """What is copied into a stack's constructor makes a listener and its target group."""
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, "Stack", env=cdk.Environment(account="111122223333", region="us-east-1"))
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    service = PostgresEndpointService(stack, "Orders", vpc=vpc, consumers=[Consumer.dbt_platform()])
    names: dict[str, Any] = {"self": stack, "vpc": vpc, "service": service}

    exec(IMPORTS + snippet, names)  # noqa: S102 - our own document

    template = app.synth().get_stack_by_name("Stack").template
    kinds = [each["Type"] for each in template["Resources"].values()]
    assert kinds.count("AWS::ElasticLoadBalancingV2::Listener") == len(service.listeners) == 1
    assert kinds.count("AWS::ElasticLoadBalancingV2::TargetGroup") == 1

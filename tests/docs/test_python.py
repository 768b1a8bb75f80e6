"""The Python in the documents makes stacks, with the names that its page gives it."""

from __future__ import annotations

import ast
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns

from constructs_pg import Consumer, PostgresEndpointService, PostgresTarget
from tests.docs.documents import Block, blocks

_EMULATOR_PAGE = "emulator.md"  # its blocks need an emulator: test_emulator_page.py
BLOCKS = [block for block in blocks("python") if block.path.name != _EMULATOR_PAGE]


def is_app(block: Block) -> bool:
    """Whether a block is a whole program, which makes its own app."""
    return "app.synth()" in block.text


def only_imports(block: Block) -> bool:
    """Whether a block says what the ones below it on its page import."""
    return all(isinstance(each, ast.Import | ast.ImportFrom) for each in ast.parse(block.text).body)


def imports(block: Block) -> str:
    """Return the imports that stand in blocks of their own above a block, on its page."""
    above = (each for each in BLOCKS if each.path == block.path and each.line < block.line and only_imports(each))
    return "".join(each.text for each in above)


def given(stack: cdk.Stack, text: str) -> dict[str, Any]:
    """Return what a snippet may take for granted, made in a stack as far as the snippet uses it."""
    names = wanted(text)
    found: dict[str, Any] = {"self": stack}
    if names & {"vpc", "database", "service"}:
        found["vpc"] = ec2.Vpc(stack, "GivenVpc", max_azs=2)
    if "other_vpc" in names:
        found["other_vpc"] = ec2.Vpc(stack, "GivenOtherVpc", max_azs=2)
    if names & {"database", "service"}:
        engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_17)
        found["database"] = rds.DatabaseInstance(stack, "GivenDatabase", vpc=found["vpc"], engine=engine)
    if "aurora" in names:
        found["aurora"] = rds.DatabaseCluster.from_database_cluster_attributes(
            stack,
            "GivenAurora",
            cluster_identifier="aurora",
            reader_endpoint_address="aurora.cluster-ro-abcdefghijkl.us-east-1.rds.amazonaws.com",
            port=5432,
        )
    if "topic" in names:
        found["topic"] = sns.Topic(stack, "GivenTopic")
    if "bucket" in names:
        found["bucket"] = s3.Bucket(stack, "GivenBucket")
    if "service" in names:
        service = PostgresEndpointService(stack, "Given", vpc=found["vpc"], consumers=[Consumer.dbt_platform()])
        found["service"] = service
        if 'service.listener("main")' in text:
            service.add_listener("main", target=PostgresTarget.from_instance(found["database"]))
    return found


def wanted(text: str) -> set[str]:
    """Return the names that a snippet uses and does not make."""
    names = [each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.Name)]
    made = {each.id for each in names if isinstance(each.ctx, ast.Store)}
    return {each.id for each in names if isinstance(each.ctx, ast.Load)} - made


@pytest.mark.parametrize("block", [each for each in BLOCKS if not is_app(each)], ids=str)
def test_a_snippet_makes_a_stack(block: Block) -> None:
    """What is copied into a stack's constructor synthesizes; only the names in `given` are taken for granted."""
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, "Stack", env=cdk.Environment(account="111122223333", region="us-east-1"))
    text = imports(block) + block.text
    names = {"app": app, **given(stack, text)}

    exec(compile(text, str(block), "exec"), names)  # noqa: S102 - our own document

    if "add_plugins" not in text:  # the findings of a pack on an empty stack are not the matter
        app.synth()


@pytest.mark.parametrize("block", [each for each in BLOCKS if is_app(each)], ids=str)
def test_a_program_makes_stacks(block: Block) -> None:
    """A whole app runs as it stands, and one of its stacks has an endpoint service."""
    names: dict[str, Any] = {"__name__": "__main__"}

    exec(compile(block.text, str(block), "exec"), names)  # noqa: S102 - our own document

    templates = [stack.template for stack in names["app"].synth().stacks]
    kinds = {each["Type"] for template in templates for each in template["Resources"].values()}
    assert "AWS::EC2::VPCEndpointService" in kinds


def test_snippets_about_targets_make_one_listener_each() -> None:
    """On docs/targets.md each snippet after the imports is one kind of Postgres behind one listener."""
    snippets = [each for each in BLOCKS if each.path.name == "targets.md" and not only_imports(each)]

    assert [str(each) for each in snippets if len(re.findall(r"service\.add_listener\(", each.text)) != 1] == []
    shown = {name for each in snippets for name in re.findall(r"PostgresTarget\.(from_\w+)", each.text)}
    factories = {name for name in dir(PostgresTarget) if name.startswith("from_")}
    # The one by ids differs from the one by instances in nothing but how they are named; it stands in the text.
    assert factories - shown == {"from_ec2_instance_ids"}

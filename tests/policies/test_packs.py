"""Policy packs, CDK's own validation and cfn-lint find nothing that is not explained."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped]

from tests.policies.report import PACKS, Finding, report
from tests.policies.settings import MENDED, NO_INLINE_POLICY
from tests.policies.table import DOCUMENT, document, used


def _of(pack: str, findings: set[Finding]) -> set[Finding]:
    return {finding for finding in findings if finding.pack == pack}


@pytest.mark.parametrize("pack", PACKS)
def test_default_service_has_the_documented_findings(pack: str) -> None:
    """A pack finds in a default service what a setting mends, and exactly that."""
    documented = set().union(*(each.findings for each in MENDED))

    assert report("default").of(pack) == _of(pack, documented)


@pytest.mark.parametrize("pack", PACKS)
def test_every_option_but_a_given_role(pack: str) -> None:
    """With every option set, the role made here keeps its inline policy."""
    assert report("full").of(pack) == _of(pack, NO_INLINE_POLICY.findings)


def test_strict_service_is_clean() -> None:
    """With what the document tells a strict shop to set, no pack and no validation finds anything."""
    strict = report("strict")

    assert strict.findings == frozenset()
    assert strict.succeeded, strict.output


@pytest.mark.parametrize("pack", PACKS)
def test_each_pack_finds_a_fault(pack: str) -> None:
    """A clean report means something only if a fault is reported."""
    found = {finding for finding in report("strict", "policy").of(pack) if finding.path.startswith("Stack/Wide")}

    assert found


def test_validation_finds_a_fault() -> None:
    """The same of CDK's own validation: it fails the synthesis."""
    faulty = report("strict", "subnet")

    assert not faulty.succeeded
    assert {finding.path for finding in faulty.findings} == {"Stack/Bad"}


def test_acknowledgments_hide_what_they_name() -> None:
    """What the packs find without any acknowledgment is what was acknowledged, and what is left."""
    bare = report("full", bare=True)
    hidden = {each for each in bare.findings if any(known.covers(each) for known in bare.acknowledgments)}

    assert hidden
    assert bare.findings - hidden == report("full").findings


def test_every_acknowledgment_is_needed() -> None:
    """An acknowledgment that hides nothing would hide something one day."""
    assert {*used()} == {*report("full", bare=True).acknowledgments}


@pytest.mark.parametrize("stack", ["default", "full"])
def test_changing_actions_name_their_resources(stack: str) -> None:
    """No role may do on `*` what is more than reading."""
    policies = {
        name: each["Properties"]["PolicyDocument"]["Statement"]
        for name, each in report(stack).template["Resources"].items()
        if each["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::Role"}
        and "PolicyDocument" in each["Properties"]
    }
    assert policies
    unlimited = {
        (name, action)
        for name, statements in policies.items()
        for statement in statements
        if "*" in _listed(statement["Resource"])
        for action in _listed(statement["Action"])
    }
    assert unlimited
    assert {
        (name, action) for name, action in unlimited if not action.partition(":")[2].startswith("Describe")
    } == set()


@pytest.mark.parametrize("stack", ["default", "full", "strict"])
def test_cfn_lint_finds_what_is_documented(stack: str) -> None:
    """Errors and warnings; CDK states the function's dependency on its role twice, which does no harm."""
    template = report(stack).template

    matches = lint(json.dumps(template), config=ManualArgs(regions=["eu-central-1"]))

    assert {match.rule.id for match in matches} <= {"W3005"}, [str(match) for match in matches]


def test_cfn_lint_finds_a_fault() -> None:
    """A clean report means something only if a fault is reported."""
    matches = lint(json.dumps(report("strict", "subnet").template), config=ManualArgs(regions=["eu-central-1"]))

    assert {match.rule.id for match in matches} - {"W3005"}


def test_document_shows_the_findings() -> None:
    """`docs/policy.md` shows the findings as they are; `python -m tests.policies.table` writes it anew."""
    assert DOCUMENT.read_text() == document()


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - one of something, or a list
    return value if isinstance(value, list) else [value]

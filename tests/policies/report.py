"""What the policy packs, CDK's own validation and cfn-lint say of a stack."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PACKS = ("AwsSolutions", "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321")


@dataclass(frozen=True, order=True)
class Finding:
    """One rule that is broken by one construct.

    Args:
        rule: The rule's id, with what it found in brackets where a rule can find several things.
        path: The construct.
    """

    rule: str
    path: str

    @property
    def pack(self) -> str:
        """The pack, or whatever else found it."""
        return next((pack for pack in PACKS if self.rule.startswith(f"{pack}-")), "")


@dataclass(frozen=True)
class Acknowledgment:
    """A finding that was acknowledged beforehand, on a construct and all below it."""

    rule: str
    path: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Tell whether it acknowledges this finding."""
        return finding.rule == self.rule and f"{finding.path}/".startswith(f"{self.path}/")


@dataclass(frozen=True)
class Report:
    """All that was found in a stack.

    Args:
        succeeded: Whether the app ended well.
        output: What it printed.
        findings: Broken rules that nobody acknowledged.
        acknowledgments: What the library acknowledged.
        template: The stack's template.
    """

    succeeded: bool
    output: str
    findings: frozenset[Finding]
    acknowledgments: tuple[Acknowledgment, ...]
    template: dict[str, Any]

    def of(self, pack: str) -> set[Finding]:
        """Return the findings of one pack."""
        return {finding for finding in self.findings if finding.pack == pack}


@functools.cache
def report(stack: str, *faults: str, bare: bool = False) -> Report:
    """Return what is found in a stack of `tests.policies.stacks`.

    Args:
        stack: Its name.
        faults: What is made wrong on purpose.
        bare: Whether nothing is acknowledged.
    """
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    # One of the app's own feature flags makes findings of the built-in validation errors.
    assert context["@aws-cdk/core:validateAgainstDefaultRules"] is True
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tests.policies.synthesize", stack, folder, *(["bare"] if bare else []), *faults],
            cwd=ROOT,
            env={**os.environ, "CDK_VALIDATION": "true", "CDK_CONTEXT_JSON": json.dumps(context)},
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        written = Path(folder, "validation-report.json")
        assert written.is_file(), output
        reports = json.loads(written.read_text())["pluginReports"]
        template = json.loads(Path(folder, "Stack.template.json").read_text())
    findings = {
        Finding(violation["ruleName"], construct["constructPath"])
        for each in reports
        for violation in each["violations"]
        if violation["severity"] == "error"
        for construct in violation["violatingConstructs"]
    }
    acknowledged, _ = json.JSONDecoder().raw_decode(done.stdout)
    return Report(
        succeeded=done.returncode == 0,
        output=output,
        findings=frozenset(findings),
        acknowledgments=tuple(Acknowledgment(*each) for each in acknowledged),
        template=template,
    )

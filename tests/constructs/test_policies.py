"""Policy packs and CDK's own template validation: nothing is found that this library has not explained."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# A process of its own: whether templates are validated is decided once, when aws_cdk starts.
_SYNTHESIZE = """
import aws_cdk as cdk
import cdk_nag
from pathlib import Path
from pg_privatelink.app import PgPrivateLinkApp

app = PgPrivateLinkApp(configuration=Path("examples/rds-to-dbt.yaml"), outdir={outdir!r})
stack = app.node.find_child("PgPrivateLink-warehouse")
cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app, verbose=True))
{change}
app.synth()
"""


def _report(tmp_path: Path, change: str = "") -> tuple[int, str, dict[str, Any]]:
    # The app's own feature flags; one of them makes findings of the built-in validation errors.
    context = json.loads(Path("cdk.json").read_text())["context"]
    assert context["@aws-cdk/core:validateAgainstDefaultRules"] is True
    environment = {**os.environ, "CDK_VALIDATION": "true", "CDK_CONTEXT_JSON": json.dumps(context)}
    done = subprocess.run(
        [sys.executable, "-c", _SYNTHESIZE.format(outdir=str(tmp_path), change=change)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    report = tmp_path / "validation-report.json"
    return done.returncode, done.stdout + done.stderr, json.loads(report.read_text()) if report.is_file() else {}


def test_default_service_is_clean(tmp_path: Path) -> None:
    """AwsSolutions and the resource schemas find nothing that is not acknowledged with a reason."""
    code, output, report = _report(tmp_path)

    assert code == 0, output
    failures = [each for each in report.get("pluginReports", []) if each["conclusion"] != "success"]
    assert failures == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (
            "cdk.aws_sns.Topic(stack, 'Plain')",
            "AwsSolutions-SNS3",
        ),
        (
            "cdk.aws_ec2.CfnSubnet(stack, 'Bad', vpc_id='no-vpc')",
            "AWS::EC2::VPC.Id",
        ),
    ],
)
def test_the_checks_do_find_something(tmp_path: Path, change: str, finding: str) -> None:
    """A clean report means something only if a fault is reported."""
    code, output, _ = _report(tmp_path, change)

    assert code != 0
    assert finding in output

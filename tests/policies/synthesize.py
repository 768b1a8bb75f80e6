"""Put one stack before all packs, in a process of its own: whether templates are validated is decided at its start.

Usage: `python -m tests.policies.synthesize STACK FOLDER [bare] [FAULT ...]`; prints what was acknowledged, as JSON. The
findings are in `validation-report.json` in the folder. `bare` acknowledges nothing.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import aws_cdk as cdk
import cdk_nag

from constructs_pg._acknowledgments import Acknowledged
from tests.policies.stacks import FAULTS, STACKS, World

if TYPE_CHECKING:
    from constructs import IConstruct

PACKS = (
    cdk_nag.AwsSolutionsChecks,
    cdk_nag.NIST80053R5Checks,
    cdk_nag.HIPAASecurityChecks,
    cdk_nag.PCIDSS321Checks,
)


def main(name: str, folder: str, *rest: str) -> None:
    """Synthesize a stack and print its acknowledgments."""
    acknowledged: list[tuple[str, str, str]] = []
    acknowledge = Acknowledged.on

    def record(self: Acknowledged, construct: IConstruct) -> None:
        acknowledged.extend((rule, construct.node.path, self.reason) for rule in self.rules)
        if "bare" not in rest:
            acknowledge(self, construct)

    Acknowledged.on = record  # type: ignore[method-assign]
    app = cdk.App(analytics_reporting=False, outdir=folder)
    world = World(app)
    STACKS[name](world)
    for fault in rest:
        if fault != "bare":
            FAULTS[fault](world)
    cdk.Validations.of(app).add_plugins(*(pack(app) for pack in PACKS))
    sys.stdout.write(json.dumps(acknowledged))
    sys.stdout.flush()
    app.synth()


if __name__ == "__main__":
    main(*sys.argv[1:])

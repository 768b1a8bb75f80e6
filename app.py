"""The CDK app: one YAML file in, one stack per service out. Makes no AWS call; see privatelink.yaml."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from pg_privatelink._node import NodeMissingError, use_node

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] = ()) -> int:
    """Synthesize the stacks; return the exit code."""
    if arguments:
        sys.stderr.write("app.py takes no arguments: the CDK CLI does, as in npx cdk synth -c config=FILE\n")
        return 2
    try:
        use_node()
    except NodeMissingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        # Only now: importing aws_cdk starts Node.
        from pg_privatelink.app import PgPrivateLinkApp  # noqa: PLC0415
        from pg_privatelink.config import ConfigurationError  # noqa: PLC0415
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"{error.name} is not installed for {sys.executable}: activate the environment that has it "
            "(. .venv/bin/activate), or: pip install -r requirements.txt\n"
        )
        return 1

    try:
        # The CLI names the folder; run by hand, the assembly goes where the CLI would put it.
        PgPrivateLinkApp(outdir=os.environ.get("CDK_OUTDIR", "cdk.out")).synth()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What every test needs before aws_cdk is imported: Node for jsii, and validation off where it is not the subject."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

from tools.install import SetUpError, node

# How fast a machine is must not decide whether a test passes.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# tools/mutants.py only wants to know whether a test fails: the smallest example does not matter to it.
settings.register_profile("unshrunk", settings.get_profile("untimed"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("untimed")

# Validation costs seconds per process; tests/constructs/test_policies.py switches it on where it is the subject.
os.environ["CDK_VALIDATION"] = "false"
if "JSII_NODE" not in os.environ:
    try:
        os.environ["JSII_NODE"] = str(node())
    except SetUpError as error:
        raise SystemExit(str(error)) from error

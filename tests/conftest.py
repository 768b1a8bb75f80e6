"""What every test needs before aws_cdk is imported, and how tests run side by side."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings

from tools.install import SetUpError, node

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import Scheduling

# How fast a machine is must not decide whether a test passes.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# tools/mutants.py only wants to know whether a test fails: the smallest example does not matter to it.
settings.register_profile("unshrunk", settings.get_profile("untimed"), phases=[Phase.explicit, Phase.generate])
settings.load_profile("untimed")

# A shell without job control has what it starts in the background ignore Ctrl-C, and so would all that is started here:
# tests that send it would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# Validation costs seconds per process; tests/constructs/test_policies.py switches it on where it is the subject.
os.environ["CDK_VALIDATION"] = "false"
if "JSII_NODE" not in os.environ:
    try:
        os.environ["JSII_NODE"] = str(node())
    except SetUpError as error:
        raise SystemExit(str(error)) from error

# Each takes a gigabyte.
_MOST_PROCESSES = 8
# The longest file, then deployments, which mostly wait: what is short fills their gaps.
_FIRST = (
    "tests/updates/test_matrix.py",
    "tests/deployment/",
    "tests/cli/",
    "tests/drill/",
    "tests/policies/",
    "tests/emulator/",
    "tests/packaging/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, so that no process is left alone with one at the end."""
    items.sort(key=lambda item: next((n for n, each in enumerate(_FIRST) if item.nodeid.startswith(each)), len(_FIRST)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Let `-n auto` start more processes than there are processors: half of them wait for a deployment."""
    return min((os.cpu_count() or 1) + 2, _MOST_PROCESSES)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """Give each process of `-n` a file at a time, whatever `--dist` says: its tests share what they made."""
    from tests.side_by_side import ByFile  # noqa: PLC0415 - pytest-xdist is there if this is called

    return ByFile(config, log)

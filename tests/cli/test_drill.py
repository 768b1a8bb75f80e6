"""`drill` before it changes anything: what it needs, what it asks, and what it refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pg_privatelink.cli.drill.failover import Failover, failover_of
from pg_privatelink.cli.drill.permissions import policy
from pg_privatelink.cli.listeners import Listener
from pg_privatelink.cli.problem import Problem
from tests.cli.page import PAGE
from tools.install import ROOT

if TYPE_CHECKING:
    from tests.cli.conftest import Site

_READ = policy()["Statement"][0]["Action"]


class FakeAws:
    """An account with these databases."""

    def __init__(self, **found: Any) -> None:  # noqa: ANN401 - rows of the interface
        self._found = found
        self.forced: list[dict[str, object]] = []

    def client(self, service: str) -> FakeAws:
        """The one service that it asks for is itself."""
        assert service == "rds"
        return self

    def describe_db_instances(self, **_: str) -> dict[str, Any]:
        """What the test set."""
        return {"DBInstances": [self._found["instance"]]}

    def describe_db_clusters(self, **_: str) -> dict[str, Any]:
        """What the test set."""
        return {"DBClusters": [self._found["cluster"]]}

    def reboot_db_instance(self, **given: object) -> None:
        """Note it."""
        self.forced.append(given)

    def failover_db_cluster(self, **given: object) -> None:
        """Note it."""
        self.forced.append(given)


def listener(hostname: str | None) -> Listener:
    """A listener that follows a name."""
    return Listener("main", 5432, "arn", {"hostname": hostname} if hostname else {})


INSTANCE = "orders.abcdefghijkl.eu-central-1.rds.amazonaws.com"
CLUSTER = "orders.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com"


def test_an_instance_is_failed_over_by_a_forced_reboot() -> None:
    """RebootDBInstance, ForceFailover."""
    aws: Any = FakeAws(instance={"DBInstanceStatus": "available", "MultiAZ": True})

    found = failover_of(aws, listener(INSTANCE))
    found.force(aws)

    assert found == Failover("orders", cluster=False)
    assert aws.forced == [{"DBInstanceIdentifier": "orders", "ForceFailover": True}]


def test_a_cluster_is_failed_over_as_such() -> None:
    """FailoverDBCluster."""
    members = [{"IsClusterWriter": True}, {"IsClusterWriter": False}]
    aws: Any = FakeAws(cluster={"Status": "available", "DBClusterMembers": members})

    found = failover_of(aws, listener(CLUSTER.upper() + "."))
    found.force(aws)

    assert found == Failover("orders", cluster=True)
    assert aws.forced == [{"DBClusterIdentifier": "orders"}]


_ALONE: dict[str, Any] = {"instance": {"DBInstanceStatus": "available", "MultiAZ": False}}
_BUSY: dict[str, Any] = {"instance": {"DBInstanceStatus": "modifying", "MultiAZ": True}}
_WRITER_ONLY: dict[str, Any] = {"cluster": {"Status": "available", "DBClusterMembers": [{"IsClusterWriter": True}]}}
_NEITHER = "neither a DB instance nor a cluster's writer"


@pytest.mark.parametrize(
    ("hostname", "rows", "what"),
    [
        (INSTANCE, _ALONE, "cannot fail over: it is not Multi-AZ"),
        (INSTANCE, _BUSY, "is modifying"),
        (CLUSTER, _WRITER_ONLY, "no member but its writer"),
        ("orders.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com", {}, _NEITHER),
        ("orders.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com", {}, _NEITHER),
        ("orders.example.com", {}, _NEITHER),
        (None, {}, "has fixed targets"),
    ],
)
def test_what_cannot_fail_over_is_refused(hostname: str | None, rows: dict[str, Any], what: str) -> None:
    """With the reason, and with what can be done instead."""
    aws: Any = FakeAws(**rows)

    with pytest.raises(Problem, match=re.escape(what)):
        failover_of(aws, listener(hostname))
    assert aws.forced == []


def test_without_psycopg_it_says_how_to_get_it() -> None:
    """Only the drill needs it; the message is one, and names the extra."""
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from pg_privatelink.cli.drill.postgres import PsycopgConnector\n"
        "from pg_privatelink.cli.problem import Problem\n"
        "try: PsycopgConnector(host='x')\n"
        "except Problem as problem: print(problem.remedy)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "install it: pip install '.[drill]' in a checkout"


def test_no_other_part_of_the_command_imports_it() -> None:
    """Client and picture are imported where they are used, so that nobody else has to have them."""
    program = "import sys, pg_privatelink.cli.drill.command; print({'psycopg', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


def test_the_page_lists_what_the_policy_has() -> None:
    """docs/command.md and --iam-policy say the same."""
    (row,) = (line for line in PAGE.read_text().splitlines() if line.startswith("| `drill` |"))
    common = next(line for line in PAGE.read_text().splitlines() if line.startswith("| all but `init` |"))
    listed = set(re.findall(r"`([a-z]+:[A-Za-z]+)`", row + common))

    assert listed == {action for statement in policy()["Statement"] for action in statement["Action"]}


def test_what_it_needs_to_read_is_enough(site: Site) -> None:
    """With the policy it gets as far as asking."""
    done = site.run("drill", "--host", "127.0.0.1", variables=site.role("cli-drill", *policy()["Statement"]))

    assert done.code == 2
    assert "nobody is there to confirm this" in done.error
    assert "To be failed over: Multi-AZ DB instance orders" in done.out


@pytest.mark.parametrize("left_out", [each for each in _READ if each != "rds:DescribeDBClusters"])
def test_each_of_it_is_needed(site: Site, left_out: str) -> None:
    """Without it the command stops, and names it."""
    actions = [each for each in _READ if each != left_out]
    only = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    variables = site.role(f"cli-drill-no-{left_out.replace(':', '-')}", only)

    done = site.run("drill", "--host", "127.0.0.1", variables=variables)

    assert done.code == 2
    assert left_out in done.error


def test_the_policy_is_printed_without_an_account(site: Site) -> None:
    """It reads nothing."""
    done = site.run("drill", "--iam-policy", variables={"AWS_ACCESS_KEY_ID": None})

    assert (done.code, done.document) == (0, policy())

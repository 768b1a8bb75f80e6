"""`accept` and `reject`: whose endpoint it is decides, and nothing happens unseen."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pg_privatelink.cli.answer import Answer, _admission, plan
from pg_privatelink.cli.connections import Connection, admitted_by
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.service import Service
from tools.demo_world import DBT_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Site

DBT = "arn:aws:iam::346425330055:role/MTPL_Admin"
OURS = "vpce-svc-0123456789abcdef0"
ENDPOINT = "vpce-0123456789abcdef0"

ORDERS = Service(
    name="orders",
    beginning="Service",
    stack="PgPrivateLink-orders",
    stack_status="CREATE_COMPLETE",
    account="111122223333",
    region="eu-central-1",
    outputs={},
    id=OURS,
    resources=(),
)


def connection(state: str = "pendingAcceptance", *, owner: str = DBT_ACCOUNT, service_id: str = OURS) -> Connection:
    """A consumer's endpoint."""
    return Connection(endpoint_id=ENDPOINT, service_id=service_id, owner=owner, state=state)


@pytest.fixture
def endpoint(site: Site) -> Iterator[str]:
    """Dbt's endpoint, which waits."""
    made = site.endpoint()
    yield made
    site.client("ec2", DBT_ACCOUNT).delete_vpc_endpoints(VpcEndpointIds=[made])


def state_of(site: Site, endpoint_id: str) -> str:
    """How AWS describes a connection."""
    rows = site.client("ec2").describe_vpc_endpoint_connections()["VpcEndpointConnections"]
    (state,) = (row["VpcEndpointState"] for row in rows if row["VpcEndpointId"] == endpoint_id)
    return str(state)


class TestAdmission:
    @pytest.mark.parametrize(
        ("principals", "by"),
        [
            ([DBT], DBT),
            (["*", DBT], DBT),
            (["arn:aws:iam::346425330055:root"], "arn:aws:iam::346425330055:root"),
            (["arn:aws-us-gov:iam::346425330055:user/x"], "arn:aws-us-gov:iam::346425330055:user/x"),
            (["346425330055"], "346425330055"),
            (["*"], "*"),
            (["arn:aws:iam::222222222222:root"], None),
            ([], None),
        ],
    )
    def test_the_account_decides(self, principals: list[str], by: str | None) -> None:
        """A principal of the account admits it; `*` counts only where nothing says more."""
        assert admitted_by(principals, owner=DBT_ACCOUNT) == by


class TestPlan:
    @pytest.mark.parametrize(
        ("verb", "state", "changes"),
        [
            (Answer.ACCEPT, "pendingAcceptance", True),
            (Answer.ACCEPT, "PendingAcceptance", True),
            (Answer.ACCEPT, "rejected", True),
            (Answer.ACCEPT, "available", False),
            (Answer.REJECT, "pendingAcceptance", True),
            (Answer.REJECT, "available", True),
            (Answer.REJECT, "rejected", False),
        ],
    )
    def test_only_what_is_not_so_already(self, verb: Answer, state: str, *, changes: bool) -> None:
        """An endpoint that has this answer is left alone, however AWS writes its state."""
        done = plan(verb, [ENDPOINT], service=ORDERS, connections=[connection(state)], principals=[DBT])

        assert (len(done.change), len(done.done)) == ((1, 0) if changes else (0, 1))

    def test_an_id_given_twice_counts_once(self) -> None:
        """As when two lists were put together."""
        done = plan(Answer.ACCEPT, [ENDPOINT, ENDPOINT], service=ORDERS, connections=[connection()], principals=[DBT])

        assert len(done.change) == 1

    @pytest.mark.parametrize(
        ("given", "state", "message"),
        [
            (
                "vpce-svc-0123456789abcdef0",
                "pendingAcceptance",
                (
                    "vpce-svc-0123456789abcdef0 is the id of a service: "
                    "give the endpoint's: 'pg-privatelink status' lists them"
                ),
            ),
            (
                "sg-1",
                "pendingAcceptance",
                (
                    "'sg-1' is not the id of an endpoint: "
                    "give one like vpce-0123456789abcdef0: 'pg-privatelink status' lists them"
                ),
            ),
            (
                ENDPOINT,
                "failed",
                f"{ENDPOINT} is failed: it can no longer be accepted: the consumer has to make another endpoint",
            ),
        ],
    )
    def test_what_cannot_be_accepted(self, given: str, state: str, message: str) -> None:
        """The message says what was given, and where the right id is."""
        with pytest.raises(Problem) as caught:
            plan(Answer.ACCEPT, [given], service=ORDERS, connections=[connection(state)], principals=[DBT])

        assert str(caught.value) == message

    def test_an_account_that_no_principal_names(self) -> None:
        """A principal was removed, or somebody else's endpoint waits since then: it is not let in unseen."""
        stranger = connection(owner="222222222222")

        with pytest.raises(Problem) as caught:
            plan(Answer.ACCEPT, [ENDPOINT], service=ORDERS, connections=[stranger], principals=[DBT])

        assert caught.value.what == (
            f"{ENDPOINT} belongs to account 222222222222, which none of the principals of service orders names ({DBT})"
        )
        # To turn it away needs no principal.
        assert plan(Answer.REJECT, [ENDPOINT], service=ORDERS, connections=[stranger], principals=[DBT]).change

    def test_another_services_endpoint(self) -> None:
        """The message names the service that it belongs to."""
        other = connection(service_id="vpce-svc-0aaaaaaaaaaaaaaa0")

        with pytest.raises(Problem) as caught:
            plan(Answer.REJECT, [ENDPOINT], service=ORDERS, connections=[other], principals=[DBT])

        assert str(caught.value) == (
            f"{ENDPOINT} is connected to another service, vpce-svc-0aaaaaaaaaaaaaaa0, not to orders ({OURS}): "
            "if you mean that one, give --service vpce-svc-0aaaaaaaaaaaaaaa0"
        )


def test_an_endpoint_is_accepted(site: Site, endpoint: str) -> None:
    """The account and what admits it are shown, and then it is let in."""
    done = site.run("accept", endpoint, "--yes")

    assert done.code == 0
    assert done.out.splitlines()[0] == f"Service orders, {site.service_id}, account 111122223333, eu-central-1"
    assert f"  {endpoint}  {DBT_ACCOUNT}  pendingAcceptance  role/MTPL_Admin" in done.out.splitlines()
    assert done.out.splitlines()[-1] == f"{endpoint} is available"
    assert state_of(site, endpoint) == "available"


def test_nothing_without_a_yes(site: Site, endpoint: str) -> None:
    """A script that did not say --yes changes nothing."""
    done = site.run("accept", endpoint)

    assert done.code == 2
    assert done.error == "pg-privatelink: nobody is there to confirm this\n  look at it, and give --yes\n"
    assert state_of(site, endpoint) == "pendingAcceptance"


def test_a_person_is_asked(site: Site, endpoint: str) -> None:
    """On standard error, with the account in the question; a no changes nothing, and is exit code 1."""
    ours, its = pty.openpty()
    os.write(ours, b"n\n")

    done = subprocess.run(
        [sys.executable, "-m", "pg_privatelink.cli", "accept", endpoint],
        env=site.environment,
        stdin=its,
        capture_output=True,
        text=True,
        check=False,
    )

    for descriptor in (ours, its):
        os.close(descriptor)
    assert done.returncode == 1
    assert "[y/N]" not in done.stdout
    assert done.stderr == (
        f"Let account {DBT_ACCOUNT} connect to your database? [y/N]: "
        "pg-privatelink: nothing was changed\n  say yes, or give --yes\n"
    )
    assert state_of(site, endpoint) == "pendingAcceptance"


@pytest.mark.parametrize(
    ("principal", "words"),
    [
        (DBT, "role/MTPL_Admin"),
        ("arn:aws:iam::346425330055:root", "the whole account"),
        ("346425330055", "the whole account"),
        ("*", "* (anybody may ask)"),
        (None, "not admitted"),
    ],
)
def test_what_admits_an_account_in_words(principal: str | None, words: str) -> None:
    """Short, since the account stands beside it."""
    assert _admission(principal) == words


def test_all_or_nothing(site: Site, endpoint: str) -> None:
    """One id that is wrong, and none is accepted."""
    done = site.run("accept", endpoint, "vpce-0aaaaaaaaaaaaaaa0", "--yes")

    assert done.code == 2
    assert done.error == (
        f"pg-privatelink: service orders ({site.service_id}) has no endpoint vpce-0aaaaaaaaaaaaaaa0\n"
        f"  its endpoints are: {endpoint}; one that the consumer deleted is gone for good\n"
    )
    assert state_of(site, endpoint) == "pendingAcceptance"


def test_an_endpoint_is_rejected_and_accepted_again(site: Site, endpoint: str) -> None:
    """As JSON: before and after; and what is so already is no failure."""
    site.run("accept", endpoint, "--yes")

    rejected = site.run("reject", endpoint, "--yes", "--json")
    again = site.run("reject", endpoint, "--yes", "--json")

    assert (rejected.code, again.code) == (0, 0)
    assert rejected.document == {
        "service": "orders",
        "service_id": site.service_id,
        "answer": "reject",
        "connections": [
            {
                "endpoint_id": endpoint,
                "owner": DBT_ACCOUNT,
                "admitted_by": DBT,
                "before": "available",
                "state": "rejected",
                "refused": None,
            }
        ],
    }
    assert again.document["connections"][0]["before"] == "rejected"
    assert site.run("accept", endpoint, "--yes").code == 0
    assert state_of(site, endpoint) == "available"


def test_without_the_permission(site: Site, endpoint: str) -> None:
    """Seeing is allowed and accepting is not: the message names the permission, and nothing changed."""
    role = site.role(
        "cli-reader", {"Effect": "Allow", "Action": ["cloudformation:*", "ec2:Describe*", "sts:*"], "Resource": "*"}
    )

    done = site.run("accept", endpoint, "--yes", variables=role)

    assert done.code == 2
    assert done.error.startswith(
        "pg-privatelink: the permission ec2:AcceptVpcEndpointConnections is missing for "
        "arn:aws:sts::111122223333:assumed-role/cli-reader/cli\n"
    )
    assert state_of(site, endpoint) == "pendingAcceptance"

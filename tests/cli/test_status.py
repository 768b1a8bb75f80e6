"""`status`: the service as it is now, and what that comes to."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pg_privatelink.cli.connections import Connection
from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.listeners import Listener, Target
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.status.state import Alarm, State, Verdict, listener_state
from pg_privatelink.cli.status.view import summary
from tests.cli.test_answer import ORDERS
from tools.demo_world import DBT_ACCOUNT, PRIMARY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Done, Site

A, B = "10.0.0.5:5432", "10.0.1.6:5432"
FOLLOWED = Listener(name="main", port=5432, target_group_arn="arn", tags={"hostname": "orders.example.com"})
FIXED = Listener(name="main", port=5432, target_group_arn="arn", tags={})


def report(*addresses: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """What the function reports of a listener."""
    answer = {"addresses": list(addresses), "ttl": 5.0, "aliases": []} if addresses else None
    return {"port": 5432, "answer": answer, "failure": "", "register": [], "unnamed": [], **changes}


def healthy(*targets: str) -> list[Target]:
    """Registered and healthy."""
    return [Target(each, "healthy") for each in targets]


class TestListener:
    def test_the_named_address_is_healthy(self) -> None:
        """Nothing to say."""
        state = listener_state(FOLLOWED, healthy(A), report("10.0.0.5"))

        assert (state.verdict, state.notes) == (Verdict.OK, ())
        assert [each["in_dns"] for each in state.targets] == [True]

    def test_a_healthy_address_that_dns_does_not_name(self) -> None:
        """The old writer still answers, but it is the wrong server."""
        state = listener_state(FOLLOWED, healthy(A), report("10.0.1.6", register=[B], unnamed=[A]))

        assert state.verdict is Verdict.PROBLEM
        assert state.notes == (f"DNS names {B}, which is not registered yet", "no address that DNS names is healthy")

    def test_the_old_address_leaves(self) -> None:
        """After a failover, for some seconds: not wrong, but worth knowing."""
        state = listener_state(FOLLOWED, healthy(A, B), report("10.0.1.6", unnamed=[A]))

        assert state.verdict is Verdict.OK
        assert state.notes == (f"DNS no longer names {A}, which leaves once that is confirmed",)

    def test_the_function_fails(self) -> None:
        """What it says is told; AWS's health stays in sight."""
        state = listener_state(FOLLOWED, healthy(A), report(failure="SERVFAIL from 10.0.0.2"))

        assert state.verdict is Verdict.PROBLEM
        assert state.notes == ("the function fails: SERVFAIL from 10.0.0.2",)

    def test_the_function_does_not_know_the_listener(self) -> None:
        """Its tags are broken, or somebody else made it."""
        assert listener_state(FOLLOWED, healthy(A), None).verdict is Verdict.PROBLEM

    def test_the_function_could_not_be_asked(self) -> None:
        """Then nothing is known of DNS, which is told once and elsewhere."""
        state = listener_state(FOLLOWED, healthy(A), None, asked=False)

        assert (state.verdict, state.notes) == (Verdict.UNKNOWN, ())
        assert [each["in_dns"] for each in state.targets] == [None]

    @pytest.mark.parametrize(
        ("targets", "note"),
        [
            ([], "nothing is registered, so nobody can connect"),
            (
                [Target(A, "unhealthy", "Target.FailedHealthChecks", "Health checks failed")],
                "no target is healthy, so connections go to all of them and fail",
            ),
            ([Target(A, "draining")], "no target is healthy, so connections go to all of them and fail"),
        ],
    )
    def test_nothing_is_healthy(self, targets: list[Target], note: str) -> None:
        """A problem with or without DNS."""
        for state in (
            listener_state(FIXED, targets, None),
            listener_state(FOLLOWED, targets, report("10.0.0.5")),
            listener_state(FOLLOWED, targets, None, asked=False),
        ):
            assert (state.verdict, state.notes[0]) == (Verdict.PROBLEM, note)

    def test_awss_reason_is_told(self) -> None:
        """Also where another target is healthy."""
        sick = Target(B, "unhealthy", "Target.FailedHealthChecks", "Health checks failed")

        state = listener_state(FIXED, [*healthy(A), sick], None)

        assert (state.verdict, state.notes) == (Verdict.OK, (f"{B} is unhealthy: Health checks failed",))


def _blind_and_broken(state: State) -> None:
    state.unknown["DNS"] = Problem("a", "b")
    state.listeners = [TestVerdict.BAD]


class TestVerdict:
    """The worst counts; what is wrong counts more than what is not known."""

    GOOD = listener_state(FIXED, healthy(A), None)
    BAD = listener_state(FIXED, [], None)
    FIRED = Alarm(label="NoHealthyTarget", name="x", state="ALARM", since="", reason="", description="")

    @pytest.mark.parametrize(
        ("change", "code", "words"),
        [
            (lambda _: None, ExitCode.OK, "Nothing is wrong. No consumer is connected yet."),
            (lambda state: setattr(state, "listeners", [TestVerdict.BAD]), ExitCode.PROBLEM,
             "Something is wrong: listener main."),
            (lambda state: setattr(state, "alarms", [TestVerdict.FIRED]), ExitCode.PROBLEM,
             "Something is wrong: alarm NoHealthyTarget."),
            (lambda state: setattr(state, "alarms", [replace(TestVerdict.FIRED, goes_off="it is late")]), ExitCode.OK,
             "Nothing is wrong. No consumer is connected yet."),
            (lambda state: setattr(state, "configuration", {"state": "Failed"}), ExitCode.PROBLEM,
             "Something is wrong: the endpoint service."),
            (lambda state: setattr(state, "connections", [_connection("failed")]), ExitCode.PROBLEM,
             "Something is wrong: connection vpce-1."),
            (lambda state: setattr(state, "connections", [_connection("pendingAcceptance")]), ExitCode.OK,
             "Nothing is wrong. A consumer waits to be accepted."),
            (lambda state: setattr(state, "connections", [_connection("available")]), ExitCode.OK,
             "Nothing is wrong."),
            (lambda state: state.unknown.update(DNS=Problem("a", "b")), ExitCode.UNKNOWN,
             "Nothing seen is wrong, but not everything could be seen."),
            (_blind_and_broken, ExitCode.PROBLEM,
             "Something is wrong: listener main."),
        ],
    )  # fmt: skip
    def test_the_exit_code_follows(self, change: Callable[[State], None], code: ExitCode, words: str) -> None:
        """And the last line says it."""
        state = State(ORDERS, configuration={"state": "Available"}, connections=[], listeners=[self.GOOD], alarms=[])

        change(state)

        assert (state.exit_code, summary(state)) == (code, words)


def _connection(state: str) -> Connection:
    return Connection(endpoint_id="vpce-1", service_id=ORDERS.id, owner=DBT_ACCOUNT, state=state)


def agrees(done: Done) -> bool:
    """Whether exit code and verdict are the same. An alarm may be on: it tells of other tests' endpoints."""
    fired = any(each["verdict"] == "problem" for each in done.document["alarms"])
    verdict: str = done.document["verdict"]
    return done.code == {"ok": 0, "problem": 1, "unknown": 2}[verdict] and (verdict == "problem" or not fired)


def test_everything_of_a_deployed_service(site: Site) -> None:
    """The service, who may connect, the target beside DNS, the first registration, the alarms; nothing unknown."""
    target = f"{PRIMARY}:{site.world.port}"

    done = site.run("status", "--json")

    document = done.document
    assert agrees(done)
    assert document["unknown"] == {}
    assert document["service"] == {
        "name": "orders",
        "id": site.service_id,
        "endpoint_service_name": site.outputs["EndpointServiceName"],
        "stack": "PgPrivateLink-orders",
        "stack_status": "CREATE_COMPLETE",
        "account": "111122223333",
        "region": "eu-central-1",
        "state": "Available",
        "acceptance_required": True,
        "zones": [subnet.zone for subnet in site.world.subnets],
    }
    assert document["principals"] == ["arn:aws:iam::346425330055:role/MTPL_Admin"]
    assert document["listeners"] == [
        {
            "name": "main",
            "port": 5432,
            "hostname": site.world.endpoint,
            "answer": {"addresses": [PRIMARY], "ttl": 1.0, "aliases": []},
            "targets": [{"target": target, "state": "healthy", "reason": "", "description": "", "in_dns": True}],
            "notes": [],
            "verdict": "ok",
        }
    ]
    assert document["last_change"]["what"].startswith(f"registered {target}, ")
    assert document["last_change"]["why"] == "the target group was empty"
    assert document["failures"] == []
    assert "ConnectionsConnectionWaits" in {each["label"] for each in document["alarms"]}


@pytest.mark.parametrize("columns", [80, 120])
def test_in_a_terminal_of_this_width(site: Site, columns: int) -> None:
    """No line is longer, nothing is cut off, and no spaces stand at the end."""
    done = site.run("status", columns=columns)

    lines = done.out.splitlines()
    assert max(map(len, lines)) <= columns
    assert lines == [line.rstrip() for line in lines]
    assert f"Name for consumers  {site.outputs['EndpointServiceName']}" in lines
    assert f"  {PRIMARY}:{site.world.port}  healthy  in DNS" in lines
    assert "…" not in done.out


def test_in_a_pipe(site: Site) -> None:
    """Whole lines, no colours and no bars."""
    done = site.run("status")

    assert "\x1b" not in done.out
    assert not set(done.out) & set("│┃─━┏└")
    (change,) = (line for line in done.out.splitlines() if "registered" in line)
    assert change.endswith("(the target group was empty)")


def test_a_consumer_that_waits(site: Site) -> None:
    """With its account, and what to type."""
    endpoint = site.endpoint()

    done = site.run("status")

    assert f"  {endpoint}  {DBT_ACCOUNT}  pendingAcceptance  " in done.out
    assert f"  To let one in: pg-privatelink accept {endpoint}" in done.out.splitlines()
    site.client("ec2", DBT_ACCOUNT).delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert endpoint not in site.run("status").out


def test_a_permission_is_missing_for_a_part(site: Site) -> None:
    """All the rest is shown; of DNS it says what is missing."""
    role = site.role(
        "cli-no-invoke",
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": "*"},
    )

    done = site.run("status", "--json", variables=role)

    document = done.document
    assert agrees(done)
    assert list(document["unknown"]) == ["DNS"]
    assert document["unknown"]["DNS"]["what"].startswith("the permission lambda:InvokeFunction is missing")
    (listener,) = document["listeners"]
    assert (listener["verdict"], listener["targets"][0]["state"]) == ("unknown", "healthy")


def test_a_database_that_is_down(site: Site) -> None:
    """Exit code 1, the listener by name, and AWS's reason."""
    site.databases[PRIMARY].die()
    try:
        deadline = time.monotonic() + 60
        while (done := site.run("status", columns=100)).out.count("unhealthy") == 0:
            assert time.monotonic() < deadline, done.out
            time.sleep(0.2)
    finally:
        site.databases[PRIMARY].start()

    assert done.code == 1
    assert f"  {PRIMARY}:{site.world.port}  unhealthy  in DNS" in done.out.splitlines()
    assert "no target is healthy, so connections go to all of them and fail" in done.out
    assert "listener main" in done.out.splitlines()[-1]
    deadline = time.monotonic() + 60
    while "  unhealthy" in site.run("status").out:
        assert time.monotonic() < deadline
        time.sleep(0.2)

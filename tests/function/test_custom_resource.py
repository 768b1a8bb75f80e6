"""What CloudFormation is answered, when, and how."""

from __future__ import annotations

import contextlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from target_sync import custom_resource
from target_sync.resolve import Outcome
from target_sync.settings import SettingsError
from target_sync.watch import SyncError
from tests.function.fakes import HOST, World, aws_error, endpoints, group_arn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from target_sync.watch import Fleet

A, B = "10.0.0.5", "10.0.1.6"
LISTENERS = {"main": f"{HOST}:5432"}


@dataclass
class Sink:
    """Where responses are sent.

    Attributes:
        url: Its address.
        received: What came: headers and body.
        refuse: So many requests are answered 503 first.
        lose: So many are taken first without an answer.
    """

    url: str = ""
    received: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    refuse: int = 0
    lose: int = 0

    def only(self) -> dict[str, Any]:
        """The one response that came."""
        ((_, body),) = self.received
        return body


class Context:
    """Lambda's context, at the beginning of an invocation."""

    log_stream_name = "2026/01/01/[$LATEST]0123456789abcdef"

    def __init__(self, seconds: float = 360.0) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        """Until the time-out."""
        return int(self._seconds * 1000)


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """An HTTP server on loopback in place of the bucket behind ResponseURL."""
    found = Sink()
    monkeypatch.setattr(custom_resource, "_PAUSE_SECONDS", 0.0)

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if found.refuse:
                found.refuse -= 1
                self.send_error(503)
                return
            found.received.append((dict(self.headers), json.loads(body)))
            if found.lose:
                found.lose -= 1
                return
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        found.url = f"http://127.0.0.1:{server.server_address[1]}/response?signature=1"
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def world() -> World:
    """One listener, nothing registered yet."""
    made = World()
    made.elb.add()
    made.dns.set(A)
    return made


def request(kind: str, sink: Sink, *, old: dict[str, str] | None = None, **properties: object) -> dict[str, Any]:
    """A request for the targets."""
    event: dict[str, Any] = {
        "RequestType": kind,
        "ResponseURL": sink.url,
        "StackId": "arn:aws:cloudformation:eu-central-1:111111111111:stack/orders/1",
        "RequestId": "request-1",
        "LogicalResourceId": "OrdersTargets",
        "ResourceType": "Custom::PostgresTargets",
        "ResourceProperties": {
            "ServiceToken": "arn:aws:lambda:eu-central-1:111111111111:function:sync",
            "CodeHash": "1",
            "WaitForHealthy": "true",
            "HealthyTimeoutSeconds": "300",
            "Listeners": LISTENERS,
            **properties,
        },
    }
    if kind != "Create":
        event["PhysicalResourceId"] = "postgres-targets"
    if kind == "Update":
        event["OldResourceProperties"] = {"Listeners": LISTENERS if old is None else old}
    return event


def serve(world: World, event: dict[str, Any], sink: Sink) -> dict[str, Any]:
    """Handles one request and gives its answer."""
    custom_resource.serve(event, Context(), lambda: world.fleet)
    return sink.only()


def test_creation_waits_until_the_targets_are_healthy(world: World, sink: Sink) -> None:
    """Registered, healthy after 40 s, and only then answered; afterwards the name is recorded."""
    world.elb.healthy_after = 40.0
    start = world.clock.time()

    body = serve(world, request("Create", sink), sink)

    assert body == {
        "Status": "SUCCESS",
        "Reason": f"See log stream {Context.log_stream_name}",
        "PhysicalResourceId": "postgres-targets",
        "StackId": "arn:aws:cloudformation:eu-central-1:111111111111:stack/orders/1",
        "RequestId": "request-1",
        "LogicalResourceId": "OrdersTargets",
    }
    assert world.live() == {A}
    assert world.clock.time() - start >= 40.0
    assert world.elb.groups[group_arn("main")].tags["pg-privatelink:followed"] == LISTENERS["main"]


def test_creation_without_waiting_for_health(world: World, sink: Sink) -> None:
    """Registered is enough if so asked."""
    world.elb.down.add(A)
    start = world.clock.time()

    assert serve(world, request("Create", sink, WaitForHealthy="false"), sink)["Status"] == "SUCCESS"

    assert world.live() == {A}
    assert world.clock.time() - start < 10.0


def test_a_target_that_does_not_become_healthy_fails_the_creation(world: World, sink: Sink) -> None:
    """The reason names listener, host name, address, state, AWS's code and what it usually means."""
    world.elb.down.add(A)

    body = serve(world, request("Create", sink, HealthyTimeoutSeconds="60"), sink)

    assert body["Status"] == "FAILED"
    for part in ("main", HOST, f"{A}:5432", "unhealthy", "Target.FailedHealthChecks", "security group", "within 60 s"):
        assert part in body["Reason"]


def test_a_zone_that_is_not_enabled_is_named(world: World, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """`unused` because of its zone: the reason says to add a subnet there."""
    monkeypatch.setattr(world.elb, "state", lambda *_: ("unused", "Target.NotInUse"))

    body = serve(world, request("Create", sink, HealthyTimeoutSeconds="30"), sink)

    assert body["Status"] == "FAILED"
    assert "Target.NotInUse: its Availability Zone is not enabled on the load balancer" in body["Reason"]


@pytest.mark.parametrize("outcome", [Outcome.NXDOMAIN, Outcome.TIMEOUT, Outcome.EMPTY, Outcome.IPV6_ONLY])
def test_a_name_that_does_not_resolve_fails_the_creation(world: World, sink: Sink, outcome: Outcome) -> None:
    """After a minute of trying: a record made a moment ago may take a while."""
    world.dns.fail(outcome)
    start = world.clock.time()

    body = serve(world, request("Create", sink), sink)

    assert (body["Status"], body["Reason"]) == ("FAILED", f"main: {HOST}: {outcome}: {HOST} fails")
    assert world.clock.time() - start == pytest.approx(60.0, abs=3.0)


def test_a_name_that_resolves_late_is_waited_for(world: World, sink: Sink) -> None:
    """A private zone's record shows up half a minute later."""
    world.dns.fail(Outcome.NXDOMAIN)
    world.clock.after(30.0, lambda: world.dns.set(A))

    assert serve(world, request("Create", sink), sink)["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    "operation", ["DescribeTargetGroups", "DescribeTags", "DescribeTargetHealth", "RegisterTargets"]
)
def test_permissions_that_spread_late_are_waited_for(world: World, sink: Sink, operation: str) -> None:
    """The role's policy was made seconds ago: the first refusals do not count."""
    world.elb.faults[operation].extend([aws_error("AccessDenied", operation)] * 3)

    assert serve(world, request("Create", sink), sink)["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    "operation", ["DescribeTargetGroups", "DescribeTags", "DescribeTargetHealth", "RegisterTargets"]
)
def test_a_lasting_refusal_fails_the_creation(world: World, sink: Sink, operation: str) -> None:
    """And is named."""
    world.elb.always[operation] = aws_error("AccessDenied", operation)

    body = serve(world, request("Create", sink), sink)

    assert body["Status"] == "FAILED"
    assert "AccessDenied" in body["Reason"]


def test_a_public_address_fails_the_creation(world: World, sink: Sink) -> None:
    """With what to do about it."""
    world.dns.set("3.120.1.2")

    assert "PubliclyAccessible" in serve(world, request("Create", sink), sink)["Reason"]


def test_a_listener_without_a_target_group_fails_the_creation(world: World, sink: Sink) -> None:
    """The stack has it, the load balancer does not."""
    body = serve(world, request("Create", sink, Listeners=LISTENERS | {"reporting": "other:5433"}), sink)

    assert (body["Status"], body["Reason"]) == (
        "FAILED",
        "reporting: no target group of the load balancer has this listener's tags",
    )


def test_an_update_keeps_what_is_registered(world: World, sink: Sink) -> None:
    """The name does not resolve any more: the old target stays, the update succeeds with a warning."""
    world.elb.hold("main", *endpoints([A]))
    world.dns.fail(Outcome.NXDOMAIN)

    with pytest.raises(Exception, match="NXDOMAIN"):  # the alarm rings all the same
        custom_resource.serve(request("Update", sink), Context(), lambda: world.fleet)

    body = sink.only()
    assert (body["Status"], body["Reason"]) == ("SUCCESS", f"Warning: main: {HOST}: NXDOMAIN: {HOST} fails")
    assert world.live() == {A}


def test_an_update_does_not_mind_old_targets_health(world: World, sink: Sink) -> None:
    """What was registered before may be unhealthy: that is no news of this deployment."""
    world.elb.hold("main", *endpoints([A]))
    world.elb.down.add(A)
    start = world.clock.time()

    assert serve(world, request("Update", sink), sink)["Status"] == "SUCCESS"

    assert world.clock.time() - start < 60.0


def test_an_update_to_a_dead_database_fails_and_its_rollback_succeeds(world: World, sink: Sink) -> None:
    """The new name's address never gets healthy: failed. Back to the old name: its target was kept, success."""
    tags = world.elb.groups[group_arn("main")].tags
    world.elb.hold("main", *endpoints([A]))
    tags |= {"pg-privatelink:followed": f"{HOST}:5432", "pg-privatelink:hostname": "new.example.com"}
    world.dns.set(B, hostname="new.example.com")
    world.elb.down.add(B)
    new = {"main": "new.example.com:5432"}

    body = serve(world, request("Update", sink, old=LISTENERS, Listeners=new, HealthyTimeoutSeconds="60"), sink)

    assert body["Status"] == "FAILED"
    assert f"{B}:5432 is unhealthy" in body["Reason"]
    assert world.live() == {A, B}

    sink.received.clear()
    world.elb.down.add(A)
    tags["pg-privatelink:hostname"] = HOST
    assert serve(world, request("Update", sink, old=new), sink)["Status"] == "SUCCESS"
    world.minutes(3)
    assert world.live() == {A}


def test_an_added_listener_fails_the_update_and_not_the_rollback(world: World, sink: Sink) -> None:
    """Its name does not resolve and it has no target: failed. The rollback knows it no longer, though it is there."""
    world.elb.hold("main", *endpoints([A]))
    world.elb.add("reporting", hostname="none.example.com", port=5433)
    both = LISTENERS | {"reporting": "none.example.com:5433"}

    body = serve(world, request("Update", sink, old=LISTENERS, Listeners=both), sink)
    assert body["Status"] == "FAILED"
    assert body["Reason"].startswith("reporting: none.example.com: NXDOMAIN")

    sink.received.clear()
    with pytest.raises(Exception, match="reporting"):
        custom_resource.serve(request("Update", sink, old=both), Context(), lambda: world.fleet)
    assert sink.only()["Status"] == "SUCCESS"


def test_an_update_that_adds_nothing_does_not_need_the_list(world: World, sink: Sink) -> None:
    """Throttled or denied for a minute: what is registered serves on, and a rollback must not fail for it."""
    world.elb.hold("main", *endpoints([A]))
    world.elb.always["DescribeTargetGroups"] = aws_error("AccessDenied", "DescribeTargetGroups")

    with pytest.raises(Exception, match="cannot be listed: AccessDenied"):  # the alarm rings all the same
        custom_resource.serve(request("Update", sink), Context(), lambda: world.fleet)

    assert sink.only()["Status"] == "SUCCESS"
    assert sink.only()["Reason"].startswith("Warning: the target groups cannot be listed: AccessDenied")
    assert world.live() == {A}


def test_an_update_that_adds_a_listener_needs_the_list(world: World, sink: Sink) -> None:
    """Otherwise the new listener would be complete without a target."""
    world.elb.always["DescribeTargetGroups"] = aws_error("AccessDenied", "DescribeTargetGroups")

    body = serve(world, request("Update", sink, Listeners=LISTENERS | {"reporting": "other:5433"}), sink)

    assert body["Status"] == "FAILED"
    assert "AccessDenied" in body["Reason"]


def test_an_update_does_not_mind_a_listener_that_never_worked(world: World, sink: Sink) -> None:
    """It is as it was before, without a target and without addresses: a warning, or no update could ever succeed."""
    world.dns.fail(Outcome.NXDOMAIN)

    with pytest.raises(Exception, match="NXDOMAIN"):
        custom_resource.serve(request("Update", sink), Context(), lambda: world.fleet)

    assert sink.only()["Status"] == "SUCCESS"
    assert sink.only()["Reason"].startswith("Warning: main")


def test_an_update_replaces_the_target_after_answering(world: World, sink: Sink) -> None:
    """A new name, both databases alive: answered once the new one is healthy; the old one goes within the same call."""
    tags = world.elb.groups[group_arn("main")].tags
    world.elb.hold("main", *endpoints([A]))
    tags |= {"pg-privatelink:followed": f"{HOST}:5432", "pg-privatelink:hostname": "new.example.com"}
    world.dns.set(B, hostname="new.example.com")

    body = serve(world, request("Update", sink, Listeners={"main": "new.example.com:5432"}), sink)

    assert body["Status"] == "SUCCESS"
    assert world.live() == {B}


def test_a_warm_process_reads_the_new_tags(world: World, sink: Sink) -> None:
    """The function followed another name a moment ago: the deployment's tags count."""
    world.minutes(2)
    world.elb.groups[group_arn("main")].tags["pg-privatelink:hostname"] = "new.example.com"
    world.dns.set(B, hostname="new.example.com")
    world.dns.fail(Outcome.NXDOMAIN)

    assert serve(world, request("Update", sink), sink)["Status"] == "SUCCESS"
    assert B in world.live()


@pytest.mark.parametrize("kind", ["Create", "Update"])
@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_the_same_request_twice(world: World, sink: Sink, kind: str, cold: bool) -> None:
    """CloudFormation may call twice: the same answer, and no further change."""
    first = serve(world, request(kind, sink), sink)
    log = list(world.elb.log)
    sink.received.clear()
    if cold:
        world.restart()

    assert serve(world, request(kind, sink), sink) == first
    assert world.elb.log == log


def test_a_code_only_upgrade(world: World, sink: Sink) -> None:
    """Nothing but the code's hash differs, and a new process answers: success, nothing changed, nothing waited for."""
    world.elb.groups[group_arn("main")].tags["pg-privatelink:followed"] = f"{HOST}:5432"
    world.elb.hold("main", *endpoints([A]))
    world.elb.down.add(A)
    event = request("Update", sink, CodeHash="2")
    event["OldResourceProperties"] = event["ResourceProperties"] | {"CodeHash": "1"}
    start = world.clock.time()

    body = serve(world, event, sink)

    assert (body["Status"], body["PhysicalResourceId"]) == ("SUCCESS", "postgres-targets")
    assert world.elb.log == []
    assert not world.elb.count().keys() & {"RegisterTargets", "DeregisterTargets", "AddTags"}
    assert world.clock.time() - start < 30.0


@pytest.mark.parametrize(("wait", "seconds"), [("false", "60"), ("False", "60.0"), (False, 60), ("true", "60")])
def test_scalars_may_be_strings(world: World, sink: Sink, wait: object, seconds: object) -> None:
    """CloudFormation makes strings of booleans and numbers; those of other callers mean the same."""
    world.elb.down.add(A)
    start = world.clock.time()

    body = serve(world, request("Create", sink, WaitForHealthy=wait, HealthyTimeoutSeconds=seconds), sink)

    assert body["Status"] == ("FAILED" if wait == "true" else "SUCCESS")
    assert world.clock.time() - start <= 62.0


def lasting(operation: str, code: str) -> Callable[[World], None]:
    """A trouble: the operation always fails."""
    return lambda world: world.elb.always.update({operation: aws_error(code, operation)})


def without_its_group(world: World) -> None:
    """A trouble: the added listener's group is not there."""
    del world.elb.groups[group_arn("added")]


ADDED = "added.example.com"
TROUBLES: dict[str, tuple[str, Callable[[World], None]]] = {
    "its name does not exist": ("NXDOMAIN", lambda world: world.dns.fail(Outcome.NXDOMAIN, ADDED)),
    "its name does not answer": ("TIMEOUT", lambda world: world.dns.fail(Outcome.TIMEOUT, ADDED)),
    "its address is public": ("PubliclyAccessible", lambda world: world.dns.set("3.120.1.2", hostname=ADDED)),
    "it is not healthy": ("Target.FailedHealthChecks", lambda world: world.elb.down.add(B)),
    "it has no group": ("no target group", without_its_group),
    "registering is denied": ("AccessDenied", lasting("RegisterTargets", "AccessDenied")),
    "registering is throttled": ("Throttling", lasting("RegisterTargets", "ThrottlingException")),
    "there are too many targets": ("TooManyTargets", lasting("RegisterTargets", "TooManyTargets")),
    "the target is invalid": ("InvalidTarget", lasting("RegisterTargets", "InvalidTarget")),
    "reading targets is denied": ("AccessDenied", lasting("DescribeTargetHealth", "AccessDenied")),
    "reading tags is denied": ("AccessDenied", lasting("DescribeTags", "AccessDenied")),
    "listing is denied": ("AccessDenied", lasting("DescribeTargetGroups", "AccessDenied")),
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
def test_whatever_fails_an_update_does_not_fail_its_rollback(
    world: World, sink: Sink, trouble: str, cold: bool
) -> None:
    """A listener is added and cannot work: the update fails and says why; going back succeeds while the trouble lasts.

    What was registered before is registered after each of the two.
    """
    said, cause = TROUBLES[trouble]
    world.elb.hold("main", *endpoints([A]))
    world.minutes(1)
    world.elb.add("added", hostname=ADDED)
    world.dns.set(B, hostname=ADDED)
    cause(world)
    both = LISTENERS | {"added": f"{ADDED}:5432"}

    body = serve(world, request("Update", sink, Listeners=both, HealthyTimeoutSeconds="90"), sink)

    assert body["Status"] == "FAILED"
    assert said in body["Reason"]
    assert world.live() == {A}
    sink.received.clear()
    if cold:
        world.restart()
    with contextlib.suppress(SyncError):  # the alarm rings all the same
        custom_resource.serve(request("Update", sink, old=both), Context(), lambda: world.fleet)
    assert sink.only()["Status"] == "SUCCESS"
    assert world.live() == {A}
    assert not world.elb.emptied


def test_deletion_does_nothing(sink: Sink) -> None:
    """Success, without so much as reading the settings."""

    def broken() -> Fleet:
        raise AssertionError

    custom_resource.serve(request("Delete", sink), Context(), broken)

    assert (sink.only()["Status"], sink.only()["PhysicalResourceId"]) == ("SUCCESS", "postgres-targets")


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_the_start_is_proved_at_once(world: World, sink: Sink, kind: str) -> None:
    """The function started and its settings are fine: no call is made."""
    event = request(kind, sink) | {"ResourceType": "Custom::PostgresTargetSyncStart"}
    event.pop("PhysicalResourceId", None)

    custom_resource.serve(event, Context(), lambda: world.fleet)

    assert sink.only()["Status"] == "SUCCESS"
    assert sink.only()["PhysicalResourceId"] == "postgres-target-sync-start"
    assert world.elb.calls == []


@pytest.mark.parametrize("resource_type", ["Custom::PostgresTargetSyncStart", "Custom::PostgresTargets"])
def test_wrong_settings_fail_at_once(sink: Sink, resource_type: str) -> None:
    """What is wrong is said, and nobody waits for a time-out."""

    def broken() -> Fleet:
        raise SettingsError("VPC_RANGES is empty")

    custom_resource.serve(request("Create", sink) | {"ResourceType": resource_type}, Context(), broken)

    assert (sink.only()["Status"], sink.only()["Reason"]) == ("FAILED", "SettingsError: VPC_RANGES is empty")


def test_an_unknown_resource_type_is_answered(world: World, sink: Sink) -> None:
    """A template made for another version must not hang."""
    body = serve(world, request("Create", sink) | {"ResourceType": "Custom::Other"}, sink)

    assert (body["Status"], body["Reason"]) == ("FAILED", "ResourceType 'Custom::Other' is not known")


def test_the_answer_is_sent_again_if_refused(world: World, sink: Sink) -> None:
    """S3 has a bad moment."""
    sink.refuse = 4

    assert serve(world, request("Create", sink), sink)["Status"] == "SUCCESS"


def test_the_answer_is_sent_again_if_its_response_is_lost(world: World, sink: Sink) -> None:
    """It was taken, but nobody said so: sent once more, the same to the letter."""
    sink.lose = 1

    custom_resource.serve(request("Create", sink), Context(), lambda: world.fleet)

    (_, first), (_, second) = sink.received
    assert first == second
    assert first["Status"] == "SUCCESS"


def test_an_answer_that_cannot_be_sent_is_an_error(world: World, sink: Sink) -> None:
    """Lambda counts it."""
    sink.refuse = 100

    with pytest.raises(OSError, match="503"):
        custom_resource.serve(request("Create", sink), Context(), lambda: world.fleet)


def test_the_answer_has_no_content_type(world: World, sink: Sink) -> None:
    """The signed address of the bucket allows none."""
    serve(world, request("Create", sink), sink)

    ((headers, _),) = sink.received
    assert headers["Content-Type"] == ""


def test_a_long_reason_is_cut(world: World, sink: Sink) -> None:
    """CloudFormation refuses responses above 4,096 bytes: the rest is in the log."""
    many = {f"listener{number}": "x:1" for number in range(50)}

    reason = serve(world, request("Create", sink, Listeners=many), sink)["Reason"]

    assert len(reason) == 1000
    assert reason.endswith(f"... (more in log stream {Context.log_stream_name})")


def test_the_wait_ends_before_the_function_does(world: World, sink: Sink) -> None:
    """Asked to wait longer than it may run: the answer comes with a margin."""
    world.elb.down.add(A)
    start = world.clock.time()

    custom_resource.serve(request("Create", sink, HealthyTimeoutSeconds="3600"), Context(100.0), lambda: world.fleet)

    assert sink.only()["Status"] == "FAILED"
    assert world.clock.time() - start <= 60.0

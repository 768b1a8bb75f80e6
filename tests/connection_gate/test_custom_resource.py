"""What CloudFormation is answered: zones that are learned, and connections that are rejected before deletion."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from connection_gate import custom_resource, rejection, zones
from tests.connection_gate.fakes import LISTED, OTHER, STACK, Aws, Endpoint, aws_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connection_gate.service import Service

NOT_CREATED = "postgres-connection-rejection-not-created"


class Context:
    """Lambda's context, at the beginning of an invocation."""

    log_stream_name = "2026/01/01/[$LATEST]0123456789abcdef"

    def get_remaining_time_in_millis(self) -> int:
        """Until the time-out."""
        return 900_000


class Answers:
    """Where responses are sent.

    Attributes:
        url: Its address.
        received: What came.
        refuse: So many requests are answered 503 first.
    """

    def __init__(self) -> None:
        self.url = ""
        self.received: list[dict[str, Any]] = []
        self.refuse = 0

    def only(self) -> dict[str, Any]:
        """The one response that came."""
        (found,) = self.received
        return found


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """An HTTP server on loopback in place of the bucket behind ResponseURL."""
    found = Answers()
    monkeypatch.setattr(custom_resource, "_PAUSE_SECONDS", 0.0)

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if found.refuse:
                found.refuse -= 1
                self.send_error(503)
                return
            found.received.append(json.loads(body))
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


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that passes only while somebody sleeps."""
    now = [1000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    for module in (rejection, zones):
        monkeypatch.setattr(module, "time", type("Clock", (), {"monotonic": lambda: now[0], "sleep": sleep}))
    monkeypatch.setattr(custom_resource, "time", type("Clock", (), {"monotonic": lambda: now[0], "sleep": time.sleep}))
    return now


def serve(
    aws: Aws, answers: Answers, kind: str, resource_type: str = custom_resource.ZONES_TYPE, **more: object
) -> dict[str, Any]:
    """Sends one request; returns the response."""
    event = {
        "RequestType": kind,
        "ResponseURL": answers.url,
        "StackId": STACK,
        "RequestId": "request-1",
        "LogicalResourceId": "Resource",
        "ResourceType": resource_type,
        "ResourceProperties": {},
        **({} if kind == "Create" else {"PhysicalResourceId": "as-made"}),
        **more,
    }
    service: Service = aws.service()
    custom_resource.serve(event, Context(), lambda: service)
    return answers.only()


MODIFY = "modify_vpc_endpoint_service_configuration"


class TestZones:
    def test_the_first_deployment_proves_the_permission(self, answers: Answers) -> None:
        """A modification changes nothing, and would fail now instead of in the year when a zone is added."""
        aws = Aws()

        response = serve(aws, answers, "Create")

        assert (response["Status"], response["PhysicalResourceId"]) == ("SUCCESS", "postgres-endpoint-service-zones")
        assert len(aws.called(MODIFY)) == 1

    @pytest.mark.parametrize(
        "operation",
        [MODIFY, "describe_load_balancers", "describe_vpc_endpoint_service_configurations"],
    )
    def test_a_missing_permission_fails_it(self, answers: Answers, operation: str, clock: list[float]) -> None:
        """At once, with AWS's own words."""
        aws = Aws(faults={operation: [aws_error("UnauthorizedOperation", operation)]})

        response = serve(aws, answers, "Create")

        assert response["Status"] == "FAILED"
        assert "UnauthorizedOperation" in response["Reason"]
        assert clock == [1000.0]

    def test_an_update_without_a_new_zone_asks_for_nothing(self, answers: Answers) -> None:
        """The function's code changed, say."""
        aws = Aws()

        response = serve(aws, answers, "Update")

        assert response["Status"] == "SUCCESS"
        assert aws.called(MODIFY) == []

    @pytest.mark.parametrize("kind", ["Create", "Update"])
    def test_a_new_zone_is_asked_for_until_it_is_there(self, answers: Answers, kind: str) -> None:
        """AWS says to wait a few minutes first: asking too early is repaired by asking again."""
        aws = Aws(zones=["eu-central-1a", "eu-central-1b", "eu-central-1c"], enable_after=4)

        response = serve(aws, answers, kind)

        assert (response["Status"], aws.enabled) == ("SUCCESS", aws.zones)
        assert "Warning" not in response["Reason"]
        assert len(aws.called(MODIFY)) == 4

    @pytest.mark.parametrize("kind", ["Create", "Update"])
    def test_throttling_is_waited_out(self, answers: Answers, kind: str) -> None:
        """Deployments are busy times."""
        throttled = [aws_error("RequestLimitExceeded", MODIFY) for _ in range(3)]
        aws = Aws(zones=["eu-central-1a", "eu-central-1c"], faults={MODIFY: throttled})

        response = serve(aws, answers, kind)

        assert (response["Status"], aws.enabled) == ("SUCCESS", ["eu-central-1a", "eu-central-1c"])

    @pytest.mark.parametrize("fault", ["UnauthorizedOperation", "RequestLimitExceeded"])
    def test_an_update_never_fails_for_it(self, answers: Answers, fault: str, clock: list[float]) -> None:
        """Its rollback would take the zone from the load balancer, which AWS refuses while somebody is connected."""
        aws = Aws(zones=["eu-central-1c"], faults={MODIFY: [aws_error(fault, MODIFY) for _ in range(1000)]})

        with pytest.raises(TimeoutError, match=f"{fault}.*modify-vpc-endpoint-service-configuration"):
            serve(aws, answers, "Update")

        response = answers.only()
        assert response["Status"] == "SUCCESS"
        assert response["Reason"].startswith(f"Warning: {fault}")
        # Answered within the 5 minutes that CloudFormation was promised, tried for as long as the function may run.
        assert 1000 + 800 < clock[0] < 1000 + 860

    def test_it_is_tried_on_after_the_answer(self, answers: Answers) -> None:
        """A zone that AWS takes ten minutes for is enabled all the same."""
        aws = Aws(zones=["eu-central-1a", "eu-central-1c"], enable_after=40)

        response = serve(aws, answers, "Update")

        assert response["Reason"] == "Warning: the service is not available in eu-central-1c yet"
        assert aws.enabled == aws.zones

    def test_a_zone_that_was_taken_away_is_no_matter(self, answers: Answers) -> None:
        """What the service has and the load balancer has not is for AWS to say."""
        aws = Aws(zones=["eu-central-1a"], enabled=["eu-central-1a", "eu-central-1b"])

        assert serve(aws, answers, "Update")["Status"] == "SUCCESS"
        assert aws.called(MODIFY) == []

    def test_deletion_asks_nothing(self, answers: Answers) -> None:
        """There is nothing to undo, and nothing that could stop it."""
        aws = Aws()

        assert serve(aws, answers, "Delete")["Status"] == "SUCCESS"
        assert aws.calls == []


REJECTION = custom_resource.REJECTION_TYPE
REJECT = "reject_vpc_endpoint_connections"


class TestRejection:
    @pytest.mark.parametrize("kind", ["Create", "Update"])
    def test_a_deployment_rejects_nobody(self, answers: Answers, kind: str) -> None:
        """It only proves that the deletion will be able to look."""
        aws = Aws({"vpce-1": Endpoint(LISTED, "available")})

        assert serve(aws, answers, kind, REJECTION)["Status"] == "SUCCESS"
        assert {name for name, _ in aws.calls} == {"describe_stacks", "describe_vpc_endpoint_connections"}

    @pytest.mark.parametrize("operation", ["describe_stacks", "describe_vpc_endpoint_connections"])
    def test_what_the_deletion_needs_is_missed_on_creation(self, answers: Answers, operation: str) -> None:
        """And the deletion that rolls the creation back succeeds, or it would fail for the same reason."""
        aws = Aws(faults={operation: [aws_error("AccessDenied", operation)]})

        response = serve(aws, answers, "Create", REJECTION)
        assert (response["Status"], response["PhysicalResourceId"]) == ("FAILED", NOT_CREATED)

        answers.received.clear()
        aws.calls.clear()
        response = serve(aws, answers, "Delete", REJECTION, PhysicalResourceId=NOT_CREATED)
        assert response["Status"] == "SUCCESS"
        assert aws.calls == []

    @pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"])
    def test_everybody_is_rejected(self, answers: Answers, status: str) -> None:
        """Connected or waiting, listed or not: AWS refuses to delete the service for each of them."""
        aws = Aws(
            {
                "vpce-1": Endpoint(LISTED, "available"),
                "vpce-2": Endpoint(OTHER, "pendingAcceptance"),
                "vpce-3": Endpoint(OTHER, "rejected"),
                "vpce-4": Endpoint(OTHER, "available", "vpce-svc-other"),
            },
            status=status,
        )

        response = serve(aws, answers, "Delete", REJECTION)

        assert (response["Status"], response["Reason"]) == ("SUCCESS", "Rejected: vpce-1, vpce-2")
        assert aws.called(REJECT) == [("vpce-1", "vpce-2")]
        assert aws.endpoints["vpce-4"].state == "available"

    @pytest.mark.parametrize(
        "status",
        [
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
            "UPDATE_IN_PROGRESS",
        ],
    )
    def test_turning_the_option_off_rejects_nobody(self, answers: Answers, status: str) -> None:
        """That deletes the custom resource, too."""
        aws = Aws({"vpce-1": Endpoint(LISTED, "available")}, status=status)

        response = serve(aws, answers, "Delete", REJECTION)

        assert response["Status"] == "SUCCESS"
        assert aws.endpoints["vpce-1"].state == "available"

    def test_a_late_acceptance_is_rejected_again(self, answers: Answers) -> None:
        """An invocation that looked before the rejection may accept after it; so we look twice."""
        aws = Aws({"vpce-1": Endpoint(LISTED)})
        looks = iter(range(100))

        def accepted_after_all(operation: str) -> None:
            if operation == "describe_vpc_endpoint_connections" and next(looks) == 2:
                aws.endpoints["vpce-1"].state = "available"

        aws.before = accepted_after_all

        assert serve(aws, answers, "Delete", REJECTION)["Status"] == "SUCCESS"
        assert aws.endpoints["vpce-1"].state == "rejected"
        assert len(aws.called(REJECT)) == 2

    @pytest.mark.parametrize(
        ("code", "end", "seconds"),
        [("UnauthorizedOperation", "UnauthorizedOperation it is", 0), ("InternalError", "delete the stack again", 295)],
    )
    def test_what_cannot_be_rejected_fails_it_and_can_be_repeated(
        self, answers: Answers, clock: list[float], code: str, end: str, seconds: int
    ) -> None:
        """Then nothing that connections need is deleted, and deleting the stack again tries again."""
        aws = Aws(
            {"vpce-1": Endpoint(LISTED, "available")}, faults={REJECT: [aws_error(code, REJECT) for _ in range(1000)]}
        )

        response = serve(aws, answers, "Delete", REJECTION)
        assert response["Status"] == "FAILED"
        assert code in response["Reason"]
        assert response["Reason"].endswith(end)
        assert response["PhysicalResourceId"] == "as-made"
        assert clock == [1000.0 + seconds]

        aws.faults.clear()
        answers.received.clear()
        assert serve(aws, answers, "Delete", REJECTION)["Status"] == "SUCCESS"

    def test_throttling_is_waited_out(self, answers: Answers) -> None:
        """Each look may do better."""
        aws = Aws(
            {"vpce-1": Endpoint(LISTED, "available")},
            faults={
                REJECT: [aws_error("RequestLimitExceeded", REJECT)],
                "describe_vpc_endpoint_connections": [aws_error("RequestLimitExceeded")],
            },
        )

        assert serve(aws, answers, "Delete", REJECTION)["Status"] == "SUCCESS"
        assert aws.endpoints["vpce-1"].state == "rejected"

    def test_a_service_that_is_gone_has_no_connections(self, answers: Answers) -> None:
        """Somebody deleted it by hand."""
        aws = Aws(
            {"vpce-1": Endpoint(LISTED, "available")},
            faults={REJECT: [aws_error("InvalidVpcEndpointServiceId.NotFound", REJECT)]},
        )

        assert serve(aws, answers, "Delete", REJECTION)["Status"] == "SUCCESS"

    def test_a_consumer_who_deletes_meanwhile_is_gone(self, answers: Answers) -> None:
        """AWS reports the endpoint, and the next look does not find it."""
        aws = Aws({"vpce-1": Endpoint(LISTED, "available")})

        def deleted(operation: str) -> None:
            if operation == REJECT:
                aws.endpoints.clear()

        aws.before = deleted

        assert serve(aws, answers, "Delete", REJECTION)["Status"] == "SUCCESS"


class TestAnswers:
    @pytest.mark.parametrize(("kind", "status"), [("Create", "FAILED"), ("Update", "FAILED"), ("Delete", "SUCCESS")])
    def test_an_unknown_type(self, answers: Answers, kind: str, status: str) -> None:
        """Only its deletion can succeed."""
        assert serve(Aws(), answers, kind, "Custom::Other")["Status"] == status

    def test_settings_that_cannot_be_read(self, answers: Answers) -> None:
        """Whatever goes wrong, CloudFormation hears of it."""

        def broken() -> Service:
            raise ValueError("SERVICE_ID is ''")

        event = {"RequestType": "Create", "ResponseURL": answers.url, "ResourceType": custom_resource.ZONES_TYPE}
        custom_resource.serve(event, Context(), broken)

        assert (answers.only()["Status"], answers.only()["Reason"]) == ("FAILED", "ValueError: SERVICE_ID is ''")

    def test_it_is_repeated(self, answers: Answers) -> None:
        """An answer that gets lost would hang the deployment."""
        answers.refuse = 3

        assert serve(Aws(), answers, "Create")["Status"] == "SUCCESS"

    def test_it_is_short(self, answers: Answers) -> None:
        """CloudFormation takes 4,096 bytes in all."""
        aws = Aws({f"vpce-{number:017x}": Endpoint(LISTED, "available") for number in range(200)})

        response = serve(aws, answers, "Delete", REJECTION)

        assert len(response["Reason"]) == 1000
        assert response["Reason"].endswith("(more in log stream 2026/01/01/[$LATEST]0123456789abcdef)")

"""CloudFormation's custom resources: the service learns its zones, and connections are rejected before deletion."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from .databases import Databases, uncovered
from .log import emit
from .rejection import reject_all
from .zones import learn_zones

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .service import Service

ZONES_TYPE = "Custom::PostgresEndpointServiceZones"
REJECTION_TYPE = "Custom::PostgresConnectionRejection"

_PHYSICAL_IDS = {ZONES_TYPE: "postgres-endpoint-service-zones", REJECTION_TYPE: "postgres-connection-rejection"}
_NEW_STACK = "CREATE_IN_PROGRESS"
_NOT_CREATED = "-not-created"  # ends the physical id of what failed: its deletion must not fail for the same reason
_PATIENCE_SECONDS = 300.0  # for each; CloudFormation waits somewhat longer for the answer
_MARGIN_SECONDS = 40.0  # kept back of the function's timeout to answer in any case
_REASON_LENGTH = 1000  # the whole response may have 4,096 bytes (CloudFormation User Guide, custom resource responses)
_ATTEMPTS = 5
_ANSWER_SECONDS = 4.0  # for one attempt: all of them fit into what is left of the margin
_PAUSE_SECONDS = 0.5  # after the first attempt to answer, and longer each time


class Context(Protocol):
    """What is used of Lambda's context object."""

    log_stream_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Until the function is stopped, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Response:
    """What CloudFormation is told.

    Attributes:
        failed: Whether the operation failed.
        reason: What failed, or what to know about a success.
        goes_on: Whether zones are missing that the service is to be reminded of after the answer.
    """

    failed: bool = False
    reason: str = ""
    goes_on: bool = False


def serve(
    event: Mapping[str, Any], context: Context, service: Callable[[], Service], databases: Databases | None = None
) -> None:
    """Handles a custom resource's request and answers it, whatever happens, before the function's time is up.

    `Custom::PostgresEndpointServiceZones` has the service learn its load balancer's zones, and asks RDS for those of
    the databases in its property `Databases`. An update never fails for either: its rollback would take the zone from
    the load balancer, which AWS refuses while somebody is connected, and databases that were served before go on being
    served. What the service has not learned then is tried for as long as the function may run.

    `Custom::PostgresConnectionRejection` does something on deletion only: it rejects all connections, and fails if some
    are left.
    """
    stop = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS
    try:
        end = min(stop, time.monotonic() + _PATIENCE_SECONDS)
        response = _serve(event, service, databases or Databases(), end)
    except Exception as error:  # noqa: BLE001  # without an answer the deployment would hang for the whole timeout
        response = Response(failed=True, reason=f"{type(error).__name__}: {error}")
    emit(
        "ERROR" if response.failed else "INFO",
        "answering CloudFormation",
        request=event.get("RequestType"),
        resource=event.get("LogicalResourceId"),
        failed=response.failed,
        reason=response.reason,
    )
    answer(event, response, context)
    if response.goes_on:
        problem = learn_zones(service(), stop)
        if problem:
            raise TimeoutError(f"{problem}; run aws ec2 modify-vpc-endpoint-service-configuration --service-id ...")


def answer(event: Mapping[str, Any], response: Response, context: Context) -> None:
    """Sends a response to the address that the request came with.

    Raises:
        OSError: All attempts failed.
    """
    # urllib.request is slow to import and needed here only.
    import urllib.request  # noqa: PLC0415

    reason = response.reason or f"See log stream {context.log_stream_name}"
    if len(reason) > _REASON_LENGTH:
        tail = f"... (more in log stream {context.log_stream_name})"
        reason = reason[: _REASON_LENGTH - len(tail)] + tail
    body = json.dumps(
        {
            "Status": "FAILED" if response.failed else "SUCCESS",
            "Reason": reason,
            "PhysicalResourceId": event.get("PhysicalResourceId") or _physical_id(event, failed=response.failed),
            "StackId": event.get("StackId", ""),
            "RequestId": event.get("RequestId", ""),
            "LogicalResourceId": event.get("LogicalResourceId", ""),
        }
    ).encode()
    # The signed address allows no content type; the scheme is the sender's choice.
    request = urllib.request.Request(  # noqa: S310
        event["ResponseURL"], data=body, method="PUT", headers={"Content-Type": ""}
    )
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS):  # noqa: S310
                return
        except OSError as error:
            emit("WARN", "CloudFormation could not be answered", attempt=attempt, cause=error)
            if attempt == _ATTEMPTS:
                raise
            time.sleep(_PAUSE_SECONDS * attempt)


def _physical_id(event: Mapping[str, Any], *, failed: bool) -> str:
    known = _PHYSICAL_IDS.get(event.get("ResourceType", ""), "unknown")
    return f"{known}{_NOT_CREATED}" if failed else known


def _serve(event: Mapping[str, Any], service: Callable[[], Service], databases: Databases, end: float) -> Response:
    kind, request = event.get("ResourceType"), event["RequestType"]
    if kind not in _PHYSICAL_IDS:
        # What was never made is deleted without ado.
        return Response(failed=request != "Delete", reason=f"ResourceType {kind!r} is not known")
    if kind == REJECTION_TYPE:
        if request != "Delete":
            # What is found out on deletion is found out too late.
            service().stack_status(event["StackId"])
            service().connections()
            return Response()
        if event.get("PhysicalResourceId", "").endswith(_NOT_CREATED):
            return Response(reason="Nothing was rejected: the resource was never created")
        return Response(reason=reject_all(service(), event["StackId"], end))
    if request == "Delete":
        return Response()
    return _zones(event, service(), databases, end)


def _zones(event: Mapping[str, Any], service: Service, databases: Databases, end: float) -> Response:
    first = event["RequestType"] == "Create"
    # First, since what is wrong here no waiting mends.
    problems = uncovered(service, event.get("ResourceProperties", {}).get("Databases", {}), databases)
    # An earlier release may have made the stack without this resource.
    if problems and first and service.stack_status(event["StackId"]) == _NEW_STACK:
        return Response(failed=True, reason="; ".join(problems))
    missing = learn_zones(service, end, first=first)
    told = [*problems, *([missing] if missing else [])]
    return Response(reason="; ".join(f"Warning: {each}" for each in told), goes_on=bool(missing))

"""CloudFormation's custom resources: a deployment waits for the function to start, and for the targets."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .deployment import Deployment
from .log import emit
from .report import observe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .watch import Fleet

START_TYPE = "Custom::PostgresTargetSyncStart"
TARGETS_TYPE = "Custom::PostgresTargets"

_PHYSICAL_IDS = {START_TYPE: "postgres-target-sync-start", TARGETS_TYPE: "postgres-targets"}
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


class Response(NamedTuple):
    """What CloudFormation is told.

    Attributes:
        failed: Whether the operation failed.
        reason: What failed, or what to know about a success.
    """

    failed: bool = False
    reason: str = ""


def serve(event: Mapping[str, Any], context: Context, fleet: Callable[[], Fleet]) -> None:
    """Handles a custom resource's request and answers it, whatever happens, before the function's time is up.

    `Custom::PostgresTargetSyncStart` succeeds if the settings can be read: it proves within a minute that the function
    starts at all, which a function that cannot start could not say. `Custom::PostgresTargets` registers the targets of
    all listeners and waits until they are healthy, if asked to. Deletion succeeds and does nothing.
    """
    end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS
    listeners: Fleet | None = None
    try:
        known = event.get("ResourceType") in _PHYSICAL_IDS
        if event["RequestType"] == "Delete":
            response = Response()
        elif not known:
            response = Response(failed=True, reason=f"ResourceType {event.get('ResourceType')!r} is not known")
        else:
            listeners = fleet()
            response = Response()
            if event["ResourceType"] == TARGETS_TYPE:
                response = _targets(event, listeners, end)
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
    if listeners is not None and event.get("ResourceType") == TARGETS_TYPE and not response.failed:
        # What the deployment replaced goes once it is confirmed gone: CloudFormation need not wait for that.
        listeners.watch(attend=0, limit=max(0.0, end - time.monotonic()))


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
    resource_type = event.get("ResourceType", "")
    body = json.dumps(
        {
            "Status": "FAILED" if response.failed else "SUCCESS",
            "Reason": reason,
            "PhysicalResourceId": event.get("PhysicalResourceId") or _PHYSICAL_IDS.get(resource_type, "unknown"),
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


def _targets(event: Mapping[str, Any], listeners: Fleet, end: float) -> Response:
    if listeners.settings.observe_only:
        return Response(reason=f"Only observed, nothing registered: {json.dumps(observe(listeners)['listeners'])}")
    properties = event.get("ResourceProperties", {})
    old = event.get("OldResourceProperties", {}).get("Listeners", {}) if event["RequestType"] == "Update" else None
    seconds = float(properties.get("HealthyTimeoutSeconds", "300"))
    deployment = Deployment(
        listeners,
        expected=properties.get("Listeners", {}),
        old=old,
        wait_for_healthy=str(properties.get("WaitForHealthy", "true")).lower() == "true",
        seconds=max(1.0, min(seconds, end - time.monotonic())),
    )
    problems, warnings = deployment.run()
    if problems:
        return Response(failed=True, reason="; ".join(problems))
    return Response(reason="; ".join(f"Warning: {warning}" for warning in warnings))

"""Rejecting every connection before the service is deleted: AWS deletes no service that somebody is connected to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .log import emit
from .service import code, is_denied, is_gone

if TYPE_CHECKING:
    from .service import Service

_DELETING = ("DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS")
_LOOKS = 2  # so many in a row must find nothing: an acceptance that was under way may still arrive
_PAUSE_SECONDS = 5.0


def reject_all(service: Service, stack_id: str, end: float) -> str:
    """Rejects all connections and waits until none is left, if the stack is being deleted.

    When the option is turned off, or the construct leaves a stack that stays, CloudFormation deletes the custom
    resource as well: then nothing is rejected.

    Args:
        service: The endpoint service.
        stack_id: The ARN of the stack.
        end: Until when to try, by the monotonic clock.

    Returns:
        What to tell of a success.

    Raises:
        TimeoutError: Some are still there. The deletion can be repeated.
        ClientError: The function lacks a permission.
    """
    status = service.stack_status(stack_id)
    if status not in _DELETING:
        emit("WARN", "nothing is rejected: the stack is not being deleted", status=status)
        return f"Nothing was rejected: the stack is {status}, not being deleted"
    rejected: set[str] = set()
    looks = 0
    while True:
        try:
            problem = _reject(service, rejected)
        except Exception as error:
            if is_gone(error):
                return "Nothing was rejected: the endpoint service does not exist any more"
            if is_denied(error):
                raise  # no waiting gives a permission
            problem = f"{code(error)}: {error}"
            emit("ERROR", "connections could not be rejected", code=code(error), cause=error)
        looks = 0 if problem else looks + 1
        if looks >= _LOOKS:
            return f"Rejected: {', '.join(sorted(rejected)) or 'nothing, nobody was connected'}"
        if time.monotonic() + _PAUSE_SECONDS >= end:
            raise TimeoutError(f"{problem or 'no time was left to look twice'}; delete the stack again")
        time.sleep(_PAUSE_SECONDS)


def _reject(service: Service, rejected: set[str]) -> str:
    """Looks once, and rejects whom it finds; returns who that was and why not, empty if it found nobody."""
    held = [each for each in service.connections() if each.holds]
    if not held:
        return ""
    refused = service.reject([each.endpoint_id for each in held])
    for each in held:
        if each.endpoint_id not in refused:
            rejected.add(each.endpoint_id)
            emit("INFO", "rejected a connection", endpoint=each.endpoint_id, account=each.owner)
    return "; ".join(f"{each.endpoint_id}: {refused.get(each.endpoint_id, 'still connected')}" for each in held)

"""Telling the service of zones that its load balancer gained: AWS does not enable them by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .log import emit
from .service import code, is_denied

if TYPE_CHECKING:
    from .service import Service

_PAUSE_SECONDS = 15.0


def learn_zones(service: Service, end: float, *, first: bool = False) -> str:
    """Asks for the zones until the service has all of its load balancer's: AWS may need some minutes.

    Args:
        service: The endpoint service.
        end: Until when to try, by the monotonic clock.
        first: Whether this is the first time: then it asks even if no zone is missing, and raises what goes wrong, so
            that a missing permission is told at once, not when a zone is added years later.

    Returns:
        What is still missing and why; empty if nothing is.
    """
    asked = False
    while True:
        failure: Exception | None = None
        try:
            if first and not asked:
                service.learn_zones()
                asked = True
            missing = service.missing_zones()
            if not missing:
                emit("INFO", "the service is available in all zones of its load balancer", asked=asked)
                return ""
            problem = f"the service is not available in {', '.join(missing)} yet"
            service.learn_zones()
            asked = True
        except Exception as error:
            if first and is_denied(error):
                raise
            failure, problem = error, f"{code(error)}: {error}"
        emit("WARN", "zones of the load balancer are not enabled on the service", cause=problem)
        if time.monotonic() + _PAUSE_SECONDS >= end:
            if first and failure is not None:
                raise failure
            return problem
        time.sleep(_PAUSE_SECONDS)

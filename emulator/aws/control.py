"""What a test or a drill may change about the emulator while it runs: settings, faults, events, and a journal.

Served beside AWS's APIs at `/_emulator/...` as JSON; `emulator.control.Control` is the client. Everything is off, or
at the value AWS documents, until somebody asks.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from ministack.core.responses import get_account_id, request_scope
from ministack.services import eventbridge

PREFIX = "/_emulator/"
DATA_PLANE = "emulated-data-plane"
"""What `User-Agent` has where the data plane looks at its targets."""


@dataclass(frozen=True)
class Settings:
    """How fast the emulated parts of AWS are.

    Attributes:
        registration_seconds: Time a new target stays `initial` before its first health check. AWS takes tens of
            seconds to minutes and publishes no figure; 0 here.
        health_check_interval_scale: Factor on every target group's health-check interval and timeout.
        healthy_on_first_check: Whether one passed check makes a *new* target healthy, whatever the threshold, as AWS
            documents it.
        drain_scale: Factor on every deregistration delay.
        failover_seconds: Time between the first and the last RDS event of a failover.
        metric_period_scale: Factor on the minute after which AWS sends metrics, and on the periods of alarms.
        elb_seconds: Time that each call to Elastic Load Balancing waits before it is looked at. The data plane's own
            looks are not slowed: AWS's does not use that interface.
    """

    registration_seconds: float = 0.0
    health_check_interval_scale: float = 1.0
    healthy_on_first_check: bool = True
    drain_scale: float = 1.0
    failover_seconds: float = 2.0
    metric_period_scale: float = 1.0
    elb_seconds: float = 0.0


@dataclass
class Fault:
    """An error that the next calls of an action get instead of an answer.

    Attributes:
        service: botocore's name of the service: `ec2`, `elbv2` or `rds`.
        action: The action, for example `RegisterTargets`.
        times: How many calls fail from now on.
        code: The error code they get.
        message: The text they get.
        resource: Only calls that name this id or ARN in any parameter fail; empty: all calls of the action.
    """

    service: str
    action: str
    times: int
    code: str = "ThrottlingException"
    message: str = "Rate exceeded"
    resource: str = ""


settings = Settings()
# What other modules of the extension serve: from method and path to a function of the JSON given.
served: dict[tuple[str, str], Callable[[dict[str, Any]], object]] = {}
# Set when settings change: whoever sleeps by one of them looks again.
changed = threading.Event()
_faults: list[Fault] = []
_calls: deque[dict[str, Any]] = deque(maxlen=10_000)
_lock = threading.Lock()


def record(service: str, action: str, form: dict[str, list[str]]) -> tuple[str, str] | None:
    """Note an API call and return the error code and message it must get, if any."""
    parameters = {name: value[0] for name, value in form.items() if value and name not in {"Action", "Version"}}
    with _lock:
        fault = next(
            (
                fault
                for fault in _faults
                if (fault.service, fault.action) == (service, action)
                and fault.times > 0
                and (not fault.resource or fault.resource in parameters.values())
            ),
            None,
        )
        if fault:
            fault.times -= 1
        _calls.append(
            {
                "time": time.time(),
                "account": get_account_id(),
                "service": service,
                "action": action,
                "parameters": parameters,
                "error": fault.code if fault else None,
            }
        )
    return (fault.code, fault.message) if fault else None


def publish(source: str, detail_type: str, resources: list[str], detail: dict[str, Any]) -> None:
    """Put an event of an AWS service on the default bus of the current account and Region."""
    entry = {"Source": source, "DetailType": detail_type, "Resources": resources, "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def answer(method: str, path: str, body: bytes) -> tuple[int, object]:
    """Answer one request to the control: status and what goes back as JSON."""
    try:
        return _answer(method, path, json.loads(body) if body else {})
    except (KeyError, TypeError, ValueError) as error:
        return 400, {"message": str(error)}


def _answer(method: str, path: str, given: dict[str, Any]) -> tuple[int, object]:
    global settings  # noqa: PLW0603  # one emulator, one set of settings
    result: object = {}
    match method, path.removeprefix(PREFIX):
        case "GET", "settings":
            result = asdict(settings)
        case "PUT", "settings":
            settings = replace(settings, **given)
            changed.set()
        case "POST", "faults":
            with _lock:
                _faults.append(Fault(**given))
        case "DELETE", "faults":
            with _lock:
                _faults.clear()
        case "GET", "calls":
            with _lock:
                result = list(_calls)
        case "POST", "events":
            with request_scope(given["account"], given["region"]):
                publish(given["source"], given["detail-type"], given["resources"], given["detail"])
        case known if known in served:
            result = served[known](given)
        case _:
            return 404, {"message": f"unknown control {method} {path}"}
    return 200, result

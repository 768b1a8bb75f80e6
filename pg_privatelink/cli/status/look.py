"""Reads what `status` shows. A part that may not be read leaves the others alone."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.alarms import passing, read_alarms
from pg_privatelink.cli.connections import read_connections, read_principals
from pg_privatelink.cli.decisions import FAILED, Line, last_change, read_lines, stamp, told
from pg_privatelink.cli.explain import ERRORS, explain
from pg_privatelink.cli.listeners import read_listeners, read_targets
from pg_privatelink.cli.observation import observe
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.status.state import Alarm, State, listener_state

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_ec2 import EC2Client

    from pg_privatelink.cli.alarms import Row
    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.service import Service


def look(aws: Aws, service: Service) -> State:
    """Return the state of a service now.

    Args:
        aws: Where it is.
        service: The service.
    """
    state = State(service)
    with _part(state, "endpoint service"):
        state.configuration = _configuration(aws, service)
    with _part(state, "principals"):
        state.principals = read_principals(aws, service_id=service.id)
    with _part(state, "connections"):
        state.connections = read_connections(aws, service_id=service.id)
    report: dict[str, Any] | None = None
    if service.function_name:
        with _part(state, "DNS"):
            report = observe(aws, service.function_name)
    with _part(state, "listeners"):
        state.listeners = [
            listener_state(
                listener,
                read_targets(aws, listener.target_group_arn),
                (report or {}).get("listeners", {}).get(listener.name),
                asked=report is not None,
            )
            for listener in read_listeners(aws, service)
        ]
    if service.log_group_name:
        with _part(state, "last change"):
            _read_log(aws, service.log_group_name, state)
    with _part(state, "alarms"):
        rows = read_alarms(aws, service)
        late = passing(rows, state.connections)
        state.alarms = [_alarm(row, late.get(row["AlarmName"], "")) for row in rows]
    return state


@contextlib.contextmanager
def _part(state: State, name: str) -> Iterator[None]:
    """Note what keeps a part from being read, and go on."""
    try:
        yield
    except (Problem, *ERRORS) as error:
        state.unknown[name] = explain(error)


def _configuration(aws: Aws, service: Service) -> dict[str, Any]:
    ec2: EC2Client = aws.client("ec2")
    (row,) = ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[service.id])["ServiceConfigurations"]
    return {
        "state": row["ServiceState"],
        "acceptance_required": row["AcceptanceRequired"],
        "zones": row.get("AvailabilityZoneIds") or row.get("AvailabilityZones", []),
    }


def _read_log(aws: Aws, log_group: str, state: State) -> None:
    now = dt.datetime.now(dt.UTC)
    change = last_change(aws, log_group, now=now)
    state.last_change = _told(change) if change else {}
    failures = read_lines(aws, log_group, since=now - dt.timedelta(hours=1), message=FAILED)
    state.failures = [_told(line) for line in failures]


def _told(line: Line) -> dict[str, str]:
    listener, what, why = told(line)
    return {"at": stamp(line.at), "listener": listener, "what": what, "why": why}


def _alarm(row: Row, goes_off: str) -> Alarm:
    return Alarm(
        label=row["Label"],
        name=row["AlarmName"],
        state=row["StateValue"],
        since=stamp(row["StateUpdatedTimestamp"]) if "StateUpdatedTimestamp" in row else "",
        reason=row.get("StateReason", ""),
        description=row.get("AlarmDescription", ""),
        goes_off=goes_off,
    )

"""Decisions: the lines that the function writes to its log, read and told in words."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_logs import CloudWatchLogsClient

    from pg_privatelink.cli.aws import Aws

ROUTINE = "watched"
"""The message of the line that each invocation ends with."""

CHANGED = "changed"
FAILED = "listener failed"

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SINCE = re.compile(r"(\d+)([smhd])")
_NOTICES = ("WARN", "WARNING")
_ERRORS = ("ERROR", "FATAL", "CRITICAL")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the function's log.

    Attributes:
        at: When it was written, by the function's clock if it says so.
        event_id: What CloudWatch Logs calls it by.
        text: The line as it stands in the log.
        fields: What it says, if it is JSON; else its text as `message`.
    """

    at: dt.datetime
    event_id: str
    text: str
    fields: Mapping[str, Any]

    @property
    def message(self) -> str:
        """What happened."""
        return str(self.fields.get("message", ""))

    @property
    def is_routine(self) -> bool:
        """Whether it tells no decision: the summary of an invocation, or what Lambda says of every one."""
        if "type" in self.fields and "level" not in self.fields:
            return str(self.fields["type"]).startswith("platform.") and not self.is_error
        return self.message == ROUTINE or self.text.startswith(("START ", "END ", "REPORT ", "INIT_START "))

    @property
    def changes_targets(self) -> bool:
        """Whether it tells of targets that were registered or deregistered."""
        return self.message == CHANGED and not {"registered", "deregistered"}.isdisjoint(self.fields)

    @property
    def is_error(self) -> bool:
        """Whether something failed."""
        record = self.fields.get("record", {})
        failed = isinstance(record, dict) and record.get("status") in {"error", "timeout"}
        return (
            failed
            or self.fields.get("failed") is True
            or self.fields.get("level") in _ERRORS
            or "Task timed out" in self.text
        )

    @property
    def verdict(self) -> str:
        """Its colour: `problem`, `unknown` for a warning, or none."""
        if self.is_error:
            return "problem"
        return "unknown" if self.fields.get("level") in _NOTICES else ""


def parse_line(text: str, *, at: dt.datetime, event_id: str = "") -> Line:
    """Read a line of the log.

    Args:
        text: The line.
        at: When CloudWatch Logs says it was written.
        event_id: What CloudWatch Logs calls it by.
    """
    try:
        fields = json.loads(text)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        fields = {"message": text.strip()}
    # The function's own clock: lines can reach CloudWatch Logs together, some time later.
    with contextlib.suppress(ValueError):
        at = dt.datetime.fromisoformat(str(fields.get("timestamp"))).astimezone(dt.UTC)
    return Line(at=at, event_id=event_id, text=text.strip(), fields=fields)


def told(line: Line) -> tuple[str, str, str]:
    """Return which listener a line is about, what was done, and why; empty where it does not say."""
    fields = line.fields
    listener = str(fields.get("listener") or "")
    why = str(fields.get("cause") or "")
    record = fields.get("record")
    if "registered" in fields:
        what = f"registered {_and(fields['registered'])}"
        if "seconds" in fields:
            what += f", {fields['seconds']:.1f} s after DNS named it"
    elif "deregistered" in fields:
        what = f"deregistered {_and(fields['deregistered'])}"
    elif "followed" in fields:
        what = f"recorded that it holds the addresses of {fields['followed']}"
    elif "request" in fields and "resource" in fields:
        what = f"answered CloudFormation: {fields['request']} of {fields['resource']} "
        what += "failed" if fields.get("failed") else "succeeded"
        why = str(fields.get("reason") or "")
    elif fields.get("errorMessage"):
        what, why = str(fields.get("errorType") or "failed"), str(fields["errorMessage"])
    elif isinstance(record, dict) and "type" in fields:
        what, why = str(fields["type"]), str(record.get("errorType") or record.get("status") or "")
    elif line.message == ROUTINE:
        what = (
            f"watched {fields.get('listeners')} listeners, {fields.get('looks')} looks, {fields.get('changes')} changes"
        )
    else:
        what = " ".join(line.message.split())
    if line.message.startswith("would "):
        what = f"would have {what}"
    return listener, what, why


def stamp(at: dt.datetime) -> str:
    """Return a time as it is printed everywhere: in UTC, as AWS's own consoles and events can be set to."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def parse_since(text: str, *, now: dt.datetime) -> dt.datetime:
    """Return the time that --since means.

    Args:
        text: A duration (90s, 15m, 1h, 2d), or a time in ISO 8601 (2026-01-31T14:00Z; without a zone it is UTC).
        now: The time now.

    Raises:
        Problem: It is neither.
    """
    duration = _SINCE.fullmatch(text.strip())
    try:
        if duration:
            return now - dt.timedelta(**{_UNITS[duration[2]]: int(duration[1])})
        at = dt.datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise Problem(
            f"--since {text} is neither a duration nor a time", "give one like 90s, 15m, 1h, 2d or 2026-01-31T14:00Z"
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def read_lines(
    aws: Aws,
    log_group: str,
    *,
    since: dt.datetime,
    until: dt.datetime | None = None,
    message: str | None = None,
) -> Iterator[Line]:
    """Return lines of a log group in the order in which CloudWatch Logs gives them.

    Args:
        aws: Where it is.
        log_group: Its name.
        since: The first moment.
        until: The first moment that is too late (default: now).
        message: Only lines with exactly this message (default: all).
    """
    logs: CloudWatchLogsClient = aws.client("logs")
    limits: dict[str, Any] = {"startTime": _milliseconds(since)}
    if until is not None:
        limits["endTime"] = _milliseconds(until) - 1  # the API's end belongs to what it returns
    if message is not None:
        limits["filterPattern"] = f'{{ $.message = "{message}" }}'
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName=log_group, **limits):
        for event in page["events"]:
            at = dt.datetime.fromtimestamp(event["timestamp"] / 1000, tz=dt.UTC)
            line = parse_line(event["message"], at=at, event_id=event.get("eventId", ""))
            if message in {None, line.message}:
                yield line


def last_change(aws: Aws, log_group: str, *, now: dt.datetime) -> Line | None:
    """Return the last line of changed targets, looked for in ever longer stretches of the month that logs are kept."""
    until = now
    for hours in (1, 24, 24 * 31):
        since = now - dt.timedelta(hours=hours)
        lines = read_lines(aws, log_group, since=since, until=until, message=CHANGED)
        changes = [line for line in lines if line.changes_targets]
        if changes:
            return max(changes, key=lambda line: line.at)
        until = since
    return None


def _milliseconds(at: dt.datetime) -> int:
    return int(at.timestamp() * 1000)


def _and(values: object) -> str:
    return " and ".join(map(str, values)) if isinstance(values, list) and values else "nothing"

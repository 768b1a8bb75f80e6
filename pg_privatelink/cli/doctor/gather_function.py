"""Reads the facts about the function that follows DNS: what it sees, what runs it, what it did."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.decisions import FAILED, Line, last_change, read_lines, stamp, told
from pg_privatelink.cli.doctor.facts import Change, read
from pg_privatelink.cli.explain import ERRORS, code
from pg_privatelink.cli.observation import observe
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_lambda import LambdaClient

    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.doctor.facts import Facts, Row
    from pg_privatelink.cli.service import Service

_EVENT_RULE = "AWS::Events::Rule"
_RULES = re.compile(r".*TargetSync(?P<schedule>Schedule)?(EventRules.*)?[0-9A-F]{8}")
_NOT_FOUND = "ResourceNotFoundException"


def gather_function(aws: Aws, facts: Facts) -> None:
    """Read the facts; without a function there is nothing to read.

    Args:
        aws: Where the service is.
        facts: Where to put them.
    """
    service = facts.service
    name, log_group = service.function_name, service.log_group_name
    facts.report = read(lambda: observe(aws, name)) if name else None
    facts.rules = read(lambda: _rules(aws, service, name)) if name else ()
    facts.invokers = read(lambda: _invokers(aws, name)) if name else ()
    facts.concurrency = read(lambda: _concurrency(aws, name)) if name else None
    now = dt.datetime.now(dt.UTC)
    if log_group is None:
        facts.last_change, facts.failures = None, ()
        return
    change = read(lambda: last_change(aws, log_group, now=now))
    facts.last_change = change if change is None or isinstance(change, Problem) else _change(change)
    since = now - dt.timedelta(hours=1)
    facts.failures = read(lambda: [_change(line) for line in read_lines(aws, log_group, since=since, message=FAILED)])


def _change(line: Line) -> Change:
    listener, what, why = told(line)
    return Change(stamp(line.at), listener, what, why)


def _rules(aws: Aws, service: Service, function: str) -> list[Row]:
    """Return the rules that run the function, the schedule first.

    Each is DescribeRule's answer with `Runs`, whether the function is among its targets, and `Schedule`, whether it is
    the schedule. Of a rule that is gone `State` is DELETED.
    """
    events: EventBridgeClient = aws.client("events")
    partition = service.load_balancer_arn.split(":")[1]
    arn = f"arn:{partition}:lambda:{service.region}:{service.account}:function:{function}"
    pages = events.get_paginator("list_rule_names_by_target").paginate(TargetArn=arn)
    running = {name for page in pages for name in page["RuleNames"]}
    found: list[Row] = []
    for each in service.of_type(_EVENT_RULE):
        matched = _RULES.fullmatch(each.logical_id)
        if matched is None:
            continue
        name = re.split(r"[|/]", each.physical_id)[-1]  # of a rule on the default bus it is the name alone
        found.append({**_rule(events, name), "Runs": name in running, "Schedule": bool(matched["schedule"])})
    return sorted(found, key=lambda row: not row["Schedule"])


def _rule(events: EventBridgeClient, name: str) -> dict[str, Any]:
    try:
        row: Any = events.describe_rule(Name=name)
    except ERRORS as error:
        if getattr(error, "response", None) and code(error) == _NOT_FOUND:  # type: ignore[arg-type]
            return {"Name": name, "State": "DELETED"}
        raise
    return {"Name": row["Name"], "State": row["State"]}


def _invokers(aws: Aws, name: str) -> list[Row]:
    """Return the statements of the function's own policy."""
    client: LambdaClient = aws.client("lambda")
    try:
        policy = client.get_policy(FunctionName=name)["Policy"]
    except ERRORS as error:
        if getattr(error, "response", None) and code(error) == _NOT_FOUND:  # type: ignore[arg-type]
            return []
        raise
    statements: list[Row] = json.loads(policy)["Statement"]
    return statements


def _concurrency(aws: Aws, name: str) -> int | None:
    client: LambdaClient = aws.client("lambda")
    return client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")

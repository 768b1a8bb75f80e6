"""The commands `accept` and `reject`: the answer to consumers that made an endpoint."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.connections import (
    REJECTED,
    WAITING,
    Connection,
    admitted_by,
    read_connections,
    read_principals,
)
from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.service import find_service

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_ec2 import EC2Client

    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.screen import Screen
    from pg_privatelink.cli.service import Service

_ENDPOINT_ID = re.compile(r"vpce-(?!svc-)[0-9a-f]{8,17}")


class Answer(enum.Enum):
    """What is said to a consumer."""

    ACCEPT = "accept"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done.

    Attributes:
        change: The connections to answer.
        done: Those that have this answer already.
        admitted_by: The principal that admits each one's owner, by endpoint; None: none does.
    """

    change: tuple[Connection, ...]
    done: tuple[Connection, ...]
    admitted_by: dict[str, str | None]


def plan(
    verb: Answer,
    endpoint_ids: Sequence[str],
    *,
    service: Service,
    connections: Sequence[Connection],
    principals: Sequence[str],
) -> Plan:
    """Decide what to do, all or nothing.

    Args:
        verb: The answer.
        endpoint_ids: The endpoints to answer.
        service: The service that the user means.
        connections: The connections of all services of the account.
        principals: Who may make endpoints of this service.

    Raises:
        Problem: An id is none of this service's endpoints, or may not be accepted.
    """
    asked = list(dict.fromkeys(endpoint_ids))
    for endpoint_id in asked:
        _check_id(endpoint_id)
    by_id = {each.endpoint_id: each for each in connections if each.service_id == service.id}
    elsewhere = {each.endpoint_id: each.service_id for each in connections if each.service_id != service.id}
    for endpoint_id in asked:
        if endpoint_id not in by_id:
            raise _not_here(endpoint_id, service=service, other=elsewhere.get(endpoint_id), known=by_id)
    chosen = [by_id[endpoint_id] for endpoint_id in asked]
    admitted = {each.endpoint_id: admitted_by(principals, owner=each.owner) for each in chosen}
    open_states = (WAITING, REJECTED) if verb is Answer.ACCEPT else ("pending", "partial", "available", WAITING)
    change = tuple(each for each in chosen if each.is_in(*open_states))
    done_states = ("available", "pending", "partial") if verb is Answer.ACCEPT else (REJECTED,)
    for each in chosen:
        if not each.is_in(*open_states, *done_states):
            raise Problem(
                f"{each.endpoint_id} is {each.state}: it can no longer be {verb.value}ed",
                "the consumer has to make another endpoint",
            )
    if verb is Answer.ACCEPT:
        for each in change:
            if admitted[each.endpoint_id] is None:
                raise Problem(
                    f"{each.endpoint_id} belongs to account {each.owner}, which none of the principals of "
                    f"service {service.name} names ({', '.join(principals) or 'there are none'})",
                    "if it is your consumer's, name it under consumers and deploy; "
                    f"if not: pg-privatelink reject {each.endpoint_id}",
                )
    return Plan(change=change, done=tuple(each for each in chosen if each not in change), admitted_by=admitted)


def answer(
    aws: Aws,
    screen: Screen,
    *,
    verb: Answer,
    endpoint_ids: Sequence[str],
    service: str | None,
    stack: str | None,
    yes: bool,
) -> int:
    """Accept or reject connections, after showing whose they are.

    Args:
        aws: Where the service is.
        screen: What to print on.
        verb: The answer.
        endpoint_ids: The endpoints.
        service: The service's name or id.
        stack: Its stack's name.
        yes: Whether it is done without asking.

    Returns:
        The exit code.

    Raises:
        Problem: It cannot be done; then nothing was.
    """
    found = find_service(aws, service=service, stack=stack)
    todo = plan(
        verb,
        endpoint_ids,
        service=found,
        connections=read_connections(aws),
        principals=read_principals(aws, service_id=found.id),
    )
    if not screen.as_json:
        _show(screen, verb, found, todo)
    if todo.change and not yes and not screen.confirm(_question(verb, todo)):
        raise Problem("nothing was changed", "say yes, or give --yes", exit_code=ExitCode.PROBLEM)
    refused = _send(aws, verb, found, todo)
    after = {each.endpoint_id: each.state for each in read_connections(aws, service_id=found.id)}
    if screen.as_json:
        screen.document(_document(verb, found, todo, refused, after))
    else:
        for each in todo.change:
            state = after.get(each.endpoint_id, "gone")
            why = refused.get(each.endpoint_id)
            screen.say(
                f"{each.endpoint_id} is {state}" + (f": AWS refused ({why})" if why else ""),
                verdict="problem" if why else "ok",
            )
    return int(ExitCode.PROBLEM if refused else ExitCode.OK)


def _check_id(endpoint_id: str) -> None:
    if endpoint_id.startswith("vpce-svc-"):
        raise Problem(
            f"{endpoint_id} is the id of a service", "give the endpoint's: 'pg-privatelink status' lists them"
        )
    if not _ENDPOINT_ID.fullmatch(endpoint_id):
        raise Problem(
            f"'{endpoint_id}' is not the id of an endpoint",
            "give one like vpce-0123456789abcdef0: 'pg-privatelink status' lists them",
        )


def _not_here(endpoint_id: str, *, service: Service, other: str | None, known: dict[str, Connection]) -> Problem:
    if other:
        return Problem(
            f"{endpoint_id} is connected to another service, {other}, not to {service.name} ({service.id})",
            f"if you mean that one, give --service {other}",
        )
    listed = ", ".join(sorted(known)) or "none"
    return Problem(
        f"service {service.name} ({service.id}) has no endpoint {endpoint_id}",
        f"its endpoints are: {listed}; one that the consumer deleted is gone for good",
    )


def _question(verb: Answer, todo: Plan) -> str:
    count = len(todo.change)
    which = f"account {todo.change[0].owner}" if count == 1 else f"these {count}"
    if verb is Answer.ACCEPT:
        return f"Let {which} connect to your database?"
    cut = any(not each.is_in(WAITING) for each in todo.change)
    return f"Reject {which}{', and end its connections' if cut else ''}?"


def _show(screen: Screen, verb: Answer, service: Service, todo: Plan) -> None:
    screen.say(f"Service {service.name}, {service.id}, account {service.account}, {service.region}")
    screen.table(
        ["endpoint", "account", "state", "admitted as"],
        [
            [each.endpoint_id, each.owner, each.state, _admission(todo.admitted_by[each.endpoint_id])]
            for each in (*todo.change, *todo.done)
        ],
        whole=["endpoint", "account", "state"],
    )
    for each in todo.done:
        screen.say(f"{each.endpoint_id} is {each.state} already: nothing to {verb.value}")


def _admission(principal: str | None) -> str:
    """Return by what an account is admitted; the account itself stands beside it."""
    if principal is None:
        return "not admitted"
    if principal == "*":
        return "* (anybody may ask)"
    own = principal.rpartition(":")[2]
    return own if "/" in own else "the whole account"


def _send(aws: Aws, verb: Answer, service: Service, todo: Plan) -> dict[str, str]:
    """Answer; returns why AWS refused, by endpoint."""
    if not todo.change:
        return {}
    ec2: EC2Client = aws.client("ec2")
    ids = [each.endpoint_id for each in todo.change]
    if verb is Answer.ACCEPT:
        result: Any = ec2.accept_vpc_endpoint_connections(ServiceId=service.id, VpcEndpointIds=ids)
    else:
        result = ec2.reject_vpc_endpoint_connections(ServiceId=service.id, VpcEndpointIds=ids)
    return {row["ResourceId"]: row.get("Error", {}).get("Message", "") for row in result.get("Unsuccessful", [])}


def _document(
    verb: Answer, service: Service, todo: Plan, refused: dict[str, str], after: dict[str, str]
) -> dict[str, Any]:
    return {
        "service": service.name,
        "service_id": service.id,
        "answer": verb.value,
        "connections": [
            {
                "endpoint_id": each.endpoint_id,
                "owner": each.owner,
                "admitted_by": todo.admitted_by[each.endpoint_id],
                "before": each.state,
                "state": after.get(each.endpoint_id),
                "refused": refused.get(each.endpoint_id),
            }
            for each in (*todo.change, *todo.done)
        ],
    }

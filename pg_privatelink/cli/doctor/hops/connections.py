"""The consumers' endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.connections import AVAILABLE, LOST, REJECTED, WAITING, admitted_by
from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.connections import Connection
    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding

_ON_THE_WAY = ("pending", "partial")


def check(facts: Facts) -> Iterator[Finding]:
    """Each consumer has an endpoint that is accepted."""
    connections = known(facts.connections)
    principals = facts.principals if not isinstance(facts.principals, Exception) else ["*"]
    connected = {each.owner for each in connections if each.is_in(AVAILABLE)}
    wrong = [
        finding
        for each in connections
        if each.is_in(WAITING) or each.owner not in connected
        for finding in [_look(each, facts, principals)]
        if finding is not None
    ]
    yield from wrong
    fine = [each for each in connections if each.is_in(AVAILABLE)]
    if fine:
        yield ok("; ".join(f"{each.endpoint_id} of account {each.owner} is {each.state}" for each in fine))
    elif not wrong:
        yield unknown(
            "no consumer has an endpoint, so nothing connects yet",
            "send the request ('pg-privatelink request'); if the consumer says that it made its endpoint, compare the "
            f"service's name: {facts.service.endpoint_service_name}",
        )


def _look(connection: Connection, facts: Facts, principals: object) -> Finding | None:
    known_principals = principals if isinstance(principals, list) else ["*"]
    admitted = admitted_by(known_principals, owner=connection.owner) is not None
    who = f"{connection.endpoint_id} of account {connection.owner}"
    given = f"--service {facts.service.id}"
    if connection.is_in(WAITING) and not admitted:
        return problem(
            f"{who} waits to be accepted, but no principal names that account",
            "if it is your consumer's, name it under 'consumers' and deploy; if not, turn it away",
            f"pg-privatelink reject {connection.endpoint_id} {given}",
        )
    if connection.is_in(WAITING):
        return problem(
            f"{who} waits to be accepted",
            "see that the account is your consumer's, and accept it",
            f"pg-privatelink accept {connection.endpoint_id} {given}",
        )
    if connection.is_in(REJECTED) and admitted:
        return problem(
            f"{who} is rejected, and that account has no other endpoint that is connected",
            "if it is your consumer's, accept it after all; if you turned it away on purpose, have it deleted, or take "
            "its principal away",
            f"pg-privatelink accept {connection.endpoint_id} {given}",
        )
    if connection.is_in(*LOST):
        return problem(f"{who} is {connection.state}", "have the consumer delete it and make another endpoint")
    if connection.is_in(*_ON_THE_WAY):
        return unknown(f"{who} is {connection.state}: AWS is at work on it", "look again in a few minutes")
    return None

"""`Facts`: all that the checks look at, read once. No input or output."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pg_privatelink.cli.explain import ERRORS, explain
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pg_privatelink.cli.connections import Connection
    from pg_privatelink.cli.doctor.database import Database
    from pg_privatelink.cli.doctor.template import Template
    from pg_privatelink.cli.listeners import Listener, Target
    from pg_privatelink.cli.service import Service

    Row = Mapping[str, Any]
    """A row of an answer of AWS's, as boto3 gives it."""

T = TypeVar("T")


def _not_asked() -> Problem:
    return Problem("this was not asked", "report it: that is a mistake of the command")


def known(fact: T | Problem) -> T:
    """Return a fact.

    Raises:
        Problem: It could not be read; says why. The check's hop is then unknown.
    """
    if isinstance(fact, Problem):
        raise fact
    return fact


def read(ask: Callable[[], T]) -> T | Problem:
    """Return what is read, or why it cannot be."""
    try:
        return ask()
    except (Problem, *ERRORS) as error:
        return explain(error)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of the function's log about a change or a failure.

    Attributes:
        at: When, as text.
        listener: Which listener.
        what: What was done.
        why: Why.
    """

    at: str
    listener: str
    what: str
    why: str


@dataclass(slots=True, kw_only=True)
class Facts:
    """What is known of a service and of what stands around it. A fact that could not be read is a `Problem`.

    Attributes:
        service: The service.
        template: What the stack was told to make.
        configuration: DescribeVpcEndpointServiceConfigurations' row.
        principals: Who may make endpoints.
        connections: The consumers' endpoints.
        load_balancer: DescribeLoadBalancers' row; None if it is gone.
        attributes: The load balancer's attributes.
        listeners: DescribeListeners' rows, each with `Attributes`.
        named: The listeners with their names and tags.
        groups: Target groups by ARN: DescribeTargetGroups' row, with `Attributes`.
        targets: What is registered, by target group.
        subnets: The subnets of the load balancer's VPC, by id.
        security_groups: The security groups of that VPC, by id.
        route_tables: That VPC's route tables.
        network_acls: That VPC's network ACLs.
        interfaces: Network interfaces of that VPC: the load balancer's, and those that have a target's address.
        report: What the function sees now; None where the targets are fixed and there is no function.
        rules: What runs the function, its schedule first: `Name`, `State` (DELETED: it is gone), `Runs` (whether it
            has the function as its target) and `Schedule` (whether it is that).
        invokers: The statements of the function's own policy.
        concurrency: The function's reserved concurrency; None where none is reserved.
        databases: By listener, the database behind it; None where RDS does not know it.
        last_change: The last change of targets; None if there was none in a month.
        failures: The function's failures of the last hour, oldest first.
        alarms: DescribeAlarms' rows of the stack's alarms.
    """

    service: Service
    template: Template | Problem = field(default_factory=_not_asked)
    configuration: Row | Problem = field(default_factory=_not_asked)
    principals: Sequence[str] | Problem = field(default_factory=_not_asked)
    connections: Sequence[Connection] | Problem = field(default_factory=_not_asked)
    load_balancer: Row | Problem | None = field(default_factory=_not_asked)
    attributes: Mapping[str, str] | Problem = field(default_factory=_not_asked)
    listeners: Sequence[Row] | Problem = field(default_factory=_not_asked)
    named: Sequence[Listener] | Problem = field(default_factory=_not_asked)
    groups: Mapping[str, Row] | Problem = field(default_factory=_not_asked)
    targets: Mapping[str, Sequence[Target]] | Problem = field(default_factory=_not_asked)
    subnets: Mapping[str, Row] | Problem = field(default_factory=_not_asked)
    security_groups: Mapping[str, Row] | Problem = field(default_factory=_not_asked)
    route_tables: Sequence[Row] | Problem = field(default_factory=_not_asked)
    network_acls: Sequence[Row] | Problem = field(default_factory=_not_asked)
    interfaces: Sequence[Row] | Problem = field(default_factory=_not_asked)
    report: Mapping[str, Any] | Problem | None = field(default_factory=_not_asked)
    rules: Sequence[Row] | Problem = field(default_factory=_not_asked)
    invokers: Sequence[Row] | Problem = field(default_factory=_not_asked)
    concurrency: int | Problem | None = field(default_factory=_not_asked)
    databases: Mapping[str, Database | None] | Problem = field(default_factory=_not_asked)
    last_change: Change | Problem | None = field(default_factory=_not_asked)
    failures: Sequence[Change] | Problem = field(default_factory=_not_asked)
    alarms: Sequence[Row] | Problem = field(default_factory=_not_asked)

    def aws(self, command: str) -> str:
        """Return a command of the AWS CLI, for the Region of the service."""
        return f"aws {command} --region {self.service.region}"

    @property
    def present_load_balancer(self) -> Row:
        """The load balancer's row.

        Raises:
            Problem: It is gone or could not be read; the hop of the load balancer tells.
        """
        row = known(self.load_balancer)
        if row is None:
            raise Problem("there is no load balancer to look at", "see the hop 'Load balancer'")
        return row

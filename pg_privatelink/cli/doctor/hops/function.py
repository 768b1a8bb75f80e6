"""The function that follows DNS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import not_read, ok, problem
from pg_privatelink.cli.explain import denied_in
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts, Row
    from pg_privatelink.cli.doctor.finding import Finding

_FAILS = re.compile(r"the function \S+ (fails|does not exist)")
_EVENTS = "events.amazonaws.com"


def check(facts: Facts) -> Iterator[Finding]:
    """It answers when it is asked, knows all listeners and may do its work, and what runs it does."""
    name = facts.service.function_name
    if name is None:
        yield ok("there is none: all targets are fixed")
        return
    found = [*_answers(facts), *_rules(facts), *_may_run(facts, name)]
    yield from found
    if not found:
        count = len((known(facts.report) or {}).get("listeners", {}))
        yield ok(f"it answers, follows {count} listener{'s' * (count != 1)}, and its schedule is enabled")


def _answers(facts: Facts) -> Iterator[Finding]:
    if isinstance(facts.report, Problem):
        failed = _FAILS.match(facts.report.what)
        yield problem(facts.report.what, facts.report.remedy) if failed else not_read(facts.report)
        return
    for name, row in sorted(((facts.report or {}).get("listeners") or {}).items()):
        if denied_in(str(row.get("failure") or "")):
            yield problem(
                f"its role lacks a permission: listener {name}: {row['failure']}",
                "a deployment does not notice what somebody took away by hand: give the role its policies back, as the "
                "template has them",
                f"aws cloudformation get-template --stack-name {facts.service.stack} --region {facts.service.region}",
            )
    for arn, why in ((facts.report or {}).get("broken") or {}).items():
        yield problem(
            f"it cannot read what to follow for target group {arn}: {why}",
            "put the tag back as the stack has it: aws cloudformation get-template "
            f"--stack-name {facts.service.stack} has the right value",
            facts.aws(f"elbv2 add-tags --resource-arns {arn} --tags Key=...,Value=..."),
        )


def _rules(facts: Facts) -> Iterator[Finding]:
    """The schedule, without which nothing is followed, and the rules for RDS's events, which make it faster."""
    if isinstance(facts.rules, Problem):
        yield not_read(facts.rules)
        return
    if not any(rule["Schedule"] for rule in facts.rules):
        yield problem("the stack has no rule that runs it each minute", "deploy: npx cdk deploy --all")
    for rule in facts.rules:
        yield from _rule(facts, rule)


def _rule(facts: Facts, rule: Row) -> Iterator[Finding]:
    what = "its schedule" if rule["Schedule"] else f"its rule for events of RDS ({rule['Name']})"
    then = (
        "the next failover would not be followed"
        if rule["Schedule"]
        else "a failover is noticed some seconds later, by looking at DNS only"
    )
    if rule["State"] == "DELETED":
        yield problem(
            f"{what} was deleted: {then}",
            f"a deployment does not notice that; make rule {rule['Name']} again by hand, as the template has it, with "
            "the function as its target",
            f"aws cloudformation get-template --stack-name {facts.service.stack} --region {facts.service.region}",
        )
    elif rule["State"] == "DISABLED":
        yield problem(
            f"{what} is disabled: {then}", "enable it", facts.aws(f"events enable-rule --name {rule['Name']}")
        )
    elif not rule["Runs"]:
        yield problem(
            f"{what} does not run the function, which is not among its targets: {then}",
            "put the target back, with id and input as the template has them",
            f"aws cloudformation get-template --stack-name {facts.service.stack} --region {facts.service.region}",
        )


def _may_run(facts: Facts, name: str) -> Iterator[Finding]:
    if isinstance(facts.invokers, Problem):
        yield not_read(facts.invokers)
    elif not any(_is_for_events(row) for row in facts.invokers):
        yield problem(
            "EventBridge may not invoke it: neither its schedule nor events of RDS run it",
            "give the permission back",
            facts.aws(
                f"lambda add-permission --function-name {name} --statement-id AllowEventRules "
                f"--action lambda:InvokeFunction --principal {_EVENTS} "
                f"--source-arn 'arn:{facts.service.load_balancer_arn.split(':')[1]}:events:{facts.service.region}:"
                f"{facts.service.account}:rule/*'"
            ),
        )
    if isinstance(facts.concurrency, Problem):
        yield not_read(facts.concurrency)
    elif facts.concurrency == 0:
        yield problem(
            "its reserved concurrency is 0: AWS Lambda refuses to run it",
            "take the reservation away",
            facts.aws(f"lambda delete-function-concurrency --function-name {name}"),
        )


def _is_for_events(row: Row) -> bool:
    given = row.get("Principal")
    principals = given.get("Service") if isinstance(given, dict) else given
    return row.get("Effect") == "Allow" and (
        principals in (_EVENTS, "*") or (isinstance(principals, list) and _EVENTS in principals)
    )

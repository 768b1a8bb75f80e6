"""The function that follows DNS: whether it answers, and is started every minute."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import not_read, ok, problem
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding

_FAILS = re.compile(r"the function \S+ fails")


def check(facts: Facts) -> Iterator[Finding]:
    """It answers when it is asked, knows all listeners, and its schedule is enabled."""
    if facts.service.function_name is None:
        yield ok("there is none: all targets are fixed")
        return
    wrong = False
    if isinstance(facts.report, Problem):
        wrong = True
        failed = _FAILS.match(facts.report.what)
        yield problem(facts.report.what, facts.report.remedy) if failed else not_read(facts.report)
    else:
        for arn, why in ((facts.report or {}).get("broken") or {}).items():
            wrong = True
            yield problem(
                f"it cannot read what to follow for target group {arn}: {why}",
                "put the tag back as the stack has it: aws cloudformation get-template "
                f"--stack-name {facts.service.stack} has the right value",
                facts.aws(f"elbv2 add-tags --resource-arns {arn} --tags Key=...,Value=..."),
            )
    if isinstance(facts.schedule, Problem):
        wrong = True
        yield not_read(facts.schedule)
    elif facts.schedule is not None and facts.schedule.get("State") == "DISABLED":
        wrong = True
        yield problem(
            "its schedule is disabled: the next failover would not be followed",
            "enable it",
            facts.aws(f"events enable-rule --name {facts.schedule['Name']}"),
        )
    if not wrong:
        count = len((known(facts.report) or {}).get("listeners", {}))
        yield ok(f"it answers, follows {count} listener{'s' * (count != 1)}, and its schedule is enabled")

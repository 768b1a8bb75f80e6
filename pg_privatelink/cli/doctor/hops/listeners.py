"""The load balancer's ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem
from pg_privatelink.cli.listeners import listener_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding
    from pg_privatelink.cli.doctor.template import ExpectedListener


def check(facts: Facts) -> Iterator[Finding]:
    """There is a TCP listener on each port that the stack gave, and it sends connections to its target group."""
    rows, expected = known(facts.listeners), known(facts.template).listeners()
    wrong = [finding for each in expected for finding in [_look(facts, each, rows)] if finding is not None]
    yield from wrong
    ours = {each.arn for each in expected}
    for row in rows:
        if row["Protocol"] not in {"TCP", "TLS"} and row["ListenerArn"] in ours:
            wrong.append(problem(f"the listener on port {row['Port']} is {row['Protocol']}, not TCP", "make it TCP"))
            yield wrong[-1]
    if not wrong and not rows:
        yield problem("the load balancer has no listener", "name one under 'listeners' and deploy")
    elif not wrong:
        yield ok("; ".join(f"port {row['Port']} ({row['Protocol']}) is open" for row in rows))


def _look(facts: Facts, expected: ExpectedListener, rows: Sequence[Any]) -> Finding | None:
    """Return what is wrong with a listener of the stack."""
    name = listener_name(facts.service, expected.arn) or "of the stack"
    same_port = [row for row in rows if row["Port"] == expected.port]
    for row in same_port:
        if expected.target_group_arn in {None, _group(row)}:
            return None
    if expected.port is None and any(row["ListenerArn"] == expected.arn for row in rows):
        return None
    for row in rows:
        if row["ListenerArn"] != expected.arn:
            continue
        if row["Port"] != expected.port:
            return problem(
                f"listener {name} is on port {row['Port']}, but the stack put it on {expected.port}, which consumers "
                "were told",
                "put it back",
                facts.aws(f"elbv2 modify-listener --listener-arn {expected.arn} --port {expected.port}"),
            )
        return problem(
            f"listener {name} on port {expected.port} sends connections to another target group than the stack's",
            "send them to its own",
            facts.aws(
                f"elbv2 modify-listener --listener-arn {expected.arn} "
                f"--default-actions Type=forward,TargetGroupArn={expected.target_group_arn}"
            ),
        )
    return problem(
        f"nothing listens on port {expected.port or '?'}: listener {name} was deleted",
        "a deployment does not notice that; make it again by hand (CloudFormation will still know the old one: rename "
        "the listener in privatelink.yaml at the next occasion)",
        facts.aws(
            f"elbv2 create-listener --load-balancer-arn {facts.service.load_balancer_arn} --protocol TCP "
            f"--port {expected.port} --default-actions Type=forward,TargetGroupArn={expected.target_group_arn}"
        ),
    )


def _group(row: Any) -> str:  # noqa: ANN401 - a row of AWS's
    return str((row.get("DefaultActions") or [{}])[0].get("TargetGroupArn", ""))

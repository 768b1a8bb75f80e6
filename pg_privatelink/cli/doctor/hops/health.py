"""The targets' health, with AWS's reasons explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem, unknown
from pg_privatelink.cli.listeners import DRAINING, HEALTHY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding
    from pg_privatelink.cli.listeners import Target

# TargetHealth's reasons (Elastic Load Balancing API reference), and what each asks for.
_REASONS = {
    "Target.NotInUse": (
        "its zone is not enabled on the load balancer, or no listener uses the group",
        "give the load balancer a subnet in that zone: list it under 'vpc' in privatelink.yaml and deploy",
    ),
    "Target.IpUnusable": (
        "the address belongs to a load balancer",
        "give the database's name, not that of a load balancer before it",
    ),
    "Target.FailedHealthChecks": (
        "the load balancer cannot connect to it",
        (
            "start the database if it is down, and see that it listens on this port; if the hops above are ok, look at "
            "a firewall on the host or between the networks"
        ),
    ),
    "Target.Timeout": (
        "the load balancer's connections to it are not answered",
        "see that the host is up; if the hops above are ok, look at a firewall on the host or between the networks",
    ),
    "Target.InvalidState": ("the EC2 instance is stopped or terminated", "start it, or register another one"),
    "Elb.InternalError": ("Elastic Load Balancing reports an internal error", "see the AWS Health Dashboard"),
}
_COMING = frozenset({"Elb.RegistrationInProgress", "Elb.InitialHealthChecking"})


def check(facts: Facts) -> Iterator[Finding]:
    """Each listener has a healthy target, one that DNS names where a name is followed."""
    targets = known(facts.targets)
    report = facts.report if isinstance(facts.report, dict) else {}
    wrong, told = False, []
    for listener in known(facts.named):
        rows = [each for each in targets.get(listener.target_group_arn, ()) if each.state != DRAINING]
        unnamed = set(report.get("listeners", {}).get(listener.name, {}).get("unnamed") or ())
        # Where DNS names nothing that is registered, whatever is registered is all that there is.
        wanted = [each for each in rows if each.target not in unnamed] or rows
        if not wanted:
            wrong = True
            yield problem(
                f"listener {listener.name} has no target", "see the hop 'Targets': nothing is registered behind it"
            )
            continue
        sick = [each for each in wanted if each.state != HEALTHY]
        healthy = [each.target for each in wanted if each.state == HEALTHY]
        if not healthy:
            wrong = True
            yield _sick(listener.name, sick)
            continue
        also = "".join(f"; {each.target} is {each.state} and gets nothing ({_meaning(each)})" for each in sick)
        told.append(f"{', '.join(healthy)} is healthy{also}")
    if not wrong:
        yield ok("; ".join(told) or "no listener")


def _sick(listener: str, sick: list[Target]) -> Finding:
    said = "; ".join(
        f"{each.target} is {each.state} ({each.reason or each.description}): {_meaning(each)}" for each in sick
    )
    if all(each.reason in _COMING or each.state == "initial" for each in sick):
        return unknown(f"listener {listener}: {said}", "registration takes up to some minutes: look again")
    remedies = dict.fromkeys(_REASONS[each.reason][1] for each in sick if each.reason in _REASONS)
    return problem(f"listener {listener} has no healthy target: {said}", "; ".join(remedies) or "see AWS's reason")


def _meaning(target: Target) -> str:
    if target.reason in _COMING or target.state == "initial":
        return "its registration or first health check is not complete"
    return _REASONS.get(target.reason, (target.description or "AWS gives no reason", ""))[0]

"""What is registered, beside what DNS names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem, unknown
from pg_privatelink.cli.doctor.places import port
from pg_privatelink.cli.listeners import DRAINING
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding
    from pg_privatelink.cli.listeners import Listener, Target


def check(facts: Facts) -> Iterator[Finding]:
    """Each address that DNS or the template names is registered, with the database's port, and nothing else is."""
    targets = known(facts.targets)
    report = known(facts.report)
    seen = (report or {}).get("listeners", {})
    wrong, told = False, []
    for listener in known(facts.named):
        rows = [each for each in targets.get(listener.target_group_arn, ()) if each.state != DRAINING]
        named = ", ".join(each.target for each in rows) or "nothing"
        findings = [*_look(facts, listener, rows, seen.get(listener.name))]
        wrong = wrong or bool(findings)
        yield from findings
        told.append(f"{listener.name}: {named}")
    if not wrong:
        yield ok(f"registered as DNS or the stack names them; {'; '.join(told)}")


def _look(facts: Facts, listener: Listener, rows: Sequence[Target], seen: Any) -> Iterator[Finding]:  # noqa: ANN401 - JSON
    arn = listener.target_group_arn
    if not rows:
        expected = (seen or {}).get("register") or _of_template(facts, listener)
        yield problem(
            f"nothing is registered for listener {listener.name}, so every connection fails",
            "register what the stack names"
            if expected and listener.hostname is None
            else f"register what DNS names, and see why the function did not: {_why(facts, listener)}"
            if expected
            else "see why the function registers nothing: 'pg-privatelink logs'",
            _register(facts, arn, expected) if expected else "",
        )
        return
    if listener.hostname is None:
        yield from _look_at_fixed(facts, listener, rows)
        return
    if seen is None or not seen.get("answer"):
        yield unknown(
            f"DNS gives no answer for listener {listener.name} to compare with what is registered: "
            f"{', '.join(each.target for each in rows)}",
            "mend DNS first",
        )
        return
    missing, others = list(seen.get("register") or ()), list(seen.get("unnamed") or ())
    if missing:
        yield problem(
            f"DNS names {', '.join(missing)} for listener {listener.name}, which is not registered"
            + (f", but {', '.join(others)} is" if others else ""),
            "after a failover this takes seconds. If it stays, register it, and see why the function did not: "
            f"{_why(facts, listener)}",
            _register(facts, arn, missing),
        )
    elif others and _single(facts, listener):
        wrong_port = [each for each in rows if each.target in others and str(port(each)) != str(seen.get("port"))]
        what = "on a wrong port" if wrong_port else "and DNS does not name it"
        yield problem(
            f"{', '.join(others)} is registered for listener {listener.name}, {what}: part of the connections go there",
            "after a failover the function takes it away within a minute. If it stays, deregister it",
            facts.aws(f"elbv2 deregister-targets --target-group-arn {arn} --targets {_spelled(others)}"),
        )


def _look_at_fixed(facts: Facts, listener: Listener, rows: Sequence[Target]) -> Iterator[Finding]:
    """Fixed targets are those of the template; where it names none, as of an Auto Scaling group, any."""
    expected = _of_template(facts, listener)
    present = {each.target for each in rows}
    missing, others = sorted(set(expected) - present), sorted(present - set(expected))
    if expected and missing:
        yield problem(
            f"{', '.join(missing)} is not registered any more for listener {listener.name}, though the stack put it "
            "there",
            "register it again; a deployment does not notice that",
            _register(facts, listener.target_group_arn, missing),
        )
    if expected and others:
        yield problem(
            f"{', '.join(others)} is registered for listener {listener.name}, and the stack does not name it: part of "
            "the connections go there",
            "deregister it, or name it in privatelink.yaml and deploy",
            facts.aws(
                f"elbv2 deregister-targets --target-group-arn {listener.target_group_arn} --targets {_spelled(others)}"
            ),
        )


def _of_template(facts: Facts, listener: Listener) -> list[str]:
    return [] if isinstance(facts.template, Problem) else facts.template.targets(listener.target_group_arn)


def _single(facts: Facts, listener: Listener) -> bool:
    """Return whether each answer has all addresses: of a name that tells its readers in turn, others are right too."""
    if "members" in listener.tags:
        return False
    databases = {} if isinstance(facts.databases, Problem) else facts.databases
    database = databases.get(listener.name)
    return (database is not None and database.single_address) or listener.tags.get("followed", "").endswith(" steady")


def _why(facts: Facts, listener: Listener) -> str:
    failures = () if isinstance(facts.failures, Problem) else facts.failures
    own = [each for each in failures if each.listener == listener.name]
    return f"at {own[-1].at}: {own[-1].why}" if own else "'pg-privatelink logs'"


def _register(facts: Facts, arn: str, targets: Sequence[str]) -> str:
    return facts.aws(f"elbv2 register-targets --target-group-arn {arn} --targets {_spelled(targets)}")


def _spelled(targets: Sequence[str]) -> str:
    pairs = (each.rpartition(":") for each in targets)
    return " ".join(f"Id={address},Port={number}" for address, _, number in pairs)

"""Network ACLs both ways between the load balancer's subnets and the targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import no_target, ok, problem
from pg_privatelink.cli.doctor.passage import EPHEMERAL, denials, of_subnet
from pg_privatelink.cli.doctor.places import address_of, nodes, port, registered, subnet_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding

_NEGLIGIBLE = 0.02
"""The part of the ephemeral ports that may be denied: a rule against RDP (3389) is common, and hardly ever met."""

_HIGHEST = 32766


def check(facts: Facts) -> Iterator[Finding]:
    """They let pass connections to the targets, and the answers from the targets' port to any port of the other end."""
    acls, own = known(facts.network_acls), nodes(facts)
    ends = sorted(
        {(address, port(target)) for _, target in registered(facts) if (address := address_of(facts, target))}
    )
    told: set[str] = set()
    for address, number in ends:
        theirs = subnet_of(facts, address)
        for node in own:
            if theirs is not None and theirs["SubnetId"] == node.subnet_id:
                continue  # an ACL says nothing about traffic inside a subnet
            here = of_subnet(acls, node.subnet_id, vpc_default="acl")
            there = of_subnet(acls, str(theirs["SubnetId"]), vpc_default="acl") if theirs is not None else None
            checks: list[tuple[Any, bool, str, tuple[int, int], str]] = [
                (here, True, f"{address}/32", (number, number), f"out of {node.zone} to {address}:{number}"),
                (here, False, f"{address}/32", EPHEMERAL, f"answers of {address} into {node.zone}"),
            ]
            for source in node.sources:
                checks += [
                    (there, False, source, (number, number), f"from {node.zone} in to {address}:{number}"),
                    (there, True, source, EPHEMERAL, f"answers of {address} out to {node.zone}"),
                ]
            for acl, egress, cidr, ports, words in checks:
                finding = _look(facts, acl, egress=egress, cidr=cidr, ports=ports, words=words) if acl else None
                if finding is not None and finding.command not in told:
                    told.add(finding.command)
                    yield finding
    if not told:
        yield ok("they let pass what goes to the targets, and their answers") if ends else no_target()


def _look(
    facts: Facts,
    acl: Any,  # noqa: ANN401 - a row of AWS's
    *,
    egress: bool,
    cidr: str,
    ports: tuple[int, int],
    words: str,
) -> Finding | None:
    stopped = denials(acl, egress=egress, cidr=cidr, ports=ports)
    share = max((each.count for each in stopped), default=0) / (ports[1] - ports[0] + 1)
    if share <= _NEGLIGIBLE:
        return None
    worst = max(stopped, key=lambda each: each.count)
    by = "no rule admits it" if worst.rule is None else f"rule {worst.rule} denies it"
    numbers = [int(entry["RuleNumber"]) for entry in acl.get("Entries", []) if bool(entry["Egress"]) is egress]
    below = _free(numbers, below=worst.rule if worst.rule is not None else _HIGHEST)
    direction = "--egress" if egress else "--ingress"
    return problem(
        f"network ACL {acl['NetworkAclId']} stops {words} ({_ports(worst.ports)}): {by}",
        f"admit it with a rule whose number is lower than {worst.rule if worst.rule is not None else _HIGHEST + 1}, "
        "or delete the rule that denies it",
        facts.aws(
            f"ec2 create-network-acl-entry --network-acl-id {acl['NetworkAclId']} {direction} --rule-number {below} "
            f"--protocol tcp --port-range From={ports[0]},To={ports[1]} --cidr-block {cidr} --rule-action allow"
        ),
    )


def _free(taken: list[int], *, below: int) -> int:
    """Return a number for a rule that comes before another one; 0 if there is none left."""
    return next((number for number in range(below - 1, 0, -1) if number not in taken), 0)


def _ports(ports: tuple[int, int]) -> str:
    return f"port {ports[0]}" if ports[0] == ports[1] else f"ports {ports[0]}-{ports[1]}"

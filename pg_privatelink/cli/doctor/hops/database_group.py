"""The database's security groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import no_target, ok, problem, unknown
from pg_privatelink.cli.doctor.passage import admits
from pg_privatelink.cli.doctor.places import interface_of, nodes, port, registered
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding
    from pg_privatelink.cli.listeners import Listener, Target


def check(facts: Facts) -> Iterator[Finding]:
    """They admit the load balancer on the database's port: by its group, or by its addresses.

    Where inbound rules do not apply to PrivateLink traffic, AWS recommends rules by address, so the group is not
    enough ("Target security groups" in the user guide of Network Load Balancers).
    """
    done: set[tuple[tuple[str, ...], int]] = set()
    told, wrong = [], False
    for listener, target in registered(facts):
        theirs, number = tuple(sorted(groups_of(facts, listener, target))), port(target)
        if (theirs, number) in done:
            continue
        done.add((theirs, number))
        finding = _look(facts, theirs, number, f"{target.target} (listener {listener.name})")
        if finding is not None:
            wrong = True
            yield finding
        told.append(f"{', '.join(theirs)} admits the load balancer to port {number}")
    if not wrong:
        yield ok("; ".join(told)) if told else no_target()


def _look(facts: Facts, theirs: tuple[str, ...], number: int, target: str) -> Finding | None:
    """Return what is wrong with the security groups of a target."""
    groups, row = known(facts.security_groups), facts.present_load_balancer
    if not theirs:
        return unknown(
            f"nothing here tells which security group protects {target}",
            "if it is in another network, see that its firewall admits the load balancer's subnets",
            counts=False,
        )
    elsewhere = sorted(set(theirs) - set(groups))
    if elsewhere:
        return unknown(
            f"security group {', '.join(elsewhere)} is not in the load balancer's VPC",
            f"see there that it admits the load balancer's subnets on port {number}",
            counts=False,
        )
    enforced = row.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic") != "off"
    inbound = [rule for each in theirs for rule in groups[each].get("IpPermissions", [])]
    by_group = admits(inbound, port=number, group_ids=row.get("SecurityGroups") or []).admitted
    if by_group and enforced:
        return None
    sources = list(dict.fromkeys(source for node in nodes(facts) for source in node.sources))
    admissions = {source: admits(inbound, port=number, cidr=source) for source in sources}
    missing = [source for source, each in admissions.items() if not (each.admitted or each.maybe)]
    if missing:
        also = " (its group is admitted, but that is not enough where inbound rules do not apply to PrivateLink)"
        return problem(
            f"security group {', '.join(theirs)} of the database does not admit the load balancer in "
            f"{', '.join(missing)} to port {number}{also if by_group else ''}",
            "add the rule" if len(missing) == 1 else "add the rules",
            facts.aws(
                f"ec2 authorize-security-group-ingress --group-id {theirs[0]} --ip-permissions "
                f"IpProtocol=tcp,FromPort={number},ToPort={number},"
                f"IpRanges='[{','.join(f'{{CidrIp={each}}}' for each in missing)}]'"
            ),
        )
    if any(each.maybe for each in admissions.values()):
        return unknown(
            f"whether security group {', '.join(theirs)} admits the load balancer depends on a prefix list",
            "see its entries: aws ec2 get-managed-prefix-list-entries",
        )
    return None


def groups_of(facts: Facts, listener: Listener, target: Target) -> set[str]:
    """Return a target's security groups: its interface's, else those of RDS, else those that the stack opens."""
    interface = interface_of(facts, target)
    if interface is not None and interface.get("Groups"):
        return {str(each["GroupId"]) for each in interface["Groups"]}
    if not isinstance(facts.databases, Problem):
        database = facts.databases.get(listener.name)
        if database is not None:
            return set(database.security_groups)
    opened = {rule.group_id for rule in known(facts.template).database_rules() if rule.port == port(target)}
    if not opened:
        known(facts.databases)
    return opened

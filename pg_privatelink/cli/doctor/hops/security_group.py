"""The load balancer's own security groups: who comes in, and where it may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import no_target, ok, problem, unknown
from pg_privatelink.cli.doctor.passage import admits
from pg_privatelink.cli.doctor.places import address_of, interface_of, port, registered
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding


def check_inbound(facts: Facts) -> Iterator[Finding]:
    """Consumers get in: inbound rules do not apply to PrivateLink traffic, or admit the consumers' ranges."""
    row = facts.present_load_balancer
    own = row.get("SecurityGroups") or []
    enforced = row.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic") != "off"
    template = known(facts.template)
    arn = facts.service.load_balancer_arn
    given = " ".join(own)
    command = f"elbv2 set-security-groups --load-balancer-arn {arn} --security-groups {given} "
    command += "--enforce-security-group-inbound-rules-on-private-link-traffic"
    if not own:
        yield ok("the load balancer has no security group, so nothing is blocked")
        return
    if enforced and template.enforced() is False:
        yield problem(
            "inbound rules apply to PrivateLink traffic, though the stack turned that off: no consumer's range is "
            "admitted, so no connection comes in",
            "turn the enforcement off again",
            facts.aws(f"{command} off"),
        )
        return
    if not enforced and template.enforced():
        yield problem(
            "inbound rules do not apply to PrivateLink traffic, though the stack turned that on: consumers come in "
            "from any address",
            "turn the enforcement on again",
            facts.aws(f"{command} on"),
        )
        return
    if not enforced:
        yield ok("inbound rules do not apply to PrivateLink traffic")
        return
    yield from _ranges(facts, own)


def _ranges(facts: Facts, own: list[str]) -> Iterator[Finding]:
    groups, rules = known(facts.security_groups), known(facts.template).consumer_rules()
    inbound = [rule for each in own for rule in groups.get(each, {}).get("IpPermissions", [])]
    wrong = False
    for rule in rules:
        if rule.cidr and rule.group_id in own and not admits(inbound, port=rule.port, cidr=rule.cidr).admitted:
            wrong = True
            yield problem(
                f"consumers in {rule.cidr} are not admitted to port {rule.port}, though the stack admits them: inbound "
                "rules apply to PrivateLink traffic",
                "add the rule again",
                facts.aws(
                    f"ec2 authorize-security-group-ingress --group-id {rule.group_id} --protocol tcp "
                    f"--port {rule.port} --cidr {rule.cidr}"
                ),
            )
    for row in known(facts.listeners):
        if any(_mentions(rule, row["Port"]) for rule in inbound) or wrong:
            continue
        wrong = True
        yield problem(
            f"inbound rules apply to PrivateLink traffic, and none admits anybody to port {row['Port']}",
            "give the consumer's private ranges as its 'source_ranges' in privatelink.yaml and deploy "
            "(npx cdk deploy --all), or by hand",
            facts.aws(
                f"ec2 authorize-security-group-ingress --group-id {own[0]} --protocol tcp --port {row['Port']} "
                "--cidr CONSUMERS_RANGE"
            ),
        )
    if not wrong:
        ranges = sorted({each["CidrIp"] for rule in inbound for each in rule.get("IpRanges", [])})
        yield ok(f"inbound rules apply to PrivateLink traffic and admit {', '.join(ranges) or 'groups'}")


def check_outbound(facts: Facts) -> Iterator[Finding]:
    """The load balancer may connect to each target."""
    own = facts.present_load_balancer.get("SecurityGroups") or []
    groups = known(facts.security_groups)
    outbound = [rule for each in own for rule in groups.get(each, {}).get("IpPermissionsEgress", [])]
    seen, wrong = set(), False
    for listener, target in registered(facts) if own else ():
        address = address_of(facts, target)
        if address is None or (address, port(target)) in seen:
            continue
        seen.add((address, port(target)))
        interface = interface_of(facts, target) if not isinstance(facts.interfaces, Problem) else None
        theirs = {each["GroupId"] for each in (interface or {}).get("Groups", [])}
        theirs |= _database_groups(facts, listener.name)
        admission = admits(outbound, port=port(target), cidr=f"{address}/32", group_ids=theirs)
        if admission.maybe:
            wrong = True
            yield unknown(
                f"whether the load balancer may connect to {address}:{port(target)} depends on a prefix list",
                "see its entries: aws ec2 get-managed-prefix-list-entries",
            )
        elif not admission.admitted:
            wrong = True
            yield problem(
                f"the load balancer's security group {own[0]} does not let it connect to {address}:{port(target)} "
                f"(listener {listener.name})",
                "add the outbound rule; if the database moved outside its ranges, give them as 'allowed_ranges'",
                facts.aws(
                    f"ec2 authorize-security-group-egress --group-id {own[0]} --ip-permissions "
                    f"IpProtocol=tcp,FromPort={port(target)},ToPort={port(target)},"
                    f"IpRanges='[{{CidrIp={address}/32}}]'"
                ),
            )
    if not wrong:
        named = ", ".join(f"{address}:{number}" for address, number in sorted(seen))
        yield ok(f"lets the load balancer out to {named}") if seen or not own else no_target()


def _database_groups(facts: Facts, listener: str) -> set[str]:
    databases = {} if isinstance(facts.databases, Problem) else facts.databases
    database = databases.get(listener)
    return set(database.security_groups) if database else set()


def _mentions(rule: Any, number: int) -> bool:  # noqa: ANN401 - a row of AWS's
    sources = [*rule.get("IpRanges", []), *rule.get("UserIdGroupPairs", []), *rule.get("PrefixListIds", [])]
    return admits([{**rule, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}], port=number, cidr="0.0.0.0/0").admitted and bool(
        sources or rule.get("Ipv6Ranges")
    )

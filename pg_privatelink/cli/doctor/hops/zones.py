"""Zones: of the endpoint service, of the load balancer, of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem
from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding


def check_service(facts: Facts) -> Iterator[Finding]:
    """The endpoint service is available in each zone of the load balancer."""
    row = known(facts.configuration)
    own = set(row.get("AvailabilityZones") or []) | set(row.get("AvailabilityZoneIds") or [])
    load_balancer = facts.present_load_balancer
    subnets = known(facts.subnets)
    ids = {zone["ZoneName"]: _zone_id(subnets, zone) for zone in load_balancer["AvailabilityZones"]}
    missing = [name for name, zone_id in ids.items() if not {name, zone_id} & own]
    if missing:
        yield problem(
            f"the load balancer is in {_and(missing)}, but the endpoint service is not: consumers cannot make an "
            "endpoint there",
            "AWS enables a zone that was added to a load balancer only when it is told to; name the zone to the "
            "consumer too",
            facts.aws(f"ec2 modify-vpc-endpoint-service-configuration --service-id {facts.service.id}"),
        )
    else:
        yield ok(f"service and load balancer are in {_and(sorted(f'{k} ({v})' for k, v in ids.items()))}")


def check_load_balancer(facts: Facts) -> Iterator[Finding]:
    """The load balancer is in each zone that the stack gave it, and in each that a database is in."""
    load_balancer, subnets = facts.present_load_balancer, known(facts.subnets)
    present = {zone["SubnetId"]: zone["ZoneName"] for zone in load_balancer["AvailabilityZones"]}
    zones = set(present.values())
    expected = [] if isinstance(facts.template, Problem) else facts.template.subnets()
    gone = [each for each in expected if each not in present]
    replaced = {each for each in gone if subnets.get(each, {}).get("AvailabilityZone") in zones}
    wrong = False
    if set(gone) - replaced:
        wrong = True
        lost = sorted({str(subnets.get(each, {}).get("AvailabilityZone", each)) for each in set(gone) - replaced})
        yield problem(
            f"the load balancer is not in {_and(lost)} any more, though the stack put it there",
            "give it its subnet back, then tell the endpoint service "
            f"(aws ec2 modify-vpc-endpoint-service-configuration --service-id {facts.service.id})",
            facts.aws(
                f"elbv2 set-subnets --load-balancer-arn {facts.service.load_balancer_arn} "
                f"--subnets {' '.join([*present, *sorted(set(gone) - replaced)])}"
            ),
        )
    elif len(zones) < 2:  # noqa: PLR2004 - AWS asks for two
        wrong = True
        yield problem(
            f"the load balancer is in one zone only, {_and(sorted(zones))}",
            "list a subnet of another zone under 'vpc' in privatelink.yaml and deploy: npx cdk deploy --all",
        )
    for name, database in known(facts.databases).items():
        missing = sorted((database.zones if database else frozenset()) - zones)
        if database and missing and not wrong:
            wrong = True
            yield problem(
                f"the {database.kind} {database.identifier} of listener {name} can be in {_and(missing)}, where the "
                "load balancer is not: its target is never used there (Target.NotInUse)",
                f"list a subnet of {_and(missing)} under 'vpc' in privatelink.yaml and deploy: npx cdk deploy --all",
            )
    if isinstance(facts.template, Problem):
        raise facts.template
    if not wrong:
        yield ok(f"it is in {_and(sorted(zones))}; each zone that a database is in has a node{_others(facts, zones)}")


def _others(facts: Facts, zones: set[str]) -> str:
    """Return a word on zones that a database might get to some day."""
    databases = () if isinstance(facts.databases, Problem) else facts.databases.values()
    possible = sorted(set().union(*(each.possible_zones for each in databases if each)) - zones)
    return f" (a database's subnet group also has {_and(possible)}, where nothing of it is now)" if possible else ""


def _zone_id(subnets: object, zone: object) -> str:
    rows = subnets if isinstance(subnets, dict) else {}
    given = zone if isinstance(zone, dict) else {}
    return str(rows.get(given.get("SubnetId"), {}).get("AvailabilityZoneId", "")) or str(given.get("ZoneName"))


def _and(names: list[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"  # noqa: PLR2004

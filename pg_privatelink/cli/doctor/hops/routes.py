"""Route tables both ways between the load balancer's subnets and the targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import no_target, ok, problem, unknown
from pg_privatelink.cli.doctor.passage import leaves_by_the_internet, of_subnet, route_to
from pg_privatelink.cli.doctor.places import address_of, nodes, registered, subnet_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pg_privatelink.cli.doctor.facts import Facts, Row
    from pg_privatelink.cli.doctor.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """Each subnet has a working route to the other end."""
    tables, own = known(facts.route_tables), nodes(facts)
    addresses = sorted({address for _, target in registered(facts) if (address := address_of(facts, target))})
    wrong, outside = False, []
    for address in addresses:
        theirs = subnet_of(facts, address)
        for node in own:
            ways = [(node.subnet_id, address, f"from the load balancer in {node.zone} to {address}")]
            if theirs is not None:
                back = node.cidr
                ways.append((str(theirs["SubnetId"]), back, f"back from {address} to the load balancer in {node.zone}"))
            found = [_look(facts, tables, *way, is_outside=theirs is None) for way in ways]
            broken = [finding for finding in found if finding is not None]
            wrong = wrong or bool(broken)
            yield from broken
        if theirs is None:
            outside.append(address)
    if not wrong and not addresses:
        yield no_target()
    elif not wrong:
        note = f"; the way back from {', '.join(outside)} is outside this VPC, and not to be seen" if outside else ""
        yield ok(f"each subnet of the load balancer has a route to {', '.join(addresses)}, and back{note}")


def _look(
    facts: Facts, tables: Sequence[Row], subnet_id: str, destination: str, words: str, *, is_outside: bool
) -> Finding | None:
    """Return what is wrong with the way from a subnet to a destination, which may be outside the VPC."""
    table = of_subnet(tables, subnet_id, vpc_default="main")
    if table is None:
        return unknown(f"the route table of subnet {subnet_id} is not to be seen", "see who shares the VPC")
    route = route_to(table, destination)
    if route is None or route.get("State", "active") != "active":
        return _broken(facts, table["RouteTableId"], destination, words, route)
    if is_outside and leaves_by_the_internet(tables, route, destination):
        return _missing(
            facts,
            table["RouteTableId"],
            destination,
            f"the only route {words} is {route['DestinationCidrBlock']} in route table {table['RouteTableId']}, to "
            f"{route.get('NatGatewayId') or route.get('GatewayId')}: the internet has no private address",
        )
    return None


def _broken(facts: Facts, table: str, destination: str, words: str, route: object) -> Finding:
    if route is None:
        return _missing(facts, table, destination, f"there is no route {words} (route table {table})")
    row = route if isinstance(route, dict) else {}
    return problem(
        f"the route {words} is a black hole: {row.get('DestinationCidrBlock')} in route table {table} leads to "
        "something that is gone",
        "point it to what connects the networks now, or delete it if another route covers the range",
        facts.aws(
            f"ec2 delete-route --route-table-id {table} --destination-cidr-block {row.get('DestinationCidrBlock')}"
        ),
    )


def _missing(facts: Facts, table: str, destination: str, evidence: str) -> Finding:
    return problem(
        evidence,
        "add one, to what connects the networks: a peering connection, transit gateway or virtual private gateway",
        facts.aws(
            f"ec2 create-route --route-table-id {table} --destination-cidr-block {_range(destination)} "
            "--transit-gateway-id tgw-ID"
        ),
    )


def _range(destination: str) -> str:
    return destination if "/" in destination else f"{destination}/32"

"""Route tables both ways between the load balancer's subnets and the targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import no_target, ok, problem, unknown
from pg_privatelink.cli.doctor.passage import of_subnet, route_to
from pg_privatelink.cli.doctor.places import address_of, nodes, registered, subnet_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
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
            for subnet_id, destination, words in ways:
                table = of_subnet(tables, subnet_id, vpc_default="main")
                if table is None:
                    wrong = True
                    yield unknown(f"the route table of subnet {subnet_id} is not to be seen", "see who shares the VPC")
                    continue
                route = route_to(table, destination)
                if route is None or route.get("State", "active") != "active":
                    wrong = True
                    yield _broken(facts, table["RouteTableId"], destination, words, route)
        if theirs is None:
            outside.append(address)
    if not wrong and not addresses:
        yield no_target()
    elif not wrong:
        note = f"; the way back from {', '.join(outside)} is outside this VPC, and not to be seen" if outside else ""
        yield ok(f"each subnet of the load balancer has a route to {', '.join(addresses)}, and back{note}")


def _broken(facts: Facts, table: str, destination: str, words: str, route: object) -> Finding:
    if route is None:
        return problem(
            f"there is no route {words} (route table {table})",
            "add it, to what connects the networks: a peering connection, transit gateway or virtual private gateway",
            facts.aws(
                f"ec2 create-route --route-table-id {table} --destination-cidr-block {_range(destination)} "
                "--transit-gateway-id tgw-ID"
            ),
        )
    row = route if isinstance(route, dict) else {}
    return problem(
        f"the route {words} is a black hole: {row.get('DestinationCidrBlock')} in route table {table} leads to "
        "something that is gone",
        "point it to what connects the networks now, or delete it if another route covers the range",
        facts.aws(
            f"ec2 delete-route --route-table-id {table} --destination-cidr-block {row.get('DestinationCidrBlock')}"
        ),
    )


def _range(destination: str) -> str:
    return destination if "/" in destination else f"{destination}/32"

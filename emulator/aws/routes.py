"""Routes: one that leads to what was deleted is a black hole.

Rules from the Amazon VPC user guide's page WorkWithRouteTables.html and the Amazon EC2 API reference (Route).
"""

from typing import Any

from ministack.services import ec2

from emulator.aws.apis import EC2
from emulator.aws.wire import ApiError, Arguments, Result

_LIVING_PEERINGS = frozenset({"active", "pending-acceptance", "provisioning"})


def _lives(route: dict[str, Any]) -> bool:
    """Tell whether what a route leads to is there. Kinds that are not modelled are."""
    nat, peering = route.get("NatGatewayId"), route.get("VpcPeeringConnectionId")
    if nat:
        return bool(ec2._nat_gateways.get(nat, {}).get("State") == "available")
    if peering:
        return ec2._vpc_peering.get(peering, {}).get("Status", {}).get("Code") in _LIVING_PEERINGS
    gateway = route.get("GatewayId") or ""
    return not gateway.startswith("igw-") or gateway in ec2._internet_gateways


@EC2.action
def describe_route_tables(given: Arguments) -> Result | None:  # noqa: ARG001 - stock filters and answers
    """Bring the routes' states up to date; the rest is stock's."""
    for table in ec2._route_tables.values():
        for route in table["Routes"]:
            route["State"] = "active" if _lives(route) else "blackhole"
    return None


@EC2.action
def create_route(given: Arguments) -> Result | None:
    """Refuse a route to what does not exist, and a second one for the same range; the rest is stock's."""
    if not _lives({**given, "State": "active"}):
        target = given.get("NatGatewayId") or given.get("VpcPeeringConnectionId") or given.get("GatewayId")
        raise ApiError("InvalidParameterValue", f"The target '{target}' of the route does not exist")
    table = ec2._route_tables.get(given.get("RouteTableId", ""), {})
    wanted = given.get("DestinationCidrBlock")
    if wanted and any(route.get("DestinationCidrBlock") == wanted for route in table.get("Routes", [])):
        raise ApiError("RouteAlreadyExists", f"The route identified by {wanted} already exists.")
    return None

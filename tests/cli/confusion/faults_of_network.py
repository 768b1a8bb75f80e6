"""Faults of the network between load balancer and database: security groups, routes, network ACLs.

The emulator's data plane looks at none of these: targets stay healthy there.
"""

from __future__ import annotations

import contextlib
import ipaddress
from typing import TYPE_CHECKING, Any

from tests.cli.confusion.fault import Planted, fault

if TYPE_CHECKING:
    import random

    from tests.cli.confusion.ward import Ward

Row = dict[str, Any]
_LAST = 65535


@fault("Outbound rules")
def egress_revoked(ward: Ward, rng: random.Random) -> Planted | None:
    """The outbound rules of the load balancer's group that admit a target are revoked, or lead to another port."""
    ec2, group = ward.client("ec2"), ward.group
    address, port = rng.choice(ward.addresses())
    covering = [rule for rule in ward.rules(group, egress=True) if _admits(rule, address, port)]
    if not covering:
        return None
    other = rng.randrange(9000, 9999)
    instead = [{**rule, "FromPort": other, "ToPort": other} for rule in covering] if rng.random() < 0.5 else []
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=covering)
    if instead:
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=instead)

    def mend() -> None:
        if instead:
            ec2.revoke_security_group_egress(GroupId=group, IpPermissions=instead)
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=covering)

    return Planted(f"{group} lets nothing out to {address}:{port}" + (f" (port {other} instead)" * bool(instead)), mend)


@fault("Database's group")
def database_rule_revoked(ward: Ward, rng: random.Random) -> Planted | None:
    """A rule of the database's group that the load balancer needs is revoked, or is for another port now."""
    if not ward.database_group:
        return None
    ec2, group = ward.client("ec2"), ward.database_group
    ports = {port for _, port in ward.addresses()}
    rules = [rule for rule in ward.rules(group) if rule.get("FromPort") in ports and "by hand" not in str(rule)]
    # The group's rule is enough where inbound rules are enforced; the rules by address are needed where they are not.
    kind = "UserIdGroupPairs" if ward.enforced else "IpRanges"
    rules = [rule for rule in rules if kind in rule]
    if not rules:
        return None
    rule, port = rng.choice(rules), rng.randrange(9000, 9999)
    instead = {**rule, "FromPort": port, "ToPort": port} if rng.random() < 0.5 else None
    ward.revoke(group, rule)
    if instead:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[instead])

    def mend() -> None:
        if instead:
            ward.revoke(group, instead)
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])

    return Planted(f"the rule of {group} for {rule[kind]} is {'for port ' + str(port) if instead else 'revoked'}", mend)


@fault("Database's group")
def database_in_another_group(ward: Ward, rng: random.Random) -> Planted | None:
    """The DB instance is given another security group, which admits nobody."""
    if not ward.instance or not ward.database_group:
        return None
    rds, ec2 = ward.client("rds"), ward.client("ec2")
    (row,) = rds.describe_db_instances(DBInstanceIdentifier=ward.instance)["DBInstances"]
    before = [each["VpcSecurityGroupId"] for each in row["VpcSecurityGroups"]]
    other = ec2.create_security_group(
        GroupName=f"other-{rng.randrange(10**9)}", Description="other", VpcId=ward.load_balancer["VpcId"]
    )["GroupId"]
    rds.modify_db_instance(DBInstanceIdentifier=ward.instance, VpcSecurityGroupIds=[other])
    return Planted(
        f"the security groups of {ward.instance} are {other} and not {', '.join(before)}",
        lambda: rds.modify_db_instance(DBInstanceIdentifier=ward.instance, VpcSecurityGroupIds=before),
    )


@fault("Route tables")
def black_hole(ward: Ward, rng: random.Random) -> Planted | None:
    """A more specific route leads to a NAT gateway that is deleted then, on the way there or back."""
    ec2 = ward.client("ec2")
    pairs = _pairs(ward)
    if not pairs:
        return None
    near, far = rng.choice(pairs)
    if rng.random() < 0.5:
        near, far = far, near
    table = _of_subnet(
        _tables(ward), near["SubnetId"], default=lambda row: any(a.get("Main") for a in row["Associations"])
    )
    nat = ec2.create_nat_gateway(SubnetId=near["SubnetId"], ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    given = {"RouteTableId": table["RouteTableId"], "DestinationCidrBlock": far["CidrBlock"]}
    ec2.create_route(**given, NatGatewayId=nat)
    ec2.delete_nat_gateway(NatGatewayId=nat)
    return Planted(
        f"the route of {given['RouteTableId']} to {far['CidrBlock']} is a black hole", lambda: ec2.delete_route(**given)
    )


@fault("Route tables")
def route_outside_lost(ward: Ward, rng: random.Random) -> Planted | None:
    """The route to a target outside the VPC is deleted, or what it leads to is."""
    ec2 = ward.client("ec2")
    outside = [address for address, _ in ward.addresses() if _subnet_of(ward, address) is None]
    ways = [
        (table, max(fitting, key=lambda route: ipaddress.ip_network(route["DestinationCidrBlock"]).prefixlen))
        for table in _tables(ward)
        if _serves(ward, table)
        for address in outside
        if (fitting := [route for route in table["Routes"] if _within(address, route["DestinationCidrBlock"])])
    ]
    if not ways:
        return None
    table, route = rng.choice(ways)
    peering = route.get("VpcPeeringConnectionId")
    given = {"RouteTableId": table["RouteTableId"], "DestinationCidrBlock": route["DestinationCidrBlock"]}
    if peering and rng.random() < 0.5:
        (row,) = ec2.describe_vpc_peering_connections(VpcPeeringConnectionIds=[peering])["VpcPeeringConnections"]
        ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering)

        def connect_again() -> None:
            ec2.delete_route(**given)
            new = ec2.create_vpc_peering_connection(
                VpcId=row["RequesterVpcInfo"]["VpcId"], PeerVpcId=row["AccepterVpcInfo"]["VpcId"]
            )["VpcPeeringConnection"]["VpcPeeringConnectionId"]
            ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=new)
            ec2.create_route(**given, VpcPeeringConnectionId=new)

        return Planted(f"the peering connection {peering} is deleted", connect_again)
    kept = {key: route[key] for key in ("VpcPeeringConnectionId", "TransitGatewayId", "GatewayId") if route.get(key)}
    ec2.delete_route(**given)
    return Planted(
        f"the route to {route['DestinationCidrBlock']} is deleted", lambda: ec2.create_route(**given, **kept)
    )


@fault("Network ACLs")
def denied_by_a_rule(ward: Ward, rng: random.Random) -> Planted | None:
    """A rule of a low number denies the database's port on the way there, or the ephemeral ports on the way back."""
    pairs = _pairs(ward)
    if not pairs:
        return None
    ec2 = ward.client("ec2")
    near, far = rng.choice(pairs)
    _, port = next(each for each in ward.addresses() if _within(each[0], far["CidrBlock"]))
    subnet, other, egress, ports = rng.choice(
        [
            (near, far, True, (port, port)),
            (far, near, False, (port, port)),
            (far, near, True, (1024, _LAST)),
            (near, far, False, (rng.randrange(1024, 20000), _LAST)),
        ]
    )
    acl = _of_subnet(_acls(ward), subnet["SubnetId"], default=lambda row: row["IsDefault"])
    taken = {entry["RuleNumber"] for entry in acl["Entries"]}
    lowest = min(taken)
    number = rng.choice([each for each in range(1, lowest) if each not in taken])
    entry = {"NetworkAclId": acl["NetworkAclId"], "RuleNumber": number, "Egress": egress}
    cidr = rng.choice(["0.0.0.0/0", other["CidrBlock"]])
    ec2.create_network_acl_entry(
        **entry, Protocol="6", RuleAction="deny", CidrBlock=cidr, PortRange={"From": ports[0], "To": ports[1]}
    )
    way = "outbound" if egress else "inbound"
    return Planted(
        f"rule {number} of {acl['NetworkAclId']} denies {cidr} {way} on ports {ports[0]}-{ports[1]}",
        lambda: ec2.delete_network_acl_entry(**entry),
    )


@fault("Network ACLs")
def subnet_in_another_acl(ward: Ward, rng: random.Random) -> Planted | None:
    """A subnet is associated with a new network ACL, which admits nothing."""
    pairs = _pairs(ward)
    if not pairs:
        return None
    ec2, subnet = ward.client("ec2"), rng.choice(rng.choice(pairs))
    before = _of_subnet(_acls(ward), subnet["SubnetId"], default=lambda row: row["IsDefault"])
    other = ec2.create_network_acl(VpcId=subnet["VpcId"])["NetworkAcl"]["NetworkAclId"]

    def move(acl: str) -> None:
        (association,) = (
            each["NetworkAclAssociationId"]
            for row in _acls(ward)
            for each in row["Associations"]
            if each["SubnetId"] == subnet["SubnetId"]
        )
        ec2.replace_network_acl_association(AssociationId=association, NetworkAclId=acl)

    def mend() -> None:
        move(before["NetworkAclId"])
        with contextlib.suppress(Exception):  # it may stay: nothing uses it
            ec2.delete_network_acl(NetworkAclId=other)

    move(other)
    return Planted(f"subnet {subnet['SubnetId']} is in {other}, which has no rule", mend)


def _tables(ward: Ward) -> list[Row]:
    filters = [{"Name": "vpc-id", "Values": [ward.load_balancer["VpcId"]]}]
    rows: list[Row] = ward.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
    return rows


def _acls(ward: Ward) -> list[Row]:
    filters = [{"Name": "vpc-id", "Values": [ward.load_balancer["VpcId"]]}]
    rows: list[Row] = ward.client("ec2").describe_network_acls(Filters=filters)["NetworkAcls"]
    return rows


def _of_subnet(rows: list[Row], subnet_id: str, *, default: Any) -> Row:  # noqa: ANN401 - a predicate
    named = [row for row in rows if any(each.get("SubnetId") == subnet_id for each in row["Associations"])]
    return next(iter([*named, *(row for row in rows if default(row))]))


def _serves(ward: Ward, table: Row) -> bool:
    """Tell whether one of the load balancer's subnets uses a route table."""
    own = [zone["SubnetId"] for zone in ward.load_balancer["AvailabilityZones"]]
    rows = _tables(ward)
    main = lambda row: any(each.get("Main") for each in row["Associations"])  # noqa: E731 - short
    return any(_of_subnet(rows, each, default=main)["RouteTableId"] == table["RouteTableId"] for each in own)


def _pairs(ward: Ward) -> list[tuple[Row, Row]]:
    """Return each subnet of the load balancer with each other subnet that a target is in."""
    rows = {row["SubnetId"]: row for row in ward.subnets()}
    own = [rows[zone["SubnetId"]] for zone in ward.load_balancer["AvailabilityZones"]]
    theirs = {found["SubnetId"]: found for host, _ in ward.addresses() if (found := _subnet_of(ward, host))}
    return [(near, far) for near in own for far in theirs.values() if near["SubnetId"] != far["SubnetId"]]


def _subnet_of(ward: Ward, address: str) -> Row | None:
    return next((row for row in ward.subnets() if _within(address, row["CidrBlock"])), None)


def _within(address: str, cidr: str) -> bool:
    return ipaddress.ip_address(address) in ipaddress.ip_network(cidr)


def _admits(rule: Row, address: str, port: int) -> bool:
    everything = rule["IpProtocol"] == "-1"
    ranges = [each["CidrIp"] for each in rule.get("IpRanges", [])]
    return (everything or rule["FromPort"] <= port <= rule["ToPort"]) and any(_within(address, each) for each in ranges)

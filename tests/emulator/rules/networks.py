"""Rules of route tables and network ACLs."""

from tests.emulator.rule import rule
from tests.emulator.world import Account, refused

_API = "AWSEC2/latest/APIReference"


@rule("vpc/latest/userguide/WorkWithRouteTables.html")
def route_to_what_is_gone_is_a_black_hole(aws: Account) -> None:
    """A route stays when the NAT gateway or peering connection it leads to is deleted: its state is then blackhole."""
    network, other = aws.network(), aws.network("10.1.0.0/16")
    table = aws.ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    nat = aws.ec2.create_nat_gateway(SubnetId=network.subnets[0], ConnectivityType="private")["NatGateway"]
    peering = aws.ec2.create_vpc_peering_connection(VpcId=network.vpc, PeerVpcId=other.vpc)["VpcPeeringConnection"]
    aws.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])

    def states() -> list[str]:
        (row,) = aws.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        return [each["State"] for each in row["Routes"] if each.get("GatewayId") != "local"]

    aws.ec2.create_route(RouteTableId=table, DestinationCidrBlock="192.168.0.0/16", NatGatewayId=nat["NatGatewayId"])
    aws.ec2.create_route(
        RouteTableId=table,
        DestinationCidrBlock="10.1.0.0/16",
        VpcPeeringConnectionId=peering["VpcPeeringConnectionId"],
    )
    assert states() == ["active", "active"]
    aws.ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
    assert states() == ["blackhole", "active"]
    aws.ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
    assert states() == ["blackhole", "blackhole"]


@rule(f"{_API}/API_CreateRoute.html")
def route_leads_to_what_exists(aws: Account) -> None:
    """A route to a NAT gateway that does not exist is refused, and so is a second route for the same range."""
    network = aws.network()
    table = aws.ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"]
    nat = aws.ec2.create_nat_gateway(SubnetId=network.subnets[0], ConnectivityType="private")["NatGateway"]
    given = {"RouteTableId": table, "DestinationCidrBlock": "192.168.0.0/16"}
    with refused("InvalidParameterValue"):
        aws.ec2.create_route(**given, NatGatewayId="nat-0123456789abcdef0")
    aws.ec2.create_route(**given, NatGatewayId=nat["NatGatewayId"])
    with refused("RouteAlreadyExists"):
        aws.ec2.create_route(**given, NatGatewayId=nat["NatGatewayId"])


@rule("vpc/latest/userguide/vpc-network-acls.html")
def subnet_has_one_network_acl(aws: Account) -> None:
    """A subnet is associated with its VPC's own network ACL until that association is replaced: one at a time."""
    network = aws.network()

    def associated() -> dict[str, tuple[str, str]]:
        filters = [{"Name": "vpc-id", "Values": [network.vpc]}]
        return {
            each["SubnetId"]: (each["NetworkAclId"], each["NetworkAclAssociationId"])
            for acl in aws.ec2.describe_network_acls(Filters=filters)["NetworkAcls"]
            for each in acl["Associations"]
        }

    before = associated()
    assert set(before) == set(network.subnets)
    other = aws.ec2.create_network_acl(VpcId=network.vpc)["NetworkAcl"]["NetworkAclId"]
    first = network.subnets[0]
    given = {"NetworkAclId": other, "AssociationId": before[first][1]}
    new = aws.ec2.replace_network_acl_association(**given)["NewAssociationId"]
    assert associated() == {**before, first: (other, new)}
    with refused("InvalidAssociationID.NotFound"):
        aws.ec2.replace_network_acl_association(**given)


@rule(f"{_API}/API_CreateNetworkAclEntry.html")
def rule_of_an_acl_has_its_ports(aws: Account) -> None:
    """A rule of a network ACL is for the ports that it was given, and shows them."""
    acl = aws.ec2.create_network_acl(VpcId=aws.network().vpc)["NetworkAcl"]["NetworkAclId"]
    given = {"RuleNumber": 7, "Protocol": "6", "RuleAction": "deny", "Egress": False, "CidrBlock": "10.0.0.0/8"}
    aws.ec2.create_network_acl_entry(NetworkAclId=acl, **given, PortRange={"From": 22, "To": 23})
    (row,) = aws.ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"]
    entries = {entry["RuleNumber"]: entry for entry in row["Entries"] if not entry["Egress"]}
    assert entries[7]["PortRange"] == {"From": 22, "To": 23}

"""`Ground`: the account with networks and databases, before there is a service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator.database import Database
from emulator.ports import free_port
from tools.demo_world import PROVIDER_ACCOUNT, REGION, Subnet

if TYPE_CHECKING:
    from contextlib import ExitStack

    from emulator.name_server import NameServer
    from emulator.running import Emulator

# On loopback, so that health checks are real connections.
VPC_CIDR = "127.0.0.0/16"
PEER_CIDR, ON_PREMISES_CIDR = "10.99.0.0/16", "192.168.7.0/24"
_PLACES = {"a": "127.0.0.0/24", "b": "127.0.1.0/24", "c": "127.0.2.0/24"}
_APART = {"front-a": "127.0.10.0/24", "front-b": "127.0.11.0/24", "back-a": "127.0.20.0/24", "back-b": "127.0.21.0/24"}
_HOSTS = {**_PLACES, **_APART}
_PARAMETER_GROUP = "slow"


@dataclass
class Instance:
    """A DB instance with its own security group.

    Attributes:
        identifier: Its identifier.
        endpoint: Its name.
        addresses: Of its hosts, the one that the name stands for first.
        group: Its security group.
        parameter_group: Its parameter group; empty: RDS's own.
    """

    identifier: str
    endpoint: str
    addresses: tuple[str, ...]
    group: str
    parameter_group: str = ""


@dataclass
class Ground:
    """The account.

    Attributes:
        emulator: AWS.
        name_server: Knows the databases' names.
        started: What ends when the account does.
        vpc: The VPC.
        subnets: Its subnets: in zones a, b and c, and apart from these, with route tables and network ACLs of their
            own, `front-` for load balancers and `back-` for databases.
        port: The port on which all servers listen.
        servers: The servers, by address.
    """

    emulator: Emulator
    name_server: NameServer
    started: ExitStack
    vpc: str = ""
    subnets: dict[str, Subnet] = field(default_factory=dict)
    port: int = 0
    servers: dict[str, Database] = field(default_factory=dict)
    _last: int = 59

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client of the account."""
        return self.emulator.client(service, account=PROVIDER_ACCOUNT)

    def prepare(self) -> None:
        """Make the networks."""
        ec2 = self.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock=VPC_CIDR)["Vpc"]["VpcId"]
        for name, cidr in {**_PLACES, **_APART}.items():
            row = ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=f"{REGION}{name[-1]}")["Subnet"]
            self.subnets[name] = Subnet(id=row["SubnetId"], zone=row["AvailabilityZoneId"], cidr=cidr)
        self.port = free_port(*(f"127.0.{number}.59" for number in (0, 1, 2, 20, 21)))
        self._connect_networks()
        self._set_apart()

    def _connect_networks(self) -> None:
        """Give the main route table ways out: a peered VPC, a transit gateway to the premises, and the internet."""
        ec2 = self.client("ec2")
        filters = [{"Name": "vpc-id", "Values": [self.vpc]}, {"Name": "association.main", "Values": ["true"]}]
        main = ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"]
        peer = ec2.create_vpc(CidrBlock=PEER_CIDR)["Vpc"]["VpcId"]
        peering = ec2.create_vpc_peering_connection(VpcId=self.vpc, PeerVpcId=peer)["VpcPeeringConnection"]
        peering_id = peering["VpcPeeringConnectionId"]
        ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering_id)
        nat = ec2.create_nat_gateway(SubnetId=self.subnets["a"].id, ConnectivityType="private")["NatGateway"]
        for cidr, way in (
            (PEER_CIDR, {"VpcPeeringConnectionId": peering_id}),
            (ON_PREMISES_CIDR, {"TransitGatewayId": "tgw-0123456789abcdef0"}),
            ("0.0.0.0/0", {"NatGatewayId": nat["NatGatewayId"]}),
        ):
            ec2.create_route(RouteTableId=main, DestinationCidrBlock=cidr, **way)

    def _set_apart(self) -> None:
        """Give some subnets route tables and network ACLs of their own, in which the rules' numbers are high.

        A black hole leads where nobody goes, rules that deny come after those that admit, remote desktop is denied.
        """
        ec2 = self.client("ec2")
        for name in _APART:
            table = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
            ec2.associate_route_table(RouteTableId=table, SubnetId=self.subnets[name].id)
            nat = ec2.create_nat_gateway(SubnetId=self.subnets[name].id, ConnectivityType="private")["NatGateway"]
            ec2.create_route(RouteTableId=table, DestinationCidrBlock="172.31.0.0/16", NatGatewayId=nat["NatGatewayId"])
            ec2.delete_nat_gateway(NatGatewayId=nat["NatGatewayId"])
        rows = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["NetworkAcls"]
        associations = {
            each["SubnetId"]: each["NetworkAclAssociationId"] for row in rows for each in row["Associations"]
        }
        for side in ("front", "back"):
            acl = ec2.create_network_acl(VpcId=self.vpc)["NetworkAcl"]["NetworkAclId"]
            for egress in (False, True):
                for number, action, cidr, ports in (
                    (20000, "deny", "0.0.0.0/0", (3389, 3389)),
                    (32000, "allow", "127.0.0.0/17", (self.port, self.port)),
                    (32100, "allow", "127.0.0.0/16", (1024, 40000)),
                    (32101, "allow", "127.0.0.0/16", (40001, 65535)),
                    (32700, "deny", "0.0.0.0/0", (self.port, self.port)),
                    (32701, "deny", "0.0.0.0/0", (0, 65535)),
                ):
                    ec2.create_network_acl_entry(
                        NetworkAclId=acl, RuleNumber=number, Egress=egress, Protocol="6", RuleAction=action,
                        CidrBlock=cidr, PortRange={"From": ports[0], "To": ports[1]},
                    )  # fmt: skip
            for zone in ("a", "b"):
                ec2.replace_network_acl_association(
                    AssociationId=associations[self.subnets[f"{side}-{zone}"].id], NetworkAclId=acl
                )

    def group(self, name: str) -> str:
        """Return a new security group."""
        made = self.client("ec2").create_security_group(GroupName=name, Description=name, VpcId=self.vpc)
        return str(made["GroupId"])

    def server(self, place: str, number: int | None = None) -> str:
        """Start a server in a subnet, on a free address or the one of a number; returns the address."""
        if number is None:
            self._last += 1
            number = self._last
        address = f"{_HOSTS[place].rpartition('.')[0]}.{number}"
        if address not in self.servers:
            self.servers[address] = self.started.enter_context(Database(address, self.port))
        return address

    def instance(
        self, identifier: str, *places: str, zone: str = "a", parameters: dict[str, str] | None = None
    ) -> Instance:
        """Return a new DB instance with a host in each of some subnets; the first is the primary."""
        rds, places = self.client("rds"), places or ("a", "b")
        self._last += 1
        number = self._last
        addresses = tuple(self.server(place, number) for place in places)
        group = self.group(f"{identifier}-database")
        rds.create_db_subnet_group(
            DBSubnetGroupName=identifier,
            DBSubnetGroupDescription=identifier,
            SubnetIds=[self.subnets[place].id for place in places],
        )
        given: dict[str, Any] = {}
        if parameters is not None:
            name = f"{_PARAMETER_GROUP}-{identifier}"
            rds.create_db_parameter_group(
                DBParameterGroupName=name, DBParameterGroupFamily="postgres16", Description=identifier
            )
            rds.modify_db_parameter_group(
                DBParameterGroupName=name,
                Parameters=[
                    {"ParameterName": key, "ParameterValue": value, "ApplyMethod": "immediate"}
                    for key, value in parameters.items()
                ],
            )
            given["DBParameterGroupName"] = name
        rds.create_db_instance(
            DBInstanceIdentifier=identifier, Engine="postgres", DBInstanceClass="db.t4g.medium", AllocatedStorage=20,
            MultiAZ=len(places) > 1, Port=self.port, MasterUsername="postgres", ManageMasterUserPassword=True,
            AvailabilityZone=f"{REGION}{zone}",
            DBSubnetGroupName=identifier, VpcSecurityGroupIds=[group], PubliclyAccessible=False, **given,
        )  # fmt: skip
        row = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
        endpoint = row["Endpoint"]["Address"]
        self.name_server.set(endpoint, addresses[:1], ttl=1)
        return Instance(identifier, endpoint, addresses, group, given.get("DBParameterGroupName", ""))

"""Services that are unusual and healthy: the doctor may find nothing in any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cli.confusion.ground import PEER_CIDR
from tests.cli.confusion.set_up import Made, asked, followed, of_instance, set_up
from tools.demo_world import DBT_ACCOUNT, PROVIDER_ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.cli.confusion.ground import Ground
    from tests.cli.confusion.ward import Ward

_STRANGER = "222222222222"
_RANGES = "[10.9.0.0/16, 10.77.3.0/24]"
_ENFORCED = f"[{{dbt_platform: {{environment: EMEA, source_ranges: {_RANGES}}}}}]"


@set_up()
def plain(ground: Ground, name: str) -> Made:
    """One RDS instance, everything else by default."""
    return of_instance(ground, ground.instance(name))


@set_up()
def single_zone_database(ground: Ground, name: str) -> Made:
    """An RDS instance in one zone, behind a load balancer in two."""
    return of_instance(ground, ground.instance(name, "b", zone="b"))


@set_up()
def three_zones(ground: Ground, name: str) -> Made:
    """Three zones, the database in the third."""
    return of_instance(ground, ground.instance(name, "c", "a", zone="c"), places=("a", "b", "c"))


@set_up()
def two_databases(ground: Ground, name: str) -> Made:
    """Two listeners with a database each, one of them with another listener on a third port."""
    first, second = ground.instance(f"{name}-1"), ground.instance(f"{name}-2")
    return Made(
        listeners=[
            followed(ground, first),
            followed(ground, second, 5433, "billing"),
            followed(ground, first, 5434, "again"),
        ],
        names={each.endpoint: each.addresses[:1] for each in (first, second)},
        instance=first,
        group=first.group,
    )


@set_up()
def other_ports(ground: Ground, name: str) -> Made:
    """A listener on a port far from 5432."""
    instance = ground.instance(name)
    made = of_instance(ground, instance)
    made.listeners = [followed(ground, instance, 25060)]
    return made


@set_up()
def slow_checks(ground: Ground, name: str) -> Made:
    """Health checks of its own: every 30 s, three in a row."""
    instance = ground.instance(name)
    made = of_instance(ground, instance)
    checks = "health_check: {interval: 30, healthy_threshold: 3, unhealthy_threshold: 3}"
    made.listeners = [followed(ground, instance)[:-1] + f", {checks}}}"]
    return made


@set_up()
def enforced(ground: Ground, name: str) -> Made:
    """Inbound rules enforced on PrivateLink traffic, for two ranges of one consumer."""
    return of_instance(ground, ground.instance(name), consumers=_ENFORCED)


def _more_rules(ward: Ward) -> None:
    ec2 = ward.client("ec2")
    for group, port in ((ward.group, 22), (ward.group, 9999), (ward.database_group, 22), (ward.database_group, 8080)):
        rule = {
            "IpProtocol": "tcp",
            "FromPort": port,
            "ToPort": port,
            "IpRanges": [{"CidrIp": "10.200.0.0/16", "Description": "by hand"}],
        }
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    everything: dict[str, Any] = {
        "IpProtocol": "-1",
        "IpRanges": [{"CidrIp": "10.201.0.0/16", "Description": "by hand"}],
    }
    ec2.authorize_security_group_ingress(GroupId=ward.database_group, IpPermissions=[everything])


@set_up(_more_rules)
def enforced_with_more_rules(ground: Ground, name: str) -> Made:
    """Inbound rules enforced, and rules of other people's beside ours in both groups."""
    return of_instance(ground, ground.instance(name), consumers=_ENFORCED)


def _admit_both_subnets(ward: Ward) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 1024, "ToPort": 65535, "IpRanges": [{"CidrIp": "127.0.0.0/23"}]}
    (row,) = ward.client("rds").describe_db_instances(DBInstanceIdentifier=ward.instance)["DBInstances"]
    group = row["VpcSecurityGroups"][0]["VpcSecurityGroupId"]
    ward.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


@set_up(_admit_both_subnets)
def admitted_by_hand(ground: Ground, name: str) -> Made:
    """The database's group is the user's own: one rule by hand admits both subnets as one range, on many ports."""
    instance = ground.instance(name)
    made = of_instance(ground, instance)
    made.listeners = [followed(ground, instance).replace(f"security_groups: [{instance.group}], ", "")]
    return made


@set_up()
def pinned_addresses(ground: Ground, name: str) -> Made:
    """The load balancer has addresses of its own, and the database's group admits those only."""
    return of_instance(ground, ground.instance(name), pins={"a": "127.0.0.250", "b": "127.0.1.250"})


@set_up()
def subnets_apart(ground: Ground, name: str) -> Made:
    """Load balancer and database in different subnets, with route tables and network ACLs of their own.

    The ACLs' rules have high numbers, and a black hole leads where nobody goes.
    """
    return of_instance(ground, ground.instance(name, "back-a", "back-b"), places=("front-a", "front-b"))


@set_up()
def aurora(ground: Ground, name: str) -> Made:
    """An Aurora cluster in three zones: the writer on one port, two readers on another."""
    members = [f"{name}-1", f"{name}-2", f"{name}-3"]
    cluster = ground.emulator.control.define_cluster(name, members=members, account=PROVIDER_ACCOUNT, port=ground.port)
    hosts = dict(zip(members, (ground.server("a"), ground.server("b"), ground.server("c")), strict=True))
    group = ground.group(f"{name}-database")
    names = {cluster["members"][member]: (address,) for member, address in hosts.items()}
    names[cluster["endpoint"]] = (hosts[members[0]],)
    names[cluster["reader_endpoint"]] = (hosts[members[1]],)
    for each, addresses in names.items():
        ground.name_server.set(each, addresses, ttl=1)
    given = f"identifier: {name}, port: {ground.port}, security_groups: [{group}], {asked(ground)}"
    return Made(
        listeners=[
            f"writer: {{port: 5432, rds_cluster: {{endpoint: {cluster['endpoint']}, {given}}}}}",
            f"readers: {{port: 5433, rds_cluster: {{role: reader, endpoint: {cluster['reader_endpoint']}, {given}}}}}",
        ],
        places=("a", "b", "c"),
        names={cluster["endpoint"]: names[cluster["endpoint"]]},
        group=group,
    )


@set_up()
def proxy(ground: Ground, name: str) -> Made:
    """An RDS Proxy, whose name stands for an address in each zone."""
    group = ground.group(f"{name}-proxy")
    made = ground.client("rds").create_db_proxy(
        DBProxyName=name,
        EngineFamily="POSTGRESQL",
        DefaultAuthScheme="IAM_AUTH",
        RoleArn=f"arn:aws:iam::{PROVIDER_ACCOUNT}:role/{name}",
        VpcSubnetIds=[ground.subnets[place].id for place in ("a", "b")],
        VpcSecurityGroupIds=[group],
    )["DBProxy"]
    addresses = (ground.server("a"), ground.server("b"))
    ground.name_server.set(made["Endpoint"], addresses, ttl=1)
    given = f"port: {ground.port}, security_groups: [{group}], {asked(ground)}"
    return Made(
        listeners=[f"main: {{port: 5432, rds_proxy: {{name: {name}, endpoint: {made['Endpoint']}, {given}}}}}"],
        names={made["Endpoint"]: addresses},
        group=group,
    )


@set_up()
def own_name(ground: Ground, name: str) -> Made:
    """A name of the user's own, an alias for the RDS instance's."""
    instance = ground.instance(name)
    alias = f"{name}.example.com"
    ground.name_server.set(alias, instance.addresses[:1], ttl=1, cname=[instance.endpoint])
    given = f"port: {ground.port}, security_groups: [{instance.group}], {asked(ground)}"
    return Made(
        listeners=[f"main: {{port: 5432, hostname: {{name: {alias}, {given}}}}}"],
        instance=instance,
        group=instance.group,
    )


@set_up()
def self_hosted(ground: Ground, name: str) -> Made:
    """A server that RDS knows nothing of, followed by its name; nobody told its security group."""
    address, host = ground.server("b"), f"{name}.example.com"
    ground.name_server.set(host, [address], ttl=1)
    return Made(
        listeners=[f"main: {{port: 5432, hostname: {{name: {host}, port: {ground.port}, {asked(ground)}}}}}"],
        names={host: (address,)},
    )


@set_up()
def fixed_addresses(ground: Ground, name: str) -> Made:
    """Two fixed addresses in the VPC, and no function."""
    group, addresses = ground.group(name), f"{ground.server('a')}, {ground.server('b')}"
    given = f"addresses: [{addresses}], port: {ground.port}, security_groups: [{group}]"
    return Made(listeners=[f"main: {{port: 5432, ip_addresses: {{{given}}}}}"], group=group)


@set_up()
def on_premises(ground: Ground, name: str) -> Made:
    """A fixed address in a data center, behind a transit gateway; pinned addresses, for its firewall."""
    return Made(
        listeners=[f"main: {{port: 5432, ip_addresses: {{addresses: [192.168.7.20], port: {ground.port}}}}}"],
        pins={"a": "127.0.0.251", "b": "127.0.1.251"},
    )


@set_up()
def peered(ground: Ground, name: str) -> Made:
    """A name that stands for an address in a peered VPC."""
    host = f"{name}.example.com"
    ground.name_server.set(host, ["10.99.4.20"], ttl=1)
    given = f"name: {host}, port: {ground.port}, allowed_ranges: [{PEER_CIDR}], {asked(ground)}"
    return Made(listeners=[f"main: {{port: 5432, hostname: {{{given}}}}}"], names={host: ("10.99.4.20",)})


@set_up()
def servers_on_ec2(ground: Ground, name: str) -> Made:
    """Two EC2 instances, and no function."""
    ec2, group = ground.client("ec2"), ground.group(name)
    ids = []
    for place in ("a", "b"):
        (made,) = ec2.run_instances(
            ImageId="ami-0123456789abcdef0", InstanceType="t4g.micro", MinCount=1, MaxCount=1,
            SubnetId=ground.subnets[place].id, SecurityGroupIds=[group],
        )["Instances"]  # fmt: skip
        ids.append(made["InstanceId"])
        ground.server(place, int(made["PrivateIpAddress"].rpartition(".")[2]))
    given = f"ids: [{', '.join(ids)}], port: {ground.port}, security_groups: [{group}]"
    return Made(listeners=[f"main: {{port: 5432, ec2_instances: {{{given}}}}}"], group=group)


@set_up()
def accepted_by_list(ground: Ground, name: str) -> Made:
    """A function accepts the consumer's account, and rejects all others."""
    return of_instance(ground, ground.instance(name), f'accept_from: ["{DBT_ACCOUNT}"]', "reject_others: true")


@set_up()
def accepted_at_once(ground: Ground, name: str) -> Made:
    """Connections need no acceptance, of one account that is no product's."""
    return of_instance(
        ground,
        ground.instance(name),
        "acceptance_required: false",
        consumers=f'[{{name: Partner, principals: ["arn:aws:iam::{_STRANGER}:root"]}}]',
        consumer=_STRANGER,
    )


def _leave_traces(ward: Ward) -> None:
    """Reject one endpoint beside the accepted one, and admit another account by hand."""
    ec2, accepted = ward.client("ec2"), ward.endpoint
    ward.connect()
    ec2.reject_vpc_endpoint_connections(ServiceId=ward.service_id, VpcEndpointIds=[ward.endpoint])
    ward.endpoint = accepted
    ec2.modify_vpc_endpoint_service_permissions(
        ServiceId=ward.service_id, AddAllowedPrincipals=[f"arn:aws:iam::{_STRANGER}:root"]
    )


@set_up(_leave_traces)
def rejected_before(ground: Ground, name: str) -> Made:
    """An endpoint of the consumer was rejected, another accepted since; a principal was added by hand."""
    return of_instance(ground, ground.instance(name), "notifications: {enabled: false}")


@set_up()
def retained(ground: Ground, name: str) -> Made:
    """Resources that are retained, a protected load balancer, logs for a year, tags."""
    return of_instance(
        ground,
        ground.instance(name),
        "removal_policy: retain",
        "deletion_protection: true",
        "log_retention: 365",
        "tags: {team: data, cost-center: '42'}",
    )


@set_up()
def watched(ground: Ground, name: str) -> Made:
    """All alarms, a dashboard, flow logs."""
    return of_instance(ground, ground.instance(name), "alarms: {tier: full}", "dashboard: true", "flow_logs:")


@set_up()
def cheap(ground: Ground, name: str) -> Made:
    """A function that asks once a minute, and no alarms."""
    return of_instance(ground, ground.instance(name), "poll_interval: 60", "alarms: {tier: none}")


@set_up()
def function_in_the_vpc(ground: Ground, name: str) -> Made:
    """The function in subnets of the VPC."""
    subnets = ", ".join(
        f"{{id: {each.id}, zone: {each.zone}, cidr: {each.cidr}}}"
        for each in (ground.subnets["back-a"], ground.subnets["back-b"])
    )
    return of_instance(ground, ground.instance(name), f"function: {{subnets: [{subnets}]}}")


@set_up()
def two_regions(ground: Ground, name: str) -> Made:
    """Consumers from another Region, too."""
    other = "eu-west-1" if REGION != "eu-west-1" else "eu-central-1"
    return of_instance(ground, ground.instance(name), f"supported_regions: [{other}]")


def _fail_over(ward: Ward) -> None:
    """Fail over once, and wait until the standby is the only target."""
    (name,) = ward.names
    ward.names[name] = tuple(reversed(ward.names[name]))[:1]
    ward.name_server.set(name, ward.names[name], ttl=1)
    ward.client("rds").reboot_db_instance(DBInstanceIdentifier=ward.instance, ForceFailover=True)
    ward.until(lambda: [host for host, _ in ward.addresses()] == list(ward.names[name]))


@set_up(_fail_over)
def failed_over(ground: Ground, name: str) -> Made:
    """The database has failed over since the deployment."""
    made = of_instance(ground, ground.instance(name))
    assert made.instance is not None
    made.names = {made.instance.endpoint: made.instance.addresses}
    return made


def _lose_one(ward: Ward) -> None:
    """Kill one of two servers, and wait until the load balancer has seen it."""
    address = ward.addresses()[0][0]
    ward.servers[address].die()
    ward.until(lambda: "unhealthy" in ward.health().values())


@set_up(_lose_one)
def one_of_two_down(ground: Ground, name: str) -> Made:
    """Two fixed addresses, of which one is down: the other one gets all connections."""
    return fixed_addresses(ground, name)


@set_up()
def own_parameters(ground: Ground, name: str) -> Made:
    """A parameter group with keepalives after 200 s."""
    instance = ground.instance(name, parameters={"tcp_keepalives_idle": "200"})
    return of_instance(ground, instance)

"""`doctor` on a deployed service: one thing is broken at a time, named first with the change, and mended."""

from __future__ import annotations

import random
import shlex
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from emulator.database import Database
from emulator.name_server import NameServer, Trouble
from emulator.running import Emulator
from tests.cli.conftest import Site
from tests.cli.confusion.rounds import Plan, left_over
from tests.cli.confusion.ward import Ward
from tools.cdk_cli import Cdk
from tools.demo_world import (
    DBT_ACCOUNT,
    IDENTIFIER,
    PRIMARY,
    PROVIDER_ACCOUNT,
    REGION,
    STANDBY,
    SUBNET_CIDRS,
    make_world,
    write_configuration,
)
from tools.install import install_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PRINCIPAL = "arn:aws:iam::346425330055:role/MTPL_Admin"
SOURCE_RANGE = "10.9.0.0/16"

# They follow minutes later from what was broken: the metrics are a minute old.
LATE = {"Alarms"}


@dataclass
class Patient:
    """A deployed service to break.

    Attributes:
        site: The account.
        endpoint: The consumer's endpoint, which is accepted.
        ids: The physical ids of the stack's resources, by type; of each type the first.
    """

    site: Site
    endpoint: str
    ids: dict[str, str]

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client of the provider's account."""
        return self.site.client(service)

    def hops(self) -> dict[str, Any]:
        """Return what the doctor says, by hop."""
        return {each["hop"]: each for each in self.site.run_here("doctor", "--json").document["hops"]}

    def first(self) -> tuple[str, dict[str, Any]]:
        """Return the first hop with a problem, and its first finding."""
        return next((name, each["findings"][0]) for name, each in self.hops().items() if each["verdict"] == "problem")

    def wrong(self) -> dict[str, Any]:
        """Return the hops that are not ok, but for those that follow late."""
        return {name: each for name, each in self.hops().items() if each["verdict"] != "ok" and name not in LATE}

    @property
    def group(self) -> str:
        """The load balancer's security group."""
        return self.ids["AWS::EC2::SecurityGroup"]

    @property
    def target_group(self) -> str:
        """The target group's ARN."""
        return self.ids["AWS::ElasticLoadBalancingV2::TargetGroup"]

    @property
    def load_balancer(self) -> str:
        """The load balancer's ARN."""
        return self.ids["AWS::ElasticLoadBalancingV2::LoadBalancer"]

    @property
    def listener(self) -> str:
        """The listener's ARN."""
        return self.ids["AWS::ElasticLoadBalancingV2::Listener"]

    def acl(self) -> str:
        """Return the VPC's network ACL."""
        filters = [{"Name": "vpc-id", "Values": [self.site.world.vpc_id]}]
        return str(self.client("ec2").describe_network_acls(Filters=filters)["NetworkAcls"][0]["NetworkAclId"])

    def route_table(self) -> str:
        """Return the VPC's route table."""
        filters = [{"Name": "vpc-id", "Values": [self.site.world.vpc_id]}]
        return str(self.client("ec2").describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"])

    def schedule(self) -> str:
        """Return the name of the function's schedule."""
        rules = self.client("events").list_rules()["Rules"]
        return next(str(each["Name"]) for each in rules if each.get("ScheduleExpression"))

    def registered(self, *states: str) -> bool:
        """Return whether the target that DNS names is in one of these states."""
        rows = self.client("elbv2").describe_target_health(TargetGroupArn=self.target_group)
        found = {row["Target"]["Id"]: row["TargetHealth"]["State"] for row in rows["TargetHealthDescriptions"]}
        return found.get(PRIMARY) in states


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """Deploy a service with enforced source ranges, to which a consumer is connected."""
    install_tools()
    folder = tmp_path_factory.mktemp("doctor")
    with ExitStack() as started:
        emulator = started.enter_context(Emulator(folder / "emulator", region=REGION, authorization=True))
        emulator.control.set(health_check_interval_scale=0.1)
        name_server = started.enter_context(NameServer())
        world = make_world(emulator)
        databases = {address: started.enter_context(Database(address, world.port)) for address in (PRIMARY, STANDBY)}
        name_server.set(world.endpoint, [PRIMARY], ttl=1)
        config = folder / "privatelink.yaml"
        write_configuration(world, config, name_server=name_server.endpoint)
        config.write_text(
            config.read_text().replace(
                "environment: EMEA\n", f"environment: EMEA\n          source_ranges: [{SOURCE_RANGE}]\n"
            )
        )
        cdk = Cdk(folder, emulator.environment(account=PROVIDER_ACCOUNT), config=config)
        cdk.bootstrap()
        cdk.synth(validation=False)
        outputs = cdk.deploy()["PgPrivateLink-orders"]
        site = Site(emulator, name_server, world, databases, outputs, cdk, folder)
        rows = site.client("cloudformation").describe_stack_resources(StackName="PgPrivateLink-orders")
        ids: dict[str, str] = {}
        for row in rows["StackResources"]:
            ids.setdefault(row["ResourceType"], row["PhysicalResourceId"])
        endpoint = site.endpoint()
        site.client("ec2").accept_vpc_endpoint_connections(ServiceId=site.service_id, VpcEndpointIds=[endpoint])
        yield Patient(site, endpoint, ids)


def test_a_sound_service_has_no_finding(patient: Patient) -> None:
    """Every hop is ok, and a person reads so, though alarms are on until the first data come."""
    assert patient.wrong() == {}

    told = patient.site.run("doctor", columns=80).out

    assert max(map(len, told.splitlines())) <= 80
    assert "  ok  Database's group" in told
    assert told.endswith("Nothing is wrong.\n")


def rejected(patient: Patient) -> Callable[[], object]:
    """The owner rejects the consumer's endpoint."""
    given = {"ServiceId": patient.site.service_id, "VpcEndpointIds": [patient.endpoint]}
    patient.client("ec2").reject_vpc_endpoint_connections(**given)
    return lambda: patient.client("ec2").accept_vpc_endpoint_connections(**given)


def without_principal(patient: Patient) -> Callable[[], object]:
    """Somebody takes the consumer's permission away."""
    ec2, service = patient.client("ec2"), patient.site.service_id
    ec2.modify_vpc_endpoint_service_permissions(ServiceId=service, RemoveAllowedPrincipals=[PRINCIPAL])
    return lambda: ec2.modify_vpc_endpoint_service_permissions(ServiceId=service, AddAllowedPrincipals=[PRINCIPAL])


def waiting(patient: Patient) -> Callable[[], object]:
    """A second endpoint waits."""
    endpoint = patient.site.endpoint()
    return lambda: patient.site.client("ec2", DBT_ACCOUNT).delete_vpc_endpoints(VpcEndpointIds=[endpoint])


def without_source_range(patient: Patient) -> Callable[[], object]:
    """The consumer's range is taken out of the load balancer's group."""
    ec2 = patient.client("ec2")
    rule = {"GroupId": patient.group, "IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "CidrIp": SOURCE_RANGE}
    ec2.revoke_security_group_ingress(**rule)
    return lambda: ec2.authorize_security_group_ingress(**rule)


def not_enforced(patient: Patient) -> Callable[[], object]:
    """Somebody clears "Enforce inbound rules on PrivateLink traffic"."""
    elbv2 = patient.client("elbv2")

    def turn(state: str) -> object:
        return elbv2.set_security_groups(
            LoadBalancerArn=patient.load_balancer,
            SecurityGroups=[patient.group],
            EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic=state,
        )

    turn("off")
    return lambda: turn("on")


def another_port(patient: Patient) -> Callable[[], object]:
    """The listener is moved to another port."""
    elbv2 = patient.client("elbv2")
    elbv2.modify_listener(ListenerArn=patient.listener, Port=6432)
    return lambda: elbv2.modify_listener(ListenerArn=patient.listener, Port=5432)


def without_cross_zone(patient: Patient) -> Callable[[], object]:
    """Cross-zone load balancing is turned off."""
    elbv2 = patient.client("elbv2")

    def turn(value: str) -> object:
        return elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=patient.load_balancer,
            Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": value}],
        )

    turn("false")
    return lambda: turn("true")


def proxy_protocol(patient: Patient) -> Callable[[], object]:
    """Proxy protocol is turned on."""
    elbv2 = patient.client("elbv2")

    def turn(value: str) -> object:
        return elbv2.modify_target_group_attributes(
            TargetGroupArn=patient.target_group, Attributes=[{"Key": "proxy_protocol_v2.enabled", "Value": value}]
        )

    turn("true")
    return lambda: turn("false")


def without_schedule(patient: Patient) -> Callable[[], object]:
    """The function's schedule is disabled."""
    events, name = patient.client("events"), patient.schedule()
    events.disable_rule(Name=name)
    return lambda: events.enable_rule(Name=name)


def name_gone(patient: Patient) -> Callable[[], object]:
    """The database's name does not exist any more."""
    server, name = patient.site.name_server, patient.site.world.endpoint
    server.fail(name, Trouble.NXDOMAIN)
    return lambda: server.set(name, [PRIMARY], ttl=1)


def wrong_target(patient: Patient) -> Callable[[], object]:
    """Somebody registers another server beside the database, while nothing follows DNS."""
    elbv2 = patient.client("elbv2")
    given = {"TargetGroupArn": patient.target_group, "Targets": [{"Id": STANDBY, "Port": patient.site.world.port}]}
    elbv2.register_targets(**given)
    return lambda: elbv2.deregister_targets(**given)


def nothing_registered(patient: Patient) -> Callable[[], object]:
    """Somebody deregisters the database."""
    elbv2 = patient.client("elbv2")
    given = {"TargetGroupArn": patient.target_group, "Targets": [{"Id": PRIMARY, "Port": patient.site.world.port}]}
    elbv2.deregister_targets(**given)
    return lambda: elbv2.register_targets(**given)


def database_stopped(patient: Patient) -> Callable[[], object]:
    """The DB instance is stopped."""
    rds = patient.client("rds")
    rds.stop_db_instance(DBInstanceIdentifier=IDENTIFIER)
    return lambda: rds.start_db_instance(DBInstanceIdentifier=IDENTIFIER)


def no_way_out(patient: Patient) -> Callable[[], object]:
    """The load balancer's outbound rule is gone."""
    ec2, port = patient.client("ec2"), patient.site.world.port
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "127.0.0.0/16"}]}
    ec2.revoke_security_group_egress(GroupId=patient.group, IpPermissions=[rule])
    return lambda: ec2.authorize_security_group_egress(GroupId=patient.group, IpPermissions=[rule])


def black_hole(patient: Patient) -> Callable[[], object]:
    """A more specific route leads to a NAT gateway that is gone."""
    ec2, table = patient.client("ec2"), patient.route_table()
    subnet = patient.site.world.subnets[1].id
    nat = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=SUBNET_CIDRS[0], NatGatewayId=nat)
    ec2.delete_nat_gateway(NatGatewayId=nat)
    return lambda: ec2.delete_route(RouteTableId=table, DestinationCidrBlock=SUBNET_CIDRS[0])


def denied_by_acl(patient: Patient) -> Callable[[], object]:
    """A network ACL denies the database's port on the way in."""
    ec2, acl, port = patient.client("ec2"), patient.acl(), patient.site.world.port
    entry = {"NetworkAclId": acl, "RuleNumber": 50, "Egress": False}
    ec2.create_network_acl_entry(
        **entry, Protocol="6", RuleAction="deny", CidrBlock="0.0.0.0/0", PortRange={"From": port, "To": port}
    )
    return lambda: ec2.delete_network_acl_entry(**entry)


def database_closed(patient: Patient) -> Callable[[], object]:
    """The rule in the database's security group is gone."""
    ec2, port = patient.client("ec2"), patient.site.world.port
    described = "Load balancer of a Postgres endpoint service"
    pairs = [{"GroupId": patient.group, "UserId": PROVIDER_ACCOUNT, "Description": described}]
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": pairs}
    group = patient.site.world.database_security_group
    rows = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    inbound = [row["SecurityGroupRuleId"] for row in rows if not row["IsEgress"]]
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=inbound)
    return lambda: ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def database_down(patient: Patient) -> Callable[[], object]:
    """Nothing listens on the database's port."""
    database = patient.site.databases[PRIMARY]
    database.die()
    _until(lambda: patient.registered("unhealthy"))

    def mend() -> None:
        database.start()
        _until(lambda: patient.registered("healthy"))

    return mend


def _until(holds: Callable[[], bool]) -> None:
    """Wait until the emulator's health checks have seen something; a test that hangs shows that they never do."""
    while not holds():
        pass


FAULTS: list[tuple[Callable[[Patient], Callable[[], object]], str, str, str]] = [
    (without_principal, "Principals", f"{PRINCIPAL} may not make an endpoint", f"--add-allowed-principals {PRINCIPAL}"),
    (rejected, "Connections", "is rejected", "pg-privatelink accept vpce-"),
    (waiting, "Connections", "waits to be accepted", "pg-privatelink accept vpce-"),
    (without_source_range, "Inbound rules", f"consumers in {SOURCE_RANGE} are not admitted", f"--cidr {SOURCE_RANGE}"),
    (not_enforced, "Inbound rules", "do not apply to PrivateLink traffic, though", "on-private-link-traffic on"),
    (another_port, "Listeners", "is on port 6432, but the stack put it on 5432", "--port 5432"),
    (proxy_protocol, "Target groups", "adds a proxy protocol header", "Key=proxy_protocol_v2.enabled,Value=false"),
    (without_cross_zone, "Cross-zone", "cross-zone load balancing is off", "cross_zone.enabled,Value=true"),
    (without_schedule, "Function", "its schedule is disabled", "aws events enable-rule --name PgPrivateLink-orders"),
    (name_gone, "DNS", "NXDOMAIN", ""),
    (database_stopped, "Database", "is stopp", f"start-db-instance --db-instance-identifier {IDENTIFIER}"),
    (wrong_target, "Targets", f"{STANDBY}:", "deregister-targets --target-group-arn"),
    (nothing_registered, "Targets", "nothing is registered for listener main", f"--targets Id={PRIMARY},Port="),
    (no_way_out, "Outbound rules", "does not let it connect to 127.0.0.10", "authorize-security-group-egress"),
    (black_hole, "Route tables", f"is a black hole: {SUBNET_CIDRS[0]} in route table", "aws ec2 delete-route"),
    (denied_by_acl, "Network ACLs", "rule 50 denies it", "--rule-number 49"),
    (database_closed, "Database's group", "does not admit the load balancer", "authorize-security-group-ingress"),
    (database_down, "Target health", "the load balancer cannot connect to it", ""),
]


@pytest.mark.parametrize(("fault", "hop", "evidence", "command"), FAULTS, ids=[each[0].__name__ for each in FAULTS])
def test_a_fault_is_named_first_and_gone_when_mended(
    patient: Patient, fault: Callable[[Patient], Callable[[], object]], hop: str, evidence: str, command: str
) -> None:
    """The broken hop is the first problem, with what was seen and what to do; mended, nothing is left."""
    mend = fault(patient)
    try:
        named, finding = patient.first()
    finally:
        mend()

    assert named == hop
    assert evidence in finding["evidence"]
    assert command in finding["command"]
    assert finding["change"]
    if finding["command"]:
        assert shlex.split(finding["command"])[0] in {"aws", "pg-privatelink"}
    assert patient.wrong() == {}


def test_an_alarm_is_told_and_not_counted_once_its_cause_is_gone(patient: Patient) -> None:
    """A connection waited and does not any more: doctor and status say that the alarm is late."""
    cloudwatch = patient.client("cloudwatch")
    names = [row["AlarmName"] for row in cloudwatch.describe_alarms()["MetricAlarms"]]
    (name,) = (each for each in names if "ConnectionWaits" in each)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="a connection waited")

    told = patient.hops()["Alarms"]["findings"]
    (alarm,) = (row for row in patient.site.run_here("status", "--json").document["alarms"] if row["name"] == name)

    (late,) = (each for each in told if "ConnectionWaits" in each["evidence"])
    assert late["verdict"] == "ok"
    assert "no connection waits any more" in late["evidence"]
    assert (alarm["state"], alarm["goes_off"], alarm["verdict"]) == ("ALARM", "no connection waits any more", "ok")


def test_faults_by_chance_are_named_first(patient: Patient) -> None:
    """Single and double faults that a seeded generator plants: the first along the path is named first.

    The other of two is told too, or not known because of the first. `make doctor-confusion` plants more, in many kinds
    of services.
    """
    ward = Ward(
        emulator=patient.site.emulator,
        name_server=patient.site.name_server,
        stack="PgPrivateLink-orders",
        servers=patient.site.databases,
        names={patient.site.world.endpoint: (PRIMARY,)},
        instance=IDENTIFIER,
        database_group=patient.site.world.database_security_group,
        endpoint=patient.endpoint,
    )
    ward.before = ward.health()
    plan = Plan(random.Random(6), [ward])  # noqa: S311 - to be repeated

    played = [plan.play(ward, faults)[0] for ward, faults in [*plan.singles(12), *plan.doubles(5)]]

    rounds = [each for each in played if each is not None]
    assert [(each.words, each.first, each.told) for each in rounds if not each.right] == []
    assert len(rounds) > len(played) / 2
    assert left_over(ward) == []

"""The doctor's checks over facts: what is in order, what is wrong, what cannot be told."""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pg_privatelink.cli.connections import Connection
from pg_privatelink.cli.doctor.around import METRICS, Around, conclude, parse_time
from pg_privatelink.cli.doctor.database import INSTANCE, Database
from pg_privatelink.cli.doctor.facts import Change, Facts
from pg_privatelink.cli.doctor.passage import admits, denials, route_to
from pg_privatelink.cli.doctor.template import Template
from pg_privatelink.cli.doctor.view import summary
from pg_privatelink.cli.doctor.walk import HOPS, exit_code, first_problem, walk
from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.listeners import Listener, Target
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.service import Resource, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from pg_privatelink.cli.doctor.finding import Finding

LOAD_BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/net/lb/1"
LISTENER = "arn:listener"
GROUP = "arn:group"
ROLE = "arn:aws:iam::346425330055:role/MTPL_Admin"
OWN, THEIRS = "sg-0000000000000own1", "sg-00000000000theirs"
A, B = "10.0.0.10", "10.0.1.10"

SERVICE = Service(
    name="orders",
    beginning="Service",
    stack="PgPrivateLink-orders",
    stack_status="CREATE_COMPLETE",
    account="111122223333",
    region="eu-central-1",
    outputs={},
    id="vpce-svc-1",
    resources=tuple(
        Resource(logical_id, type_, physical_id)
        for logical_id, type_, physical_id in [
            ("ServiceLoadBalancer00000000", "AWS::ElasticLoadBalancingV2::LoadBalancer", LOAD_BALANCER),
            ("ServiceListenersmainListener00000000", "AWS::ElasticLoadBalancingV2::Listener", LISTENER),
            ("ServiceListenersmainTargetGroup00000000", "AWS::ElasticLoadBalancingV2::TargetGroup", GROUP),
            ("ServiceNetworkSecurityGroup00000000", "AWS::EC2::SecurityGroup", OWN),
            ("ServiceEndpointServicePermissions00000000", "AWS::EC2::VPCEndpointServicePermissions", "p"),
            ("ServiceTargetSyncFunction00000000", "AWS::Lambda::Function", "sync"),
        ]
    ),
)
BODY: dict[str, Any] = {
    "Resources": {
        "ServiceLoadBalancer00000000": {
            "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Properties": {
                "Subnets": ["subnet-a", "subnet-b"],
                "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "off",
            },
        },
        "ServiceListenersmainListener00000000": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "Port": 5432,
                "DefaultActions": [{"TargetGroupArn": {"Ref": "ServiceListenersmainTargetGroup00000000"}}],
            },
        },
        "ServiceEndpointServicePermissions00000000": {
            "Type": "AWS::EC2::VPCEndpointServicePermissions",
            "Properties": {"AllowedPrincipals": [ROLE]},
        },
    }
}
DATABASE = Database(
    kind=INSTANCE,
    identifier="orders",
    status="available",
    port=5432,
    publicly_accessible=False,
    security_groups=(THEIRS,),
    zones=frozenset({"a", "b"}),
    possible_zones=frozenset({"a", "b"}),
    single_address=True,
    parameter_group="default.postgres17",
    keepalive=None,
)


def tcp(port: int, *cidrs: str, group: str | None = None) -> dict[str, Any]:
    """A rule of a security group."""
    return {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": each} for each in cidrs],
        "UserIdGroupPairs": [{"GroupId": group}] if group else [],
    }


def entry(number: int, action: str, *, egress: bool, cidr: str = "0.0.0.0/0", ports: Any = None) -> dict[str, Any]:  # noqa: ANN401
    """An entry of a network ACL."""
    made = {"RuleNumber": number, "RuleAction": action, "Egress": egress, "CidrBlock": cidr, "Protocol": "-1"}
    return {**made, "Protocol": "6", "PortRange": {"From": ports[0], "To": ports[1]}} if ports else made


def acl(*entries: dict[str, Any]) -> dict[str, Any]:
    """The VPC's network ACL."""
    return {"NetworkAclId": "acl-1", "IsDefault": True, "Associations": [], "Entries": list(entries)}


OPEN = [entry(100, "allow", egress=False), entry(100, "allow", egress=True)]


def sound() -> Facts:
    """A service in which all is well: its name and one healthy target, its consumer connected."""
    report = {
        "listeners": {
            "main": {
                "hostname": "orders.x.eu-central-1.rds.amazonaws.com",
                "port": 5432,
                "nameservers": [],
                "answer": {"addresses": [A], "ttl": 5.0, "aliases": []},
                "failure": "",
                "register": [],
                "unnamed": [],
            }
        },
        "broken": {},
    }
    return Facts(
        service=SERVICE,
        template=Template(SERVICE, BODY),
        configuration={
            "ServiceState": "Available",
            "AvailabilityZones": ["a", "b"],
            "NetworkLoadBalancerArns": [LOAD_BALANCER],
            "AcceptanceRequired": True,
        },
        principals=[ROLE],
        connections=[Connection("vpce-1", SERVICE.id, "346425330055", "available")],
        load_balancer={
            "LoadBalancerArn": LOAD_BALANCER,
            "LoadBalancerName": "lb",
            "Scheme": "internal",
            "VpcId": "vpc-1",
            "State": {"Code": "active"},
            "SecurityGroups": [OWN],
            "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "off",
            "AvailabilityZones": [
                {"ZoneName": "a", "SubnetId": "subnet-a"},
                {"ZoneName": "b", "SubnetId": "subnet-b"},
            ],
        },
        attributes={"load_balancing.cross_zone.enabled": "true"},
        listeners=[
            {
                "ListenerArn": LISTENER,
                "Port": 5432,
                "Protocol": "TCP",
                "DefaultActions": [{"TargetGroupArn": GROUP}],
            }
        ],
        named=[Listener("main", 5432, GROUP, {"hostname": "orders.x.eu-central-1.rds.amazonaws.com", "port": "5432"})],
        groups={GROUP: {"HealthCheckProtocol": "TCP", "HealthCheckPort": "traffic-port", "Attributes": {}}},
        targets={GROUP: [Target(f"{A}:5432", "healthy")]},
        subnets={
            "subnet-a": {"SubnetId": "subnet-a", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "a"},
            "subnet-b": {"SubnetId": "subnet-b", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "b"},
        },
        security_groups={
            OWN: {"GroupId": OWN, "IpPermissions": [], "IpPermissionsEgress": [tcp(5432, "10.0.0.0/16")]},
            THEIRS: {
                "GroupId": THEIRS,
                "IpPermissions": [tcp(5432, "10.0.0.0/24", "10.0.1.0/24"), tcp(5432, group=OWN)],
                "IpPermissionsEgress": [],
            },
        },
        route_tables=[
            {
                "RouteTableId": "rtb-1",
                "Associations": [{"Main": True}],
                "Routes": [{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}],
            }
        ],
        network_acls=[acl(*OPEN)],
        interfaces=[],
        report=report,
        rules=[
            {"Name": "schedule", "State": "ENABLED", "Runs": True, "Schedule": True},
            {"Name": "failovers", "State": "ENABLED", "Runs": True, "Schedule": False},
        ],
        invokers=[{"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}],
        concurrency=None,
        databases={"main": DATABASE},
        last_change=Change("2026-01-31 14:00:00Z", "main", f"registered {A}:5432", "failover"),
        failures=[],
        alarms=[{"AlarmName": "x", "Label": "NoHealthyTarget", "StateValue": "OK"}],
    )


def findings(facts: Facts) -> dict[str, Finding]:
    """The first finding of each hop."""
    return {hop.name: hop.findings[0] for hop in walk(facts)}


def test_a_sound_service() -> None:
    """Every hop is ok, and says what it saw."""
    hops = walk(sound())

    assert [hop.name for hop in hops] == list(HOPS)
    assert {hop.name: hop.verdict for hop in hops if hop.verdict != "ok"} == {}
    assert all(each.evidence and not each.change for hop in hops for each in hop.findings)
    assert (exit_code(hops), summary(hops)) == (ExitCode.OK, "Nothing is wrong.")


def change(name: str, **values: Any) -> Callable[[Facts], None]:  # noqa: ANN401 - rows of AWS's
    """Changes a row among the facts."""

    def apply(facts: Facts) -> None:
        setattr(facts, name, {**copy.deepcopy(getattr(facts, name)), **values})

    return apply


def put(name: str, value: object) -> Callable[[Facts], None]:
    """Replaces a fact."""
    return lambda facts: setattr(facts, name, value)


def rule(place: int = 0, **values: Any) -> Callable[[Facts], None]:  # noqa: ANN401 - rows of AWS's
    """Changes a rule that runs the function: the schedule, or the one for events."""

    def apply(facts: Facts) -> None:
        rules: Any = copy.deepcopy(facts.rules)
        rules[place] |= values
        facts.rules = rules

    return apply


def fixed(*targets: str) -> Callable[[Facts], None]:
    """Gives the template fixed targets, which nothing follows."""

    def apply(facts: Facts) -> None:
        body = copy.deepcopy(BODY)
        body["Resources"]["ServiceListenersmainTargetGroup00000000"] = {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {
                "Port": 5432,
                "Targets": [{"Id": host, "Port": port} for host, _, port in (each.partition(":") for each in targets)],
            },
        }
        facts.template = Template(SERVICE, body)
        facts.named = [replace(each, tags={}) for each in facts.named]  # type: ignore[union-attr]

    return apply


def seen(**values: Any) -> Callable[[Facts], None]:  # noqa: ANN401 - JSON
    """Changes what the function reports."""

    def apply(facts: Facts) -> None:
        report: Any = copy.deepcopy(facts.report)
        report["listeners"]["main"] |= values
        facts.report = report

    return apply


def group(group_id: str, **values: Any) -> Callable[[Facts], None]:  # noqa: ANN401 - rows of AWS's
    """Changes a security group."""

    def apply(facts: Facts) -> None:
        groups: Any = copy.deepcopy(facts.security_groups)
        groups[group_id] |= values
        facts.security_groups = groups

    return apply


def connection(state: str, owner: str = "346425330055") -> list[Connection]:
    """One connection."""
    return [Connection("vpce-1", SERVICE.id, owner, state)]


def listener(**values: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - rows of AWS's
    """The listener, changed."""
    rows: Any = sound().listeners
    return [{**rows[0], **values}]


def target(state: str, reason: str = "", address: str = A) -> dict[str, list[Target]]:
    """One target in a state."""
    return {GROUP: [Target(f"{address}:5432", state, reason)]}


def outside(*tables: list[dict[str, Any]]) -> Callable[[Facts], None]:
    """Puts the target into a network outside the VPC, and gives the VPC these route tables, the main one first."""

    def apply(facts: Facts) -> None:
        rows = copy.deepcopy([table[0] for table in tables])
        for number, row in enumerate(rows):
            row |= {"RouteTableId": f"rtb-{number + 1}", "Associations": [{"Main": number == 0}]}
        facts.route_tables = rows
        facts.targets = target("healthy", address=FAR)
        seen(answer={"addresses": [FAR], "ttl": 5.0, "aliases": []})(facts)
        group(OWN, IpPermissionsEgress=[tcp(5432, "0.0.0.0/0")])(facts)
        facts.databases = {"main": replace(DATABASE, security_groups=())}

    return apply


def routes(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    """The VPC's route table."""
    return [{"RouteTableId": "rtb-1", "Associations": [{"Main": True}], "Routes": list(rows)}]


LOCAL = {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active"}
FAR = "192.168.7.20"
TRANSIT = {"DestinationCidrBlock": "192.168.0.0/16", "TransitGatewayId": "tgw-1", "State": "active"}
NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
INTERNET = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
VIRTUAL = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "vgw-1", "State": "active"}
DENIED = (
    "MEMBERS_UNKNOWN: the members of DB cluster sales cannot be listed: AccessDenied: An error occurred (AccessDenied) "
    "when calling the DescribeDBClusters operation: User: arn:aws:sts::1:assumed-role/r/f is not authorized to "
    "perform: rds:DescribeDBClusters"
)
WAITS = {
    "AlarmName": "y",
    "Label": "ConnectionsConnectionWaits",
    "StateValue": "ALARM",
    "StateUpdatedTimestamp": dt.datetime(2026, 1, 31, 14, tzinfo=dt.UTC),
}
HOLE = {"DestinationCidrBlock": "10.0.0.0/24", "NatGatewayId": "nat-1", "State": "blackhole"}
DNS_NAMES_B = seen(answer={"addresses": [B], "ttl": 5.0, "aliases": []}, register=[f"{B}:5432"], unnamed=[f"{A}:5432"])


def auto_scaling_group(facts: Facts) -> None:
    """An Auto Scaling group registers what it likes; the template names no target, and nothing is followed."""
    facts.service = replace(
        SERVICE, resources=tuple(each for each in SERVICE.resources if each.type != "AWS::Lambda::Function")
    )
    facts.named = [replace(each, tags={}) for each in sound().named]  # type: ignore[union-attr]
    facts.report, facts.last_change, facts.rules, facts.invokers = None, None, (), ()
    instances = {"i-0000000000000000a": A, "i-0000000000000000b": B}
    facts.targets = {GROUP: [Target(f"{each}:5432", "healthy") for each in instances]}
    facts.interfaces = [
        {
            "PrivateIpAddress": address,
            "PrivateIpAddresses": [{"PrivateIpAddress": address}],
            "Attachment": {"InstanceId": each},
            "Groups": [{"GroupId": THEIRS}],
        }
        for each, address in instances.items()
    ]


ENFORCED = change("load_balancer", EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="on")
TWO_ZONES = {"AvailabilityZones": [{"ZoneName": "a", "SubnetId": "subnet-a"}]}


@pytest.mark.parametrize(
    ("apply", "hop", "words", "command"),
    [
        (change("configuration", ServiceState="Failed"), "Endpoint service", "is Failed", ""),
        (change("configuration", NetworkLoadBalancerArns=[]), "Endpoint service", "does not stand", LOAD_BALANCER),
        (put("principals", []), "Principals", "though the stack admits it", ROLE),
        (put("principals", ["*"]), "Principals", ROLE, ROLE),
        (put("connections", connection("pendingAcceptance")), "Connections", "waits", "accept vpce-1"),
        (put("connections", connection("pendingAcceptance", "999999999999")), "Connections", "no principal", "reject"),
        (put("connections", connection("rejected")), "Connections", "is rejected", "accept vpce-1"),
        (put("connections", connection("failed")), "Connections", "is failed", ""),
        (put("load_balancer", None), "Load balancer", "does not exist any more", ""),
        (change("load_balancer", State={"Code": "failed"}), "Load balancer", "is failed", ""),
        (change("load_balancer", **TWO_ZONES), "Load balancer's zones", "not in b any more", "set-subnets"),
        (
            put("databases", {"main": replace(DATABASE, zones=frozenset({"c"}))}),
            "Load balancer's zones",
            "can be in c, where the load balancer is not",
            "",
        ),
        (change("configuration", AvailabilityZones=["a"]), "Service's zones", "is in b", "--service-id vpce-svc-1"),
        (put("listeners", []), "Listeners", "listener main was deleted", "create-listener"),
        (put("listeners", listener(Port=6432)), "Listeners", "is on port 6432", "--port 5432"),
        (
            put("listeners", listener(DefaultActions=[{"TargetGroupArn": "arn:other"}])),
            "Listeners",
            "another target group",
            f"TargetGroupArn={GROUP}",
        ),
        (ENFORCED, "Inbound rules", "though the stack turned that off", "private-link-traffic off"),
        (
            put("groups", {GROUP: {"HealthCheckProtocol": "TCP", "HealthCheckPort": "8080", "Attributes": {}}}),
            "Target groups",
            "to port 8080",
            "--health-check-port traffic-port",
        ),
        (change("attributes", **{"load_balancing.cross_zone.enabled": "false"}), "Cross-zone", "is off", "Value=true"),
        (put("report", Problem("the function sync fails (boom)", "see")), "Function", "fails (boom)", ""),
        (change("report", broken={GROUP: "no port"}), "Function", "no port", "add-tags"),
        (rule(State="DISABLED"), "Function", "schedule is disabled", "enable-rule --name schedule"),
        (rule(Runs=False), "Function", "its schedule does not run the function", "get-template"),
        (rule(State="DELETED", Runs=False), "Function", "its schedule was deleted", "get-template"),
        (rule(1, State="DISABLED"), "Function", "RDS (failovers) is disabled", "enable-rule --name failovers"),
        (put("rules", []), "Function", "no rule that runs it", ""),
        (put("invokers", []), "Function", "EventBridge may not invoke it", "add-permission --function-name sync"),
        (put("concurrency", 0), "Function", "reserved concurrency is 0", "delete-function-concurrency"),
        (put("report", Problem("the function sync does not exist any more", "see")), "Function", "any more", ""),
        (fixed(f"{A}:5432", f"{B}:5432"), "Targets", f"{B}:5432 is not registered any more", f"Id={B},Port=5432"),
        (fixed(f"{B}:5432"), "Targets", "is not registered any more", "register-targets"),
        (seen(answer=None, failure="NXDOMAIN: gone"), "DNS", "NXDOMAIN: gone", ""),
        (seen(answer=None, failure="8.8.8.8 is a public address, which"), "DNS", "public address", ""),
        (put("databases", {"main": replace(DATABASE, status="stopped")}), "Database", "is stopped", "start-db-inst"),
        (put("databases", {"main": replace(DATABASE, status="storage-full")}), "Database", "is storage-full", ""),
        (put("databases", {"main": replace(DATABASE, port=6000)}), "Database", "listens on port 6000", ""),
        (DNS_NAMES_B, "Targets", f"DNS names {B}:5432", f"Id={B},Port=5432"),
        (seen(unnamed=[f"{B}:5432"]), "Targets", "DNS does not name it", f"Id={B},Port=5432"),
        (put("targets", {GROUP: []}), "Targets", "nothing is registered", ""),
        (group(OWN, IpPermissionsEgress=[]), "Outbound rules", f"connect to {A}:5432", f"CidrIp={A}/32"),
        (group(OWN, IpPermissionsEgress=[tcp(6000, "0.0.0.0/0")]), "Outbound rules", "does not let it", "egress"),
        (put("route_tables", routes(LOCAL, HOLE)), "Route tables", "black hole: 10.0.0.0/24", "delete-route"),
        (put("route_tables", routes()), "Route tables", "there is no route", "create-route"),
        (outside(routes(LOCAL, NAT)), "Route tables", "0.0.0.0/0 in route table rtb-1, to nat-1", f"{FAR}/32"),
        (outside(routes(LOCAL, INTERNET)), "Route tables", "to igw-1: the internet has no private", "create-route"),
        (outside(routes(LOCAL, INTERNET), routes(TRANSIT)), "Route tables", "to igw-1", "create-route"),
        (outside(routes(LOCAL, NAT), routes(INTERNET)), "Route tables", "to nat-1", "create-route"),
        (
            outside(routes(LOCAL, NAT), routes({**TRANSIT, "State": "blackhole"})),
            "Route tables",
            "to nat-1",
            "create-route",
        ),
        (outside(routes(LOCAL)), "Route tables", "there is no route", "create-route"),
        (seen(answer=None, failure=DENIED), "Function", "lacks a permission: listener main", "get-template"),
        (seen(failure="read failed: AccessDenied: no"), "Function", "lacks a permission", "get-template"),
        (
            put("network_acls", [acl(entry(90, "deny", egress=False, ports=(5432, 5432)), *OPEN)]),
            "Network ACLs",
            "rule 90 denies it",
            "--ingress --rule-number 89",
        ),
        (
            put(
                "network_acls",
                [acl(entry(100, "allow", egress=True), entry(1, "allow", egress=False, ports=(5432, 5432)))],
            ),
            "Network ACLs",
            "no rule admits it",
            "From=1024,To=65535",
        ),
        (group(THEIRS, IpPermissions=[]), "Database's group", "10.0.0.0/24, 10.0.1.0/24", "CidrIp=10.0.1.0/24"),
        (group(THEIRS, IpPermissions=[tcp(5432, group=OWN)]), "Database's group", "not enough", THEIRS),
        (
            put("targets", target("unhealthy", "Target.FailedHealthChecks")),
            "Target health",
            "cannot connect to it",
            "",
        ),
        (put("targets", target("unused", "Target.NotInUse")), "Target health", "its zone is not enabled", ""),
        (
            put("databases", {"main": replace(DATABASE, keepalive=600, parameter_group="slow")}),
            "Keepalives",
            "after 600 s",
            "--db-parameter-group-name slow",
        ),
        (put("databases", {"main": replace(DATABASE, keepalive=0)}), "Keepalives", "never", "ParameterValue=300"),
        (
            put("alarms", [{"AlarmName": "x", "Label": "NoHealthyTarget", "StateValue": "ALARM"}]),
            "Alarms",
            "NoHealthyTarget is in ALARM",
            "",
        ),
    ],
)  # fmt: skip
def test_one_fault_is_named_first(apply: Callable[[Facts], None], hop: str, words: str, command: str) -> None:
    """The hop with the cause is the first problem; it says what to change."""
    facts = sound()

    apply(facts)

    hops = walk(facts)
    first = first_problem(hops)
    assert first is not None
    assert first.name == hop
    assert words in first.findings[0].evidence
    assert command in first.findings[0].command
    assert first.findings[0].change
    assert exit_code(hops) is ExitCode.PROBLEM
    assert summary(hops).startswith(f"Mend first: {hop}.")


@pytest.mark.parametrize(
    "apply",
    [
        put("connections", [*connection("available"), Connection("vpce-2", SERVICE.id, "346425330055", "rejected")]),
        put("connections", [*connection("available"), Connection("vpce-2", SERVICE.id, "999999999999", "rejected")]),
        put("principals", [ROLE, "arn:aws:iam::999999999999:root"]),
        put("targets", {GROUP: [Target(f"{A}:5432", "healthy"), Target(f"{B}:5432", "draining")]}),
        put("databases", {"main": replace(DATABASE, possible_zones=frozenset({"a", "b", "c"}))}),
        put("databases", {"main": replace(DATABASE, status="modifying", keepalive=60)}),
        put("databases", {"main": replace(DATABASE, status="backing-up")}),
        put("route_tables", routes(LOCAL, {"DestinationCidrBlock": "0.0.0.0/0", "State": "active"})),
        put("network_acls", [acl(entry(90, "deny", egress=False, ports=(3389, 3389)), *OPEN)]),
        put("network_acls", [acl(*OPEN, entry(32767, "deny", egress=False), entry(32767, "deny", egress=True))]),
        put("network_acls", [acl(entry(5, "deny", egress=False, cidr="192.168.0.0/16"), *OPEN)]),
        group(THEIRS, IpPermissions=[tcp(5432, "10.0.0.0/8")]),
        group(THEIRS, IpPermissions=[tcp(5432, "10.0.0.0/25", "10.0.0.128/25", "10.0.1.0/24")]),
        group(THEIRS, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}]),
        group(OWN, IpPermissionsEgress=[tcp(5432, group=THEIRS)]),
        put("failures", [Change("2026-01-31 14:00:00Z", "main", "failed", "throttled")]),
        put("alarms", [{"AlarmName": "x", "Label": "Slow", "StateValue": "INSUFFICIENT_DATA"}]),
        auto_scaling_group,
        lambda facts: (seen(unnamed=[f"{B}:5432"])(facts),
                       put("databases", {"main": replace(DATABASE, single_address=False)})(facts)),
    ],
)  # fmt: skip
def test_what_is_unusual_is_not_wrong(apply: Callable[[Facts], None]) -> None:
    """No finding where it works."""
    facts = sound()

    apply(facts)

    assert {hop.name: hop.findings for hop in walk(facts) if hop.verdict != "ok"} == {}


@pytest.mark.parametrize(
    "tables",
    [
        [routes(LOCAL, NAT, TRANSIT)],
        [routes(LOCAL, NAT), routes(TRANSIT)],
        [routes(LOCAL, VIRTUAL)],
        [routes(LOCAL, {**NAT, "NatGatewayId": None, "TransitGatewayId": "tgw-1"})],
    ],
    ids=["more specific", "the NAT gateway's subnet may lead on", "a VPN for all", "a transit gateway for all"],
)
def test_a_route_to_another_network(tables: list[list[dict[str, Any]]]) -> None:
    """A default route may be the way to it, too."""
    facts = sound()

    outside(*tables)(facts)

    assert findings(facts)["Route tables"].verdict == "ok"


@pytest.mark.parametrize(
    ("fact", "hops"),
    [
        ("configuration", {"Endpoint service", "Service's zones"}),
        ("principals", {"Principals"}),
        ("connections", {"Connections"}),
        ("attributes", {"Cross-zone"}),
        ("listeners", {"Listeners"}),
        ("groups", {"Target groups", "Cross-zone"}),
        ("template", {"Principals", "Load balancer's zones", "Listeners", "Inbound rules"}),
        ("route_tables", {"Route tables"}),
        ("network_acls", {"Network ACLs"}),
        ("security_groups", {"Outbound rules", "Database's group"}),
        ("report", {"Function", "DNS", "Targets"}),
        ("rules", {"Function"}),
        ("invokers", {"Function"}),
        ("concurrency", {"Function"}),
        ("databases", {"Load balancer's zones", "Database", "Database's group", "Keepalives"}),
        ("last_change", {"Last change"}),
        ("failures", {"Last change"}),
        ("alarms", {"Alarms"}),
    ],
)
def test_what_could_not_be_read_is_unknown(fact: str, hops: set[str]) -> None:
    """Only the hops that need it; each says why and what to do, and nothing is called wrong."""
    facts = sound()

    setattr(facts, fact, Problem("the permission x:Y is missing", "have it added"))

    found = walk(facts)
    assert {hop.name for hop in found if hop.verdict != "ok"} == hops
    for hop in found:
        if hop.name in hops:
            assert hop.findings[0].verdict == "unknown"
            assert hop.findings[0].evidence == "the permission x:Y is missing"
            assert hop.findings[0].change == "have it added"
    assert exit_code(found) is ExitCode.UNKNOWN


def test_without_an_answer_of_dns_the_targets_are_not_known_to_be_right() -> None:
    """There is nothing to compare them with; what is registered is told all the same."""
    facts = sound()
    seen(answer=None, failure="NXDOMAIN: gone")(facts)

    hops = {hop.name: hop for hop in walk(facts)}

    assert (hops["DNS"].verdict, hops["Targets"].verdict) == ("problem", "unknown")
    (finding,) = hops["Targets"].findings
    assert finding.evidence.startswith("DNS gives no answer for listener main")
    assert finding.evidence.endswith(f": {A}:5432")


def test_an_alarm_without_its_cause_is_told() -> None:
    """`ConnectionWaits` looks at minutes that are over: told once no connection waits, and counted while one does."""
    facts = sound()
    facts.alarms = [WAITS, *sound().alarms]  # type: ignore[misc]  # facts, and no problem

    found = next(hop for hop in walk(facts) if hop.name == "Alarms").findings

    assert exit_code(walk(facts)) is ExitCode.OK
    assert [each.evidence for each in found] == [
        (
            "ConnectionsConnectionWaits is in ALARM since 2026-01-31 14:00Z, but no connection waits any more: it goes "
            "off by itself within some minutes"
        ),
        "2 alarms, none of the others in ALARM",
    ]


@pytest.mark.parametrize(
    "apply",
    [
        put("connections", [*connection("available"), Connection("vpce-2", SERVICE.id, "1", "pendingAcceptance")]),
        put("connections", Problem("the permission x:Y is missing", "have it added")),
        put("alarms", [WAITS, {"AlarmName": "x", "Label": "NoHealthyTarget", "StateValue": "ALARM"}]),
    ],
    ids=["one waits", "not known", "another alarm"],
)
def test_an_alarm_with_a_cause_counts(apply: Callable[[Facts], None]) -> None:
    """Also where the connections could not be read, and where another alarm is on."""
    facts = sound()
    facts.alarms = [WAITS]

    apply(facts)

    hops = {hop.name: hop.verdict for hop in walk(facts)}
    assert hops["Alarms"] == "problem"


def test_what_the_function_may_not_see_is_not_called_wrong_dns() -> None:
    """The role is to be mended; what DNS says is not known, and does not count beside that."""
    facts = sound()

    seen(answer=None, failure=DENIED)(facts)

    found = findings(facts)
    assert (found["DNS"].verdict, found["DNS"].counts) == ("unknown", False)
    assert "hop 'Function'" in found["DNS"].change


def test_nobody_is_connected_yet() -> None:
    """Not wrong, but whether consumers get through is not known."""
    facts = sound()

    facts.connections = []

    hops = walk(facts)
    assert findings(facts)["Connections"].verdict == "unknown"
    assert (exit_code(hops), first_problem(hops)) == (ExitCode.UNKNOWN, None)
    assert summary(hops) == "Nothing seen is wrong, but this is not known: Connections."


def test_a_problem_counts_more_than_what_is_unknown() -> None:
    """And is told although another part could not be read."""
    facts = sound()

    facts.principals, facts.alarms = [], Problem("a", "b")

    assert exit_code(walk(facts)) is ExitCode.PROBLEM


def test_what_can_never_be_seen_does_not_count() -> None:
    """A server that RDS does not know: its keepalives are for its owner to see."""
    facts = sound()

    facts.databases = {"main": None}
    facts.interfaces = [{"PrivateIpAddresses": [{"PrivateIpAddress": A}], "Groups": [{"GroupId": THEIRS}]}]

    hops = walk(facts)
    assert {hop.name: hop.verdict for hop in hops if hop.verdict != "ok"} == {"Keepalives": "unknown"}
    assert exit_code(hops) is ExitCode.OK


def test_the_nodes_own_addresses_are_enough() -> None:
    """Where they are known, the database's group need not admit whole subnets."""
    facts = sound()
    facts.interfaces = [
        {
            "Description": "ELB net/lb/1",
            "SubnetId": subnet,
            "PrivateIpAddresses": [{"PrivateIpAddress": address}],
        }
        for subnet, address in (("subnet-a", "10.0.0.7"), ("subnet-b", "10.0.1.7"))
    ]

    group(THEIRS, IpPermissions=[tcp(5432, "10.0.0.7/32", "10.0.1.7/32")])(facts)

    assert findings(facts)["Database's group"].verdict == "ok"


class TestPassage:
    def test_a_prefix_list_may_admit(self) -> None:
        """Its ranges are not known here."""
        rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 9999, "PrefixListIds": [{"PrefixListId": "pl-1"}]}

        admission = admits([rule], port=5432, cidr="10.0.0.0/24")

        assert (admission.admitted, admission.maybe) == (False, True)

    def test_the_most_specific_route_counts(self) -> None:
        """Whether it works or not."""
        assert route_to({"Routes": [LOCAL, HOLE]}, A) == HOLE
        assert route_to({"Routes": [LOCAL, HOLE]}, B) == LOCAL
        assert route_to({"Routes": [LOCAL]}, "192.168.0.1") is None

    @pytest.mark.parametrize(
        ("entries", "stopped"),
        [
            ([entry(1, "allow", egress=False)], []),
            ([], [(None, "10.0.0.0/24", (1, 9))]),
            (
                [entry(2, "allow", egress=False), entry(1, "deny", egress=False, ports=(3, 4))],
                [(1, "10.0.0.0/24", (3, 4))],
            ),
            ([entry(1, "allow", egress=False), entry(2, "deny", egress=False)], []),
            ([entry(1, "allow", egress=False, cidr="10.0.0.0/25")], [(None, "10.0.0.128/25", (1, 9))]),
            ([entry(1, "allow", egress=True)], [(None, "10.0.0.0/24", (1, 9))]),
            ([entry(1, "allow", egress=False, ports=(1, 4)), entry(2, "allow", egress=False, ports=(5, 9))], []),
        ],
    )  # fmt: skip
    def test_an_acl_counts_in_the_order_of_its_numbers(self, entries: list[Any], stopped: list[Any]) -> None:
        """Part by part: what an earlier rule decided, a later one does not change."""
        found = denials(acl(*entries), egress=False, cidr="10.0.0.0/24", ports=(1, 9))

        assert [(each.rule, each.cidr, each.ports) for each in found] == stopped


class TestAround:
    AT = dt.datetime(2026, 1, 31, 14, tzinfo=dt.UTC)

    def around(self, counts: dict[str, float], rejects: tuple[str, ...] = ()) -> Around:
        """What was counted in the minute itself."""
        given = {name: {self.AT: value} for name, value in counts.items()}
        assert given.keys() <= METRICS.keys()
        return Around(self.AT, {name: given.get(name, {}) for name in METRICS}, rejects, flow_logs=True)

    @pytest.mark.parametrize(
        ("counts", "verdict", "words"),
        [
            ({}, "unknown", "no connection came to the endpoint service"),
            ({"new connections": 3}, "problem", "none to the load balancer"),
            ({"new connections": 3, "blocked in": 3}, "problem", "stopped by inbound rules"),
            ({"new flows": 3, "blocked out": 3}, "problem", "stopped by outbound rules"),
            ({"new connections": 3, "new flows": 3, "target resets": 3}, "problem", "targets reset 3"),
            ({"new connections": 3, "new flows": 3, "load balancer resets": 2}, "problem", "load balancer reset 2"),
            ({"new connections": 3, "new flows": 3}, "ok", "TCP works"),
        ],
    )
    def test_where_a_connection_ended(self, counts: dict[str, float], verdict: str, words: str) -> None:
        """Each station that it reached has a metric."""
        (finding,) = conclude(self.around(counts))

        assert (finding.verdict, words in finding.evidence) == (verdict, True)

    def test_a_rejected_record_is_told(self) -> None:
        """Flow logs know what a database's group stopped."""
        (finding,) = conclude(self.around({"new flows": 1}, rejects=("... 10.0.0.7 10.0.0.10 REJECT OK",)))

        assert finding.verdict == "problem"
        assert "10.0.0.7 10.0.0.10 REJECT" in finding.evidence

    def test_a_time_without_a_zone_is_utc(self) -> None:
        """As everywhere in this command."""
        assert parse_time("2026-01-31T14:00") == parse_time("2026-01-31T15:00+01:00") == self.AT

    def test_what_is_no_time(self) -> None:
        """The message shows one."""
        with pytest.raises(Problem, match="give one like 2026-01-31T14:00Z"):
            parse_time("yesterday")

"""Faults of target groups, of the function that follows DNS, of DNS, and of the database itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from emulator.name_server import Trouble
from tests.cli.confusion.fault import Planted, fault

if TYPE_CHECKING:
    import random

    from tests.cli.confusion.ward import Ward

_PROXY_PROTOCOL = "proxy_protocol_v2.enabled"
_TROUBLES = (Trouble.NXDOMAIN, Trouble.SERVFAIL, Trouble.REFUSED, Trouble.EMPTY, Trouble.IPV6_ONLY, Trouble.CNAME_LOOP)
_KEEPALIVE = "tcp_keepalives_idle"


@fault("Target groups")
def proxy_protocol_on(ward: Ward, rng: random.Random) -> Planted | None:
    """Proxy protocol is turned on for a target group."""
    elbv2, group = ward.client("elbv2"), rng.choice(ward.groups())

    def turn(value: str) -> None:
        elbv2.modify_target_group_attributes(
            TargetGroupArn=group, Attributes=[{"Key": _PROXY_PROTOCOL, "Value": value}]
        )

    turn("true")
    return Planted(f"{_PROXY_PROTOCOL} of a target group is true", lambda: turn("false"))


@fault("Target groups")
def health_check_port_changed(ward: Ward, rng: random.Random) -> Planted | None:
    """A target group's health checks go to another port."""
    elbv2, group, port = ward.client("elbv2"), rng.choice(ward.groups()), str(rng.randrange(9000, 9999))
    elbv2.modify_target_group(TargetGroupArn=group, HealthCheckPort=port)

    def mend() -> None:
        elbv2.modify_target_group(TargetGroupArn=group, HealthCheckPort="traffic-port")
        ward.until(ward.as_before)

    return Planted(f"health checks of a target group go to port {port}", mend)


@fault("Function")
def schedule_disabled(ward: Ward, rng: random.Random) -> Planted | None:
    """The rule that runs the function each minute is disabled."""
    if not ward.function:
        return None
    events, name = ward.client("events"), ward.schedule
    events.disable_rule(Name=name)
    return Planted(f"the rule {name} is disabled", lambda: events.enable_rule(Name=name))


@fault("Function")
def schedule_without_target(ward: Ward, rng: random.Random) -> Planted | None:
    """The rule that runs the function each minute has lost its target."""
    if not ward.function:
        return None
    events, name = ward.client("events"), ward.schedule
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    events.remove_targets(Rule=name, Ids=[each["Id"] for each in targets])
    return Planted(f"the rule {name} has no target", lambda: events.put_targets(Rule=name, Targets=targets))


@fault("Function")
def schedule_deleted(ward: Ward, rng: random.Random) -> Planted | None:
    """The rule that runs the function each minute is deleted."""
    if not ward.function:
        return None
    events, name = ward.client("events"), ward.schedule
    rule = events.describe_rule(Name=name)
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    events.remove_targets(Rule=name, Ids=[each["Id"] for each in targets])
    events.delete_rule(Name=name)

    def mend() -> None:
        events.put_rule(Name=name, ScheduleExpression=rule["ScheduleExpression"], State="ENABLED")
        events.put_targets(Rule=name, Targets=targets)

    return Planted(f"the rule {name} is deleted", mend)


@fault("Function")
def permission_of_rules_removed(ward: Ward, rng: random.Random) -> Planted | None:
    """EventBridge's permission to invoke the function is removed."""
    if not ward.function:
        return None
    client = ward.client("lambda")
    statements = json.loads(client.get_policy(FunctionName=ward.function)["Policy"])["Statement"]
    (chosen,) = (each for each in statements if "events.amazonaws.com" in str(each["Principal"]))
    client.remove_permission(FunctionName=ward.function, StatementId=chosen["Sid"])
    source = next(iter(next(iter(chosen["Condition"].values())).values()))

    def mend() -> None:
        client.add_permission(
            FunctionName=ward.function,
            StatementId=chosen["Sid"],
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=source,
        )

    return Planted("events.amazonaws.com may not invoke the function", mend)


@fault("Function")
def handler_changed(ward: Ward, rng: random.Random) -> Planted | None:
    """The function's handler is one that does not exist."""
    if not ward.function:
        return None
    client, name = ward.client("lambda"), ward.function
    before = client.get_function_configuration(FunctionName=name)["Handler"]
    client.update_function_configuration(FunctionName=name, Handler="gone.handler")
    return Planted(
        "the function's handler is gone.handler",
        lambda: client.update_function_configuration(FunctionName=name, Handler=before),
    )


@fault("Function")
def role_without_policy(ward: Ward, rng: random.Random) -> Planted | None:
    """The managed policy is detached from the function's role."""
    if not ward.function:
        return None
    iam, role = ward.client("iam"), ward.client("lambda").get_function_configuration(FunctionName=ward.function)["Role"]
    name = role.rpartition("/")[2]
    policies = [each["PolicyArn"] for each in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]]
    if not policies:
        return None
    for each in policies:
        iam.detach_role_policy(RoleName=name, PolicyArn=each)

    def mend() -> None:
        for each in policies:
            iam.attach_role_policy(RoleName=name, PolicyArn=each)

    return Planted(f"{', '.join(policies)} is detached from the function's role", mend)


@fault("Function")
def event_rule_disabled(ward: Ward, rng: random.Random) -> Planted | None:
    """The rule that tells the function of a database's failovers is disabled."""
    rules = [each.rpartition("|")[2].rpartition("/")[2] for each in ward.physical("AWS::Events::Rule", "EventRules")]
    if not rules:
        return None
    events, name = ward.client("events"), rng.choice(rules)
    events.disable_rule(Name=name)
    return Planted(f"the rule {name} is disabled", lambda: events.enable_rule(Name=name))


@fault("Function")
def function_may_not_run(ward: Ward, rng: random.Random) -> Planted | None:
    """The function's reserved concurrency is 0."""
    if not ward.function:
        return None
    client, name = ward.client("lambda"), ward.function
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    return Planted(
        "the function's reserved concurrency is 0", lambda: client.delete_function_concurrency(FunctionName=name)
    )


@fault("DNS")
def name_in_trouble(ward: Ward, rng: random.Random) -> Planted | None:
    """A database's name does not resolve, each time in another way."""
    if not ward.names:
        return None
    name, trouble = rng.choice(sorted(ward.names)), rng.choice(_TROUBLES)
    ward.name_server.fail(name, trouble)
    return Planted(f"{name}: {trouble.value}", lambda: ward.name_server.set(name, ward.names[name], ttl=1))


@fault("DNS")
def name_of_a_forbidden_address(ward: Ward, rng: random.Random) -> Planted | None:
    """A database's name stands for a public address, or for one outside the ranges that the stack was given."""
    if not ward.names:
        return None
    name, address = rng.choice(sorted(ward.names)), rng.choice(["8.8.4.4", "172.20.0.5"])
    ward.name_server.set(name, [address], ttl=1)
    return Planted(f"{name} is {address}", lambda: ward.name_server.set(name, ward.names[name], ttl=1))


@fault("Database")
def instance_stopped(ward: Ward, rng: random.Random) -> Planted | None:
    """The DB instance is stopped."""
    if not ward.instance:
        return None
    rds = ward.client("rds")
    rds.stop_db_instance(DBInstanceIdentifier=ward.instance)
    return Planted(
        f"the DB instance {ward.instance} is stopped",
        lambda: rds.start_db_instance(DBInstanceIdentifier=ward.instance),
    )


@fault("Database")
def instance_on_another_port(ward: Ward, rng: random.Random) -> Planted | None:
    """The DB instance's port is modified."""
    if not ward.instance:
        return None
    rds = ward.client("rds")
    before = rds.describe_db_instances(DBInstanceIdentifier=ward.instance)["DBInstances"][0]["Endpoint"]["Port"]
    port = rng.randrange(1150, 9999)
    rds.modify_db_instance(DBInstanceIdentifier=ward.instance, DBPortNumber=port)
    return Planted(
        f"the port of the DB instance {ward.instance} is {port}",
        lambda: rds.modify_db_instance(DBInstanceIdentifier=ward.instance, DBPortNumber=before),
    )


@fault("Targets")
def target_deregistered(ward: Ward, rng: random.Random) -> Planted | None:
    """A target is deregistered."""
    elbv2, group = ward.client("elbv2"), rng.choice(ward.groups())
    rows = ward.targets(group)
    if not rows or ward.physical("AWS::AutoScaling::AutoScalingGroup"):
        return None
    target = rng.choice(rows)["Target"]
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[target])

    def mend() -> None:
        elbv2.register_targets(TargetGroupArn=group, Targets=[target])
        ward.until(ward.as_before)

    return Planted(f"{target['Id']}:{target['Port']} is deregistered", mend)


@fault("Targets")
def stray_registered(ward: Ward, rng: random.Random) -> Planted | None:
    """Another server, or another port of the same one, is registered beside the database."""
    elbv2, group = ward.client("elbv2"), rng.choice(ward.groups())
    (row,) = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    rows = ward.targets(group)
    if row["TargetType"] != "ip" or not rows:
        return None
    port, taken = rows[0]["Target"]["Port"], {each["Target"]["Id"] for each in rows}
    others = sorted(set(ward.servers) - taken)
    if not others:
        return None
    target = {"Id": rng.choice(others), "Port": port}
    if rng.random() < 0.3:
        target = {"Id": rows[0]["Target"]["Id"], "Port": port + 1}
    if not any(target["Id"].startswith(prefix) for prefix in ("10.", "127.", "172.", "192.")):
        return None
    if any(each["Target"]["Id"] == target["Id"] and each["Target"].get("AvailabilityZone") == "all" for each in rows):
        target["AvailabilityZone"] = "all"
    elbv2.register_targets(TargetGroupArn=group, Targets=[target])

    def mend() -> None:
        elbv2.deregister_targets(TargetGroupArn=group, Targets=[target])
        ward.until(ward.as_before)

    return Planted(f"{target['Id']}:{target['Port']} is registered too", mend)


@fault("Target health")
def servers_down(ward: Ward, rng: random.Random) -> Planted | None:
    """Nothing listens at any target of a listener; AWS knows of nothing else."""
    group = rng.choice(ward.groups())
    hosts = _serving(ward, group)
    if not hosts or not hosts <= set(ward.servers):
        return None
    for host in hosts:
        ward.servers[host].die()
    ward.until(lambda: all(row["TargetHealth"]["State"] == "unhealthy" for row in ward.targets(group)))

    def mend() -> None:
        for host in hosts:
            ward.servers[host].start()
        ward.until(ward.as_before)

    return Planted(f"nothing listens at {', '.join(sorted(hosts))}", mend)


@fault("Target health")
def instances_stopped(ward: Ward, rng: random.Random) -> Planted | None:
    """All EC2 instances behind a listener are stopped."""
    ec2, group = ward.client("ec2"), rng.choice(ward.groups())
    ids = [row["Target"]["Id"] for row in ward.targets(group)]
    if not ids or not all(each.startswith("i-") for each in ids) or ward.physical("AWS::AutoScaling::AutoScalingGroup"):
        return None
    ec2.stop_instances(InstanceIds=ids)
    ward.until(lambda: all(row["TargetHealth"]["State"] == "unused" for row in ward.targets(group)))

    def mend() -> None:
        ec2.start_instances(InstanceIds=ids)
        ward.until(ward.as_before)

    return Planted(f"{', '.join(ids)} are stopped", mend)


@fault("Keepalives")
def keepalives_late(ward: Ward, rng: random.Random) -> Planted | None:
    """The DB parameter group turns keepalives off, or sends them after PrivateLink has dropped the connection."""
    if not ward.parameter_group:
        return None
    rds, value = ward.client("rds"), rng.choice(["0", "350", "900", "7200"])

    def put(text: str) -> None:
        rds.modify_db_parameter_group(
            DBParameterGroupName=ward.parameter_group,
            Parameters=[{"ParameterName": _KEEPALIVE, "ParameterValue": text, "ApplyMethod": "immediate"}],
        )

    put(value)
    return Planted(f"{_KEEPALIVE} of {ward.parameter_group} is {value}", lambda: put("200"))


@fault("Alarms")
def alarm_fired(ward: Ward, rng: random.Random) -> Planted | None:
    """An alarm of the stack is in ALARM, and nothing else is wrong."""
    cloudwatch, ours = ward.client("cloudwatch"), ward.physical("AWS::CloudWatch::Alarm")
    names = [
        row["AlarmName"]
        for row in cloudwatch.describe_alarms()["MetricAlarms"]
        # Those are told and not counted: while they are new, and while no connection waits.
        if row["AlarmName"] in ours
        and row.get("TreatMissingData") != "breaching"
        and "ConnectionWaits" not in row["AlarmName"]
    ]
    if not names:
        return None
    name = rng.choice(names)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="planted")
    return Planted(
        f"{name} is in ALARM",
        lambda: cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="mended"),
    )


def _serving(ward: Ward, group: str) -> set[str]:
    """Return the addresses of a group's targets that were healthy while the service was sound."""
    found = set()
    for row in ward.targets(group):
        host, port = row["Target"]["Id"], row["Target"]["Port"]
        if ward.before.get(f"{host}:{port}") == "healthy":
            found.add(ward.address(host))
    return found

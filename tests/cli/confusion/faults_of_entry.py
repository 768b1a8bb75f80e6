"""Faults between the consumer and the load balancer's listeners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.cli.confusion.fault import Planted, fault

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from tests.cli.confusion.ward import Ward

_CROSS_ZONE = "load_balancing.cross_zone.enabled"


@fault("Principals")
def principal_removed(ward: Ward, rng: random.Random) -> Planted | None:
    """A principal is removed from the endpoint service."""
    ec2, service = ward.client("ec2"), ward.service_id
    rows = ec2.describe_vpc_endpoint_service_permissions(ServiceId=service)["AllowedPrincipals"]
    if not rows:
        return None
    chosen = rng.choice(sorted(row["Principal"] for row in rows))
    ec2.modify_vpc_endpoint_service_permissions(ServiceId=service, RemoveAllowedPrincipals=[chosen])
    return Planted(
        f"{chosen} is removed from the principals of {service}",
        lambda: ec2.modify_vpc_endpoint_service_permissions(ServiceId=service, AddAllowedPrincipals=[chosen]),
    )


@fault("Connections")
def connection_rejected(ward: Ward, rng: random.Random) -> Planted | None:
    """The consumer's connection is rejected."""
    ec2, service, endpoint = ward.client("ec2"), ward.service_id, ward.endpoint
    ec2.reject_vpc_endpoint_connections(ServiceId=service, VpcEndpointIds=[endpoint])
    return Planted(f"the connection of {endpoint} is rejected", ward.accept)


@fault("Connections")
def connection_waiting(ward: Ward, rng: random.Random) -> Planted | None:
    """A second endpoint of the consumer waits to be accepted."""
    (row,) = ward.client("ec2").describe_vpc_endpoint_service_configurations(ServiceIds=[ward.service_id])[
        "ServiceConfigurations"
    ]
    if not row["AcceptanceRequired"] or ward.physical("AWS::Lambda::Function", "ConnectionGate"):
        return None
    theirs, before = ward.client("ec2", ward.consumer), ward.endpoint
    vpc_id = theirs.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = theirs.create_vpc_endpoint(VpcEndpointType="Interface", VpcId=vpc_id, ServiceName=row["ServiceName"])
    waiting = made["VpcEndpoint"]["VpcEndpointId"]
    return Planted(
        f"{waiting} is pendingAcceptance, beside {before}",
        lambda: theirs.delete_vpc_endpoints(VpcEndpointIds=[waiting]),
    )


@fault("Load balancer's zones")
def zone_detached(ward: Ward, rng: random.Random) -> Planted | None:
    """After the consumer has deleted its endpoint, a subnet is taken from the load balancer."""
    elbv2, arn = ward.client("elbv2"), ward.load_balancer_arn
    before = _mappings(ward)
    if len(before) < 2:
        return None
    gone = rng.choice(before)
    ward.disconnect()
    elbv2.set_subnets(LoadBalancerArn=arn, SubnetMappings=[each for each in before if each is not gone])

    def mend() -> None:
        elbv2.set_subnets(LoadBalancerArn=arn, SubnetMappings=before)
        _tell_service(ward)
        ward.connect()

    return Planted(f"subnet {gone['SubnetId']} is taken from the load balancer", mend)


@fault("Service's zones")
def zone_added(ward: Ward, rng: random.Random) -> Planted | None:
    """A subnet of another zone is given to the load balancer, and the endpoint service is not told."""
    elbv2, arn, before = ward.client("elbv2"), ward.load_balancer_arn, _mappings(ward)
    if not ward.spare_subnet or any("PrivateIPv4Address" in each for each in before):
        return None
    elbv2.set_subnets(LoadBalancerArn=arn, SubnetMappings=[*before, {"SubnetId": ward.spare_subnet}])

    def mend() -> None:
        ward.disconnect()
        elbv2.set_subnets(LoadBalancerArn=arn, SubnetMappings=before)
        _tell_service(ward)
        ward.connect()

    return Planted(f"subnet {ward.spare_subnet} is given to the load balancer, and the service is not modified", mend)


@fault("Listeners")
def listener_moved(ward: Ward, rng: random.Random) -> Planted | None:
    """A listener's port is changed."""
    elbv2, rows = ward.client("elbv2"), ward.listeners()
    chosen = rng.choice(rows)
    port = rng.choice([each for each in range(2000, 9000) if each not in {row["Port"] for row in rows}])
    elbv2.modify_listener(ListenerArn=chosen["ListenerArn"], Port=port)
    return Planted(
        f"the listener on port {chosen['Port']} is moved to port {port}",
        lambda: elbv2.modify_listener(ListenerArn=chosen["ListenerArn"], Port=chosen["Port"]),
    )


@fault("Listeners")
def listener_deleted(ward: Ward, rng: random.Random) -> Planted | None:
    """A listener is deleted."""
    elbv2, chosen = ward.client("elbv2"), rng.choice(ward.listeners())
    elbv2.delete_listener(ListenerArn=chosen["ListenerArn"])

    def mend() -> None:
        elbv2.create_listener(
            LoadBalancerArn=ward.load_balancer_arn,
            Protocol=chosen["Protocol"],
            Port=chosen["Port"],
            DefaultActions=[
                {"Type": "forward", "TargetGroupArn": chosen["DefaultActions"][0]["TargetGroupArn"]},
            ],
        )
        ward.until(ward.as_before)

    return Planted(f"the listener on port {chosen['Port']} is deleted", mend)


@fault("Listeners")
def listener_forwards_elsewhere(ward: Ward, rng: random.Random) -> Planted | None:
    """A listener forwards to a target group that is not the stack's."""
    elbv2, chosen = ward.client("elbv2"), rng.choice(ward.listeners())
    own = chosen["DefaultActions"][0]["TargetGroupArn"]
    other = elbv2.create_target_group(
        Name=f"other-{rng.randrange(10**9)}", Protocol="TCP", Port=5432, VpcId=ward.load_balancer["VpcId"],
        TargetType="ip",
    )["TargetGroups"][0]["TargetGroupArn"]  # fmt: skip

    def forward(group: str) -> None:
        elbv2.modify_listener(
            ListenerArn=chosen["ListenerArn"], DefaultActions=[{"Type": "forward", "TargetGroupArn": group}]
        )

    def mend() -> None:
        forward(own)
        elbv2.delete_target_group(TargetGroupArn=other)
        ward.until(ward.as_before)

    forward(other)
    return Planted(f"the listener on port {chosen['Port']} forwards to {other.rpartition('targetgroup/')[2]}", mend)


@fault("Inbound rules")
def range_revoked(ward: Ward, rng: random.Random) -> Planted | None:
    """With enforcement on, a consumer's range is taken out of the load balancer's group."""
    ranges = [rule for rule in ward.rules(ward.group) if "IpRanges" in rule] if ward.enforced else []
    # What somebody added by hand is theirs to take away.
    ranges = [rule for rule in ranges if "by hand" not in str(rule)]
    if not ranges:
        return None
    return _exchange(ward, ward.group, rng.choice(ranges), None)


@fault("Inbound rules")
def range_on_another_port(ward: Ward, rng: random.Random) -> Planted | None:
    """With enforcement on, a consumer's range is admitted to another port than the listener's."""
    ranges = [rule for rule in ward.rules(ward.group) if "IpRanges" in rule] if ward.enforced else []
    ranges = [rule for rule in ranges if "by hand" not in str(rule)]
    if not ranges:
        return None
    rule, port = rng.choice(ranges), rng.randrange(9000, 9999)
    return _exchange(ward, ward.group, rule, {**rule, "FromPort": port, "ToPort": port})


@fault("Inbound rules")
def enforcement_turned(ward: Ward, rng: random.Random) -> Planted | None:
    """Enforcement of inbound rules on PrivateLink traffic is turned on with no rule, or off though ranges are given."""
    elbv2, row = ward.client("elbv2"), ward.load_balancer
    before = row["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"]

    def turn(state: str) -> None:
        elbv2.set_security_groups(
            LoadBalancerArn=row["LoadBalancerArn"],
            SecurityGroups=row["SecurityGroups"],
            EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic=state,
        )

    after = "off" if before == "on" else "on"
    turn(after)
    return Planted(f"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic is {after}", lambda: turn(before))


@fault("Inbound rules")
def load_balancers_groups_replaced(ward: Ward, rng: random.Random) -> Planted | None:
    """With enforcement on, the load balancer gets another security group, which admits nobody."""
    if not ward.enforced:
        return None
    ec2, elbv2, row = ward.client("ec2"), ward.client("elbv2"), ward.load_balancer
    other = ec2.create_security_group(
        GroupName=f"other-{rng.randrange(10**9)}", Description="other", VpcId=row["VpcId"]
    )["GroupId"]
    elbv2.set_security_groups(LoadBalancerArn=row["LoadBalancerArn"], SecurityGroups=[other])
    return Planted(
        f"the load balancer's security groups are {other} and not {', '.join(row['SecurityGroups'])}",
        lambda: elbv2.set_security_groups(LoadBalancerArn=row["LoadBalancerArn"], SecurityGroups=row["SecurityGroups"]),
    )


@fault("Cross-zone")
def cross_zone_off(ward: Ward, rng: random.Random) -> Planted | None:
    """Cross-zone load balancing is turned off, on the load balancer or on a target group."""
    elbv2 = ward.client("elbv2")
    arn = ward.load_balancer_arn
    if rng.random() < 0.5:

        def turn(value: str) -> None:
            elbv2.modify_load_balancer_attributes(
                LoadBalancerArn=arn, Attributes=[{"Key": _CROSS_ZONE, "Value": value}]
            )

        turn("false")
        return Planted("cross-zone load balancing of the load balancer is off", lambda: turn("true"))
    group = rng.choice(ward.groups())

    def turn_group(value: str) -> None:
        elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=[{"Key": _CROSS_ZONE, "Value": value}])

    turn_group("false")
    return Planted(
        "cross-zone load balancing of a target group is off", lambda: turn_group("use_load_balancer_configuration")
    )


def _mappings(ward: Ward) -> list[dict[str, Any]]:
    """Return the load balancer's subnets, with pinned addresses, as SetSubnets takes them."""
    found = []
    for zone in ward.load_balancer["AvailabilityZones"]:
        pinned = [
            each["PrivateIPv4Address"]
            for each in zone.get("LoadBalancerAddresses", [])
            if each.get("PrivateIPv4Address")
        ]
        found.append({"SubnetId": zone["SubnetId"], **({"PrivateIPv4Address": pinned[0]} if pinned else {})})
    return found


def _tell_service(ward: Ward) -> None:
    ward.client("ec2").modify_vpc_endpoint_service_configuration(ServiceId=ward.service_id)


def _exchange(ward: Ward, group: str, rule: dict[str, Any], other: dict[str, Any] | None) -> Planted:
    """Put another inbound rule in the place of one, or none."""
    ec2 = ward.client("ec2")

    def swap(old: dict[str, Any] | None, new: dict[str, Any] | None) -> None:
        if old is not None:
            ward.revoke(group, old)
        if new is not None:
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[new])

    swap(rule, other)
    source = rule.get("IpRanges") or rule.get("UserIdGroupPairs")
    now = "is revoked" if other is None else f"is for port {other['FromPort']} now"
    mend: Callable[[], object] = lambda: swap(other, rule)  # noqa: E731 - typed
    return Planted(f"the rule of {group} for {source} on port {rule['FromPort']} {now}", mend)

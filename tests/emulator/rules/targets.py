"""Rules of targets: identity, addresses and zones, health, draining."""

from emulator.database import Database
from tests.emulator.rule import rule
from tests.emulator.world import ZONES, Account, refused

_GUIDE = "elasticloadbalancing/latest/network"
_API = "elasticloadbalancing/latest/APIReference"
_REGISTER = f"{_GUIDE}/target-group-register-targets.html"
_HEALTH = f"{_GUIDE}/target-group-health-checks.html"
_LOOPBACK = "127.0.0.0/16"
_DEAD_PORT = 1


@rule(f"{_API}/API_TargetDescription.html")
def target_is_an_address_and_a_port(aws: Account) -> None:
    """The same address on two ports is two targets, deregistered one by one; without a port the group's counts."""
    group = aws.target_group(aws.network())
    aws.register(group, {"Id": "10.0.0.5", "Port": 6000}, {"Id": "10.0.0.5", "Port": 6001}, {"Id": "10.0.0.5"})
    assert set(aws.health(group)) == {("10.0.0.5", 6000), ("10.0.0.5", 6001), ("10.0.0.5", 5432)}
    aws.deregister(group, {"Id": "10.0.0.5", "Port": 6000})
    assert set(aws.health(group)) == {("10.0.0.5", 6001), ("10.0.0.5", 5432)}


@rule(f"{_API}/API_DeregisterTargets.html", stock=True)
def deregistering_an_unknown_target_succeeds(aws: Account) -> None:
    """Deregistering a target that is not registered is no error."""
    group = aws.target_group(aws.network())
    aws.deregister(group, {"Id": "10.0.0.5", "Port": 6000})
    assert aws.health(group) == {}


@rule(_REGISTER)
def public_addresses_are_refused(aws: Account) -> None:
    """Targets are in the VPC or in 10/8, 172.16/12, 192.168/16 or 100.64/10; public addresses are refused."""
    group = aws.target_group(aws.network("10.0.0.0/16"))
    for address in ("8.8.8.8", "172.32.0.1", "100.128.0.1"):
        with refused("InvalidTarget"):
            aws.register(group, {"Id": address, "AvailabilityZone": "all"})
    allowed = ("10.9.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1")
    aws.register(group, *({"Id": address, "AvailabilityZone": "all"} for address in allowed))
    assert {address for address, _ in aws.health(group)} == set(allowed)


@rule(f"{_API}/API_TargetDescription.html")
def zone_is_given_outside_the_vpc_only(aws: Account) -> None:
    """An address outside the VPC needs a zone or `all`; inside, the zone is detected and `all` is refused."""
    group = aws.target_group(aws.network("10.0.0.0/16"))
    with refused("InvalidTarget"):
        aws.register(group, {"Id": "10.9.0.1"})
    with refused("InvalidTarget"):
        aws.register(group, {"Id": "10.0.1.5", "AvailabilityZone": "all"})
    aws.register(group, {"Id": "10.0.1.5"}, {"Id": "10.9.0.1", "AvailabilityZone": "all"})
    answer = aws.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    zones = {row["Target"]["Id"]: row["Target"]["AvailabilityZone"] for row in answer}
    assert zones == {"10.0.1.5": ZONES[1], "10.9.0.1": "all"}


@rule(f"{_API}/API_RegisterTargets.html")
def one_bad_target_registers_none(aws: Account) -> None:
    """A call that names an invalid target registers none of its targets."""
    group = aws.target_group(aws.network())
    with refused("InvalidTarget"):
        aws.register(group, {"Id": "10.0.0.5"}, {"Id": "8.8.8.8"})
    assert aws.health(group) == {}


@rule(_HEALTH)
def target_of_an_unused_group_is_unused(aws: Account) -> None:
    """Targets of a group that no listener forwards to are `unused` (Target.NotInUse) and are not checked."""
    network = aws.network(_LOOPBACK)
    group = aws.target_group(network)
    with Database("127.0.0.2") as database:
        target = {"Id": database.address, "Port": database.port}
        aws.register(group, target)
        assert aws.health(group, target) == {(database.address, database.port): ("unused", "Target.NotInUse")}
        aws.listener(aws.load_balancer(network), group)
        aws.eventually(lambda: aws.health(group, target)[database.address, database.port] == ("healthy", None))


@rule(_HEALTH)
def target_in_a_zone_that_is_not_enabled_is_unused(aws: Account) -> None:
    """A target in a zone that the load balancer has no subnet in is `unused`, cross-zone or not."""
    network = aws.network(zones=ZONES)
    group = aws.target_group(network)
    arn = aws.load_balancer(network, Subnets=list(network.subnets[:2]))
    cross_zone = {"Key": "load_balancing.cross_zone.enabled", "Value": "true"}
    aws.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[cross_zone])
    aws.listener(arn, group)
    aws.register(group, {"Id": "10.0.2.5"})
    assert aws.health(group) == {("10.0.2.5", 5432): ("unused", "Target.NotInUse")}
    aws.elb.set_subnets(LoadBalancerArn=arn, Subnets=list(network.subnets))
    aws.eventually(lambda: aws.health(group)["10.0.2.5", 5432] == ("healthy", None))


@rule(_HEALTH)
def asked_for_but_not_registered_is_unused(aws: Account) -> None:
    """A target that is asked for by id and not registered is reported `unused` (Target.NotRegistered)."""
    group = aws.used_target_group(aws.network())
    asked = {"Id": "10.0.0.5", "Port": 5432}
    assert aws.health(group, asked) == {("10.0.0.5", 5432): ("unused", "Target.NotRegistered")}


@rule(_HEALTH)
def target_is_healthy_when_its_port_accepts(aws: Account) -> None:
    """A target is `healthy` when it accepts TCP connections, and after the threshold `unhealthy` when it does not."""
    group = aws.used_target_group(aws.network(_LOOPBACK), HealthCheckIntervalSeconds=5, HealthyThresholdCount=2)
    with Database("127.0.0.2") as database:
        target = (database.address, database.port)
        aws.register(group, {"Id": target[0], "Port": target[1]})
        aws.eventually(lambda: aws.health(group)[target] == ("healthy", None))
        database.die()
        aws.eventually(lambda: aws.health(group)[target] == ("unhealthy", "Target.FailedHealthChecks"))
        database.start()
        aws.eventually(lambda: aws.health(group)[target] == ("healthy", None))


@rule(_HEALTH)
def new_target_is_initial_until_checked(aws: Account) -> None:
    """A new target is `initial`; one that never answers becomes `unhealthy` after the threshold of failed checks."""
    group = aws.used_target_group(aws.network(_LOOPBACK), HealthCheckIntervalSeconds=60)
    aws.register(group, {"Id": "127.0.0.3", "Port": _DEAD_PORT})
    state, reason = aws.health(group)["127.0.0.3", _DEAD_PORT]
    assert (state, str(reason).startswith("Elb.")) == ("initial", True)
    aws.eventually(lambda: aws.health(group)["127.0.0.3", _DEAD_PORT][0] == "unhealthy")


@rule(f"{_GUIDE}/edit-target-group-attributes.html")
def deregistered_target_drains(aws: Account) -> None:
    """A deregistered target is `draining` for the deregistration delay and then gone."""
    group = aws.used_target_group(aws.network())
    aws.delay(group, 30)
    aws.register(group, {"Id": "10.0.0.5"})
    aws.deregister(group, {"Id": "10.0.0.5"})
    assert aws.health(group) == {("10.0.0.5", 5432): ("draining", "Target.DeregistrationInProgress")}
    aws.eventually(lambda: aws.health(group) == {})


@rule(f"{_GUIDE}/target-group-register-targets.html")
def registering_again_ends_draining(aws: Account) -> None:
    """A draining target that is registered again is a registered target, and stays one."""
    group = aws.used_target_group(aws.network())
    aws.delay(group, 30)
    aws.register(group, {"Id": "10.0.0.5"}, {"Id": "10.0.0.6"})
    aws.deregister(group, {"Id": "10.0.0.5"}, {"Id": "10.0.0.6"})
    aws.register(group, {"Id": "10.0.0.5"})
    assert aws.health(group)["10.0.0.6", 5432][0] == "draining"
    aws.eventually(lambda: set(aws.health(group)) == {("10.0.0.5", 5432)})
    aws.eventually(lambda: aws.health(group)["10.0.0.5", 5432] == ("healthy", None))

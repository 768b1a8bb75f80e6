"""Virtual time, and fakes of what the function talks to: Elastic Load Balancing and the DNS."""

from __future__ import annotations

import ipaddress
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from target_sync.attention import HANDOVER_SECONDS
from target_sync.handler import MINUTE_SECONDS
from target_sync.registry import Registry
from target_sync.resolve import Answer, Failure, Outcome
from target_sync.settings import Settings
from target_sync.target import Endpoint
from target_sync.watch import Fleet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from target_sync.listener import NameServer

LOAD_BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:111111111111:loadbalancer/net/orders/0123456789abcdef"
HOST = "orders.cluster-abc.eu-central-1.rds.amazonaws.com"
VPC = ipaddress.IPv4Network("10.0.0.0/16")
_SPINNING = 10_000


def group_arn(name: str) -> str:
    """A target group's ARN."""
    return f"arn:aws:elasticloadbalancing:eu-central-1:111111111111:targetgroup/{name}/0123456789abcdef"


def aws_error(code: str, operation: str = "RegisterTargets") -> ClientError:
    """An error as AWS reports it."""
    return ClientError({"Error": {"Code": code, "Message": f"{code} it is"}}, operation)


class VirtualClock:
    """A clock that moves only when somebody sleeps, and that runs what was scheduled on the way.

    Attributes:
        now: The time, in seconds.
        spun: Whether it was asked over and over without anybody sleeping.
    """

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.spun = False
        self._asked = 0
        self._scheduled: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        """The time, in seconds."""
        self._asked += 1
        if self._asked > _SPINNING:
            self.spun = True
            raise AssertionError("something goes round in circles while no time passes")
        return self.now

    def sleep(self, seconds: float, /) -> None:
        """Moves the clock."""
        until = self.now + seconds
        if until > self.now:
            self._asked = 0
        while self._scheduled and self._scheduled[0][0] <= until:
            self.now, action = self._scheduled.pop(0)
            action()
        self.now = until

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Has something done once the clock has moved so far."""
        self._scheduled.append((self.now + seconds, action))
        self._scheduled.sort(key=lambda item: item[0])


@dataclass
class Row:
    """A target as the fake holds it."""

    registered_at: float
    zone: str
    draining_at: float | None = None


@dataclass
class Group:
    """A target group as the fake holds it."""

    tags: dict[str, str]
    rows: dict[Endpoint, Row] = field(default_factory=dict)


class FakeElb:
    """The part of Elastic Load Balancing that the function uses, draining included, as a boto3 client has it.

    Attributes:
        groups: The target groups of the load balancer, by ARN.
        calls: Each call: when, which operation, which target group.
        faults: Errors that the next calls of an operation raise, in order.
        always: Errors that every call of an operation raises.
        lost: Errors that the next calls of an operation raise though they took effect: the response was lost.
        partly: Errors that the next changes of an operation raise after the first of their targets took effect.
        down: Addresses whose health checks fail.
        emptied: When a group that had targets was left without.
        log: Registrations and deregistrations: when, which, which endpoint.
    """

    def __init__(self, clock: VirtualClock, *, healthy_after: float = 10.0, delay: float = 10.0) -> None:
        self.clock = clock
        self.healthy_after = healthy_after
        self.delay = delay
        self.latency = 0.0
        self.groups: dict[str, Group] = {}
        self.calls: list[tuple[float, str, str]] = []
        self.faults: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self.always: dict[str, Exception] = {}
        self.lost: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self.partly: defaultdict[str, deque[Exception]] = defaultdict(deque)
        self.down: set[str] = set()
        self.emptied: list[float] = []
        self.log: list[tuple[float, str, Endpoint]] = []

    def add(
        self, name: str = "main", *, hostname: str = HOST, port: int = 5432, ranges: str = "10.0.0.0/16", **tags: str
    ) -> Group:
        """Adds a target group with our tags."""
        group = Group(
            {
                "pg-privatelink:listener": name,
                "pg-privatelink:hostname": hostname,
                "pg-privatelink:port": str(port),
                "pg-privatelink:ranges": ranges,
                **{f"pg-privatelink:{key}": value for key, value in tags.items()},
            }
        )
        self.groups[group_arn(name)] = group
        return group

    def hold(self, name: str, *endpoints: Endpoint) -> None:
        """Puts targets into a group, long since healthy."""
        for endpoint in endpoints:
            inside = ipaddress.IPv4Address(endpoint.address) in VPC
            row = Row(self.clock.time() - 1000.0, "" if inside else "all")
            self.groups[group_arn(name)].rows[endpoint] = row

    def live(self, name: str = "main") -> set[str]:
        """The registered targets of a group, as address:port."""
        return {str(endpoint) for endpoint, row in self._rows(group_arn(name)).items() if row.draining_at is None}

    def state(self, arn: str, endpoint: Endpoint) -> tuple[str, str]:
        """A target's state and reason code."""
        row = self._rows(arn)[endpoint]
        if row.draining_at is not None:
            return "draining", "Target.DeregistrationInProgress"
        if self.clock.time() < row.registered_at + self.healthy_after:
            return "initial", "Elb.RegistrationInProgress"
        if endpoint.address in self.down:
            return "unhealthy", "Target.FailedHealthChecks"
        return "healthy", ""

    def count(self) -> Counter[str]:
        """How often each operation was called."""
        return Counter(operation for _, operation, _ in self.calls)

    def describe_target_groups(self, *, LoadBalancerArn: str, Marker: str = "0") -> dict[str, Any]:  # noqa: N803
        """As AWS has it, 30 to a page."""
        self._called("DescribeTargetGroups", "")
        assert LoadBalancerArn == LOAD_BALANCER
        arns, start = list(self.groups), int(Marker)
        page: dict[str, Any] = {
            "TargetGroups": [{"TargetGroupArn": arn, "TargetType": "ip"} for arn in arns[start : start + 30]]
        }
        return page | ({"NextMarker": str(start + 30)} if len(arns) > start + 30 else {})

    def describe_tags(self, *, ResourceArns: list[str]) -> dict[str, Any]:  # noqa: N803
        """As AWS has it: at most 20 groups, all of which must exist."""
        self._called("DescribeTags", ResourceArns[0])
        assert len(ResourceArns) <= 20
        for arn in ResourceArns:
            self._known(arn)
        described = [
            {
                "ResourceArn": arn,
                "Tags": [{"Key": key, "Value": value} for key, value in self.groups[arn].tags.items()],
            }
            for arn in ResourceArns
        ]
        return {"TagDescriptions": described}

    def describe_target_health(self, *, TargetGroupArn: str) -> dict[str, Any]:  # noqa: N803
        """As AWS has it."""
        self._called("DescribeTargetHealth", TargetGroupArn)
        self._known(TargetGroupArn)
        rows = []
        for endpoint, row in self._rows(TargetGroupArn).items():
            state, reason = self.state(TargetGroupArn, endpoint)
            target = {"Id": endpoint.address, "Port": endpoint.port} | (
                {"AvailabilityZone": row.zone} if row.zone else {}
            )
            rows.append({"Target": target, "TargetHealth": {"State": state} | ({"Reason": reason} if reason else {})})
        return {"TargetHealthDescriptions": rows}

    def register_targets(self, *, TargetGroupArn: str, Targets: list[dict[str, Any]]) -> None:  # noqa: N803
        """As AWS has it: public addresses and wrong zones are refused; a draining target is revived."""
        self._called("RegisterTargets", TargetGroupArn)
        self._known(TargetGroupArn)
        for target in Targets:
            address = ipaddress.IPv4Address(target["Id"])
            if not address.is_private or (address in VPC) != ("AvailabilityZone" not in target):
                raise aws_error("InvalidTarget")
        for target in self._part("RegisterTargets", Targets):
            endpoint = Endpoint(target["Id"], target["Port"])
            row = self._rows(TargetGroupArn).get(endpoint)
            if row is None or row.draining_at is not None:
                fresh = Row(self.clock.time(), target.get("AvailabilityZone", ""))
                self.groups[TargetGroupArn].rows[endpoint] = fresh
                self.log.append((self.clock.time(), "register", endpoint))
        self._answered("RegisterTargets")

    def deregister_targets(self, *, TargetGroupArn: str, Targets: list[dict[str, Any]]) -> None:  # noqa: N803
        """As AWS has it: the target drains for a while; one that is not there is no error."""
        self._called("DeregisterTargets", TargetGroupArn)
        self._known(TargetGroupArn)
        had = bool(self._live(TargetGroupArn))
        for target in self._part("DeregisterTargets", Targets):
            endpoint = Endpoint(target["Id"], target["Port"])
            row = self._rows(TargetGroupArn).get(endpoint)
            if row is not None and row.draining_at is None:
                row.draining_at = self.clock.time()
                self.log.append((self.clock.time(), "deregister", endpoint))
        if had and not self._live(TargetGroupArn):
            self.emptied.append(self.clock.time())
        self._answered("DeregisterTargets")

    def add_tags(self, *, ResourceArns: list[str], Tags: list[dict[str, str]]) -> None:  # noqa: N803
        """As AWS has it."""
        self._called("AddTags", ResourceArns[0])
        for arn in ResourceArns:
            self._known(arn)
            self.groups[arn].tags |= {tag["Key"]: tag["Value"] for tag in Tags}
        self._answered("AddTags")

    def _live(self, arn: str) -> list[Endpoint]:
        return [endpoint for endpoint, row in self._rows(arn).items() if row.draining_at is None]

    def _rows(self, arn: str) -> dict[Endpoint, Row]:
        rows = self.groups[arn].rows
        for endpoint, row in list(rows.items()):
            if row.draining_at is not None and self.clock.time() >= row.draining_at + self.delay:
                del rows[endpoint]
        return rows

    def _known(self, arn: str) -> None:
        if arn not in self.groups:
            raise aws_error("TargetGroupNotFound")

    def _part(self, operation: str, targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What of a change takes effect."""
        if not self.partly[operation]:
            return targets
        self.lost[operation].appendleft(self.partly[operation].popleft())
        return targets[:1]

    def _answered(self, operation: str) -> None:
        if self.lost[operation]:
            raise self.lost[operation].popleft()

    def _called(self, operation: str, arn: str) -> None:
        self.calls.append((self.clock.time(), operation, arn))
        self.clock.sleep(self.latency)
        if operation in self.always:
            raise self.always[operation]
        if self.faults[operation]:
            raise self.faults[operation].popleft()


class FakeDns:
    """Names and what they answer; an answer may also be a list, given in turn.

    Attributes:
        asked: When each question was asked.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.asked: list[float] = []
        self._names: dict[str, list[Answer | Failure]] = {}

    def set(self, *addresses: str, hostname: str = HOST, ttl: float = 5.0) -> None:
        """One answer with all the addresses."""
        self._names[hostname] = [Answer(frozenset(addresses), ttl)]

    def rotate(self, *addresses: str, hostname: str = HOST, ttl: float = 5.0) -> None:
        """One of the addresses in each answer, in turn."""
        self._names[hostname] = [Answer(frozenset([address]), ttl) for address in addresses]

    def fail(self, outcome: Outcome, hostname: str = HOST) -> None:
        """No addresses."""
        self._names[hostname] = [Failure(outcome, f"{hostname} fails")]

    def alone(self) -> Callable[[str, Sequence[NameServer]], Answer | Failure]:
        """A resolver for one process: where names answer in turn, no other process's questions come in between."""
        turns: Counter[str] = Counter()

        def ask(hostname: str, nameservers: Sequence[NameServer]) -> Answer | Failure:
            answers = self._names[hostname]
            turns[hostname] += 1
            return answers[turns[hostname] % len(answers)]

        return ask

    def ask(self, hostname: str, nameservers: Sequence[NameServer]) -> Answer | Failure:
        """Answers one question."""
        self.asked.append(self.clock.time())
        answers = self._names.get(hostname) or [Failure(Outcome.NXDOMAIN, f"{hostname} does not exist")]
        answers.append(answers.pop(0))
        return answers[-1]


@dataclass
class World:
    """The function's process with everything around it, in virtual time.

    Attributes:
        poll_interval: The function's setting.
        observe_only: The function's setting.
    """

    poll_interval: float = 5.0
    observe_only: bool = False
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        """Sets up the fakes, and starts the process."""
        self.elb = FakeElb(self.clock)
        self.dns = FakeDns(self.clock)
        self.settings = Settings(LOAD_BALANCER, (VPC,), self.poll_interval, self.observe_only)
        self.restart()

    def restart(self) -> None:
        """A cold start: the process forgets everything."""
        # The client is the fake's: same methods, same keywords.
        registry = Registry(self.elb, self.settings)  # type: ignore[arg-type]
        self.fleet = Fleet(self.settings, registry, ask=self.dns.ask, clock=self.clock)

    def minute(self) -> None:
        """One invocation by the minute rule, and the time until the next; it is cut short where it would overlap."""
        end = self.clock.time() + 60
        try:
            self.fleet.refresh()
            economical = self.settings.economical
            if economical:
                self.fleet.watch(attend=0, limit=320, handover=HANDOVER_SECONDS)
            else:
                self.fleet.watch(attend=MINUTE_SECONDS, limit=MINUTE_SECONDS + 0.5)
        finally:
            self.clock.sleep(max(0.0, end - self.clock.time()))

    def minutes(self, count: int) -> None:
        """Several of them."""
        for _ in range(count):
            self.minute()

    def event(self) -> None:
        """One invocation by an event of Amazon RDS."""
        self.fleet.refresh(older_than=60)
        self.fleet.watch(attend=0, limit=320, event=True)

    def live(self) -> set[str]:
        """The addresses that the group of `main` has registered on port 5432."""
        return {endpoint.removesuffix(":5432") for endpoint in self.elb.live()}

    def changes(self) -> list[str]:
        """What was registered (+) and deregistered (-), in order."""
        return [("+" if what == "register" else "-") + endpoint.address for _, what, endpoint in self.elb.log]


def endpoints(addresses: Iterable[str], port: int = 5432) -> list[Endpoint]:
    """Addresses on one port."""
    return [Endpoint(address, port) for address in addresses]

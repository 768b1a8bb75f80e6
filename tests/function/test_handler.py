"""Which event does what, and that one listener's trouble is no other's."""

from __future__ import annotations

import ast
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from target_sync import handler, watch
from target_sync.registry import Registry
from target_sync.resolve import Answer, Failure
from target_sync.settings import Settings, SettingsError
from target_sync.watch import Fleet, SyncError
from tests.function.fakes import LOAD_BALANCER, VPC, FakeElb, World, aws_error, group_arn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_sync.listener import NameServer

A, B = "10.0.0.5", "10.0.1.6"
WATCH = {"action": "watch"}
FAILOVER = {
    "source": "aws.rds",
    "detail-type": "RDS DB Instance Event",
    "resources": ["arn:aws:rds:eu-central-1:111111111111:db:orders"],
    "detail": {"EventCategories": ["failover"], "EventID": "RDS-EVENT-0049", "SourceIdentifier": "orders"},
}
ENVIRONMENT = {
    "LOAD_BALANCER_ARN": LOAD_BALANCER,
    "VPC_RANGES": "10.0.0.0/16 10.1.0.0/16",
    "AWS_REGION": "eu-central-1",
}


class Context:
    """Lambda's context."""

    log_stream_name = "stream"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        """Until the time-out."""
        return int(self._seconds * 1000)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """One listener, as the handler's fleet."""
    made = World()
    made.elb.add()
    made.dns.set(A)
    monkeypatch.setattr(handler, "fleet", lambda: made.fleet)
    return made


def test_the_minute_rule_watches_until_the_next(world: World) -> None:
    """58 s, whatever the function's time-out: the last look is shortly before the next invocation's first.

    A process's first invocation ends earlier by what its start usually takes.
    """
    start = world.clock.time()
    handler.handle(WATCH, Context(360))
    assert world.clock.time() - start == 56.0
    start = world.clock.time()

    handler.handle(WATCH, Context(360))

    assert world.live() == {A}
    assert world.clock.time() - start == 58.0
    assert world.dns.asked[-1] == start + 58.0


def test_a_short_time_out_is_respected(world: World) -> None:
    """Time is kept back for a call that is under way and for the report."""
    start = world.clock.time()

    handler.handle(WATCH, Context(60))

    assert world.clock.time() - start <= 20.0


def test_an_event_is_watched_until_settled(world: World) -> None:
    """Any event of Amazon RDS starts close looks at all listeners; a listener added lately is known by then."""
    handler.handle(WATCH, Context(360))
    world.elb.add("reporting", hostname="reporting.example.com", port=5433)
    world.dns.set(B, hostname="reporting.example.com")
    world.clock.sleep(10.0)

    handler.handle(FAILOVER, Context(360))

    assert world.elb.live("reporting") == {f"{B}:5433"}


@pytest.mark.parametrize("event", [{}, {"action": "dance"}, {"source": "aws.ec2"}, {"RequestType": "Create"}])
def test_an_unknown_event_is_refused(world: World, event: dict[str, Any]) -> None:
    """With its keys, and what is known."""
    with pytest.raises(ValueError, match=r"is of no known kind; known are .*watch.*aws\.rds"):
        handler.handle(event, Context(360))

    assert world.elb.calls == []


def test_the_fleet_is_kept_between_invocations(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warm process keeps what it knows as long as its settings are the same."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(handler, "_fleets", {})

    first = handler.fleet()

    assert handler.fleet() is first
    assert [str(network) for network in first.settings.vpc_ranges] == ["10.0.0.0/16", "10.1.0.0/16"]
    assert first.settings.poll_interval == 5.0
    monkeypatch.setenv("POLL_INTERVAL_SECONDS", "60")
    assert handler.fleet().settings.economical


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOAD_BALANCER_ARN", ""),
        ("LOAD_BALANCER_ARN", "orders"),
        ("VPC_RANGES", ""),
        ("VPC_RANGES", "10.0.0.0/16,10.1.0.0/16"),
        ("POLL_INTERVAL_SECONDS", "soon"),
        ("POLL_INTERVAL_SECONDS", "0.5"),
        ("POLL_INTERVAL_SECONDS", "nan"),
        ("POLL_INTERVAL_SECONDS", "301"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    """Which one, what it is, and what to give."""
    with pytest.raises(SettingsError, match=f"{name} is .*give"):
        Settings.from_environment(ENVIRONMENT | {name: value})


class Names:
    """Names that answer at once, but for one that hangs until it is let go."""

    def __init__(self, hanging: str = "") -> None:
        self.hanging = hanging
        self.let_go = threading.Event()

    def ask(self, hostname: str, nameservers: Sequence[NameServer]) -> Answer | Failure:
        """The address whose third number is in the name."""
        if hostname == self.hanging:
            self.let_go.wait()
        return Answer(frozenset({f"10.0.{hostname.partition('.')[0].removeprefix('db')}.5"}), 5.0)


def fleet_of(count: int, names: Names) -> tuple[Fleet, FakeElb]:
    """A fleet in real time."""
    elb = FakeElb(time)  # type: ignore[arg-type]
    for number in range(count):
        elb.add(f"listener{number}", hostname=f"db{number}.example.com", port=5432 + number)
    settings = Settings(LOAD_BALANCER, (VPC,), 5.0)
    registry = Registry(elb, settings)  # type: ignore[arg-type]
    fleet = Fleet(settings, registry, ask=names.ask)
    fleet.refresh()
    return fleet, elb


def test_many_listeners_and_one_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are registered though one name server never answers; that one is named, and starts afresh."""
    monkeypatch.setattr(watch, "_GRACE_SECONDS", 0.2)
    names = Names("db7.example.com")
    fleet, elb = fleet_of(12, names)

    with pytest.raises(SyncError, match="1 of 12 listeners failed: listener7: not done in time"):
        fleet.watch(attend=0.5, limit=0.5)

    registered = [number for number in range(12) if elb.live(f"listener{number}")]
    assert registered == [number for number in range(12) if number != 7]
    assert elb.live("listener8") == {"10.0.8.5:5440"}

    names.hanging = ""
    names.let_go.set()
    fleet.refresh()
    fleet.watch(attend=0.5, limit=0.5)
    assert elb.live("listener7") == {"10.0.7.5:5439"}


def test_all_failures_are_named() -> None:
    """Two listeners out of five fail, each for its own reason; the others are done."""
    fleet, elb = fleet_of(5, Names())
    register = elb.register_targets

    def refuse(*, TargetGroupArn: str, Targets: list[dict[str, Any]]) -> None:  # noqa: N803
        for number, error in ((1, aws_error("AccessDenied")), (3, ZeroDivisionError("a bug"))):
            if TargetGroupArn == group_arn(f"listener{number}"):
                raise error
        register(TargetGroupArn=TargetGroupArn, Targets=Targets)

    elb.register_targets = refuse  # type: ignore[method-assign]

    with pytest.raises(SyncError, match=r"2 of 5 .*listener1: register failed: AccessDenied.*listener3: .*a bug"):
        fleet.watch(attend=0.2, limit=0.2)

    assert [number for number in range(5) if elb.live(f"listener{number}")] == [0, 2, 4]


def test_a_group_with_broken_tags_fails_alone() -> None:
    """The others go on; what is wrong with it is said."""
    fleet, elb = fleet_of(2, Names())
    elb.groups[group_arn("listener0")].tags["pg-privatelink:ranges"] = "everywhere"
    fleet.refresh(older_than=0)

    with pytest.raises(SyncError, match="ranges of listener listener0 is 'everywhere'"):
        fleet.watch(attend=0.2, limit=0.2)

    assert elb.live("listener1") == {"10.0.1.5:5433"}
    assert elb.live("listener0") == set()


def test_a_table_that_cannot_be_read_again(world: World) -> None:
    """What is known already is kept right, and the invocation fails."""
    handler.handle(WATCH, Context(360))
    world.elb.always["DescribeTargetGroups"] = aws_error("ThrottlingException", "DescribeTargetGroups")
    world.clock.sleep(4000.0)
    world.dns.set(B)

    with pytest.raises(SyncError, match="all: the target groups cannot be listed: ThrottlingException"):
        handler.handle(WATCH, Context(360))

    assert world.live() == {B}


def test_only_what_the_asset_holds_is_imported() -> None:
    """The function's package, botocore, dnspython's names, the standard library: nothing else is needed."""
    folder = Path(handler.__file__).parent
    allowed = sys.stdlib_module_names | {"botocore", "mypy_boto3_elbv2", "mypy_boto3_rds"}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                root = name.partition(".")[0]
                assert root in allowed or name in {"dns.exception", "dns.name", "dns.wire"}, f"{path.name}: {name}"

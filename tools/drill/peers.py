"""Models of how others follow a name, run as real loops against the emulator, beside the function.

The models are those of `benchmarks/baselines.py`, unchanged: how they decide, in which order they call, what they take
for registered. There they run in virtual time; here each has a thread, a clock and a target group of its own, with the
default attributes that peers leave (deregistration delay 300 s, no connection termination).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, cast

from benchmarks.baselines import BASELINES
from benchmarks.world import ATTEMPTS
from target_sync.listener import NameServer
from target_sync.resolve import resolve
from target_sync.watch import SyncError
from tools.demo_world import PROVIDER_ACCOUNT

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable

    from benchmarks.baselines import Baseline
    from benchmarks.simulation import Steps
    from target_sync.resolve import Answer, Failure
    from tools.drill.site import Database, Site

RETRY_SECONDS = (60.0, 120.0)
"""When Lambda tries an asynchronous invocation again that failed: twice by default, which peers leave."""

NAMES = ("poll_60s", "poll_300s", "event_only", "three_misses")


class _World:
    """What a model finds around it, as in `benchmarks/world.py`: here, the emulator's interface."""

    def __init__(self, elbv2: Any) -> None:  # noqa: ANN401 - boto3's client
        self.balancer = elbv2
        self.kept: dict[str, Counter[str]] = {}


class _Machine:
    """What a model runs on, as in `benchmarks/world.py`: here, calls take the time they take."""

    def __init__(self, elbv2: Any, name_server: str) -> None:  # noqa: ANN401
        self.world = _World(elbv2)
        address, _, port = name_server.partition(":")
        self._name_server = NameServer(address, int(port))

    def ask(self, hostname: str, _nameservers: object = ()) -> Answer | Failure:
        return resolve(hostname, [self._name_server])

    def answering(self) -> float:
        return 0.0

    def connect(self) -> float:
        return 0.0

    def leg(self, operation: str) -> float:  # noqa: ARG002 - as the models call it
        return 0.0

    def release(self) -> None:
        pass

    def call(self, operation: str, make: Callable[[], object]) -> Steps:  # noqa: ARG002
        make()
        yield 0.0

    def register(self, make: Callable[[], object], addresses: Iterable[str]) -> Steps:  # noqa: ARG002
        make()
        yield 0.0


class Peer:
    """One model with a load balancer and a target group of its own, which hold the truth at first.

    Args:
        site: Where.
        name: One of `NAMES`.
        database: The database whose name it follows.

    Attributes:
        suspended: Whether its function cannot run: throttled, or ended before it does anything.
    """

    def __init__(self, site: Site, name: str, database: Database) -> None:
        self.name = name
        self._site = site
        self._elbv2 = site.client("elbv2")
        self._make(site, database)
        model = BASELINES[name]
        self.every = model.every
        self.on_events = model.on_events
        machine = _Machine(
            site.emulator.client("elbv2", account=PROVIDER_ACCOUNT, attempts=ATTEMPTS), site.name_server.endpoint
        )
        self._baseline: Baseline = model(cast("Any", machine), hostname=database.hostname)
        self._baseline._arn = self.group  # noqa: SLF001 - in the models groups have other ARNs
        self.suspended = False
        self._ended = threading.Event()
        self._wake = threading.Condition()
        self._due: list[tuple[float, int]] = []  # when, and how often it was tried before
        self._thread = threading.Thread(target=self._run, name=f"peer {name}", daemon=True)
        self._thread.start()

    def _make(self, site: Site, database: Database) -> None:
        elbv2, label = self._elbv2, f"{self.name.replace('_', '-')}-{database.port}"
        self.load_balancer: str = elbv2.create_load_balancer(
            Name=f"peer-{label}",
            Type="network",
            Scheme="internal",
            Subnets=[subnet.id for subnet in site.world.subnets],
        )["LoadBalancers"][0]["LoadBalancerArn"]
        self.group: str = elbv2.create_target_group(
            Name=f"peer-{label}", Protocol="TCP", Port=site.world.port, VpcId=site.world.vpc_id, TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        elbv2.create_listener(
            LoadBalancerArn=self.load_balancer,
            Protocol="TCP",
            Port=database.port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": self.group}],
        )
        truth = [{"Id": address, "Port": site.world.port} for address in database.truth()]
        elbv2.register_targets(TargetGroupArn=self.group, Targets=truth)
        while set(site.targets(self.group).values()) != {"healthy"}:
            time.sleep(0.1)

    def begin(self) -> float:
        """Start its rule so that it fires first half a period from now; returns in how many seconds, or 0.

        Half a period is the median of what a failover at a random moment meets.
        """
        if self.every is None:
            return 0.0
        self._at(time.monotonic() + self.every / 2)
        return self.every / 2

    def event(self) -> None:
        """Deliver an event of Amazon RDS."""
        if self.on_events:
            self._at(time.monotonic())

    def stop(self) -> None:
        """End it, and delete its load balancer and target group."""
        self._ended.set()
        with self._wake:
            self._wake.notify()
        self._thread.join()
        self._elbv2.delete_load_balancer(LoadBalancerArn=self.load_balancer)
        self._elbv2.delete_target_group(TargetGroupArn=self.group)

    def _at(self, moment: float, tried: int = 0) -> None:
        with self._wake:
            self._due.append((moment, tried))
            self._wake.notify()

    def _run(self) -> None:
        while not self._ended.is_set():
            with self._wake:
                moment, tried = min(self._due, default=(None, 0))
                now = time.monotonic()
                if moment is None or moment > now:
                    self._wake.wait(None if moment is None else moment - now)
                    continue
                self._due.remove((moment, tried))
            if not self._look() and tried < len(RETRY_SECONDS):
                self._at(time.monotonic() + RETRY_SECONDS[tried], tried + 1)
            if self.every is not None and tried == 0:
                self._at(moment + self.every)

    def _look(self) -> bool:
        """Run the model once; returns whether Lambda would take it for a success."""
        if self.suspended:
            return False
        try:
            for seconds in self._baseline.handle(cast("Any", {})):
                time.sleep(seconds)
        except SyncError:
            return False
        return True

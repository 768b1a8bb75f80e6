"""Any order of events: answers, failovers, faults, cold starts, strangers, new configurations, second processes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from target_sync.resolve import Outcome
from target_sync.watch import SyncError
from tests.function.fakes import HOST, World, aws_error, endpoints, group_arn

if TYPE_CHECKING:
    from target_sync.watch import Fleet

ALLOWED = [f"10.0.{number}.5" for number in range(4)]
OTHERS = ["3.120.1.2", "10.9.0.1"]
NAMES = [HOST, "green.example.com"]
GROUP = group_arn("main")

addresses = st.lists(st.sampled_from(ALLOWED), min_size=1, max_size=3, unique=True)


class Reconciler(RuleBasedStateMachine):
    """The function's process, perhaps two, in a world that does anything."""

    @initialize(economical=st.booleans(), held=st.lists(st.sampled_from(ALLOWED), unique=True), recorded=st.booleans())
    def begin(self, economical: bool, held: list[str], recorded: bool) -> None:
        """A deployment, or somebody else's group."""
        self.world = World(60.0 if economical else 5.0)
        group = self.world.elb.add()
        if recorded:
            group.tags["pg-privatelink:followed"] = f"{HOST}:5432"
        self.world.elb.hold("main", *endpoints(held))
        self.world.dns.set(ALLOWED[0])
        self.filled = bool(held)
        self.other: Fleet | None = None

    @rule(named=addresses, name=st.sampled_from(NAMES), ttl=st.sampled_from([0.0, 1.0, 5.0, 60.0]))
    def answer(self, named: list[str], name: str, ttl: float) -> None:
        """A name gets other addresses."""
        self.world.dns.set(*named, hostname=name, ttl=ttl)

    @rule(named=addresses, name=st.sampled_from(NAMES), ttl=st.sampled_from([1.0, 5.0]))
    def take_turns(self, named: list[str], name: str, ttl: float) -> None:
        """A name answers with one address at a time."""
        self.world.dns.rotate(*named, hostname=name, ttl=ttl)

    @rule(name=st.sampled_from(NAMES), outcome=st.sampled_from(Outcome))
    def dns_fails(self, name: str, outcome: Outcome) -> None:
        """A name gives no address."""
        self.world.dns.fail(outcome, name)

    @rule(name=st.sampled_from(NAMES), named=addresses, other=st.sampled_from(OTHERS))
    def answer_with_a_forbidden_one(self, name: str, named: list[str], other: str) -> None:
        """A name has an address that must not be registered, perhaps beside others."""
        self.world.dns.set(*named[1:], other, hostname=name)

    @rule(
        operation=st.sampled_from(["RegisterTargets", "DeregisterTargets", "DescribeTargetHealth", "DescribeTags"]),
        code=st.sampled_from(["ThrottlingException", "AccessDenied", "InternalFailure"]),
        times=st.integers(1, 3),
    )
    def calls_fail(self, operation: str, code: str, times: int) -> None:
        """The next calls of an operation fail."""
        self.world.elb.faults[operation].extend([aws_error(code, operation)] * times)

    @rule(down=st.sets(st.sampled_from(ALLOWED)), latency=st.sampled_from([0.0, 0.1, 3.0]))
    def health(self, down: set[str], latency: float) -> None:
        """Servers go down or come back; the API is slow or fast."""
        self.world.elb.down = down
        self.world.elb.latency = latency

    @rule(stranger=st.sampled_from(ALLOWED), port=st.sampled_from([5432, 6432]))
    def add_a_stranger(self, stranger: str, port: int) -> None:
        """Somebody registers a target."""
        self.world.elb.hold("main", *endpoints([stranger], port))

    @rule(name=st.sampled_from(NAMES), port=st.sampled_from(["5432", "6432"]))
    def configure(self, name: str, port: str) -> None:
        """A deployment changes what is followed, without telling this process."""
        tags = self.world.elb.groups[GROUP].tags
        tags |= {"pg-privatelink:hostname": name, "pg-privatelink:port": port}

    @rule()
    def cold_start(self) -> None:
        """The process is replaced; sometimes the old one is used again."""
        previous = self.world.fleet
        self.world.restart()
        if self.other is not None:
            self.world.fleet = self.other
        self.other = previous

    @rule(seconds=st.sampled_from([7.0, 25.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        """Nothing is invoked for a while."""
        self.world.clock.sleep(seconds)

    @rule(later=addresses, delay=st.floats(0.0, 60.0))
    def minute(self, later: list[str], delay: float) -> None:
        """The minute rule fires, and the name changes meanwhile."""
        self.world.clock.after(delay, lambda: self.world.dns.set(*later))
        with contextlib.suppress(SyncError, type(aws_error(""))):
            self.world.minute()
        self.filled |= bool(self.world.elb.live())

    @rule()
    def event(self) -> None:
        """An event of Amazon RDS."""
        with contextlib.suppress(SyncError, type(aws_error(""))):
            self.world.event()
        self.filled |= bool(self.world.elb.live())

    @invariant()
    def never_empty(self) -> None:
        """A group that once held a target always holds one."""
        if hasattr(self, "world"):
            assert not self.world.elb.emptied
            assert self.world.elb.live() or not self.filled

    @invariant()
    def never_spinning(self) -> None:
        """Whatever fails, time passes before it is tried again."""
        if hasattr(self, "world"):
            assert not self.world.clock.spun

    @invariant()
    def only_allowed(self) -> None:
        """Nothing but allowed addresses is ever registered."""
        if hasattr(self, "world"):
            assert {endpoint.address for _, _, endpoint in self.world.elb.log} <= set(ALLOWED)

    def teardown(self) -> None:
        """Once the world is calm, the group becomes what the name stands for, and then nothing changes any more."""
        if not hasattr(self, "world"):
            return
        elb, dns = self.world.elb, self.world.dns
        elb.faults.clear()
        elb.latency, elb.down = 0.0, set()
        tags = elb.groups[GROUP].tags
        dns.set(ALLOWED[1], ALLOWED[2], hostname=tags["pg-privatelink:hostname"], ttl=5.0)
        self.world.clock.sleep(60.0)
        # The table is read again within 20 minutes; one quiet confirmation window of at most 30 answers follows, which
        # an economical function may spend one answer a minute on.
        with contextlib.suppress(SyncError):
            self.world.minutes(1)
        self.world.minutes(60 if self.world.settings.economical else 25)
        expected = {f"{address}:{tags['pg-privatelink:port']}" for address in ALLOWED[1:3]}
        assert elb.live() == expected
        assert tags["pg-privatelink:followed"] == f"{tags['pg-privatelink:hostname']}:{tags['pg-privatelink:port']}"

        changes, calls = len(elb.log), len(elb.calls)
        self.world.minutes(20)
        assert len(elb.log) == changes
        assert len(elb.calls) - calls <= 4


Reconciler.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestReconciler = Reconciler.TestCase

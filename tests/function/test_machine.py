"""Any order of events: answers, faults, lost responses, overlaps, observers, strangers, new configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from target_sync import work
from target_sync.resolve import Outcome
from tests.function.fakes import World, aws_error, endpoints, group_arn
from tests.function.schedule import Cache, Process, Schedule

if TYPE_CHECKING:
    from target_sync.resolve import Resolver

LISTENERS = ("orders", "reports", "users")
OTHERS = ["3.120.1.2", "10.9.0.1"]
OPERATIONS = ("RegisterTargets", "DeregisterTargets", "AddTags", "DescribeTargetHealth", "DescribeTags")
CODES = ("ThrottlingException", "AccessDenied", "InternalFailure", "TooManyTargets", "InvalidTarget")

listeners = st.sampled_from(LISTENERS)
numbers = st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True)
turns = st.lists(st.integers(0, 3), max_size=12)
parts = st.lists(st.sampled_from([0.0, 0.3, 1.0]), max_size=12)


def allowed(name: str, number: int) -> str:
    """One of a listener's addresses; no other listener has it."""
    return f"10.0.{LISTENERS.index(name)}.{5 + number}"


def hostnames(name: str) -> tuple[str, str]:
    """What a listener may follow."""
    return f"{name}.example.com", f"green.{name}.example.com"


class Reconciler(RuleBasedStateMachine):
    """Several processes that overlap, observers among them, in a world that does anything.

    Attributes:
        taken: How many steps of the schedule all runs took so far, the calm at their ends not counted.
        happened: How many rules they ran.
    """

    taken: ClassVar[int] = 0
    happened: ClassVar[int] = 0

    @initialize(
        economical=st.booleans(),
        held=st.lists(st.tuples(listeners, st.integers(0, 3)), unique=True),
        recorded=st.booleans(),
        count=st.integers(1, 3),
        apart=st.booleans(),
        hasty=st.booleans(),
    )
    def begin(  # noqa: PLR0917  # hypothesis calls it by keyword
        self, economical: bool, held: list[tuple[str, int]], recorded: bool, count: int, apart: bool, hasty: bool
    ) -> None:
        """A deployment, or somebody else's groups."""
        self.world = World(60.0 if economical else 5.0)
        self.names = LISTENERS[:count]
        self.apart = apart
        # A change takes at most six times this from its question on, which must be less than what confirms: three
        # looks, and one time to live. Later ones may hit what another process decided meanwhile.
        self.longest, self.ttls = (0.3, [0.0, 1.0, 5.0]) if hasty else (0.7, [5.0, 60.0])
        elb = self.world.elb
        for name in self.names:
            hostname = hostnames(name)[0]
            group = elb.add(name, hostname=hostname, ranges=f"10.0.{LISTENERS.index(name)}.0/24")
            if recorded:
                group.tags["pg-privatelink:followed"] = f"{hostname}:5432"
            elb.hold(name, *endpoints(allowed(name, number) for of, number in held if of == name))
            for other in hostnames(name):
                self.world.dns.set(allowed(name, 0), hostname=other, ttl=5.0)
        self.schedule = Schedule(self.world)
        self.filled = {name: bool(elb.live(name)) for name in self.names}
        self.forbidden = {name: set(OTHERS) for name in self.names}
        Reconciler.happened += 1

    def resolver(self) -> Resolver:
        """Each process takes its own turns through what names answer, and may have a cache of its own."""
        own = self.world.dns.alone()
        return Cache(self.world, own).ask if self.apart else own

    def process(self, which: int, *, observe_only: bool = False) -> Process:
        """A free process of a kind, or a new one."""
        free = [
            process
            for process in self.schedule.processes
            if not process.working and process.fleet.settings.observe_only == observe_only
        ]
        return free[which] if which < len(free) else self.schedule.cold(observe_only=observe_only, ask=self.resolver())

    def name(self, name: str) -> str:
        """One of the listeners that there are."""
        return self.names[LISTENERS.index(name) % len(self.names)]

    @rule(name=listeners, green=st.booleans(), named=numbers, ttl=st.integers(0, 2), turns=st.booleans())
    def answer(self, name: str, green: bool, named: list[int], ttl: int, turns: bool) -> None:
        """A name gets other addresses, all in one answer or one at a time."""
        name, dns = self.name(name), self.world.dns
        give = dns.rotate if turns else dns.set
        give(
            *(allowed(name, number) for number in named),
            hostname=hostnames(name)[green],
            ttl=self.ttls[ttl % len(self.ttls)],
        )

    @rule(name=listeners, outcome=st.sampled_from(Outcome))
    def dns_fails(self, name: str, outcome: Outcome) -> None:
        """A name gives no address."""
        self.world.dns.fail(outcome, hostnames(self.name(name))[0])

    @rule(name=listeners, named=numbers, other=st.sampled_from([*OTHERS, ""]))
    def answer_with_a_forbidden_one(self, name: str, named: list[int], other: str) -> None:
        """A name has an address that must not be registered, perhaps another listener's, perhaps beside others."""
        name = self.name(name)
        foreign = other or f"10.0.{(LISTENERS.index(name) + 1) % 3}.5"
        self.forbidden[name].add(foreign)
        own = [allowed(name, number) for number in named[1:]]
        self.world.dns.set(*own, foreign, hostname=hostnames(name)[0], ttl=5.0)

    @rule(operation=st.sampled_from(OPERATIONS), code=st.sampled_from(CODES), times=st.integers(1, 3))
    def calls_fail(self, operation: str, code: str, times: int) -> None:
        """The next calls of an operation fail."""
        self.world.elb.faults[operation].extend([aws_error(code, operation)] * times)

    @rule(operation=st.sampled_from(OPERATIONS[:3]), partly=st.booleans())
    def responses_are_lost(self, operation: str, partly: bool) -> None:
        """The next change takes effect, or the first target of it, and an error comes back."""
        elb = self.world.elb
        (elb.partly if partly else elb.lost)[operation].append(aws_error("InternalFailure", operation))

    @rule(down=st.sets(st.tuples(listeners, st.integers(0, 3))))
    def health(self, down: set[tuple[str, int]]) -> None:
        """Servers go down or come back."""
        self.world.elb.down = {allowed(name, number) for name, number in down}

    @rule(name=listeners, number=st.integers(0, 3), port=st.sampled_from([5432, 6432]))
    def add_a_stranger(self, name: str, number: int, port: int) -> None:
        """Somebody registers a target."""
        name = self.name(name)
        self.world.elb.hold(name, *endpoints([allowed(name, number)], port))

    @rule(name=listeners, green=st.booleans(), port=st.sampled_from(["5432", "6432"]))
    def configure(self, name: str, green: bool, port: str) -> None:
        """A deployment changes what is followed, without telling any process."""
        name = self.name(name)
        tags = self.world.elb.groups[group_arn(name)].tags
        tags |= {"pg-privatelink:hostname": hostnames(name)[green], "pg-privatelink:port": port}

    @rule(which=st.integers(0, 2), event=st.booleans())
    def fire(self, which: int, event: bool) -> None:
        """The minute rule fires, at whatever time, or an event comes; in a warm process or a cold one."""
        process = self.process(which)
        if event:
            self.schedule.event(process)
        elif self.world.settings.economical:
            self.schedule.economical(process)
        else:
            self.schedule.minute(process)

    @rule()
    def observe(self) -> None:
        """A process that only tells."""
        self.schedule.minute(self.process(0, observe_only=True))

    @precondition(lambda self: hasattr(self, "schedule") and self.schedule.processes)
    @rule(which=st.integers(0, 3))
    def die(self, which: int) -> None:
        """A process is killed, in the middle of a call perhaps."""
        processes = self.schedule.processes
        self.schedule.kill(processes[which % len(processes)])

    @rule(seconds=st.sampled_from([0.5, 2.0, 7.0, 25.0, 60.0]), turns=turns, parts=parts)
    def go_on(self, seconds: float, turns: list[int], parts: list[float]) -> None:
        """Time passes, for all that is under way."""
        order, long = iter(turns), iter(parts)
        self.schedule.choose = lambda _: next(order, 0)
        self.schedule.takes = lambda _: next(long, 0.0) * self.longest
        self._run(seconds)

    @rule(number=st.integers(0, 3), name=listeners, later=st.floats(0.0, 30.0), turns=turns, parts=parts)
    def fail_over(self, number: int, name: str, later: float, turns: list[int], parts: list[float]) -> None:
        """A name changes while all that is under way goes on."""
        name = self.name(name)
        self.world.clock.after(
            later, lambda: self.world.dns.set(allowed(name, number), hostname=hostnames(name)[0], ttl=5.0)
        )
        self.go_on(later + 10.0, turns, parts)

    @rule(seconds=st.sampled_from([100.0, 700.0]))
    def long_pause(self, seconds: float) -> None:
        """Nothing is invoked for a while."""
        self.schedule.takes = lambda _: 0.0
        self._run(seconds)

    @invariant()
    def never_empty(self) -> None:
        """A group that once held a target always holds one; within a step the schedule looks after it."""
        Reconciler.happened += 1
        for name in getattr(self, "names", ()):
            live = self.world.elb.live(name)
            assert live or not self.filled[name]
            self.filled[name] |= bool(live)

    @invariant()
    def only_allowed(self) -> None:
        """Nothing forbidden is ever registered, nor what belongs to another listener."""
        for name in getattr(self, "names", ()):
            assert not {target.partition(":")[0] for target in self.world.elb.live(name)} & self.forbidden[name]

    @invariant()
    def never_spinning(self) -> None:
        """Whatever fails, time passes before it is tried again."""
        assert not hasattr(self, "world") or not self.world.clock.spun

    def _run(self, seconds: float) -> None:
        before = self.schedule.steps
        self.schedule.run(seconds)
        Reconciler.taken += self.schedule.steps - before

    def teardown(self) -> None:
        """Once the world is calm, each group becomes what its name stands for, and then nothing changes any more."""
        if not hasattr(self, "schedule"):
            return
        elb, dns, schedule = self.world.elb, self.world.dns, self.schedule
        for faults in (elb.faults, elb.lost, elb.partly):
            faults.clear()
        elb.down = set()
        for name in self.names:
            hostname = elb.groups[group_arn(name)].tags["pg-privatelink:hostname"]
            dns.set(allowed(name, 1), allowed(name, 2), hostname=hostname, ttl=5.0)
        schedule.choose, schedule.takes = (lambda _: 0), (lambda _: 0.0)
        # The table is read again within an hour; one quiet confirmation window of at most 30 answers follows, which an
        # economical function may spend one answer a minute on.
        self._minutes(105 if self.world.settings.economical else 70)
        for name in self.names:
            tags = elb.groups[group_arn(name)].tags
            port = tags["pg-privatelink:port"]
            assert elb.live(name) == {f"{allowed(name, number)}:{port}" for number in (1, 2)}
            assert tags["pg-privatelink:followed"].partition(" ")[0] == f"{tags['pg-privatelink:hostname']}:{port}"

        changes = len(elb.log)
        self._minutes(20)
        assert len(elb.log) == changes

    def _minutes(self, count: int) -> None:
        for _ in range(count):
            self.fire(0, event=False)
            self.schedule.run(60.0)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Log lines are left out."""
    monkeypatch.setattr(work, "emit", lambda *_, **__: None)


Reconciler.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestReconciler = Reconciler.TestCase

"""Rounds: a fault or two are planted, the doctor is asked, its answer is compared with what was planted."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.cli.confusion import faults_of_entry, faults_of_following, faults_of_network  # noqa: F401 - they fill FAULTS
from tests.cli.confusion.fault import FAULTS, PATH, Fault, Planted

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from tests.cli.confusion.ward import Ward

NOTHING = "nothing"
LATE = frozenset({"Alarms"})
"""Hops that follow minutes after a fault, and after it is mended: an alarm looks at metrics."""
_SEEN_BY_CHECKS = 5.0  # seconds after which two of the emulator's health checks have failed, at a fifth of their time


@dataclass(frozen=True)
class Round:
    """What was planted and what was said.

    Attributes:
        service: Where.
        faults: What was planted, in the order of the path.
        words: What that was, in AWS's terms.
        first: The first hop with a problem; `NOTHING` if there is none.
        told: Of every hop that is not ok, its verdict.
        reacted: Whether the emulator's health checks saw any of it; None: not looked at.
    """

    service: str
    faults: tuple[Fault, ...]
    words: tuple[str, ...]
    first: str
    told: dict[str, str]
    reacted: bool | None = None

    @property
    def expected(self) -> str:
        """The hop that must be named first."""
        return self.faults[0].hop

    @property
    def named(self) -> bool:
        """Whether the first finding names the hop that was broken, of two the first along the path."""
        return self.first == self.expected

    @property
    def others(self) -> list[str]:
        """What is said of the other broken hops: `problem`, `unknown`, or `ok`, which is wrong."""
        return [self.told.get(fault.hop, "ok") for fault in self.faults[1:]]

    @property
    def right(self) -> bool:
        """Whether the round is passed: the first named first, the others told or not known because of the first."""
        return self.named and "ok" not in self.others


@dataclass
class Plan:
    """Draws faults until there are enough rounds.

    Attributes:
        rng: Where chance comes from.
        wards: The services.
        faults: The kinds of faults.
    """

    rng: random.Random
    wards: Sequence[Ward]
    faults: Sequence[Fault] = field(default_factory=lambda: list(FAULTS))

    def singles(self, count: int) -> list[tuple[Ward, tuple[Fault, ...]]]:
        """Return so many pairs of a service and a fault: every kind comes before one comes again."""
        kinds: list[Fault] = []
        while len(kinds) < count:
            kinds += self.rng.sample(list(self.faults), len(self.faults))
        return [(self.rng.choice(self.wards), (kind,)) for kind in kinds[:count]]

    def doubles(self, count: int) -> list[tuple[Ward, tuple[Fault, ...]]]:
        """Return so many pairs of a service and two faults at different hops, in the order of the path."""
        found: list[tuple[Ward, tuple[Fault, ...]]] = []
        while len(found) < count:
            pair = self.rng.sample(list(self.faults), 2)
            if pair[0].hop != pair[1].hop:
                pair.sort(key=lambda each: PATH.index(each.hop))
                found.append((self.rng.choice(self.wards), tuple(pair)))
        return found

    def play(
        self, ward: Ward, faults: tuple[Fault, ...], *, look_at_health: bool = False
    ) -> tuple[Round | None, list[str]]:
        """Plant, ask and mend.

        Args:
            ward: The service.
            faults: What to plant.
            look_at_health: Whether to wait and see if the emulator's health checks notice.

        Returns:
            What came of it, None where the service (and no other one) has what the faults break; and what is still
            told after everything is mended.
        """
        for each in [ward, *self.rng.sample(list(self.wards), len(self.wards))]:
            planted = _plant(each, faults, self.rng)
            if planted is None:
                continue
            try:
                document = each.doctor()
                reacted = None
                if look_at_health:
                    time.sleep(_SEEN_BY_CHECKS)
                    reacted = each.health() != each.before
            finally:
                for one in reversed(planted):
                    with contextlib.suppress(TimeoutError):  # the other fault is still there
                        one.mend()
            with contextlib.suppress(TimeoutError):  # what is not as it was is told below
                each.until(each.as_before)
            told = verdicts(document)
            first = next((hop for hop, verdict in told.items() if verdict == "problem"), NOTHING)
            words = tuple(one.words for one in reversed(planted))
            return Round(each.stack, faults, words, first, told, reacted), left_over(each) if look_at_health else []
        return None, []


def _plant(ward: Ward, faults: tuple[Fault, ...], rng: random.Random) -> list[Planted] | None:
    """Plant all of some faults, or none; returns them in the order in which they were planted.

    What waits to be seen by health checks is planted first, which is the last along the path: another fault may stop
    these. The last one planted is to be mended first, since each mends what it found.
    """
    planted: list[Planted] = []
    for each in sorted(faults, key=lambda each: PATH.index(each.hop), reverse=True):
        done = each.plant(ward, rng)
        if done is None:
            for one in reversed(planted):
                one.mend()
            return None
        planted.append(done)
    return planted


def verdicts(document: dict[str, Any]) -> dict[str, str]:
    """Return the hops that are not ok with their verdicts, in the order that the doctor has them."""
    return {each["hop"]: each["verdict"] for each in document["hops"] if each["verdict"] != "ok"}


def findings(document: dict[str, Any]) -> list[str]:
    """Return what a sound service may not have: all that is not ok and counts."""
    return [
        f"{hop['hop']}: {finding['verdict']}: {finding['evidence']}"
        for hop in document["hops"]
        for finding in hop["findings"]
        if finding["verdict"] != "ok" and finding["counts"]
    ]


def left_over(ward: Ward) -> list[str]:
    """Return what is told of a service in which everything is mended, but for what follows late."""
    return [each for each in findings(ward.doctor()) if each.partition(":")[0] not in LATE]

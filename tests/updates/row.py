"""A row of the update matrix: a change that a user makes, and what may come of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.updates.refusals import ENDPOINT_SERVICE, LOAD_BALANCER, TARGET_GROUP, Refusal, refusals
from tests.updates.replacement import Change, Outcome, changes

if TYPE_CHECKING:
    from tests.updates.world import Setup

STATEFUL = (LOAD_BALANCER, TARGET_GROUP, ENDPOINT_SERVICE)
"""What must not be lost: consumers, or the addresses that a database's security groups admit, hang on it."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A change and its reverse. Both must keep what is there, but for what the row says.

    Args:
        option: The option or field that changes: `PostgresEndpointService.poll_interval`, `services.*.poll_interval`.
        change: From what to what, for people.
        old: What is deployed.
        new: What is deployed next; then `old` again.
        lost: Types of what the change takes away by intention, such as a listener's target group with the listener.
        lost_back: The same for the way back.
        anew: Types of what is replaced by intention, there and back; never what consumers or addresses hang on.
        refused: Names of the rules by which AWS refuses the change.
        refused_back: The same for the way back.
        elsewhere: Whether the change makes another stack, and the deployed one stays as it is.
        way: What to do instead of what is refused or lost, for people.
        through: Deployments between `old` and `new` with which AWS refuses nothing.
    """

    option: str
    change: str
    old: Setup
    new: Setup
    lost: tuple[str, ...] = ()
    lost_back: tuple[str, ...] = ()
    anew: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    refused_back: tuple[str, ...] = ()
    elsewhere: bool = False
    way: str = ""
    through: tuple[Setup, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Result:
    """What an update does to all stacks that exist before and after it."""

    changes: dict[str, Change] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    common: bool = False

    def types(self, *outcomes: Outcome) -> list[str]:
        """Return the types with one of these outcomes, each once."""
        return sorted({each.resource_type for each in self.changes.values() if each.outcome in outcomes})

    @property
    def lost(self) -> list[str]:
        """Types of stateful resources that are removed, each as often as that happens."""
        gone = [each.resource_type for each in self.changes.values() if each.outcome is Outcome.REMOVED]
        return sorted(Counter(each for each in gone if each in STATEFUL).elements())

    @property
    def refused(self) -> set[str]:
        """The names of the rules by which AWS refuses it."""
        return {each.rule.name for each in self.refusals}


def result(old: Setup, new: Setup) -> Result:
    """Return what a deployment does to the stacks that exist already.

    Stacks that only one of the two has are left out: CDK makes new ones beside the old, and deletes none by itself.
    """
    found: dict[str, Change] = {}
    refused: list[Refusal] = []
    common = old.stacks.keys() & new.stacks.keys()
    for name in sorted(common):
        found.update({f"{name}/{each}": change for each, change in changes(old.stacks[name], new.stacks[name]).items()})
        refused += refusals(old.stacks[name], new.stacks[name])
    return Result(changes=found, refusals=refused, common=bool(common))

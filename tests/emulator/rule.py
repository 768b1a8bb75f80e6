"""The form every rule of the conformance table has."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.emulator.world import Account


@dataclass(frozen=True)
class Rule:
    """One rule of AWS that this project relies on.

    Attributes:
        check: Shows the rule in a new account; its docstring is the rule.
        source: The page of AWS's documentation that says so, below https://docs.aws.amazon.com/.
        stock: Whether stock ministack keeps the rule too.
        authorization: Whether it needs an emulator that evaluates IAM policies.
    """

    check: Callable[[Account], None]
    source: str
    stock: bool
    authorization: bool

    @property
    def name(self) -> str:
        """The rule's name in test reports."""
        return self.check.__name__

    @property
    def text(self) -> str:
        """The rule in prose, on one line."""
        return " ".join((self.check.__doc__ or "").split())


RULES: list[Rule] = []


def rule(
    source: str, *, stock: bool = False, authorization: bool = False
) -> Callable[[Callable[[Account], None]], Callable[[Account], None]]:
    """Put the decorated check into the table."""

    def register(check: Callable[[Account], None]) -> Callable[[Account], None]:
        RULES.append(Rule(check, source, stock, authorization))
        return check

    return register

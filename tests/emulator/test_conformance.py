"""The conformance table: what AWS does, what the extended emulator does too, and what stock ministack does not."""

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from emulator.running import Emulator
from tests.emulator.rule import Rule
from tests.emulator.table import DOCUMENT, document, rules
from tests.emulator.world import Account

Emulators = dict[tuple[bool, bool], Emulator]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_extended_emulator_keeps_the_rule(rule: Rule, emulators: Emulators) -> None:
    """Every rule of the table holds in a new account of the emulator with this project's extension."""
    rule.check(Account(emulators[False, rule.authorization], patience=10.0))


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)
def test_stock_emulator_keeps_only_what_the_table_says(rule: Rule, emulators: Emulators) -> None:
    """Stock ministack fails every rule but those marked as stock's: the table claims only what the extension adds.

    A rule that stock ministack starts to keep, after an upgrade of its version, fails here and can leave the extension.
    """
    account = Account(emulators[True, rule.authorization], patience=0.3)
    if rule.stock:
        rule.check(account)
    else:
        with pytest.raises((AssertionError, ClientError, BotoCoreError, KeyError, StopIteration)):
            rule.check(account)


def test_document_shows_the_table() -> None:
    """`docs/emulator.md` shows the table as it is; `python -m tests.emulator.table` writes it anew."""
    assert DOCUMENT.read_text() == document()

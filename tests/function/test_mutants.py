"""The tool that seeds faults: that it still can, and that it tells when none of the tests minds."""

from __future__ import annotations

import pytest

from tools import mutants
from tools.mutants import FUNCTION, LAMBDAS, MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_mutant_still_applies(mutant: Mutant) -> None:
    """Its text occurs once in the code as it is, and what comes out is another program."""
    source = (LAMBDAS / FUNCTION / mutant.file).read_text()

    changed = mutants.mutated(mutant, source)

    assert changed != source
    compile(changed, mutant.file, "exec")


def test_there_are_enough_of_them() -> None:
    """At least 25, each with a name of its own."""
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 25


@pytest.mark.parametrize(("source", "count"), [("a = 1", 0), ("b = 1\nb = 1", 2)])
def test_a_mutant_whose_text_moved_is_an_error(source: str, count: int) -> None:
    """Nothing is ever tested unchanged."""
    with pytest.raises(ValueError, match=rf"mutant 'moved': its text occurs {count} times in plan\.py"):
        mutants.mutated(Mutant("moved", "plan.py", "b = 1", "b = 2"), source)


def test_a_survivor_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    """A change that no test can notice: the tool says so by name, in the table too, and fails."""
    harmless = Mutant("harmless", "plan.py", '"""Which targets to register', '"""What to register')
    deadly = Mutant("deadly", "plan.py", "register = wanted - live.keys()", "register = frozenset()")

    with pytest.raises(SystemExit, match="1 of 2 mutants survived: harmless"):
        mutants.main((harmless, deadly), ("test_plan",), [])

    printed = capsys.readouterr().out
    assert "| harmless | plan.py | **survived** |" in printed
    assert "| deadly | plan.py | test_plan.py::test_the_first_answer_is_registered |" in printed

"""The tables of a run, in Markdown."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.cli.confusion.fault import FAULTS, PATH
from tests.cli.confusion.rounds import NOTHING, Round

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.cli.confusion.set_up import SetUp


BY_HAND = "### About this run"
"""The heading of the page's last section, which people write: what was not right, and what became of it."""

_HEAD = """\
# How often the doctor is right

Tables: `make doctor-confusion`. The last section is by hand. Sound services that are unusual are deployed on the
emulator, then one fault or two at a time are drawn by a seed and planted by AWS's API. The generator knows nothing of
the doctor. A round is right if the first problem is the hop that was broken, of two the first along the path, and the
other is a problem too or not known because of the first.

The emulator's health checks are real connections, but its data plane looks at no security group, network ACL or route,
and at zones only to tell which targets are in use: faults of these do not stop traffic there, as they would on AWS. The
second table has what its health checks saw of each.
""".splitlines()


def report(seed: int, sound: Mapping[SetUp, Sequence[str]], rounds: Sequence[Round]) -> str:
    """Return all tables.

    Args:
        seed: What the rounds were drawn from.
        sound: What was found in services with nothing wrong.
        rounds: The rounds.
    """
    singles = [each for each in rounds if len(each.faults) == 1]
    doubles = [each for each in rounds if len(each.faults) > 1]
    clean = sum(not found for found in sound.values())
    return "\n".join(
        [
            *_HEAD,
            "",
            (
                f"Seed {seed}: {clean} of {len(sound)} sound services without a finding; {_share(singles)} single "
                f"faults and {_share(doubles)} double faults named first at the hop that was broken."
            ),
            "",
            "### What was planted, and what was named first",
            "",
            *_confusion(rounds),
            "",
            "### Faults",
            "",
            *_faults(singles),
            "",
            "### Two at a time",
            "",
            *_doubles(doubles),
            "",
            "### Sound services",
            "",
            *_sound(sound),
            "",
        ]
    )


def _share(rounds: Sequence[Round]) -> str:
    return f"{sum(each.right for each in rounds)} of {len(rounds)}"


def _confusion(rounds: Sequence[Round]) -> list[str]:
    """One row for each hop that was broken, first of two; one column for each hop that was named first."""
    hops = [hop for hop in PATH if any(hop in {each.expected, each.first} for each in rounds)]
    columns = [*hops, *([NOTHING] if any(each.first == NOTHING for each in rounds) else [])]
    lines = [f"| broken | {' | '.join(columns)} |", f"| --- |{' --- |' * len(columns)}"]
    for row in hops:
        counts = Counter(each.first for each in rounds if each.expected == row)
        lines.append(f"| {row} | {' | '.join(str(counts[column] or '') for column in columns)} |")
    return lines


def _faults(rounds: Sequence[Round]) -> list[str]:
    lines = ["| fault | at | named first | the emulator's health checks |", "| --- | --- | --- | --- |"]
    for fault in sorted(FAULTS, key=lambda each: PATH.index(each.hop)):
        own = [each for each in rounds if each.faults == (fault,)]
        if not own:
            continue
        reacted = sum(bool(each.reacted) for each in own)
        seen = "see it" if reacted == len(own) else "do not see it" if not reacted else f"see {reacted} of {len(own)}"
        lines.append(f"| {fault.words} | {fault.hop} | {_share(own)} | {seen} |")
    return lines


def _doubles(rounds: Sequence[Round]) -> list[str]:
    named = sum(each.named for each in rounds)
    second = Counter(verdict for each in rounds for verdict in each.others)
    said = (
        f"{named} of {len(rounds)} times the first along the path was named first; of the second, {second['problem']} "
        f"were problems too, {second['unknown']} unknown because of the first, {second['ok']} missed."
    )
    return [said]


def _sound(sound: Mapping[SetUp, Sequence[str]]) -> list[str]:
    lines = ["| set-up | findings |", "| --- | --- |"]
    lines += [f"| {each.words} | {'; '.join(found) or 'none'} |" for each, found in sound.items()]
    return lines

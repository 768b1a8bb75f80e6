"""The command `logs`: what the function decided, one line each."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from pg_privatelink.cli.decisions import Line, parse_since, read_lines, stamp, told
from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.service import find_service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.screen import Screen

_SECONDS_BETWEEN_LOOKS = 2.0
# Lines of one moment can arrive after those of a later one: each look goes back, and passes over what was printed.
_OVERLAP = dt.timedelta(minutes=2)


def logs(
    aws: Aws, screen: Screen, *, service: str | None, stack: str | None, since: str, follow: bool, everything: bool
) -> int:
    """Print the decisions of a service's function.

    Args:
        aws: Where it is.
        screen: What to print on; as JSON the lines are printed as they stand in the log.
        service: The service's name or id.
        stack: Its stack's name.
        since: A duration back from now, or a time.
        follow: Whether to go on until interrupted.
        everything: Whether routine lines are printed too.

    Returns:
        The exit code.

    Raises:
        Problem: The service has no function.
    """
    now = dt.datetime.now(dt.UTC)
    start = parse_since(since, now=now)
    found = find_service(aws, service=service, stack=stack)
    if found.log_group_name is None:
        raise Problem(
            f"service {found.name} has no function, since all its targets are fixed: nothing is decided",
            "'pg-privatelink status' shows the targets",
        )
    printed = 0
    try:
        for line in _lines(aws, found.log_group_name, start=start, follow=follow):
            if everything or not line.is_routine:
                printed += 1
                _print(screen, line)
    except KeyboardInterrupt:
        if follow:  # the way in which it ends
            return int(ExitCode.OK)
        raise
    if not printed and not screen.as_json:
        screen.say(f"No decision since {stamp(start)}: nothing changed. Earlier ones: --since 7d")
    return int(ExitCode.OK)


def _lines(aws: Aws, log_group: str, *, start: dt.datetime, follow: bool) -> Iterator[Line]:
    seen: dict[str, dt.datetime] = {}
    while True:
        yield from sorted(_new(read_lines(aws, log_group, since=start), seen), key=lambda line: line.at)
        if not follow:
            return
        time.sleep(_SECONDS_BETWEEN_LOOKS)
        start = max(start, dt.datetime.now(dt.UTC) - _OVERLAP)


def _new(lines: Iterable[Line], seen: dict[str, dt.datetime]) -> list[Line]:
    """Return the lines that were not there before, and remember them."""
    found = []
    for line in lines:
        key = line.event_id or f"{line.at} {line.text}"
        if key not in seen:
            seen[key] = line.at
            found.append(line)
    return found


def _print(screen: Screen, line: Line) -> None:
    if screen.as_json:
        screen.verbatim(line.text)
        return
    listener, what, why = told(line)
    about = f"{listener}: " if listener else ""
    screen.say(f"{stamp(line.at)}  {about}{what}{f' ({why})' if why else ''}", verdict=line.verdict)

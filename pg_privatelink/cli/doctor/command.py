"""The command `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.around import conclude, look_around, parse_time
from pg_privatelink.cli.doctor.gather import gather
from pg_privatelink.cli.doctor.permissions import policy
from pg_privatelink.cli.doctor.view import AROUND, show
from pg_privatelink.cli.doctor.walk import Hop, exit_code, first_problem, verdict, walk
from pg_privatelink.cli.service import find_service

if TYPE_CHECKING:
    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.screen import Screen


def doctor(
    aws: Aws, screen: Screen, *, service: str | None, stack: str | None, iam_policy: bool, around: str | None
) -> int:
    """Look for what is wrong, hop by hop. Changes nothing.

    Args:
        aws: Where the service is.
        screen: What to print on.
        service: Its name or id.
        stack: Its stack's name.
        iam_policy: Whether only to print the policy that the command needs.
        around: A time to look at the traffic of, in ISO 8601.

    Returns:
        The exit code.
    """
    if iam_policy:
        screen.document(policy(stack))
        return 0
    at = parse_time(around) if around else None
    found = find_service(aws, service=service, stack=stack)
    hops = walk(gather(aws, found))
    then = look_around(aws, found, at=at) if at else None
    if then is not None:
        hops.append(Hop(AROUND, tuple(conclude(then))))
    if screen.as_json:
        first = first_problem(hops)
        screen.document(
            {
                "verdict": verdict(hops),
                "service": found.name,
                "service_id": found.id,
                "first_problem": first and first.name,
                "hops": [hop.document() for hop in hops],
                "around": then and then.document(),
            }
        )
    else:
        show(screen, found, hops, then)
    return int(exit_code(hops))

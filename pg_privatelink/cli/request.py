"""The command `request`: the texts to send to consumers, filled in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.service import find_service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.screen import Screen

_OUTPUT = "Request"


def request(aws: Aws, screen: Screen, *, service: str | None, stack: str | None) -> int:
    """Print the request texts of a service's stack, which has them as outputs.

    Args:
        aws: Where it is.
        screen: What to print on.
        service: Its name or id.
        stack: Its stack's name.

    Returns:
        The exit code.

    Raises:
        Problem: The stack has none.
    """
    found = find_service(aws, service=service, stack=stack)
    texts = request_texts(found.outputs)
    if screen.as_json:
        screen.document(
            {
                "service": found.name,
                "endpoint_service_name": found.endpoint_service_name,
                "region": found.region,
                "requests": texts,
            }
        )
        return int(ExitCode.OK)
    if not texts:
        raise Problem(
            f"stack {found.stack} has no request text: no consumer of it has a form",
            f"give your consumers the name {found.endpoint_service_name} and the Region {found.region}",
        )
    for consumer, text in texts.items():
        if len(texts) > 1:
            screen.heading(consumer)
        screen.verbatim(text)
    return int(ExitCode.OK)


def request_texts(outputs: Mapping[str, str]) -> dict[str, str]:
    """Return the request texts among a stack's outputs, by consumer."""
    return {key.removeprefix(_OUTPUT): text for key, text in sorted(outputs.items()) if key.startswith(_OUTPUT)}

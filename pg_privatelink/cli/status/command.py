"""The command `status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.service import find_service
from pg_privatelink.cli.status.look import look
from pg_privatelink.cli.status.view import show

if TYPE_CHECKING:
    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.screen import Screen


def status(aws: Aws, screen: Screen, *, service: str | None, stack: str | None) -> int:
    """Show a service as it is now.

    Args:
        aws: Where it is.
        screen: What to print on.
        service: Its name or id.
        stack: Its stack's name.

    Returns:
        The exit code.
    """
    state = look(aws, find_service(aws, service=service, stack=stack))
    if screen.as_json:
        screen.document(state.document())
    else:
        show(screen, state)
    return int(state.exit_code)

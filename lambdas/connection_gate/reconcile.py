"""Bringing the connections in line with the list: look, decide, act, tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .decide import WAITING, decide
from .log import emit
from .service import code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .decide import Connection
    from .service import Service
    from .settings import Settings


class GateError(Exception):
    """Something failed, or a connection waits that is for people to decide. Everything else was done before."""


def reconcile(service: Service, settings: Settings) -> None:
    """Accepts who is listed, rejects others if asked to, and says who is left.

    Decides only from what AWS says of the service's connections, so what called it does not matter: nothing, the same
    thing twice, or a message that somebody made up comes to the same.

    Raises:
        GateError: A call failed, or connections of other accounts wait. It makes the function's error metric, which is
            free, tell an alarm for as long as that lasts.
    """
    decision = decide(service.connections(), settings.accept_from, reject_others=settings.reject_others)
    problems = [
        *_act(service, service.accept, decision.accept, "accepted a connection", "a connection could not be accepted"),
        *_act(service, service.reject, decision.reject, "rejected a connection", "a connection could not be rejected"),
    ]
    for each in decision.stray:
        emit("WARN", "connected, and not listed", endpoint=each.endpoint_id, account=each.owner)
    for each in decision.leave:
        emit("ERROR", "a connection waits that nobody listed", endpoint=each.endpoint_id, account=each.owner)
    if decision.leave:
        waiting = ", ".join(f"{each.endpoint_id} of account {each.owner}" for each in decision.leave)
        problems.append(f"waiting, and not listed: {waiting}; accept or reject it, or list its account")
    if problems:
        raise GateError("; ".join(problems))


def _act(
    service: Service,
    call: Callable[[Sequence[str]], dict[str, str]],
    chosen: Sequence[Connection],
    done: str,
    failed: str,
) -> list[str]:
    """Settles connections; returns what failed and still matters."""
    if not chosen:
        return []
    try:
        refused = call([each.endpoint_id for each in chosen])
    except Exception as error:  # noqa: BLE001  # the others still have their turn
        emit("ERROR", failed, endpoints=[each.endpoint_id for each in chosen], code=code(error), cause=error)
        return [f"{failed}: {code(error)}: {error}"]
    for each in chosen:
        if each.endpoint_id not in refused:
            emit("INFO", done, endpoint=each.endpoint_id, account=each.owner)
    if not refused:
        return []
    # Deleted by its consumer, or settled by another invocation or a person, since we looked: then it does not wait.
    still = {each.endpoint_id for each in service.connections() if each.state == WAITING}
    problems = []
    for endpoint_id, reason in refused.items():
        waits = endpoint_id in still
        emit("ERROR" if waits else "INFO", failed, endpoint=endpoint_id, waits=waits, cause=reason)
        if waits:
            problems.append(f"{failed}: {endpoint_id}: {reason}")
    return problems

"""Which targets to register and to deregister: a pure decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .listener import STEADY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .history import History
    from .listener import Listener
    from .target import Endpoint, Target


class Change(NamedTuple):
    """What to do to a target group, in this order; false when there is nothing to do.

    Attributes:
        register: Endpoints to register.
        deregister: Targets to deregister: none that the latest answer names, and never the last one.
        record: The new value of the `followed` tag; None: leave it.
        waiting: Targets that are gone, but stay until one of the latest answer's is registered or, where that is asked,
            healthy.
        cause: Why, in a few words.
    """

    register: tuple[Endpoint, ...] = ()
    deregister: tuple[Target, ...] = ()
    record: str | None = None
    waiting: tuple[Target, ...] = ()
    cause: str = ""

    def __bool__(self) -> bool:
        """Whether there is something to do now."""
        return bool(self.register or self.deregister or self.record)


def plan(history: History, targets: Iterable[Target], listener: Listener) -> Change:
    """Decides from the answers so far and what a target group holds now.

    What is meant by confirmed, gone, complete, steady and taking turns is said in `history`.

    1. What the latest answer names is registered at first sight, if it is allowed. A draining target counts as not
       registered: an address that comes back is registered again.
    2. What is registered goes once it is gone (`History.gone`) and a target of the latest answer is among `targets`:
       one registered by this very change does not count yet, so that one always stays. A failover of the database that
       was followed before (`already_followed`) asks for no more: a demoted server must not get connections. If host
       name or port changed, or the group was filled by somebody else, both may be alive: then a target of the latest
       answer must be healthy first, unless AWS says that the old one serves nobody (`Target.useless`).
    3. The group is recorded as this host name's once it holds exactly what the name stands for and that is complete; as
       that of a steady name, once that is known and as long as its addresses do not take turns.

    Args:
        history: The answers for the listener's host name, the latest of them just given. Without one nothing changes.
        targets: All rows of the target group, draining ones included.
        listener: What is followed and allowed.
    """
    live = {target.endpoint: target for target in targets if target.registered}
    wanted = frozenset(endpoint for endpoint in history.latest if listener.allows(endpoint.address))
    register = wanted - live.keys()
    successors = [live[endpoint] for endpoint in wanted & live.keys()]

    gone = [live[endpoint] for endpoint in sorted(live.keys() - wanted) if history.gone(endpoint)]
    if not successors:
        deregister, waiting = [], gone
    elif listener.already_followed or any(target.healthy for target in successors):
        deregister, waiting = gone, []
    else:
        deregister = [target for target in gone if target.useless]
        waiting = [target for target in gone if not target.useless]

    matches = bool(wanted) and live.keys() == history.in_play() and history.complete()
    record = _record(history, listener) if matches else None
    return Change(
        register=tuple(sorted(register)),
        deregister=tuple(deregister),
        record=record,
        waiting=tuple(waiting),
        cause=_cause(register, deregister, live, listener),
    )


def _record(history: History, listener: Listener) -> str | None:
    """The new value of the `followed` tag; None: it is right as it is."""
    steady = history.steady() or (listener.already_followed and listener.steady and not history.taking_turns())
    if listener.already_followed and listener.steady == steady:
        return None
    return f"{listener.record} {STEADY}" if steady else listener.record


def _cause(
    register: Iterable[Endpoint], deregister: Iterable[Target], live: Iterable[Endpoint], listener: Listener
) -> str:
    if not (register or deregister):
        return "nothing to change"
    if not live:
        return "the target group was empty"
    if listener.already_followed:
        return "the name answers with other addresses"
    if not listener.followed:
        return "it is not recorded yet that this name's addresses are registered"
    return f"the configuration changed from {listener.followed} to {listener.record}"

"""What the function sees and would do, for people and for commands that look for a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .follower import Follower
from .resolve import Answer

if TYPE_CHECKING:
    from .watch import Fleet

_SECONDS = 30.0  # for all listeners together


def observe(fleet: Fleet) -> dict[str, object]:
    """Takes one look at each listener, afresh, and changes nothing.

    Args:
        fleet: The listeners. What it knows of them stays as it is.

    Returns:
        Under `listeners`, by name: `hostname`, `port`, `nameservers`, `followed` (whose addresses the target group is
        recorded to hold), `answer` (`addresses`, `ttl`, `aliases`; null: none), `failure` (empty: none), `targets`
        (`target`, `state`, `reason`, `description`), `register` (what would be registered at once), `unnamed`
        (registered, but not in the answer: it would go once that is confirmed). Under `broken`: target groups whose
        tags cannot be read, and why.
    """
    fleet.refresh(older_than=0)
    followers = [
        Follower(follower.listener, poll_interval=fleet.settings.poll_interval, read_at=fleet.clock.time())
        for follower in fleet.sound()
    ]
    observer = fleet.observer()
    late = fleet.each(followers, lambda follower: fleet.go(observer.look(follower)), _SECONDS)
    seen = {follower.listener.name: _seen(follower) for follower in followers}
    for name in late:
        seen[name]["failure"] = f"not done after {_SECONDS:g} s"
    return {"listeners": seen, "broken": dict(fleet.broken)}


def _seen(follower: Follower) -> dict[str, object]:
    listener, outcome = follower.listener, follower.outcome
    registered = {target.endpoint for target in follower.targets or () if target.registered}
    answer = None
    if isinstance(outcome, Answer):
        answer = {"addresses": sorted(outcome.addresses), "ttl": outcome.ttl, "aliases": list(outcome.aliases)}
    return {
        "hostname": listener.hostname,
        "port": listener.port,
        "nameservers": [f"{server.address}:{server.port}" for server in listener.nameservers],
        "followed": listener.followed,
        "answer": answer,
        "failure": follower.failure,
        "targets": [
            {
                "target": str(target.endpoint),
                "state": target.state,
                "reason": target.reason,
                "description": target.description,
            }
            for target in sorted(follower.targets or (), key=lambda target: target.endpoint)
        ],
        "register": sorted(map(str, follower.wanted() - registered)) if follower.targets is not None else [],
        "unnamed": sorted(map(str, registered - follower.history.latest)) if follower.history.latest else [],
    }

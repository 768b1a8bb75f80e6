"""The Lambda function's entry: which kind of event came, and what is done about it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .attention import HANDOVER_SECONDS
from .registry import Registry, client
from .settings import Settings
from .watch import Fleet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .custom_resource import Context

MINUTE_SECONDS = 58.0
"""When the minute rule's invocation takes its last look: shortly before the next one, which starts without overlap."""

_LAST_SECONDS = 0.5  # so late may that look begin
_COLD_SECONDS = 2.0  # what a process's start usually takes: its first invocation begins so much later

_MARGIN_SECONDS = 40.0  # kept back of the function's timeout: a call that is under way, and the report
_EVENT_TABLE_SECONDS = 60.0  # an event is rare: it may as well learn of listeners added a minute ago

_fleets: dict[Settings, Fleet] = {}


def handle(event: Mapping[str, Any], context: Context) -> dict[str, object] | None:
    """Handles one event.

    - `{"action": "watch"}`, sent every minute: watches until about the next one; with a poll interval of a minute or
      more, takes one look and stays only if something is going on. Its field `listeners` may name the edition of the
      table of listeners: another one than before is read at once.
    - An event of Amazon RDS: looks closely at all listeners until they settled, at most 5 minutes. Which database it
      is about does not matter: a look costs little, and events only make faster what polling finds anyway.
    - `{"action": "observe"}`, sent by people and commands: one look at each listener, nothing is changed.
    - A custom resource's request: see `custom_resource`.

    Returns:
        What was observed, see `report`; otherwise nothing.

    Raises:
        SyncError: Some listeners failed; everything else was done.
        ValueError: The event is of no known kind, or a setting is wrong.
    """
    if "ResponseURL" in event and "RequestType" in event:
        from . import custom_resource  # noqa: PLC0415  # what only deployments need does not slow down a cold start

        custom_resource.serve(event, context, fleet)
        return None
    announced = event.get("source") == "aws.rds"
    if not announced and event.get("action") not in ("watch", "observe"):
        raise ValueError(
            f"an event with the keys {sorted(event)} is of no known kind; known are "
            '{"action": "watch"}, {"action": "observe"}, events whose source is aws.rds, and requests of '
            "CloudFormation custom resources"
        )
    listeners = fleet()
    if event.get("action") == "observe":
        from .report import observe  # noqa: PLC0415  # as above

        return observe(listeners)
    limit = max(1.0, context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS)
    if announced:
        listeners.refresh(older_than=_EVENT_TABLE_SECONDS)
        listeners.watch(attend=0, limit=limit, event=True)
        return None
    first = listeners.fresh
    listeners.refresh(edition=str(event.get("listeners", "")))
    if listeners.settings.economical:
        listeners.watch(attend=0, limit=limit, handover=min(limit, HANDOVER_SECONDS))
    else:
        cold = _COLD_SECONDS * first
        attend = min(limit, MINUTE_SECONDS - cold)
        listeners.watch(attend=attend, limit=attend + _LAST_SECONDS, handover=min(limit, HANDOVER_SECONDS - cold))
    return None


def fleet() -> Fleet:
    """What this process knows, kept between its invocations.

    Raises:
        SettingsError: A setting is missing or unusable.
    """
    settings = Settings.from_environment(os.environ)
    if settings not in _fleets:
        _fleets.clear()
        _fleets[settings] = Fleet(settings, Registry(client(), settings))
    return _fleets[settings]

"""The Lambda function's entry: which kind of event came, and what is done about it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import custom_resource
from .reconcile import reconcile
from .service import Service
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .custom_resource import Context

_services: dict[Settings, Service] = {}


def handle(event: Mapping[str, Any], context: Context) -> None:
    """Handles one event.

    - A custom resource's request: see `custom_resource`.
    - Anything else: all connections of the service are looked at. A notification on the topic, the schedule
      (`{"action": "reconcile"}`) and what a person sends come to the same, and nothing of what they say is believed.

    Raises:
        GateError: A call failed, or connections wait that nobody listed; everything else was done.
        SettingsError: A setting is wrong.
    """
    if isinstance(event, dict) and "ResponseURL" in event and "RequestType" in event:
        custom_resource.serve(event, context, _service)
        return
    service = _service()
    reconcile(service, Settings.from_environment(os.environ))


def _service() -> Service:
    """The endpoint service, kept between the invocations of this process.

    Raises:
        SettingsError: A setting is missing or unusable.
    """
    settings = Settings.from_environment(os.environ)
    if settings not in _services:
        _services.clear()
        _services[settings] = Service(settings)
    return _services[settings]

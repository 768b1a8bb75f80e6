"""The Lambda function's entry: every invocation checks every port, whoever asks."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from .probe import DNS, Probe, addresses, probe
from .report import report
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

_AT_ONCE = 16


def handle(event: Mapping[str, object], context: object) -> dict[str, object]:
    """Connects to each port at each address of the endpoint, and reports.

    Args:
        event: Anything: the schedule sends `{"action": "check"}`, people what they like.
        context: Lambda's.

    Returns:
        `check`, `host`, `works` (whether all ports do), and `ports`: for each what `report` says.

    Raises:
        SettingsError: A setting is missing or unusable.
    """
    del event, context
    settings = Settings.from_environment(os.environ)
    try:
        found, cause = addresses(settings.host), ""
    except OSError as error:
        found, cause = [], str(error)
    probes = {port: [Probe("", port, DNS, cause)] for port in settings.ports}
    if found:
        pairs = [(port, address) for port in settings.ports for address in found]
        with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
            done = list(pool.map(lambda pair: probe(pair[1], pair[0], settings.timeout), pairs))
        probes = {port: [each for each in done if each.port == port] for port in settings.ports}
    ports = [report(settings.check, port, each, tls_required=settings.tls_required) for port, each in probes.items()]
    return {
        "check": settings.check,
        "host": settings.host,
        "works": not any(port["failure"] for port in ports),
        "ports": ports,
    }

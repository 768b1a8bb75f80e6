"""What a check found, as one log line that CloudWatch also reads as metrics (embedded metric format).

A custom metric is billed for the hours it is sent in, so what nobody needs while all is well is sent only when it is
not: `Latency` always, `Failures` (also by class) and `Unencrypted` when there are some.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .log import emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .probe import Probe

NAMESPACE = "PgPrivateLink"
NO_TLS = "no-tls"
"""The failure of a server that can do no TLS, where that is required."""

_BY_PORT = ["Check", "Port"]
_BY_FAILURE = [*_BY_PORT, "Failure"]


def report(check: str, port: int, probes: Sequence[Probe], *, tls_required: bool) -> dict[str, object]:
    """Writes the line about one port, and returns what stands in it for people.

    Args:
        check: The check's name.
        port: The port.
        probes: One for each address of the endpoint; at least one.
        tls_required: Whether a server without TLS counts as failed.
    """
    failures = [_failure(probe, tls_required=tls_required) for probe in probes]
    failed = [failure for failure in failures if failure]
    latencies = [probe.seconds * 1000 for probe in probes if probe.seconds is not None]
    unencrypted = sum(probe.tls is False for probe in probes)
    metrics: dict[str, float] = {}
    directives: list[dict[str, object]] = []
    if not failed and latencies:
        # A point means that every address answered: an alarm on its absence needs no second metric.
        metrics["Latency"] = round(max(latencies), 3)
        directives.append(_directive(_BY_PORT, "Latency", "Milliseconds"))
    if failed:
        metrics["Failures"] = len(failed)
        directives.append(_directive(_BY_PORT, "Failures", "Count"))
        directives.append(_directive(_BY_FAILURE, "Failures", "Count"))
    if unencrypted:
        metrics["Unencrypted"] = unencrypted
        directives.append(_directive(_BY_PORT, "Unencrypted", "Count"))
    found: dict[str, object] = {
        "port": port,
        "failure": failed[0] if failed else "",
        "tls": None if not latencies else not unencrypted,
        "milliseconds": round(max(latencies), 3) if latencies else None,
        "addresses": [
            {
                "address": probe.address,
                "failure": failure,
                "cause": probe.cause,
                "tls": probe.tls,
                "milliseconds": None if probe.seconds is None else round(probe.seconds * 1000, 3),
            }
            for probe, failure in zip(probes, failures, strict=True)
        ],
    }
    emit(
        "ERROR" if failed else "INFO",
        "path is broken" if failed else "path works",
        **found,
        _aws={"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": directives},
        Check=check,
        Port=str(port),
        **({"Failure": failed[0]} if failed else {}),
        **metrics,
    )
    return found


def _failure(probe: Probe, *, tls_required: bool) -> str:
    return NO_TLS if tls_required and probe.tls is False else probe.failure


def _directive(dimensions: list[str], name: str, unit: str) -> dict[str, object]:
    return {"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": [{"Name": name, "Unit": unit}]}

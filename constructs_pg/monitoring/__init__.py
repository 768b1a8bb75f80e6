"""Metrics of what the constructs make, alarms on them, and a dashboard: each apart, to be used without the others."""

from __future__ import annotations

from .alarms import Alarms, AlarmTier
from .dashboard import Dashboard
from .metrics import (
    EndpointServiceMetrics,
    FunctionMetrics,
    LoadBalancerMetrics,
    PostgresEndpointServiceMetrics,
    PostgresListenerMetrics,
)

__all__ = [
    "AlarmTier",
    "Alarms",
    "Dashboard",
    "EndpointServiceMetrics",
    "FunctionMetrics",
    "LoadBalancerMetrics",
    "PostgresEndpointServiceMetrics",
    "PostgresListenerMetrics",
]

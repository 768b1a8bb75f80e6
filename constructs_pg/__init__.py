"""Postgres over AWS PrivateLink: AWS CDK constructs.

`PostgresEndpointService` makes an internal Network Load Balancer, one listener and target group per Postgres, a VPC
endpoint service, and, for targets behind a DNS name, the function that keeps the target groups right.

Names are imported when first used (PEP 562): the checks in `_validation` serve tools that must start fast and do
without Node, and importing aws_cdk starts it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connectivity_check import PostgresConnectivityCheck
    from .consumer import Consumer, DbtEnvironment
    from .endpoint_service import PostgresEndpointService
    from .errors import PostgresEndpointServiceError
    from .flow_logs import FlowLogs
    from .listener import PostgresListener
    from .monitoring import AlarmTier
    from .targets import ClusterRole, PostgresTarget, PostgresTargetConfig, RdsDatabase, RdsEventSource

__all__ = [
    "AlarmTier",
    "ClusterRole",
    "Consumer",
    "DbtEnvironment",
    "FlowLogs",
    "PostgresConnectivityCheck",
    "PostgresEndpointService",
    "PostgresEndpointServiceError",
    "PostgresListener",
    "PostgresTarget",
    "PostgresTargetConfig",
    "RdsDatabase",
    "RdsEventSource",
]

_MODULES = {
    "AlarmTier": "monitoring",
    "ClusterRole": "targets",
    "Consumer": "consumer",
    "DbtEnvironment": "consumer",
    "FlowLogs": "flow_logs",
    "PostgresConnectivityCheck": "connectivity_check",
    "PostgresEndpointService": "endpoint_service",
    "PostgresEndpointServiceError": "errors",
    "PostgresListener": "listener",
    "PostgresTarget": "targets",
    "PostgresTargetConfig": "targets",
    "RdsDatabase": "targets",
    "RdsEventSource": "targets",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

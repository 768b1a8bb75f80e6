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
    from constructs_pg.consumer import Consumer, DbtEnvironment
    from constructs_pg.endpoint_service import PostgresEndpointService
    from constructs_pg.errors import PostgresEndpointServiceError
    from constructs_pg.listener import PostgresListener
    from constructs_pg.targets import PostgresTarget, PostgresTargetConfig, RdsEventSource

__all__ = [
    "Consumer",
    "DbtEnvironment",
    "PostgresEndpointService",
    "PostgresEndpointServiceError",
    "PostgresListener",
    "PostgresTarget",
    "PostgresTargetConfig",
    "RdsEventSource",
]

_MODULES = {
    "Consumer": "consumer",
    "DbtEnvironment": "consumer",
    "PostgresEndpointService": "endpoint_service",
    "PostgresEndpointServiceError": "errors",
    "PostgresListener": "listener",
    "PostgresTarget": "targets",
    "PostgresTargetConfig": "targets",
    "RdsEventSource": "targets",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

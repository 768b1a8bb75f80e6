"""Rules for warnings: those that a service can give, by the last part of their ids."""

from __future__ import annotations

from ..errors import PostgresEndpointServiceError
from .kit import shown

WARNINGS = (
    "connectionFunctionRole",
    "functionNetwork",
    "functionRole",
    "manyRules",
    "noPrincipals",
    "notificationKeyPolicy",
    "notificationTopicPolicy",
    "privateNameservers",
    "wideSourceRange",
)
"""The warnings of a service, by the last part of their ids."""


def check_warning(name: str) -> str:
    """Require the name of a warning that can be acknowledged."""
    if name not in WARNINGS:
        raise PostgresEndpointServiceError(f"there is no warning {shown(name)}: give one of {', '.join(WARNINGS)}")
    return name

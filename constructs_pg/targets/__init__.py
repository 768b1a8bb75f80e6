"""What a listener forwards to: the kinds of Postgres, each binding itself to a target group."""

from __future__ import annotations

from .cluster_role import ClusterRole
from .config import PostgresTargetConfig, RdsDatabase, RdsEventSource
from .target import PostgresTarget

__all__ = ["ClusterRole", "PostgresTarget", "PostgresTargetConfig", "RdsDatabase", "RdsEventSource"]

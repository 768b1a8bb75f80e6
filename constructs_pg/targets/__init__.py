"""What a listener forwards to: the kinds of Postgres, each binding itself to a target group."""

from __future__ import annotations

from constructs_pg.targets.target import PostgresTarget, PostgresTargetConfig, RdsEventSource

__all__ = ["PostgresTarget", "PostgresTargetConfig", "RdsEventSource"]

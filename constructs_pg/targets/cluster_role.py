"""`ClusterRole`: writer or reader of a DB cluster."""

from __future__ import annotations

import enum


class ClusterRole(enum.Enum):
    """Which members of a DB cluster a listener forwards to."""

    WRITER = "writer"
    """The one that takes writes, wherever a failover puts it."""
    READER = "reader"
    """All that do not take writes; the writer as long as there are no others."""

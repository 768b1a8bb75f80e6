"""What the command's exit code says."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """Every command ends with one of these."""

    OK = 0
    """It was done, and nothing is wrong."""

    PROBLEM = 1
    """It was done, and something is wrong with the service, or the user said no."""

    UNKNOWN = 2
    """It could not be done or found out: arguments, credentials, permissions, Region, stack."""

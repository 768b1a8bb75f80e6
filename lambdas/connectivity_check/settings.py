"""What the function is told by its environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class SettingsError(ValueError):
    """A setting is missing or unusable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's settings.

    Attributes:
        check: The check's name, a dimension of its metrics.
        host: The endpoint's name.
        ports: The ports to check.
        timeout: For each connection, in seconds.
        tls_required: Whether a server without TLS counts as failed.
    """

    check: str
    host: str
    ports: tuple[int, ...]
    timeout: float
    tls_required: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads the settings.

        Raises:
            SettingsError: One is missing or malformed.
        """
        try:
            return cls(
                check=environment["CHECK"],
                host=environment["HOST"],
                ports=tuple(int(port) for port in environment["PORTS"].split()),
                timeout=float(environment["TIMEOUT_SECONDS"]),
                tls_required=environment.get("TLS_REQUIRED") == "true",
            )
        except (KeyError, ValueError) as error:
            raise SettingsError(
                f"the function's environment lacks a setting, or has one that is none: {error}"
            ) from error

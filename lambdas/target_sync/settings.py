"""The function's settings, read from its environment."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

ECONOMICAL_SECONDS = 60
"""From this poll interval on, in seconds, a quiet minute takes one look instead of watching until the next."""


class SettingsError(ValueError):
    """A setting is missing or cannot be read. Its text names the setting, what was given and what is allowed."""


def networks(text: str, name: str) -> tuple[ipaddress.IPv4Network, ...]:
    """Reads IPv4 ranges separated by spaces.

    Args:
        text: For example "10.0.0.0/16 10.1.0.0/16".
        name: What the text is, for the error.

    Raises:
        SettingsError: A range is not one in CIDR notation, or there is none.
    """
    try:
        found = tuple(ipaddress.IPv4Network(word) for word in text.split())
    except ValueError as error:
        raise SettingsError(f"{name} is {text!r}: {error}; give IPv4 ranges separated by spaces") from error
    if not found:
        raise SettingsError(f"{name} is empty; give at least one IPv4 range, such as 10.0.0.0/16")
    return found


class Settings(NamedTuple):
    """What the deployment told the function.

    Attributes:
        load_balancer_arn: The load balancer whose target groups are kept.
        vpc_ranges: The VPC's IPv4 ranges.
        poll_interval: The longest time between two DNS questions for one name, in seconds.
        observe_only: Whether changes are only told, not made.
    """

    load_balancer_arn: str
    vpc_ranges: tuple[ipaddress.IPv4Network, ...]
    poll_interval: float
    observe_only: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads LOAD_BALANCER_ARN, VPC_RANGES, POLL_INTERVAL_SECONDS (default 5) and OBSERVE_ONLY (default false).

        Raises:
            SettingsError: A variable is missing or unusable.
        """
        arn = environment.get("LOAD_BALANCER_ARN", "")
        if not arn.startswith("arn:"):
            raise SettingsError(f"LOAD_BALANCER_ARN is {arn!r}; give the load balancer's ARN")
        ranges = networks(environment.get("VPC_RANGES", ""), "VPC_RANGES")
        text = environment.get("POLL_INTERVAL_SECONDS", "5")
        try:
            interval = float(text)
        except ValueError:
            interval = 0.0
        if not 1 <= interval <= 300:  # noqa: PLR2004  # also refuses NaN
            raise SettingsError(f"POLL_INTERVAL_SECONDS is {text!r}; give a number of seconds from 1 to 300")
        observe_only = environment.get("OBSERVE_ONLY", "false")
        if observe_only not in ("true", "false"):
            raise SettingsError(f"OBSERVE_ONLY is {observe_only!r}; give true or false")
        return cls(arn, ranges, interval, observe_only == "true")

    @property
    def economical(self) -> bool:
        """Whether a quiet minute costs one look only."""
        return self.poll_interval >= ECONOMICAL_SECONDS

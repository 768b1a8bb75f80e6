"""The function's settings, read from its environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACCOUNT = re.compile(r"[0-9]{12}")


class SettingsError(ValueError):
    """A setting is missing or cannot be read. Its text names the setting, what was given and what is allowed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the deployment told the function.

    Attributes:
        service_id: The endpoint service, `vpce-svc-...`.
        load_balancer_arn: Its load balancer.
        accept_from: The accounts whose connections are accepted.
        reject_others: Whether waiting connections of other accounts are rejected instead of left waiting.
    """

    service_id: str
    load_balancer_arn: str
    accept_from: frozenset[str] = frozenset()
    reject_others: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads SERVICE_ID, LOAD_BALANCER_ARN, ACCEPT_FROM (default: nobody) and REJECT_OTHERS (default: false).

        Raises:
            SettingsError: A variable is missing or unusable.
        """
        service_id = environment.get("SERVICE_ID", "")
        if not service_id.startswith("vpce-svc-"):
            raise SettingsError(f"SERVICE_ID is {service_id!r}; give an endpoint service's id, vpce-svc-...")
        arn = environment.get("LOAD_BALANCER_ARN", "")
        if not arn.startswith("arn:"):
            raise SettingsError(f"LOAD_BALANCER_ARN is {arn!r}; give the load balancer's ARN")
        accounts = environment.get("ACCEPT_FROM", "").split()
        for account in accounts:
            if not _ACCOUNT.fullmatch(account):
                raise SettingsError(f"ACCEPT_FROM names {account!r}; give account ids of 12 digits")
        reject_others = environment.get("REJECT_OTHERS", "false")
        if reject_others not in ("true", "false"):
            raise SettingsError(f"REJECT_OTHERS is {reject_others!r}; give true or false")
        return cls(service_id, arn, frozenset(accounts), reject_others == "true")

"""`Routes`: which targets of one target group get connections, and which lose them. Decides only.

Rules from the Network Load Balancer guide's pages network/target-group-health-checks.html (fail-open, connection
termination for unhealthy targets) and network/edit-target-group-attributes.html (deregistration delay, connection
termination). What AWS does not document: how long a registration takes, which is a parameter here, and what a target
that is registered again while it drains goes through; here, the same as a new one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

DRAINING = "draining"
_HEALTHY = "healthy"
_OPEN = frozenset({_HEALTHY, "initial", "unhealthy"})  # who may get connections at all; `unused` may not


class Endpoint(NamedTuple):
    """A target's address and port."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row of DescribeTargetHealth: an endpoint and its state."""

    endpoint: Endpoint
    state: str


@dataclass(frozen=True, slots=True)
class Rules:
    """A target group's attributes, as far as they concern connections.

    Attributes:
        end_deregistered: `deregistration_delay.connection_termination.enabled`.
        end_unhealthy: `target_health_state.unhealthy.connection_termination.enabled`.
    """

    end_deregistered: bool = False
    end_unhealthy: bool = True


@dataclass
class Routes:
    """The targets of one group as the data plane knows them.

    Args:
        rules: The group's attributes.
        registration_seconds: How long a registered target gets no connections.
    """

    rules: Rules
    registration_seconds: float = 0.0
    _rows: dict[Endpoint, str] = field(default_factory=dict)
    _serving_from: dict[Endpoint, float] = field(default_factory=dict)
    _begun: bool = False

    def update(self, rows: Iterable[Row], now: float) -> None:
        """Take what the API says now. What the first update finds was registered long ago.

        Args:
            rows: All rows of the group.
            now: Seconds on any clock that only goes forward.
        """
        current = {row.endpoint: row.state for row in rows}
        for endpoint, state in current.items():
            if state == DRAINING:
                self._serving_from.pop(endpoint, None)
            elif endpoint not in self._serving_from:
                self._serving_from[endpoint] = now + self.registration_seconds if self._begun else -math.inf
        for endpoint in self._serving_from.keys() - current.keys():
            del self._serving_from[endpoint]
        self._rows = current
        self._begun = True

    def candidates(self, now: float) -> list[Endpoint]:
        """Return who may get a new connection: the healthy; if there are none, whoever there is; in a fixed order."""
        serving = self._serving(now)
        healthy = [endpoint for endpoint in serving if self._rows[endpoint] == _HEALTHY]
        return healthy or serving

    def loses(self, endpoint: Endpoint, now: float) -> bool:
        """Tell whether the open connections of an endpoint are to be ended now."""
        state = self._rows.get(endpoint)
        if state is None:
            return self.rules.end_deregistered
        if state != "unhealthy" or not self.rules.end_unhealthy:
            return False
        return any(self._rows[each] == _HEALTHY for each in self._serving(now))

    def _serving(self, now: float) -> list[Endpoint]:
        return sorted(
            endpoint for endpoint, since in self._serving_from.items() if since <= now and self._rows[endpoint] in _OPEN
        )

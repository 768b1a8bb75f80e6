"""A target of a target group."""

from __future__ import annotations

from typing import NamedTuple


class Endpoint(NamedTuple):
    """What identifies a target: the same address on another port is another target."""

    address: str
    port: int

    def __str__(self) -> str:
        """The usual notation, address:port."""
        return f"{self.address}:{self.port}"


class Target(NamedTuple):
    """One row of DescribeTargetHealth.

    Attributes:
        endpoint: Its identity.
        state: initial, healthy, unhealthy, unhealthy.draining, draining, unused or unavailable.
        reason: AWS's reason code, such as Target.FailedHealthChecks; empty while healthy.
        description: AWS's sentence for the reason code.
        zone: Its Availability Zone as AWS reports it, "all" for an address outside the VPC.
    """

    endpoint: Endpoint
    state: str
    reason: str = ""
    description: str = ""
    zone: str = ""

    @property
    def registered(self) -> bool:
        """Whether it takes connections from the load balancer, or will once healthy.

        A draining target was deregistered and only stays in sight until its delay is over. `unhealthy.draining` is
        another thing: a registered target that failed its checks.
        """
        return self.state != "draining"

    @property
    def healthy(self) -> bool:
        """Whether its health checks pass."""
        return self.state == "healthy"

    @property
    def useless(self) -> bool:
        """Whether AWS knows that it serves nobody, so that losing it costs nothing; not so if its state is unknown."""
        return self.state in {"initial", "unhealthy", "unhealthy.draining", "unused"}

"""The data plane of a Network Load Balancer on loopback: real TCP connections, routed as the emulator's API says.

    with DataPlane(emulator.data_plane()) as plane:
        front = plane.open(load_balancer_arn, "127.0.0.20", registration_seconds=120.0)

`routes.py` decides (no input or output), `watch.py` reads listeners, targets and attributes from the API, `balancer.py`
carries bytes. Several fronts may stand before the same target groups, each with another registration delay.

What is played: a registered target gets connections once the delay is over, at once those that were there before;
healthy targets first, and if none is, all of them (fail-open); a draining target gets no new connections and keeps
those it has until its delay ends, when connection termination ends them; an unhealthy one loses them unless all are.
What is not: zones (every target is reached from everywhere, as with cross-zone), security groups, idle timeouts, TLS,
the time a deregistration takes to get to the load balancer, and stickiness of flows.
"""

from emulator.data_plane.balancer import DataPlane, Front
from emulator.data_plane.routes import Endpoint, Routes, Row, Rules

__all__ = ["DataPlane", "Endpoint", "Front", "Routes", "Row", "Rules"]

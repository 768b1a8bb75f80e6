"""What the data plane takes from the API: DescribeListeners, DescribeTargetGroupAttributes, DescribeTargetHealth."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from emulator.data_plane.routes import Endpoint, Row, Rules

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS_BETWEEN_LOOKS = 0.2


def read_listeners(elbv2: Any, load_balancer_arn: str) -> dict[int, str]:  # noqa: ANN401 - boto3's client
    """Return the target group of each port of a load balancer."""
    pages = elbv2.get_paginator("describe_listeners").paginate(LoadBalancerArn=load_balancer_arn)
    return {row["Port"]: row["DefaultActions"][0]["TargetGroupArn"] for page in pages for row in page["Listeners"]}


def read_rules(elbv2: Any, target_group_arn: str) -> Rules:  # noqa: ANN401
    """Return a target group's attributes that concern connections."""
    rows = elbv2.describe_target_group_attributes(TargetGroupArn=target_group_arn)["Attributes"]
    values = {row["Key"]: row["Value"] == "true" for row in rows}
    return Rules(
        end_deregistered=values.get("deregistration_delay.connection_termination.enabled", False),
        end_unhealthy=values.get("target_health_state.unhealthy.connection_termination.enabled", True),
    )


def read_rows(elbv2: Any, target_group_arn: str) -> list[Row]:  # noqa: ANN401
    """Return the rows of a target group."""
    rows = elbv2.describe_target_health(TargetGroupArn=target_group_arn)["TargetHealthDescriptions"]
    return [Row(Endpoint(row["Target"]["Id"], row["Target"]["Port"]), row["TargetHealth"]["State"]) for row in rows]


class Watch:
    """Reads the rows of some target groups again and again, in a thread of its own, and hands them on.

    Args:
        elbv2: boto3's client.
        on_rows: Called with a group's ARN and its rows after each look.
        seconds_between_looks: The pause after each round.
    """

    def __init__(
        self,
        elbv2: Any,  # noqa: ANN401
        on_rows: Callable[[str, list[Row]], None],
        *,
        seconds_between_looks: float = _SECONDS_BETWEEN_LOOKS,
    ) -> None:
        self._elbv2 = elbv2
        self._on_rows = on_rows
        self._pause = seconds_between_looks
        self._groups: set[str] = set()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="data plane: watch", daemon=True)

    def add(self, target_group_arn: str) -> None:
        """Read this group from now on, and once before this returns."""
        with self._lock:
            self._groups.add(target_group_arn)
        self._on_rows(target_group_arn, read_rows(self._elbv2, target_group_arn))

    def drop(self, target_group_arn: str) -> None:
        """Read this group no longer."""
        with self._lock:
            self._groups.discard(target_group_arn)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when it has."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - loaded with the client

        while not self._ended.wait(self._pause):
            with self._lock:
                groups = sorted(self._groups)
            for group in groups:
                try:
                    rows = read_rows(self._elbv2, group)
                except (BotoCoreError, ClientError):
                    continue  # the real data plane does not hang on its API either: what it knows stays
                self._on_rows(group, rows)

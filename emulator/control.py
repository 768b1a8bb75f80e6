"""Client of the running emulator's control: what AWS would do by itself, asked for by a test or a drill."""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any


class ControlError(Exception):
    """The emulator refused what was asked; the message has its answer."""


class Control:
    """The control of one emulator.

    Args:
        endpoint_url: `Emulator.endpoint_url`.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._base = f"{endpoint_url}/_emulator"

    def _call(self, method: str, path: str, content: object = None) -> Any:  # noqa: ANN401
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self._base}/{path}", data, method=method)  # noqa: S310  # always http
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def settings(self) -> dict[str, Any]:
        """Return the current settings."""
        answer: dict[str, Any] = self._call("GET", "settings")
        return answer

    def set(self, **settings: float) -> None:
        """Change settings; those not named stay.

        Args:
            settings: `registration_seconds` (0.0: how long a new target is `initial` before its first check),
                `health_check_interval_scale` (1.0: factor on intervals and timeouts of health checks),
                `healthy_on_first_check` (True), `drain_scale` (1.0: factor on deregistration delays),
                `failover_seconds` (2.0: between the first and the last event of an RDS failover),
                `metric_period_scale` (1.0: factor on the minute of AWS's metrics and on the periods of alarms),
                `elb_seconds` (0.0: how long each call to Elastic Load Balancing waits first).
        """
        self._call("PUT", "settings", settings)

    def fail(
        self,
        service: str,
        action: str,
        *,
        times: int = 1,
        code: str = "ThrottlingException",
        message: str = "Rate exceeded",
        resource: str = "",
    ) -> None:
        """Make the next calls of an action fail.

        Args:
            service: `ec2`, `elbv2` or `rds`.
            action: For example `RegisterTargets`.
            times: How many calls fail.
            code: The error they get.
            message: Its text.
            resource: Only calls that name this id or ARN; default: all.
        """
        self._call(
            "POST",
            "faults",
            {
                "service": service,
                "action": action,
                "times": times,
                "code": code,
                "message": message,
                "resource": resource,
            },
        )

    def clear_faults(self) -> None:
        """Forget faults that were not used up."""
        self._call("DELETE", "faults")

    def publish(
        self,
        detail_type: str,
        resources: list[str],
        detail: dict[str, Any],
        *,
        account: str,
        region: str,
        source: str = "aws.rds",
    ) -> None:
        """Put an event of an AWS service on an account's default bus; PutEvents refuses those, as on AWS."""
        event = {"source": source, "detail-type": detail_type, "resources": resources, "detail": detail}
        self._call("POST", "events", {**event, "account": account, "region": region})

    def calls(self, service: str | None = None, action: str | None = None) -> list[dict[str, Any]]:
        """Return the API calls of `ec2`, `elbv2` and `rds` since the start, oldest first (the last 10,000).

        CloudFormation's own calls are not among them. Each has `time` (seconds since the epoch), `account`, `service`,
        `action`, `parameters` (as sent, flat) and `error` (the code of a fault it was given, or None).
        """
        calls: list[dict[str, Any]] = self._call("GET", "calls")
        return [
            call
            for call in calls
            if (service is None or call["service"] == service) and (action is None or call["action"] == action)
        ]

    def define_cluster(
        self,
        cluster: str,
        *,
        members: Sequence[str] = (),
        account: str,
        region: str | None = None,
        engine: str = "aurora-postgresql",
        port: int = 5432,
    ) -> dict[str, Any]:
        """Create a DB cluster whose first member is the writer; nothing is announced.

        Args:
            cluster: Its identifier.
            members: The identifiers of its instances, none by default.
            account: Whose it is.
            region: Default: the emulator's.
            engine: As CreateDBCluster takes it.
            port: On which all its endpoints answer.

        Returns:
            What stands after this and after each of the calls below: `arn`, `endpoint`, `reader_endpoint`, `members`
            (identifier -> name of the member's own endpoint) and `writer` (an identifier, or None without members).
        """
        given = {"cluster": cluster, "members": list(members), "engine": engine, "port": port}
        return self._cluster("POST", "clusters", account, region, given)

    def add_member(
        self, cluster: str, member: str, *, account: str, region: str | None = None, announce: bool = True
    ) -> dict[str, Any]:
        """Let an instance join a cluster as a reader, or as the writer of an empty one; see `define_cluster`.

        Args:
            cluster: The cluster's identifier.
            member: The new instance's.
            account: Whose cluster it is.
            region: Default: the emulator's.
            announce: Whether RDS publishes its events (0005, and 0385 of every member).
        """
        given = {"cluster": cluster, "member": member, "announce": announce}
        return self._cluster("POST", "cluster-members", account, region, given)

    def remove_member(
        self, cluster: str, member: str, *, account: str, region: str | None = None, announce: bool = True
    ) -> dict[str, Any]:
        """Delete a member; if it was the writer, the next writes. See `add_member`; the events are 0003 and 0385."""
        given = {"cluster": cluster, "member": member, "announce": announce}
        return self._cluster("DELETE", "cluster-members", account, region, given)

    def switch_writer(
        self, cluster: str, member: str, *, account: str, region: str | None = None, announce: bool = True
    ) -> dict[str, Any]:
        """Make a member the writer at once; see `add_member`. The events are 0071 and 0385.

        FailoverDBCluster does the same over `failover_seconds`.
        """
        given = {"cluster": cluster, "member": member, "announce": announce}
        return self._cluster("PUT", "cluster-writer", account, region, given)

    def _cluster(
        self, method: str, path: str, account: str, region: str | None, given: dict[str, Any]
    ) -> dict[str, Any]:
        answer: dict[str, Any] = self._call(method, path, {**given, "account": account, "region": region})
        return answer

"""Targets: who is registered, and what state Elastic Load Balancing says each is in.

Rules from the Elastic Load Balancing API reference (RegisterTargets, DeregisterTargets, DescribeTargetHealth) and the
guide's pages network/target-group-register-targets.html and network/target-group-health-checks.html.
"""

import asyncio
import ipaddress
import time
from typing import Any

from ministack import app
from ministack.services import alb

from emulator.aws import control, instances
from emulator.aws.apis import ELB
from emulator.aws.load_balancers import attribute, zones
from emulator.aws.registrations import Target, registered
from emulator.aws.wire import ApiError, Arguments, Result

# The only addresses the emulator ever connects to.
_CHECKED = ipaddress.ip_network("127.0.0.0/8")
_PROTOCOLS = frozenset({"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"})
_REASONS = {
    "Elb.RegistrationInProgress": "Target registration is in progress",
    "Elb.InitialHealthChecking": "Initial health checks in progress",
    "Target.FailedHealthChecks": "Health checks failed",
    "Target.DeregistrationInProgress": "Target deregistration is in progress",
    "Target.NotRegistered": "Target is not registered to the target group",
    "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
    "Target.InvalidState": "Target is in the stopped state",
}


_table: dict[str, dict[tuple[str, int], Target]] = {}


def forget(group_arn: str) -> None:
    """Drop a group's targets, because the group goes."""
    _table.pop(group_arn, None)


def _group(given: Arguments) -> dict[str, Any]:
    group: dict[str, Any] | None = alb._tgs.get(given.get("TargetGroupArn", ""))
    if group is None:
        raise ApiError("TargetGroupNotFound", f"Target groups '{given.get('TargetGroupArn')}' not found")
    return group


def _current(group_arn: str) -> dict[tuple[str, int], Target]:
    """Return a group's targets without those whose draining is over."""
    rows = _table.setdefault(group_arn, {})
    for key, target in list(rows.items()):
        if target.draining_until is not None and target.draining_until <= time.monotonic():
            rows.pop(key, None)  # metrics look here from their own thread
    return rows


@ELB.action
def register_targets(given: Arguments) -> Result | None:
    """Register targets; one that is draining is registered again."""
    group = _group(given)
    if group["Protocol"] not in _PROTOCOLS:
        return None
    arn = group["TargetGroupArn"]
    rows = _current(arn)
    for target in [registered(group, entry) for entry in given.get("Targets", [])]:
        key = (target.id, target.port)
        if key not in rows or rows[key].draining_until is not None:
            rows[key] = target
            asyncio.run_coroutine_threadsafe(_watch(arn, group, target), app._MAIN_LOOP)
    return {}


@ELB.action
def deregister_targets(given: Arguments) -> Result | None:
    """Start draining targets; unknown ones are no error. An entry without port means every port of the address."""
    group = _group(given)
    if group["Protocol"] not in _PROTOCOLS:
        return None
    arn = group["TargetGroupArn"]
    rows = _current(arn)
    delay = float(attribute(alb._tg_attrs[arn], "deregistration_delay.timeout_seconds")) * control.settings.drain_scale
    for entry in given.get("Targets", []):
        for (address, port), target in list(rows.items()):
            if address != entry["Id"] or entry.get("Port", port) != port:
                continue
            if not group["LoadBalancerArns"]:
                del rows[address, port]  # nothing sends it traffic that could drain
            elif target.draining_until is None:
                target.draining_until = time.monotonic() + delay
    return {}


@ELB.action
def describe_target_health(given: Arguments) -> Result | None:
    """Report the state of all targets, or of those asked for, registered or not."""
    group = _group(given)
    if group["Protocol"] not in _PROTOCOLS:
        return None
    rows = _current(group["TargetGroupArn"])
    wanted = [(entry["Id"], entry.get("Port", group["Port"])) for entry in given.get("Targets", [])]
    return {
        "TargetHealthDescriptions": [_description(group, key, rows.get(key)) for key in wanted or list(rows)],
    }


def states(group: dict[str, Any]) -> list[str]:
    """Return the states of a group's targets."""
    return [_state(group, target)[0] for target in _current(group["TargetGroupArn"]).values()]


def _description(group: dict[str, Any], key: tuple[str, int], target: Target | None) -> Result:
    state, reason = _state(group, target)
    health = {"State": state}
    if reason:
        health |= {"Reason": reason, "Description": _REASONS[reason]}
    described: Result = {"Id": key[0], "Port": key[1]}
    if target is not None and target.zone and group["TargetType"] == "ip":
        described["AvailabilityZone"] = target.zone
    return {"Target": described, "HealthCheckPort": _check_port(group, key[1]), "TargetHealth": health}


def _state(group: dict[str, Any], target: Target | None) -> tuple[str, str | None]:
    if target is None:
        return "unused", "Target.NotRegistered"
    if target.draining_until is not None:
        return "draining", "Target.DeregistrationInProgress"
    if not _runs(group, target):
        return "unused", "Target.InvalidState"
    if not _in_use(group, target):
        return "unused", "Target.NotInUse"
    if target.checked:
        return ("healthy", None) if target.healthy else ("unhealthy", "Target.FailedHealthChecks")
    waiting = time.monotonic() - target.registered < control.settings.registration_seconds
    return "initial", "Elb.RegistrationInProgress" if waiting else "Elb.InitialHealthChecking"


def _runs(group: dict[str, Any], target: Target) -> bool:
    """Tell whether a target is anything but an instance that was stopped or terminated."""
    return group["TargetType"] != "instance" or instances.state(instances.find(target.id)) == "running"


def _in_use(group: dict[str, Any], target: Target) -> bool:
    """Tell whether a listener forwards to the group and the target's zone is enabled, cross-zone or not."""
    enabled = {zone for arn in group["LoadBalancerArns"] for zone in zones(alb._lbs[arn])}
    return bool(enabled) and (target.zone in {None, "all"} or target.zone in enabled)


def _check_port(group: dict[str, Any], port: int) -> str:
    return str(port) if group["HealthCheckPort"] == "traffic-port" else str(group["HealthCheckPort"])


async def _watch(arn: str, group: dict[str, Any], target: Target) -> None:
    """Check one target until it is deregistered. Targets that are not in use are not checked."""
    await asyncio.sleep(control.settings.registration_seconds)
    while _table.get(arn, {}).get((target.id, target.port)) is target:
        if _runs(group, target) and _in_use(group, target):
            _judge(group, target, passed=await _connects(group, target))
            pause = float(group["HealthCheckIntervalSeconds"]) * control.settings.health_check_interval_scale
        else:
            pause = 0.05
        await asyncio.sleep(pause)


def _judge(group: dict[str, Any], target: Target, *, passed: bool) -> None:
    """Count a check's verdict; a new target's first passed check is enough, whatever the threshold."""
    if not target.checked and passed and control.settings.healthy_on_first_check:
        target.checked, target.healthy, target.in_a_row = True, True, 0
        return
    same = target.checked and passed == target.healthy
    if same:
        target.in_a_row = 0
        return
    if not target.checked:
        # Counts of passes and failures of an initial target: positive and negative runs.
        target.in_a_row = max(target.in_a_row, 0) + 1 if passed else min(target.in_a_row, 0) - 1
    else:
        target.in_a_row += 1
    threshold = group["HealthyThresholdCount"] if passed else group["UnhealthyThresholdCount"]
    if abs(target.in_a_row) >= int(threshold):
        target.checked, target.healthy, target.in_a_row = True, passed, 0


async def _connects(group: dict[str, Any], target: Target) -> bool:
    """Make one TCP health check. Outside loopback nothing is ever sent and the target counts as up."""
    record = instances.find(target.id) if group["TargetType"] == "instance" else None
    address = str(record["PrivateIpAddress"]) if record is not None else target.id
    try:
        if ipaddress.ip_address(address) not in _CHECKED:
            return True
    except ValueError:
        return True  # the ARN of an Application Load Balancer
    timeout = float(group["HealthCheckTimeoutSeconds"]) * control.settings.health_check_interval_scale
    try:
        async with asyncio.timeout(max(timeout, 0.2)):
            _, writer = await asyncio.open_connection(address, int(_check_port(group, target.port)))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True

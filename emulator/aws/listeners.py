"""Listeners of Network Load Balancers.

Rules from the Elastic Load Balancing API reference (CreateListener, ModifyListener) and the guide's pages
network/load-balancer-limits.html and network/update-idle-timeout.html.
"""

from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import alb

from emulator.aws.apis import ELB
from emulator.aws.load_balancers import attributes, find
from emulator.aws.wire import ApiError, Arguments, Result

_PROTOCOLS = ("TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC")
_MAXIMUM_LISTENERS = 50


def target_groups(listener: dict[str, Any]) -> list[str]:
    """Return the ARNs of the target groups a listener's default actions forward to."""
    return [action["TargetGroupArn"] for action in listener["DefaultActions"] if action.get("TargetGroupArn")]


def _actions(given: Arguments) -> list[dict[str, Any]]:
    actions = []
    for position, action in enumerate(given.get("DefaultActions", []), start=1):
        groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
        arn = action.get("TargetGroupArn") or (groups[0]["TargetGroupArn"] if groups else None)
        if arn not in alb._tgs:
            raise ApiError("TargetGroupNotFound", f"Target groups '{arn}' not found")
        actions.append({"Type": "forward", "Order": action.get("Order", position), "TargetGroupArn": arn})
    return actions


def _check(load_balancer: dict[str, Any], listener: dict[str, Any]) -> None:
    arn = load_balancer["LoadBalancerArn"]
    if listener["Protocol"] not in _PROTOCOLS:
        allowed = ", ".join(_PROTOCOLS)
        raise ApiError("ValidationError", f"Listener protocol '{listener['Protocol']}' must be one of '{allowed}'")
    others = [
        other
        for other in alb._listeners.values()
        if other["LoadBalancerArn"] == arn and other["ListenerArn"] != listener["ListenerArn"]
    ]
    if any(other["Port"] == listener["Port"] for other in others):
        raise ApiError("DuplicateListener", f"A listener already exists on this port for this load balancer '{arn}'")
    if len(others) >= _MAXIMUM_LISTENERS:
        raise ApiError("TooManyListeners", f"The maximum number of listeners has been reached on '{arn}'")
    for group_arn in target_groups(listener):
        group = alb._tgs[group_arn]
        if group["VpcId"] != load_balancer["VpcId"]:
            raise ApiError(
                "InvalidConfigurationRequest",
                f"The target group '{group_arn}' and the load balancer '{arn}' are in different VPCs",
            )
        if set(group["LoadBalancerArns"]) - {arn}:
            raise ApiError(
                "TargetGroupAssociationLimit",
                f"The following target groups cannot be associated with more than one load balancer: {group_arn}",
            )


def associate() -> None:
    """Tell every target group which load balancers forward to it now."""
    users: dict[str, list[str]] = {}
    for listener in alb._listeners.values():
        for group_arn in target_groups(listener):
            users.setdefault(group_arn, []).append(listener["LoadBalancerArn"])
    for group_arn, group in alb._tgs.items():
        group["LoadBalancerArns"] = sorted(set(users.get(group_arn, [])))


@ELB.action
def create_listener(given: Arguments) -> Result | None:
    """Open a port of a Network Load Balancer."""
    load_balancer = find(given.get("LoadBalancerArn"))
    if load_balancer["Type"] != "network":
        return None
    load_balancer_tail = load_balancer["LoadBalancerArn"].partition("loadbalancer/")[2]
    arn = (
        f"arn:aws:elasticloadbalancing:{get_region()}:{get_account_id()}:listener/"
        f"{load_balancer_tail}/{alb._short_id()}"
    )
    listener = {
        "ListenerArn": arn,
        "LoadBalancerArn": load_balancer["LoadBalancerArn"],
        "Port": given.get("Port"),
        "Protocol": given.get("Protocol"),
        "DefaultActions": _actions(given),
    }
    _check(load_balancer, listener)
    alb._listeners[arn] = listener
    alb._listener_attrs[arn] = attributes({"tcp.idle_timeout.seconds": "350"} if listener["Protocol"] == "TCP" else {})
    alb._tags[arn] = given.get("Tags", [])
    associate()
    return {"Listeners": [listener]}


@ELB.action
def modify_listener(given: Arguments) -> Result | None:
    """Change port, protocol or target group of a listener."""
    listener = alb._listeners.get(given.get("ListenerArn", ""))
    if listener is None or find(listener["LoadBalancerArn"])["Type"] != "network":
        return None
    changed = {
        **listener,
        "Port": given.get("Port", listener["Port"]),
        "Protocol": given.get("Protocol", listener["Protocol"]),
        "DefaultActions": _actions(given) or listener["DefaultActions"],
    }
    _check(find(listener["LoadBalancerArn"]), changed)
    listener |= changed
    associate()
    return {"Listeners": [listener]}


@ELB.action
def delete_listener(given: Arguments) -> Result | None:
    """Let the target groups of a deleted listener go; the rest is stock's."""
    listener = alb._listeners.get(given.get("ListenerArn", ""))
    if listener is None or find(listener["LoadBalancerArn"])["Type"] != "network":
        return None
    alb._listeners.pop(listener["ListenerArn"])
    associate()
    alb._listeners[listener["ListenerArn"]] = listener
    return None


_IDLE_TIMEOUT = range(60, 6001)


@ELB.action
def modify_listener_attributes(given: Arguments) -> Result | None:
    """Refuse an idle timeout outside 60-6000 seconds; the rest is stock's."""
    for entry in given.get("Attributes", []):
        if entry["Key"] == "tcp.idle_timeout.seconds" and int(entry["Value"]) not in _IDLE_TIMEOUT:
            raise ApiError("ValidationError", f"tcp.idle_timeout.seconds must be between 60 and 6000: {entry['Value']}")
    return None

"""CloudFormation types of Elastic Load Balancing, for network load balancers; the others stay stock's."""

from collections.abc import Callable
from typing import Any

from ministack.services import alb
from ministack.services.cloudformation import provisioners

from emulator.aws.apis import ELB
from emulator.aws.stack_types import Created, Properties, StackType, ignore_missing, retag, undone_on_failure

_ENFORCEMENT = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
_NETWORK_PROTOCOLS = frozenset({"TCP", "TLS", "UDP", "TCP_UDP", "QUIC", "TCP_QUIC"})
_HEALTH_CHECK_DEFAULTS = {
    "HealthCheckPort": "traffic-port",
    "HealthCheckIntervalSeconds": 30,
    "HealthCheckTimeoutSeconds": 10,
    "HealthyThresholdCount": 5,
    "UnhealthyThresholdCount": 2,
}


def _name(properties: Properties, stack_name: str, logical_id: str) -> str:
    return str(properties.get("Name") or provisioners._physical_name(stack_name, logical_id, max_len=32))


def _declared(properties: Properties, name: str) -> list[dict[str, str]]:
    return [{"Key": entry["Key"], "Value": str(entry["Value"])} for entry in properties.get(name) or []]


def _load_balancer_attributes(arn: str) -> dict[str, Any]:
    record = ELB.call("DescribeLoadBalancers", LoadBalancerArns=[arn])["LoadBalancers"][0]
    return {
        "Arn": arn,
        "LoadBalancerArn": arn,
        "LoadBalancerName": record["LoadBalancerName"],
        "DNSName": record["DNSName"],
        "LoadBalancerFullName": arn.partition("loadbalancer/")[2],
        "CanonicalHostedZoneID": record["CanonicalHostedZoneId"],
        "SecurityGroups": record.get("SecurityGroups", []),
    }


def _create_load_balancer(logical_id: str, properties: Properties, stack_name: str) -> Created:
    arguments = ELB.arguments_of("CreateLoadBalancer", properties)
    name = _name(properties, stack_name, logical_id)
    arn = ELB.call("CreateLoadBalancer", **(arguments | {"Name": name}))["LoadBalancers"][0]["LoadBalancerArn"]
    with undone_on_failure(lambda: ELB.call("DeleteLoadBalancer", LoadBalancerArn=arn)):
        if _ENFORCEMENT in properties:
            ELB.call("SetSecurityGroups", LoadBalancerArn=arn, **ELB.arguments_of("SetSecurityGroups", properties))
        if attributes := _declared(properties, "LoadBalancerAttributes"):
            ELB.call("ModifyLoadBalancerAttributes", LoadBalancerArn=arn, Attributes=attributes)
    return arn, _load_balancer_attributes(arn)


def _update_load_balancer(
    physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str
) -> Created:
    del stack_name, logical_id
    if any(old.get(name) != new.get(name) for name in ("Subnets", "SubnetMappings", "IpAddressType")):
        ELB.call("SetSubnets", LoadBalancerArn=physical_id, **ELB.arguments_of("SetSubnets", new))
    if any(old.get(name) != new.get(name) for name in ("SecurityGroups", _ENFORCEMENT)):
        ELB.call("SetSecurityGroups", LoadBalancerArn=physical_id, **ELB.arguments_of("SetSecurityGroups", new))
    if attributes := _declared(new, "LoadBalancerAttributes"):
        ELB.call("ModifyLoadBalancerAttributes", LoadBalancerArn=physical_id, Attributes=attributes)
    retag(ELB, physical_id, old, new)
    return physical_id, _load_balancer_attributes(physical_id)


def _delete_load_balancer(physical_id: str, properties: Properties) -> None:
    del properties
    ELB.call("DeleteLoadBalancer", LoadBalancerArn=physical_id)


def _create_listener(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    answer = ELB.call("CreateListener", **ELB.arguments_of("CreateListener", properties))
    arn = answer["Listeners"][0]["ListenerArn"]
    with undone_on_failure(lambda: ELB.call("DeleteListener", ListenerArn=arn)):
        if attributes := _declared(properties, "ListenerAttributes"):
            ELB.call("ModifyListenerAttributes", ListenerArn=arn, Attributes=attributes)
    return arn, {"ListenerArn": arn, "Arn": arn}


def _update_listener(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
    del stack_name, logical_id
    ELB.call("ModifyListener", ListenerArn=physical_id, **ELB.arguments_of("ModifyListener", new))
    if attributes := _declared(new, "ListenerAttributes"):
        ELB.call("ModifyListenerAttributes", ListenerArn=physical_id, Attributes=attributes)
    retag(ELB, physical_id, old, new)
    return physical_id, {"ListenerArn": physical_id, "Arn": physical_id}


def _delete_listener(physical_id: str, properties: Properties) -> None:
    del properties
    ignore_missing(lambda: ELB.call("DeleteListener", ListenerArn=physical_id), "ListenerNotFound")


def _target_group_attributes(arn: str) -> dict[str, Any]:
    group = ELB.call("DescribeTargetGroups", TargetGroupArns=[arn])["TargetGroups"][0]
    return {
        "TargetGroupArn": arn,
        "TargetGroupName": group["TargetGroupName"],
        "TargetGroupFullName": f"targetgroup/{arn.partition('targetgroup/')[2]}",
        "LoadBalancerArns": group["LoadBalancerArns"],
    }


def _create_target_group(logical_id: str, properties: Properties, stack_name: str) -> Created:
    arguments = ELB.arguments_of("CreateTargetGroup", properties)
    name = _name(properties, stack_name, logical_id)
    arn = ELB.call("CreateTargetGroup", **(arguments | {"Name": name}))["TargetGroups"][0]["TargetGroupArn"]
    with undone_on_failure(lambda: ELB.call("DeleteTargetGroup", TargetGroupArn=arn)):
        if attributes := _declared(properties, "TargetGroupAttributes"):
            ELB.call("ModifyTargetGroupAttributes", TargetGroupArn=arn, Attributes=attributes)
        _move_targets(arn, {}, properties)
    return arn, _target_group_attributes(arn)


def _move_targets(arn: str, old: Properties, new: Properties) -> None:
    """Register and deregister what a template's `Targets` gained and lost."""
    before = ELB.arguments_of("RegisterTargets", old).get("Targets", [])
    after = ELB.arguments_of("RegisterTargets", new).get("Targets", [])
    if gained := [target for target in after if target not in before]:
        ELB.call("RegisterTargets", TargetGroupArn=arn, Targets=gained)
    if lost := [target for target in before if target not in after]:
        ELB.call("DeregisterTargets", TargetGroupArn=arn, Targets=lost)


def _update_target_group(
    physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str
) -> Created:
    del stack_name, logical_id
    health_check = ELB.arguments_of("ModifyTargetGroup", _HEALTH_CHECK_DEFAULTS | new)
    ELB.call("ModifyTargetGroup", TargetGroupArn=physical_id, **health_check)
    if attributes := _declared(new, "TargetGroupAttributes"):
        ELB.call("ModifyTargetGroupAttributes", TargetGroupArn=physical_id, Attributes=attributes)
    _move_targets(physical_id, old, new)
    retag(ELB, physical_id, old, new)
    return physical_id, _target_group_attributes(physical_id)


def _delete_target_group(physical_id: str, properties: Properties) -> None:
    del properties
    ignore_missing(lambda: ELB.call("DeleteTargetGroup", TargetGroupArn=physical_id), "TargetGroupNotFound")


_LOAD_BALANCER = StackType(
    name="AWS::ElasticLoadBalancingV2::LoadBalancer",
    api=ELB,
    properties=frozenset(
        {
            "EnableCapacityReservationProvisionStabilize",
            "EnablePrefixForIpv6SourceNat",
            _ENFORCEMENT,
            "IpAddressType",
            "Ipv4IpamPoolId",
            "LoadBalancerAttributes",
            "MinimumLoadBalancerCapacity",
            "Name",
            "Scheme",
            "SecurityGroups",
            "SubnetMappings",
            "Subnets",
            "Tags",
            "Type",
        }
    ),
    required=frozenset(),
    replacing=("Name", "Scheme", "Type"),
    create=_create_load_balancer,
    update=_update_load_balancer,
    delete=_delete_load_balancer,
)
_LISTENER = StackType(
    name="AWS::ElasticLoadBalancingV2::Listener",
    api=ELB,
    properties=frozenset(
        {
            "AlpnPolicy",
            "Certificates",
            "DefaultActions",
            "ListenerAttributes",
            "LoadBalancerArn",
            "MutualAuthentication",
            "Port",
            "Protocol",
            "SslPolicy",
            "Tags",
        }
    ),
    required=frozenset({"DefaultActions", "LoadBalancerArn"}),
    replacing=("LoadBalancerArn",),
    create=_create_listener,
    update=_update_listener,
    delete=_delete_listener,
)
_TARGET_GROUP = StackType(
    name="AWS::ElasticLoadBalancingV2::TargetGroup",
    api=ELB,
    properties=frozenset(
        {
            "HealthCheckEnabled",
            "HealthCheckIntervalSeconds",
            "HealthCheckPath",
            "HealthCheckPort",
            "HealthCheckProtocol",
            "HealthCheckTimeoutSeconds",
            "HealthyThresholdCount",
            "IpAddressType",
            "Matcher",
            "Name",
            "Port",
            "Protocol",
            "ProtocolVersion",
            "Tags",
            "TargetControlPort",
            "TargetGroupAttributes",
            "TargetType",
            "Targets",
            "UnhealthyThresholdCount",
            "VpcId",
        }
    ),
    required=frozenset(),
    replacing=("IpAddressType", "Name", "Port", "Protocol", "ProtocolVersion", "TargetType", "VpcId"),
    create=_create_target_group,
    update=_update_target_group,
    delete=_delete_target_group,
)


def _install(kind: StackType, is_network: Callable[[Properties], bool]) -> None:
    """Register a type that hands what is not about network load balancers to stock."""
    stock = provisioners._RESOURCE_HANDLERS[kind.name]
    kind.install()
    ours = provisioners._RESOURCE_HANDLERS[kind.name]

    def create(logical_id: str, properties: Properties, stack_name: str) -> Created:
        chosen = ours if is_network(properties) else stock
        created: Created = chosen["create"](logical_id, properties, stack_name)
        return created

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Created:
        chosen = ours if is_network(new) else stock
        updated: Created = chosen["update"](physical_id, old, new, stack_name, logical_id)
        return updated

    def delete(physical_id: str, properties: Properties) -> None:
        chosen = ours if is_network(properties) else stock
        chosen["delete"](physical_id, properties)

    provisioners._RESOURCE_HANDLERS[kind.name] = {**ours, "create": create, "update": update, "delete": delete}


def install() -> None:
    """Register the types."""
    _install(_LOAD_BALANCER, lambda properties: properties.get("Type") == "network")
    _install(_TARGET_GROUP, lambda properties: properties.get("Protocol") in _NETWORK_PROTOCOLS)
    _install(
        _LISTENER,
        lambda properties: alb._lbs.get(properties["LoadBalancerArn"], {}).get("Type") != "application",
    )

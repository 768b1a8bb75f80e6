"""Parts of the templates that the rules of CloudFormation deploy."""

from typing import Any

from tests.emulator.world import Network

Resources = dict[str, Any]


def resource(kind: str, **properties: object) -> Resources:
    """Return a resource of a type, named without `AWS::`."""
    return {"Type": f"AWS::{kind}", "Properties": properties}


def front_resources(network: Network, **group: object) -> Resources:
    """Return a load balancer, a target group and a listener between them."""
    return {
        "LoadBalancer": resource(
            "ElasticLoadBalancingV2::LoadBalancer", Type="network", Scheme="internal", Subnets=list(network.subnets)
        ),
        "Group": resource(
            "ElasticLoadBalancingV2::TargetGroup",
            Protocol="TCP",
            Port="5432",
            TargetType="ip",
            VpcId=network.vpc,
            **group,
        ),
        "Listener": resource(
            "ElasticLoadBalancingV2::Listener",
            LoadBalancerArn={"Ref": "LoadBalancer"},
            Protocol="TCP",
            Port=5432,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}],
            ListenerAttributes=[{"Key": "tcp.idle_timeout.seconds", "Value": "600"}],
        ),
    }


def service_resources(network: Network, *principals: str, **service: object) -> Resources:
    """Return an endpoint service with all in front of it and its principals."""
    return {
        **front_resources(network),
        "Service": resource(
            "EC2::VPCEndpointService",
            NetworkLoadBalancerArns=[{"Ref": "LoadBalancer"}],
            **service,
        ),
        "Permissions": resource(
            "EC2::VPCEndpointServicePermissions", ServiceId={"Ref": "Service"}, AllowedPrincipals=list(principals)
        ),
    }


def listener_resources(network: Network, ports: dict[str, int]) -> Resources:
    """Return a load balancer with listeners, each with a target group of its own, by name and port."""
    front = front_resources(network)
    resources = {"LoadBalancer": front["LoadBalancer"]}
    for name, port in ports.items():
        group = f"{name}Group"
        resources[group] = front["Group"]
        action = [{"Type": "forward", "TargetGroupArn": {"Ref": group}}]
        resources[name] = resource(
            "ElasticLoadBalancingV2::Listener",
            LoadBalancerArn={"Ref": "LoadBalancer"},
            Protocol="TCP",
            Port=port,
            DefaultActions=action,
        )
    return resources

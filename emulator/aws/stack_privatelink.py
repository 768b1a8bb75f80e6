"""CloudFormation types of AWS PrivateLink: endpoint service, its permissions and notifications, endpoint."""

from typing import Any

from emulator.aws.apis import EC2
from emulator.aws.endpoint_services import own
from emulator.aws.stack_types import (
    Created,
    Properties,
    StackType,
    ignore_missing,
    retag,
    tag_specification,
    unsuccessful,
)

_SERVICE_GONE = "InvalidVpcEndpointServiceId.NotFound"


def _service_attributes(service_id: str) -> dict[str, Any]:
    answer = EC2.call("DescribeVpcEndpointServiceConfigurations", ServiceIds=[service_id])
    configuration = answer["ServiceConfigurations"][0].get("PrivateDnsNameConfiguration", {})
    return {
        "ServiceId": service_id,
        **{f"PrivateDnsNameConfiguration.{name}": value for name, value in configuration.items()},
    }


def _create_service(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    answer = EC2.call(
        "CreateVpcEndpointServiceConfiguration",
        **EC2.arguments_of("CreateVpcEndpointServiceConfiguration", properties),
        TagSpecifications=tag_specification("vpc-endpoint-service", properties),
    )
    service_id = answer["ServiceConfiguration"]["ServiceId"]
    return service_id, _service_attributes(service_id)


def _difference(name: str, old: Properties, new: Properties) -> dict[str, list[str] | None]:
    before, after = old.get(name, []), new.get(name, [])
    return {
        f"Add{name}": [item for item in after if item not in before] or None,
        f"Remove{name}": [item for item in before if item not in after] or None,
    }


def _update_service(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
    del stack_name, logical_id
    changes: dict[str, Any] = {"AcceptanceRequired": new.get("AcceptanceRequired", True)}
    for name in ("NetworkLoadBalancerArns", "SupportedIpAddressTypes", "SupportedRegions"):
        changes |= _difference(name, old, new)
    if old.get("PrivateDnsName") != new.get("PrivateDnsName"):
        changes["PrivateDnsName"] = new.get("PrivateDnsName")
        changes["RemovePrivateDnsName"] = "PrivateDnsName" not in new or None
    arguments = {name: value for name, value in changes.items() if value is not None}
    EC2.call(
        "ModifyVpcEndpointServiceConfiguration",
        ServiceId=physical_id,
        **EC2.arguments_of("ModifyVpcEndpointServiceConfiguration", arguments),
    )
    retag(EC2, physical_id, old, new)
    return physical_id, _service_attributes(physical_id)


def _delete_service(physical_id: str, properties: Properties) -> None:
    del properties
    ignore_missing(
        lambda: unsuccessful(EC2.call("DeleteVpcEndpointServiceConfigurations", ServiceIds=[physical_id])),
        _SERVICE_GONE,
    )


def _set_principals(service_id: str, principals: list[str]) -> None:
    current = own(service_id).principals
    EC2.call(
        "ModifyVpcEndpointServicePermissions",
        ServiceId=service_id,
        AddAllowedPrincipals=[principal for principal in principals if principal not in current] or None,
        RemoveAllowedPrincipals=[principal for principal in current if principal not in principals] or None,
    )


def _create_permissions(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    _set_principals(properties["ServiceId"], properties.get("AllowedPrincipals", []))
    return properties["ServiceId"], {}


def _update_permissions(
    physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str
) -> Created:
    del old, stack_name, logical_id
    _set_principals(physical_id, new.get("AllowedPrincipals", []))
    return physical_id, {}


def _delete_permissions(physical_id: str, properties: Properties) -> None:
    del properties
    ignore_missing(lambda: _set_principals(physical_id, []), _SERVICE_GONE)


def _create_notification(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    answer = EC2.call("CreateVpcEndpointConnectionNotification", **properties)
    notification_id = answer["ConnectionNotification"]["ConnectionNotificationId"]
    return notification_id, {"VPCEndpointConnectionNotificationId": notification_id}


def _update_notification(
    physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str
) -> Created:
    del old, stack_name, logical_id
    EC2.call(
        "ModifyVpcEndpointConnectionNotification",
        ConnectionNotificationId=physical_id,
        ConnectionNotificationArn=new["ConnectionNotificationArn"],
        ConnectionEvents=new["ConnectionEvents"],
    )
    return physical_id, {"VPCEndpointConnectionNotificationId": physical_id}


def _delete_notification(physical_id: str, properties: Properties) -> None:
    del properties
    ignore_missing(
        lambda: unsuccessful(
            EC2.call("DeleteVpcEndpointConnectionNotifications", ConnectionNotificationIds=[physical_id])
        ),
        "InvalidConnectionNotification",
    )


def _endpoint_attributes(endpoint_id: str) -> dict[str, Any]:
    endpoint = EC2.call("DescribeVpcEndpoints", VpcEndpointIds=[endpoint_id])["VpcEndpoints"][0]
    return {
        "Id": endpoint_id,
        "CreationTimestamp": str(endpoint.get("CreationTimestamp", "")),
        "DnsEntries": [f"{entry['HostedZoneId']}:{entry['DnsName']}" for entry in endpoint.get("DnsEntries", [])],
        "NetworkInterfaceIds": endpoint.get("NetworkInterfaceIds", []),
    }


def _create_endpoint(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    arguments = EC2.arguments_of("CreateVpcEndpoint", properties)
    if isinstance(properties.get("PolicyDocument"), dict):
        del arguments["PolicyDocument"]  # no rule of ours reads it
    answer = EC2.call("CreateVpcEndpoint", **arguments, TagSpecifications=tag_specification("vpc-endpoint", properties))
    endpoint_id = answer["VpcEndpoint"]["VpcEndpointId"]
    return endpoint_id, _endpoint_attributes(endpoint_id)


def _update_endpoint(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
    del stack_name, logical_id
    subnets = _difference("SubnetIds", old, new)
    tables = _difference("RouteTableIds", old, new)
    EC2.call("ModifyVpcEndpoint", VpcEndpointId=physical_id, **subnets, **tables)
    retag(EC2, physical_id, old, new)
    return physical_id, _endpoint_attributes(physical_id)


def _delete_endpoint(physical_id: str, properties: Properties) -> None:
    del properties
    EC2.call("DeleteVpcEndpoints", VpcEndpointIds=[physical_id])


def install() -> None:
    """Register the types."""
    StackType(
        name="AWS::EC2::VPCEndpointService",
        api=EC2,
        properties=frozenset(
            {
                "AcceptanceRequired",
                "ContributorInsightsEnabled",
                "GatewayLoadBalancerArns",
                "NetworkLoadBalancerArns",
                "PayerResponsibility",
                "PrivateDnsName",
                "SupportedIpAddressTypes",
                "SupportedRegions",
                "Tags",
            }
        ),
        required=frozenset(),
        replacing=(),
        create=_create_service,
        update=_update_service,
        delete=_delete_service,
    ).install()
    StackType(
        name="AWS::EC2::VPCEndpointServicePermissions",
        api=EC2,
        properties=frozenset({"AllowedPrincipals", "ServiceId"}),
        required=frozenset({"ServiceId"}),
        replacing=("ServiceId",),
        create=_create_permissions,
        update=_update_permissions,
        delete=_delete_permissions,
    ).install()
    StackType(
        name="AWS::EC2::VPCEndpointConnectionNotification",
        api=EC2,
        properties=frozenset({"ConnectionEvents", "ConnectionNotificationArn", "ServiceId", "VPCEndpointId"}),
        required=frozenset({"ConnectionEvents", "ConnectionNotificationArn"}),
        replacing=("ServiceId", "VPCEndpointId"),
        create=_create_notification,
        update=_update_notification,
        delete=_delete_notification,
    ).install()
    StackType(
        name="AWS::EC2::VPCEndpoint",
        api=EC2,
        properties=frozenset(
            {
                "DnsOptions",
                "IpAddressType",
                "PolicyDocument",
                "PrivateDnsEnabled",
                "ResourceConfigurationArn",
                "RouteTableIds",
                "SecurityGroupIds",
                "ServiceName",
                "ServiceNetworkArn",
                "ServiceRegion",
                "SubnetIds",
                "Tags",
                "VpcEndpointType",
                "VpcId",
            }
        ),
        required=frozenset({"VpcId"}),
        replacing=(
            "ResourceConfigurationArn",
            "ServiceName",
            "ServiceNetworkArn",
            "ServiceRegion",
            "VpcEndpointType",
            "VpcId",
        ),
        create=_create_endpoint,
        update=_update_endpoint,
        delete=_delete_endpoint,
    ).install()

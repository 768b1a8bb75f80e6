"""CloudFormation types of the network: rules of security groups standing alone, and flow logs."""

from typing import Any

from ministack.services.cloudformation import provisioners

from emulator.aws.apis import EC2
from emulator.aws.stack_types import Created, Properties, StackType, ignore_missing, reasoned, tag_specification

_SHARED = frozenset({"CidrIp", "CidrIpv6", "Description", "FromPort", "GroupId", "IpProtocol", "ToPort"})
_INGRESS = _SHARED | {
    "GroupName",
    "SourcePrefixListId",
    "SourceSecurityGroupId",
    "SourceSecurityGroupName",
    "SourceSecurityGroupOwnerId",
}
_EGRESS = _SHARED | {"DestinationPrefixListId", "DestinationSecurityGroupId"}
_FLOW_LOG = frozenset(
    {
        "DeliverCrossAccountRole",
        "DeliverLogsPermissionArn",
        "DestinationOptions",
        "LogDestination",
        "LogDestinationType",
        "LogFormat",
        "LogGroupName",
        "MaxAggregationInterval",
        "ResourceId",
        "ResourceType",
        "Tags",
        "TrafficType",
    }
)


def _permission(properties: Properties) -> dict[str, Any]:
    """Return the IpPermission that a rule of a template describes."""
    described = {"Description": properties["Description"]} if "Description" in properties else {}
    permission: dict[str, Any] = {"IpProtocol": str(properties["IpProtocol"])}
    for port in ("FromPort", "ToPort"):
        if port in properties:
            permission[port] = int(properties[port])
    group = properties.get("SourceSecurityGroupId") or properties.get("DestinationSecurityGroupId")
    prefix_list = properties.get("SourcePrefixListId") or properties.get("DestinationPrefixListId")
    if "CidrIp" in properties:
        permission["IpRanges"] = [{"CidrIp": properties["CidrIp"], **described}]
    if "CidrIpv6" in properties:
        permission["Ipv6Ranges"] = [{"CidrIpv6": properties["CidrIpv6"], **described}]
    if group:
        permission["UserIdGroupPairs"] = [{"GroupId": group, **described}]
    if prefix_list:
        permission["PrefixListIds"] = [{"PrefixListId": prefix_list, **described}]
    return permission


def _rule_type(direction: str, properties: frozenset[str]) -> StackType:
    def create(logical_id: str, given: Properties, stack_name: str) -> Created:
        del logical_id, stack_name
        answer = EC2.call(
            f"AuthorizeSecurityGroup{direction}", GroupId=given["GroupId"], IpPermissions=[_permission(given)]
        )
        rule_id = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        return rule_id, {"Id": rule_id}

    def delete(physical_id: str, given: Properties) -> None:
        del physical_id
        ignore_missing(
            lambda: EC2.call(
                f"RevokeSecurityGroup{direction}", GroupId=given["GroupId"], IpPermissions=[_permission(given)]
            ),
            "InvalidGroup.NotFound",
        )

    def update(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
        # Only the description can change in place; everything else replaces the rule.
        delete(physical_id, old)
        return create(logical_id, new, stack_name)

    return StackType(
        name=f"AWS::EC2::SecurityGroup{direction}",
        api=EC2,
        properties=properties,
        required=frozenset({"IpProtocol"}),
        replacing=tuple(sorted(properties - {"Description"})),
        create=create,
        update=update,
        delete=delete,
    )


def _create_flow_log(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    answer = EC2.call(
        "CreateFlowLogs",
        **EC2.arguments_of("CreateFlowLogs", properties),
        ResourceIds=[properties["ResourceId"]],
        TagSpecifications=tag_specification("vpc-flow-log", properties),
    )
    flow_log_id = answer["FlowLogIds"][0]
    return flow_log_id, {"Id": flow_log_id}


def _update_flow_log(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
    del old, new, stack_name, logical_id
    return physical_id, {"Id": physical_id}


def _delete_flow_log(physical_id: str, properties: Properties) -> None:
    del properties
    EC2.call("DeleteFlowLogs", FlowLogIds=[physical_id])


def _delete_security_group(physical_id: str, properties: Properties) -> None:
    del properties
    ignore_missing(lambda: EC2.call("DeleteSecurityGroup", GroupId=physical_id), "InvalidGroup.NotFound")


def install() -> None:
    """Register the types; of security groups, stock's, only the deletion is changed."""
    provisioners._RESOURCE_HANDLERS["AWS::EC2::SecurityGroup"]["delete"] = reasoned(EC2, _delete_security_group)
    _rule_type("Ingress", _INGRESS).install()
    _rule_type("Egress", _EGRESS).install()
    StackType(
        name="AWS::EC2::FlowLog",
        api=EC2,
        properties=_FLOW_LOG,
        required=frozenset({"ResourceId", "ResourceType"}),
        replacing=tuple(sorted(_FLOW_LOG - {"Tags"})),
        create=_create_flow_log,
        update=_update_flow_log,
        delete=_delete_flow_log,
    ).install()

"""CloudFormation types of the network: rules of security groups standing alone, and flow logs."""

from collections.abc import Callable
from typing import Any

from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from emulator.aws.apis import EC2
from emulator.aws.security_groups import check_rules, rules_of
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


def _own_rules(properties: Properties, direction: str) -> list[dict[str, Any]]:
    """Return the rules that stand in a security group's own properties."""
    return [_permission(rule) for rule in properties.get(f"SecurityGroup{direction}") or []]


def _install_security_groups() -> None:
    """Check rules that stand in a security group's own properties, and its deletion; the rest is stock's."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::EC2::SecurityGroup"]
    stock_create, stock_update = handlers["create"], handlers["update"]

    def create(logical_id: str, properties: Properties, stack_name: str) -> Created:
        for direction in ("Ingress", "Egress"):
            check_rules(_own_rules(properties, direction), [])
        created: Created = stock_create(logical_id, properties, stack_name)
        return created

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Created:
        group = ec2._security_groups.get(physical_id, {})
        for direction, store in (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")):
            mine = rules_of(_own_rules(old, direction))
            elsewhere = [entry for entry in group.get(store, []) if not rules_of([entry]) <= mine]
            if old.get(f"SecurityGroup{direction}") != new.get(f"SecurityGroup{direction}"):
                check_rules(_own_rules(new, direction), elsewhere)
        updated: Created = stock_update(physical_id, old, new, stack_name, logical_id)
        return updated

    handlers |= {
        "create": reasoned(EC2, create),
        "update": reasoned(EC2, update),
        "delete": reasoned(EC2, _delete_security_group),
    }


def _vpc_attributes(vpc_id: str) -> dict[str, Any]:
    return {"CidrBlock": ec2._vpcs[vpc_id]["CidrBlock"], "Ipv6CidrBlocks": []}


def _subnet_attributes(subnet_id: str) -> dict[str, Any]:
    record = ec2._subnets[subnet_id]
    return {
        "AvailabilityZoneId": ec2._az_id_for_zone_name(record["AvailabilityZone"]),
        "CidrBlock": record["CidrBlock"],
        "Ipv6CidrBlocks": [],
        "VpcId": record["VpcId"],
    }


def _add_attributes(name: str, attributes: Callable[[str], dict[str, Any]]) -> None:
    """Let a type of stock's tell more about a resource."""
    handlers = provisioners._RESOURCE_HANDLERS[name]
    stock_create, stock_update = handlers["create"], handlers["update"]

    def told(created: Created) -> Created:
        return created[0], {**attributes(created[0]), **created[1]}

    handlers |= {
        "create": lambda *given: told(stock_create(*given)),
        "update": lambda *given: told(stock_update(*given)),
    }


def install() -> None:
    """Register the types."""
    _install_security_groups()
    _add_attributes("AWS::EC2::VPC", _vpc_attributes)
    _add_attributes("AWS::EC2::Subnet", _subnet_attributes)
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

"""CloudFormation types of instances: EC2 instances, and Auto Scaling groups with what they launch and register."""

from typing import Any

from ministack.services import autoscaling
from ministack.services.cloudformation import provisioners

from emulator.aws import auto_scaling, instances
from emulator.aws.apis import AUTO_SCALING, EC2
from emulator.aws.stack_types import Created, Properties, StackType, ignore_missing, reasoned, retag, tag_specification

_REPLACING = (
    "AvailabilityZone",
    "CpuOptions",
    "ElasticGpuSpecifications",
    "ElasticInferenceAccelerators",
    "EnclaveOptions",
    "HibernationOptions",
    "HostResourceGroupArn",
    "ImageId",
    "Ipv6AddressCount",
    "Ipv6Addresses",
    "KeyName",
    "LaunchTemplate",
    "LicenseSpecifications",
    "NetworkInterfaces",
    "PlacementGroupName",
    "PrivateIpAddress",
    "SecurityGroups",
    "SubnetId",
)
_IN_PLACE = frozenset(
    {
        "AdditionalInfo",
        "Affinity",
        "BlockDeviceMappings",
        "CreditSpecification",
        "DisableApiTermination",
        "EbsOptimized",
        "HostId",
        "IamInstanceProfile",
        "InstanceInitiatedShutdownBehavior",
        "InstanceType",
        "KernelId",
        "MetadataOptions",
        "Monitoring",
        "PrivateDnsNameOptions",
        "PropagateTagsToVolumeOnCreation",
        "RamdiskId",
        "SecurityGroupIds",
        "SourceDestCheck",
        "SsmAssociations",
        "Tags",
        "Tenancy",
        "UserData",
        "Volumes",
    }
)


def _instance_attributes(instance_id: str) -> dict[str, Any]:
    record = instances.find(instance_id) or {}
    return {
        "InstanceId": instance_id,
        "AvailabilityZone": record["Placement"]["AvailabilityZone"],
        "PrivateIp": record["PrivateIpAddress"],
        "PrivateDnsName": record["PrivateDnsName"],
        "PublicIp": record["PublicIpAddress"],
        "PublicDnsName": record["PublicDnsName"],
        "VpcId": record["VpcId"],
    }


def _create_instance(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    # One interface may carry what otherwise stands beside it.
    interface: Properties = next(iter(properties.get("NetworkInterfaces") or []), {})
    answer = EC2.call(
        "RunInstances",
        MinCount=1,
        MaxCount=1,
        ImageId=properties.get("ImageId"),
        InstanceType=properties.get("InstanceType"),
        SubnetId=properties.get("SubnetId") or interface.get("SubnetId"),
        PrivateIpAddress=properties.get("PrivateIpAddress") or interface.get("PrivateIpAddress"),
        SecurityGroupIds=properties.get("SecurityGroupIds") or interface.get("GroupSet"),
        IamInstanceProfile={"Name": properties["IamInstanceProfile"]} if "IamInstanceProfile" in properties else None,
        UserData=properties.get("UserData"),
        TagSpecifications=tag_specification("instance", properties),
    )
    instance_id = answer["Instances"][0]["InstanceId"]
    return instance_id, _instance_attributes(instance_id)


def _update_instance(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
    del stack_name, logical_id
    record = instances.find(physical_id) or {}
    if old.get("SecurityGroupIds") != new.get("SecurityGroupIds"):
        groups = new.get("SecurityGroupIds") or []
        record["SecurityGroups"] = [{"GroupId": group, "GroupName": group} for group in groups]
    record["InstanceType"] = new.get("InstanceType", record["InstanceType"])
    retag(EC2, physical_id, old, new)
    return physical_id, _instance_attributes(physical_id)


def _delete_instance(physical_id: str, properties: Properties) -> None:
    del properties
    ignore_missing(lambda: EC2.call("TerminateInstances", InstanceIds=[physical_id]), "InvalidInstanceID.NotFound")


def _target_groups(properties: Properties) -> list[str]:
    sources = [source["Identifier"] for source in properties.get("TrafficSources") or []]
    return [*(properties.get("TargetGroupARNs") or []), *sources]


def _install_group() -> None:
    """Put instances and target groups around stock's handlers of Auto Scaling groups."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::AutoScaling::AutoScalingGroup"]
    stock_create, stock_update, stock_delete = handlers["create"], handlers["update"], handlers["delete"]

    def delete(physical_id: str, properties: Properties) -> None:
        group = autoscaling._asgs.get(physical_id)
        if group is not None:
            auto_scaling.empty(group)
        stock_delete(physical_id, properties)

    def create(logical_id: str, properties: Properties, stack_name: str) -> Created:
        created: Created = stock_create(logical_id, properties, stack_name)
        group = autoscaling._asgs[created[0]]
        try:
            auto_scaling.attach(group, _target_groups(properties))
            autoscaling._reconcile_instances(group)
        except Exception:
            delete(created[0], properties)
            raise
        return created

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Created:
        before = autoscaling._asgs[physical_id]["DesiredCapacity"]
        updated: Created = stock_update(physical_id, old, new, stack_name, logical_id)
        group = autoscaling._asgs[updated[0]]
        if updated[0] != physical_id:
            return updated  # replaced: created and deleted above
        if "DesiredCapacity" not in new:
            # Whoever scales the group since then is not overruled by an update that does not speak of it.
            group["DesiredCapacity"] = min(max(before, group["MinSize"]), group["MaxSize"])
        wanted, present = _target_groups(new), _target_groups(old)
        auto_scaling.attach(group, [arn for arn in wanted if arn not in present])
        auto_scaling.detach(group, [arn for arn in present if arn not in wanted])
        autoscaling._reconcile_instances(group)
        return updated

    # Stock's update reaches for these two when it replaces a group.
    provisioners._asg_create, provisioners._asg_delete = create, delete
    handlers |= {
        "create": reasoned(AUTO_SCALING, create),
        "update": reasoned(AUTO_SCALING, update),
        "delete": reasoned(AUTO_SCALING, delete),
    }


def install() -> None:
    """Register the types."""
    StackType(
        name="AWS::EC2::Instance",
        api=EC2,
        properties=_IN_PLACE | frozenset(_REPLACING),
        required=frozenset(),
        replacing=_REPLACING,
        create=_create_instance,
        update=_update_instance,
        delete=_delete_instance,
    ).install()
    _install_group()

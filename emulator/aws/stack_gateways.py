"""CloudFormation types of the way out of a private subnet, which stock's APIs have and its templates lack."""

from emulator.aws.apis import EC2
from emulator.aws.stack_types import Created, Properties, StackType, ignore_missing, retag, tag_specification


def _create_address(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    answer = EC2.call(
        "AllocateAddress",
        Domain=properties.get("Domain", "vpc"),
        TagSpecifications=tag_specification("elastic-ip", properties),
    )
    attributes = {"AllocationId": answer["AllocationId"], "PublicIp": answer["PublicIp"]}
    return answer["PublicIp"], attributes


def _allocation(public_ip: str) -> str:
    (address,) = EC2.call("DescribeAddresses", PublicIps=[public_ip])["Addresses"]
    return str(address["AllocationId"])


def _update_address(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
    del stack_name, logical_id
    allocation = _allocation(physical_id)
    retag(EC2, allocation, old, new)
    return physical_id, {"AllocationId": allocation, "PublicIp": physical_id}


def _delete_address(physical_id: str, properties: Properties) -> None:
    del properties
    ignore_missing(
        lambda: EC2.call("ReleaseAddress", AllocationId=_allocation(physical_id)),
        "InvalidAddress.NotFound",
        "InvalidAllocationID.NotFound",
    )


def _create_gateway(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    answer = EC2.call(
        "CreateNatGateway",
        **EC2.arguments_of("CreateNatGateway", properties),
        TagSpecifications=tag_specification("natgateway", properties),
    )
    gateway = answer["NatGateway"]["NatGatewayId"]
    return gateway, {"NatGatewayId": gateway}


def _update_gateway(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
    del stack_name, logical_id
    retag(EC2, physical_id, old, new)
    return physical_id, {"NatGatewayId": physical_id}


def _delete_gateway(physical_id: str, properties: Properties) -> None:
    del properties
    ignore_missing(lambda: EC2.call("DeleteNatGateway", NatGatewayId=physical_id), "NatGatewayNotFound")


def install() -> None:
    """Register the types."""
    StackType(
        name="AWS::EC2::EIP",
        api=EC2,
        properties=frozenset(
            {
                "Address",
                "Domain",
                "InstanceId",
                "IpamPoolId",
                "NetworkBorderGroup",
                "PublicIpv4Pool",
                "Tags",
                "TransferAddress",
            }
        ),
        required=frozenset(),
        replacing=("Address", "IpamPoolId", "NetworkBorderGroup", "TransferAddress"),
        create=_create_address,
        update=_update_address,
        delete=_delete_address,
    ).install()
    StackType(
        name="AWS::EC2::NatGateway",
        api=EC2,
        properties=frozenset(
            {
                "AllocationId",
                "AvailabilityMode",
                "AvailabilityZoneAddresses",
                "ConnectivityType",
                "MaxDrainDurationSeconds",
                "PrivateIpAddress",
                "SecondaryAllocationIds",
                "SecondaryPrivateIpAddressCount",
                "SecondaryPrivateIpAddresses",
                "SubnetId",
                "Tags",
                "VpcId",
            }
        ),
        required=frozenset(),
        replacing=(
            "AllocationId",
            "AvailabilityMode",
            "ConnectivityType",
            "PrivateIpAddress",
            "SubnetId",
            "VpcId",
        ),
        create=_create_gateway,
        update=_update_gateway,
        delete=_delete_gateway,
    ).install()

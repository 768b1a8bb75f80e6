"""EC2 instances: in the zone and with an address of their subnet, where stock puts all into one zone and `10.0.0.0/8`.

Nothing runs on them. Whoever listens on an instance's private address, if that is a loopback address, is what health
checks find. Rules from the Amazon EC2 API reference (RunInstances) and vpc/latest/userguide/subnet-sizing.html.
"""

import ipaddress
from typing import Any

from ministack.services import ec2, ssm

from emulator.aws.apis import EC2
from emulator.aws.wire import ApiError, Arguments, Result

Record = dict[str, Any]

# "The first four IP addresses and the last IP address in each subnet CIDR block are not available for your use."
_RESERVED = 4
# Any image: nothing runs.
_AMAZON_LINUX = "ami-0c2023a1b2c3d4e5f"


def find(instance_id: str) -> Record | None:
    """Return one of the caller's instances; `None` if there is none of this id, or none any more."""
    record: Record | None = ec2._instances.get(instance_id)
    return record


def state(record: Record | None) -> str:
    """Return an instance's state; one that is forgotten was terminated."""
    return str(record["State"]["Name"]) if record is not None else "terminated"


def _taken(subnet_id: str) -> set[str]:
    return {
        str(record["PrivateIpAddress"])
        for record in ec2._instances.values()
        if record["SubnetId"] == subnet_id and state(record) != "terminated"
    }


def _free_address(place: Record) -> str:
    """Return the lowest free address of a subnet, so that tests can foresee it.

    Raises:
        ApiError: The subnet is full.
    """
    network = ipaddress.IPv4Network(place["CidrBlock"])
    taken = _taken(place["SubnetId"])
    for number in range(int(network.network_address) + _RESERVED, int(network.broadcast_address)):
        address = str(ipaddress.IPv4Address(number))
        if address not in taken:
            return address
    raise ApiError("InsufficientFreeAddressesInSubnet", f"{place['SubnetId']} does not have enough free addresses")


@EC2.action
def run_instances(given: Arguments) -> Result | None:
    """Refuse an unknown subnet, and an address that is taken or not the subnet's; the launch is stock's."""
    if "SubnetId" not in given:
        return None
    place = ec2._subnets.get(given["SubnetId"])
    if place is None:
        raise ApiError("InvalidSubnetID.NotFound", f"The subnet ID '{given['SubnetId']}' does not exist")
    wanted = given.get("PrivateIpAddress")
    if wanted is None:
        return None
    if ipaddress.IPv4Address(wanted) not in ipaddress.IPv4Network(place["CidrBlock"]):
        raise ApiError("InvalidParameterValue", f"Address {wanted} does not fall within the subnet's address range")
    if wanted in _taken(given["SubnetId"]):
        raise ApiError("InvalidIPAddress.InUse", f"Address {wanted} is in use.")
    return None


def install() -> None:
    """Give every launched instance its place, and Amazon Linux's images their public parameters."""
    for kernel in ("default", "6.1", "6.12"):
        for architecture in ("arm64", "x86_64"):
            parameter = f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-{kernel}-{architecture}"
            ssm._PUBLIC_AMI_PARAMETERS.setdefault(parameter, _AMAZON_LINUX)
    stock = ec2._launch_instances_internal

    def launch(image_id: str, instance_type: str, subnet_id: str, count: int, **more: Any) -> list[Record]:  # noqa: ANN401
        place = ec2._subnets.get(subnet_id)
        if place is None:
            unplaced: list[Record] = stock(image_id, instance_type, subnet_id, count, **more)
            return unplaced
        created: list[Record] = []
        for _ in range(count):
            address = more.get("requested_private_ip") or _free_address(place)
            (record,) = stock(image_id, instance_type, subnet_id, 1, **(more | {"requested_private_ip": address}))
            record |= {
                "VpcId": place["VpcId"],
                "Placement": {**record["Placement"], "AvailabilityZone": place["AvailabilityZone"]},
                "PublicIpAddress": "",
                "PublicDnsName": "",
            }
            created.append(record)
        return created

    ec2._launch_instances_internal = launch

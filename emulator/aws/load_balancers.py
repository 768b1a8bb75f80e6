"""Network Load Balancers; Application Load Balancers stay stock's.

Rules from the Elastic Load Balancing API reference (2015-12-01) and the guide for Network Load Balancers
(elasticloadbalancing/latest/network/: load-balancer-security-groups.html, availability-zones.html).
"""

import ipaddress
import re
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import alb

from emulator.aws import endpoint_services
from emulator.aws.apis import ELB, now, subnet
from emulator.aws.wire import ApiError, Arguments, Result

Record = dict[str, Any]

_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,32}(?<!-)")
_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "dns_record.client_routing_policy": "any_availability_zone",
    "ipv6.deny_all_igw_traffic": "false",
    "load_balancing.cross_zone.enabled": "false",
    "secondary_ips.auto_assigned.per_subnet": "0",
    "zonal_shift.config.enabled": "false",
}


def attributes(values: dict[str, str]) -> list[dict[str, str]]:
    """Return attributes in the form stock's stores keep them."""
    return [{"Key": key, "Value": value} for key, value in values.items()]


def attribute(stored: list[dict[str, str]], key: str) -> str:
    """Return the value of one attribute."""
    return next(entry["Value"] for entry in stored if entry["Key"] == key)


def check_name(name: str) -> None:
    """Refuse a name of a load balancer or target group that is not 1-32 letters, digits and inner hyphens."""
    if not _NAME.fullmatch(name):
        raise ApiError(
            "ValidationError", f"The name '{name}' must be 1-32 letters, digits and hyphens, with none at either end"
        )


def find(arn: str | None) -> Record:
    """Return one of the caller's load balancers.

    Raises:
        ApiError: There is none of this ARN.
    """
    record: Record | None = alb._lbs.get(arn or "")
    if record is None:
        raise ApiError("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
    return record


def zones(record: Record) -> dict[str, str]:
    """Return the enabled zones of a load balancer and its subnet in each."""
    return {subnet(subnet_id)["AvailabilityZone"]: subnet_id for subnet_id in record["Subnets"]}


def _zone_results(record: Record) -> list[Result]:
    return [
        {
            "ZoneName": zone,
            "SubnetId": subnet_id,
            "LoadBalancerAddresses": [
                {"PrivateIPv4Address": mapping["PrivateIPv4Address"]}
                for mapping in record["SubnetMappings"]
                if mapping["SubnetId"] == subnet_id and mapping.get("PrivateIPv4Address")
            ],
        }
        for zone, subnet_id in zones(record).items()
    ]


def _as_result(record: Record) -> Result:
    result = {name: value for name, value in record.items() if name not in {"Subnets", "SubnetMappings"}}
    return result | {"State": {"Code": record["State"]}, "AvailabilityZones": _zone_results(record)}


def _check_pins(mappings: list[dict[str, str]], scheme: str) -> None:
    """Refuse private addresses that are not of their subnet, and any on an internet-facing load balancer."""
    for mapping in mappings:
        pin = mapping.get("PrivateIPv4Address")
        if pin is None:
            continue
        if scheme != "internal":
            raise ApiError(
                "InvalidConfigurationRequest", "Private IPv4 addresses are supported by internal load balancers only"
            )
        cidr = ipaddress.IPv4Network(subnet(mapping["SubnetId"])["CidrBlock"])
        if ipaddress.IPv4Address(pin) not in cidr:
            raise ApiError(
                "InvalidConfigurationRequest", f"The address '{pin}' is not in the range '{cidr}' of its subnet"
            )


def _pins(record: Record) -> dict[str, str | None]:
    """Return the pinned address of each subnet of a load balancer."""
    return {mapping["SubnetId"]: mapping.get("PrivateIPv4Address") for mapping in record["SubnetMappings"]}


def _check_enabled_zones(before: Record, after: Record) -> None:
    """Refuse another subnet or address in a zone that stays.

    "You must include all subnets that were enabled previously, with their existing configurations".
    """
    zones_before, zones_after = zones(before), zones(after)
    for zone in zones_before.keys() & zones_after.keys():
        was, becomes = zones_before[zone], zones_after[zone]
        if (was, _pins(before)[was]) != (becomes, _pins(after)[becomes]):
            raise ApiError(
                "InvalidConfigurationRequest",
                f"The subnet and the private IPv4 address of the enabled Availability Zone '{zone}' cannot be changed",
            )


def _placement(given: Arguments) -> Record:
    """Return VPC, subnets and pinned addresses of a request that names subnets one way or the other."""
    if bool(given.get("Subnets")) == bool(given.get("SubnetMappings")):
        raise ApiError("ValidationError", "You must specify either subnets or subnet mappings")
    mappings = given.get("SubnetMappings") or [{"SubnetId": subnet_id} for subnet_id in given["Subnets"]]
    records = [subnet(mapping["SubnetId"]) for mapping in mappings]
    if len({record["AvailabilityZone"] for record in records}) != len(records):
        raise ApiError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if len({record["VpcId"] for record in records}) != 1:
        raise ApiError("InvalidConfigurationRequest", "The subnets must be in the same VPC")
    return {
        "VpcId": records[0]["VpcId"],
        "Subnets": [record["SubnetId"] for record in records],
        "SubnetMappings": mappings,
    }


@ELB.action
def create_load_balancer(given: Arguments) -> Result | None:
    """Create a Network Load Balancer in the zones of its subnets."""
    if given.get("Type") != "network":
        return None
    name = given["Name"]
    check_name(name)
    if name.startswith("internal-"):
        raise ApiError("ValidationError", f"The load balancer name '{name}' cannot begin with 'internal-'")
    if any(record["LoadBalancerName"] == name for record in alb._lbs.values()):
        raise ApiError("DuplicateLoadBalancerName", f"A load balancer with name '{name}' already exists")
    _check_pins(given.get("SubnetMappings", []), given.get("Scheme", "internet-facing"))
    region, identity = get_region(), alb._short_id()
    groups = given.get("SecurityGroups", [])
    record = {
        "LoadBalancerArn": (
            f"arn:aws:elasticloadbalancing:{region}:{get_account_id()}:loadbalancer/net/{name}/{identity}"
        ),
        "LoadBalancerName": name,
        "DNSName": f"{name}-{identity}.elb.{region}.amazonaws.com".lower(),
        "CanonicalHostedZoneId": "Z26RNL4JYFTOTI",
        "Scheme": given.get("Scheme", "internet-facing"),
        "State": "active",
        "Type": "network",
        "SecurityGroups": groups,
        "IpAddressType": given.get("IpAddressType", "ipv4"),
        "CreatedTime": now(),
        **_placement(given),
    }
    if groups:
        record["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = "on"
    arn = record["LoadBalancerArn"]
    alb._lbs[arn] = record
    alb._lb_attrs[arn] = attributes(_ATTRIBUTES)
    alb._tags[arn] = given.get("Tags", [])
    return {"LoadBalancers": [_as_result(record)]}


@ELB.action
def delete_load_balancer(given: Arguments) -> Result | None:
    """Delete a load balancer with its listeners, unless it is protected or an endpoint service uses it."""
    arn = given["LoadBalancerArn"]
    record = alb._lbs.get(arn)
    if record is None or record["Type"] != "network":
        return None
    if attribute(alb._lb_attrs[arn], "deletion_protection.enabled") == "true":
        raise ApiError(
            "OperationNotPermitted",
            f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled",
        )
    if endpoint_services.service_of(arn) is not None:
        raise ApiError(
            "ResourceInUse",
            f"Load balancer '{arn}' cannot be deleted because it is currently associated with another service",
        )
    for listener_arn, listener in alb._listeners.items():
        if listener["LoadBalancerArn"] == arn:
            ELB.call("DeleteListener", ListenerArn=listener_arn)
    return None


@ELB.action
def set_subnets(given: Arguments) -> Result | None:
    """Change the zones of a load balancer; those that stay, stay as they are.

    None may go while endpoints are connected through it.
    """
    record = find(given.get("LoadBalancerArn"))
    if record["Type"] != "network":
        return None
    placement = _placement(given)
    _check_pins(placement["SubnetMappings"], record["Scheme"])
    _check_enabled_zones(record, {**record, **placement})
    before, after = set(zones(record)), set(zones({**record, **placement}))
    service = endpoint_services.service_of(record["LoadBalancerArn"])
    if before - after and service is not None and endpoint_services.connection_lives(service.id):
        raise ApiError(
            "ResourceInUse",
            f"Zones {sorted(before - after)} cannot be removed while VPC endpoints are connected through them",
        )
    record |= placement
    record["IpAddressType"] = given.get("IpAddressType", record["IpAddressType"])
    return {"AvailabilityZones": _zone_results(record), "IpAddressType": record["IpAddressType"]}


@ELB.action
def set_security_groups(given: Arguments) -> Result | None:
    """Swap the security groups, or say whether their rules bind PrivateLink traffic.

    "If you don't associate a security group when you create the load balancer, you can't associate security groups
    with it later on" (load-balancer-security-groups.html).
    """
    record = find(given.get("LoadBalancerArn"))
    if record["Type"] != "network":
        return None
    if not record["SecurityGroups"]:
        raise ApiError(
            "InvalidConfigurationRequest",
            "Security groups cannot be set on a Network Load Balancer that was created without any",
        )
    if not given.get("SecurityGroups"):
        raise ApiError("InvalidConfigurationRequest", "A Network Load Balancer must keep at least one security group")
    enforcement = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
    record["SecurityGroups"] = given["SecurityGroups"]
    record[enforcement] = given.get(enforcement, record[enforcement])
    return {"SecurityGroupIds": record["SecurityGroups"], enforcement: record[enforcement]}


def install() -> None:
    """Make stock's DescribeLoadBalancers show Network Load Balancers as they are."""
    stock = alb._lb_xml

    def load_balancer_xml(record: Record) -> str:
        if record["Type"] != "network":
            return str(stock(record))
        return ELB.member_xml("DescribeLoadBalancers", "LoadBalancers", _as_result(record))

    alb._lb_xml = load_balancer_xml

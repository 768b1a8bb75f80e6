"""What AWS refuses in an update although CloudFormation's schemas allow it: a list, each rule with its source."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.updates.replacement import Outcome, changes, references
from tests.updates.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.updates.replacement import Change, Resource, Template

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
ENDPOINT_SERVICE = "AWS::EC2::VPCEndpointService"
PERMISSIONS = "AWS::EC2::VPCEndpointServicePermissions"
SECURITY_GROUP = "AWS::EC2::SecurityGroup"
_RULE_TYPES = ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress")
_MAX_LISTENERS = 50

Refused = tuple[str, str]
"""A logical id, and what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class Update:
    """An update from one template to another."""

    old: dict[str, Resource]
    new: dict[str, Resource]
    changes: dict[str, Change]

    def both(self, resource_type: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        """Return the resources of a type that stay: logical id, old and new properties."""
        for logical_id, resource in self.new.items():
            change = self.changes[logical_id]
            if resource["Type"] == resource_type and change.outcome in {Outcome.SAME, Outcome.UPDATED}:
                yield logical_id, self.old[logical_id].get("Properties", {}), resource.get("Properties", {})

    def created(self, *resource_types: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Return what CloudFormation creates before it deletes anything: logical id and properties."""
        for logical_id, change in self.changes.items():
            if change.resource_type in resource_types and change.outcome in {Outcome.ADDED, Outcome.REPLACED}:
                yield logical_id, self.new[logical_id].get("Properties", {})


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Something that AWS does not do in an update.

    Args:
        name: The rule's short name.
        text: What AWS refuses.
        message: What AWS answers, as far as it is documented or reported: what users search for.
        source: Path of a page of docs.aws.amazon.com, or a whole address.
        while_connected: Whether it is refused only while consumers' endpoints are connected.
        check: Returns what the rule finds in an update.
    """

    name: str
    text: str
    message: str
    source: str
    while_connected: bool
    check: Callable[[Update], Iterator[Refused]]


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A rule, and the resource that breaks it."""

    rule: Rule
    logical_id: str
    text: str


RULES: list[Rule] = []


def refusals(old: Template, new: Template) -> list[Refusal]:
    """Return what AWS would refuse in an update from one template to another.

    Args:
        old: The template that is deployed.
        new: The template to deploy.
    """
    update = Update(old=old.get("Resources", {}), new=new.get("Resources", {}), changes=changes(old, new))
    return [
        Refusal(rule=rule, logical_id=logical_id, text=text)
        for rule in RULES
        for logical_id, text in rule.check(update)
    ]


def _rule(
    *, name: str, text: str, source: str, message: str = "", while_connected: bool = False
) -> Callable[[Callable[[Update], Iterator[Refused]]], Callable[[Update], Iterator[Refused]]]:
    def register(check: Callable[[Update], Iterator[Refused]]) -> Callable[[Update], Iterator[Refused]]:
        RULES.append(
            Rule(name=name, text=text, message=message, source=source, while_connected=while_connected, check=check)
        )
        return check

    return register


def _key(value: object) -> str:
    return json.dumps(value, sort_keys=True)


@_rule(
    name="port-taken",
    text="a listener on a port that another listener still has: CloudFormation creates and changes in any order, and "
    "deletes last",
    message="A listener already exists on this port for this load balancer",
    source="elasticloadbalancing/latest/APIReference/API_ModifyListener.html",
)
def _port_taken(update: Update) -> Iterator[Refused]:
    before = {
        (_key(each["Properties"]["LoadBalancerArn"]), each["Properties"]["Port"]): logical_id
        for logical_id, each in update.old.items()
        if each["Type"] == LISTENER
    }
    for logical_id, each in update.new.items():
        if each["Type"] == LISTENER:
            place = (_key(each["Properties"]["LoadBalancerArn"]), each["Properties"]["Port"])
            holder = before.get(place)
            replaced = update.changes[logical_id].outcome is Outcome.REPLACED
            if holder is not None and (holder != logical_id or replaced):
                yield logical_id, f"port {place[1]} belongs to {holder} until the update is over"


@_rule(
    name="too-many-listeners",
    text="more than 50 listeners of one load balancer, those counted that are deleted at the end of the update",
    message="TooManyListeners",
    source="elasticloadbalancing/latest/network/load-balancer-limits.html",
)
def _too_many_listeners(update: Update) -> Iterator[Refused]:
    balancers = Counter(
        _key(each["Properties"]["LoadBalancerArn"])
        for each in {**update.old, **update.new}.values()
        if each["Type"] == LISTENER
    )
    for balancer, count in balancers.items():
        if count > _MAX_LISTENERS:
            yield balancer, f"{count} listeners at the same time"


@_rule(
    name="protocol",
    text="a listener whose protocol its target group does not have; a target group's cannot be changed",
    message="IncompatibleProtocols",
    source="elasticloadbalancing/latest/network/load-balancer-target-groups.html",
)
def _protocol(update: Update) -> Iterator[Refused]:
    over_tcp = {"TCP", "TLS"}
    for logical_id, each in update.new.items():
        if each["Type"] != LISTENER:
            continue
        for group in references(each["Properties"]["DefaultActions"]):
            ours, theirs = each["Properties"]["Protocol"], update.new[group]["Properties"]["Protocol"]
            if ours != theirs and not {ours, theirs} <= over_tcp:
                yield logical_id, f"{ours} in front of {theirs}"


def _addresses(properties: dict[str, Any]) -> dict[str, str | None]:
    """Return the private addresses asked for, by subnet; None where AWS chooses."""
    mappings = properties.get("SubnetMappings", [])
    given = {_key(each["SubnetId"]): each.get("PrivateIPv4Address") for each in mappings}
    subnets = properties.get("Subnets", [])
    return {**given, **{_key(each): None for each in (subnets if isinstance(subnets, list) else [subnets])}}


@_rule(
    name="subnet-removed",
    text="a subnet taken from the load balancer, or exchanged for another of its zone",
    message="InvalidConfigurationRequest",
    source="elasticloadbalancing/latest/network/availability-zones.html",
    while_connected=True,
)
def _subnet_removed(update: Update) -> Iterator[Refused]:
    for logical_id, old, new in update.both(LOAD_BALANCER):
        gone = _addresses(old).keys() - _addresses(new).keys()
        if gone:
            yield logical_id, f"without {', '.join(sorted(gone))}"


@_rule(
    name="private-address",
    text="another private address in a subnet that the load balancer has: its network interface cannot be modified",
    message="InvalidConfigurationRequest",
    source="elasticloadbalancing/latest/network/availability-zones.html",
)
def _private_address(update: Update) -> Iterator[Refused]:
    for logical_id, old, new in update.both(LOAD_BALANCER):
        before, after = _addresses(old), _addresses(new)
        moved = [subnet for subnet in before.keys() & after.keys() if before[subnet] != after[subnet]]
        if moved:
            yield logical_id, f"in {', '.join(sorted(moved))}"


@_rule(
    name="security-groups",
    text="the first security group of a load balancer, and the removal of the last",
    message="You cannot set security groups on a Network Load Balancer which was created without any security groups",
    source="elasticloadbalancing/latest/network/load-balancer-security-groups.html",
)
def _security_groups(update: Update) -> Iterator[Refused]:
    for logical_id, old, new in update.both(LOAD_BALANCER):
        if bool(old.get("SecurityGroups")) != bool(new.get("SecurityGroups")):
            yield logical_id, "from none to some, or from some to none"


@_rule(
    name="enforcement",
    text="inbound rules on PrivateLink traffic of a load balancer without security groups",
    message="InvalidConfigurationRequest",
    source="elasticloadbalancing/latest/APIReference/API_SetSecurityGroups.html",
)
def _enforcement(update: Update) -> Iterator[Refused]:
    name = "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"
    for logical_id, old, new in update.both(LOAD_BALANCER):
        if old.get(name) != new.get(name) and not new.get("SecurityGroups"):
            yield logical_id, f"{name} without SecurityGroups"


@_rule(
    name="another-vpc",
    text="security groups of another VPC than the load balancer's: it cannot move",
    message="InvalidConfigurationRequest",
    source="elasticloadbalancing/latest/network/load-balancer-security-groups.html",
)
def _another_vpc(update: Update) -> Iterator[Refused]:
    for logical_id, _, new in update.both(LOAD_BALANCER):
        for group in sorted(references(new.get("SecurityGroups", []))):
            if group in update.changes and "VpcId" in update.changes[group].because:
                yield logical_id, f"{group} moves to another VPC"


@_rule(
    name="fewer-secondary-addresses",
    text="fewer automatically assigned secondary addresses",
    message="InvalidConfigurationRequest",
    source="elasticloadbalancing/latest/network/edit-load-balancer-attributes.html",
)
def _fewer_secondary_addresses(update: Update) -> Iterator[Refused]:
    name = "secondary_ips.auto_assigned.per_subnet"
    for logical_id, old, new in update.both(LOAD_BALANCER):
        before, after = (int(_attributes(each, "LoadBalancerAttributes").get(name, "0")) for each in (old, new))
        if after < before:
            yield logical_id, f"{after} instead of {before}"


@_rule(
    name="deletion-protection",
    text="the deletion of a load balancer that is protected from it",
    message="OperationNotPermitted",
    source="elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html",
)
def _deletion_protection(update: Update) -> Iterator[Refused]:
    for logical_id, change in update.changes.items():
        if change.resource_type == LOAD_BALANCER and change.outcome in {Outcome.REMOVED, Outcome.REPLACED}:
            attributes = _attributes(update.old[logical_id].get("Properties", {}), "LoadBalancerAttributes")
            if attributes.get("deletion_protection.enabled") == "true":
                yield logical_id, "deletion_protection.enabled"


@_rule(
    name="service-removed",
    text="the deletion of an endpoint service that has connections",
    message="ExistingVpcEndpointConnections",
    source="vpc/latest/privatelink/delete-endpoint-service.html",
    while_connected=True,
)
def _service_removed(update: Update) -> Iterator[Refused]:
    for logical_id, change in update.changes.items():
        if change.resource_type == ENDPOINT_SERVICE and change.outcome in {Outcome.REMOVED, Outcome.REPLACED}:
            yield logical_id, change.outcome.value


@_rule(
    name="service-load-balancer",
    text="another load balancer in place of a connected endpoint service's",
    message="ExistingVpcEndpointConnections",
    source="vpc/latest/privatelink/configure-endpoint-service.html",
    while_connected=True,
)
def _service_load_balancer(update: Update) -> Iterator[Refused]:
    for logical_id, old, new in update.both(ENDPOINT_SERVICE):
        before, after = (references(each.get("NetworkLoadBalancerArns", [])) for each in (old, new))
        replaced = {
            each
            for each in before & after
            if each in update.changes and update.changes[each].outcome is Outcome.REPLACED
        }
        if before - after or replaced:
            yield logical_id, f"without {', '.join(sorted((before - after) | replaced))}"


@_rule(
    name="load-balancer-in-service",
    text="a load balancer in two endpoint services, the one counted that is deleted at the end of the update",
    message="InvalidParameter",
    source="vpc/latest/privatelink/create-endpoint-service.html",
)
def _load_balancer_in_service(update: Update) -> Iterator[Refused]:
    holders = {
        balancer: logical_id
        for logical_id, each in update.old.items()
        if each["Type"] == ENDPOINT_SERVICE
        for balancer in references(each["Properties"].get("NetworkLoadBalancerArns", []))
    }
    for logical_id, properties in update.created(ENDPOINT_SERVICE):
        for balancer in sorted(references(properties.get("NetworkLoadBalancerArns", []))):
            # A balancer that is replaced in the same update is another one.
            if balancer in holders and update.changes[balancer].outcome in {Outcome.SAME, Outcome.UPDATED}:
                yield logical_id, f"{balancer} belongs to {holders[balancer]} until the update is over"


@_rule(
    name="permissions-moved",
    text="a second resource for an endpoint service's permissions: deleting the first takes its principals away",
    source="AWSCloudFormation/latest/UserGuide/aws-resource-ec2-vpcendpointservicepermissions.html",
)
def _permissions_moved(update: Update) -> Iterator[Refused]:
    holders = {
        _key(each["Properties"]["ServiceId"]): logical_id
        for logical_id, each in update.old.items()
        if each["Type"] == PERMISSIONS
    }
    for logical_id, properties in update.created(PERMISSIONS):
        holder = holders.get(_key(properties["ServiceId"]))
        if holder not in {None, logical_id}:
            yield logical_id, f"{holder} is deleted after it"


@_rule(
    name="payer",
    text="the consumer as payer again",
    source="AWSEC2/latest/APIReference/API_ModifyVpcEndpointServicePayerResponsibility.html",
)
def _payer(update: Update) -> Iterator[Refused]:
    for logical_id, old, new in update.both(ENDPOINT_SERVICE):
        if old.get("PayerResponsibility") and not new.get("PayerResponsibility"):
            yield logical_id, "without PayerResponsibility"


@_rule(
    name="idle-timeout-across-regions",
    text="an idle timeout of one's own together with access from other Regions",
    message="InvalidParameter",
    source="vpc/latest/privatelink/privatelink-share-your-services.html",
)
def _idle_timeout_across_regions(update: Update) -> Iterator[Refused]:
    shared = [
        logical_id
        for logical_id, each in update.new.items()
        if each["Type"] == ENDPOINT_SERVICE and each["Properties"].get("SupportedRegions")
    ]
    for logical_id, each in update.new.items():
        own = _attributes(each.get("Properties", {}), "ListenerAttributes").get("tcp.idle_timeout.seconds", "350")
        if shared and each["Type"] == LISTENER and own != "350":
            yield logical_id, f"tcp.idle_timeout.seconds {own} with SupportedRegions of {', '.join(shared)}"


@_rule(
    name="rule-twice",
    text="a security group's rule that another resource still has: CloudFormation deletes last",
    message="InvalidPermission.Duplicate",
    source="AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html",
)
def _rule_twice(update: Update) -> Iterator[Refused]:
    holders = {
        (each["Type"], _traffic(each["Properties"])): logical_id
        for logical_id, each in update.old.items()
        if each["Type"] in _RULE_TYPES
    }
    for logical_id, properties in update.created(*_RULE_TYPES):
        holder = holders.get((update.changes[logical_id].resource_type, _traffic(properties)))
        if holder not in {None, logical_id}:
            yield logical_id, f"the same rule as {holder}"


@_rule(
    name="physical-name",
    text="the replacement of a resource whose physical name stays: two cannot bear it",
    message="CloudFormation cannot update a stack when a custom-named resource requires replacing",
    source="AWSCloudFormation/latest/UserGuide/aws-properties-name.html",
)
def _physical_name(update: Update) -> Iterator[Refused]:
    for logical_id, change in update.changes.items():
        if change.outcome is not Outcome.REPLACED or change.because == ("Type",):
            continue
        old, new = (each[logical_id].get("Properties", {}) for each in (update.old, update.new))
        for path in schema(change.resource_type).names:
            if isinstance(new.get(path[0]), str) and old.get(path[0]) == new[path[0]]:
                yield logical_id, f"{path[0]} {new[path[0]]}"


@_rule(
    name="type",
    text="another type under a logical id that exists",
    message="Update of resource type is not permitted",
    source="AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html",
)
def _type(update: Update) -> Iterator[Refused]:
    for logical_id, change in update.changes.items():
        if change.because == ("Type",):
            yield logical_id, f"{update.old[logical_id]['Type']} to {change.resource_type}"


def _attributes(properties: dict[str, Any], name: str) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in properties.get(name, [])}


def _traffic(properties: dict[str, Any]) -> str:
    """Return what EC2 compares rules by: everything but the description."""
    return _key({name: value for name, value in properties.items() if name != "Description"})

"""The decision itself: each fault that is planted in a deployed template is found, and nothing else is."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.updates.refusals import (
    ENDPOINT_SERVICE,
    LISTENER,
    LOAD_BALANCER,
    PERMISSIONS,
    RULES,
    SECURITY_GROUP,
    TARGET_GROUP,
    refusals,
)
from tests.updates.replacement import Outcome, Template, changes, references
from tests.updates.schemas import schema

if TYPE_CHECKING:
    from collections.abc import Callable

_DEPLOYED = Path(__file__).parents[1] / "releases" / "v0_1_0_dev1" / "templates" / "apps.three_listeners.json"
FUNCTION = "AWS::Lambda::Function"


@pytest.fixture
def deployed() -> Template:
    """Return a template with three listeners, as it is deployed."""
    template: Template = json.loads(_DEPLOYED.read_text())
    return template


def ids(template: Template, resource_type: str) -> list[str]:
    """Return the logical ids of a type."""
    return [each for each, resource in template["Resources"].items() if resource["Type"] == resource_type]


def properties(template: Template, resource_type: str) -> dict[str, Any]:
    """Return the properties of the first resource of a type."""
    found: dict[str, Any] = template["Resources"][ids(template, resource_type)[0]]["Properties"]
    return found


def changed(template: Template, mutate: Callable[[Template], object]) -> Template:
    """Return a copy with a change."""
    other = copy.deepcopy(template)
    mutate(other)
    return other


def renamed(template: Template, logical_id: str, other: str) -> None:
    """Give a resource another logical id, in every reference as well."""
    text = json.dumps(template).replace(f'"{logical_id}"', f'"{other}"')
    template.clear()
    template.update(json.loads(text))


def outcomes(old: Template, new: Template, outcome: Outcome) -> set[str]:
    """Return the logical ids with an outcome."""
    return {logical_id for logical_id, change in changes(old, new).items() if change.outcome is outcome}


def test_the_same_template_changes_nothing(deployed: Template) -> None:
    """An update without a difference neither does nor breaks anything."""
    assert {change.outcome for change in changes(deployed, copy.deepcopy(deployed)).values()} == {Outcome.SAME}
    assert refusals(deployed, copy.deepcopy(deployed)) == []


@pytest.mark.parametrize(
    ("resource_type", "name", "value"),
    [
        (TARGET_GROUP, "Port", 5433),
        (TARGET_GROUP, "Protocol", "TLS"),
        (TARGET_GROUP, "TargetType", "instance"),
        (TARGET_GROUP, "VpcId", "vpc-0123456789abcdef1"),
        (TARGET_GROUP, "Name", "orders"),
        (TARGET_GROUP, "IpAddressType", "ipv6"),
        (LOAD_BALANCER, "Scheme", "internet-facing"),
        (LOAD_BALANCER, "Name", "orders"),
        (SECURITY_GROUP, "GroupDescription", "Another text"),
        (PERMISSIONS, "ServiceId", "vpce-svc-0123456789abcdef0"),
    ],
)
def test_a_create_only_property_replaces(deployed: Template, resource_type: str, name: str, value: object) -> None:
    """What can only be set at creation replaces the resource, and the change is named."""
    after = changed(deployed, lambda template: properties(template, resource_type).update({name: value}))

    found = changes(deployed, after)[ids(deployed, resource_type)[0]]

    assert found.outcome is Outcome.REPLACED
    assert found.because == (name,)


@pytest.mark.parametrize(
    ("resource_type", "name", "value"),
    [
        (TARGET_GROUP, "HealthCheckIntervalSeconds", 30),
        (LISTENER, "Port", 6000),
        (ENDPOINT_SERVICE, "AcceptanceRequired", False),
        (PERMISSIONS, "AllowedPrincipals", ["arn:aws:iam::222222222222:root"]),
        (LOAD_BALANCER, "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", "on"),
        (FUNCTION, "Runtime", "python3.13"),
        ("Custom::PostgresTargets", "CodeHash", "another"),
    ],
)
def test_any_other_property_changes_in_place(deployed: Template, resource_type: str, name: str, value: object) -> None:
    """Everything else keeps the resource, and touches no other."""
    after = changed(deployed, lambda template: properties(template, resource_type).update({name: value}))

    touched = {each: change for each, change in changes(deployed, after).items() if change.outcome is not Outcome.SAME}

    (found,) = touched.values()
    assert (found.outcome, found.because) == (Outcome.UPDATED, (name,))
    assert refusals(deployed, after) == []


def test_a_replacement_spreads(deployed: Template) -> None:
    """Whoever names a replaced resource in a create-only property is replaced too; others are updated."""
    after = changed(deployed, lambda template: properties(template, LOAD_BALANCER).update(Scheme="internet-facing"))

    assert outcomes(deployed, after, Outcome.REPLACED) == {*ids(deployed, LOAD_BALANCER), *ids(deployed, LISTENER)}
    assert {*ids(deployed, ENDPOINT_SERVICE), *ids(deployed, FUNCTION)} <= outcomes(deployed, after, Outcome.UPDATED)


def test_another_logical_id_is_another_resource(deployed: Template) -> None:
    """The worst bug: a construct id changes, and CloudFormation deletes the endpoint service."""
    (service,) = ids(deployed, ENDPOINT_SERVICE)
    after = changed(deployed, lambda template: renamed(template, service, "Renamed"))

    assert outcomes(deployed, after, Outcome.REMOVED) == {service}
    assert outcomes(deployed, after, Outcome.ADDED) == {"Renamed"}
    # Its permissions name the service at creation.
    assert outcomes(deployed, after, Outcome.REPLACED) == set(ids(deployed, PERMISSIONS))
    assert {each.rule.name for each in refusals(deployed, after)} == {"service-removed", "load-balancer-in-service"}


def test_a_function_that_is_replaced_takes_its_custom_resources_along(deployed: Template) -> None:
    """The service token is create-only, though custom resources have no schema."""
    after = changed(deployed, lambda template: properties(template, FUNCTION).update(FunctionName="sync"))

    replaced = outcomes(deployed, after, Outcome.REPLACED)

    assert set(ids(deployed, "Custom::PostgresTargets")) <= replaced
    assert set(ids(deployed, "AWS::Lambda::Permission")) <= replaced


def test_policies_and_dependencies_change_in_place(deployed: Template) -> None:
    """Attributes beside the properties count as well, and replace nothing."""
    group = ids(deployed, TARGET_GROUP)[0]
    after = changed(deployed, lambda template: template["Resources"][group].update(DeletionPolicy="Retain"))

    found = changes(deployed, after)[group]

    assert (found.outcome, found.because) == (Outcome.UPDATED, ("DeletionPolicy",))


def test_unknown_types_and_conditions_are_not_guessed_at(deployed: Template) -> None:
    """Where nothing is known, nothing is claimed."""
    strange = changed(deployed, lambda template: template["Resources"].update(New={"Type": "AWS::No::Such"}))
    conditional = changed(deployed, lambda template: template.update(Conditions={"Never": {}}))

    with pytest.raises(KeyError, match="AWS::No::Such"):
        changes(deployed, strange)
    with pytest.raises(NotImplementedError, match="Conditions"):
        changes(deployed, conditional)


def test_references_are_found_in_every_form() -> None:
    """Ref, both forms of Fn::GetAtt, Fn::Sub with names of its own and with the escape."""
    value = [
        {"Ref": "A"},
        {"Fn::Join": ["", [{"Fn::GetAtt": ["B", "Arn"]}, {"Fn::GetAtt": "C.Endpoint.Port"}]]},
        {"Fn::Sub": ["${D} ${E.Arn} ${own} ${!no}", {"own": {"Ref": "F"}}]},
    ]

    assert references(value) == {"A", "B", "C", "D", "E", "F"}


def test_schemas_know_what_this_project_fears_most() -> None:
    """The types that are never to be replaced, and what would replace them: read from AWS's schemas."""
    assert schema(ENDPOINT_SERVICE).create_only == ()
    assert {path[0] for path in schema(LOAD_BALANCER).create_only} == {"Name", "Scheme", "Type"}
    assert {("Port",), ("TargetType",), ("VpcId",)} <= set(schema(TARGET_GROUP).create_only)
    assert ("EventBusName",) in schema("AWS::Events::Rule").conditional_create_only
    assert schema("AWS::Events::Rule").names == (("Name",),)


def _swap_ports(template: Template) -> None:
    first, second = (template["Resources"][each]["Properties"] for each in ids(template, LISTENER)[:2])
    first["Port"], second["Port"] = second["Port"], first["Port"]


def _add_second_service(template: Template) -> None:
    template["Resources"]["Second"] = copy.deepcopy(template["Resources"][ids(template, ENDPOINT_SERVICE)[0]])


def _fifty_others(template: Template) -> None:
    listener = template["Resources"][ids(template, LISTENER)[0]]
    for each in ids(template, LISTENER):
        del template["Resources"][each]
    for number in range(48):
        template["Resources"][f"Listener{number}"] = copy.deepcopy(listener)
        template["Resources"][f"Listener{number}"]["Properties"]["Port"] = 7000 + number


def _pin(template: Template) -> None:
    balancer = properties(template, LOAD_BALANCER)
    balancer["SubnetMappings"] = [
        {"SubnetId": subnet, "PrivateIPv4Address": f"10.0.{index}.10"}
        for index, subnet in enumerate(balancer.pop("Subnets"))
    ]


def _attribute(template: Template, key: str, value: str) -> None:
    properties(template, LOAD_BALANCER)["LoadBalancerAttributes"].append({"Key": key, "Value": value})


def _protect(template: Template) -> None:
    for each in properties(template, LOAD_BALANCER)["LoadBalancerAttributes"]:
        if each["Key"] == "deletion_protection.enabled":
            each["Value"] = "true"


def _rename_rule(template: Template) -> None:
    renamed(template, ids(template, "AWS::EC2::SecurityGroupIngress")[0], "SameRule")


def _share_with_idle_timeout(template: Template) -> None:
    properties(template, ENDPOINT_SERVICE)["SupportedRegions"] = ["us-east-1"]
    properties(template, LISTENER)["ListenerAttributes"] = [{"Key": "tcp.idle_timeout.seconds", "Value": "600"}]


def _nothing(template: Template) -> None:
    pass


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        ("port-taken", _nothing, _swap_ports),
        ("port-taken", _nothing, lambda each: renamed(each, ids(each, LISTENER)[0], "SamePort")),
        ("too-many-listeners", _nothing, _fifty_others),
        ("protocol", _nothing, lambda each: properties(each, LISTENER).update(Protocol="UDP")),
        ("subnet-removed", _nothing, lambda each: properties(each, LOAD_BALANCER)["Subnets"].pop()),
        ("private-address", _nothing, _pin),
        ("private-address", _pin, _nothing),
        ("security-groups", _nothing, lambda each: properties(each, LOAD_BALANCER).update(SecurityGroups=[])),
        (
            "enforcement",
            lambda each: properties(each, LOAD_BALANCER).update(SecurityGroups=[]),
            lambda each: properties(each, LOAD_BALANCER).update(
                SecurityGroups=[], EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="on"
            ),
        ),
        ("another-vpc", _nothing, lambda each: properties(each, SECURITY_GROUP).update(VpcId="vpc-other")),
        (
            "fewer-secondary-addresses",
            lambda each: _attribute(each, "secondary_ips.auto_assigned.per_subnet", "2"),
            lambda each: _attribute(each, "secondary_ips.auto_assigned.per_subnet", "1"),
        ),
        ("deletion-protection", _protect, lambda each: renamed(each, ids(each, LOAD_BALANCER)[0], "Other")),
        ("service-removed", _nothing, lambda each: renamed(each, ids(each, ENDPOINT_SERVICE)[0], "Other")),
        ("service-load-balancer", _nothing, lambda each: renamed(each, ids(each, LOAD_BALANCER)[0], "Other")),
        (
            "service-load-balancer",
            _nothing,
            lambda each: properties(each, LOAD_BALANCER).update(Scheme="internet-facing"),
        ),
        ("load-balancer-in-service", _nothing, _add_second_service),
        ("permissions-moved", _nothing, lambda each: renamed(each, ids(each, PERMISSIONS)[0], "Other")),
        ("payer", lambda each: properties(each, ENDPOINT_SERVICE).update(PayerResponsibility="ServiceOwner"), _nothing),
        ("idle-timeout-across-regions", _nothing, _share_with_idle_timeout),
        ("rule-twice", _nothing, _rename_rule),
        (
            "physical-name",
            lambda each: properties(each, TARGET_GROUP).update(Name="orders"),
            lambda each: properties(each, TARGET_GROUP).update(Name="orders", Port=5433),
        ),
        ("type", _nothing, lambda each: each["Resources"][ids(each, LISTENER)[0]].update(Type=TARGET_GROUP)),
    ],
)
def test_a_planted_refusal_is_found(deployed: Template, rule: str, before: object, after: object) -> None:
    """Each rule of the list finds the fault that it is there for."""
    assert callable(before)
    assert callable(after)

    found = refusals(changed(deployed, before), changed(deployed, after))

    assert rule in {each.rule.name for each in found}


def test_every_rule_has_a_planted_fault() -> None:
    """A rule that is added without a fault to show it by would prove nothing."""
    (mark,) = test_a_planted_refusal_is_found.pytestmark  # type: ignore[attr-defined]

    assert {case[0] for case in mark.args[1]} == {rule.name for rule in RULES}


def test_two_ports_are_swapped_over_a_third(deployed: Template) -> None:
    """Each deployment takes a port that no listener has while it runs: that makes three."""
    first, second = ids(deployed, LISTENER)[:2]
    ports = [deployed["Resources"][each]["Properties"]["Port"] for each in (first, second)]

    def moved(template: Template, listener: str, port: int) -> Template:
        return changed(template, lambda each: each["Resources"][listener]["Properties"].update(Port=port))

    away = moved(deployed, first, 6000)
    taken = moved(away, second, ports[0])
    back = moved(taken, first, ports[1])

    assert [refusals(*step) for step in ((deployed, away), (away, taken), (taken, back))] == [[], [], []]
    assert {each.rule.name for each in refusals(away, back)} == {"port-taken"}

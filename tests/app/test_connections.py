"""Consumers and their connections: what the YAML file says of them reaches the resources and the outputs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Match, Template

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_cdk import Stack

_ENDPOINT_SERVICE = "AWS::EC2::VPCEndpointService"
_PERMISSIONS = "AWS::EC2::VPCEndpointServicePermissions"
_TOPIC = "arn:aws:sns:eu-central-1:111122223333:connections"
_KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_ROLE = "arn:aws:iam::664411391173:role/mz_1234_u5678"


def _file(*consumers: dict[str, Any], **settings: object) -> str:
    subnets = [
        {"id": f"subnet-0123456789abcdef{number}", "zone": f"euc1-az{number}", "cidr": f"10.0.{number}.0/24"}
        for number in (1, 2)
    ]
    service = {
        "vpc": {"id": "vpc-0123456789abcdef0", "cidrs": ["10.0.0.0/16"], "subnets": subnets},
        "consumers": consumers,
        "listeners": {"main": {"ip_addresses": {"addresses": ["10.0.0.20"]}}},
        **settings,
    }
    return json.dumps({"region": "eu-central-1", "services": {"orders": service}})


def _outputs(template: Template) -> dict[str, str]:
    """Return the outputs, with `{Ref}` where a reference stands."""
    found = template.find_outputs("*")
    return {name: _flat(output["Value"]) for name, output in found.items()}


def _flat(value: Any) -> str:  # noqa: ANN401  (a value of a template)
    if isinstance(value, str):
        return value
    ((function, content),) = value.items()
    return "".join(map(_flat, content[1])) if function == "Fn::Join" else f"{{{function}}}"


@pytest.mark.parametrize(
    ("consumer", "principal", "name", "told"),
    [
        (
            {"dbt_single_tenant": {"account": "333333333333", "account_url": "https://ab123.eu1.dbt.com"}},
            "arn:aws:iam::333333333333:root",
            "DbtSingleTenant",
            ["Single-Tenant", "333333333333", "https://ab123.eu1.dbt.com"],
        ),
        (
            {"dbt_self_hosted": {"account": "333333333333", "environment": "EMEA", "dns_record": "pg.example.com"}},
            "arn:aws:iam::333333333333:root",
            "DbtSelfHosted",
            ["Self-hosted", "EMEA", "DNS record: pg.example.com"],
        ),
        ({"clickpipes": {}}, "arn:aws:iam::072088201116:root", "ClickPipes", ["ClickPipes"]),
        (
            {"databricks_serverless": {"region": "eu-central-1"}},
            "arn:aws:iam::565502421330:role/private-connectivity-role-eu-central-1",
            "Databricks",
            ["network connectivity configuration"],
        ),
        ({"materialize": {"principals": [_ROLE]}}, _ROLE, "Materialize", ["Zone ids: euc1-az1, euc1-az2"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_every_product_may_connect_and_has_a_text(
    consumer: dict[str, Any], principal: str, name: str, told: list[str], stack: Callable[[str], Stack]
) -> None:
    """Its principal is the service's, and what it wants to be told is an output, with the zones where it asks."""
    template = Template.from_stack(stack(_file(consumer)))

    template.has_resource_properties(_PERMISSIONS, {"AllowedPrincipals": [principal]})
    text = _outputs(template)[f"Request{name}"]
    assert [each for each in told if each not in text] == []


@pytest.mark.parametrize(
    "consumer",
    [
        {"dbt_single_tenant": {"account": "333333333333"}},
        {"dbt_self_hosted": {"account": "333333333333"}},
        {"clickpipes": {}},
        {"databricks_serverless": {"region": "eu-central-1"}},
        {"materialize": {"principals": [_ROLE]}},
    ],
    ids=lambda consumer: next(iter(consumer)),
)
def test_the_ranges_of_every_product_are_enforced(consumer: dict[str, Any], stack: Callable[[str], Stack]) -> None:
    """Given, they are the load balancer's inbound rules, and hold for PrivateLink too."""
    ((kind, content),) = consumer.items()
    made = stack(_file({kind: {**content, "source_ranges": ["10.20.0.0/16"]}}))
    template = Template.from_stack(made)

    template.has_resource_properties(
        "AWS::ElasticLoadBalancingV2::LoadBalancer", {"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on"}
    )
    template.has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {"SecurityGroupIngress": [Match.object_like({"CidrIp": "10.20.0.0/16", "FromPort": 5432})]},
    )


def test_listed_accounts_are_accepted_and_others_rejected(stack: Callable[[str], Stack]) -> None:
    """The function that answers knows both."""
    own = {"principals": ["arn:aws:iam::222222222222:root"], "requires_acceptance": True, "regions": ["us-east-1"]}
    made = stack(_file(own, accept_from=["222222222222"], reject_others=True, supported_regions=["us-east-1"]))
    template = Template.from_stack(made)

    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Environment": {
                "Variables": Match.object_like({"ACCEPT_FROM": "222222222222", "REJECT_OTHERS": "true"}),
            }
        },
    )
    template.has_resource_properties(_ENDPOINT_SERVICE, {"SupportedRegions": ["us-east-1"]})


@pytest.mark.parametrize("wanted", [True, False])
def test_notifications_can_be_turned_off(wanted: bool, stack: Callable[[str], Stack]) -> None:
    """Without them there is neither topic nor notification nor alarm for it."""
    template = Template.from_stack(stack(_file({"dbt_platform": {}}, notifications={"enabled": wanted})))

    template.resource_count_is("AWS::EC2::VPCEndpointConnectionNotification", int(wanted))
    template.resource_count_is("AWS::SNS::Topic", int(wanted))


def test_those_who_are_told_reach_the_topic(stack: Callable[[str], Stack]) -> None:
    """The topic made here is encrypted with the given key, and each address is subscribed."""
    notifications = {"emails": ["a@example.com", "b@example.com"], "key": _KEY}
    template = Template.from_stack(stack(_file({"dbt_platform": {}}, notifications=notifications)))

    template.has_resource_properties("AWS::SNS::Topic", {"KmsMasterKeyId": _KEY})
    subscriptions = template.find_resources("AWS::SNS::Subscription").values()
    assert sorted(each["Properties"]["Endpoint"] for each in subscriptions) == ["a@example.com", "b@example.com"]


def test_a_given_topic_is_told(stack: Callable[[str], Stack]) -> None:
    """None is made beside it, even where nothing waits."""
    made = stack(_file({"dbt_platform": {}}, acceptance_required=False, notifications={"topic": _TOPIC}))
    template = Template.from_stack(made)

    template.has_resource_properties(
        "AWS::EC2::VPCEndpointConnectionNotification", {"ConnectionNotificationArn": _TOPIC}
    )
    template.resource_count_is("AWS::SNS::Topic", 0)


def test_consumers_are_cut_off_where_it_is_asked_for(stack: Callable[[str], Stack]) -> None:
    """A resource of the stack rejects all connections when it is deleted; without the setting there is none."""
    for wanted in (True, False):
        template = Template.from_stack(stack(_file({"dbt_platform": {}}, reject_connections_on_delete=wanted)))

        template.resource_count_is("Custom::PostgresConnectionRejection", int(wanted))


def test_the_owner_can_pay(stack: Callable[[str], Stack]) -> None:
    """Said twice, as AWS never lets it be changed back."""
    settings = {"payer_responsibility": "ServiceOwner", "payer_responsibility_is_irreversible": True}
    template = Template.from_stack(stack(_file({"dbt_platform": {}}, **settings)))

    template.has_resource_properties(_ENDPOINT_SERVICE, {"PayerResponsibility": "ServiceOwner"})


def test_the_commands_for_connections_are_outputs(stack: Callable[[str], Stack]) -> None:
    """To list all or those that wait, to accept and to reject: each can be pasted as it is, but for the endpoint."""
    outputs = _outputs(Template.from_stack(stack(_file({"dbt_platform": {}}))))

    service = "--region eu-central-1 --service-id {Ref} --vpc-endpoint-ids vpce-ID"
    listed = "aws ec2 describe-vpc-endpoint-connections --region eu-central-1 --filters Name=service-id,Values={Ref} "
    assert {name: value for name, value in outputs.items() if name.endswith("Command")} == {
        "AcceptCommand": f"aws ec2 accept-vpc-endpoint-connections {service}",
        "RejectCommand": f"aws ec2 reject-vpc-endpoint-connections {service}",
        "WaitingCommand": f"{listed}Name=vpc-endpoint-state,Values=pendingAcceptance "
        "--query 'VpcEndpointConnections[].[VpcEndpointId,VpcEndpointOwner]' --output text",
        "ConnectionsCommand": f"{listed}"
        "--query 'VpcEndpointConnections[].[VpcEndpointId,VpcEndpointState,VpcEndpointOwner]' --output text",
    }


def test_without_these_settings_the_template_is_what_it_was(stack: Callable[[str], Stack]) -> None:
    """The defaults written out add nothing."""
    defaults = {
        "reject_others": False,
        "reject_connections_on_delete": False,
        "notifications": {"enabled": True},
        "payer_responsibility_is_irreversible": False,
    }
    made = Template.from_stack(stack(_file({"dbt_platform": {}}))).to_json()

    assert Template.from_stack(stack(_file({"dbt_platform": {}}, **defaults))).to_json() == made

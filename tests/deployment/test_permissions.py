"""The function's role: every statement is needed, and each is as narrow as AWS allows.

Mutants are made from the synthesized template, so that a new statement is tested without anyone thinking of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.deployment.mutants import STACK, template, write
from tools.cdk_cli import CdkError
from tools.demo_world import PROVIDER_ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.deployment.conftest import Site

LOGS = "logs"

# Which actions can be limited to a resource, by the Service Authorization Reference:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
RESOURCE_TYPES = {
    "elasticloadbalancing:AddTags": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "elasticloadbalancing:DeregisterTargets": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "elasticloadbalancing:DescribeTags": None,
    "elasticloadbalancing:DescribeTargetGroups": None,
    "elasticloadbalancing:DescribeTargetHealth": None,
    "elasticloadbalancing:RegisterTargets": "AWS::ElasticLoadBalancingV2::TargetGroup",
    "logs:CreateLogStream": "AWS::Logs::LogGroup",
    "logs:PutLogEvents": "AWS::Logs::LogGroup",
}


def _actions(statement: dict[str, Any]) -> list[str]:
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


def _statements(made: dict[str, Any]) -> list[dict[str, Any]]:
    (policy,) = (each for each in made["Resources"].values() if each["Type"] == "AWS::IAM::Policy")
    statements: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return statements


def test_resources_are_as_narrow_as_aws_allows(site: Site) -> None:
    """An action with resource-level permission names our resource; one without has `*`, or nothing allows it."""
    site.configure(lambda text: text.replace("    listeners:", "    healthy_timeout: 10\n    listeners:"))
    made = template(site)

    for statement in _statements(made):
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        for action in _actions(statement):
            wanted = RESOURCE_TYPES[action]
            if wanted is None:
                assert resources == ["*"], action
            else:
                named = [each.get("Ref") or each["Fn::GetAtt"][0] for each in resources]
                assert {made["Resources"][each]["Type"] for each in named} == {wanted}, action


@pytest.mark.parametrize("missing", ["FollowTargets", "ReadTargets"])
def test_without_a_statement_the_deployment_fails_and_says_why(site: Site, missing: str) -> None:
    """What the function may not do shows at deployment, not at the first failover."""
    site.configure(lambda text: text.replace("    listeners:", "    healthy_timeout: 10\n    listeners:"))
    changed = template(site)
    statements = _statements(changed)
    statements[:] = [each for each in statements if each.get("Sid") != missing]
    write(site, changed)

    with pytest.raises(CdkError) as failed:
        site.cdk.deploy()

    assert "AccessDenied" in failed.value.output
    (stack,) = site.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"


def test_without_its_statement_nothing_could_be_logged(site: Site) -> None:
    """The emulator writes functions' logs past IAM, so the role is asked for what AWS would need."""
    site.configure()
    assert {each.get("Sid", LOGS) for each in _statements(template(site))} == {LOGS, "FollowTargets", "ReadTargets"}
    site.cdk.deploy()
    iam = site.client("iam")
    role, group = (site.resource(kind, of="TargetSync") for kind in ("AWS::IAM::Role", "AWS::Logs::LogGroup"))
    (policy_name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy_name)["PolicyDocument"]

    def decisions() -> set[str]:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{PROVIDER_ACCOUNT}:role/{role}",
            ActionNames=["logs:CreateLogStream", "logs:PutLogEvents"],
            ResourceArns=[f"arn:aws:logs:{REGION}:{PROVIDER_ACCOUNT}:log-group:{group}:*"],
        )
        return {each["EvalDecision"] for each in answer["EvaluationResults"]}

    assert decisions() == {"allowed"}

    document["Statement"] = [each for each in document["Statement"] if "Sid" in each]
    iam.put_role_policy(RoleName=role, PolicyName=policy_name, PolicyDocument=json.dumps(document))

    assert decisions() == {"implicitDeny"}

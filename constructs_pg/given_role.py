"""A function's role that is given: a policy of ours in it, or what people must be told that it needs."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

if TYPE_CHECKING:
    from constructs import Construct

# How Fn::Sub writes a reference; and one to what a deployment makes, not to its account or Region.
_SUB = "${{{}}}"
_REFERENCE = re.compile(r"\$\{(?!AWS::)[^}]*\}")


def attach_policy(scope: Construct, construct_id: str, role: iam.IRole) -> iam.Policy | None:
    """Return an empty inline policy of ours in a given role; None where CDK may not change the role.

    In our stack, wherever the role is: its own policy could not name what is in ours without a circle of stacks.
    """
    policy = iam.Policy(scope, construct_id)
    role.attach_inline_policy(policy)
    resource = policy.node.default_child
    assert isinstance(resource, iam.CfnPolicy)  # noqa: S101 - true of the L2
    if cdk.Stack.of(scope).resolve(resource.roles):
        return policy
    # In no template, but policy packs would look at it.
    scope.node.try_remove_child(construct_id)
    return None


def described(scope: Construct, statement: iam.PolicyStatement) -> dict[str, Any]:
    """Return a statement as people need it before the deployment, when what it makes has no names yet."""
    stack = cdk.Stack.of(scope)
    found: dict[str, Any] = stack.resolve(statement.to_statement_json())
    service = statement.actions[0].partition(":")[0]
    stack_name = spelled(stack.resolve(stack.stack_name), _SUB)
    unnamed = {
        "elasticloadbalancing": "targetgroup/*",
        "kms": "key/*",
        "logs": f"log-group:{stack_name}-*:*",
    }
    resources = found.get("Resource", _SUB.format("NoTargetGroupYet"))
    found["Resource"] = []
    for resource in resources if isinstance(resources, list) else [resources]:
        name = spelled(resource, _SUB)
        if name == _SUB.format("AWS::StackId"):
            name = f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:stack/{stack_name}/*"
        elif _REFERENCE.fullmatch(name):
            name = f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{unnamed[service]}"
        found["Resource"].append(_REFERENCE.sub("*", name))
    return found


def spelled(value: Any, reference: str) -> str:  # noqa: ANN401 - whatever CloudFormation has in place of a text
    """Return a resolved value as text in which references are written as asked, with their name for `{}`."""
    if isinstance(value, str):
        return value
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(spelled(part, reference) for part in parts)
        case {"Fn::GetAtt": [logical_id, attribute]}:
            return reference.format(f"{logical_id}.{attribute}")
        case {"Ref": name}:
            return reference.format(name)
        case {"Fn::ImportValue": name}:
            return spelled(name, reference)
    return json.dumps(value)

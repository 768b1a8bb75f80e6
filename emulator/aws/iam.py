"""Which resource an API call is authorized on, where stock asks for another one than AWS does.

From the service authorization reference (service-authorization/latest/reference/: list_amazonec2.html,
list_awselasticloadbalancingv2.html, list_amazonrds.html). Only matters with `AUTH=true`.
"""

import re
from contextvars import ContextVar
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import alb, ec2, rds

Parameters = dict[str, list[str]]

# Actions on one endpoint service; every other action on endpoint services and connections has no resource.
_ON_SERVICE = frozenset(
    {
        "AcceptVpcEndpointConnections",
        "CreateVpcEndpointConnectionNotification",
        "DeleteVpcEndpointServiceConfigurations",
        "DescribeVpcEndpointServicePermissions",
        "ModifyVpcEndpointServiceConfiguration",
        "ModifyVpcEndpointServicePermissions",
        "RejectVpcEndpointConnections",
        "StartVpcEndpointServicePrivateDnsVerification",
    }
)
_WITHOUT_RESOURCE = re.compile(r"Describe(VpcEndpoint|Subnets|Vpcs|SecurityGroup|NetworkInterfaces|AvailabilityZones)")
_ON_DATABASE = re.compile(r"(Create|Delete|Describe|Failover|Modify|Reboot|Start|Stop)(?P<noun>DBInstance|DBCluster)s?")
_others: ContextVar[tuple[str, ...]] = ContextVar("other_resources", default=())


def _values(parameters: Parameters, name: str) -> list[str]:
    """Return a parameter, or the members of a list of that name, numbered either way."""
    member = re.compile(rf"{name}(\.member)?(\.\d+)?")
    return [value[0] for key, value in parameters.items() if member.fullmatch(key) and value]


def _databases(action: str, parameters: Parameters, prefix: str) -> list[str] | None:
    """Return the databases an action of Amazon RDS is authorized on; without an identifier, all of their kind."""
    match = _ON_DATABASE.fullmatch(action)
    if match:
        kind = "db" if match["noun"] == "DBInstance" else "cluster"
        identifier = next(iter(_values(parameters, f"{match['noun']}Identifier")), "*")
        return [identifier if identifier.startswith("arn:") else f"{prefix}:{kind}:{identifier}"]
    if action == "DescribeDBSubnetGroups":
        return [f"{prefix}:subgrp:{next(iter(_values(parameters, 'DBSubnetGroupName')), '*')}"]
    if action in {"DescribeDBProxies", "DescribeDBProxyTargets", "DescribeDBProxyTargetGroups"}:
        names = _values(parameters, "DBProxyName")
        proxies = [rds._db_proxies[name]["DBProxyArn"] for name in names if name in rds._db_proxies]
        return proxies or [f"{prefix}:db-proxy:*"]
    return None


def resources(service: str, action: str, parameters: Parameters, region: str, account: str) -> list[str] | None:
    """Return the ARNs an action is authorized on, `*` for none; `None` where stock is right."""
    if service == "elasticloadbalancing":
        if action.startswith("Describe"):
            return ["*"]
        if action in {"AddTags", "RemoveTags"}:
            return _values(parameters, "ResourceArns")
        if action in {"RegisterTargets", "DeregisterTargets"} or "TargetGroup" in action:
            return _values(parameters, "TargetGroupArn") or ["*"]
    if service == "rds":
        return _databases(action, parameters, f"arn:aws:rds:{region}:{account}")
    if service == "ec2" and action in _ON_SERVICE:
        prefix = f"arn:aws:ec2:{region}:{account}:vpc-endpoint-service/"
        return [prefix + service_id for service_id in _values(parameters, "ServiceId")] or ["*"]
    return ["*"] if service == "ec2" and _WITHOUT_RESOURCE.match(action) else None


def _tags(arn: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = (
        alb._tags.get(arn, []) if ":elasticloadbalancing:" in arn else ec2._tags.get(arn.rpartition("/")[2], [])
    )
    return found


def install() -> None:
    """Correct the resources, and let policies see `elasticloadbalancing:ResourceTag` and `ec2:ResourceTag`."""
    stock_resource, stock_enforce = iam_actions.extract_resource_arn, iam_evaluator.enforce

    def extract_resource_arn(  # noqa: PLR0917  # stock's signature
        service: str,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        parameters: Parameters,
        region: str,
        account: str,
    ) -> str:
        action = parameters.get("Action", [""])[0]
        found = resources(service, action, parameters, region, account)
        _others.set(tuple(found[1:]) if found else ())
        if found:
            return found[0]
        arn: str = stock_resource(service, method, path, headers, body, parameters, region, account)
        return arn

    def enforce(  # noqa: PLR0917  # as above
        access_key_id: str,
        iam_action: str,
        service: str,
        region: str,
        resource_arn: str = "*",
        service_context: dict[str, Any] | None = None,
    ) -> object:
        """Authorize a call on every resource it names, as AWS does."""
        others = _others.get() if service in {"elasticloadbalancing", "ec2"} else ()
        _others.set(())
        for arn in (resource_arn, *others):
            context = dict(service_context or {})
            for prefix in ("aws", iam_action.partition(":")[0]):
                context |= {f"{prefix}:ResourceTag/{tag['Key']}": tag["Value"] for tag in _tags(arn)}
            denied: object = stock_enforce(access_key_id, iam_action, service, region, arn, context)
            if denied:
                return denied
        return None

    stock_lambda_action = iam_actions._lambda_action

    def lambda_action(method: str, path: str) -> str | None:
        """Return the action of a call on a function's concurrency, which stock takes for Put whatever it is."""
        action: str | None = stock_lambda_action(method, path)
        if action == "PutFunctionConcurrency":
            return {"GET": "GetFunctionConcurrency", "DELETE": "DeleteFunctionConcurrency"}.get(method, action)
        return action

    iam_actions._lambda_action = lambda_action

    # Without botocore's name of the service, stock sees no aws:TagKeys and no aws:RequestTag in its calls.
    iam_actions._BOTOCORE_SERVICE_MAP["elasticloadbalancing"] = ["elbv2"]
    iam_actions.extract_resource_arn = extract_resource_arn
    iam_evaluator.enforce = enforce

    # The bootstrap bucket's policy refuses plain HTTP; what comes over loopback stands for TLS.
    stock_origin = app.pin_request_origin
    app.pin_request_origin = lambda address, _secure: stock_origin(address, secure_transport=True)

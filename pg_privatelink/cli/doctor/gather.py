"""Reads the facts once. What may not be read leaves the others alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from pg_privatelink.cli.alarms import read_alarms
from pg_privatelink.cli.connections import read_connections, read_principals
from pg_privatelink.cli.doctor.database import Database, read_database
from pg_privatelink.cli.doctor.facts import Facts, read
from pg_privatelink.cli.doctor.gather_function import gather_function
from pg_privatelink.cli.doctor.template import Template
from pg_privatelink.cli.explain import ERRORS, code
from pg_privatelink.cli.listeners import read_listeners, read_targets
from pg_privatelink.cli.problem import Problem
from pg_privatelink.cli.service import TARGET_GROUP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

    from pg_privatelink.cli.aws import Aws
    from pg_privatelink.cli.doctor.facts import Row
    from pg_privatelink.cli.listeners import Listener, Target
    from pg_privatelink.cli.service import Service

T = TypeVar("T")
U = TypeVar("U")

_FILTER_VALUES = 200  # as many as a filter of the EC2 API takes


def gather(aws: Aws, service: Service) -> Facts:
    """Return all that the checks look at.

    Args:
        aws: Where the service is.
        service: The service.
    """
    facts = Facts(service=service)
    facts.template = read(lambda: _template(aws, service))
    facts.configuration = read(lambda: _configuration(aws, service))
    facts.principals = read(lambda: read_principals(aws, service_id=service.id))
    facts.connections = read(lambda: read_connections(aws, service_id=service.id))
    _gather_load_balancer(aws, facts)
    gather_function(aws, facts)
    facts.databases = _from(facts.named, lambda named: _databases(aws, named, facts.report))
    _gather_network(aws, facts)
    facts.alarms = read(lambda: read_alarms(aws, service))
    return facts


def _from(known: T | Problem, then: Callable[[T], U]) -> U | Problem:
    """Return what is read with the help of another fact, or why that fact is missing."""
    return known if isinstance(known, Problem) else read(lambda: then(known))


def _template(aws: Aws, service: Service) -> Template:
    cloudformation: CloudFormationClient = aws.client("cloudformation")
    body: Any = cloudformation.get_template(StackName=service.stack)["TemplateBody"]
    return Template(service, json.loads(body) if isinstance(body, str) else body)


def _configuration(aws: Aws, service: Service) -> Row:
    ec2: EC2Client = aws.client("ec2")
    (row,) = ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[service.id])["ServiceConfigurations"]
    found: Any = row
    return found  # type: ignore[no-any-return]


def _gather_load_balancer(aws: Aws, facts: Facts) -> None:
    elbv2: ElasticLoadBalancingv2Client = aws.client("elbv2")
    arn = facts.service.load_balancer_arn
    facts.load_balancer = read(lambda: _load_balancer(elbv2, arn))
    facts.attributes = read(
        lambda: _attributes(elbv2.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"])
    )
    facts.listeners = read(lambda: _listeners(elbv2, arn))
    facts.named = read(lambda: read_listeners(aws, facts.service))
    arns = {each.physical_id for each in facts.service.of_type(TARGET_GROUP) if each.physical_id}
    if not isinstance(facts.listeners, Problem):
        arns |= {_target_group(row) for row in facts.listeners} - {""}
    facts.groups = read(lambda: _groups(elbv2, sorted(arns)))
    facts.targets = read(lambda: {arn: read_targets(aws, arn) for arn in arns})


def _load_balancer(elbv2: ElasticLoadBalancingv2Client, arn: str) -> Row | None:
    try:
        found: Any = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    except ERRORS as error:
        if getattr(error, "response", None) and code(error) == "LoadBalancerNotFound":  # type: ignore[arg-type]
            return None
        raise
    return found[0] if found else None


def _attributes(rows: Iterable[Any]) -> dict[str, str]:
    return {row["Key"]: row["Value"] for row in rows}


def _listeners(elbv2: ElasticLoadBalancingv2Client, arn: str) -> list[Row]:
    pages = elbv2.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
    rows: list[Any] = [row for page in pages for row in page["Listeners"]]
    return sorted(rows, key=lambda row: row["Port"])


def _groups(elbv2: ElasticLoadBalancingv2Client, arns: Sequence[str]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    if not arns:
        return found
    pages = elbv2.get_paginator("describe_target_groups").paginate(TargetGroupArns=list(arns))
    for page in pages:
        for row in page["TargetGroups"]:
            arn = row["TargetGroupArn"]
            attributes = elbv2.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
            found[arn] = {**row, "Attributes": _attributes(attributes)}
    return found


def _target_group(row: Row) -> str:
    actions = row.get("DefaultActions") or [{}]
    return str(actions[0].get("TargetGroupArn", ""))


def _databases(aws: Aws, named: Sequence[Listener], report: object) -> dict[str, Database | None]:
    seen = report.get("listeners", {}) if isinstance(report, dict) else {}
    found: dict[str, Database | None] = {}
    known: dict[str, Database | None] = {}
    for listener in named:
        hostname = listener.hostname
        if hostname is None:
            found[listener.name] = None
            continue
        if hostname not in known:
            answer = seen.get(listener.name, {}).get("answer") or {}
            known[hostname] = read_database(aws, (hostname, *answer.get("aliases", ())))
        found[listener.name] = known[hostname]
    return found


def _gather_network(aws: Aws, facts: Facts) -> None:
    ec2: EC2Client = aws.client("ec2")
    row = facts.load_balancer
    if row is None or isinstance(row, Problem):
        why = row or Problem("there is no load balancer to look at", "see the hop 'Load balancer'")
        facts.subnets = facts.security_groups = facts.route_tables = facts.network_acls = facts.interfaces = why
        return
    vpc: Any = [{"Name": "vpc-id", "Values": [row["VpcId"]]}]
    facts.subnets = read(
        lambda: {
            each["SubnetId"]: dict(each)
            for page in ec2.get_paginator("describe_subnets").paginate(Filters=vpc)
            for each in page["Subnets"]
        }
    )
    facts.security_groups = read(
        lambda: {
            each["GroupId"]: dict(each)
            for page in ec2.get_paginator("describe_security_groups").paginate(Filters=vpc)
            for each in page["SecurityGroups"]
        }
    )
    facts.route_tables = read(
        lambda: [
            dict(each)
            for page in ec2.get_paginator("describe_route_tables").paginate(Filters=vpc)
            for each in page["RouteTables"]
        ]
    )
    facts.network_acls = read(
        lambda: [
            dict(each)
            for page in ec2.get_paginator("describe_network_acls").paginate(Filters=vpc)
            for each in page["NetworkAcls"]
        ]
    )
    facts.interfaces = _from(facts.targets, lambda targets: _interfaces(ec2, row, vpc, targets))


def _interfaces(
    ec2: EC2Client, load_balancer: Row, vpc: list[Any], targets: Mapping[str, Sequence[Target]]
) -> list[Row]:
    """Return the load balancer's own interfaces, and those of targets in its VPC."""
    # "ELB net/<name>/<id>" is what Elastic Load Balancing describes its interfaces with.
    described = "ELB " + str(load_balancer["LoadBalancerArn"]).partition(":loadbalancer/")[2]
    ids = sorted({each.target.partition(":")[0] for rows in targets.values() for each in rows})
    filters: list[tuple[str, list[str]]] = [("description", [described])]
    for name, values in (
        ("addresses.private-ip-address", [each for each in ids if not each.startswith("i-")]),
        ("attachment.instance-id", [each for each in ids if each.startswith("i-")]),
    ):
        filters += [(name, values[start : start + _FILTER_VALUES]) for start in range(0, len(values), _FILTER_VALUES)]
    found: dict[str, Row] = {}
    for name, values in filters:
        pages = ec2.get_paginator("describe_network_interfaces").paginate(
            Filters=[*vpc, {"Name": name, "Values": values}]
        )
        for page in pages:
            found |= {row["NetworkInterfaceId"]: dict(row) for row in page["NetworkInterfaces"]}
    return list(found.values())

"""`Service`: an endpoint service of ours, found by the stack that it is in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pg_privatelink.cli.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

    from pg_privatelink.cli.aws import Aws

STACK_NAME_PREFIX = "PgPrivateLink-"  # pg_privatelink.stack has it too; to import that takes a second

ENDPOINT_SERVICE = "AWS::EC2::VPCEndpointService"
LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
SECURITY_GROUP = "AWS::EC2::SecurityGroup"
FUNCTION = "AWS::Lambda::Function"
LOG_GROUP = "AWS::Logs::LogGroup"
ALARMS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")

_HASH = r"[0-9A-F]{8}"  # what CDK puts at the end of each logical id
_SERVICE_ID = re.compile(r"vpce-svc-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a stack.

    Attributes:
        logical_id: Its id in the template.
        type: Its type, such as AWS::Lambda::Function.
        physical_id: Its id, name or ARN, whatever CloudFormation calls it by; empty while it is being made.
    """

    logical_id: str
    type: str
    physical_id: str


@dataclass(frozen=True, slots=True)
class Service:
    """An endpoint service of ours, and what belongs to it.

    Attributes:
        name: Its name in the YAML file; in a stack of the user's own, the beginning of its logical ids.
        beginning: The beginning of its logical ids.
        stack: The stack's name.
        stack_status: The stack's status, such as UPDATE_COMPLETE.
        account: The account.
        region: The Region.
        outputs: The stack's outputs.
        id: The endpoint service's id, vpce-svc-...
        resources: The resources of the service, without those of others in the same stack.
    """

    name: str
    beginning: str
    stack: str
    stack_status: str
    account: str
    region: str
    outputs: Mapping[str, str]
    id: str
    resources: tuple[Resource, ...]

    def of_type(self, *types: str) -> tuple[Resource, ...]:
        """Return the resources of some types, in the order of their logical ids."""
        return tuple(sorted((each for each in self.resources if each.type in types), key=lambda each: each.logical_id))

    def label(self, resource: Resource) -> str:
        """Return a resource's logical id without what all of them have: the service's beginning, and CDK's hash."""
        return re.sub(rf"{_HASH}$", "", resource.logical_id.removeprefix(self.beginning))

    @property
    def load_balancer_arn(self) -> str:
        """The load balancer's ARN."""
        return self.of_type(LOAD_BALANCER)[0].physical_id

    @property
    def function_name(self) -> str | None:
        """The name of the function that follows DNS; None where all targets are fixed."""
        return self._one(FUNCTION, "TargetSyncFunction")

    @property
    def log_group_name(self) -> str | None:
        """The log group of that function."""
        return self._one(LOG_GROUP, "TargetSyncLogGroup")

    @property
    def endpoint_service_name(self) -> str:
        """The name that consumers need."""
        # AWS documents the form: PrivateLink guide, "Share your services through AWS PrivateLink".
        return f"com.amazonaws.vpce.{self.region}.{self.id}"

    def _one(self, type_: str, ending: str) -> str | None:
        named = re.compile(rf".*{ending}{_HASH}")
        found = [each.physical_id for each in self.of_type(type_) if named.fullmatch(each.logical_id)]
        return found[0] if found else None


def find_service(aws: Aws, *, service: str | None = None, stack: str | None = None) -> Service:
    """Return the endpoint service that the user means.

    Args:
        aws: Where to look.
        service: Its name in the YAML file, or its id (default: the only one there is).
        stack: The name of its stack (default: that of the service's name).

    Raises:
        Problem: There is none, or more than one.
    """
    cloudformation: CloudFormationClient = aws.client("cloudformation")
    name = service if service and not _SERVICE_ID.fullmatch(service) else None
    if stack or name:
        stacks = [_stack(aws, cloudformation, stack or f"{STACK_NAME_PREFIX}{name}", by_service=not stack)]
    else:
        stacks = _stacks(aws, cloudformation)
    found = [each for one in stacks for each in _services(aws, cloudformation, one)]
    where = f"account {aws.account}, Region {aws.region}"
    if service and (service != name or stack):
        meant = [each for each in found if service in (each.id, each.name)]
        return _only(meant, among=found, asked=service, where=where)
    if not found:
        names = ", ".join(str(each["StackName"]) for each in stacks)
        raise Problem(
            f"no endpoint service of ours is in stack {names} ({where}; {stacks[0]['StackStatus']})",
            "name another stack with --stack, or deploy it: 'npx cdk deploy --all'",
        )
    return _only(found, among=found, asked=None, where=where)


def services_in(
    resources: Iterable[Resource],
    *,
    stack: str,
    stack_status: str,
    account: str,
    region: str,
    outputs: Mapping[str, str],
) -> list[Service]:
    """Return the endpoint services of ours among a stack's resources: each with those that belong to it.

    CDK makes logical ids of the constructs' path, so all that belongs to a service begins with the same letters.
    """
    known = list(resources)
    by_beginning = {}
    for each in known:
        ours = re.fullmatch(rf"(.*)EndpointService{_HASH}", each.logical_id)
        if each.type == ENDPOINT_SERVICE and ours and each.physical_id:
            by_beginning[ours[1]] = each.physical_id
    own: dict[str, list[Resource]] = {beginning: [] for beginning in by_beginning}
    for each in known:
        owners = [beginning for beginning in own if each.logical_id.startswith(beginning)]
        if owners:
            own[max(owners, key=len)].append(each)
    return [
        Service(
            name=stack.removeprefix(STACK_NAME_PREFIX) if stack.startswith(STACK_NAME_PREFIX) else beginning,
            beginning=beginning,
            stack=stack,
            stack_status=stack_status,
            account=account,
            region=region,
            outputs=outputs,
            id=by_beginning[beginning],
            resources=tuple(members),
        )
        for beginning, members in own.items()
        if any(each.type == LOAD_BALANCER for each in members)
    ]


def _only(chosen: Sequence[Service], *, among: Sequence[Service], asked: str | None, where: str) -> Service:
    if len(chosen) == 1:
        return chosen[0]
    what = f"there are {len(chosen)} services ({where})" if chosen else f"there is no service {asked} ({where})"
    listed = ", ".join(
        f"{each.name} ({each.id}, stack {each.stack})" for each in sorted(among, key=lambda each: each.name)
    )
    raise Problem(what, f"choose one with --service: {listed}")


def _stacks(aws: Aws, cloudformation: CloudFormationClient) -> list[StackTypeDef]:
    """Return all stacks of the app's name."""
    found = _listed(cloudformation)
    if not found:
        raise Problem(
            f"there is no stack {STACK_NAME_PREFIX}... in account {aws.account}, Region {aws.region}",
            "give the Region or the account of your service with --region and --profile, the stack's name with "
            "--stack if you use the construct library, or deploy one: 'npx cdk deploy --all'",
        )
    return found


def _listed(cloudformation: CloudFormationClient) -> list[StackTypeDef]:
    return [
        stack
        for page in cloudformation.get_paginator("describe_stacks").paginate()
        for stack in page["Stacks"]
        if stack["StackName"].startswith(STACK_NAME_PREFIX) and stack["StackStatus"] != "REVIEW_IN_PROGRESS"
    ]


def _stack(aws: Aws, cloudformation: CloudFormationClient, name: str, *, by_service: bool) -> StackTypeDef:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - loaded with the client, not with --help

    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
    remedy = "see the name, and give the Region or the account of your service with --region and --profile"
    if by_service:
        known = [each["StackName"].removeprefix(STACK_NAME_PREFIX) for each in _listed(cloudformation)]
        remedy += f"; services here: {', '.join(sorted(known)) or 'none'}"
    raise Problem(f"there is no stack {name} in account {aws.account}, Region {aws.region}", remedy)


def _services(aws: Aws, cloudformation: CloudFormationClient, stack: StackTypeDef) -> list[Service]:
    resources = [
        Resource(row["LogicalResourceId"], row["ResourceType"], row.get("PhysicalResourceId", ""))
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack["StackName"])
        for row in page["StackResourceSummaries"]
        if not row["ResourceStatus"].startswith("DELETE_COMPLETE")
    ]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
    return services_in(
        resources,
        stack=stack["StackName"],
        stack_status=stack["StackStatus"],
        account=aws.account,
        region=aws.region,
        outputs=outputs,
    )

"""CloudFormation's Lambda functions in a VPC: what they are attached to exists, and their role may attach them.

Rules from lambda/latest/dg/configuration-vpc.html. Functions run on this computer all the same: neither the VPC's
routes nor its security groups stand in their way.
"""

from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import ec2, lambda_svc
from ministack.services.cloudformation import provisioners

from emulator.aws.stack_types import Created, Properties

# With what each is authorized on; an interface is made in a subnet with groups, and all of them must be allowed. See
# service-authorization/latest/reference/list_amazonec2.html.
_ATTACHING = {
    "CreateNetworkInterface": ("network-interface", "subnet", "security-group"),
    "DescribeNetworkInterfaces": (),
    "DescribeSubnets": (),
    "DeleteNetworkInterface": ("network-interface",),
    "AssignPrivateIpAddresses": ("network-interface",),
    "UnassignPrivateIpAddresses": ("network-interface",),
}


def _refuse(message: str) -> None:
    raise ValueError(
        f'Resource handler returned message: "{message} (Service: Lambda, Status Code: 400)" '
        "(HandlerErrorCode: InvalidRequest)"
    )


def _may(role_arn: str, action: str, resource_arn: str) -> bool:
    account = get_account_id()
    policies = iam_evaluator._gather_role_policies(role_arn.rpartition("/")[2], account)
    context = iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=f"ec2:{action}",
        resource_arn=resource_arn,
        region=get_region(),
        service_context={},
        principal_keys={},
    )
    return bool(iam_evaluator.evaluate(context, policies).decision == "Allow")


def _check(properties: Properties) -> None:
    config: dict[str, Any] = properties.get("VpcConfig") or {}
    subnets, groups = config.get("SubnetIds") or [], config.get("SecurityGroupIds") or []
    if bool(subnets) != bool(groups):
        _refuse("A VPC configuration needs both subnets and security groups.")
    for subnet_id in subnets:
        if subnet_id not in ec2._subnets:
            _refuse(f"The subnet ID '{subnet_id}' does not exist")
    for group_id in groups:
        if group_id not in ec2._security_groups:
            _refuse(f"The security group '{group_id}' does not exist")
    if not subnets:
        return
    ids = {"network-interface": ["eni-0123456789abcdef0"], "subnet": subnets, "security-group": groups}
    for action, kinds in _ATTACHING.items():
        owner = f"arn:aws:ec2:{get_region()}:{get_account_id()}"
        resources = [f"{owner}:{kind}/{each}" for kind in kinds for each in ids[kind]] or ["*"]
        if not all(_may(properties["Role"], action, resource) for resource in resources):
            _refuse(f"The provided execution role does not have permissions to call {action} on EC2")


def _attach(name: str, properties: Properties) -> None:
    """Show VPC and key in a function's configuration, where stock's handler leaves them out."""
    config = lambda_svc._functions[name]["config"]
    config["VpcConfig"] = lambda_svc._vpc_config_with_id(properties.get("VpcConfig"))
    config.pop("KMSKeyArn", None)
    if "KmsKeyArn" in properties:
        config["KMSKeyArn"] = properties["KmsKeyArn"]


def install() -> None:
    """Check what stock's handlers of functions take as it comes."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    stock_create, stock_update = handlers["create"], handlers["update"]

    def create(logical_id: str, properties: Properties, stack_name: str) -> Created:
        _check(properties)
        created: Created = stock_create(logical_id, properties, stack_name)
        _attach(created[0], properties)
        return created

    def update(physical_id: str, old: Properties, new: Properties, *more: str) -> Created:
        _check(new)
        updated: Created = stock_update(physical_id, old, new, *more)
        _attach(updated[0], new)
        return updated

    handlers |= {"create": create, "update": update}

"""Auto Scaling groups that launch instances and register them, where stock's groups do neither.

Rules from the Amazon EC2 Auto Scaling API reference (AttachLoadBalancerTargetGroups, DeleteAutoScalingGroup) and
autoscaling/ec2/userguide/attach-load-balancer-asg.html. Scaling policies change nothing by themselves here.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.services import alb, autoscaling, ec2

from emulator.aws.apis import AUTO_SCALING, EC2, ELB
from emulator.aws.wire import ApiError, Arguments, Form, Response, Result

Group = dict[str, Any]


def _find(name: str | None) -> Group:
    group: Group | None = autoscaling._asgs.get(name or "")
    if group is None:
        raise ApiError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return group


def _template(group: Group) -> dict[str, Any]:
    """Return what a group's launch template or launch configuration says about its instances."""
    name = group.get("LaunchConfigurationName")
    if name:
        configuration = autoscaling._launch_configs[name]
        return {**configuration, "SecurityGroupIds": configuration.get("SecurityGroups", [])}
    data, _, _ = ec2._resolve_launch_template_data(group.get("LaunchTemplate") or {})
    found: dict[str, Any] = dict(data or {})
    interfaces = found.get("NetworkInterfaces") or []
    if interfaces:
        found["SecurityGroupIds"] = interfaces[0].get("Groups", [])
    return found


def _launch(group: Group, subnet_id: str) -> None:
    """Launch one instance into a subnet and register it with the group's target groups."""
    template = _template(group)
    propagated = [{"Key": tag["Key"], "Value": tag["Value"]} for tag in group["Tags"] if tag.get("PropagateAtLaunch")]
    tags = [{"Key": "aws:autoscaling:groupName", "Value": group["AutoScalingGroupName"]}, *propagated]
    (instance,) = EC2.call(
        "RunInstances",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet_id,
        ImageId=template.get("ImageId"),
        InstanceType=template.get("InstanceType"),
        SecurityGroupIds=template.get("SecurityGroupIds") or None,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"]
    group["Instances"].append(
        {
            "InstanceId": instance["InstanceId"],
            "LifecycleState": "InService",
            "HealthStatus": "Healthy",
            "AvailabilityZone": instance["Placement"]["AvailabilityZone"],
            "ProtectedFromScaleIn": group["NewInstancesProtectedFromScaleIn"],
            "LaunchTemplate": group.get("LaunchTemplate") or {},
            "LaunchConfigurationName": group.get("LaunchConfigurationName", ""),
        }
    )
    for arn in group.get("TargetGroupARNs", []):
        ELB.call("RegisterTargets", TargetGroupArn=arn, Targets=[{"Id": instance["InstanceId"]}])


def _deregister(arns: list[str], instance_ids: list[str]) -> None:
    for arn in arns:
        if arn in alb._tgs and instance_ids:
            targets = [{"Id": instance_id} for instance_id in instance_ids]
            ELB.call("DeregisterTargets", TargetGroupArn=arn, Targets=targets)


def _members(group: Group) -> list[str]:
    return [instance["InstanceId"] for instance in group["Instances"]]


def reconcile(group: Group) -> None:
    """Launch or terminate instances until there are as many as desired, spread over the group's subnets."""
    subnets = [subnet_id for subnet_id in group["VPCZoneIdentifier"].split(",") if subnet_id]
    surplus = _members(group)[group["DesiredCapacity"] :]
    if surplus:
        del group["Instances"][group["DesiredCapacity"] :]
        _deregister(group.get("TargetGroupARNs", []), surplus)
        EC2.call("TerminateInstances", InstanceIds=surplus)
    while len(group["Instances"]) < group["DesiredCapacity"]:
        used = [ec2._instances[instance_id]["SubnetId"] for instance_id in _members(group)]
        _launch(group, min(subnets, key=used.count))


def attach(group: Group, arns: list[str]) -> None:
    """Add target groups to a group: all its instances are registered with them, on each target group's port.

    Raises:
        ApiError: One is unknown, or does not take instances by id.
    """
    for arn in arns:
        if arn not in alb._tgs or alb._tgs[arn]["TargetType"] != "instance":
            raise ApiError(
                "ValidationError",
                f"Provided Target Groups may not be valid. Please ensure they exist and have the target type instance: "
                f"{arn}",
            )
    known = group.setdefault("TargetGroupARNs", [])
    for arn in arns:
        if arn not in known:
            known.append(arn)
            if members := _members(group):
                targets = [{"Id": instance_id} for instance_id in members]
                ELB.call("RegisterTargets", TargetGroupArn=arn, Targets=targets)


def detach(group: Group, arns: list[str]) -> None:
    """Take target groups away from a group: its instances are deregistered from them."""
    group["TargetGroupARNs"] = [arn for arn in group.get("TargetGroupARNs", []) if arn not in arns]
    _deregister(arns, _members(group))


def empty(group: Group) -> None:
    """Terminate all instances of a group, which is going."""
    group["DesiredCapacity"] = 0
    reconcile(group)


@AUTO_SCALING.action
def attach_load_balancer_target_groups(given: Arguments) -> Result:
    """Attach target groups to a group."""
    attach(_find(given.get("AutoScalingGroupName")), given.get("TargetGroupARNs", []))
    return {}


@AUTO_SCALING.action
def detach_load_balancer_target_groups(given: Arguments) -> Result:
    """Detach target groups from a group."""
    detach(_find(given.get("AutoScalingGroupName")), given.get("TargetGroupARNs", []))
    return {}


@AUTO_SCALING.action
def describe_load_balancer_target_groups(given: Arguments) -> Result:
    """List the target groups of a group."""
    group = _find(given.get("AutoScalingGroupName"))
    return {
        "LoadBalancerTargetGroups": [
            {"LoadBalancerTargetGroupARN": arn, "State": "InService"} for arn in group.get("TargetGroupARNs", [])
        ]
    }


@AUTO_SCALING.action
def delete_auto_scaling_group(given: Arguments) -> Result | None:
    """Refuse to delete a group that has instances, unless forced; the rest is stock's."""
    group = _find(given.get("AutoScalingGroupName"))
    if group["Instances"] and not given.get("ForceDelete"):
        raise ApiError(
            "ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances still in the group."
        )
    empty(group)
    return None


def _create(form: Form, stock: Callable[[Form], Response]) -> Response:
    answer = stock(form)
    arns = [value[0] for key, value in form.items() if key.startswith("TargetGroupARNs.member.")]
    if answer[0] != HTTPStatus.OK or not arns:
        return answer
    name = form["AutoScalingGroupName"][0]
    try:
        attach(autoscaling._asgs[name], arns)
    except ApiError as error:
        empty(autoscaling._asgs.pop(name))
        refused: Response = autoscaling._error(error.code, error.message)
        return refused
    return answer


def _terminate(form: Form, stock: Callable[[Form], Response]) -> Response:
    """Replace what is terminated behind a group's back: "maintains the number of instances"."""
    answer = stock(form)
    gone = {value[0] for key, value in form.items() if key.startswith("InstanceId")}
    for group in autoscaling._asgs.values():
        lost = [instance_id for instance_id in _members(group) if instance_id in gone]
        if answer[0] == HTTPStatus.OK and lost:
            group["Instances"] = [entry for entry in group["Instances"] if entry["InstanceId"] not in gone]
            _deregister(group.get("TargetGroupARNs", []), lost)
            reconcile(group)
    return answer


def install() -> None:
    """Let the groups of a VPC have real members; groups without subnets stay stock's."""
    stock = autoscaling._reconcile_instances

    def reconcile_instances(group: Group) -> None:
        (reconcile if group["VPCZoneIdentifier"] else stock)(group)

    autoscaling._reconcile_instances = reconcile_instances


AUTO_SCALING.around("CreateAutoScalingGroup", _create)
EC2.around("TerminateInstances", _terminate)

"""Rules of IAM: which resource a call is authorized on."""

import json
from typing import Any

import boto3

from tests.emulator.rule import rule
from tests.emulator.world import Account, refused

_REFERENCE = "service-authorization/latest/reference"
_EC2 = f"{_REFERENCE}/list_amazonec2.html"
_ELB = f"{_REFERENCE}/list_awselasticloadbalancingv2.html"


def _as_role(aws: Account, service: str, *statements: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return a client of a role that may do only what the statements allow."""
    iam, name = aws.client("iam"), aws.name()
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{aws.id}:root"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
    iam.put_role_policy(RoleName=name, PolicyName="only", PolicyDocument=json.dumps(policy))
    assumed = aws.client("sts").assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="rules")["Credentials"]
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=aws.emulator.endpoint_url,
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )


def _service_arn(aws: Account, service: dict[str, Any]) -> str:
    return f"arn:aws:ec2:us-east-1:{aws.id}:vpc-endpoint-service/{service['ServiceId']}"


@rule(_EC2, authorization=True)
def connections_are_settled_on_the_service(aws: Account) -> None:
    """Accepting and rejecting connections is authorized on the endpoint service, not on the endpoint."""
    consumer = aws.another()
    service = aws.open_service(consumer)
    endpoint = consumer.endpoint(service)
    actions = ["ec2:AcceptVpcEndpointConnections", "ec2:RejectVpcEndpointConnections"]
    settle = {"ServiceId": service["ServiceId"], "VpcEndpointIds": [endpoint]}
    ours = _as_role(aws, "ec2", {"Action": actions, "Resource": _service_arn(aws, service)})
    ours.accept_vpc_endpoint_connections(**settle)
    assert aws.connections(service) == {endpoint: "available"}
    ours.reject_vpc_endpoint_connections(**settle)
    assert aws.connections(service) == {endpoint: "rejected"}
    other = _as_role(aws, "ec2", {"Action": actions, "Resource": _service_arn(aws, {"ServiceId": "vpce-svc-0"})})
    with refused("UnauthorizedOperation"):
        other.accept_vpc_endpoint_connections(**settle)


@rule(_EC2, authorization=True)
def connections_are_described_on_everything(aws: Account) -> None:
    """DescribeVpcEndpointConnections has no resource: only a policy for `*` allows it."""
    service = aws.open_service()
    action = "ec2:DescribeVpcEndpointConnections"
    assert _as_role(aws, "ec2", {"Action": action, "Resource": "*"}).describe_vpc_endpoint_connections()
    scoped = _as_role(aws, "ec2", {"Action": action, "Resource": _service_arn(aws, service)})
    with refused("UnauthorizedOperation"):
        scoped.describe_vpc_endpoint_connections()


@rule(_ELB, authorization=True)
def target_health_is_described_on_everything(aws: Account) -> None:
    """DescribeTargetHealth, DescribeTargetGroups and DescribeTags have no resource: only `*` allows them."""
    network = aws.network()
    group, load_balancer = aws.target_group(network), aws.load_balancer(network)
    actions = [f"elasticloadbalancing:Describe{noun}" for noun in ("TargetHealth", "TargetGroups", "Tags")]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("describe_target_health", {"TargetGroupArn": group}),
        ("describe_target_groups", {"LoadBalancerArn": load_balancer}),
        ("describe_tags", {"ResourceArns": [group]}),
    ]
    allowed = _as_role(aws, "elbv2", {"Action": actions, "Resource": "*"})
    scoped = _as_role(aws, "elbv2", {"Action": actions, "Resource": [group, load_balancer]})
    for name, arguments in calls:
        assert getattr(allowed, name)(**arguments)
        with refused("AccessDenied"):
            getattr(scoped, name)(**arguments)


@rule(_ELB, stock=True, authorization=True)
def targets_are_registered_on_their_group(aws: Account) -> None:
    """RegisterTargets and DeregisterTargets are authorized on the target group."""
    network = aws.network()
    mine, other = aws.target_group(network), aws.target_group(network)
    actions = ["elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"]
    scoped = _as_role(aws, "elbv2", {"Action": actions, "Resource": mine})
    target = [{"Id": "10.0.0.5", "Port": 5432}]
    scoped.register_targets(TargetGroupArn=mine, Targets=target)
    scoped.deregister_targets(TargetGroupArn=mine, Targets=target)
    for call in (scoped.register_targets, scoped.deregister_targets):
        with refused("AccessDenied"):
            call(TargetGroupArn=other, Targets=target)


@rule(_ELB, authorization=True)
def tags_are_added_on_every_resource_named(aws: Account) -> None:
    """AddTags is authorized on each resource it names, and `aws:TagKeys` limits the keys it may set."""
    network = aws.network()
    mine, other = aws.target_group(network), aws.target_group(network)
    for operator in ("ForAllValues:StringEquals",):
        scoped = _as_role(
            aws,
            "elbv2",
            {
                "Action": "elasticloadbalancing:AddTags",
                "Resource": mine,
                "Condition": {operator: {"aws:TagKeys": ["followed"]}},
            },
        )
        followed = {"Key": "followed", "Value": "a"}
        scoped.add_tags(ResourceArns=[mine], Tags=[followed])
        with refused("AccessDenied"):
            scoped.add_tags(ResourceArns=[mine, other], Tags=[followed])
        with refused("AccessDenied"):
            scoped.add_tags(ResourceArns=[mine], Tags=[{"Key": "hostname", "Value": "b"}])


@rule(_ELB, authorization=True)
def tagged_target_groups_are_allowed_by_their_tags(aws: Account) -> None:
    """A policy may allow calls on target groups by their tags: `aws:ResourceTag` and the service's own key."""
    network = aws.network()
    mine = aws.target_group(network, Tags=[{"Key": "owner", "Value": "us"}])
    other = aws.target_group(network)
    for key in ("aws:ResourceTag/owner", "elasticloadbalancing:ResourceTag/owner"):
        scoped = _as_role(
            aws,
            "elbv2",
            {
                "Action": "elasticloadbalancing:RegisterTargets",
                "Resource": "*",
                "Condition": {"StringEquals": {key: "us"}},
            },
        )
        scoped.register_targets(TargetGroupArn=mine, Targets=[{"Id": "10.0.0.5"}])
        with refused("AccessDenied"):
            scoped.register_targets(TargetGroupArn=other, Targets=[{"Id": "10.0.0.5"}])


@rule("service-authorization/latest/reference/list_amazonrds.html", authorization=True)
def databases_are_described_by_their_arns(aws: Account) -> None:
    """DescribeDBClusters, DBInstances and DBProxies are authorized on the one named, or on all of that kind."""
    aws.client("rds").create_db_cluster(
        DBClusterIdentifier="orders", Engine="aurora-postgresql", MasterUsername="u", MasterUserPassword="password1"
    )
    for noun, kind in (("DBClusters", "cluster"), ("DBInstances", "db"), ("DBProxies", "db-proxy")):
        action, prefix = f"rds:Describe{noun}", f"arn:aws:rds:us-east-1:{aws.id}:{kind}:"
        method = {"DBClusters": "describe_db_clusters", "DBInstances": "describe_db_instances"}.get(noun)
        method = method or "describe_db_proxies"
        every = _as_role(aws, "rds", {"Action": action, "Resource": f"{prefix}*"})
        assert getattr(every, method)()
        other = _as_role(aws, "rds", {"Action": action, "Resource": f"{prefix}other"})
        with refused("AccessDenied"):
            getattr(other, method)()
    resource = f"arn:aws:rds:us-east-1:{aws.id}:cluster:orders"
    scoped = _as_role(aws, "rds", {"Action": "rds:DescribeDBClusters", "Resource": resource})
    for name in ("orders", resource):
        (cluster,) = scoped.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
        assert cluster["DBClusterArn"] == resource
    with refused("AccessDenied"):
        scoped.describe_db_clusters(DBClusterIdentifier="payments")


@rule(f"{_REFERENCE}/list_awslambda.html", authorization=True)
def concurrency_is_read_with_an_action_of_its_own(aws: Account) -> None:
    """GetFunctionConcurrency is authorized as that, and does not need PutFunctionConcurrency."""
    arn = f"arn:aws:lambda:us-east-1:{aws.id}:function:gone"
    reader = _as_role(aws, "lambda", {"Action": "lambda:GetFunctionConcurrency", "Resource": arn})
    with refused("ResourceNotFoundException"):
        reader.get_function_concurrency(FunctionName="gone")
    with refused("AccessDeniedException"):
        reader.put_function_concurrency(FunctionName="gone", ReservedConcurrentExecutions=0)

"""The function's role and key, made here or given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Annotations, Match, Template

from constructs_pg import ClusterRole, PostgresEndpointService, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    ServiceFactory = Callable[..., PostgresEndpointService]

LAMBDA = iam.ServicePrincipal("lambda.amazonaws.com")
ROLE_ARN = "arn:aws:iam::111122223333:role/follow-dns"
KEY_ARN = "arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"
TAKES_NO_POLICIES = Match.string_like_regexp("the given role takes no policies")


def of_function(template: Template) -> dict[str, Any]:
    """Return what belongs to the function that follows DNS, by logical id."""
    resources: dict[str, Any] = template.to_json()["Resources"]
    return {name: each for name, each in resources.items() if name.startswith("OrdersTargetSync")}


def only(template: Template, resource_type: str) -> dict[str, Any]:
    """Return that function's only resource of a type."""
    (found,) = (each for each in of_function(template).values() if each["Type"] == resource_type)
    return dict(found)


def other_stack(stack: cdk.Stack) -> cdk.Stack:
    """Return another stack of the same app, account and Region."""
    return cdk.Stack(cdk.App.of(stack), "Other", env=cdk.Environment(account=stack.account, region=stack.region))


def reader(stack: cdk.Stack, name: str = "Cluster") -> PostgresTarget:
    """Return the readers of a cluster."""
    cluster = rds.DatabaseCluster.from_database_cluster_attributes(
        stack,
        name,
        cluster_identifier=name.lower(),
        cluster_endpoint_address=f"{name}.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com",
        reader_endpoint_address=f"{name}.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com",
        port=5432,
        security_groups=[],
    )
    return PostgresTarget.from_cluster(cluster, role=ClusterRole.READER)


def warned(stack: cdk.Stack) -> list[dict[str, Any]]:
    """Return the statements that warnings ask for."""
    found = []
    for each in Annotations.from_stack(stack).find_warning("/Stack/Orders/TargetSync", TAKES_NO_POLICIES):
        text = str(each.entry.data)
        asked, _ = json.JSONDecoder().raw_decode(text[text.index("[{") :])
        found += asked
    return found


def test_a_boundary_is_on_every_role_made_here(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Many an account refuses roles without one."""
    boundary = iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", "arn:aws:iam::111122223333:policy/boundary")
    make_service(permissions_boundary=boundary)

    roles = Template.from_stack(stack).find_resources("AWS::IAM::Role")
    boundaries = {each["Properties"].get("PermissionsBoundary") for each in roles.values()}
    assert boundaries == {"arn:aws:iam::111122223333:policy/boundary"}


def test_a_boundary_beside_a_given_role_is_the_other_ones(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """The role of the function that answers for connections is made here, and bounded."""
    boundary = iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", "arn:aws:iam::111122223333:policy/boundary")
    make_service(permissions_boundary=boundary, function_role=iam.Role(stack, "Given", assumed_by=LAMBDA))

    roles = Template.from_stack(stack).find_resources("AWS::IAM::Role")
    bounded = [name for name, each in roles.items() if "PermissionsBoundary" in each["Properties"]]
    assert len(bounded) == 1
    assert bounded[0].startswith("OrdersConnectionsGate")


def test_a_given_role_gets_a_policy_of_ours(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """The same statements as a role made here, which are there before the function."""
    role = iam.Role(stack, "Given", assumed_by=LAMBDA)
    service = make_service(function_role=role)
    service.add_listener("reader", port=5433, target=reader(stack))

    template = Template.from_stack(stack)
    policy = only(template, "AWS::IAM::Policy")["Properties"]
    assert [each.get("Sid", "logs") for each in policy["PolicyDocument"]["Statement"]] == [
        "logs",
        "FollowTargets",
        "ReadTargets",
    ]
    role_id = stack.resolve(role.role_name)
    assert policy["Roles"] == [role_id]
    assert only(template, "AWS::IAM::ManagedPolicy")["Properties"]["Roles"] == [role_id]
    function = only(template, "AWS::Lambda::Function")
    assert function["Properties"]["Role"] == stack.resolve(role.role_arn)
    assert {of_function(template)[each]["Type"] for each in function["DependsOn"] if each in of_function(template)} == {
        "AWS::IAM::Policy"
    }
    assert "AWS::IAM::Role" not in {each["Type"] for each in of_function(template).values()}
    Annotations.from_stack(stack).has_no_warning("*", TAKES_NO_POLICIES)


def test_a_given_role_can_be_in_another_stack(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """The policy is in our stack, so that only we need the other one."""
    elsewhere = other_stack(stack)
    make_service(function_role=iam.Role(elsewhere, "Given", assumed_by=LAMBDA))

    template = Template.from_stack(stack)
    assert only(template, "AWS::IAM::Policy")["Properties"]["Roles"]
    Template.from_stack(elsewhere).resource_count_is("AWS::IAM::Policy", 0)


def test_a_role_that_takes_no_policies_is_left_alone(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """A warning says what it needs before the deployment, when target groups and log group have no names yet."""
    role = iam.Role.from_role_arn(stack, "Given", ROLE_ARN, mutable=False)
    service = make_service(function_role=role)
    service.add_listener("reader", port=5433, target=reader(stack))

    template = Template.from_stack(stack)
    kinds = {each["Type"] for each in of_function(template).values()}
    assert not kinds & {"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}
    assert only(template, "AWS::Lambda::Function")["Properties"]["Role"] == ROLE_ARN
    account = "${AWS::Partition}", "${AWS::Region}:${AWS::AccountId}"
    assert warned(stack) == [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": [f"arn:{account[0]}:logs:{account[1]}:log-group:Stack-*:*"],
        },
        {
            "Sid": "FollowTargets",
            "Effect": "Allow",
            "Action": [
                "elasticloadbalancing:AddTags",
                "elasticloadbalancing:DeregisterTargets",
                "elasticloadbalancing:RegisterTargets",
            ],
            "Resource": [f"arn:{account[0]}:elasticloadbalancing:{account[1]}:targetgroup/*"],
            "Condition": {
                "ForAllValues:StringEquals": {"aws:TagKeys": ["pg-privatelink:followed"]},
                "Null": {"aws:ResourceTag/pg-privatelink:listener": "false"},
            },
        },
        {
            "Sid": "ReadTargets",
            "Effect": "Allow",
            "Action": [
                "elasticloadbalancing:DescribeTags",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
            ],
            "Resource": ["*"],
        },
        {
            "Sid": "ReadMembers",
            "Effect": "Allow",
            "Action": "rds:DescribeDBClusters",
            "Resource": ["arn:${AWS::Partition}:rds:eu-central-1:111122223333:cluster:cluster"],
        },
    ]


def test_the_warning_names_network_and_key(
    stack: cdk.Stack, make_service: ServiceFactory, subnets: list[ec2.ISubnet]
) -> None:
    """A security group and a key made in the same deployment have no names either."""
    make_service(
        function_role=iam.Role.from_role_arn(stack, "Given", ROLE_ARN, mutable=False),
        function_vpc_subnets=ec2.SubnetSelection(subnets=subnets),
        encryption_key=kms.Key(stack, "Key"),
    )

    asked = {each.get("Sid"): each for each in warned(stack)}
    assert asked["CreateNetworkInterfaces"]["Resource"] == [
        "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*",
        "arn:${AWS::Partition}:ec2:${AWS::Region}:*:subnet/subnet-0123456789abcdef1",
        "arn:${AWS::Partition}:ec2:${AWS::Region}:*:subnet/subnet-0123456789abcdef2",
        "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/*",
    ]
    assert asked["DecryptEnvironment"]["Resource"] == [
        "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*"
    ]
    assert {"KeepNetworkInterfaces", "ReadNetworkInterfaces"} <= set(asked)


def test_required_policy_is_what_a_role_made_here_gets(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """A shop without inline policies puts it into a managed one."""
    role = iam.Role(stack, "Given", assumed_by=LAMBDA)
    service = make_service(function_role=role.without_policy_updates())
    service.add_listener("reader", port=5433, target=reader(stack))
    assert service.target_sync is not None
    policy = iam.ManagedPolicy(stack, "Managed", document=service.target_sync.required_policy, roles=[role])
    service.target_sync.function.node.add_dependency(policy)

    template = Template.from_stack(stack)
    (managed_id,) = (name for name in template.find_resources("AWS::IAM::ManagedPolicy") if name.startswith("Managed"))
    managed = template.to_json()["Resources"][managed_id]["Properties"]
    found = {each.get("Sid", "logs"): each["Resource"] for each in managed["PolicyDocument"]["Statement"]}
    groups = template.find_resources("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert set(found) == {"logs", "FollowTargets", "ReadTargets", "ReadMembers"}
    assert found["FollowTargets"] == [{"Ref": name} for name in groups]
    assert managed_id in only(template, "AWS::Lambda::Function")["DependsOn"]


def test_a_key_encrypts_environment_and_logs(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """The policy of a key made in CDK admits CloudWatch Logs, for this stack's log groups alone."""
    key = kms.Key(stack, "Key")
    make_service(encryption_key=key)

    template = Template.from_stack(stack)
    key_arn = stack.resolve(key.key_arn)
    assert only(template, "AWS::Logs::LogGroup")["Properties"]["KmsKeyId"] == key_arn
    assert only(template, "AWS::Lambda::Function")["Properties"]["KmsKeyArn"] == key_arn
    document = only(template, "AWS::IAM::Policy")["Properties"]["PolicyDocument"]
    (decrypt,) = (each for each in document["Statement"] if each.get("Sid") == "DecryptEnvironment")
    assert (decrypt["Action"], decrypt["Resource"]) == ("kms:Decrypt", key_arn)
    assert decrypt["Condition"] == {"Null": {"lambda:SourceFunctionArn": "true"}}
    (made,) = template.find_resources("AWS::KMS::Key").values()
    (admitted,) = (
        each
        for each in made["Properties"]["KeyPolicy"]["Statement"]
        if each["Principal"] == {"Service": "logs.eu-central-1.amazonaws.com"}
    )
    groups = {
        "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":logs:eu-central-1:111122223333:log-group:Stack-*"]]
    }
    assert admitted["Condition"] == {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}}


def test_a_key_can_be_in_another_stack(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Its policy names our log groups by the beginning of their names, so that only we need the other stack."""
    elsewhere = other_stack(stack)
    make_service(encryption_key=kms.Key(elsewhere, "Key"))

    assert only(Template.from_stack(stack), "AWS::Logs::LogGroup")["Properties"]["KmsKeyId"]
    (made,) = Template.from_stack(elsewhere).find_resources("AWS::KMS::Key").values()
    assert "log-group:Stack-*" in json.dumps(made["Properties"]["KeyPolicy"])


def test_an_imported_key_is_used_as_it_is(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Its policy cannot be changed from here; the docstring says what it needs."""
    make_service(encryption_key=kms.Key.from_key_arn(stack, "Key", KEY_ARN))

    template = Template.from_stack(stack)
    template.resource_count_is("AWS::KMS::Key", 0)
    assert only(template, "AWS::Logs::LogGroup")["Properties"]["KmsKeyId"] == KEY_ARN


def test_logs_are_kept_as_long_as_asked_for(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """And deleted with the stack, since a log group without an owner stays for ever."""
    make_service(log_retention=logs.RetentionDays.ONE_YEAR)

    groups = Template.from_stack(stack).find_resources("AWS::Logs::LogGroup").values()
    assert {(each["Properties"]["RetentionInDays"], each["DeletionPolicy"]) for each in groups} == {(365, "Delete")}


def test_fifty_listeners_fit_into_one_role(
    stack: cdk.Stack, make_service: ServiceFactory, subnets: list[ec2.ISubnet]
) -> None:
    """With network and key the inline policy stays below IAM's 10,240 characters, whatever the deployment fills in."""
    service = make_service(
        listeners={},
        function_vpc_subnets=ec2.SubnetSelection(subnets=subnets),
        encryption_key=kms.Key.from_key_arn(stack, "Key", KEY_ARN),
    )
    for number in range(50):
        target = PostgresTarget.from_hostname(f"db{number}.example.com")
        service.add_listener(f"listener{number}", port=5432 + number, target=target)

    document = only(Template.from_stack(stack), "AWS::IAM::Policy")["Properties"]["PolicyDocument"]
    arn = "arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:111122223333:targetgroup/" + "x" * 32 + "/" + "0" * 16
    text = json.dumps(document, separators=(",", ":"))
    for name in target_groups(stack):
        text = text.replace(json.dumps({"Ref": name}, separators=(",", ":")), json.dumps(arn))
    assert text.count(arn) == 50
    assert len(text) < 10_240


def target_groups(stack: cdk.Stack) -> list[str]:
    """Return the logical ids of all target groups."""
    return list(Template.from_stack(stack).find_resources("AWS::ElasticLoadBalancingV2::TargetGroup"))

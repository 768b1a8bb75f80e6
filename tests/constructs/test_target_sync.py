"""`TargetSync`: the function, what it may do, and when it runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Match, Template

from constructs_pg import PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget, PostgresTargetConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from constructs import Construct

    ServiceFactory = Callable[..., PostgresEndpointService]


class FixedTarget(PostgresTarget):
    """A target without a DNS name, as users can write one."""

    def bind(self, scope: Construct) -> PostgresTargetConfig:
        """Return a plain port."""
        return PostgresTargetConfig(port=5432, target_type=elbv2.TargetType.IP)


def _only(template: Template, resource_type: str) -> dict[str, Any]:
    """Return the only resource of a type but for those of the other function, which is about connections."""
    resources = template.find_resources(resource_type)
    (found,) = (each for logical_id, each in resources.items() if "ConnectionsGate" not in logical_id)
    return dict(found)


def test_a_service_without_dns_names_has_no_function(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Fixed addresses need no one to follow them."""
    make_service(listeners={"main": FixedTarget()})

    template = Template.from_stack(stack)
    for resource_type in ("AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Events::Rule", "AWS::Logs::LogGroup"):
        template.resource_count_is(resource_type, 0)


def test_target_group_describes_itself(
    stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance
) -> None:
    """The table of listeners stands in tags: a function's environment would hold about 17 of 50 listeners."""
    target = PostgresTarget.from_instance(database, nameservers=["10.0.0.2"], allowed_ranges=["192.168.0.0/16"])

    make_service(listeners={"main": target})

    group = _only(Template.from_stack(stack), "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert {tag["Key"]: tag["Value"] for tag in group["Properties"]["Tags"]} == {
        "pg-privatelink:hostname": "orders.abcdefghijkl.eu-central-1.rds.amazonaws.com",
        "pg-privatelink:listener": "main",
        "pg-privatelink:nameservers": "10.0.0.2",
        "pg-privatelink:port": "5432",
        "pg-privatelink:ranges": "10.0.0.0/16 192.168.0.0/16",
    }


def test_role_may_change_its_own_groups_only(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """No changing action is allowed on `*`; describing cannot be narrowed."""
    make_service()

    policy = _only(Template.from_stack(stack), "AWS::IAM::Policy")
    statements = {each.get("Sid", "logs"): each for each in policy["Properties"]["PolicyDocument"]["Statement"]}
    assert set(statements) == {"logs", "FollowTargets", "ReadTargets"}
    assert statements["FollowTargets"]["Action"] == [
        "elasticloadbalancing:AddTags",
        "elasticloadbalancing:DeregisterTargets",
        "elasticloadbalancing:RegisterTargets",
    ]
    # True of requests without tag keys too, so that it narrows AddTags alone.
    assert statements["FollowTargets"]["Condition"] == {
        "ForAllValues:StringEquals": {"aws:TagKeys": ["pg-privatelink:followed"]}
    }
    assert statements["FollowTargets"]["Resource"]["Ref"].startswith("OrdersListenersmainTargetGroup")
    assert all(action.split(":")[1].startswith("Describe") for action in statements["ReadTargets"]["Action"])
    assert statements["logs"]["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]


def test_function_is_pinned_and_repeats_nothing(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """A repetition would act on old news: the next minute repairs what failed."""
    make_service()

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Runtime": "python3.14",
            "Architectures": ["arm64"],
            "Handler": "target_sync.handler.handle",
            "Timeout": 360,
            "ReservedConcurrentExecutions": Match.absent(),
            "LoggingConfig": {"LogFormat": "JSON", "LogGroup": Match.any_value()},
            "Environment": {
                "Variables": {
                    "LOAD_BALANCER_ARN": {"Ref": Match.string_like_regexp("^OrdersLoadBalancer")},
                    "VPC_RANGES": "10.0.0.0/16",
                    "POLL_INTERVAL_SECONDS": "5",
                }
            },
        },
    )
    template.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig", {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}
    )
    template.has_resource("AWS::Logs::LogGroup", {"Properties": {"RetentionInDays": 30}, "DeletionPolicy": "Delete"})


def test_it_runs_every_minute_and_after_rds_events(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Polling is the truth; events, which RDS sends as best it can, only make it faster."""
    make_service()

    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "ScheduleExpression": "rate(1 minute)",
            "State": "ENABLED",
            "Targets": [
                Match.object_like(
                    {"Input": Match.string_like_regexp(r'^\{"action": "watch", "listeners": "[0-9a-f]{16}"\}$')}
                )
            ],
        },
    )
    template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "source": ["aws.rds"],
                "detail-type": ["RDS DB Instance Event"],
                # Lower case, as RDS stores identifiers and names them in events.
                "detail": {"SourceIdentifier": ["orders"], "EventCategories": Match.array_with(["failover"])},
            },
            "Targets": [
                Match.object_like(
                    {
                        "Input": Match.absent(),
                        "RetryPolicy": {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 0},
                    }
                )
            ],
        },
    )
    template.resource_count_is("AWS::Lambda::Permission", 1)


def test_two_listeners_on_one_database_share_its_event_rule(
    stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance
) -> None:
    """One event must not start the function twice."""
    make_service().add_listener("again", port=5433, target=PostgresTarget.from_instance(database))

    Template.from_stack(stack).resource_count_is("AWS::Events::Rule", 2)


def test_custom_resources_run_last_run_again_for_new_code_and_never_on_deletion(
    stack: cdk.Stack, make_service: ServiceFactory
) -> None:
    """The first proves within a minute that the function starts; the second registers and waits for health."""
    make_service()

    resources = Template.from_stack(stack).to_json()["Resources"]
    start_id, start = next(item for item in resources.items() if item[1]["Type"] == "Custom::PostgresTargetSyncStart")
    _, targets = next(item for item in resources.items() if item[1]["Type"] == "Custom::PostgresTargets")
    assert start["Properties"]["ServiceTimeout"] == "60"
    assert len(start["Properties"]["CodeHash"]) == 64
    properties = targets["Properties"]
    assert {key: value for key, value in properties.items() if key not in {"ServiceToken", "CodeHash"}} == {
        "ServiceTimeout": "420",
        "WaitForHealthy": "true",
        "HealthyTimeoutSeconds": "300",
        "Listeners": {"main": "orders.abcdefghijkl.eu-central-1.rds.amazonaws.com:5432 10.0.0.0/16"},
    }
    before = {resources[each]["Type"] for each in targets["DependsOn"]} | {start["Type"]}
    assert start_id in targets["DependsOn"]
    assert before >= {
        "AWS::ElasticLoadBalancingV2::Listener",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::Events::Rule",
        "AWS::Lambda::Permission",
    }
    assert {start["DeletionPolicy"], targets["DeletionPolicy"]} == {"Retain"}


def test_fifty_listeners_fit(stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance) -> None:
    """A load balancer has at most 50 listeners; CloudFormation allows 500 resources and 1 MB, IAM 10 KB a role."""
    service = make_service(listeners={})
    for number in range(50):
        instance = rds.DatabaseInstance.from_database_instance_attributes(
            stack,
            f"Database{number}",
            instance_identifier=f"orders-{number}",
            instance_endpoint_address=f"orders-{number}.abcdefghijkl.eu-central-1.rds.amazonaws.com",
            port=5432,
            security_groups=[],
        )
        service.add_listener(f"listener{number}", port=5432 + number, target=PostgresTarget.from_instance(instance))

    template = Template.from_stack(stack).to_json()
    assert len(template["Resources"]) < 450
    assert len(json.dumps(template)) < 1_000_000
    policy = _only(Template.from_stack(stack), "AWS::IAM::Policy")
    arn = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/" + "x" * 32 + "/" + "0" * 16
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    (follow,) = (each for each in statements if each.get("Sid") == "FollowTargets")
    assert len(follow["Resource"]) == 50
    deployed = [{**follow, "Resource": [arn] * 50}, *(each for each in statements if each is not follow)]
    assert len(json.dumps(deployed, separators=(",", ":"))) < 10_240
    with pytest.raises(PostgresEndpointServiceError, match="50"):
        service.add_listener("one-too-many", port=6000, target=PostgresTarget.from_instance(database))


def test_a_database_created_in_cdk_brings_tokens(stack: cdk.Stack) -> None:
    """Endpoint and port are known only at deployment: they reach the tags as references."""
    vpc = ec2.Vpc(stack, "NewVpc", max_azs=2)
    instance = rds.DatabaseInstance(
        stack,
        "Created",
        vpc=vpc,
        engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_16),
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
    )

    PostgresEndpointService(stack, "Orders", vpc=vpc, listeners={"main": PostgresTarget.from_instance(instance)})

    group = _only(Template.from_stack(stack), "AWS::ElasticLoadBalancingV2::TargetGroup")
    tags = {tag["Key"]: tag["Value"] for tag in group["Properties"]["Tags"]}
    (database_id,) = Template.from_stack(stack).find_resources("AWS::RDS::DBInstance")
    assert tags["pg-privatelink:hostname"] == {"Fn::GetAtt": [database_id, "Endpoint.Address"]}
    assert tags["pg-privatelink:port"] == {"Fn::GetAtt": [database_id, "Endpoint.Port"]}
    (vpc_id,) = Template.from_stack(stack).find_resources("AWS::EC2::VPC")
    assert tags["pg-privatelink:ranges"] == {"Fn::GetAtt": [vpc_id, "CidrBlock"]}


def test_runtime_can_be_chosen(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Pinned by default, so that a newer library changes nothing unasked."""
    make_service(runtime=lambda_.Runtime.PYTHON_3_13)

    Template.from_stack(stack).has_resource_properties("AWS::Lambda::Function", {"Runtime": "python3.13"})

"""The role of the function that answers for connections, made here or given, and what RDS may be asked with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Annotations, Match, Template

from constructs_pg import PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    ServiceFactory = Callable[..., PostgresEndpointService]

LAMBDA = iam.ServicePrincipal("lambda.amazonaws.com")
ROLE_ARN = "arn:aws:iam::111122223333:role/answer"
DBT = "346425330055"
ALL: dict[str, Any] = {"accept_from": [DBT], "reject_others": True, "reject_connections_on_delete": True}
TAKES_NO_POLICIES = Match.string_like_regexp("the given role takes no policies")
SIDS = {
    "logs",
    "ReadZones",
    "LearnZones",
    "AcceptConnections",
    "RejectConnections",
    "ReadConnections",
    "ReadStack",
    "ReadInstances",
    "ReadClusters",
    "ReadSubnetGroups",
}


def cluster(stack: cdk.Stack, name: str = "Ledger") -> PostgresTarget:
    """Return the writer of a cluster that is made elsewhere."""
    imported = rds.DatabaseCluster.from_database_cluster_attributes(
        stack,
        name,
        cluster_identifier=name.lower(),
        cluster_endpoint_address=f"{name}.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com",
        port=5432,
        security_groups=[],
    )
    return PostgresTarget.from_cluster(imported)


def of_gate(template: Template) -> dict[str, Any]:
    """Return what belongs to the function, by logical id."""
    resources: dict[str, Any] = template.to_json()["Resources"]
    return {name: each for name, each in resources.items() if name.startswith("OrdersConnectionsGate")}


def statements(template: Template) -> dict[str, dict[str, Any]]:
    """Return the statements of all its policies by their ids."""
    return {
        statement.get("Sid", "logs"): statement
        for each in of_gate(template).values()
        if each["Type"] in {"AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
    }


def zones_resource(template: Template) -> dict[str, Any]:
    """Return the custom resource that compares zones."""
    (found,) = template.find_resources("Custom::PostgresEndpointServiceZones").values()
    return dict(found)


def warned(stack: cdk.Stack) -> dict[str, dict[str, Any]]:
    """Return the statements that warnings ask for, by their ids."""
    found = []
    for each in Annotations.from_stack(stack).find_warning("/Stack/Orders/Connections/Gate", TAKES_NO_POLICIES):
        text = str(each.entry.data)
        asked, _ = json.JSONDecoder().raw_decode(text[text.index("[{") :])
        found += asked
    by_id = {each.get("Sid", "logs"): each for each in found}
    assert len(by_id) == len(found), "each once, since ids in a policy are unique"
    return by_id


class TestGivenRole:
    def test_it_gets_policies_of_ours(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """All that a role made here would have, before the function and before what needs it."""
        role = iam.Role(stack, "Given", assumed_by=LAMBDA)
        make_service(connection_function_role=role, **ALL).add_listener("second", port=5433, target=cluster(stack))

        template = Template.from_stack(stack)
        assert statements(template).keys() == SIDS
        kinds = [each["Type"] for each in of_gate(template).values()]
        assert "AWS::IAM::Role" not in kinds
        assert "AWS::IAM::ManagedPolicy" not in kinds
        policies = {name: each for name, each in of_gate(template).items() if each["Type"] == "AWS::IAM::Policy"}
        assert all(each["Properties"]["Roles"] == [stack.resolve(role.role_name)] for each in policies.values())
        (function,) = (each for each in of_gate(template).values() if each["Type"] == "AWS::Lambda::Function")
        assert function["Properties"]["Role"] == stack.resolve(role.role_arn)
        (rejection,) = template.find_resources("Custom::PostgresConnectionRejection").values()
        needed = {*function["DependsOn"], *zones_resource(template)["DependsOn"], *rejection["DependsOn"]}
        assert policies.keys() <= needed
        Annotations.from_stack(stack).has_no_warning("*", TAKES_NO_POLICIES)

    def test_one_that_takes_no_policies_is_left_alone(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Warnings say what it needs, when the service and the log group have no names yet."""
        role = iam.Role.from_role_arn(stack, "Given", ROLE_ARN, mutable=False)
        service = make_service(connection_function_role=role, **ALL)
        service.add_listener("second", port=5433, target=cluster(stack))

        template = Template.from_stack(stack)
        kinds = {each["Type"] for each in of_gate(template).values()}
        assert not kinds & {"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}
        asked = warned(stack)
        assert asked.keys() == SIDS
        arn = "arn:${AWS::Partition}:"
        assert asked["logs"]["Resource"] == [f"{arn}logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:Stack-*:*"]
        assert asked["AcceptConnections"]["Resource"] == [f"{arn}ec2:eu-central-1:111122223333:vpc-endpoint-service/*"]
        assert asked["ReadInstances"]["Resource"] == [f"{arn}rds:eu-central-1:111122223333:db:orders"]
        assert asked["ReadClusters"]["Resource"] == [f"{arn}rds:eu-central-1:111122223333:cluster:ledger"]
        assert asked["ReadSubnetGroups"]["Resource"] == [f"{arn}rds:eu-central-1:111122223333:subgrp:*"]
        assert asked["ReadStack"]["Resource"] == [
            f"{arn}cloudformation:${{AWS::Region}}:${{AWS::AccountId}}:stack/Stack/*"
        ]

    def test_required_policy_is_what_a_role_made_here_gets(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """A shop without inline policies puts it into a managed one."""
        role = iam.Role.from_role_arn(stack, "Given", ROLE_ARN, mutable=False)
        service = make_service(connection_function_role=role, **ALL)
        service.add_listener("second", port=5433, target=cluster(stack))
        gate = service.endpoint_connections.gate
        assert gate is not None

        document = stack.resolve(gate.required_policy)

        assert sorted(each.get("Sid", "logs") for each in document["Statement"]) == sorted(SIDS)

    def test_a_boundary_is_for_the_other_role(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """One of the two is made here: the boundary is on it. Without any it would be silently left out."""
        arn = "arn:aws:iam::111122223333:policy/boundary"
        boundary = iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", arn)
        role = iam.Role(stack, "Given", assumed_by=LAMBDA)
        with pytest.raises(PostgresEndpointServiceError, match="'permissions_boundary' is for the roles made here"):
            make_service(permissions_boundary=boundary, function_role=role, connection_function_role=role)

    def test_it_may_be_the_other_functions_too(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """One role for both, with a policy of each."""
        role = iam.Role(stack, "Given", assumed_by=LAMBDA)
        make_service(function_role=role, connection_function_role=role)

        template = Template.from_stack(stack)
        functions = template.find_resources("AWS::Lambda::Function").values()
        assert len(functions) == 2
        assert {json.dumps(each["Properties"]["Role"]) for each in functions} == {
            json.dumps(stack.resolve(role.role_arn))
        }


class TestZonesOfDatabases:
    def test_an_instance_made_elsewhere_is_asked_about(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """By its identifier, and nothing else may be read."""
        make_service()

        template = Template.from_stack(stack)
        assert zones_resource(template)["Properties"]["Databases"] == {"main": "db:orders"}
        found = statements(template)
        assert found.keys() == {"logs", "ReadZones", "LearnZones", "ReadStack", "ReadInstances"}
        assert json.dumps(found["ReadInstances"]["Resource"]).count("db:orders") == 1

    def test_what_is_known_is_not_asked(
        self, stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance
    ) -> None:
        """Named zones, and databases that can be outside the VPC, where zones do not matter."""
        named = PostgresTarget.from_instance(database, availability_zones=["euc1-az1", "euc1-az2"])
        peered = PostgresTarget.from_instance(database, allowed_ranges=["10.9.0.0/16"])
        make_service(listeners={"main": named}).add_listener("second", port=5433, target=peered)

        template = Template.from_stack(stack)
        assert "Databases" not in zones_resource(template)["Properties"]
        assert "rds:" not in json.dumps([statements(template)[each] for each in statements(template)])

    @pytest.mark.parametrize(("covered", "asked"), [(2, False), (1, True)])
    def test_a_created_subnet_group_is_known_as_far_as_its_subnets_are(self, covered: int, *, asked: bool) -> None:
        """Those of the service's own VPC object are compared at synthesis; one more that it does not know is asked."""
        app = cdk.App(analytics_reporting=False)
        stack = cdk.Stack(app, "Stack", env=cdk.Environment(account="111122223333", region="eu-central-1"))
        vpc = ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id="vpc-0123456789abcdef0",
            vpc_cidr_block="10.0.0.0/16",
            availability_zones=["eu-central-1a", "eu-central-1b"],
            private_subnet_ids=["subnet-a", "subnet-b"],
            private_subnet_ipv4_cidr_blocks=["10.0.1.0/24", "10.0.2.0/24"],
        )
        ids = ["subnet-a", "subnet-b"][:covered] + ["subnet-elsewhere"] * (2 - covered)
        group = rds.CfnDBSubnetGroup(stack, "Group", db_subnet_group_description="Group", subnet_ids=ids)
        created = rds.DatabaseCluster(
            stack,
            "Created",
            engine=rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_16_6),
            writer=rds.ClusterInstance.serverless_v2("Writer"),
            vpc=vpc,
            subnet_group=rds.SubnetGroup.from_subnet_group_name(stack, "Named", "named"),
        )
        child = created.node.default_child
        assert isinstance(child, rds.CfnDBCluster)
        child.db_subnet_group_name = group.ref
        PostgresEndpointService(stack, "Orders", vpc=vpc, listeners={"main": PostgresTarget.from_cluster(created)})

        template = Template.from_stack(stack)
        assert ("Databases" in zones_resource(template)["Properties"]) is asked
        if asked:
            resources = statements(template)["ReadSubnetGroups"]["Resource"]
            assert stack.resolve(group.ref) in resources["Fn::Join"][1]

    def test_fifty_databases_fit_the_policies(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """A managed policy takes 6,144 characters (IAM quotas); identifiers have up to 63."""
        service = make_service(listeners={}, **ALL)
        for number in range(50):
            target = cluster(stack, f"C{number:062}")
            service.add_listener(f"listener{number}", port=5432 + number, target=target)

        template = Template.from_stack(stack)
        policies = [each for each in of_gate(template).values() if each["Type"] == "AWS::IAM::ManagedPolicy"]
        for policy in policies:
            text = json.dumps(policy["Properties"]["PolicyDocument"], separators=(",", ":"))
            for number in range(50):
                joined = {
                    "Fn::Join": [
                        "",
                        [
                            "arn:",
                            {"Ref": "AWS::Partition"},
                            f":rds:eu-central-1:111122223333:cluster:c{number:062}",
                        ],
                    ]
                }
                arn = f"arn:aws-us-gov:rds:us-gov-west-1:111122223333:cluster:c{number:062}"
                text = text.replace(json.dumps(joined, separators=(",", ":")), json.dumps(arn))
            assert len(text) < 6_144
        assert len(policies) <= 10

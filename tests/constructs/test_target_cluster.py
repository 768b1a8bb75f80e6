"""`PostgresTarget.from_cluster`: writer and readers of a DB cluster, created in CDK or imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Match, Template

from constructs_pg import ClusterRole, PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk

    ServiceFactory = Callable[..., PostgresEndpointService]

READER_ENDPOINT = "orders.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com"
WRITER_ENDPOINT = "orders.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com"
ENGINE = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_16_4)


@pytest.fixture
def imported(stack: cdk.Stack) -> rds.IDatabaseCluster:
    """Return a cluster known by its attributes."""
    return rds.DatabaseCluster.from_database_cluster_attributes(
        stack,
        "Cluster",
        cluster_identifier="Orders",
        cluster_endpoint_address=WRITER_ENDPOINT,
        reader_endpoint_address=READER_ENDPOINT,
        port=5432,
        security_groups=[
            ec2.SecurityGroup.from_security_group_id(stack, "ClusterGroup", "sg-0123456789abcdef0", mutable=False)
        ],
    )


def tags(stack: cdk.Stack) -> dict[str, Any]:
    """Return the only target group's tags."""
    (group,) = Template.from_stack(stack).find_resources("AWS::ElasticLoadBalancingV2::TargetGroup").values()
    return {tag["Key"].removeprefix("pg-privatelink:"): tag["Value"] for tag in group["Properties"]["Tags"]}


def cluster(scope: cdk.Stack, vpc: ec2.IVpc, *, public_reader: bool = False) -> rds.DatabaseCluster:
    """Return an Aurora cluster with a writer and a reader."""
    return rds.DatabaseCluster(
        scope,
        "Created",
        engine=ENGINE,
        vpc=vpc,
        vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
        writer=rds.ClusterInstance.serverless_v2("writer"),
        readers=[rds.ClusterInstance.serverless_v2("reader", publicly_accessible=public_reader)],
    )


def member_policies(template: Template) -> dict[str, Any]:
    """The policies that let the function list a cluster's members; the connection gate has one of its own."""
    found = template.find_resources("AWS::IAM::ManagedPolicy")
    return {name: policy for name, policy in found.items() if "ReadMembers" in str(policy)}


def test_writer_follows_the_cluster_endpoint(
    stack: cdk.Stack, make_service: ServiceFactory, imported: rds.IDatabaseCluster
) -> None:
    """The name moves with the writer; it says it all, so RDS need not be asked."""
    make_service(listeners={"main": PostgresTarget.from_cluster(imported)})

    assert tags(stack) == {
        "hostname": WRITER_ENDPOINT,
        "listener": "main",
        "port": "5432",
        "ranges": "10.0.0.0/16",
    }
    template = Template.from_stack(stack)
    assert member_policies(template) == {}
    template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "detail-type": ["RDS DB Cluster Event"],
                # Lower case, as RDS stores identifiers and names them in events.
                "detail": {"SourceIdentifier": ["orders"], "EventCategories": Match.array_with(["failover"])},
            }
        },
    )


def test_readers_are_listed_by_rds_and_nothing_else_is_allowed(
    stack: cdk.Stack, make_service: ServiceFactory, imported: rds.IDatabaseCluster
) -> None:
    """A reader endpoint names one reader at a time: the function asks which members there are, of this cluster only."""
    make_service(listeners={"main": PostgresTarget.from_cluster(imported, role=ClusterRole.READER)})

    described = tags(stack)
    assert (described["hostname"], described["members"]) == (READER_ENDPOINT, "orders")
    template = Template.from_stack(stack)
    (policy,) = member_policies(template).values()
    assert policy["Properties"]["PolicyDocument"]["Statement"] == [
        {
            "Sid": "ReadMembers",
            "Effect": "Allow",
            "Action": "rds:DescribeDBClusters",
            "Resource": {
                "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":rds:eu-central-1:111122223333:cluster:orders"]]
            },
        }
    ]
    assert policy["Properties"]["Roles"] == [{"Ref": "OrdersTargetSyncRole2F904CDF"}]
    (targets,) = template.find_resources("Custom::PostgresTargets").values()
    (policy_id,) = member_policies(template)
    assert policy_id in targets["DependsOn"]
    assert targets["Properties"]["Listeners"]["main"].endswith(" members:orders")


def test_two_reader_listeners_share_one_policy(
    stack: cdk.Stack, make_service: ServiceFactory, imported: rds.IDatabaseCluster
) -> None:
    """A cluster is listed once, however many listeners forward to its readers; another one joins the same policy."""
    other = rds.DatabaseCluster.from_database_cluster_attributes(
        stack, "Other", cluster_identifier="other", reader_endpoint_address="other.example.com", port=5432
    )
    service = make_service(listeners={"main": PostgresTarget.from_cluster(imported, role=ClusterRole.READER)})
    for port, each in ((5433, imported), (5434, other)):
        service.add_listener(f"on{port}", port=port, target=PostgresTarget.from_cluster(each, role=ClusterRole.READER))

    (policy,) = member_policies(Template.from_stack(stack)).values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    named = [each["Fn::Join"][1][-1].rsplit(":", 1)[1] for each in statement["Resource"]]
    assert named == ["orders", "other"]


def test_a_created_cluster_brings_tokens_and_the_events_of_its_members(stack: cdk.Stack) -> None:
    """RDS tells of a change in the topology in a member's name, so the members' events wake the function too."""
    vpc = ec2.Vpc(stack, "NewVpc", max_azs=2)
    created = cluster(stack, vpc)

    PostgresEndpointService(
        stack,
        "Orders",
        vpc=vpc,
        listeners={"main": PostgresTarget.from_cluster(created, role=ClusterRole.READER)},
    )

    template = Template.from_stack(stack)
    (cluster_id,) = template.find_resources("AWS::RDS::DBCluster")
    members = list(template.find_resources("AWS::RDS::DBInstance"))
    described = tags(stack)
    assert described["hostname"] == {"Fn::GetAtt": [cluster_id, "ReadEndpoint.Address"]}
    assert described["port"] == {"Fn::GetAtt": [cluster_id, "Endpoint.Port"]}
    assert described["members"] == {"Ref": cluster_id}
    template.has_resource_properties(
        "AWS::Events::Rule",
        {
            "EventPattern": {
                "detail-type": ["RDS DB Cluster Event", "RDS DB Instance Event"],
                "detail": {"SourceIdentifier": [{"Ref": each} for each in (cluster_id, *members)]},
            }
        },
    )


def test_writer_and_reader_of_one_cluster_share_rules_and_events(stack: cdk.Stack) -> None:
    """AWS refuses a security-group rule that is there already, and one event must not start the function twice."""
    vpc = ec2.Vpc(stack, "NewVpc", max_azs=2)
    created = cluster(stack, vpc)
    service = PostgresEndpointService(
        stack, "Orders", vpc=vpc, listeners={"main": PostgresTarget.from_cluster(created)}
    )

    service.add_listener("read", port=5433, target=PostgresTarget.from_cluster(created, role=ClusterRole.READER))

    template = Template.from_stack(stack)
    template.resource_count_is("AWS::EC2::SecurityGroupIngress", 3)
    template.resource_count_is("AWS::EC2::SecurityGroupEgress", 1)
    template.resource_count_is("AWS::Events::Rule", 2)


def test_known_members_of_an_import_are_named_in_lower_case(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """RDS names identifiers in lower case in its events."""
    known = rds.DatabaseCluster.from_database_cluster_attributes(
        stack,
        "Known",
        cluster_identifier="orders",
        cluster_endpoint_address=WRITER_ENDPOINT,
        port=5432,
        instance_identifiers=["Orders-1", "orders-2"],
        instance_endpoint_addresses=["a.example.com", "b.example.com"],
    )

    make_service(listeners={"main": PostgresTarget.from_cluster(known)})

    Template.from_stack(stack).has_resource_properties(
        "AWS::Events::Rule",
        {"EventPattern": {"detail": {"SourceIdentifier": ["orders", "orders-1", "orders-2"]}}},
    )


@pytest.mark.parametrize(
    ("role", "attribute"),
    [(ClusterRole.WRITER, "cluster_endpoint_address"), (ClusterRole.READER, "reader_endpoint_address")],
)
def test_an_import_without_the_endpoint_says_which(
    stack: cdk.Stack, make_service: ServiceFactory, role: ClusterRole, attribute: str
) -> None:
    """CDK's own message does not say which argument is missing."""
    bare = rds.DatabaseCluster.from_database_cluster_attributes(stack, "Bare", cluster_identifier="bare")

    with pytest.raises(PostgresEndpointServiceError) as caught:
        make_service(listeners={"main": PostgresTarget.from_cluster(bare, role=role)})

    assert str(caught.value) == (
        f"the {role.value} endpoint of the imported DB cluster 'bare' is not known: give '{attribute}' and 'port' to "
        "rds.DatabaseCluster.from_database_cluster_attributes"
    )


def test_a_public_member_is_refused(stack: cdk.Stack) -> None:
    """In Aurora each member says whether it is public; one of them is enough."""
    vpc = ec2.Vpc(stack, "NewVpc", max_azs=2)
    target = PostgresTarget.from_cluster(cluster(stack, vpc, public_reader=True))

    with pytest.raises(PostgresEndpointServiceError, match="publicly accessible"):
        PostgresEndpointService(stack, "Orders", vpc=vpc, listeners={"main": target})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"role": "reader"}, "role must be ClusterRole.WRITER or ClusterRole.READER, got 'reader'"),
        ({"port": 0}, "port must be an integer from 1 to 65535, got 0"),
        ({"identifier": "orders-"}, "DB cluster identifier must be letters, digits"),
        ({"availability_zones": ["nowhere"]}, "zone must be a zone name"),
        ({"nameservers": ["dns.example.com"]}, "name server must be an IPv4 address"),
        ({"allowed_ranges": ["8.8.8.0/24"]}, "allowed range 8.8.8.0/24 holds addresses"),
    ],
)
def test_every_argument_is_checked(imported: rds.IDatabaseCluster, arguments: dict[str, Any], message: str) -> None:
    """A mistake is named where it is made."""
    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresTarget.from_cluster(imported, **arguments)

    assert str(caught.value).startswith(message)


def test_an_instance_in_place_of_a_cluster(database: rds.IDatabaseInstance) -> None:
    """The message names the factory to use."""
    with pytest.raises(PostgresEndpointServiceError, match=r"from_cluster needs a DB cluster, got .* from_instance"):
        PostgresTarget.from_cluster(database)  # type: ignore[arg-type]

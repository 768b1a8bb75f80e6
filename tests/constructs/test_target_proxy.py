"""`PostgresTarget.from_proxy`: an RDS Proxy, created in CDK or imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Template

from constructs_pg import PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk

    ServiceFactory = Callable[..., PostgresEndpointService]

ENDPOINT = "orders.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com"
GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


@pytest.fixture
def imported(stack: cdk.Stack) -> rds.IDatabaseProxy:
    """Return a proxy known by its attributes."""
    return rds.DatabaseProxy.from_database_proxy_attributes(
        stack,
        "Proxy",
        db_proxy_name="orders",
        db_proxy_arn="arn:aws:rds:eu-central-1:111122223333:db-proxy:prx-0123456789abcdef0",
        endpoint=ENDPOINT,
        security_groups=[],
    )


@pytest.fixture
def security_group(stack: cdk.Stack) -> ec2.ISecurityGroup:
    """Return a security group known by its id."""
    return ec2.SecurityGroup.from_security_group_id(stack, "ProxyGroup", "sg-0123456789abcdef0", mutable=False)


def hostname(stack: cdk.Stack) -> object:
    """Return the name that the only listener follows."""
    (group,) = Template.from_stack(stack).find_resources(GROUP).values()
    (name,) = (tag["Value"] for tag in group["Properties"]["Tags"] if tag["Key"] == "pg-privatelink:hostname")
    return name


def test_an_imported_proxy_is_followed_by_its_endpoint(
    stack: cdk.Stack, make_service: ServiceFactory, imported: rds.IDatabaseProxy, security_group: ec2.ISecurityGroup
) -> None:
    """Its groups admit the load balancer; no event of RDS tells that a proxy's addresses changed."""
    make_service(listeners={"main": PostgresTarget.from_proxy(imported, security_groups=[security_group])})

    assert hostname(stack) == ENDPOINT
    template = Template.from_stack(stack)
    rules = template.find_resources("AWS::EC2::SecurityGroupIngress").values()
    assert {rule["Properties"]["GroupId"] for rule in rules} == {"sg-0123456789abcdef0"}
    # The schedule alone.
    template.resource_count_is("AWS::Events::Rule", 1)


def test_client_addresses_are_never_preserved(
    stack: cdk.Stack, make_service: ServiceFactory, imported: rds.IDatabaseProxy
) -> None:
    """A proxy's endpoint is a PrivateLink interface, which loses such connections."""
    make_service(listeners={"main": PostgresTarget.from_proxy(imported, security_groups=[])})

    (group,) = Template.from_stack(stack).find_resources(GROUP).values()
    assert {"Key": "preserve_client_ip.enabled", "Value": "false"} in group["Properties"]["TargetGroupAttributes"]


def test_an_imported_proxy_needs_its_security_groups(imported: rds.IDatabaseProxy) -> None:
    """CDK's import takes them and does not tell them again."""
    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresTarget.from_proxy(imported)

    assert str(caught.value) == (
        "the security groups of the imported RDS Proxy 'orders' are not known, and they must admit the load balancer: "
        "give them as 'security_groups' (an empty list if you open them yourself)"
    )


def test_a_created_proxy_brings_its_endpoint_and_groups(stack: cdk.Stack) -> None:
    """Endpoint and group are references, the port is Postgres's."""
    vpc = ec2.Vpc(stack, "NewVpc", max_azs=2)
    cluster = rds.DatabaseCluster(
        stack,
        "Cluster",
        engine=rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_16_4),
        vpc=vpc,
        writer=rds.ClusterInstance.serverless_v2("writer"),
    )
    assert cluster.secret is not None
    proxy = rds.DatabaseProxy(
        stack, "Created", proxy_target=rds.ProxyTarget.from_cluster(cluster), secrets=[cluster.secret], vpc=vpc
    )

    PostgresEndpointService(stack, "Orders", vpc=vpc, listeners={"main": PostgresTarget.from_proxy(proxy)})

    template = Template.from_stack(stack)
    (proxy_id,) = template.find_resources("AWS::RDS::DBProxy")
    assert hostname(stack) == {"Fn::GetAtt": [proxy_id, "Endpoint"]}
    rules = [
        each["Properties"]
        for logical_id, each in template.find_resources("AWS::EC2::SecurityGroupIngress").items()
        if logical_id.startswith("Orders")
    ]
    (proxy_group,) = (
        each for each in template.find_resources("AWS::EC2::SecurityGroup") if each.startswith("CreatedProxy")
    )
    assert {rule["GroupId"]["Fn::GetAtt"][0] for rule in rules} == {proxy_group}
    assert {rule["FromPort"] for rule in rules} == {5432}


def test_another_endpoint_of_the_proxy(
    stack: cdk.Stack, make_service: ServiceFactory, imported: rds.IDatabaseProxy
) -> None:
    """A proxy can have a read-only endpoint, which CDK's proxy does not know."""
    name = "orders-ro.endpoint.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com"

    make_service(listeners={"main": PostgresTarget.from_proxy(imported, endpoint=name, security_groups=[])})

    assert hostname(stack) == name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"endpoint": "10.0.0.1"}, "proxy endpoint '10.0.0.1' is an IPv4 address"),
        ({"endpoint": "proxy.example.com:5432"}, "proxy endpoint 'proxy.example.com:5432' contains a port"),
        ({"port": 70000}, "port must be an integer from 1 to 65535, got 70000"),
        ({"availability_zones": ["nowhere"]}, "zone must be a zone name"),
        ({"nameservers": ["dns.example.com"]}, "name server must be an IPv4 address"),
        ({"allowed_ranges": ["8.8.8.0/24"]}, "allowed range 8.8.8.0/24 holds addresses"),
    ],
)
def test_every_argument_is_checked(imported: rds.IDatabaseProxy, arguments: dict[str, Any], message: str) -> None:
    """A mistake is named where it is made."""
    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresTarget.from_proxy(imported, **{"security_groups": [], **arguments})

    assert str(caught.value).startswith(message)


def test_an_instance_in_place_of_a_proxy(database: rds.IDatabaseInstance) -> None:
    """The message names the factory to use."""
    with pytest.raises(PostgresEndpointServiceError, match=r"from_proxy needs an RDS Proxy, got .* from_instance"):
        PostgresTarget.from_proxy(database)  # type: ignore[arg-type]

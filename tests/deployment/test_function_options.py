"""A service of a strict shop: functions in the VPC, a key, a permissions boundary, all of it in place.

The emulator takes a role's boundary and does not apply it: that one is in the template is proved in tests/constructs.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds

from constructs_pg import Consumer, PostgresEndpointService, PostgresTarget
from tools.cdk_cli import CdkError
from tools.demo_world import PRIMARY, PROVIDER_ACCOUNT, REGION, VPC_CIDR

if TYPE_CHECKING:
    from tests.deployment.conftest import Site

STACK = "Strict"


def synthesize(site: Site, *, boundary: str | None = None) -> dict[str, Any]:
    """Synthesize the service as a library user would; with a boundary's ARN, all other options are on too."""
    shutil.rmtree(site.cdk.assembly, ignore_errors=True)
    app = cdk.App(analytics_reporting=False, outdir=str(site.cdk.assembly))
    stack = cdk.Stack(app, STACK, env=cdk.Environment(account=PROVIDER_ACCOUNT, region=REGION))
    subnets = ec2.SubnetSelection(
        subnets=[
            ec2.Subnet.from_subnet_attributes(
                stack,
                f"Subnet{index}",
                subnet_id=subnet.id,
                availability_zone=subnet.zone,
                ipv4_cidr_block=subnet.cidr,
            )
            for index, subnet in enumerate(site.world.subnets)
        ]
    )
    database = rds.DatabaseInstance.from_database_instance_attributes(
        stack,
        "Database",
        instance_identifier="orders",
        instance_endpoint_address=site.world.endpoint,
        port=site.world.port,
        security_groups=[],
    )
    options: dict[str, Any] = {}
    if boundary is not None:
        options = {
            "function_vpc_subnets": subnets,
            "encryption_key": kms.Key(stack, "Key", removal_policy=cdk.RemovalPolicy.DESTROY),
            "permissions_boundary": iam.ManagedPolicy.from_managed_policy_arn(stack, "Boundary", boundary),
        }
    PostgresEndpointService(
        stack,
        "Orders",
        vpc=ec2.Vpc.from_vpc_attributes(
            stack,
            "Vpc",
            vpc_id=site.world.vpc_id,
            availability_zones=[subnet.zone for subnet in site.world.subnets],
        ),
        vpc_subnets=subnets,
        vpc_cidrs=[VPC_CIDR],
        consumers=[Consumer.dbt_platform()],
        listeners={"main": PostgresTarget.from_instance(database, nameservers=[site.name_server.endpoint])},
        healthy_timeout=cdk.Duration.seconds(10),
        **options,
    )
    template: dict[str, Any] = app.synth().get_stack_by_name(STACK).template
    return template


def resources(site: Site) -> dict[str, tuple[str, str]]:
    """Return type and physical id of the stack's resources, by logical id."""
    rows = site.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    return {row["LogicalResourceId"]: (row["ResourceType"], row["PhysicalResourceId"]) for row in rows}


def of_function(site: Site, kind: str) -> str:
    """Return the physical id of the one resource of a type that belongs to the function that follows DNS."""
    (found,) = (
        physical
        for logical, (each, physical) in resources(site).items()
        if each == kind and logical.startswith("OrdersTargetSync")
    )
    return found


def without(site: Site, template: dict[str, Any], sid: str) -> None:
    """Take a statement of the function's role out of the assembly's template, under a hash of its own."""
    (policy,) = (
        each
        for name, each in template["Resources"].items()
        if each["Type"] == "AWS::IAM::Policy" and name.startswith("OrdersTargetSync")
    )
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    assert sid in {each.get("Sid") for each in statements}
    statements[:] = [each for each in statements if each.get("Sid") != sid]
    path = site.cdk.assembly / f"{STACK}.template.json"
    before, after = path.read_bytes(), json.dumps(template).encode()
    path.write_bytes(after)
    for name in (f"{STACK}.assets.json", "manifest.json"):
        manifest = site.cdk.assembly / name
        text = manifest.read_text()
        old = hashlib.sha256(before).hexdigest()
        assert old in text
        manifest.write_text(text.replace(old, hashlib.sha256(after).hexdigest()))


@pytest.fixture(scope="module")
def boundary(site: Site) -> str:
    """Return the ARN of a permissions boundary that the account has."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    made = site.client("iam").create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))
    return str(made["Policy"]["Arn"])


@pytest.mark.parametrize(
    ("missing", "action"),
    [
        ("CreateNetworkInterfaces", "CreateNetworkInterface"),
        ("KeepNetworkInterfaces", "DeleteNetworkInterface"),
        ("ReadNetworkInterfaces", "DescribeNetworkInterfaces"),
    ],
)
def test_without_a_statement_there_is_no_function_in_the_vpc(
    site: Site, boundary: str, missing: str, action: str
) -> None:
    """AWS Lambda refuses the function before anything else is made of it, and says what its role may not do."""
    template = synthesize(site, boundary=boundary)
    without(site, template, missing)

    with pytest.raises(CdkError) as failed:
        site.cdk.deploy()

    assert f"The provided execution role does not have permissions to call {action} on EC2" in failed.value.output
    (stack,) = site.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    site.client("cloudformation").delete_stack(StackName=STACK)


def test_all_options_come_and_go_in_place(site: Site, boundary: str) -> None:
    """Load balancer, target group, endpoint service, function, role and log group stay what they are."""
    synthesize(site)
    site.cdk.deploy()
    before = resources(site)

    synthesize(site, boundary=boundary)
    site.cdk.deploy()

    assert {each: resources(site).get(each) for each in before} == before
    assert site.targets() == {PRIMARY: "healthy"}
    config = site.client("lambda").get_function_configuration(FunctionName=of_function(site, "AWS::Lambda::Function"))
    (key_id,) = (physical for kind, physical in resources(site).values() if kind == "AWS::KMS::Key")
    assert config["KMSKeyArn"].endswith(f"key/{key_id}")
    assert config["VpcConfig"]["SubnetIds"] == [subnet.id for subnet in site.world.subnets]
    assert config["VpcConfig"]["SecurityGroupIds"] == [of_function(site, "AWS::EC2::SecurityGroup")]
    group_name = of_function(site, "AWS::Logs::LogGroup")
    (group,) = site.client("logs").describe_log_groups(logGroupNamePrefix=group_name)["logGroups"]
    assert group["kmsKeyId"].endswith(f"key/{key_id}")

    synthesize(site)
    site.cdk.deploy()

    assert resources(site) == before
    site.cdk.destroy()

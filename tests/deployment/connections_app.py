"""A CDK app of the library for `test_connections.py`: one service before a database with a fixed address.

What differs from test to test comes as JSON in the variable CONNECTIONS_APP.
"""

from __future__ import annotations

import json
import os
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from constructs_pg import Consumer, PostgresEndpointService, PostgresTarget


def main() -> None:
    """Synthesize the stack."""
    settings: dict[str, Any] = json.loads(os.environ["CONNECTIONS_APP"])
    app = cdk.App(analytics_reporting=False)
    env = cdk.Environment(account=os.environ["CDK_DEFAULT_ACCOUNT"], region=os.environ["CDK_DEFAULT_REGION"])
    stack = cdk.Stack(app, settings["stack"], env=env)
    subnets = [
        ec2.Subnet.from_subnet_attributes(
            stack, zone, subnet_id=subnet_id, availability_zone=zone, ipv4_cidr_block=cidr
        )
        for subnet_id, zone, cidr in settings["subnets"]
    ]
    service = PostgresEndpointService(
        stack,
        "Orders",
        vpc=ec2.Vpc.from_vpc_attributes(
            stack, "Vpc", vpc_id=settings["vpc"], availability_zones=[each.availability_zone for each in subnets]
        ),
        vpc_cidrs=[settings["cidr"]],
        vpc_subnets=ec2.SubnetSelection(subnets=subnets),
        consumers=[
            Consumer(name=f"Account{account}", principals=[f"arn:aws:iam::{account}:root"])
            for account in settings["accounts"]
        ],
        listeners={"main": PostgresTarget.from_ip_addresses([settings["address"]], port=5432, security_groups=[])},
        **settings["options"],
    )
    cdk.CfnOutput(stack, "ServiceId", value=service.endpoint_service_id)
    cdk.CfnOutput(stack, "ServiceName", value=service.endpoint_service_name)
    if settings["without_tag"]:
        cdk.Tags.of(service.endpoint_service).remove("pg-privatelink:zones", priority=300)
    for policy in stack.node.find_all():
        if isinstance(policy, iam.CfnManagedPolicy):
            document = stack.resolve(policy.policy_document)
            document["Statement"] = [
                each for each in document["Statement"] if each.get("Sid") not in settings["without_statements"]
            ]
            policy.policy_document = document
    app.synth()


main()

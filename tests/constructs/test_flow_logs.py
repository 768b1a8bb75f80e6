"""Flow logs: off unless asked for, rejects unless asked for more, and nothing that only looks recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Match, Template

from constructs_pg import FlowLogs, PostgresEndpointService, PostgresEndpointServiceError
from constructs_pg.flow_logs import FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

    ServiceFactory = Callable[..., PostgresEndpointService]

FLOW_LOG, QUERY = "AWS::EC2::FlowLog", "AWS::Logs::QueryDefinition"


def flow_logs(stack: cdk.Stack) -> list[dict[str, Any]]:
    """Return the properties of all flow logs."""
    return [each["Properties"] for each in Template.from_stack(stack).find_resources(FLOW_LOG).values()]


def test_there_are_none_by_default(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Records cost by the gigabyte."""
    assert make_service().flow_logs is None

    Template.from_stack(stack).resource_count_is(FLOW_LOG, 0)


def test_rejects_of_the_load_balancers_subnets(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Every subnet has one, of rejected traffic, with the fields that tell where a packet was stopped."""
    make_service(flow_logs=FlowLogs.to_cloud_watch_logs())

    found = flow_logs(stack)

    assert sorted(each["ResourceId"] for each in found) == ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"]
    for each in found:
        assert each["ResourceType"] == "Subnet"
        assert each["TrafficType"] == "REJECT"
        assert each["LogDestinationType"] == "cloud-watch-logs"
        assert each["MaxAggregationInterval"] == 60
        assert each["LogFormat"] == " ".join(f"${{{field}}}" for field in FIELDS)


def test_the_delivery_service_may_write_into_this_log_group_only(
    stack: cdk.Stack, make_service: ServiceFactory
) -> None:
    """Its role can be assumed for this account's flow logs, and reaches one log group."""
    made = make_service(flow_logs=FlowLogs.to_cloud_watch_logs()).flow_logs

    assert made is not None
    assert made.log_group is not None
    arn = stack.resolve(made.log_group.log_group_arn)
    template = Template.from_stack(stack)
    template.has_resource_properties(
        "AWS::IAM::Role",
        {
            "AssumeRolePolicyDocument": Match.object_like(
                {
                    "Statement": [
                        {
                            "Action": "sts:AssumeRole",
                            "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
                            "Effect": "Allow",
                            "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                        }
                    ]
                }
            )
        },
    )
    template.has_resource_properties(
        "AWS::IAM::ManagedPolicy",
        {
            "PolicyDocument": Match.object_like(
                {
                    "Statement": [
                        {
                            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                            "Effect": "Allow",
                            "Resource": arn,
                        }
                    ]
                }
            )
        },
    )


@pytest.mark.parametrize(
    ("traffic_type", "names"),
    [
        (ec2.FlowLogTrafficType.REJECT, ["Rejected", "RejectedOverTime"]),
        (ec2.FlowLogTrafficType.ALL, ["Accepted", "Rejected", "RejectedOverTime"]),
    ],
)
def test_queries_are_saved(
    traffic_type: ec2.FlowLogTrafficType, names: list[str], stack: cdk.Stack, make_service: ServiceFactory
) -> None:
    """They stand in a folder of the service, and read every field of the format, which CloudWatch does not know."""
    make_service(flow_logs=FlowLogs.to_cloud_watch_logs(traffic_type=traffic_type))

    queries = [each["Properties"] for each in Template.from_stack(stack).find_resources(QUERY).values()]

    assert sorted(each["Name"] for each in queries) == [f"Stack/Orders/{name}" for name in names]
    for each in queries:
        parse, *_ = each["QueryString"].split(" | ")
        assert parse.count("*") == len(FIELDS)
        assert parse.rpartition(" as ")[2].split(", ") == [field.replace("-", "_") for field in FIELDS]


def test_retention_and_key(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """The log group has what it was given, and goes with the stack."""
    key = kms.Key(stack, "Key")
    make_service(flow_logs=FlowLogs.to_cloud_watch_logs(retention=logs.RetentionDays.ONE_WEEK, encryption_key=key))

    Template.from_stack(stack).has_resource(
        "AWS::Logs::LogGroup",
        {
            "Properties": {"RetentionInDays": 7, "KmsKeyId": stack.resolve(key.key_arn)},
            "DeletionPolicy": "Delete",
        },
    )


def test_into_a_bucket(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """A bucket made in CDK lets the delivery service write below the prefix, for this account, before anything does."""
    bucket = s3.Bucket(stack, "Bucket")
    make_service(flow_logs=FlowLogs.to_s3(bucket, key_prefix="network/postgres"))

    template = Template.from_stack(stack)
    (first, *_) = template.find_resources(FLOW_LOG).values()
    (policy,) = template.find_resources("AWS::S3::BucketPolicy").values()
    write, read = policy["Properties"]["PolicyDocument"]["Statement"]
    assert first["Properties"]["LogDestinationType"] == "s3"
    assert "DeliverLogsPermissionArn" not in first["Properties"]
    assert stack.resolve(bucket.arn_for_objects("network/postgres")) == first["Properties"]["LogDestination"]
    assert [each for each in first["DependsOn"] if "BucketPolicy" in each]
    assert write["Action"] == "s3:PutObject"
    assert write["Resource"] == stack.resolve(bucket.arn_for_objects("network/postgres/AWSLogs/111122223333/*"))
    assert write["Condition"]["StringEquals"] == {
        "aws:SourceAccount": "111122223333",
        "s3:x-amz-acl": "bucket-owner-full-control",
    }
    assert (read["Action"], read["Resource"]) == ("s3:GetBucketAcl", stack.resolve(bucket.bucket_arn))
    template.resource_count_is(QUERY, 0)


def test_into_an_imported_bucket(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Its policy is not ours; AWS extends it when the flow log is made."""
    bucket = s3.Bucket.from_bucket_arn(stack, "Bucket", "arn:aws:s3:::flow-logs-of-ours")
    make_service(flow_logs=FlowLogs.to_s3(bucket))

    assert {each["LogDestination"] for each in flow_logs(stack)} == {"arn:aws:s3:::flow-logs-of-ours"}
    Template.from_stack(stack).resource_count_is("AWS::S3::BucketPolicy", 0)


@pytest.mark.parametrize("prefix", ["/a", "a/", "", "a/AWSLogs", "a//b"])
def test_malformed_prefixes_are_refused(prefix: str, stack: cdk.Stack) -> None:
    """Amazon VPC appends a slash and AWSLogs, and refuses a prefix that has them."""
    bucket = s3.Bucket.from_bucket_arn(stack, "Bucket", "arn:aws:s3:::flow-logs-of-ours")

    with pytest.raises(PostgresEndpointServiceError, match="key prefix"):
        FlowLogs.to_s3(bucket, key_prefix=prefix)

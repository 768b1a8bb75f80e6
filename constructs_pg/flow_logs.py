"""`FlowLogs`: records of the traffic in the load balancer's subnets, and saved queries of them.

What they never show stands in docs/monitoring.md: above all the way from a consumer's endpoint to the load balancer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from ._keys import allow_logs_to_use
from ._validation import check_key_prefix, is_token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import IDependable

# `dstaddr` is an interface's first address, hence the `pkt-` ones; the last four say which way a packet went, and why
# not. "Flow log records" in the VPC guide. A format cannot be changed: another one makes another flow log.
FIELDS = (
    "version",
    "interface-id",
    "az-id",
    "subnet-id",
    "srcaddr",
    "dstaddr",
    "pkt-srcaddr",
    "pkt-dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
    "tcp-flags",
    "flow-direction",
    "traffic-path",
    "reject-reason",
)
_FORMAT = " ".join(f"${{{field}}}" for field in FIELDS)
_AGGREGATION_SECONDS = 60
_PARSED = f'parse @message "{" ".join("*" for _ in FIELDS)}" as ' + ", ".join(
    field.replace("-", "_") for field in FIELDS
)
_QUERIES = {
    "Rejected": (
        'filter action = "REJECT"',
        "stats count(*) as records, sum(packets) as packets by interface_id, srcaddr, dstaddr, dstport",
        "sort records desc",
    ),
    "RejectedOverTime": ('filter action = "REJECT"', "stats count(*) as records by bin(1m), dstaddr, dstport"),
}
_QUERIES_OF_ALL = {
    "Accepted": (
        'filter action = "ACCEPT" and flow_direction = "egress"',
        "stats sum(bytes) as bytes, sum(packets) as packets by bin(1m), srcaddr, dstaddr, dstport",
    ),
}


@dataclass(frozen=True, kw_only=True)
class FlowLogs:
    """Which traffic of the load balancer's subnets is recorded, and where to. Made by the factories.

    Args:
        traffic_type: Rejected traffic, accepted, or all.
        bucket: The bucket to write to; None writes to CloudWatch Logs.
        key_prefix: What the keys in the bucket begin with.
        retention: How long CloudWatch Logs keeps them.
        encryption_key: The key of the log group; None leaves encryption to AWS.
    """

    traffic_type: ec2.FlowLogTrafficType = ec2.FlowLogTrafficType.REJECT
    bucket: s3.IBucket | None = None
    key_prefix: str | None = None
    retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    encryption_key: kms.IKey | None = None

    @classmethod
    def to_cloud_watch_logs(
        cls,
        *,
        traffic_type: ec2.FlowLogTrafficType = ec2.FlowLogTrafficType.REJECT,
        retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        encryption_key: kms.IKey | None = None,
    ) -> FlowLogs:
        """Write to a log group made here, with saved queries of CloudWatch Logs Insights.

        Args:
            traffic_type: Rejected traffic, accepted, or all (default: rejected, which costs least).
            retention: How long records are kept; they are deleted with the stack (default: one month).
            encryption_key: A key for the log group; the policy of one made in CDK is extended (default: AWS's own).
        """
        return cls(traffic_type=traffic_type, retention=retention, encryption_key=encryption_key)

    @classmethod
    def to_s3(
        cls,
        bucket: s3.IBucket,
        *,
        traffic_type: ec2.FlowLogTrafficType = ec2.FlowLogTrafficType.REJECT,
        key_prefix: str | None = None,
    ) -> FlowLogs:
        """Write to a bucket, for Athena and the like.

        Args:
            bucket: The bucket. The policy of one made in CDK is extended; to that of an imported one AWS adds by
                itself what it needs, if whoever deploys may change it.
            traffic_type: Rejected traffic, accepted, or all (default: rejected, which costs least).
            key_prefix: What the keys begin with; without a slash at either end (default: nothing).

        Raises:
            PostgresEndpointServiceError: The prefix is malformed.
        """
        if key_prefix is not None:
            check_key_prefix(key_prefix)
        return cls(traffic_type=traffic_type, bucket=bucket, key_prefix=key_prefix)


class EndpointServiceFlowLogs(Construct):
    """Flow logs of the load balancer's subnets: its interfaces have no ids before it exists.

    Args:
        scope: The endpoint service's construct.
        construct_id: This construct's id.
        flow_logs: What is recorded, and where to.
        subnets: The load balancer's subnets.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, flow_logs: FlowLogs, subnets: Sequence[ec2.ISubnet]
    ) -> None:
        super().__init__(scope, construct_id)
        self._flow_logs = flow_logs
        #: None if they go to a bucket.
        self.log_group: logs.LogGroup | None = None
        role: iam.Role | None = None
        policy: IDependable | None = None
        if flow_logs.bucket is None:
            self.log_group = self._make_log_group()
            role = self._make_role(self.log_group)
            self._save_queries(self.log_group)
        else:
            policy = self._let_write(flow_logs.bucket)
        for index, subnet in enumerate(subnets):
            zone = subnet.availability_zone
            log = ec2.CfnFlowLog(
                self,
                # The load balancer has one subnet in each zone.
                f"Subnet{index}" if is_token(zone) else f"Subnet-{zone}",
                resource_id=subnet.subnet_id,
                resource_type="Subnet",
                traffic_type=flow_logs.traffic_type.value,
                log_destination_type="cloud-watch-logs" if flow_logs.bucket is None else "s3",
                log_destination=None if flow_logs.bucket is None else self._place(flow_logs.bucket),
                log_group_name=None if self.log_group is None else self.log_group.log_group_name,
                deliver_logs_permission_arn=None if role is None else role.role_arn,
                log_format=_FORMAT,
                max_aggregation_interval=_AGGREGATION_SECONDS,
            )
            if role is not None:
                log.node.add_dependency(role)
            elif policy is not None:
                log.node.add_dependency(policy)

    def _make_log_group(self) -> logs.LogGroup:
        key = self._flow_logs.encryption_key
        if key is not None:
            allow_logs_to_use(key, stack=cdk.Stack.of(self))
        return logs.LogGroup(
            self,
            "LogGroup",
            retention=self._flow_logs.retention,
            encryption_key=key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _make_role(self, log_group: logs.LogGroup) -> iam.Role:
        """Let the delivery service write into our log group, for our own flow logs only."""
        role = iam.Role(
            self,
            "Role",
            description="Flow logs of a Postgres endpoint service",
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
            ),
        )
        # Managed, since many a policy pack refuses inline ones; below the role, which the flow logs wait for.
        iam.ManagedPolicy(
            role,
            "Policy",
            description="Flow logs of a Postgres endpoint service",
            roles=[role],
            statements=[
                iam.PolicyStatement(
                    actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    resources=[log_group.log_group_arn],
                )
            ],
        )
        return role

    def _save_queries(self, log_group: logs.LogGroup) -> None:
        """Save queries under the service's name: queries are the one thing here that must have names."""
        is_all = self._flow_logs.traffic_type is ec2.FlowLogTrafficType.ALL
        stack = cdk.Stack.of(self)
        folder = f"{stack.stack_name}/{(self.node.scope or self).node.id}"
        for name, lines in (_QUERIES | (_QUERIES_OF_ALL if is_all else {})).items():
            logs.CfnQueryDefinition(
                self,
                f"Query{name}",
                name=f"{folder}/{name}",
                log_group_names=[log_group.log_group_name],
                query_string=" | ".join((_PARSED, *lines)),
            )

    def _place(self, bucket: s3.IBucket) -> str:
        return bucket.arn_for_objects(self._flow_logs.key_prefix) if self._flow_logs.key_prefix else bucket.bucket_arn

    def _let_write(self, bucket: s3.IBucket) -> IDependable | None:
        """Extend the bucket's policy; AWS would do it by itself, and CloudFormation undo it."""
        stack = cdk.Stack.of(self)
        delivery = iam.ServicePrincipal("delivery.logs.amazonaws.com")
        ours = {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {"aws:SourceArn": stack.format_arn(service="logs", resource="*")},
        }
        prefix = f"{self._flow_logs.key_prefix}/" if self._flow_logs.key_prefix else ""
        owned = {**ours["StringEquals"], "s3:x-amz-acl": "bucket-owner-full-control"}
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[delivery],
                actions=["s3:PutObject"],
                resources=[bucket.arn_for_objects(f"{prefix}AWSLogs/{stack.account}/*")],
                conditions={**ours, "StringEquals": owned},
            )
        )
        return bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[delivery],
                actions=["s3:GetBucketAcl"],
                resources=[bucket.bucket_arn],
                conditions=ours,
            )
        ).policy_dependable

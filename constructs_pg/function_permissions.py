"""`FunctionPermissions`: the function's role, made here or given, and what it may do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from ._acknowledgments import DESCRIBE_ACTIONS
from .given_role import attach_policy, described
from .network_interfaces import NOT_BY_CODE, acknowledge_network_interfaces, network_interface_statements

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import aws_kms as kms
    from constructs import Construct, IConstruct

    from .function_network import FunctionNetwork

_GIVEN_ROLE = "constructs-pg:PostgresEndpointService.functionRole"
_FOLLOWED_TAG_ONLY = {"ForAllValues:StringEquals": {"aws:TagKeys": ["pg-privatelink:followed"]}}


class FunctionPermissions:
    """What the function may do, in a role that is made here or given. Its constructs' ids lie in `scope`.

    Args:
        scope: The function's construct.
        role: A role to use; None makes one. Where CDK may change the given role it gets a policy of ours; an
            immutable one (`from_role_arn(..., mutable=False)`, `role.without_policy_updates()`) gets nothing, and a
            warning says what it needs.
        permissions_boundary: A permissions boundary for the role that is made here (default: none).
        observe_only: Whether the function must not change anything.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        role: iam.IRole | None,
        permissions_boundary: iam.IManagedPolicy | None,
        observe_only: bool,
    ) -> None:
        self._scope = scope
        self._own_role = self._make_role(permissions_boundary) if role is None else None
        self.role: iam.IRole = self._own_role or role  # type: ignore[assignment]  # one of the two is there
        #: Ours in a given role; None where the role is made here or takes no policy.
        self.policy = None if role is None else attach_policy(scope, "Policy", role)
        #: All that the role needs.
        self.required_policy = iam.PolicyDocument()
        self._added: list[iam.PolicyStatement] = []
        self._read_members: iam.PolicyStatement | None = None
        # One statement, since 50 ARNs listed twice would outgrow the 10 KB of a role's inline policies. The condition
        # holds for AddTags, the only one of these requests that carries tag keys: ForAllValues is true without any.
        self._follow_targets = iam.PolicyStatement(
            sid="FollowTargets",
            actions=[
                "elasticloadbalancing:AddTags",
                "elasticloadbalancing:DeregisterTargets",
                "elasticloadbalancing:RegisterTargets",
            ],
            conditions=_FOLLOWED_TAG_ONLY,
        )
        self._observe_only = observe_only

    @property
    def takes_policies(self) -> bool:
        """Whether the role gets what it needs from here."""
        return self._holder is not None

    def allow_to_log(self, log_group_arn: str) -> None:
        """Allow to write into one log group."""
        self._add(iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group_arn]))

    def allow_to_keep_targets(self) -> None:
        """Allow to read all target groups and, unless it only observes, to change those of `add_target_group`."""
        if not self._observe_only:
            self._add(self._follow_targets)
        read = iam.PolicyStatement(
            sid="ReadTargets",
            actions=[
                "elasticloadbalancing:DescribeTags",
                "elasticloadbalancing:DescribeTargetGroups",
                "elasticloadbalancing:DescribeTargetHealth",
            ],
            resources=["*"],
        )
        self._add(read)
        if self._holder is not None:
            DESCRIBE_ACTIONS.on(self._holder)

    def add_target_group(self, target_group_arn: str) -> None:
        """Allow to keep the targets of one more group."""
        self._follow_targets.add_resources(target_group_arn)

    def allow_network_interfaces(self, network: FunctionNetwork) -> None:
        """Allow AWS Lambda to connect the function to the VPC, see `network_interface_statements`."""
        for statement in network_interface_statements(network):
            self._add(statement)
        if self._holder is not None:
            acknowledge_network_interfaces(self._holder, network)

    def allow_decryption(self, key: kms.IKey) -> None:
        """Allow AWS Lambda to decrypt the function's environment; a role made anew has lost Lambda's own grant."""
        self._add(
            iam.PolicyStatement(
                sid="DecryptEnvironment",
                actions=["kms:Decrypt"],
                resources=[key.key_arn],
                conditions=NOT_BY_CODE,
            )
        )

    def allow_to_read_members(self, cluster_identifier: str) -> IConstruct | None:
        """Allow to ask RDS for one DB cluster's members; returns the policy that does, if there is one.

        In a managed policy: beside 50 target groups, 50 clusters would outgrow the 10 KB of a role's inline policies.
        """
        cluster_arn = cdk.Stack.of(self._scope).format_arn(
            service="rds",
            resource="cluster",
            resource_name=cluster_identifier,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )
        if self._read_members is None:
            self._read_members = iam.PolicyStatement(sid="ReadMembers", actions=["rds:DescribeDBClusters"])
            self.required_policy.add_statements(self._read_members)
            if self.takes_policies:
                iam.ManagedPolicy(
                    self._scope,
                    "ReadMembers",
                    description="Readers of DB clusters behind a Postgres endpoint service",
                    statements=[self._read_members],
                    roles=[self.role],
                )
        self._read_members.add_resources(cluster_arn)
        if not self.takes_policies:
            only = iam.PolicyStatement(sid="ReadMembers", actions=["rds:DescribeDBClusters"], resources=[cluster_arn])
            self._warn([described(self._scope, only)])
        return self._scope.node.try_find_child("ReadMembers")

    def warn_of_what_is_missing(self) -> None:
        """Say what a role needs that takes no policies; called when all statements but those of clusters are there."""
        if self.takes_policies:
            return
        statements = [described(self._scope, each) for each in self._added]
        for statement in statements:
            if statement.get("Sid") == "FollowTargets":
                statement["Condition"] = {
                    **statement["Condition"],
                    "Null": {"aws:ResourceTag/pg-privatelink:listener": "false"},
                }
        self._warn(statements)

    def _make_role(self, permissions_boundary: iam.IManagedPolicy | None) -> iam.Role:
        return iam.Role(
            self._scope,
            "Role",
            description="Target groups of a Postgres endpoint service: register and deregister their targets",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            permissions_boundary=permissions_boundary,
        )

    @property
    def _holder(self) -> iam.Role | iam.Policy | None:
        """What our statements go to."""
        return self._own_role or self.policy

    def _add(self, statement: iam.PolicyStatement) -> None:
        self.required_policy.add_statements(statement)
        self._added.append(statement)
        if self._own_role is not None:
            self._own_role.add_to_principal_policy(statement)
        elif self.policy is not None:
            self.policy.add_statements(statement)

    def _warn(self, statements: Iterable[dict[str, Any]]) -> None:
        cdk.Validations.of(self._scope).add_warning(
            _GIVEN_ROLE,
            "the given role takes no policies from here, and the deployment fails after a minute if it may not do what "
            f"it needs: {json.dumps(list(statements))}; give it that before ('target_sync.required_policy' is the same "
            "in code, with the target groups' ARNs), and acknowledge this",
        )

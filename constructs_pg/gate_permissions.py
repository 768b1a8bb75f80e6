"""`GatePermissions`: the role of the function that answers for connections, made here or given, and what it may do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from ._acknowledgments import DESCRIBE_ACTIONS, db_subnet_groups
from .given_role import attach_policy, described, spelled
from .network_interfaces import NOT_BY_CODE, acknowledge_network_interfaces, network_interface_statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_kms as kms
    from constructs import Construct, IConstruct

    from .function_network import FunctionNetwork
    from .targets import RdsDatabase

_GIVEN_ROLE = "constructs-pg:PostgresEndpointService.connectionFunctionRole"
_DESCRIPTION = "Connections and zones of a Postgres endpoint service"
# One policy for each kind: 50 databases of one kind fill a managed policy, which takes 6,144 characters.
_READ_DATABASES = {
    "db": ("ReadInstances", "rds:DescribeDBInstances"),
    "cluster": ("ReadClusters", "rds:DescribeDBClusters"),
}


class GatePermissions:
    """What the function may do. Its constructs' ids lie in `scope`.

    A role made here gets managed policies, since many a policy pack refuses inline ones. A given role gets inline ones
    of ours; where CDK may not change it, it gets nothing, and warnings say what it needs.

    Args:
        scope: The function's construct.
        role: A role to use; None makes one.
        permissions_boundary: A permissions boundary for the role that is made here (default: none).
        endpoint_service_arn: The endpoint service, which most statements are about.
        log_group_arn: The function's log group.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        role: iam.IRole | None,
        permissions_boundary: iam.IManagedPolicy | None,
        endpoint_service_arn: str,
        log_group_arn: str,
    ) -> None:
        self._scope = scope
        self._endpoint_service_arn = endpoint_service_arn
        self._given = role
        self.role: iam.IRole = role or iam.Role(
            scope,
            "Role",
            description=_DESCRIPTION,
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            permissions_boundary=permissions_boundary,
        )
        #: What holds the statements; None for a given role that takes no policies.
        self.policy: iam.ManagedPolicy | iam.Policy | None = (
            iam.ManagedPolicy(scope, "Policy", description=_DESCRIPTION, roles=[self.role])
            if role is None
            else attach_policy(scope, "RolePolicy", role)
        )
        #: All that the role needs.
        self.required_policy = iam.PolicyDocument()
        self._asked: list[iam.PolicyStatement] = []
        self._told: set[str] = set()
        self._readers: dict[str, tuple[iam.PolicyStatement, IConstruct | None]] = {}
        self._rds_arns: dict[str, str] = {}
        self._reads_stack = False
        self._subnet_groups: iam.PolicyStatement | None = None
        self._add(iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group_arn]))
        self._add(
            iam.PolicyStatement(
                sid="ReadZones",
                actions=["ec2:DescribeVpcEndpointServiceConfigurations", "elasticloadbalancing:DescribeLoadBalancers"],
                resources=["*"],
            )
        )
        self.allow("LearnZones", "ec2:ModifyVpcEndpointServiceConfiguration")
        if self.policy is not None:
            DESCRIBE_ACTIONS.on(self.policy)

    def allow(
        self, sid: str, action: str, *, resource: str | None = None, conditions: Mapping[str, object] | None = None
    ) -> None:
        """Allow an action, on the endpoint service unless told otherwise."""
        self._add(
            iam.PolicyStatement(
                sid=sid, actions=[action], resources=[resource or self._endpoint_service_arn], conditions=conditions
            )
        )

    def allow_decryption(self, key: kms.IKey) -> None:
        """Allow AWS Lambda to decrypt the function's environment; a role made anew has lost Lambda's own grant."""
        self.allow("DecryptEnvironment", "kms:Decrypt", resource=key.key_arn, conditions=NOT_BY_CODE)

    def allow_network_interfaces(self, network: FunctionNetwork) -> None:
        """Allow AWS Lambda to connect the function to the VPC."""
        for statement in network_interface_statements(network):
            self._add(statement)
        if self.policy is not None:
            acknowledge_network_interfaces(self.policy, network)

    def allow_rejection(self) -> IConstruct | None:
        """Allow to cut all consumers off when the stack is deleted; returns the policy that does, if there is one.

        A policy of its own: when the option is turned off, it goes after the custom resource that needs it.
        """
        statements = [
            iam.PolicyStatement(sid="ReadConnections", actions=["ec2:DescribeVpcEndpointConnections"], resources=["*"]),
            iam.PolicyStatement(
                sid="RejectConnections",
                actions=["ec2:RejectVpcEndpointConnections"],
                resources=[self._endpoint_service_arn],
            ),
            # Turning the option off deletes the custom resource too, and must reject nobody.
            self._read_stack(),
        ]
        policy = self._further_policy(
            "RejectionPolicy", "Reject the connections of a Postgres endpoint service that is deleted", statements
        )
        if policy is not None:
            DESCRIBE_ACTIONS.on(policy)
        return policy

    def allow_to_read_zones_of(self, database: RdsDatabase) -> IConstruct | None:
        """Allow to ask RDS for a database's DB subnet group; returns the policy that does, if there is one."""
        arn = self._rds_arn(database.kind, database.identifier)
        construct_id, action = _READ_DATABASES[database.kind]
        if database.kind not in self._readers:
            statement = iam.PolicyStatement(sid=construct_id, actions=[action], resources=[arn])
            description = "DB subnet groups of databases behind a Postgres endpoint service"
            self._readers[database.kind] = statement, self._further_policy(construct_id, description, [statement])
        else:
            self._readers[database.kind][0].add_resources(arn)
        if self.policy is None:
            self._warn([iam.PolicyStatement(sid=construct_id, actions=[action], resources=[arn])])
        if not self._reads_stack:
            # A stack that stood before is not failed for its zones.
            self._reads_stack = True
            self._add(self._read_stack())
            if self.policy is None:
                self._warn([self._read_stack()])
        if database.kind == "cluster":
            # A cluster's description names its subnet group, and not the subnets.
            self._allow_to_read_subnet_group(database.subnet_group)
        return self._readers[database.kind][1]

    def warn_of_what_is_missing(self) -> None:
        """Say what a role needs that takes no policies; called when all statements but those of databases are there."""
        if self.policy is None:
            self._warn(self._asked)

    def _allow_to_read_subnet_group(self, name: str | None) -> None:
        arn = self._rds_arn("subgrp", name or "*")
        if self._subnet_groups is None:
            self._subnet_groups = iam.PolicyStatement(
                sid="ReadSubnetGroups", actions=["rds:DescribeDBSubnetGroups"], resources=[arn]
            )
            self._add(self._subnet_groups)
            if self.policy is None:
                self._warn([self._subnet_groups])
        else:
            self._subnet_groups.add_resources(arn)
        if name is None and self.policy is not None:
            db_subnet_groups(spelled(cdk.Stack.of(self._scope).resolve(arn), "<{}>")).on(self.policy)

    def _read_stack(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="ReadStack", actions=["cloudformation:DescribeStacks"], resources=[cdk.Stack.of(self._scope).stack_id]
        )

    def _rds_arn(self, kind: str, name: str) -> str:
        if kind not in self._rds_arns:
            stack = cdk.Stack.of(self._scope)
            self._rds_arns[kind] = stack.format_arn(
                service="rds", resource=kind, arn_format=cdk.ArnFormat.NO_RESOURCE_NAME
            )
        return f"{self._rds_arns[kind]}:{name}"

    def _add(self, statement: iam.PolicyStatement) -> None:
        self.required_policy.add_statements(statement)
        self._asked.append(statement)
        if self.policy is not None:
            self.policy.add_statements(statement)

    def _further_policy(
        self, construct_id: str, description: str, statements: Sequence[iam.PolicyStatement]
    ) -> IConstruct | None:
        self.required_policy.add_statements(*statements)
        if self._given is None:
            return iam.ManagedPolicy(
                self._scope, construct_id, description=description, roles=[self.role], statements=statements
            )
        if self.policy is None:
            self._asked += statements
            return None
        policy = attach_policy(self._scope, f"Role{construct_id}", self._given)
        assert policy is not None  # noqa: S101 - it takes the other one
        policy.add_statements(*statements)
        return policy

    def _warn(self, statements: Sequence[iam.PolicyStatement]) -> None:
        # Each once: the ids of a policy's statements are unique.
        asked = {json.dumps(described(self._scope, each)): None for each in statements}.keys() - self._told
        self._told |= asked
        if not asked:
            return
        cdk.Validations.of(self._scope).add_warning(
            _GIVEN_ROLE,
            "the given role takes no policies from here, and the deployment fails, or connections are not answered, if "
            f"it may not do what it needs: [{', '.join(sorted(asked))}]; give it that before "
            "('endpoint_connections.gate.required_policy' is the same in code), and acknowledge this",
        )

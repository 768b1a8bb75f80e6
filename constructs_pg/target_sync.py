"""`TargetSync`: the function that follows DNS, with its role, its schedule, its event rules and custom resources."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from ._assets import stage_target_sync
from ._functions import asset_folder, make_function
from ._keys import allow_logs_to_use
from ._validation import TARGET_RANGES, is_in, is_token
from .event_rules import EventRules, rule_target
from .function_network import FunctionNetwork
from .function_permissions import FunctionPermissions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_elasticloadbalancingv2 as elbv2
    from aws_cdk import aws_kms as kms
    from constructs import IConstruct, IDependable

    from .listener import PostgresListener

_HANDLER = "target_sync.handler.handle"
_START_TIMEOUT = cdk.Duration.minutes(1)
# The function answers within its own timeout; CloudFormation waits a little longer, so that the reason arrives.
_FUNCTION_TIMEOUT = cdk.Duration.minutes(6)
_TARGETS_TIMEOUT = cdk.Duration.minutes(7)

_PRIVATE_RANGES = [str(each) for each in TARGET_RANGES]
_PRIVATE_NAMESERVERS = "constructs-pg:PostgresEndpointService.privateNameservers"


@jsii.implements(cdk.IStableStringProducer)
class _WatchInput:
    """What the schedule sends; known when all listeners are."""

    def __init__(self, target_sync: TargetSync) -> None:
        self._target_sync = target_sync

    def produce(self) -> str:
        """Return the event as JSON."""
        return json.dumps({"action": "watch", "listeners": self._target_sync.edition()})


class TargetSync(Construct):
    """The function that keeps target groups in step with DNS; one for all listeners of a service.

    Which names it follows stands in the target groups' tags. Here is only what all listeners share.

    Args:
        scope: The endpoint service's construct.
        construct_id: This construct's id.
        load_balancer: The load balancer whose target groups it keeps.
        vpc_cidrs: The VPC's IPv4 CIDRs.
        poll_interval: The longest time between two DNS questions, 1 to 60 seconds.
        wait_for_healthy: Whether a deployment waits until new targets pass their health check.
        healthy_timeout: How long it waits, at most 5 minutes.
        runtime: The function's runtime.
        observe_only: Whether the function only says what it would change; its role then cannot change anything.
        vpc: The load balancer's VPC.
        vpc_subnets: The subnets of that VPC in which the function runs; None runs it outside (default: None).
        security_groups: Security groups for a function in the VPC; None makes one (default: None).
        encryption_key: A key for the function's environment and logs; None leaves both to AWS (default: None).
        role: A role for the function; None makes one (default: None).
        permissions_boundary: A permissions boundary for the role that is made here (default: none).
        log_retention: How long logs are kept (default: one month).

    Attributes:
        function: The function, `lambda_.Function`.
        log_group: Its log group.

    Raises:
        PostgresEndpointServiceError: The function cannot run in these subnets.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        load_balancer: elbv2.NetworkLoadBalancer,
        vpc_cidrs: Sequence[str],
        poll_interval: cdk.Duration,
        wait_for_healthy: bool,
        healthy_timeout: cdk.Duration,
        runtime: lambda_.Runtime,
        vpc: ec2.IVpc,
        observe_only: bool = False,
        vpc_subnets: ec2.SubnetSelection | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        encryption_key: kms.IKey | None = None,
        role: iam.IRole | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        code = stage_target_sync(asset_folder(self, "target-sync"))
        self._code_hash = cdk.FileSystem.fingerprint(str(code))
        self.log_group = self._make_log_group(log_retention, encryption_key)
        #: None outside the VPC.
        self.network: FunctionNetwork | None = None
        if vpc_subnets is not None:
            self.network = FunctionNetwork(
                self,
                "Network",
                vpc=vpc,
                vpc_subnets=vpc_subnets,
                security_groups=security_groups,
                service=scope,
            )
        self._permissions = self._make_permissions(
            role, permissions_boundary, encryption_key, observe_only=observe_only
        )
        self.function = make_function(
            self,
            description="Keeps the target groups of a Postgres endpoint service in step with DNS",
            code=code,
            handler=_HANDLER,
            runtime=runtime,
            timeout=_FUNCTION_TIMEOUT,
            max_event_age=cdk.Duration.minutes(1),
            role=self.role,
            network=self.network,
            encryption_key=encryption_key,
            log_group=self.log_group,
            environment={
                "LOAD_BALANCER_ARN": load_balancer.load_balancer_arn,
                "VPC_RANGES": " ".join(vpc_cidrs),
                "POLL_INTERVAL_SECONDS": f"{poll_interval.to_seconds():.0f}",
                **({"OBSERVE_ONLY": "true"} if observe_only else {}),
            },
        )
        self._function_arn = self.function.function_arn
        if self._permissions.policy is not None:
            self.function.node.add_dependency(self._permissions.policy)
        # One permission for all rules: one each would outgrow the 20 KB of a function's policy at 50 databases.
        permission = lambda_.CfnPermission(
            self,
            "AllowEventRules",
            action="lambda:InvokeFunction",
            function_name=self.function.function_arn,
            principal="events.amazonaws.com",
            source_account=cdk.Aws.ACCOUNT_ID,
            source_arn=cdk.Stack.of(self).format_arn(service="events", resource="rule", resource_name="*"),
        )
        self._followed: dict[str, str] = {}
        self._schedule = events.CfnRule(
            self,
            "Schedule",
            description="Every minute: the function then watches DNS until the next",
            schedule_expression="rate(1 minute)",
            state="ENABLED",
            targets=[rule_target(self._function_arn, constant_input=cdk.Lazy.string(_WatchInput(self)))],
        )
        self._event_rules = EventRules(self, "EventRules", function_arn=self._function_arn)
        self.start = cdk.CustomResource(
            self,
            "Start",
            service_token=self.function.function_arn,
            resource_type="Custom::PostgresTargetSyncStart",
            service_timeout=_START_TIMEOUT,
            removal_policy=cdk.RemovalPolicy.RETAIN,
            properties={"CodeHash": self._code_hash},
        )
        self.targets = cdk.CustomResource(
            self,
            "Targets",
            service_token=self.function.function_arn,
            resource_type="Custom::PostgresTargets",
            service_timeout=_TARGETS_TIMEOUT,
            # Never called on deletion: targets go with their groups, and a function in trouble must not stop that.
            removal_policy=cdk.RemovalPolicy.RETAIN,
            properties={
                "CodeHash": self._code_hash,
                "WaitForHealthy": "true" if wait_for_healthy else "false",
                "HealthyTimeoutSeconds": f"{healthy_timeout.to_seconds():.0f}",
            },
        )
        self._targets_node = self.targets.node
        self._targets_node.add_dependency(self.start, permission, self._schedule)
        resource = self._targets_node.default_child
        assert isinstance(resource, cdk.CfnResource)  # noqa: S101 - true of the L2
        self._targets_resource = resource

    def add_listener(self, listener: PostgresListener, *, rules: Sequence[IConstruct]) -> None:
        """Follow a listener's DNS name.

        Args:
            listener: The listener; its target group is tagged with what to follow.
            rules: Security-group rules without which its targets cannot become healthy.
        """
        self._permissions.add_target_group(listener.target_group.target_group_arn)
        self._check_nameservers(listener)
        parts = [
            f"{listener.target.hostname}:{listener.target_port}",
            *listener.allowed_ranges,
            *listener.target.nameservers,
            *([f"members:{listener.target.members_of}"] if listener.target.members_of is not None else ()),
        ]
        followed = cdk.Fn.join(" ", parts) if any(map(is_token, parts)) else " ".join(parts)
        self._followed[listener.name] = followed
        # The tags are what the function reads; this makes CloudFormation call it again when they change.
        self._targets_resource.add_property_override(f"Listeners.{listener.name}", followed)
        needed: list[IDependable] = [listener.listener, *rules]
        # A process that runs already learns of a changed table by the schedule's input, so not before it is there.
        self._schedule.node.add_dependency(listener.target_group)
        if listener.target.members_of is not None:
            policy = self._permissions.allow_to_read_members(listener.target.members_of)
            if policy is not None:
                needed.append(policy)
        needed += [self._event_rules.rule_of(source) for source in listener.target.event_sources]
        self._targets_node.add_dependency(*needed)

    def edition(self) -> str:
        """Return a name for the table of listeners as it is: another table has another one."""
        table = cdk.Stack.of(self).resolve(self._followed)
        return hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def role(self) -> iam.IRole:
        """The function's role, made here or given."""
        return self._permissions.role

    @property
    def required_policy(self) -> iam.PolicyDocument:
        """All that the role needs, for a role given as one that takes no policies.

        Put it into a managed policy of that role, and let `function` depend on the policy.
        """
        return self._permissions.required_policy

    def _make_log_group(self, retention: logs.RetentionDays, key: kms.IKey | None) -> logs.LogGroup:
        if key is not None:
            allow_logs_to_use(key, stack=cdk.Stack.of(self))
        return logs.LogGroup(
            self,
            "LogGroup",
            retention=retention,
            encryption_key=key,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )

    def _make_permissions(
        self,
        role: iam.IRole | None,
        permissions_boundary: iam.IManagedPolicy | None,
        encryption_key: kms.IKey | None,
        *,
        observe_only: bool,
    ) -> FunctionPermissions:
        permissions = FunctionPermissions(
            self, role=role, permissions_boundary=permissions_boundary, observe_only=observe_only
        )
        permissions.allow_to_log(self.log_group.log_group_arn)
        permissions.allow_to_keep_targets()
        if self.network is not None:
            permissions.allow_network_interfaces(self.network)
        if encryption_key is not None:
            permissions.allow_decryption(encryption_key)
        permissions.warn_of_what_is_missing()
        return permissions

    def _check_nameservers(self, listener: PostgresListener) -> None:
        """Let a function in the VPC reach the listener's name servers; outside, warn of those that it cannot reach."""
        nameservers = listener.target.nameservers
        if self.network is not None:
            self.network.allow_nameservers(nameservers)
            return
        known = (each for each in nameservers if not is_token(each))
        private = [each for each in known if is_in(each.partition(":")[0], _PRIVATE_RANGES)]
        if private:
            cdk.Validations.of(self).add_warning(
                _PRIVATE_NAMESERVERS,
                f"listener '{listener.name}' asks name servers with private addresses ({', '.join(private)}), which "
                "the function cannot reach from outside the VPC: let it run inside, with 'function_vpc_subnets'",
            )

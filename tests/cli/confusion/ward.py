"""`Ward`: a deployed service as somebody with the AWS CLI sees it, to break and to mend.

Nothing here knows the doctor: what is there is asked of AWS's API.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from pg_privatelink.cli.application import run
from tools.demo_world import DBT_ACCOUNT, PROVIDER_ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from emulator.database import Database
    from emulator.name_server import NameServer
    from emulator.running import Emulator

_LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_PATIENCE = 120.0  # seconds


@dataclass(kw_only=True)
class Ward:
    """A service that is deployed.

    Attributes:
        emulator: AWS.
        name_server: Knows the databases' names.
        stack: The service's stack.
        servers: Everything that listens, by address.
        names: The names that are followed, with their addresses.
        instance: The identifier of the DB instance behind it; empty where there is none.
        database_group: The database's security group; empty where the stack was told none.
        parameter_group: The DB parameter group; empty: RDS's own.
        spare_subnet: A subnet of a zone that the load balancer is not in; empty: there is none.
        consumer: The account that connects.
        endpoint: The consumer's endpoint; empty before it connects.
        before: The state of every target while the service was sound.
    """

    emulator: Emulator
    name_server: NameServer
    stack: str
    servers: Mapping[str, Database]
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    instance: str = ""
    database_group: str = ""
    parameter_group: str = ""
    spare_subnet: str = ""
    consumer: str = DBT_ACCOUNT
    endpoint: str = ""
    before: dict[str, str] = field(default_factory=dict)

    def client(self, service: str, account: str = PROVIDER_ACCOUNT) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client of one of the accounts."""
        return self.emulator.client(service, account=account)

    def physical(self, kind: str, part: str = "") -> list[str]:
        """Return the physical ids of the stack's resources of a type whose logical ids have a part."""
        rows = self.client("cloudformation").describe_stack_resources(StackName=self.stack)["StackResources"]
        return [
            row["PhysicalResourceId"]
            for row in sorted(rows, key=lambda row: row["LogicalResourceId"])
            if row["ResourceType"] == kind and part in row["LogicalResourceId"]
        ]

    @property
    def service_id(self) -> str:
        """The endpoint service's id."""
        return self.physical("AWS::EC2::VPCEndpointService")[0]

    @property
    def load_balancer_arn(self) -> str:
        """The load balancer's ARN."""
        return self.physical(_LOAD_BALANCER)[0]

    @property
    def load_balancer(self) -> dict[str, Any]:
        """The load balancer, as it is now."""
        answer = self.client("elbv2").describe_load_balancers(LoadBalancerArns=[self.load_balancer_arn])
        row: dict[str, Any] = answer["LoadBalancers"][0]
        return row

    @property
    def enforced(self) -> bool:
        """Whether inbound rules bind PrivateLink traffic."""
        return bool(self.load_balancer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "on")

    @property
    def group(self) -> str:
        """The load balancer's own security group."""
        return self.physical("AWS::EC2::SecurityGroup", "SecurityGroup")[0]

    @property
    def function(self) -> str:
        """The function that follows DNS; empty where there is none."""
        return next(iter(self.physical("AWS::Lambda::Function", "TargetSync")), "")

    @property
    def schedule(self) -> str:
        """The rule that runs the function each minute."""
        return self.physical("AWS::Events::Rule", "TargetSyncSchedule")[0].rpartition("|")[2].rpartition("/")[2]

    def listeners(self) -> list[dict[str, Any]]:
        """Return the listeners, as they are now."""
        rows: list[dict[str, Any]] = self.client("elbv2").describe_listeners(LoadBalancerArn=self.load_balancer_arn)[
            "Listeners"
        ]
        return rows

    def groups(self) -> list[str]:
        """Return the target groups behind the listeners."""
        return [row["DefaultActions"][0]["TargetGroupArn"] for row in self.listeners()]

    def targets(self, group: str) -> list[dict[str, Any]]:
        """Return the targets of a group that do not leave, as AWS describes them."""
        rows = self.client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return [row for row in rows if row["TargetHealth"]["State"] != "draining"]

    def health(self) -> dict[str, str]:
        """Return the state of every target of every listener."""
        return {
            f"{row['Target']['Id']}:{row['Target']['Port']}": row["TargetHealth"]["State"]
            for group in self.groups()
            for row in self.targets(group)
        }

    def address(self, target: str) -> str:
        """Return the address of a target, which may be an EC2 instance."""
        if not target.startswith("i-"):
            return target
        answer = self.client("ec2").describe_instances(InstanceIds=[target])
        return str(answer["Reservations"][0]["Instances"][0]["PrivateIpAddress"])

    def addresses(self) -> list[tuple[str, int]]:
        """Return address and port of every target."""
        rows = [row["Target"] for group in self.groups() for row in self.targets(group)]
        return sorted({(self.address(row["Id"]), int(row["Port"])) for row in rows})

    def rules(self, group: str, *, egress: bool = False) -> list[dict[str, Any]]:
        """Return a security group's permissions of one direction, one for each source."""
        (row,) = self.client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return [
            {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule} | {kind: [source]}
            for rule in row["IpPermissionsEgress" if egress else "IpPermissions"]
            for kind in ("IpRanges", "UserIdGroupPairs", "PrefixListIds")
            for source in rule.get(kind, [])
        ]

    def revoke(self, group: str, rule: dict[str, Any]) -> None:
        """Revoke an inbound rule as `rules` returns it, by its id: the emulator does not find rules for groups else."""
        ec2 = self.client("ec2")
        filters = [{"Name": "group-id", "Values": [group]}]
        pairs, ranges = rule.get("UserIdGroupPairs"), rule.get("IpRanges")
        ids = [
            row["SecurityGroupRuleId"]
            for row in ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
            if not row["IsEgress"]
            and (row.get("FromPort"), row.get("ToPort")) == (rule.get("FromPort"), rule.get("ToPort"))
            and (
                (pairs and row.get("ReferencedGroupInfo", {}).get("GroupId") == pairs[0]["GroupId"])
                or (ranges and row.get("CidrIpv4") == ranges[0]["CidrIp"])
            )
        ]
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=ids)

    def subnets(self) -> list[dict[str, Any]]:
        """Return all subnets of the load balancer's VPC."""
        filters = [{"Name": "vpc-id", "Values": [self.load_balancer["VpcId"]]}]
        rows: list[dict[str, Any]] = self.client("ec2").describe_subnets(Filters=filters)["Subnets"]
        return rows

    def connect(self) -> None:
        """Have the consumer make an endpoint, and accept it."""
        theirs = self.client("ec2", self.consumer)
        vpc_id = theirs.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = theirs.create_vpc_endpoint(
            VpcEndpointType="Interface",
            VpcId=vpc_id,
            ServiceName=f"com.amazonaws.vpce.{REGION}.{self.service_id}",
        )["VpcEndpoint"]
        self.endpoint = str(made["VpcEndpointId"])
        if made["State"] == "pendingAcceptance":
            with contextlib.suppress(Exception):  # a function may have been faster
                self.accept()

    def accept(self) -> None:
        """Accept the consumer's endpoint."""
        self.client("ec2").accept_vpc_endpoint_connections(ServiceId=self.service_id, VpcEndpointIds=[self.endpoint])

    def disconnect(self) -> None:
        """Have the consumer delete its endpoint."""
        self.client("ec2", self.consumer).delete_vpc_endpoints(VpcEndpointIds=[self.endpoint])

    def until(self, holds: Callable[[], object], patience: float = _PATIENCE) -> None:
        """Wait until something holds that AWS does by itself, for so many seconds at most."""
        deadline = time.monotonic() + patience
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.stack}: not within {patience:g} s")
            time.sleep(0.1)

    def serves(self) -> bool:
        """Tell whether every listener has a healthy target."""
        return all(
            any(row["TargetHealth"]["State"] == "healthy" for row in self.targets(group)) for group in self.groups()
        )

    def no_alarm(self) -> bool:
        """Tell whether none of the stack's alarms is on."""
        names = self.physical("AWS::CloudWatch::Alarm")
        rows = self.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"] if names else []
        return not any(row["StateValue"] == "ALARM" for row in rows)

    def as_before(self) -> bool:
        """Tell whether targets and their states are as they were in `before`."""
        return self.health() == self.before

    def doctor(self) -> dict[str, Any]:
        """Return what the command says. It runs in this process, since the imports take longer than the looking."""
        out, error = io.StringIO(), io.StringIO()
        environment = self.emulator.environment(account=PROVIDER_ACCOUNT)
        with patch.dict(os.environ, environment, clear=True), redirect_stdout(out), redirect_stderr(error):
            run(["doctor", "--json", "--stack", self.stack])
        if error.getvalue():
            raise RuntimeError(f"{self.stack}: the command said {error.getvalue()}")
        document: dict[str, Any] = json.loads(out.getvalue())
        return document

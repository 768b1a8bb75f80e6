"""Accounts on a running emulator, and the few things the rules build in them."""

import itertools
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from emulator.running import Emulator

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
_accounts = itertools.count(100_000_000_001)


@dataclass(frozen=True)
class Network:
    """A VPC with one subnet per zone."""

    vpc: str
    subnets: tuple[str, ...]


class Account:
    """A new, empty account of an emulator.

    Args:
        emulator: Where it lives.
        patience: Seconds to wait for something that AWS does by itself.
    """

    def __init__(self, emulator: Emulator, patience: float) -> None:
        self.emulator = emulator
        self.patience = patience
        self.id = str(next(_accounts))
        self._names = itertools.count(1)
        self._clients: dict[tuple[str, str | None], Any] = {}

    def client(self, service: str, region: str | None = None) -> Any:  # noqa: ANN401
        """Return the account's client of a service."""
        key = (service, region)
        if key not in self._clients:
            self._clients[key] = self.emulator.client(service, self.id, region)
        return self._clients[key]

    @property
    def ec2(self) -> Any:  # noqa: ANN401
        """The account's Amazon EC2."""
        return self.client("ec2")

    @property
    def elb(self) -> Any:  # noqa: ANN401
        """The account's Elastic Load Balancing."""
        return self.client("elbv2")

    def another(self) -> "Account":
        """Return another account of the same emulator."""
        return Account(self.emulator, self.patience)

    def name(self) -> str:
        """Return a name not used before in this account."""
        return f"name-{next(self._names)}"

    def eventually(self, holds: Callable[[], object]) -> None:
        """Assert that something becomes true within the account's patience."""
        deadline = time.monotonic() + self.patience
        while not holds():
            assert time.monotonic() < deadline, f"not within {self.patience} s"
            time.sleep(0.02)

    def network(self, cidr: str = "10.0.0.0/16", zones: tuple[str, ...] = ZONES[:2]) -> Network:
        """Create a VPC with a /24 in each zone."""
        vpc = self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        prefix = ".".join(cidr.split(".")[:2])
        return Network(vpc, tuple(self.subnet(vpc, f"{prefix}.{i}.0/24", zone) for i, zone in enumerate(zones)))

    def subnet(self, vpc: str, cidr: str, zone: str) -> str:
        """Create a subnet."""
        answer = self.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)
        return str(answer["Subnet"]["SubnetId"])

    def security_group(self, network: Network) -> str:
        """Create a security group."""
        answer = self.ec2.create_security_group(GroupName=self.name(), Description="rules", VpcId=network.vpc)
        return str(answer["GroupId"])

    def instance(self, network: Network, subnet: int = 0, **arguments: object) -> str:
        """Launch an instance into one of a network's subnets."""
        given = {"ImageId": "ami-0abcdef1234567890", "InstanceType": "t4g.small", **arguments}
        answer = self.ec2.run_instances(MinCount=1, MaxCount=1, SubnetId=network.subnets[subnet], **given)
        return str(answer["Instances"][0]["InstanceId"])

    def described_instance(self, instance: str) -> dict[str, Any]:
        """Return what EC2 says about an instance."""
        described: dict[str, Any] = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][
            0
        ]
        return described

    def load_balancer(self, network: Network, **arguments: object) -> str:
        """Create an internal Network Load Balancer in all of a network's subnets unless told otherwise."""
        given = {"Name": self.name(), "Type": "network", "Scheme": "internal", **arguments}
        if "SubnetMappings" not in given:
            given.setdefault("Subnets", list(network.subnets))
        return str(self.elb.create_load_balancer(**given)["LoadBalancers"][0]["LoadBalancerArn"])

    def target_group(self, network: Network, **arguments: object) -> str:
        """Create a TCP target group of IP addresses on port 5432 unless told otherwise."""
        given = {"Name": self.name(), "Protocol": "TCP", "Port": 5432, "VpcId": network.vpc, "TargetType": "ip"}
        return str(self.elb.create_target_group(**(given | arguments))["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, load_balancer: str, target_group: str, port: int = 5432, **arguments: object) -> str:
        """Create a TCP listener that forwards to a target group."""
        answer = self.elb.create_listener(
            LoadBalancerArn=load_balancer,
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
            **({"Protocol": "TCP"} | arguments),
        )
        return str(answer["Listeners"][0]["ListenerArn"])

    def used_target_group(self, network: Network, **arguments: object) -> str:
        """Create a target group with a load balancer and a listener in front of it."""
        group = self.target_group(network, **arguments)
        self.listener(self.load_balancer(network), group)
        return group

    def delay(self, target_group: str, seconds: int) -> None:
        """Set a target group's deregistration delay."""
        attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": str(seconds)}
        self.elb.modify_target_group_attributes(TargetGroupArn=target_group, Attributes=[attribute])

    def register(self, target_group: str, *targets: dict[str, Any]) -> None:
        """Register targets."""
        self.elb.register_targets(TargetGroupArn=target_group, Targets=list(targets))

    def deregister(self, target_group: str, *targets: dict[str, Any]) -> None:
        """Deregister targets."""
        self.elb.deregister_targets(TargetGroupArn=target_group, Targets=list(targets))

    def health(self, target_group: str, *asked: dict[str, Any]) -> dict[tuple[str, int], tuple[str, str | None]]:
        """Return state and reason code of a group's targets by address and port."""
        given = {"Targets": list(asked)} if asked else {}
        answer = self.elb.describe_target_health(TargetGroupArn=target_group, **given)
        return {
            (row["Target"]["Id"], row["Target"]["Port"]): (
                row["TargetHealth"]["State"],
                row["TargetHealth"].get("Reason"),
            )
            for row in answer["TargetHealthDescriptions"]
        }

    def service(self, load_balancer: str, **arguments: object) -> dict[str, Any]:
        """Create an endpoint service and return its configuration."""
        answer = self.ec2.create_vpc_endpoint_service_configuration(
            NetworkLoadBalancerArns=[load_balancer], **arguments
        )
        configuration: dict[str, Any] = answer["ServiceConfiguration"]
        return configuration

    def open_service(self, *admitted: "Account", zones: tuple[str, ...] = ZONES[:2], **arguments: object) -> Any:  # noqa: ANN401
        """Create an endpoint service with all in front of it that admits some accounts, and return it."""
        service = self.service(self.load_balancer(self.network(zones=zones)), **arguments)
        self.admit(service, *admitted)
        return service

    def admit(self, service: dict[str, Any], *accounts: "Account") -> None:
        """Let accounts create endpoints of a service."""
        if accounts:
            self.ec2.modify_vpc_endpoint_service_permissions(
                ServiceId=service["ServiceId"],
                AddAllowedPrincipals=[f"arn:aws:iam::{account.id}:root" for account in accounts],
            )

    def endpoint(
        self, service: dict[str, Any], zones: tuple[str, ...] = ZONES[:1], region: str | None = None, **more: object
    ) -> str:
        """Create an endpoint of a service in a new VPC of this account and return its id."""
        ec2 = self.client("ec2", region)
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
            for i, zone in enumerate(zones)
        ]
        answer = ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", VpcId=vpc, SubnetIds=subnets, ServiceName=service["ServiceName"], **more
        )
        return str(answer["VpcEndpoint"]["VpcEndpointId"])

    def endpoint_state(self, endpoint: str) -> str:
        """Return the state of one of this account's endpoints, as it sees it."""
        return str(self.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"][0]["State"])

    def connections(self, service: dict[str, Any]) -> dict[str, str]:
        """Return the states of a service's connections, as its owner sees them."""
        answer = self.ec2.describe_vpc_endpoint_connections(
            Filters=[{"Name": "service-id", "Values": [service["ServiceId"]]}]
        )
        return {row["VpcEndpointId"]: row["VpcEndpointState"] for row in answer["VpcEndpointConnections"]}

    def deploy(self, resources: dict[str, Any], stack: str = "stack", **outputs: object) -> dict[str, str]:
        """Create or update a stack, assert that it succeeds, and return its outputs."""
        cloudformation = self.client("cloudformation")
        body = json.dumps({"Resources": resources, "Outputs": {k: {"Value": v} for k, v in outputs.items()}})
        exists = any(
            summary["StackName"] == stack and summary["StackStatus"] != "DELETE_COMPLETE"
            for summary in cloudformation.list_stacks()["StackSummaries"]
        )
        (cloudformation.update_stack if exists else cloudformation.create_stack)(
            StackName=stack, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"]
        )
        status, described = self.settled(stack)
        assert status == ("UPDATE_COMPLETE" if exists else "CREATE_COMPLETE"), self.failures(stack)
        return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}

    def refused_stack(self, resources: dict[str, Any]) -> dict[str, str]:
        """Create a stack, assert that it is rolled back, and return why, by logical id."""
        stack = self.name()
        body = json.dumps({"Resources": resources})
        self.client("cloudformation").create_stack(StackName=stack, TemplateBody=body)
        assert self.settled(stack)[0] == "ROLLBACK_COMPLETE"
        return self.failures(stack)

    def refused_update(self, resources: dict[str, Any], stack: str = "stack") -> dict[str, str]:
        """Update a stack, assert that it is rolled back to what it was, and return why, by logical id."""
        self.client("cloudformation").update_stack(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))
        assert self.settled(stack)[0] == "UPDATE_ROLLBACK_COMPLETE"
        return self.failures(stack)

    def delete(self, stack: str = "stack") -> str:
        """Delete a stack and return the status it ends in."""
        stack_id = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackId"]
        self.client("cloudformation").delete_stack(StackName=stack)
        return self.settled(stack_id)[0]

    def settled(self, stack: str) -> tuple[str, dict[str, Any]]:
        """Wait until an operation on a stack is over; return its status and description."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            described = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
            if not described["StackStatus"].endswith("_IN_PROGRESS"):
                return described["StackStatus"], described
            time.sleep(0.02)
        raise AssertionError(f"{stack} is still {described['StackStatus']}")

    def failures(self, stack: str = "stack") -> dict[str, str]:
        """Return the reason of every resource that failed, by logical id."""
        events = self.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
        return {
            event["LogicalResourceId"]: event["ResourceStatusReason"]
            for event in events
            if event["ResourceStatus"].endswith("_FAILED") and event.get("ResourceStatusReason")
        }

    def queue(self) -> str:
        """Create a queue and return its URL."""
        return str(self.client("sqs").create_queue(QueueName=self.name())["QueueUrl"])

    def queue_arn(self, url: str) -> str:
        """Return a queue's ARN."""
        answer = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def received(self, url: str) -> list[dict[str, Any]]:
        """Take what is in a queue now."""
        messages = self.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Assert that what happens inside is refused by AWS with an error code."""
    answered = None
    try:
        yield
    except ClientError as error:
        answered = error.response["Error"]["Code"]
    assert answered == code

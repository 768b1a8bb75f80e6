"""The life of consumers' connections, deployed by the real CDK CLI: asked for, accepted, refused, and cut in the end.

The tests build on each other, since a deployment costs seconds; each leaves the stack as the next one needs it.
"""

from __future__ import annotations

import json
import shlex
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from emulator.running import Emulator
from tools.cdk_cli import Cdk, CdkError
from tools.install import WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROVIDER, FIRST, SECOND, STRANGER = "111122223333", "222222222222", "333333333333", "444444444444"
REGION = "eu-central-1"
CIDR = "127.0.0.0/16"
APP = Path(__file__).parent / "connections_app.py"
STACK = "Connections"
_REST_SECONDS = 3.0


@dataclass
class Provider:
    """The account that offers the service, and what its stack is made of.

    Attributes:
        emulator: AWS.
        cdk: The CDK CLI.
        vpc: The VPC.
        subnets: Its subnets: id, zone and range.
        settings: What the app is given, but for the network.
    """

    emulator: Emulator
    cdk: Cdk
    vpc: str
    subnets: list[tuple[str, str, str]]
    settings: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client of the account."""
        return self.emulator.client(service, account=PROVIDER)

    def deploy(
        self,
        *,
        zones: int = 2,
        accounts: tuple[str, ...] = (FIRST, SECOND),
        without_tag: bool = False,
        without_statements: tuple[str, ...] = (),
        **options: object,
    ) -> None:
        """Synthesize and deploy the stack."""
        settings = {
            "stack": STACK,
            "vpc": self.vpc,
            "cidr": CIDR,
            "subnets": self.subnets[:zones],
            "accounts": accounts,
            "address": "127.0.0.10",
            "without_tag": without_tag,
            "without_statements": without_statements,
            "options": options,
        }
        self.cdk._run(
            "synth",
            "--app", f"python {shlex.quote(str(APP))}",
            "--output", str(self.cdk.assembly),
            "--quiet",
            variables={"CDK_VALIDATION": "false", "CONNECTIONS_APP": json.dumps(settings), "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self.cdk.deploy()

    def output(self, name: str) -> str:
        """Return an output of the stack."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        (found,) = (each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == name)
        return str(found)

    def status(self) -> str:
        """Return the stack's status."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return str(stack["StackStatus"])

    def connect(self, account: str) -> str:
        """Let an account make an endpoint; returns its id."""
        ec2 = self.emulator.client("ec2", account=account)
        vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        endpoint = ec2.create_vpc_endpoint(
            VpcEndpointType="Interface", VpcId=vpc_id, ServiceName=self.output("ServiceName")
        )
        return str(endpoint["VpcEndpoint"]["VpcEndpointId"])

    def states(self) -> dict[str, str]:
        """Return the states of the service's connections by their endpoints, as the provider sees them."""
        rows = self.client("ec2").describe_vpc_endpoint_connections(
            Filters=[{"Name": "service-id", "Values": [self.output("ServiceId")]}]
        )["VpcEndpointConnections"]
        return {row["VpcEndpointId"]: row["VpcEndpointState"] for row in rows}

    def alarm(self) -> str:
        """Return the state of the alarm that says that a connection waits."""
        alarms = self.client("cloudwatch").describe_alarms()["MetricAlarms"]
        (found,) = (each["StateValue"] for each in alarms if "ConnectionWaits" in each["AlarmName"])
        return str(found)

    def rings(self) -> None:
        """Wait for the alarm. Its period is AWS's then: one of a few seconds can pass while this computer is busy."""
        eventually(lambda: self._alarm_judged(1.0) == "ALARM")

    def is_quiet(self) -> None:
        """Wait until the alarm is over: its period passes quickly."""
        eventually(lambda: self._alarm_judged(0.02) == "OK")

    def _alarm_judged(self, scale: float) -> str:
        # Setting it makes the emulator judge all alarms anew.
        self.emulator.control.set(metric_period_scale=scale)
        return self.alarm()

    def strangers_reported(self) -> int:
        """Return how often the function has reported connections that nobody listed, once for each look."""
        return sum("a connection waits that nobody listed" in each for each in self.logged())

    def logged(self) -> list[str]:
        """Return what the function has logged."""
        groups = self.client("logs").describe_log_groups()["logGroups"]
        (group,) = (each["logGroupName"] for each in groups if "GateLogGroup" in each["logGroupName"])
        events = self.client("logs").filter_log_events(logGroupName=group)["events"]
        return [str(each["message"]) for each in events]

    def rests(self) -> None:
        """Wait until the function logs no more: a look that is still on its way would see what the next test makes.

        How many looks there are is not known: what earlier tests did may wake it late, and its schedule at any time.
        """
        lines = -1
        while lines != (lines := len(self.logged())):
            time.sleep(_REST_SECONDS)

    def gate(self) -> str:
        """Return the name of the function that answers for connections."""
        functions = self.client("lambda").list_functions()["Functions"]
        (found,) = (each["FunctionName"] for each in functions if each["Handler"].startswith("connection_gate."))
        return str(found)

    def look(self) -> dict[str, Any]:
        """Let the function look, as its schedule does every ten minutes; returns what came of it."""
        answer = self.client("lambda").invoke(FunctionName=self.gate(), Payload=b'{"action": "reconcile"}')
        return {"failed": "FunctionError" in answer, "text": answer["Payload"].read().decode()}

    def nothing_is_left(self) -> bool:
        """Tell whether the account has nothing of the stack any more."""
        return not any(
            (
                self.client("elbv2").describe_load_balancers()["LoadBalancers"],
                self.client("elbv2").describe_target_groups()["TargetGroups"],
                self.client("ec2").describe_vpc_endpoint_service_configurations()["ServiceConfigurations"],
                self.client("ec2").describe_vpc_endpoint_connection_notifications()["ConnectionNotificationSet"],
                self.client("lambda").list_functions()["Functions"],
                self.client("sns").list_topics()["Topics"],
                self.client("cloudwatch").describe_alarms()["MetricAlarms"],
            )
        )


ROOT = Path(__file__).parents[2]


def eventually(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what AWS does by itself."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture(scope="module")
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    """Make an account with IAM enforced and a VPC over three zones."""
    folder = WORK / "tests" / request.module.__name__.rpartition(".")[2]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with ExitStack() as started:
        emulator = started.enter_context(Emulator(folder / "emulator", region=REGION, authorization=True))
        emulator.control.set(metric_period_scale=0.02)
        ec2 = emulator.client("ec2", account=PROVIDER)
        vpc = ec2.create_vpc(CidrBlock=CIDR)["Vpc"]["VpcId"]
        names = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
        subnets = []
        for number, zone in enumerate(names[:3]):
            cidr = f"127.0.{number}.0/24"
            made = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]
            subnets.append((made["SubnetId"], zone, cidr))
        cdk = Cdk(folder, emulator.environment(account=PROVIDER), config=folder / "none.yaml")
        cdk.bootstrap()
        yield Provider(emulator, cdk, vpc, subnets)


def test_allowed_and_waiting(provider: Provider) -> None:
    """The default: whoever is allowed may ask, and an alarm says that somebody does."""
    provider.deploy()

    endpoint = provider.connect(FIRST)

    assert provider.states() == {endpoint: "pendingAcceptance"}
    provider.rings()
    assert provider.client("lambda").list_functions()["Functions"] == []


def test_not_allowed(provider: Provider) -> None:
    """For whoever is not, the service does not exist."""
    with pytest.raises(ClientError, match="InvalidServiceName"):
        provider.connect(STRANGER)


def test_allowed_and_accepted(provider: Provider) -> None:
    """By a person, with the command that the README names."""
    (endpoint,) = provider.states()

    provider.client("ec2").accept_vpc_endpoint_connections(
        ServiceId=provider.output("ServiceId"), VpcEndpointIds=[endpoint]
    )

    assert provider.states() == {endpoint: "available"}
    provider.is_quiet()


def test_a_zone_is_learned_without_a_function(provider: Provider) -> None:
    """CloudFormation sees another tag and modifies the service, which enables the load balancer's new zone."""
    provider.deploy(zones=3)

    (service,) = provider.client("ec2").describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
    assert service["AvailabilityZones"] == [zone for _, zone, _ in provider.subnets]


def test_a_principal_removed_stays_connected(provider: Provider) -> None:
    """Taking the permission to make endpoints cuts nobody; and it is an update in place."""
    before = provider.output("ServiceId")

    provider.deploy(zones=3, accounts=(SECOND,))

    assert provider.output("ServiceId") == before
    assert list(provider.states().values()) == ["available"]
    with pytest.raises(ClientError, match="InvalidServiceName"):
        provider.connect(FIRST)


def test_destroying_is_refused_while_somebody_is_connected(provider: Provider) -> None:
    """AWS says so, service and load balancer stay; once the consumer is rejected, the rest goes."""
    (endpoint,) = provider.states()
    service_id = provider.output("ServiceId")
    with pytest.raises(CdkError) as failed:
        provider.cdk.destroy()
    assert "existing active VPC Endpoint connections" in failed.value.output
    assert provider.status() == "DELETE_FAILED"
    assert len(provider.client("elbv2").describe_load_balancers()["LoadBalancers"]) == 1

    provider.client("ec2").reject_vpc_endpoint_connections(ServiceId=service_id, VpcEndpointIds=[endpoint])
    provider.cdk.destroy()

    assert provider.nothing_is_left()


LISTED: dict[str, Any] = {"accept_from": [FIRST], "reject_connections_on_delete": True}


def test_accepted_by_the_list(provider: Provider) -> None:
    """The notification wakes the function, which accepts who is listed. Nobody has to do anything."""
    provider.deploy(without_tag=True, **LISTED)

    endpoint = provider.connect(FIRST)

    eventually(lambda: provider.states() == {endpoint: "available"})
    provider.is_quiet()


def test_a_foreign_account_waits_and_is_reported(provider: Provider) -> None:
    """It may ask, being allowed, but is not listed: a person decides, and the alarm says that one must."""
    endpoint = provider.connect(SECOND)

    # The emulator counts no errors of what SNS calls, so the schedule's look has to tell the alarm.
    looked = provider.look()

    assert provider.states()[endpoint] == "pendingAcceptance"
    assert looked["failed"]
    provider.rings()
    assert f"{endpoint} of account {SECOND}" in looked["text"]
    # The notification woke it, too.
    eventually(lambda: provider.strangers_reported() >= 2)
    provider.rests()


def test_a_forged_message_changes_nothing(provider: Provider) -> None:
    """Even on the topic itself: the function believes what AWS says of the connections."""
    (waiting,) = (endpoint for endpoint, state in provider.states().items() if state == "pendingAcceptance")
    (topic,) = provider.client("sns").list_topics()["Topics"]
    before = provider.strangers_reported()
    message = {"event": "Connect", "vpcEndpointId": waiting, "consumer": FIRST, "serviceId": "vpce-svc-1"}

    for text in (json.dumps(message), "{"):
        provider.client("sns").publish(TopicArn=topic["TopicArn"], Message=text)
    provider.look()

    eventually(lambda: provider.strangers_reported() >= before + 3)
    provider.rests()
    assert provider.states()[waiting] == "pendingAcceptance"


def test_a_lost_notification_is_made_up_for(provider: Provider) -> None:
    """Without the topic's message the next look of the schedule finds the connection."""
    sns = provider.client("sns")
    (topic,) = sns.list_topics()["Topics"]
    policy = sns.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]["Policy"]
    nobody = json.dumps({"Version": "2012-10-17", "Statement": []})
    sns.set_topic_attributes(TopicArn=topic["TopicArn"], AttributeName="Policy", AttributeValue=nobody)
    endpoint = provider.connect(FIRST)
    assert provider.states()[endpoint] == "pendingAcceptance"

    provider.look()

    assert provider.states()[endpoint] == "available"
    sns.set_topic_attributes(TopicArn=topic["TopicArn"], AttributeName="Policy", AttributeValue=policy)


def test_a_throttled_acceptance_is_repeated(provider: Provider) -> None:
    """First by the SDK, then by the next look."""
    provider.emulator.control.fail("ec2", "AcceptVpcEndpointConnections", times=2, code="RequestLimitExceeded")

    endpoint = provider.connect(FIRST)

    eventually(lambda: provider.states()[endpoint] == "available")


def test_others_are_rejected_by_choice(provider: Provider) -> None:
    """An update in place; the next look rejects who waits."""
    (waiting,) = (endpoint for endpoint, state in provider.states().items() if state == "pendingAcceptance")

    provider.deploy(without_tag=True, reject_others=True, **LISTED)
    looked = provider.look()

    assert not looked["failed"]
    assert provider.states()[waiting] == "rejected"
    provider.is_quiet()


def test_a_zone_is_learned_by_the_function(provider: Provider) -> None:
    """Here the tag is taken away, so that CloudFormation changes nothing on the service by itself."""
    provider.deploy(zones=3, without_tag=True, reject_others=True, **LISTED)

    (service,) = provider.client("ec2").describe_vpc_endpoint_service_configurations()["ServiceConfigurations"]
    assert service["AvailabilityZones"] == [zone for _, zone, _ in provider.subnets]


def test_turning_rejection_off_cuts_nobody(provider: Provider) -> None:
    """CloudFormation deletes the custom resource then; the stack stays, and so do its consumers."""
    before = provider.states()

    provider.deploy(zones=3, accept_from=[FIRST])
    assert provider.states() == before

    provider.deploy(zones=3, **LISTED)
    assert provider.states() == before
    assert "available" in before.values()


def test_a_deletion_that_fails_half_way_can_be_repeated(provider: Provider) -> None:
    """If connections cannot be rejected, nothing that they need is gone; then all of it goes."""
    iam = provider.client("iam")
    policies = iam.list_policies(Scope="Local")["Policies"]
    (policy,) = (each for each in policies if "RejectionPolicy" in each["PolicyName"])
    versions = iam.list_policy_versions(PolicyArn=policy["Arn"])["Versions"]
    (current,) = (each["VersionId"] for each in versions if each["IsDefaultVersion"])
    document = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=current)["PolicyVersion"]["Document"]
    less = [each for each in document["Statement"] if each.get("Sid") != "RejectConnections"]
    iam.create_policy_version(
        PolicyArn=policy["Arn"], PolicyDocument=json.dumps({**document, "Statement": less}), SetAsDefault=True
    )
    connected = {endpoint for endpoint, state in provider.states().items() if state == "available"}

    with pytest.raises(CdkError):
        provider.cdk.destroy()

    assert provider.status() == "DELETE_FAILED"
    assert {endpoint for endpoint, state in provider.states().items() if state == "available"} == connected
    assert len(provider.client("elbv2").describe_listeners(LoadBalancerArn=_load_balancer(provider))["Listeners"]) == 1
    with pytest.raises(ClientError, match="InvalidServiceName"):
        provider.connect(SECOND)

    iam.create_policy_version(PolicyArn=policy["Arn"], PolicyDocument=json.dumps(document), SetAsDefault=True)
    for version in iam.list_policy_versions(PolicyArn=policy["Arn"])["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=policy["Arn"], VersionId=version["VersionId"])
    provider.cdk.destroy()

    assert provider.nothing_is_left()
    ec2 = provider.emulator.client("ec2", account=FIRST)
    assert {each["State"] for each in ec2.describe_vpc_endpoints()["VpcEndpoints"]} == {"rejected"}


@pytest.mark.parametrize("missing", ["ReadZones", "LearnZones", "ReadConnections", "ReadStack"])
def test_without_a_statement_the_deployment_fails(provider: Provider, missing: str) -> None:
    """What the function may not do shows at deployment, says what it is, and leaves nothing behind."""
    with pytest.raises(CdkError) as failed:
        provider.deploy(without_statements=(missing,), **LISTED)

    assert "AccessDenied" in failed.value.output or "UnauthorizedOperation" in failed.value.output
    assert provider.status() == "ROLLBACK_COMPLETE"
    provider.cdk.destroy()
    assert provider.nothing_is_left()


def test_without_the_permissions_to_answer_nobody_is(provider: Provider) -> None:
    """They cannot be tried without a connection; then the alarm tells, and the log says why."""
    provider.deploy(
        without_statements=("AcceptConnections", "RejectConnections"), accept_from=[FIRST], reject_others=True
    )

    endpoints = [provider.connect(account) for account in (FIRST, SECOND)]
    looked = provider.look()

    assert looked["failed"]
    for done in ("accepted", "rejected"):
        assert f"a connection could not be {done}" in looked["text"]
    assert provider.states() == dict.fromkeys(endpoints, "pendingAcceptance")
    provider.rings()
    for account, endpoint in zip((FIRST, SECOND), endpoints, strict=True):
        provider.emulator.client("ec2", account=account).delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    provider.cdk.destroy()
    assert provider.nothing_is_left()


def _load_balancer(provider: Provider) -> str:
    (found,) = provider.client("elbv2").describe_load_balancers()["LoadBalancers"]
    return str(found["LoadBalancerArn"])

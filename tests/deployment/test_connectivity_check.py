"""A connectivity check, deployed by the real CDK CLI: its endpoint, its function, its metrics and its alarms.

The emulator carries no traffic from an endpoint to a target, so the endpoint's name leads nowhere. What the deployed
function makes of servers it is shown by pointing it at loopback, as nobody would on AWS.
"""

from __future__ import annotations

import contextlib
import json
import shlex
import shutil
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from emulator.ports import free_port
from emulator.running import Emulator
from tools.cdk_cli import Cdk
from tools.install import ROOT, WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT, REGION = "111122223333", "eu-central-1"
APP = Path(__file__).parent / "connectivity_check_app.py"
STACK = "ConnectivityCheck"
ADDRESS = "127.0.0.30"
# A minute of CloudWatch in these tests, as a part of a real one.
PERIOD_SCALE = 0.02


@dataclass
class Deployed:
    """The deployed check.

    Attributes:
        emulator: AWS.
        cdk: The CDK CLI.
        port: The port that is checked.
        outputs: The stack's outputs.
    """

    emulator: Emulator
    cdk: Cdk
    port: int
    outputs: dict[str, str]

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client of the account."""
        return self.emulator.client(service, account=ACCOUNT)

    def invoke(self) -> dict[str, Any]:
        """Run the function, as a person would."""
        answer = self.client("lambda").invoke(FunctionName=self.outputs["Function"], Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()
        found: dict[str, Any] = json.loads(answer["Payload"].read())
        return found

    def point_at(self, host: str) -> None:
        """Let the function connect elsewhere."""
        client = self.client("lambda")
        name = self.outputs["Function"]
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        environment = {"Variables": variables | {"HOST": host, "TIMEOUT_SECONDS": "1"}}
        client.update_function_configuration(FunctionName=name, Environment=environment)

    def alarm_becomes(self, state: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Wait until the alarm is in a state, doing something all the while."""
        deadline = time.monotonic() + 60
        while True:
            (alarm,) = self.client("cloudwatch").describe_alarms(AlarmNames=[self.outputs[f"Alarm{self.port}"]])[
                "MetricAlarms"
            ]
            if alarm["StateValue"] == state:
                return
            assert time.monotonic() < deadline, f"the alarm is {alarm['StateValue']}, not {state}"
            meanwhile()
            time.sleep(0.1)


@contextlib.contextmanager
def answering(answer: bytes | None, port: int) -> Iterator[None]:
    """Answer the first message of each connection with some bytes; None says nothing."""
    listener = socket.create_server((ADDRESS, port))
    kept: list[socket.socket] = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                kept.append(connection)
                connection.recv(64)
                if answer is not None:
                    connection.sendall(answer)
                    connection.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        for each in (listener, *kept):
            each.close()


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    """Deploy a service and its check into two VPCs of an account with IAM enforced."""
    folder = WORK / "tests" / "connectivity_check"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    port = free_port(ADDRESS)
    with ExitStack() as started:
        emulator = started.enter_context(Emulator(folder / "emulator", region=REGION, authorization=True))
        ec2 = emulator.client("ec2", account=ACCOUNT)
        networks = [_network(ec2, cidr) for cidr in ("127.0.0.0/16", "10.9.0.0/16")]
        cdk = Cdk(folder, emulator.environment(account=ACCOUNT), config=folder / "none.yaml")
        cdk.bootstrap()
        (vpc, subnets), (other, other_subnets) = networks
        settings = {
            "stack": STACK,
            "vpc": vpc,
            "subnets": subnets,
            "other": other,
            "other_subnets": other_subnets,
            "ports": [port],
        }
        cdk._run(
            "synth",
            "--app", f"python {shlex.quote(str(APP))}",
            "--output", str(cdk.assembly),
            "--quiet",
            variables={
                "CDK_VALIDATION": "false",
                "CONNECTIVITY_CHECK_APP": json.dumps(settings),
                "PYTHONPATH": str(ROOT),
            },
        )  # fmt: skip
        outputs = cdk.deploy()[STACK]
        emulator.control.set(metric_period_scale=PERIOD_SCALE)
        yield Deployed(emulator, cdk, port, outputs)


def _network(ec2: Any, cidr: str) -> tuple[str, list[tuple[str, str, str]]]:  # noqa: ANN401
    """Create a VPC with a subnet in each of two zones."""
    vpc_id = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    subnets = []
    for number, zone in enumerate(zones[:2]):
        block = f"{'.'.join(cidr.split('.')[:2])}.{number}.0/24"
        subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock=block, AvailabilityZone=zone)["Subnet"]
        subnets.append((subnet["SubnetId"], zone, block))
    return vpc_id, subnets


def test_the_endpoint_is_connected(deployed: Deployed) -> None:
    """It is one like any consumer's, in both zones of the other VPC, with a name for the function."""
    (endpoint,) = deployed.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[deployed.outputs["Endpoint"]])[
        "VpcEndpoints"
    ]
    configuration = deployed.client("lambda").get_function_configuration(FunctionName=deployed.outputs["Function"])

    assert (endpoint["State"], len(endpoint["SubnetIds"])) == ("available", 2)
    assert configuration["Environment"]["Variables"]["HOST"] == endpoint["DnsEntries"][0]["DnsName"]
    assert set(configuration["VpcConfig"]["SubnetIds"]) == set(endpoint["SubnetIds"])


def test_a_name_that_leads_nowhere(deployed: Deployed) -> None:
    """Nothing resolves on the emulator: the function says so, and the alarm goes off for want of any success."""
    found = deployed.invoke()

    assert found["works"] is False
    assert [(port["port"], port["failure"]) for port in found["ports"]] == [(deployed.port, "dns")]
    deployed.alarm_becomes("ALARM")


@pytest.mark.parametrize(("answer", "tls"), [(b"S", True), (b"N", False)])
def test_a_postgres_behind_it(answer: bytes, tls: bool, deployed: Deployed) -> None:
    """Its answer is reported, and latency in the log turns the alarm off; silence turns it on again."""
    deployed.point_at(ADDRESS)
    with answering(answer, deployed.port):
        found = deployed.invoke()
        assert (found["works"], found["ports"][0]["tls"]) == (True, tls)
        deployed.alarm_becomes("OK", deployed.invoke)
    deployed.alarm_becomes("ALARM")


@pytest.mark.parametrize(("answer", "failure"), [(b"HTTP/1.1 400 Bad Request", "not-postgres"), (None, "timeout")])
def test_something_else_behind_it(answer: bytes | None, failure: str, deployed: Deployed) -> None:
    """Each way to fail is told, counted under its name, and leaves the alarm on."""
    deployed.point_at(ADDRESS)
    with answering(answer, deployed.port):
        found = deployed.invoke()

    assert [port["failure"] for port in found["ports"]] == [failure]
    deployed.alarm_becomes("ALARM", deployed.invoke)
    metrics = deployed.client("cloudwatch").list_metrics(Namespace="PgPrivateLink", MetricName="Failures")["Metrics"]
    assert failure in {
        each["Value"] for metric in metrics for each in metric["Dimensions"] if each["Name"] == "Failure"
    }


def test_nothing_behind_it(deployed: Deployed) -> None:
    """A port on which nothing listens refuses."""
    deployed.point_at(ADDRESS)

    assert [port["failure"] for port in deployed.invoke()["ports"]] == ["refused"]


def test_destroying_leaves_nothing(deployed: Deployed) -> None:
    """The endpoint goes before the service, which could not be deleted while it is connected."""
    deployed.cdk.destroy()

    assert deployed.client("ec2").describe_vpc_endpoints()["VpcEndpoints"] == []
    assert deployed.client("ec2").describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []

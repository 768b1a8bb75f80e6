"""`make demo`: the real app, deployed by the real CDK CLI onto an AWS emulator, through a failover and away again.

Nothing in app, library or function knows that this is a demo: the database's endpoint, its name server and the VPC's
range are ordinary settings. What stands in for AWS is described in docs/emulator.md.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

from emulator.database import Database
from emulator.name_server import NameServer
from emulator.running import Emulator
from tools.cdk_cli import Cdk
from tools.demo_failover import fail_over
from tools.demo_world import (
    DBT_ACCOUNT,
    PRIMARY,
    PROVIDER_ACCOUNT,
    REGION,
    STANDBY,
    make_world,
    write_configuration,
)
from tools.install import WORK
from tools.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

STACK = "PgPrivateLink-orders"
_FOLDER = WORK / "demo"
_DNS_TTL = 5  # seconds; what RDS uses


def main() -> int:
    """Run the demo; returns the exit code. Whatever happens, nothing is left running."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True)
    os.environ["TMPDIR"] = str(WORK / "tmp")
    screen = Screen()
    try:
        _run(screen)
    except KeyboardInterrupt:
        screen.say(f"interrupted during: {screen.step_name}; everything that was started has been stopped")
        return 130
    except Exception as error:  # noqa: BLE001 - a person reads this, and the log has the rest
        screen.say(f"failed during: {screen.step_name}\n{error}\nlogs: {_FOLDER}")
        return 1
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal handler's signature
    # Once is enough: a second Ctrl-C must not interrupt the cleaning up.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(screen: Screen) -> None:
    config = _FOLDER / "privatelink.yaml"
    with ExitStack() as started:
        with screen.step("AWS emulator, a VPC, and a Multi-AZ Postgres in it"):
            emulator = started.enter_context(Emulator(_FOLDER / "emulator", region=REGION))
            name_server = started.enter_context(NameServer())
            world = make_world(emulator)
            primary = started.enter_context(Database(PRIMARY, world.port))
            started.enter_context(Database(STANDBY, world.port))
            name_server.set(world.endpoint, [PRIMARY], ttl=_DNS_TTL)
            write_configuration(world, config, name_server=name_server.endpoint)
        cdk = Cdk(
            _FOLDER,
            emulator.environment(account=PROVIDER_ACCOUNT),
            config=config,
            on_line=lambda line: screen.note(line.strip()),
        )
        with screen.step("cdk bootstrap"):
            cdk.bootstrap()
        with screen.step("cdk synth: app.py with this privatelink.yaml"):
            cdk.synth()
        with screen.step("cdk deploy"):
            outputs = cdk.deploy()[STACK]
        _show_outputs(screen, emulator, outputs)
        with screen.step("a consumer in dbt's account makes its endpoint, and is accepted"):
            endpoint_id = _connect_consumer(emulator, outputs)
        screen.say(f"  {endpoint_id} of account {DBT_ACCOUNT}: pendingAcceptance -> available")
        with screen.step("failover"):
            timeline = fail_over(emulator, name_server, world, primary)
        screen.say("\n".join(f"  {line}" for line in timeline))
        screen.say("  (Registered at once here; on AWS, users report, the load balancer takes 90 to 180 s for it.)")
        with screen.step("the consumer deletes its endpoint; cdk destroy"):
            _delete_endpoint(emulator, endpoint_id)
            cdk.destroy()
        with screen.step("stopping the emulator"):
            started.close()
    screen.say(f"Done in {screen.seconds():.0f} s; nothing is left running.")


def _show_outputs(screen: Screen, emulator: Emulator, outputs: Mapping[str, str]) -> None:
    elbv2 = emulator.client("elbv2", account=PROVIDER_ACCOUNT)
    group = elbv2.describe_target_groups()["TargetGroups"][0]
    health = elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
    screen.say(f"  endpoint service  {outputs['EndpointServiceName']}")
    screen.say(f"  zones             {outputs['Zones']}")
    for row in health:
        screen.say(f"  target            {row['Target']['Id']}:{row['Target']['Port']} {row['TargetHealth']['State']}")
    screen.say("  request for dbt support, ready to send:")
    for line in outputs["RequestDbtPlatform"].strip().splitlines():
        screen.say(f"    {line}")


def _connect_consumer(emulator: Emulator, outputs: Mapping[str, str]) -> str:
    """Play the consumer in its own account, then accept it in ours as AcceptCommand does; returns the endpoint's id."""
    theirs = emulator.client("ec2", account=DBT_ACCOUNT)
    ours = emulator.client("ec2", account=PROVIDER_ACCOUNT)
    vpc_id = theirs.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    endpoint = theirs.create_vpc_endpoint(
        VpcEndpointType="Interface", VpcId=vpc_id, ServiceName=outputs["EndpointServiceName"]
    )["VpcEndpoint"]
    endpoint_id: str = endpoint["VpcEndpointId"]
    _expect("pendingAcceptance", endpoint["State"])
    ours.accept_vpc_endpoint_connections(ServiceId=outputs["EndpointServiceId"], VpcEndpointIds=[endpoint_id])
    states = [each["State"] for each in theirs.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]]
    _expect("available", *states)
    return endpoint_id


def _delete_endpoint(emulator: Emulator, endpoint_id: str) -> None:
    emulator.client("ec2", account=DBT_ACCOUNT).delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])


def _expect(wanted: str, *seen: str) -> None:
    if seen != (wanted,):
        raise RuntimeError(f"the endpoint should be {wanted}, but is {', '.join(seen)}")


if __name__ == "__main__":
    sys.exit(main())

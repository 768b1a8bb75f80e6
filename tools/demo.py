"""`make demo`: the real app, deployed by the real CDK CLI onto an AWS emulator, through a failover and away again.

Nothing in app, library or function knows that this is a demo: the database's endpoint, its name server and the VPC's
range are ordinary settings. What stands in for AWS is described in docs/emulator.md.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.data_plane import DataPlane
from emulator.name_server import NameServer
from emulator.postgres import SUPERUSER
from emulator.postgres_pair import Pair
from emulator.running import Emulator
from pg_privatelink.cli.drill.background import Background
from pg_privatelink.cli.drill.clients import Clients
from pg_privatelink.cli.drill.measure import figures
from pg_privatelink.cli.drill.postgres import PsycopgConnector
from tools.cdk_cli import Cdk
from tools.demo_failover import fail_over
from tools.demo_world import (
    DBT_ACCOUNT,
    PROVIDER_ACCOUNT,
    REGION,
    make_world,
    own_place,
    write_configuration,
)
from tools.install import WORK
from tools.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

    from pg_privatelink.cli.drill.measure import Figures
    from tools.demo_world import World

STACK = "PgPrivateLink-orders"
_DNS_TTL = 5  # seconds; what RDS uses
_SECONDS_BEFORE, _SECONDS_AFTER = 1.0, 1.0  # what the client sees around the failover


def main(folder: Path = WORK / "demo") -> int:
    """Run the demo; returns the exit code. Whatever happens, nothing is left running.

    Args:
        folder: Where everything goes; what is in it is deleted first.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["TMPDIR"] = str(WORK / "tmp")
    screen = Screen()
    try:
        _run(screen, folder)
    except KeyboardInterrupt:
        screen.say(f"interrupted during: {screen.step_name}; everything that was started has been stopped")
        return 130
    except Exception as error:  # noqa: BLE001 - a person reads this, and the log has the rest
        screen.say(f"failed during: {screen.step_name}\n{error}\nlogs: {folder}")
        return 1
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal handler's signature
    # Once is enough: a second Ctrl-C must not interrupt the cleaning up.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(screen: Screen, folder: Path) -> None:
    config = folder / "privatelink.yaml"
    with ExitStack() as started:
        with screen.step("AWS emulator, a VPC, and a Multi-AZ Postgres in it"):
            emulator = started.enter_context(Emulator(folder / "emulator", region=REGION))
            name_server = started.enter_context(NameServer())
            place = own_place()
            world = make_world(emulator, place)
            database = started.enter_context(Pair(folder / "postgres", (place.primary, place.standby), port=world.port))
            name_server.set(world.endpoint, [place.primary], ttl=_DNS_TTL)
            write_configuration(world, config, name_server=name_server.endpoint)
        cdk = Cdk(
            folder,
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
        with screen.step("failover, seen by a client that connects every 100 ms"):
            timeline, seen = _fail_over(emulator, name_server, world, database, address=place.address(0))
        screen.say("\n".join(f"  {line}" for line in timeline))
        _show_client(screen, seen)
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


def _fail_over(
    emulator: Emulator, name_server: NameServer, world: World, database: Pair, *, address: str
) -> tuple[list[str], Figures]:
    """Fail over while a client connects through the load balancer; returns the timeline and what the client saw."""
    elbv2 = emulator.client("elbv2", account=PROVIDER_ACCOUNT)
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    with DataPlane(emulator.data_plane(PROVIDER_ACCOUNT)) as plane, Background() as background:
        front = plane.open(balancer, address)
        path = PsycopgConnector(host=address, port=front.ports[0], user=SUPERUSER, dbname="postgres")
        clients = Clients(path, table="demo")
        background.prepare([clients])
        background.start([clients])
        time.sleep(_SECONDS_BEFORE)
        began = background.now()
        timeline = fail_over(emulator, name_server, world, database)
        time.sleep(_SECONDS_AFTER)
        end = background.stop()
        stored = background.run(clients.stored())
    return timeline, figures(clients.record, began=began, end=end, stored=stored)


def _show_client(screen: Screen, seen: Figures) -> None:
    counted = seen.accounting
    screen.say(f"  new connections   out for {seen.connections} s: {seen.failed} of {seen.attempted} failed")
    screen.say(f"  a long session    out for {seen.session} s, until it was answered over a new connection")
    if counted is not None:
        screen.say(
            f"  numbered writes   out for {seen.writes} s: {counted.kept} kept, {counted.missing} acknowledged and "
            f"missing, {counted.lost} lost, {counted.doubled} doubled"
        )
    screen.say("  (A new target gets connections at once here; on AWS, users report, that takes 90 to 180 s, and RDS")
    screen.say("  itself takes 60 to 120 s. Zones play no part here: every target is reached from all.)")


def _delete_endpoint(emulator: Emulator, endpoint_id: str) -> None:
    emulator.client("ec2", account=DBT_ACCOUNT).delete_vpc_endpoints(VpcEndpointIds=[endpoint_id])


def _expect(wanted: str, *seen: str) -> None:
    if seen != (wanted,):
        raise RuntimeError(f"the endpoint should be {wanted}, but is {', '.join(seen)}")


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))

"""Deploys the set-ups on an emulator by the real CDK CLI."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from emulator.name_server import NameServer
from emulator.running import Emulator
from tests.cli.confusion import set_ups  # noqa: F401 - it fills SET_UPS
from tests.cli.confusion.ground import Ground
from tests.cli.confusion.set_up import SET_UPS, Made, SetUp, yaml_of
from tests.cli.confusion.ward import Ward
from tools.cdk_cli import Cdk
from tools.demo_world import PROVIDER_ACCOUNT, REGION
from tools.install import install_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

STACK = "PgPrivateLink-"
CHECKS_SCALE = 0.2
_MINUTES_OF_METRICS = 400.0  # seconds


@contextmanager
def deployed(folder: Path, chosen: Sequence[SetUp] = SET_UPS) -> Iterator[list[tuple[SetUp, Ward]]]:
    """Deploy set-ups, connect a consumer to each, and do by hand what belongs to each.

    Args:
        folder: Where files go.
        chosen: Which set-ups.
    """
    install_tools()
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as started:
        emulator = started.enter_context(Emulator(folder / "emulator", region=REGION, authorization=True))
        emulator.control.set(health_check_interval_scale=CHECKS_SCALE, drain_scale=0.1)
        name_server = started.enter_context(NameServer())
        ground = Ground(emulator, name_server, started)
        ground.prepare()
        made = {each.name: each.make(ground, each.name) for each in chosen}
        config = folder / "privatelink.yaml"
        head = f'account: "{PROVIDER_ACCOUNT}"\nregion: {REGION}\ntermination_protection: false\nservices:\n'
        config.write_text(head + "".join(yaml_of(ground, name, each) for name, each in made.items()))
        cdk = Cdk(folder, emulator.environment(account=PROVIDER_ACCOUNT), config=config)
        cdk.bootstrap()
        cdk.synth(validation=False)
        cdk.deploy("--all", "--concurrency", "4")
        wards = [(each, _ward(ground, each.name, made[each.name])) for each in chosen]
        for each, ward in wards:
            ward.connect()
            each.after(ward)
        for _, ward in wards:
            ward.until(ward.serves)
            ward.before = ward.health()
            # An alarm on silence is on until the first minutes have been counted.
            ward.until(ward.no_alarm, patience=_MINUTES_OF_METRICS)
        yield wards


def _ward(ground: Ground, name: str, made: Made) -> Ward:
    instance = made.instance
    taken = {place[-1] for place in made.places}
    spare = next((ground.subnets[place].id for place in ("a", "b", "c") if place not in taken), "")
    return Ward(
        emulator=ground.emulator,
        name_server=ground.name_server,
        stack=f"{STACK}{name}",
        servers=ground.servers,
        names=made.names,
        instance=instance.identifier if instance else "",
        database_group=made.group or (instance.group if instance and instance.group in str(made.listeners) else ""),
        parameter_group=instance.parameter_group if instance else "",
        spare_subnet=spare,
        consumer=made.consumer,
    )

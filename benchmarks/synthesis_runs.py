"""Synthesizes the constructs and the same by hand, in turn, and prints the seconds: `python -m ... TIMES`."""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds

from benchmarks import by_hand
from benchmarks.synthesis import MANY
from constructs_pg import Consumer, PostgresEndpointService, PostgresTarget
from constructs_pg._assets import stage_connection_gate, stage_target_sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Make = Callable[[cdk.Stack, int], object]

_VPC_CIDR = "10.0.0.0/16"
_ENVIRONMENT = cdk.Environment(account="111122223333", region="eu-central-1")


def run(times: int) -> dict[str, list[float]]:
    """Synthesize both in turn, with one listener and with many; seconds by `name_count`, in the order of the runs.

    All runs are in one process, after one of each that is not counted: otherwise loading aws-cdk-lib, which takes
    longer than all else, would hide the difference. CDK's validation of the templates is off, since it is the same for
    both.
    """
    taken: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, _without_validation():
        for number in range(times + 1):
            for count in (1, MANY):
                pair = [("constructs", constructs), ("by_hand", hand(Path(folder) / f"code-{number}-{count}"))]
                # Who goes second clears away what the other one has left.
                for name, make in pair if number % 2 else reversed(pair):
                    seconds = _synthesize(make, count, Path(folder) / f"out-{name}")
                    if number:
                        taken.setdefault(f"{name}_{count}", []).append(seconds)
    return taken


def constructs(stack: cdk.Stack, count: int) -> PostgresEndpointService:
    """Make the service with so many listeners, one for each database."""
    vpc = _vpc(stack)
    service = PostgresEndpointService(stack, "Service", vpc=vpc, consumers=[Consumer.dbt_platform()])
    for number, (name, database) in enumerate(_databases(stack, count).items()):
        service.add_listener(name, port=5432 + number, target=PostgresTarget.from_instance(database))
    return service


def hand(folder: Path) -> Make:
    """Return what makes the same by hand; the functions' code lies ready in a folder, as it would in a repository.

    In a folder of its own for each run: CDK remembers a folder's hash while the process lives.
    """
    code = {
        "target_sync": stage_target_sync(folder / "sync"),
        "connection_gate": stage_connection_gate(folder / "gate"),
    }

    def make(stack: cdk.Stack, count: int) -> None:
        databases = _databases(stack, count)
        by_hand.make(stack, vpc=_vpc(stack), vpc_cidr=_VPC_CIDR, databases=databases, edition="0" * 16, **code)

    return make


def template(make: Make, count: int, folder: Path) -> dict[str, Any]:
    """Return the template that one of the two makes."""
    with _without_validation():
        app = cdk.App(analytics_reporting=False, outdir=str(folder))
        make(cdk.Stack(app, "Stack", env=_ENVIRONMENT), count)
        found: dict[str, Any] = app.synth().get_stack_by_name("Stack").template
    return found


def _synthesize(make: Make, count: int, folder: Path) -> float:
    shutil.rmtree(folder, ignore_errors=True)
    # What earlier runs left is not this one's to clear away.
    gc.collect()
    start = time.perf_counter()
    app = cdk.App(analytics_reporting=False, outdir=str(folder))
    make(cdk.Stack(app, "Stack", env=_ENVIRONMENT), count)
    app.synth()
    return time.perf_counter() - start


def _vpc(stack: cdk.Stack) -> ec2.IVpc:
    zones = "abc"
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        vpc_cidr_block=_VPC_CIDR,
        availability_zones=[f"eu-central-1{zone}" for zone in zones],
        private_subnet_ids=[f"subnet-{zone * 17}" for zone in zones],
        private_subnet_ipv4_cidr_blocks=[f"10.0.{number}.0/24" for number in range(len(zones))],
    )


def _databases(stack: cdk.Stack, count: int) -> dict[str, rds.IDatabaseInstance]:
    return {
        f"listener{number}": rds.DatabaseInstance.from_database_instance_attributes(
            stack,
            f"Database{number}",
            instance_identifier=f"orders-{number}",
            instance_endpoint_address=f"orders-{number}.abcdefghijkl.eu-central-1.rds.amazonaws.com",
            port=5432,
            security_groups=[
                ec2.SecurityGroup.from_security_group_id(stack, f"Group{number}", f"sg-{number:017x}", mutable=False)
            ],
        )
        for number in range(count)
    }


@contextmanager
def _without_validation() -> Iterator[None]:
    before = os.environ.get("CDK_VALIDATION")
    os.environ["CDK_VALIDATION"] = "false"
    try:
        yield
    finally:
        if before is None:
            del os.environ["CDK_VALIDATION"]
        else:
            os.environ["CDK_VALIDATION"] = before


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]))))

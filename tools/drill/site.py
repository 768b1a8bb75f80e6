"""`Site`: an emulated account with the app deployed in it, real databases, names, and an NLB's data plane."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from emulator import postgres_pair
from emulator.data_plane import DataPlane
from emulator.name_server import NameServer
from emulator.postgres_pair import Pair
from emulator.running import Emulator
from tools.cdk_cli import Cdk
from tools.demo_world import (
    IDENTIFIER,
    PROVIDER_ACCOUNT,
    REGION,
    make_database,
    make_world,
    own_place,
    write_configuration,
)
from tools.install import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

TTL = 5  # seconds; what RDS uses
MAIN, READERS, MORE = 5432, 5500, 6001
"""The port of the first database's listener; of the one for a name of readers; of the first of many more names."""

_READERS_NAME = "readers.example.com"
_SECONDS_TO_SETTLE = 120.0


@dataclass(slots=True)
class Database:
    """A primary and a standby, and the listener that follows their name.

    Attributes:
        identifier: The DB instance's, as RDS knows it; empty where RDS knows of none.
        port: The listener's port.
        hostname: The name that it follows.
        pair: The servers.
        readers: Whether the name stands for both of them, to read from.
        group: The ARN of the listener's target group.
    """

    identifier: str
    port: int
    hostname: str
    pair: Pair
    readers: bool = False
    group: str = ""

    def truth(self) -> tuple[str, ...]:
        """Return the addresses that the name stands for while nothing is wrong."""
        primary = self.pair.primary.address
        return (primary, self.pair.standby.address) if self.readers else (primary,)


class Site:
    """Everything that a scenario needs. A context manager: leaving it ends and deletes all of it.

    Args:
        folder: Where it may write; emptied first.
        databases: How many databases there are, each with a listener of the service.
        readers: Whether there is one more, whose listener follows a name of both its servers.
        more: How many further listeners there are, each with a name of its own for the first database.
        say: Told what is being made.
    """

    def __init__(
        self,
        folder: Path,
        *,
        databases: int = 1,
        readers: bool = False,
        more: int = 0,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.place = own_place()
        self.databases: list[Database] = []
        self._number = databases
        self._with_readers = readers
        self._more = more
        self._say = say
        self._started = ExitStack()
        self._next_address = 0

    def __enter__(self) -> Self:
        """Start and deploy everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        try:
            self._start()
        except BaseException:
            self._started.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End and delete everything."""
        self._started.close()

    def _start(self) -> None:
        enter = self._started.enter_context
        self._say("starting the emulator and the databases")
        self.emulator = enter(Emulator(self.folder / "emulator", region=REGION))
        self.name_server = enter(NameServer())
        self.world = make_world(self.emulator, self.place)
        pairs = [self._pair(number) for number in range(self._number + self._with_readers)]
        for pair in pairs:
            self._started.push(pair)
        postgres_pair.start(*pairs)
        text = self._listeners(pairs)
        for database in self.databases:
            self.name(database, *database.truth())
        config = self.folder / "privatelink.yaml"
        write_configuration(self.world, config, name_server=self.name_server.endpoint, more_listeners=text)
        cdk = Cdk(self.folder, self.emulator.environment(account=PROVIDER_ACCOUNT), config=config)
        self._say("deploying the app")
        cdk.bootstrap()
        cdk.synth(validation=False)
        cdk.deploy()
        self.elbv2 = self.client("elbv2")
        self.load_balancer: str = self.elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
        rows = self.elbv2.describe_listeners(LoadBalancerArn=self.load_balancer)["Listeners"]
        groups = {row["Port"]: row["DefaultActions"][0]["TargetGroupArn"] for row in rows}
        for database in self.databases:
            database.group = groups[database.port]
        functions = self.client("lambda").list_functions()["Functions"]
        (self.function,) = (each["FunctionName"] for each in functions if "TargetSync" in each["FunctionName"])
        self.plane = enter(DataPlane(self.emulator.data_plane(PROVIDER_ACCOUNT)))

    def _pair(self, number: int) -> Pair:
        first, second = (each.rpartition(".")[0] for each in (self.place.primary, self.place.standby))
        addresses = (f"{first}.{10 + number}", f"{second}.{10 + number}")
        return Pair(self.folder / f"postgres-{number}", addresses, self.place.port)

    def _listeners(self, pairs: Sequence[Pair]) -> str:
        """Note all databases with their listeners; returns the listeners but the first in YAML."""
        self.databases.append(Database(IDENTIFIER, MAIN, self.world.endpoint, pairs[0]))
        text = ""
        for number, pair in enumerate(pairs[1 : self._number], start=1):
            identifier = f"{IDENTIFIER}-{number}"
            group = self.world.database_security_group
            endpoint = make_database(self.emulator, identifier, port=self.world.port, security_group=group)
            self.databases.append(Database(identifier, MAIN + number, endpoint, pair))
            text += self._instance(self.databases[-1])
        if self._with_readers:
            self.databases.append(Database("", READERS, _READERS_NAME, pairs[-1], readers=True))
            text += self._named("readers", self.databases[-1])
        for number in range(self._more):
            self.databases.append(Database("", MORE + number, f"name-{number:02d}.example.com", pairs[0]))
            text += self._named(f"more-{number}", self.databases[-1])
        return text

    def _instance(self, database: Database) -> str:
        return f"""\
      {database.identifier}:
        port: {database.port}
        rds_instance:
          identifier: {database.identifier}
          endpoint: {database.hostname}
          port: {self.world.port}
          security_groups: [{self.world.database_security_group}]
          zones: [{", ".join(subnet.zone for subnet in self.world.subnets)}]
          nameservers: ["{self.name_server.endpoint}"]
"""

    def _named(self, listener: str, database: Database) -> str:
        return f"""\
      {listener}:
        port: {database.port}
        hostname:
          name: {database.hostname}
          port: {self.world.port}
          nameservers: ["{self.name_server.endpoint}"]
"""

    @property
    def main(self) -> Database:
        """The first database."""
        return self.databases[0]

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        """Return a client of the account."""
        return self.emulator.client(service, account=PROVIDER_ACCOUNT)

    def environment(self) -> dict[str, str]:
        """Return the variables under which a command reaches this account, and nothing else."""
        return {**self.emulator.environment(account=PROVIDER_ACCOUNT), "PYTHONPATH": str(ROOT)}

    def address(self) -> str:
        """Return an address that nothing listens on yet, for a load balancer."""
        self._next_address += 1
        return self.place.address(self._next_address)

    def name(self, database: Database, *addresses: str) -> None:
        """Let a database's name stand for other addresses."""
        self.name_server.set(database.hostname, list(addresses), ttl=TTL)

    def announce(self, *databases: Database) -> None:
        """Have RDS fail databases over, as far as its events go: RDS-EVENT-0013, then 0049."""
        rds = self.client("rds")
        for database in databases:
            if database.identifier:
                rds.reboot_db_instance(DBInstanceIdentifier=database.identifier, ForceFailover=True)

    def throttle_function(self, *, on: bool) -> None:
        """Let no invocation of the function begin, or again any."""
        client = self.client("lambda")
        if on:
            client.put_function_concurrency(FunctionName=self.function, ReservedConcurrentExecutions=0)
        else:
            client.delete_function_concurrency(FunctionName=self.function)

    def workers(self) -> list[int]:
        """Return the processes that run the account's functions now."""
        found = []
        for each in Path("/proc").iterdir():
            try:
                command = (each / "cmdline").read_bytes()
            except OSError:
                continue
            if b"ministack-lambda" in command and str(self.folder).encode() in command:
                found.append(int(each.name))
        return found

    def kill_workers(self) -> int:
        """Kill those processes; returns how many there were."""
        workers = self.workers()
        for pid in workers:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return len(workers)

    def errors(self) -> list[str]:
        """Return the lines of the function's log that tell of an error: its own, and the runtime's."""
        logs = self.client("logs")
        (group,) = (
            each["logGroupName"]
            for each in logs.describe_log_groups()["logGroups"]
            if "TargetSync" in each["logGroupName"]
        )
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        lines = [event["message"].strip() for page in pages for event in page["events"]]
        return [line for line in lines if '"level": "ERROR"' in line or "[ERROR]" in line or "Traceback" in line]

    def targets(self, group: str) -> dict[str, str]:
        """Return a target group's addresses and their states."""
        rows = self.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {row["Target"]["Id"]: row["TargetHealth"]["State"] for row in rows}

    def settle(self, *databases: Database) -> None:
        """Repair what a failover broke, and wait until the function's target groups hold the truth alone.

        Args:
            databases: Those that failed over.

        Raises:
            TimeoutError: They do not.
        """
        for database in databases:
            database.pair.rebuild()
            self.name(database, *database.truth())
        deadline = time.monotonic() + _SECONDS_TO_SETTLE
        while any(self.targets(each.group) != dict.fromkeys(each.truth(), "healthy") for each in databases):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the target groups have not settled within {_SECONDS_TO_SETTLE:.0f} s")
            time.sleep(0.25)

    def reset(self) -> None:
        """Take back what was done to the function and to the interface."""
        self.emulator.control.clear_faults()
        self.emulator.control.set(elb_seconds=0.0)
        self.throttle_function(on=False)

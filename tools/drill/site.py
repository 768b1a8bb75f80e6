"""`Site`: an emulated account with the app deployed in it, real databases, names, and an NLB's data plane."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import ExitStack
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
    from collections.abc import Callable, Mapping
    from types import TracebackType

TTL = 5  # seconds; what RDS uses
MAIN, SECOND, READERS = 5432, 5433, 5434
"""The ports of the listeners: the database `orders`, another one, and the readers' name."""

_SECOND_IDENTIFIER = "partners"
_READERS_NAME = "readers.orders.example.com"
_SECONDS_TO_SETTLE = 120.0


class Site:
    """Everything that a scenario needs. A context manager: leaving it ends and deletes all of it.

    Args:
        folder: Where it may write; emptied first.
        second: Whether there is a second database behind the same load balancer.
        readers: Whether there is a listener for the name of all readers.
        more: Further listeners, from their port to the host name that each follows; behind all is the first database.
        say: Told what is being made.
    """

    def __init__(
        self,
        folder: Path,
        *,
        second: bool = False,
        readers: bool = False,
        more: Mapping[int, str] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = folder
        self.place = own_place()
        self._with_second = second
        self._with_readers = readers
        self._more = dict(more or {})
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
        place = self.place
        self.world = make_world(self.emulator, place)
        self.pair = Pair(self.folder / "postgres", (place.primary, place.standby), place.port)
        others = (f"{place.primary}1", f"{place.standby}1")
        self.second = Pair(self.folder / "second", others, place.port) if self._with_second else None
        pairs = [pair for pair in (self.pair, self.second) if pair]
        for pair in pairs:
            self._started.push(pair)
        postgres_pair.start(*pairs)
        self.names = {MAIN: self.world.endpoint}
        more = self._second_listener() if self.second else ""
        more += self._named("readers", READERS, _READERS_NAME) if self._with_readers else ""
        more += "".join(self._named(f"more-{port}", port, name) for port, name in self._more.items())
        for port in self.names:
            self.name(port, *self.truth(port))
        config = self.folder / "privatelink.yaml"
        write_configuration(self.world, config, name_server=self.name_server.endpoint, more_listeners=more)
        cdk = Cdk(self.folder, self.emulator.environment(account=PROVIDER_ACCOUNT), config=config)
        self._say("deploying the app")
        cdk.bootstrap()
        cdk.synth(validation=False)
        cdk.deploy()
        self.elbv2 = self.client("elbv2")
        self.load_balancer: str = self.elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
        rows = self.elbv2.describe_listeners(LoadBalancerArn=self.load_balancer)["Listeners"]
        self.groups: dict[int, str] = {row["Port"]: row["DefaultActions"][0]["TargetGroupArn"] for row in rows}
        functions = self.client("lambda").list_functions()["Functions"]
        (self.function,) = (each["FunctionName"] for each in functions if "TargetSync" in each["FunctionName"])
        self.plane = enter(DataPlane(self.emulator.data_plane(PROVIDER_ACCOUNT)))

    def _second_listener(self) -> str:
        endpoint = make_database(
            self.emulator, _SECOND_IDENTIFIER, port=self.world.port, security_group=self.world.database_security_group
        )
        self.names[SECOND] = endpoint
        return f"""\
      second:
        port: {SECOND}
        rds_instance:
          identifier: {_SECOND_IDENTIFIER}
          endpoint: {endpoint}
          port: {self.world.port}
          security_groups: [{self.world.database_security_group}]
          zones: [{", ".join(subnet.zone for subnet in self.world.subnets)}]
          nameservers: ["{self.name_server.endpoint}"]
"""

    def _named(self, listener: str, port: int, hostname: str) -> str:
        self.names[port] = hostname
        return f"""\
      {listener}:
        port: {port}
        hostname:
          name: {hostname}
          port: {self.world.port}
          nameservers: ["{self.name_server.endpoint}"]
"""

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

    def truth(self, port: int) -> tuple[str, ...]:
        """Return the addresses that a listener's name stands for while nothing is wrong."""
        if port == READERS:
            return (self.pair.primary.address, self.pair.standby.address)
        pair = self.second if port == SECOND else self.pair
        assert pair is not None  # noqa: S101 - a listener is there with its database
        return (pair.primary.address,)

    def name(self, port: int, *addresses: str) -> None:
        """Let a listener's name stand for other addresses."""
        self.name_server.set(self.names[port], list(addresses), ttl=TTL)

    def announce(self) -> None:
        """Have RDS fail the database over, as far as its events go: RDS-EVENT-0013, then 0049."""
        rds = self.client("rds")
        for identifier in (IDENTIFIER, *([_SECOND_IDENTIFIER] if self.second else [])):
            rds.reboot_db_instance(DBInstanceIdentifier=identifier, ForceFailover=True)

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

    def settle(self) -> None:
        """Repair what a scenario broke, and wait until the function's target groups hold the truth alone.

        Raises:
            TimeoutError: They do not.
        """
        self.emulator.control.clear_faults()
        self.emulator.control.set(elb_seconds=0.0)
        self.throttle_function(on=False)
        for pair in (self.pair, self.second):
            if pair:
                pair.rebuild()
        for port in self.names:
            self.name(port, *self.truth(port))
        deadline = time.monotonic() + _SECONDS_TO_SETTLE
        while any(self.targets(self.groups[port]) != dict.fromkeys(self.truth(port), "healthy") for port in self.names):
            if time.monotonic() > deadline:
                raise TimeoutError(f"the target groups have not settled within {_SECONDS_TO_SETTLE:.0f} s")
            time.sleep(0.25)

"""Deploys what `init` writes, as it is written: `python -m tests.cli.deploy_what_init_writes`.

The file names no name server, so the function asks the system's, which must know the databases: the command makes
itself a mount and a network namespace of its own, with a name server on port 53 and an /etc/resolv.conf that names it.
That takes Linux and root, or user namespaces, which not every computer gives: so it is a command and not a test.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from emulator.database import Database
from emulator.name_server import NameServer
from emulator.running import Emulator
from tools.cdk_cli import Cdk
from tools.demo_world import PROVIDER_ACCOUNT, REGION
from tools.install import ROOT, install_tools

_INSIDE = "PG_PRIVATELINK_INSIDE"
_PORT = 5432
_SCRIPT = 'mount --bind "$RESOLVER" /etc/resolv.conf && ip link set lo up 2>/dev/null; exec "$@"'


def main() -> int:
    """Enter the namespaces, and deploy; the exit code is 1 if a file cannot be deployed."""
    install_tools()
    if not os.environ.get(_INSIDE):
        resolver = Path(tempfile.mkdtemp()) / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        user = [] if os.geteuid() == 0 else ["--map-root-user"]
        return subprocess.run(
            ["/usr/bin/unshare", *user, "--mount", "sh", "-c", _SCRIPT, "sh", sys.executable, "-m", __spec__.name],
            env={**os.environ, _INSIDE: "1", "RESOLVER": str(resolver)},
            check=False,
        ).returncode
    with ExitStack() as started:
        folder = Path(started.enter_context(tempfile.TemporaryDirectory()))
        emulator = started.enter_context(Emulator(folder / "emulator", region=REGION, authorization=True))
        emulator.control.set(health_check_interval_scale=0.2)
        name_server = started.enter_context(NameServer("127.0.0.1", 53))
        databases = _databases(emulator, name_server, started)
        for number, (name, given) in enumerate(databases.items()):
            begin = time.monotonic()
            place = folder / name
            place.mkdir()
            environment = {**emulator.environment(account=PROVIDER_ACCOUNT), "PYTHONPATH": str(ROOT)}
            command = [sys.executable, "-m", "pg_privatelink.cli", "init", name, *given, "--dbt-environment", "EMEA"]
            subprocess.run(command, cwd=place, env=environment, check=True, stdin=subprocess.DEVNULL)
            cdk = Cdk(place, emulator.environment(account=PROVIDER_ACCOUNT), config=place / "privatelink.yaml")
            if number == 0:
                cdk.bootstrap()
            cdk.synth(validation=False)
            cdk.deploy()
            _say(f"{name}: deployed in {time.monotonic() - begin:.0f} s; {_health(emulator, f'PgPrivateLink-{name}')}")
    return 0


def _databases(emulator: Emulator, name_server: NameServer, started: ExitStack) -> dict[str, list[str]]:
    """Make a database of each of four kinds; returns what else `init` is told of each, by identifier."""
    ec2, rds = (emulator.client(each, account=PROVIDER_ACCOUNT) for each in ("ec2", "rds"))
    vpc = ec2.create_vpc(CidrBlock="127.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"127.0.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab", start=7)
    ]
    rds.create_db_subnet_group(DBSubnetGroupName="all", DBSubnetGroupDescription="All", SubnetIds=subnets)
    user = {"MasterUsername": "postgres", "MasterUserPassword": "password1"}

    def placed(name: str) -> dict[str, Any]:
        group = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"]
        return {"DBSubnetGroupName": "all", "VpcSecurityGroupIds": [group]}

    instance = {"DBInstanceClass": "db.t4g.medium", "AllocatedStorage": 20, "Engine": "postgres", "Port": _PORT}
    rds.create_db_instance(DBInstanceIdentifier="orders", MultiAZ=True, **instance, **placed("orders"), **user)
    rds.create_db_cluster(
        DBClusterIdentifier="fleet", Engine="aurora-postgresql", Port=_PORT, **placed("fleet"), **user
    )
    for member in ("fleet-1", "fleet-2"):
        rds.create_db_instance(
            DBInstanceIdentifier=member, DBClusterIdentifier="fleet", Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )  # fmt: skip
    rds.create_db_cluster(
        DBClusterIdentifier="trio", Engine="postgres", DBClusterInstanceClass="db.m6gd.large", AllocatedStorage=100,
        Port=_PORT, **placed("trio"), **user,
    )  # fmt: skip
    pool = rds.create_db_proxy(
        DBProxyName="pool", EngineFamily="POSTGRESQL", DefaultAuthScheme="IAM_AUTH",
        RoleArn=f"arn:aws:iam::{PROVIDER_ACCOUNT}:role/proxy", VpcSubnetIds=subnets,
        VpcSecurityGroupIds=placed("pool")["VpcSecurityGroupIds"],
    )["DBProxy"]  # fmt: skip
    described = rds.describe_db_instances(DBInstanceIdentifier="orders")["DBInstances"][0]
    clusters = {each["DBClusterIdentifier"]: each for each in rds.describe_db_clusters()["DBClusters"]}
    names = [
        described["Endpoint"]["Address"], clusters["fleet"]["Endpoint"], clusters["trio"]["Endpoint"], pool["Endpoint"]
    ]  # fmt: skip
    for number, name in enumerate(names, start=10):
        started.enter_context(Database(f"127.0.7.{number}", _PORT))
        name_server.set(name, [f"127.0.7.{number}"], ttl=1)
    return {"orders": [], "fleet": [], "trio": ["--kind", "rds_cluster"], "pool": []}


def _health(emulator: Emulator, stack: str) -> str:
    rows = emulator.client("cloudformation", account=PROVIDER_ACCOUNT).describe_stack_resources(StackName=stack)
    elbv2 = emulator.client("elbv2", account=PROVIDER_ACCOUNT)
    found = [
        f"{row['Target']['Id']}:{row['Target']['Port']} is {row['TargetHealth']['State']}"
        for each in rows["StackResources"]
        if each["ResourceType"] == "AWS::ElasticLoadBalancingV2::TargetGroup"
        for row in elbv2.describe_target_health(TargetGroupArn=each["PhysicalResourceId"])["TargetHealthDescriptions"]
    ]
    return ", ".join(found)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""`init`: the account is read, and the file loads as it is written."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pg_privatelink.cli.init.database import Database, Kind, database
from pg_privatelink.cli.init.network import Network, Subnet, network
from pg_privatelink.cli.init.text import Wishes, text, warnings
from pg_privatelink.cli.problem import Problem
from pg_privatelink.config import Configuration, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Site

ACCOUNT = "111122223333"
REGION = "eu-central-1"

VPC = {
    "VpcId": "vpc-0123456789abcdef0",
    "CidrBlock": "10.0.0.0/16",
    "CidrBlockAssociationSet": [
        {"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
        {"CidrBlock": "10.1.0.0/16", "CidrBlockState": {"State": "associated"}},
        {"CidrBlock": "10.2.0.0/16", "CidrBlockState": {"State": "disassociated"}},
    ],
}
INSTANCE: dict[str, Any] = {
    "DBInstanceIdentifier": "orders",
    "Engine": "postgres",
    "Endpoint": {"Address": "orders.abcdefghijkl.eu-central-1.rds.amazonaws.com", "Port": 6432},
    "MultiAZ": True,
    "PubliclyAccessible": False,
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-0123456789abcdef0", "Status": "active"}],
}
GROUP = {"VpcId": VPC["VpcId"], "Subnets": [{"SubnetIdentifier": "subnet-0123456789abcdef0"}]}


def subnet(last: str, zone: str, cidr: str, free: int = 250) -> dict[str, Any]:
    """A subnet as EC2 describes it."""
    return {
        "SubnetId": f"subnet-0123456789abcde{last}",
        "AvailabilityZoneId": f"euc1-az{zone}",
        "AvailabilityZone": f"eu-central-1{'abc'[int(zone) - 1]}",
        "CidrBlock": cidr,
        "AvailableIpAddressCount": free,
    }


def made(**changes: Any) -> Database:  # noqa: ANN401 - as RDS says it
    """The database of `INSTANCE`, changed."""
    return database(Kind.INSTANCE, INSTANCE | changes, subnet_group=GROUP, members=[])


def loaded(tmp_path: Path, content: str) -> Configuration:
    """The configuration of a file's text."""
    path = tmp_path / "loaded.yaml"
    path.write_text(content)
    return load(path)


TWO_ZONES = Network(
    vpc_id="vpc-0123456789abcdef0",
    cidrs=("10.0.0.0/16", "10.1.0.0/16"),
    subnets=(
        Subnet("subnet-0123456789abcdef0", "euc1-az1", "eu-central-1a", "10.0.0.0/24", 250),
        Subnet("subnet-0123456789abcdef1", "euc1-az2", "eu-central-1b", "10.0.1.0/24", 250),
    ),
    database_zone_ids=("euc1-az1", "euc1-az2"),
)


class TestNetwork:
    def test_a_subnet_in_each_zone_of_the_database(self) -> None:
        """Of several in a zone the roomiest; of all others none; ranges that are gone do not count."""
        rows = [
            subnet("1", "2", "10.0.1.0/24"),
            subnet("2", "1", "10.0.2.0/24", free=9),
            subnet("3", "1", "10.0.3.0/24", free=99),
            subnet("4", "3", "10.0.4.0/24"),
        ]

        found = network(VPC, rows, database_subnet_ids=[row["SubnetId"] for row in rows[:3]])

        assert [each.cidr for each in found.subnets] == ["10.0.3.0/24", "10.0.1.0/24"]
        assert found.database_zone_ids == ("euc1-az1", "euc1-az2")
        assert found.cidrs == ("10.0.0.0/16", "10.1.0.0/16")

    def test_a_database_in_one_zone(self) -> None:
        """Another subnet of the VPC makes up the second zone, since a load balancer of ours has two."""
        rows = [subnet("1", "2", "10.0.1.0/24"), subnet("2", "3", "10.0.2.0/24"), subnet("3", "1", "10.0.3.0/24")]

        found = network(VPC, rows, database_subnet_ids=[rows[0]["SubnetId"]])

        assert [each.zone_id for each in found.subnets] == ["euc1-az2", "euc1-az1"]
        assert found.database_zone_ids == ("euc1-az2",)

    def test_a_vpc_in_one_zone(self) -> None:
        """No service of ours can stand there."""
        rows = [subnet("1", "2", "10.0.1.0/24"), subnet("2", "2", "10.0.2.0/24")]

        with pytest.raises(Problem) as caught:
            network(VPC, rows, database_subnet_ids=[rows[0]["SubnetId"]])

        assert caught.value.what == (
            "VPC vpc-0123456789abcdef0 has IPv4 subnets in zone euc1-az2 only, and a service of ours needs two zones"
        )


class TestDatabase:
    @pytest.mark.parametrize(
        ("changes", "what"),
        [
            ({"Engine": "mysql"}, "DB instance 'orders' runs mysql"),
            (
                {"Endpoint": None, "DBInstanceStatus": "creating"},
                "DB instance 'orders' has no endpoint yet (it is creating)",
            ),
            (
                {"DBClusterIdentifier": "fleet"},
                "DB instance 'orders' is a member of DB cluster 'fleet', whose writer moves between its members",
            ),
        ],
    )
    def test_what_cannot_be_followed(self, changes: dict[str, Any], what: str) -> None:
        """It is said instead of written."""
        with pytest.raises(Problem) as caught:
            made(**changes)

        assert caught.value.what == what

    def test_a_cluster_is_public_as_soon_as_one_member_is(self) -> None:
        """Aurora says it of the members only."""
        row = {
            "DBClusterIdentifier": "fleet", "Engine": "aurora-postgresql", "Port": 5432, "Endpoint": "w",
            "ReaderEndpoint": "r", "DBClusterMembers": [{}, {}], "VpcSecurityGroups": [],
        }  # fmt: skip

        private = database(Kind.CLUSTER, row, subnet_group=GROUP, members=[{"PubliclyAccessible": False}])
        public = database(
            Kind.CLUSTER, row, subnet_group=GROUP, members=[{"PubliclyAccessible": False}, {"PubliclyAccessible": True}]
        )

        assert (private.publicly_accessible, public.publicly_accessible) == (False, True)
        assert private.fails_over


class TestWarnings:
    def test_none_of_a_good_one(self) -> None:
        """Two zones, private, a standby, room."""
        assert warnings(made(), TWO_ZONES) == []

    def test_public_accessibility(self) -> None:
        """It will not work, and the command that mends it is there."""
        (warning,) = warnings(made(PubliclyAccessible=True), TWO_ZONES)

        assert warning.startswith("DB instance 'orders' is publicly accessible: ")
        assert warning.endswith("aws rds modify-db-instance --db-instance-identifier orders --no-publicly-accessible")

    def test_one_zone(self) -> None:
        """Said once: that there is no standby follows from it."""
        alone = Network(TWO_ZONES.vpc_id, TWO_ZONES.cidrs, TWO_ZONES.subnets, ("euc1-az1",))

        (warning,) = warnings(made(MultiAZ=False), alone)

        assert "has subnets in zone euc1-az1 only" in warning

    def test_no_standby_and_no_room(self) -> None:
        """Two things at once."""
        narrow = Subnet("subnet-0123456789abcdef0", "euc1-az1", "eu-central-1a", "10.0.0.0/28", 7)
        full = Network(TWO_ZONES.vpc_id, TWO_ZONES.cidrs, (narrow, TWO_ZONES.subnets[1]), TWO_ZONES.database_zone_ids)

        no_standby, no_room = warnings(made(MultiAZ=False), full)

        assert "has no standby" in no_standby
        assert no_room == "Subnet subnet-0123456789abcdef0 has 7 free addresses; the load balancer needs 8."


class TestText:
    @pytest.mark.parametrize("identifier", ["orders", "on", "Yes", "null", "a-b-1", "e1"])
    def test_any_identifier_loads(self, tmp_path: Path, identifier: str) -> None:
        """Also one that YAML takes for something else."""
        wishes = Wishes(name="orders", port=5433, dbt_environment="EMEA", dbt_account_url="https://ab123.eu1.dbt.com")
        endpoint = {"Address": f"{identifier.lower()}.abcdefghijkl.eu-central-1.rds.amazonaws.com", "Port": 6432}

        content = text(
            made(DBInstanceIdentifier=identifier, Endpoint=endpoint), TWO_ZONES, wishes, account=ACCOUNT, region=REGION
        )

        service = loaded(tmp_path, content).services["orders"]
        assert service.listeners["main"].port == 5433
        instance = service.listeners["main"].rds_instance
        assert instance is not None
        assert (instance.identifier, instance.port) == (identifier.lower(), 6432)
        assert instance.zones == ("euc1-az1", "euc1-az2")
        dbt = service.consumers[0].dbt_platform
        assert dbt is not None
        assert (dbt.environment, dbt.account_url) == ("EMEA", "https://ab123.eu1.dbt.com")

    def test_warnings_stand_at_the_top(self, tmp_path: Path) -> None:
        """As comments of lines that fit, and the file loads all the same."""
        content = text(
            made(PubliclyAccessible=True), TWO_ZONES, Wishes(name="orders", port=5432), account=ACCOUNT, region=REGION
        )

        head = content.partition("region:")[0]
        assert "\n# WARNING: DB instance 'orders' is publicly accessible: " in head
        assert max(map(len, content.splitlines())) <= 120
        assert loaded(tmp_path, content).account == ACCOUNT

    def test_the_readers_are_one_edit_away(self, tmp_path: Path) -> None:
        """With the comment signs taken away they are a second listener."""
        cluster = Database(
            kind=Kind.CLUSTER, identifier="fleet", engine="aurora-postgresql", port=5432,
            endpoint="fleet.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com",
            reader_endpoint="fleet.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com",
            vpc_id=TWO_ZONES.vpc_id, subnet_ids=(), security_groups=("sg-0123456789abcdef0",),
            publicly_accessible=False, fails_over=True,
        )  # fmt: skip
        content = text(cluster, TWO_ZONES, Wishes(name="fleet", port=5432), account=ACCOUNT, region=REGION)
        before, marker, readers = content.partition("      # The readers, on a port of their own:\n")
        assert marker

        edited = loaded(tmp_path, before + re.sub(r"(?m)^      # ", "      ", readers))

        listeners = edited.services["fleet"].listeners
        assert {name: each.port for name, each in listeners.items()} == {"main": 5432, "readers": 5433}
        reader = listeners["readers"].rds_cluster
        assert reader is not None
        assert reader.role == "reader"


@pytest.fixture(scope="module")
def databases(site: Site) -> Iterator[None]:
    """Databases of all kinds beside `orders`, for reading only."""
    rds, ec2 = site.client("rds"), site.client("ec2")
    group = ec2.create_security_group(GroupName="more", Description="More databases", VpcId=site.world.vpc_id)[
        "GroupId"
    ]
    placed = {"DBSubnetGroupName": "orders", "VpcSecurityGroupIds": [group]}
    user = {"MasterUsername": "postgres", "MasterUserPassword": "password1"}
    rds.create_db_cluster(DBClusterIdentifier="fleet", Engine="aurora-postgresql", Port=6432, **placed, **user)
    for member in ("fleet-1", "fleet-2"):
        rds.create_db_instance(
            DBInstanceIdentifier=member,
            DBClusterIdentifier="fleet",
            Engine="aurora-postgresql",
            DBInstanceClass="db.r6g.large",
        )
    rds.create_db_cluster(
        DBClusterIdentifier="trio",
        Engine="postgres",
        DBClusterInstanceClass="db.m6gd.large",
        AllocatedStorage=100,
        **placed,
        **user,
    )
    rds.create_db_proxy(
        DBProxyName="pool",
        EngineFamily="POSTGRESQL",
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/proxy",
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:x"}],
        VpcSubnetIds=[each.id for each in site.world.subnets],
        VpcSecurityGroupIds=[group],
    )
    instance = {"DBInstanceClass": "db.t4g.medium", "AllocatedStorage": 20, **placed, **user}
    rds.create_db_instance(DBInstanceIdentifier="shop", Engine="postgres", PubliclyAccessible=True, **instance)
    rds.create_db_instance(DBInstanceIdentifier="trio", Engine="postgres", MultiAZ=True, **instance)
    yield
    rds.delete_db_proxy(DBProxyName="pool")
    for name in ("fleet-1", "fleet-2", "shop", "trio"):
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    for name in ("fleet", "trio"):
        rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)


@pytest.mark.parametrize(
    ("arguments", "kind", "port"),
    [
        (["orders"], "rds_instance", None),
        (["trio", "--kind", "rds_instance"], "rds_instance", 5432),
        (["trio", "--kind", "rds_cluster"], "rds_cluster", 5432),
        (["fleet"], "rds_cluster", 6432),
        (["pool"], "rds_proxy", 5432),
    ],
    ids=["instance", "instance of two", "Multi-AZ cluster", "Aurora", "proxy"],
)
@pytest.mark.usefixtures("databases")
def test_a_file_for_every_kind(site: Site, tmp_path: Path, arguments: list[str], kind: str, port: int | None) -> None:
    """It loads, and has what the account has."""
    done = site.run("init", *arguments, "--dbt-environment", "EMEA", cwd=tmp_path)

    assert (done.code, done.error) == (0, "")
    configuration = load(tmp_path / "privatelink.yaml")
    service = configuration.services[arguments[0]]
    listener = service.listeners["main"]
    assert (configuration.region, configuration.account) == (REGION, ACCOUNT)
    assert (service.vpc.id, service.vpc.cidrs) == (site.world.vpc_id, ("127.0.0.0/16",))
    assert [(each.id, each.zone, each.cidr) for each in service.vpc.subnets] == [
        (each.id, each.zone, each.cidr) for each in site.world.subnets
    ]
    assert (listener.kind, listener.target.port) == (kind, port or site.world.port)
    assert len(listener.target.security_groups) == 1


def test_several_match(site: Site, databases: None) -> None:
    """RDS names instances and clusters apart from each other."""
    done = site.run("init", "trio", "-o", "-")

    assert (done.code, done.out) == (2, "")
    assert done.error == (
        "pg-privatelink: 'trio' is the identifier of a DB instance and of a DB cluster\n"
        "  choose one: --kind rds_instance or --kind rds_cluster\n"
    )


def test_none_matches(site: Site, databases: None) -> None:
    """Those there are, members of clusters left out."""
    done = site.run("init", "nothing", "-o", "-")

    assert done.code == 2
    assert done.error == (
        f"pg-privatelink: there is no DB instance, DB cluster or RDS Proxy 'nothing' in account {ACCOUNT}, Region "
        f"{REGION}\n  give another identifier, --region or --profile; there are: fleet, orders, pool, shop, trio\n"
    )


def test_a_public_database_is_warned_of(site: Site, databases: None, tmp_path: Path) -> None:
    """On the screen, in the file, and in the document."""
    done = site.run("init", "shop", cwd=tmp_path)
    document = site.run("init", "shop", "--json", "-o", "-").document

    assert done.code == 0
    assert "Warning: DB instance 'shop' is publicly accessible" in done.out
    assert "# WARNING: DB instance 'shop' is publicly accessible" in (tmp_path / "privatelink.yaml").read_text()
    assert document["content"] == (tmp_path / "privatelink.yaml").read_text()
    assert len(document["warnings"]) == 2  # it has no standby either


def test_a_file_is_never_overwritten(site: Site, tmp_path: Path) -> None:
    """Whatever is in it."""
    (tmp_path / "privatelink.yaml").write_text("mine")

    done = site.run("init", "orders", cwd=tmp_path)

    assert done.code == 2
    assert done.error == (
        "pg-privatelink: privatelink.yaml is there already, and is not overwritten\n"
        "  give another file with --output, or '--output -' to print it\n"
    )
    assert (tmp_path / "privatelink.yaml").read_text() == "mine"


def test_an_option_that_is_wrong(site: Site, tmp_path: Path) -> None:
    """The same rules as for the file; nothing is written."""
    done = site.run("init", "orders", "--principal", "dbt", cwd=tmp_path)

    assert done.code == 2
    assert "services.orders.consumers[0].principals[0]" in done.error
    assert list(tmp_path.iterdir()) == []


def test_principals_take_dbts_place(site: Site, tmp_path: Path) -> None:
    """Unless dbt is named too."""
    ana = "arn:aws:iam::222222222222:root"

    alone = loaded(tmp_path, site.run("init", "orders", "-o", "-", "--principal", ana).out)
    both = loaded(
        tmp_path,
        site.run("init", "orders", "-o", "-", "--principal", ana, "--dbt-environment", "US", "--name", "x").out,
    )

    assert [each.principals for each in alone.services["orders"].consumers] == [(ana,)]
    assert [each.dbt_platform is not None for each in both.services["x"].consumers] == [True, False]


def test_a_person_is_asked_for_what_the_account_cannot_know(site: Site, tmp_path: Path) -> None:
    """An answer, and an Enter; the file goes to standard output, so the questions do not."""
    ours, its = pty.openpty()
    os.write(ours, b"AU\n\n")

    done = subprocess.run(
        [sys.executable, "-m", "pg_privatelink.cli", "init", "orders", "--output", "-"],
        env=site.environment,
        stdin=its,
        capture_output=True,
        text=True,
        check=False,
    )

    for descriptor in (ours, its):
        os.close(descriptor)
    assert done.stderr == (
        "dbt environment (US, EMEA, AU, JP), or Enter to fill it in later: "
        "URL of your dbt account, or Enter to fill it in later: "
    )
    dbt = loaded(tmp_path, done.stdout).services["orders"].consumers[0].dbt_platform
    assert dbt is not None
    assert (dbt.environment, dbt.account_url) == ("AU", None)


def test_what_may_not_be_read(site: Site) -> None:
    """One of three look-ups is refused: the database may be just there."""
    actions = ["rds:DescribeDBInstances", "rds:DescribeDBClusters", "sts:*"]
    role = site.role("cli-no-proxies", {"Effect": "Allow", "Action": actions, "Resource": "*"})

    done = site.run("init", "nothing", "-o", "-", variables=role)

    assert done.code == 2
    assert done.error.startswith("pg-privatelink: the permission rds:DescribeDBProxies is missing for ")

"""Every kind of Postgres, created in CDK, imported, and by the YAML file: deployed, followed, unchanged, destroyed.

The tests build on each other, since a deployment costs seconds.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import pytest

from emulator.name_server import Trouble
from tests.deployment.kinds import (
    OUTSIDE,
    PROXY_ADDRESSES,
    Kinds,
    add_created,
    add_imported,
    eventually,
    every_kind,
    make_kinds,
    synthesize,
)
from tools.demo_world import PROVIDER_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.deployment.conftest import Site

YAML, FIXED = "PgPrivateLink-kinds", "PgPrivateLink-fixed"
FOLLOWING = ("Created", "Imported", YAML)
# The ports on which each stack offers the writer of an Aurora cluster, and its readers.
WRITER = {"Created": 5434, "Imported": 5433, YAML: 5433}
READERS = {"Created": 5435, "Imported": 5434, YAML: 5434}
AUTO_SCALING = 5442


@pytest.fixture(scope="module")
def kinds(site: Site) -> Iterator[Kinds]:
    """Return the account with every kind of Postgres."""
    with make_kinds(site) as made:
        yield made


def healthy(addresses: Iterable[str]) -> dict[str, str]:
    """Return targets that are all healthy."""
    return dict.fromkeys(addresses, "healthy")


def behind(kinds: Kinds, ports: dict[str, int]) -> dict[str, dict[str, str]]:
    """Return the targets and their states of each stack's listener on a port."""
    return {stack: kinds.health(stack)[port] for stack, port in ports.items()}


def test_every_kind_is_healthy_once_it_is_deployed(kinds: Kinds) -> None:
    """A stack that is complete works, however its Postgres is named: every target group has just the targets it should.

    Those without a function as well: CloudFormation and Auto Scaling register them.
    """
    synthesize(kinds, every_kind(kinds), add_created, add_imported)

    kinds.site.cdk.deploy()

    created = kinds.physical("Created", "AWS::EC2::Instance")
    (group,) = kinds.site.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    assert kinds.health("Created") == {
        5432: healthy(["127.0.0.30"]),
        5433: healthy(["127.0.1.31"]),
        5434: healthy(["127.0.0.32"]),
        5435: healthy(["127.0.1.33"]),
        5436: healthy(["127.0.0.34"]),
        5437: healthy(["127.0.1.35", "127.0.1.36"]),
        5438: healthy(PROXY_ADDRESSES),
        5439: healthy(["127.0.0.50"]),
        5440: healthy(["127.0.0.50"]),
        5441: healthy(created),
        5442: healthy(each["InstanceId"] for each in group["Instances"]),
    }
    assert (len(created), len(group["Instances"])) == (2, 2)
    followed = {
        5432: healthy(["127.0.0.41"]),
        5433: healthy(["127.0.0.42"]),
        5434: healthy(["127.0.1.43"]),
        5435: healthy(PROXY_ADDRESSES),
        5436: healthy(["127.0.0.44", OUTSIDE]),
    }
    fixed = [healthy(["127.0.0.45", OUTSIDE]), healthy(kinds.instance_ids)]
    assert kinds.health("Imported") == {**followed, 5437: fixed[0], 5438: fixed[1]}
    assert kinds.health(YAML) == followed
    assert kinds.health(FIXED) == {5432: fixed[0], 5433: fixed[1]}


@pytest.mark.parametrize(("stack", "port"), [("Imported", 5436), ("Imported", 5437), (YAML, 5436), (FIXED, 5432)])
def test_an_address_outside_the_vpc_is_in_all_zones(kinds: Kinds, stack: str, port: int) -> None:
    """AWS takes it only with `all`, and one inside only without, whoever registers it: function or CloudFormation."""
    rows = kinds.rows(kinds.groups(stack)[port])

    zones = {row["Target"]["Id"]: row["Target"].get("AvailabilityZone") for row in rows}
    assert zones.pop(OUTSIDE) == "all"
    assert "all" not in zones.values()
    assert len(zones) == 1


def test_fixed_targets_need_no_function(kinds: Kinds) -> None:
    """Nothing has to be followed, so nothing runs: no function, schedule, role or log group."""
    made = {kind for kind, _ in kinds.resources(FIXED).values()}

    assert made.isdisjoint(
        {"AWS::Lambda::Function", "AWS::Events::Rule", "AWS::IAM::Role", "AWS::IAM::Policy", "AWS::Logs::LogGroup"}
    )
    assert "AWS::ElasticLoadBalancingV2::TargetGroup" in made


def test_a_second_deployment_would_change_nothing(kinds: Kinds) -> None:
    """What was deployed is what the app says, in every stack."""
    assert kinds.site.cdk.diff().count("There were no differences") == len((*FOLLOWING, FIXED))


def test_a_reader_that_joins_is_registered(kinds: Kinds) -> None:
    """The reader endpoint names one member at a time; the others stay, since RDS lists them. No event is needed."""
    control = kinds.site.emulator.control
    kinds.resolve(kinds.rds_name("ledger-3"), "127.0.0.46")
    kinds.resolve(kinds.rds_name("aurora-3"), "127.0.0.46")
    control.add_member("ledger", "ledger-3", account=PROVIDER_ACCOUNT, announce=False)
    control.add_member("aurora", "aurora-3", account=PROVIDER_ACCOUNT, announce=False)
    kinds.resolve(kinds.cluster["reader_endpoint"], "127.0.0.46")
    kinds.resolve(kinds.rds_name("aurora", "cluster-ro-"), "127.0.0.46")
    kinds.begin_minute(*FOLLOWING)

    eventually(
        lambda: behind(kinds, READERS),
        {
            "Created": healthy(["127.0.1.33", "127.0.0.46"]),
            "Imported": healthy(["127.0.1.43", "127.0.0.46"]),
            YAML: healthy(["127.0.1.43", "127.0.0.46"]),
        },
    )


def test_a_reader_that_leaves_is_deregistered(kinds: Kinds) -> None:
    """It is gone from RDS's list, or from DNS before that; the addresses of a proxy and of a name are followed too."""
    control, name_server = kinds.site.emulator.control, kinds.site.name_server
    for cluster in ("ledger", "aurora"):
        control.remove_member(cluster, f"{cluster}-3", account=PROVIDER_ACCOUNT)
        name_server.fail(kinds.rds_name(f"{cluster}-3"), Trouble.NXDOMAIN)
    kinds.resolve(kinds.cluster["reader_endpoint"], "127.0.1.43")
    kinds.resolve(kinds.rds_name("aurora", "cluster-ro-"), "127.0.1.33")
    kinds.resolve(kinds.proxy, "127.0.0.40", "127.0.1.47")
    kinds.resolve("self-hosted.example.com", "127.0.1.48")
    kinds.begin_minute(YAML)  # the others look all the time

    eventually(
        lambda: behind(kinds, READERS),
        {"Created": healthy(["127.0.1.33"]), "Imported": healthy(["127.0.1.43"]), YAML: healthy(["127.0.1.43"])},
    )
    for port, addresses in ((5435, ["127.0.0.40", "127.0.1.47"]), (5436, ["127.0.1.48"])):
        wanted = dict.fromkeys(("Imported", YAML), healthy(addresses))
        eventually(functools.partial(behind, kinds, dict.fromkeys(("Imported", YAML), port)), wanted)


def test_a_failover_swaps_writer_and_reader(kinds: Kinds) -> None:
    """Each group follows its role, and nothing of the old one is left in it."""
    control = kinds.site.emulator.control
    kinds.resolve(kinds.cluster["endpoint"], "127.0.1.43")
    kinds.resolve(kinds.cluster["reader_endpoint"], "127.0.0.42")
    kinds.resolve(kinds.rds_name("aurora", "cluster-"), "127.0.1.33")
    kinds.resolve(kinds.rds_name("aurora", "cluster-ro-"), "127.0.0.32")
    for cluster in ("ledger", "aurora"):
        control.switch_writer(cluster, f"{cluster}-2", account=PROVIDER_ACCOUNT)

    eventually(
        lambda: (behind(kinds, WRITER), behind(kinds, READERS)),
        (
            {"Created": healthy(["127.0.1.33"]), "Imported": healthy(["127.0.1.43"]), YAML: healthy(["127.0.1.43"])},
            {"Created": healthy(["127.0.0.32"]), "Imported": healthy(["127.0.0.42"]), YAML: healthy(["127.0.0.42"])},
        ),
    )


def test_readers_stay_while_rds_may_not_be_asked(kinds: Kinds) -> None:
    """The role needs rds:DescribeDBClusters. Without it readers fail aloud, and those that DNS does not name stay."""
    kinds.resolve(kinds.rds_name("ledger-4"), "127.0.0.49")
    kinds.site.emulator.control.add_member("ledger", "ledger-4", account=PROVIDER_ACCOUNT)
    kinds.resolve(kinds.cluster["reader_endpoint"], "127.0.0.49")
    assert kinds.invoke(YAML, kinds.minute(YAML)) == (False, None)
    both = healthy(["127.0.0.42", "127.0.0.49"])
    eventually(lambda: kinds.health(YAML)[READERS[YAML]], both)
    iam = kinds.site.client("iam")
    (role,) = (each for each in kinds.physical(YAML, "AWS::IAM::Role") if "TargetSync" in each)
    (policy,) = (
        each["PolicyArn"]
        for each in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        if "ReadMembers" in each["PolicyName"]
    )
    version = iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=policy, VersionId=version)["PolicyVersion"]["Document"]
    (statement,) = document["Statement"]
    assert (statement["Action"], statement["Resource"]) == (
        "rds:DescribeDBClusters",
        f"arn:aws:rds:eu-central-1:{PROVIDER_ACCOUNT}:cluster:ledger",
    )

    iam.detach_role_policy(RoleName=role, PolicyArn=policy)
    # A process that runs already would use the list it has for five minutes: another configuration makes new ones.
    kinds.site.client("lambda").update_function_configuration(FunctionName=kinds.function(YAML), Timeout=359)
    failed, said = kinds.invoke(YAML, kinds.minute(YAML))

    assert failed
    assert (
        "readers: MEMBERS_UNKNOWN: the members of DB cluster ledger cannot be listed: AccessDenied"
        in said["errorMessage"]
    )
    assert kinds.health(YAML)[READERS[YAML]] == both


def test_auto_scaling_replaces_an_instance(kinds: Kinds) -> None:
    """Whoever comes in its place is registered and healthy, without any function."""
    before = kinds.health("Created")[AUTO_SCALING]
    lost = min(before)

    kinds.site.client("ec2").terminate_instances(InstanceIds=[lost])

    eventually(lambda: len(kinds.health("Created")[AUTO_SCALING].keys() - before.keys()), 1)
    eventually(lambda: lost in kinds.health("Created")[AUTO_SCALING], wanted=False)
    eventually(lambda: sorted(kinds.health("Created")[AUTO_SCALING].values()), ["healthy", "healthy"])


def test_destroying_leaves_nothing(kinds: Kinds) -> None:
    """Of four stacks nothing of ours remains; databases and servers from elsewhere do."""
    kinds.site.cdk.destroy()

    site = kinds.site
    assert site.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert site.client("elbv2").describe_target_groups()["TargetGroups"] == []
    assert site.client("ec2").describe_vpc_endpoint_service_configurations()["ServiceConfigurations"] == []
    assert site.client("lambda").list_functions()["Functions"] == []
    assert site.client("events").list_rules()["Rules"] == []
    assert site.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    running = site.client("ec2").describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["running"]}])
    assert {each["InstanceId"] for row in running["Reservations"] for each in row["Instances"]} == {*kinds.instance_ids}
    groups = site.client("ec2").describe_security_groups()["SecurityGroups"]
    ours = {each["GroupName"] for each in groups} - {"default", "orders-database", "imported", "fixed"}
    assert ours == set()
    assert [each for each in groups if each["IpPermissions"] and each["GroupName"] in ("imported", "fixed")] == []

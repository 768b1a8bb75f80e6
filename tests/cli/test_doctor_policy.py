"""The policy of `doctor --iam-policy`: it is enough, and none of its actions is there for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pg_privatelink.cli.aws import Aws
from pg_privatelink.cli.doctor.database import CLUSTER, INSTANCE, PROXY, Database, read_database
from pg_privatelink.cli.doctor.facts import read
from pg_privatelink.cli.doctor.permissions import policy as iam_policy
from pg_privatelink.cli.exit_code import ExitCode
from pg_privatelink.cli.problem import Problem
from tools.demo_world import DBT_ACCOUNT, PROVIDER_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Site


@pytest.fixture(scope="module", autouse=True)
def endpoint(site: Site) -> Iterator[str]:
    """A consumer's endpoint, accepted."""
    made = site.endpoint()
    site.client("ec2").accept_vpc_endpoint_connections(ServiceId=site.service_id, VpcEndpointIds=[made])
    yield made
    site.client("ec2", DBT_ACCOUNT).delete_vpc_endpoints(VpcEndpointIds=[made])


def without(document: dict[str, Any], action: str) -> list[dict[str, Any]]:
    """The statements of a policy without one action."""
    return [
        {**each, "Action": [given for given in each["Action"] if given != action]}
        for each in document["Statement"]
        if each["Action"] != [action]
    ]


def test_the_policy_needs_no_account(site: Site) -> None:
    """It is printed before there are credentials."""
    done = site.run("doctor", "--iam-policy", variables={"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None})

    assert (done.code, done.error) == (0, "")
    assert done.document == iam_policy()


def test_the_policy_is_enough(site: Site) -> None:
    """With it, and nothing else, every hop is known; also the traffic around a time."""
    role = site.role("doctor", *iam_policy()["Statement"])

    document = site.run("doctor", "--json", "--around", "2026-01-31T14:00Z", variables=role).document

    unknown = [each["hop"] for each in document["hops"] if each["verdict"] == "unknown"]
    assert unknown == ["Traffic then"]
    (finding,) = document["hops"][-1]["findings"]
    assert "no connection came to the endpoint service" in finding["evidence"]


THEN = "Traffic then"  # the hop that --around adds
ON_THE_WAY = {"Outbound rules", "Route tables", "Network ACLs", "Database's group"}
BEHIND = {"Targets", "Target health", *ON_THE_WAY}
NAMED = {"Load balancer's zones", "Target groups", "Cross-zone", "DNS", "Database", "Keepalives", *BEHIND}
# The hops that are not known without each action of the policy.
UNKNOWN_WITHOUT: dict[str, set[str]] = {
    "cloudformation:GetTemplate": {"Principals", "Load balancer's zones", "Listeners", "Inbound rules"},
    "cloudwatch:DescribeAlarms": {"Alarms"},
    "cloudwatch:GetMetricData": {THEN},
    "ec2:DescribeNetworkAcls": {"Network ACLs"},
    "ec2:DescribeNetworkInterfaces": {"Database's group"},
    "ec2:DescribeRouteTables": {"Route tables"},
    "ec2:DescribeSecurityGroups": {"Outbound rules", "Database's group"},
    "ec2:DescribeSubnets": {
        "Load balancer's zones", "Service's zones", "Route tables", "Network ACLs", "Database's group",
    },
    "ec2:DescribeVpcEndpointConnections": {"Connections"},
    "ec2:DescribeVpcEndpointServiceConfigurations": {"Endpoint service", "Service's zones"},
    "ec2:DescribeVpcEndpointServicePermissions": {"Principals"},
    "elasticloadbalancing:DescribeListeners": {"Listeners", *NAMED},
    "elasticloadbalancing:DescribeLoadBalancerAttributes": {"Cross-zone"},
    "elasticloadbalancing:DescribeLoadBalancers": {
        "Load balancer", "Load balancer's zones", "Service's zones", "Inbound rules", "Cross-zone", *ON_THE_WAY,
    },
    "elasticloadbalancing:DescribeTags": NAMED,
    "elasticloadbalancing:DescribeTargetGroupAttributes": {"Target groups", "Cross-zone"},
    "elasticloadbalancing:DescribeTargetGroups": {"Target groups", "Cross-zone"},
    "elasticloadbalancing:DescribeTargetHealth": BEHIND,
    "events:DescribeRule": {"Function"},
    "events:ListRuleNamesByTarget": {"Function"},
    "lambda:GetFunctionConcurrency": {"Function"},
    "lambda:GetPolicy": {"Function"},
    "lambda:InvokeFunction": {"Function", "DNS", "Targets"},
    "logs:FilterLogEvents": {"Last change", THEN},
    "rds:DescribeDBInstances": {"Load balancer's zones", "Database", "Keepalives"},
}  # fmt: skip
# These are asked of clusters, proxies and parameter groups of one's own only; with the name of such a database.
OF_OTHER_DATABASES = {
    "rds:DescribeDBClusterParameters": "cluster",
    "rds:DescribeDBClusters": "cluster",
    "rds:DescribeDBParameters": "member",
    "rds:DescribeDBProxies": "proxy",
    "rds:DescribeDBProxyEndpoints": "endpoint",
}
# Without these no service is found, so that there is nothing to look at.
TO_FIND_IT = {"cloudformation:DescribeStacks", "cloudformation:ListStackResources"}


def test_each_action_of_the_policy_is_taken_away_in_turn() -> None:
    """The tests below leave none out."""
    actions = [action for each in iam_policy()["Statement"] for action in each["Action"]]

    assert sorted([*UNKNOWN_WITHOUT, *OF_OTHER_DATABASES, *TO_FIND_IT]) == sorted(actions)


@pytest.mark.parametrize(("action", "hops"), UNKNOWN_WITHOUT.items(), ids=UNKNOWN_WITHOUT)
def test_what_may_not_be_read_is_unknown_and_the_rest_is_known(site: Site, action: str, hops: set[str]) -> None:
    """Without one action exactly its hops are unknown, and each names it."""
    role = site.role(f"doctor-no-{action.replace(':', '-')}", *without(iam_policy(), action))

    document = site.run_here("doctor", "--json", "--around", "2026-01-31T14:00Z", variables=role).document

    unknown = {
        each["hop"]: [finding["evidence"] for finding in each["findings"] if finding["verdict"] == "unknown"]
        for each in document["hops"]
        if each["verdict"] == "unknown"
    }
    # No connection came at that time, which is not known to be right or wrong either.
    if THEN not in hops:
        unknown.pop(THEN)
    assert set(unknown) == hops
    missing = f"the permission {action} is missing"
    assert [each for each in unknown.values() if not any(words.startswith(missing) for words in each)] == []


@pytest.mark.parametrize("action", sorted(TO_FIND_IT))
def test_what_must_be_read_is_named_where_nothing_is_found(site: Site, action: str) -> None:
    """One message, and the exit code for what could not be told."""
    role = site.role(f"doctor-no-{action.replace(':', '-')}", *without(iam_policy(), action))

    done = site.run_here("doctor", "--json", variables=role)

    assert done.code == ExitCode.UNKNOWN
    assert done.document["error"]["what"].startswith(f"the permission {action} is missing")


@pytest.fixture(scope="module")
def databases(site: Site) -> Iterator[dict[str, str]]:
    """The names of databases of other kinds in the account, with parameter groups of their own; deleted again."""
    rds = site.client("rds")
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="of-cluster", DBParameterGroupFamily="aurora-postgresql16", Description="x"
    )
    rds.create_db_parameter_group(
        DBParameterGroupName="of-member", DBParameterGroupFamily="aurora-postgresql16", Description="x"
    )
    cluster = site.emulator.control.define_cluster("policy", members=["policy-1"], account=PROVIDER_ACCOUNT)
    rds.modify_db_cluster(DBClusterIdentifier="policy", DBClusterParameterGroupName="of-cluster")
    rds.modify_db_instance(DBInstanceIdentifier="policy-1", DBParameterGroupName="of-member")
    subnets = [each.id for each in site.world.subnets]
    proxy = rds.create_db_proxy(
        DBProxyName="policy",
        EngineFamily="POSTGRESQL",
        DefaultAuthScheme="IAM_AUTH",
        RoleArn=f"arn:aws:iam::{PROVIDER_ACCOUNT}:role/policy",
        VpcSubnetIds=subnets,
    )["DBProxy"]
    added = rds.create_db_proxy_endpoint(
        DBProxyName="policy", DBProxyEndpointName="policy-reads", VpcSubnetIds=subnets, TargetRole="READ_ONLY"
    )["DBProxyEndpoint"]
    yield {
        "cluster": cluster["endpoint"],
        "member": cluster["members"]["policy-1"],
        "proxy": proxy["Endpoint"],
        "endpoint": added["Endpoint"],
    }
    rds.delete_db_proxy_endpoint(DBProxyEndpointName="policy-reads")
    rds.delete_db_proxy(DBProxyName="policy")
    rds.delete_db_instance(DBInstanceIdentifier="policy-1", SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier="policy", SkipFinalSnapshot=True)


def look_up(site: Site, name: str, variables: dict[str, str]) -> Database | Problem | None:
    """What the doctor reads of a database by its name, with the credentials of a role."""
    with pytest.MonkeyPatch.context() as patched:
        for key, value in {**site.environment, **variables}.items():
            patched.setenv(key, value)
        return read(lambda: read_database(Aws(), [name]))


def test_each_kind_of_database_is_read(site: Site, databases: dict[str, str]) -> None:
    """With the policy, and nothing else."""
    role = site.role("doctor-databases", *iam_policy()["Statement"])

    found = {kind: look_up(site, name, role) for kind, name in databases.items()}

    kinds = {kind: each.kind for kind, each in found.items() if isinstance(each, Database)}
    assert kinds == {
        "cluster": CLUSTER,
        "member": INSTANCE,
        "proxy": PROXY,
        "endpoint": PROXY,
    }
    assert [each for each in found.values() if isinstance(getattr(each, "keepalive", None), Problem)] == []


@pytest.mark.parametrize(("action", "kind"), OF_OTHER_DATABASES.items(), ids=OF_OTHER_DATABASES)
def test_what_may_not_be_read_of_a_database_is_named(
    site: Site, databases: dict[str, str], action: str, kind: str
) -> None:
    """Without one action the database, or its keepalives, are not known; what hops do with that, other tests show."""
    role = site.role(f"doctor-no-{action.replace(':', '-')}", *without(iam_policy(), action))

    found = look_up(site, databases[kind], role)

    missing = found.keepalive if isinstance(found, Database) else found
    assert isinstance(missing, Problem)
    assert missing.what.startswith(f"the permission {action} is missing")
    assert isinstance(found, Problem) != action.endswith("Parameters")

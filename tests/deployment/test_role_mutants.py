"""Every statement of every role, in a service that asks for all of them: without it something fails, and says so.

The statements are read from the synthesized template, so that a new one is not forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.deployment.mutants import STACK, statements, template, write
from tools.cdk_cli import CdkError
from tools.demo_world import PRIMARY, PROVIDER_ACCOUNT

if TYPE_CHECKING:
    from tests.deployment.conftest import Site

AT_DEPLOYMENT = [
    ("TargetSync", "ReadMembers"),
    ("Gate", "ReadInstances"),
    ("Gate", "ReadClusters"),
    ("Gate", "ReadSubnetGroups"),
]
ELSEWHERE = {
    ("TargetSync", "logs"): "test_permissions.py",
    ("TargetSync", "FollowTargets"): "test_permissions.py",
    ("TargetSync", "ReadTargets"): "test_permissions.py",
    ("Gate", "ReadZones"): "test_connections.py",
    ("Gate", "LearnZones"): "test_connections.py",
    ("Gate", "ReadConnections"): "test_connections.py",
    ("Gate", "AcceptConnections"): "test_connections.py",
    # Twice: to cut consumers off when the stack goes, and to reject others.
    ("Gate", "RejectConnections"): "test_connections.py",
    ("Gate", "ReadStack"): "test_connections.py, and test_database_zones.py",
    ("Gate", "logs"): "below",
}
CONSUMER = "222222222222"


@pytest.fixture(scope="module")
def cluster(site: Site) -> str:
    """Make a cluster whose readers are followed; returns its reader endpoint."""
    site.client("rds").create_db_cluster(
        DBClusterIdentifier="ledger",
        Engine="aurora-postgresql",
        DBSubnetGroupName="orders",
        Port=site.world.port,
        MasterUsername="postgres",
        ManageMasterUserPassword=True,
    )
    for member in ("ledger-1", "ledger-2"):
        described = site.emulator.control.add_member("ledger", member, account=PROVIDER_ACCOUNT, announce=False)
    for name in (described["endpoint"], described["reader_endpoint"], *described["members"].values()):
        site.name_server.set(name, [PRIMARY], ttl=1)
    return str(described["reader_endpoint"])


def configure(site: Site, cluster: str) -> None:
    """Synthesize a service with an instance and readers of which no zone is known, and with all that is done for it."""
    site.configure(lambda text: _everything(text, site, cluster))


def _everything(text: str, site: Site, cluster: str) -> str:
    lines = [line for line in text.splitlines() if not line.strip().startswith("zones:")]
    changed = (
        "\n".join(lines)
        + f"""
      readers:
        port: 5433
        rds_cluster:
          identifier: ledger
          role: reader
          endpoint: {cluster}
          port: {site.world.port}
          nameservers: ["{site.name_server.endpoint}"]
"""
    )
    options = f"""    healthy_timeout: 10
    accept_from: ["346425330055", "{CONSUMER}"]
    reject_others: true
    reject_connections_on_delete: true
"""
    consumer = f"""      - principals: ["arn:aws:iam::{CONSUMER}:root"]
"""
    assert "    listeners:\n" in changed
    return changed.replace("    listeners:\n", f"{consumer}{options}    listeners:\n")


def test_every_statement_is_known(site: Site, cluster: str) -> None:
    """Whoever adds one adds what fails without it."""
    configure(site, cluster)

    found = {(construct, sid) for construct, sid, _ in statements(template(site))}

    assert found == {*AT_DEPLOYMENT, *ELSEWHERE}


@pytest.mark.parametrize(("construct", "missing"), AT_DEPLOYMENT)
def test_without_a_statement_the_deployment_fails(site: Site, cluster: str, construct: str, missing: str) -> None:
    """What a function may not do shows at the first deployment, not when it is needed."""
    configure(site, cluster)
    changed = template(site)
    for whose, sid, found in list(statements(changed)):
        if (whose, sid) == (construct, missing):
            # A policy without statements is refused: what is left allows nothing that anybody asks for.
            kept = [each for each in found if each.get("Sid") != missing]
            found[:] = kept or [{"Effect": "Allow", "Action": "ec2:DescribeRegions", "Resource": "*"}]
    write(site, changed)

    with pytest.raises(CdkError) as failed:
        site.cdk.deploy()

    assert "AccessDenied" in failed.value.output
    (stack,) = site.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"


def test_with_all_of_them_it_succeeds(site: Site, cluster: str) -> None:
    """And may write its log: the emulator writes it past IAM, so the role is asked for what AWS would need."""
    configure(site, cluster)
    site.cdk.deploy()

    iam = site.client("iam")
    role, group = (site.resource(kind, of="Gate") for kind in ("AWS::IAM::Role", "AWS::Logs::LogGroup"))

    def decisions() -> set[str]:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{PROVIDER_ACCOUNT}:role/{role}",
            ActionNames=["logs:CreateLogStream", "logs:PutLogEvents"],
            ResourceArns=[f"arn:aws:logs:eu-central-1:{PROVIDER_ACCOUNT}:log-group:{group}:*"],
        )
        return {each["EvalDecision"] for each in answer["EvaluationResults"]}

    assert decisions() == {"allowed"}
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        if "GatePolicy" in policy["PolicyName"]:
            iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
    assert decisions() == {"implicitDeny"}

"""`make integ REGION=...`: deploy to an account of yours, fail the database over, write down what AWS does, destroy.

Never runs by default, and asks first: it costs money.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from tests.integ import answers
from tests.integ.account import Account, IntegError, drill_commands
from tests.integ.stacks import CIDR, CONSUMER, DATABASE, PORT, PROVIDER, USER
from tools.install import ROOT, WORK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integ.answers import Answer, Look

COST = "about 45 minutes, and below 1 USD at list prices (Multi-AZ db.t4g.micro, load balancer, endpoint, t4g.small)"
_LOOK_SECONDS = 2.0
_DRILL_SECONDS = 900
_LATE_SECONDS = 60
_WITHOUT_RULES_SECONDS = 60
_TRIES = 5


def main() -> int:
    """Run it; returns the exit code: 0 when all questions have an answer and nothing is left in the account."""
    parser = argparse.ArgumentParser(prog="make integ", description=__doc__)
    parser.add_argument("--region", required=True, help="a Region that is bootstrapped for the CDK")
    parser.add_argument("--profile", help="a profile of the AWS configuration")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what is deployed is destroyed in either case
    folder = WORK / "integ"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    account = Account(region=given.region, profile=given.profile, folder=folder)
    print(f"Deploys {PROVIDER} and {CONSUMER} to account {account.id}, {account.region}: {COST}.")
    print("Fails its own database over, and destroys everything in the end, whatever happens.")
    if not given.yes and input("Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
        return 1
    return run(account, folder, _wheel(folder))


def run(account: Account, folder: Path, wheel: Path) -> int:
    """Deploy, measure, destroy; returns the exit code.

    Args:
        account: Where.
        folder: Where the report goes.
        wheel: What the host installs.
    """
    context = {
        "account": account.id,
        "region": account.region,
        "zones": ",".join(account.zones()),
        "wheel": str(wheel),
        "revision": "1",
    }
    found: list[Answer] = []
    drill: dict[str, Any] | None = None
    try:
        account.cdk("deploy", "--all", "--require-approval", "never", context=context)
        drill = _measure(account, context, wheel, found)
    except IntegError as error:
        print(f"\n{error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
    finally:
        left = _destroy(account, context)
    _write(folder, found, drill)
    return 0 if drill is not None and not left and all(each.figures for each in found) else 1


def _measure(account: Account, context: dict[str, str], wheel: Path, found: list[Answer]) -> dict[str, Any]:
    """Answer the questions one after the other; `found` has what is known already if one fails."""
    provider, consumer = account.outputs(PROVIDER), account.outputs(CONSUMER)
    print("Waiting for the host, and installing the drill on it ...")
    account.wait_for_host(consumer["HostId"])
    account.install(consumer["HostId"], consumer["WheelUrl"], name=wheel.name)
    found.append(_group_alone(account, provider, consumer))
    print("Failing the database over ...")
    before, began = account.look(provider), time.time()
    looks, drill = _drill(account, provider, consumer)
    time.sleep(_LATE_SECONDS)  # log lines and events come late
    found.append(answers.registration(looks, account.changes(provider, since=began)))
    found.append(answers.event_latency(account.rds_events(provider, since=began)))
    found.append(answers.outside_dns([before, *looks], CIDR))
    found.append(_standby(account, provider, before, looks))
    tags = account.tags(provider)
    account.cdk("deploy", PROVIDER, "--require-approval", "never", context={**context, "revision": "2"})
    found.append(answers.tags_kept(tags, account.tags(provider)))
    return drill


def _drill(account: Account, provider: dict[str, str], consumer: dict[str, str]) -> tuple[list[Look], dict[str, Any]]:
    """Run the drill on the host, and look at the service meanwhile."""
    looks: list[Look] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            try:
                looks.append(account.look(provider))
            except Exception as error:  # noqa: BLE001 - one look less
                print(f"a look failed: {error}", file=sys.stderr)

    watcher = threading.Thread(target=watch)
    watcher.start()
    commands = drill_commands(
        stack=PROVIDER,
        host=consumer["EndpointHost"],
        secret=consumer["SecretArn"],
        region=account.region,
        user=USER,
        database=DATABASE,
    )
    try:
        printed = account.run(consumer["HostId"], *commands, seconds=_DRILL_SECONDS)
    finally:
        over.set()
        watcher.join()
    document: dict[str, Any] = json.loads(printed)
    return looks, document


def _group_alone(account: Account, provider: dict[str, str], consumer: dict[str, str]) -> Answer:
    """Take the rules by address away from the database's group for a minute, and see what still works."""
    print("Taking the rules by address away from the database's group for a minute ...")
    ec2, group = account.client("ec2"), provider["DatabaseGroup"]
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    by_address = [each for each in rules if not each["IsEgress"] and "CidrIpv4" in each]
    works_before = bool(account.invoke(consumer["CheckFunction"], {})["works"])
    works: list[bool] = []
    states: list[str] = []
    ids = [each["SecurityGroupRuleId"] for each in by_address]
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=ids)
    try:
        for _ in range(_TRIES):
            time.sleep(_WITHOUT_RULES_SECONDS / _TRIES)
            works.append(bool(account.invoke(consumer["CheckFunction"], {})["works"]))
            states += account.states(provider).values()
    finally:
        permissions = [
            {
                "IpProtocol": each["IpProtocol"],
                "FromPort": each["FromPort"],
                "ToPort": each["ToPort"],
                "IpRanges": [
                    {"CidrIp": each["CidrIpv4"]}
                    | ({"Description": each["Description"]} if each.get("Description") else {})
                ],
            }
            for each in by_address
        ]
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    return answers.group_alone(works, states, works_before=works_before)


def _standby(account: Account, provider: dict[str, str], before: Look, looks: list[Look]) -> Answer:
    """Connect, from inside the VPC, to the address that was the primary's: now it is the standby's."""
    last = next((each.addresses for each in reversed(looks) if each.addresses), ())
    former = [each for each in before.addresses if last and each not in last]
    outcomes = [
        str(account.invoke(provider["ProbeFunction"], {"host": each, "port": PORT})["outcome"])
        for each in former
        for _ in range(_TRIES)
    ]
    return answers.standby(outcomes)


def _wheel(folder: Path) -> Path:
    """Build the wheel that the host installs."""
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _destroy(account: Account, context: dict[str, str]) -> list[str]:
    """Destroy both stacks, with a second try; returns those that are left."""
    print("Destroying ... (not to be interrupted)")
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for _ in range(2):
            try:
                account.cdk("destroy", "--all", "--force", context=context)
                break
            except IntegError as error:
                print(f"\n{error}", file=sys.stderr)
        left = [stack for stack in (CONSUMER, PROVIDER) if account.exists(stack)]
    finally:
        signal.signal(signal.SIGINT, before)
    for stack in left:
        print(f"LEFT: aws cloudformation delete-stack --region {account.region} --stack-name {stack}", file=sys.stderr)
    return left


def _write(folder: Path, found: list[Answer], drill: dict[str, Any] | None) -> None:
    document = {"answers": [each.document() for each in found], "drill": drill}
    (folder / "report.json").write_text(json.dumps(document, indent=2) + "\n")
    text = answers.report(found, drill)
    (folder / "report.md").write_text(text)
    print(f"\n{text}\nwritten to {folder}")


if __name__ == "__main__":
    sys.exit(main())

"""Two more services beside `orders`: one from the file that `init` wrote, one without a function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tools.cdk_cli import Cdk
from tools.demo_world import PRIMARY, PROVIDER_ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Done, Site

CONSUMER = "222222222222"


@dataclass(frozen=True)
class Others:
    """The other services.

    Attributes:
        written: What became of `init`.
        ids: The services' ids, by name.
        names: Their endpoint services' names, by name.
    """

    written: Done
    ids: dict[str, str]
    names: dict[str, str]


@pytest.fixture(scope="module")
def others(site: Site) -> Iterator[Others]:
    """Deploy `billing` as `init` wrote it, and `ledger` with a fixed address, from one file; then destroy both."""
    group = site.client("ec2").create_security_group(GroupName="b", Description="Billing", VpcId=site.world.vpc_id)
    site.client("rds").create_db_instance(
        DBInstanceIdentifier="billing",
        Engine="postgres",
        DBInstanceClass="db.t4g.medium",
        AllocatedStorage=20,
        MultiAZ=True,
        Port=site.world.port,
        MasterUsername="postgres",
        ManageMasterUserPassword=True,
        DBSubnetGroupName="orders",
        VpcSecurityGroupIds=[group["GroupId"]],
    )
    (described,) = site.client("rds").describe_db_instances(DBInstanceIdentifier="billing")["DBInstances"]
    site.name_server.set(described["Endpoint"]["Address"], [PRIMARY], ttl=1)
    folder = site.folder / "others"
    folder.mkdir()
    config = folder / "privatelink.yaml"
    written = site.run("init", "billing", "--output", str(config), "--principal", f"arn:aws:iam::{CONSUMER}:root")
    text = config.read_text()
    # As written, but for what only the emulator needs: its name server, and stacks that can be destroyed.
    zones = text.index("          zones: [")
    text = f'{text[:zones]}          nameservers: ["{site.name_server.endpoint}"]\n{text[zones:]}'
    vpc = text[text.index("    vpc:") : text.index("    consumers:")]
    text += f"  ledger:\n{vpc}    listeners:\n      main:\n        ip_addresses:\n          addresses: [{PRIMARY}]\n"
    text += f"          port: {site.world.port}\ntermination_protection: false\n"
    config.write_text(text)
    cdk = Cdk(folder, site.emulator.environment(account=PROVIDER_ACCOUNT), config=config)
    cdk.synth(validation=False)
    outputs = cdk.deploy()
    yield Others(
        written,
        {name: outputs[f"PgPrivateLink-{name}"]["EndpointServiceId"] for name in ("billing", "ledger")},
        {name: outputs[f"PgPrivateLink-{name}"]["EndpointServiceName"] for name in ("billing", "ledger")},
    )
    cdk.destroy()
    site.client("rds").delete_db_instance(DBInstanceIdentifier="billing", SkipFinalSnapshot=True)


def test_the_file_that_init_wrote_is_deployed(site: Site, others: Others) -> None:
    """Its service has a healthy target, the one that DNS names."""
    assert others.written.code == 0

    document = site.run("status", "--service", "billing", "--json").document

    (listener,) = document["listeners"]
    assert (listener["verdict"], listener["notes"]) == ("ok", [])
    assert [(each["target"], each["state"], each["in_dns"]) for each in listener["targets"]] == [
        (f"{PRIMARY}:{site.world.port}", "healthy", True)
    ]
    assert document["principals"] == [f"arn:aws:iam::{CONSUMER}:root"]


def test_none_is_chosen_for_you(site: Site, others: Others) -> None:
    """The message lists them."""
    done = site.run("status")

    assert (done.code, done.out) == (2, "")
    assert done.error == (
        f"pg-privatelink: there are 3 services (account {PROVIDER_ACCOUNT}, Region {REGION})\n"
        f"  choose one with --service: billing ({others.ids['billing']}, stack PgPrivateLink-billing), "
        f"ledger ({others.ids['ledger']}, stack PgPrivateLink-ledger), "
        f"orders ({site.service_id}, stack PgPrivateLink-orders)\n"
    )


@pytest.mark.parametrize("by", ["name", "id", "stack"])
def test_one_is_chosen(site: Site, others: Others, by: str) -> None:
    """By its name, its id, or its stack."""
    choice = {
        "name": ["--service", "ledger"],
        "id": ["--service", others.ids["ledger"]],
        "stack": ["--stack", "PgPrivateLink-ledger"],
    }[by]

    document = site.run("request", *choice, "--json").document

    assert (document["service"], document["endpoint_service_name"]) == ("ledger", others.names["ledger"])


def test_a_service_with_fixed_targets(site: Site, others: Others) -> None:
    """AWS's health is all there is to see; nothing is unknown for want of a function."""
    document = site.run("status", "--service", "ledger", "--json").document

    assert document["unknown"] == {}
    assert document["last_change"] is None
    (listener,) = document["listeners"]
    assert (listener["name"], listener["hostname"], listener["verdict"]) == ("main", None, "ok")
    assert [(each["state"], each["in_dns"]) for each in listener["targets"]] == [("healthy", None)]


def test_no_function_decides_nothing(site: Site, others: Others) -> None:
    """The message says why there is nothing, and where to look."""
    done = site.run("logs", "--service", "ledger")

    assert done.code == 2
    assert done.error == (
        "pg-privatelink: service ledger has no function, since all its targets are fixed: nothing is decided\n"
        "  'pg-privatelink status' shows the targets\n"
    )


def test_a_service_without_a_form(site: Site, others: Others) -> None:
    """Its consumers get name and Region."""
    done = site.run("request", "--service", "billing")

    assert done.code == 2
    assert done.error == (
        "pg-privatelink: stack PgPrivateLink-billing has no request text: no consumer of it has a form\n"
        f"  give your consumers the name {others.names['billing']} and the Region {REGION}\n"
    )


def test_an_endpoint_of_another_service(site: Site, others: Others) -> None:
    """It is not answered by mistake; with the service named it is."""
    endpoint = site.endpoint(CONSUMER, others.names["billing"])

    mistaken = site.run("accept", endpoint, "--yes", "--service", "orders")
    meant = site.run("accept", endpoint, "--yes", "--service", others.ids["billing"])

    site.client("ec2", CONSUMER).delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert mistaken.code == 2
    assert mistaken.error == (
        f"pg-privatelink: {endpoint} is connected to another service, {others.ids['billing']}, not to orders "
        f"({site.service_id})\n  if you mean that one, give --service {others.ids['billing']}\n"
    )
    assert (meant.code, meant.out.splitlines()[-1]) == (0, f"{endpoint} is available")

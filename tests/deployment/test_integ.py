"""The integration test's own app, deployed by the real CDK CLI as far as the emulator goes, read, and destroyed.

What it measures on AWS, the emulator cannot show: it has no data plane, no Systems Manager and no events that are late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulator.database import Database
from tests.integ.account import Account
from tests.integ.stacks import CONSUMER, IDENTIFIER, PROVIDER
from tools.demo_world import PROVIDER_ACCOUNT, REGION
from tools.environment import child_environment
from tools.install import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.deployment.conftest import Site

_ADDRESS = "127.0.0.20"


@pytest.fixture
def account(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Return the emulated account as the runner has one, with the database's name and one of its hosts."""
    site.name_server.set(f"{IDENTIFIER}.{site.world.endpoint.partition('.')[2]}", [_ADDRESS], ttl=1)
    for name, value in {**child_environment(), **site.emulator.environment(account=PROVIDER_ACCOUNT)}.items():
        monkeypatch.setenv(name, value)
    with Database(_ADDRESS, site.world.port):
        yield Account(region=REGION, profile=None, folder=tmp_path)


def test_the_app_deploys_is_read_and_goes(account: Account, site: Site) -> None:
    """Both stacks are made, the consumer's connection is accepted, what the runner reads is there, and nothing is left.

    An update that changes a tag alone goes through as well: with it the runner asks about the function's own tag.
    """
    context = {
        "account": account.id,
        "region": REGION,
        "zones": ",".join(account.zones()),
        "wheel": str(ROOT / "LICENSE"),
        "revision": "1",
        "cidr": "127.0.0.0/16",
        "port": str(site.world.port),
        "nameservers": site.name_server.endpoint,
    }
    try:
        account.cdk("deploy", "--all", "--require-approval", "never", context=context)
        provider, consumer = account.outputs(PROVIDER), account.outputs(CONSUMER)
        look = account.look(provider)
        tags = account.tags(provider)
        account.cdk("deploy", PROVIDER, "--require-approval", "never", context={**context, "revision": "2"})
        updated = account.tags(provider)
        (connection,) = site.client("ec2").describe_vpc_endpoint_connections()["VpcEndpointConnections"]
    finally:
        account.cdk("destroy", "--all", "--force", context=context)

    assert (look.addresses, look.states) == ((_ADDRESS,), {_ADDRESS: "healthy"})
    assert connection["VpcEndpointId"] == consumer["EndpointId"]
    assert connection["VpcEndpointState"] == "available"
    assert consumer["HostId"].startswith("i-")
    assert updated["pg-privatelink:integ:revision"] == "2"
    assert {key: updated[key] for key in tags if "revision" not in key} == {
        key: value for key, value in tags.items() if "revision" not in key
    }
    assert not account.exists(PROVIDER)
    assert not account.exists(CONSUMER)

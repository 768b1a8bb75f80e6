"""The permissions that docs/command.md lists are enough, and none is listed for nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.cli.page import PAGE

if TYPE_CHECKING:
    from tests.cli.conftest import Site

COMMON = "all but `init`"


def listed(row: str) -> list[str]:
    """The actions in a row of the table."""
    table = PAGE.read_text().partition("<!-- permissions -->\n")[2].partition("<!-- permissions: end -->")[0]
    (cells,) = (line.split("|") for line in table.splitlines() if line.startswith(f"| {row} |"))
    return re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", cells[2])


def role(site: Site, name: str, actions: list[str]) -> dict[str, str]:
    """The variables of a role that may do these, and nothing else."""
    return site.role(name, {"Effect": "Allow", "Action": actions, "Resource": "*"})


@pytest.mark.parametrize("command", ["status", "logs"])
def test_they_are_enough_to_see(site: Site, command: str) -> None:
    """Nothing is unknown."""
    variables = role(site, f"cli-{command}", [*listed(COMMON), *listed(f"`{command}`")])

    done = site.run(command, "--json", variables=variables)

    assert done.error == ""
    assert done.code in {0, 1}  # an alarm may tell of other tests' endpoints
    if command == "status":
        assert done.document["unknown"] == {}


def test_they_are_enough_for_init(site: Site) -> None:
    """Of an instance, and of an identifier that there is not."""
    variables = role(site, "cli-init", listed("`init`"))

    assert site.run("init", "orders", "-o", "-", variables=variables).code == 0
    assert (
        "there is no DB instance, DB cluster or RDS Proxy 'nothing'"
        in site.run("init", "nothing", "-o", "-", variables=variables).error
    )


@pytest.mark.parametrize("verb", ["accept", "reject"])
def test_they_are_enough_to_answer(site: Site, verb: str) -> None:
    """Each needs its own of the last two."""
    actions = [*listed(COMMON), *listed("`accept` and `reject`")]
    others = {"accept": "ec2:RejectVpcEndpointConnections", "reject": "ec2:AcceptVpcEndpointConnections"}
    actions.remove(others[verb])
    endpoint = site.endpoint()

    done = site.run(verb, endpoint, "--yes", variables=role(site, f"cli-{verb}", actions))

    assert (done.code, done.error) == (0, "")
    site.client("ec2", "346425330055").delete_vpc_endpoints(VpcEndpointIds=[endpoint])


@pytest.mark.parametrize("left_out", listed("`status`"))
def test_each_is_needed(site: Site, left_out: str) -> None:
    """Without it a part of `status` is unknown, and the message names it."""
    actions = [each for each in (*listed(COMMON), *listed("`status`")) if each != left_out]
    name = f"cli-no-{left_out.replace(':', '-')}"

    document = site.run("status", "--json", variables=role(site, name, actions)).document

    (why,) = document["unknown"].values()
    assert why["what"].startswith(f"the permission {left_out} is missing")

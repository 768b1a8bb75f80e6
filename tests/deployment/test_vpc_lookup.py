"""A VPC that is looked up: the CLI asks the account, and the app is synthesized with what it found."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.deployment.conftest import Site

STACK = "PgPrivateLink-orders"


def test_subnets_and_range_are_found(site: Site) -> None:
    """With an id alone the load balancer gets a subnet in each zone, and databases admit those subnets' ranges."""

    def look_up(text: str) -> str:
        start, end = text.index("      id: vpc"), text.index("    consumers:")
        text = text[:start] + text[end:]
        # A VPC is looked up with the names of its zones, so the database's are given by name as well.
        for subnet, name in zip(site.world.subnets, ("eu-central-1a", "eu-central-1b"), strict=True):
            text = text.replace(subnet.zone, name)
        return text.replace("    vpc:", f"    vpc:\n      lookup: {{id: {site.world.vpc_id}}}")

    site.configure(look_up)

    template = json.loads((site.cdk.assembly / f"{STACK}.template.json").read_text())
    resources = template["Resources"].values()
    (balancer,) = (each for each in resources if each["Type"] == "AWS::ElasticLoadBalancingV2::LoadBalancer")
    assert set(balancer["Properties"]["Subnets"]) == {subnet.id for subnet in site.world.subnets}
    rules = [each["Properties"] for each in resources if each["Type"] == "AWS::EC2::SecurityGroupIngress"]
    admitted = {rule["CidrIp"] for rule in rules if "CidrIp" in rule}
    assert admitted == {subnet.cidr for subnet in site.world.subnets}
    assert template["Outputs"]["Zones"]["Value"] == "eu-central-1a, eu-central-1b"

"""The load balancer itself, and whether its nodes serve each other's zones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem
from pg_privatelink.cli.listeners import HEALTHY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding

_CROSS_ZONE = "load_balancing.cross_zone.enabled"
_AS_LOAD_BALANCER = "use_load_balancer_configuration"


def check(facts: Facts) -> Iterator[Finding]:
    """It is there, and active."""
    row = known(facts.load_balancer)
    if row is None:
        yield problem(
            f"the load balancer {facts.service.load_balancer_arn} does not exist any more",
            "somebody deleted it. An update does not make it again: deploy the service under another name, and give "
            "its new endpoint service name to the consumer",
        )
        return
    state = row["State"]
    if state["Code"] != "active":
        why = f" ({state['Reason']})" if state.get("Reason") else ""
        yield problem(
            f"the load balancer is {state['Code']}{why}",
            "wait if it is provisioning; otherwise see the AWS Health Dashboard and ask AWS Support",
        )
    elif row.get("Scheme") != "internal":
        yield problem(
            "the load balancer is not internal", "deploy the service anew under another name; a scheme cannot change"
        )
    else:
        yield ok(f"{row['LoadBalancerName']} is {state['Code']}, {row['Scheme']}")


def check_cross_zone(facts: Facts) -> Iterator[Finding]:
    """A node without a target in its own zone sends connections to another zone's target."""
    zones = {zone["ZoneName"] for zone in facts.present_load_balancer["AvailabilityZones"]}
    own = known(facts.attributes).get(_CROSS_ZONE) == "true"
    wrong = False
    groups = known(facts.groups)
    for listener in known(facts.named):
        row = groups.get(listener.target_group_arn)
        said = (row or {}).get("Attributes", {}).get(_CROSS_ZONE, _AS_LOAD_BALANCER)
        if row is None or (own if said == _AS_LOAD_BALANCER else said == "true"):
            continue
        healthy = sum(each.state == HEALTHY for each in known(facts.targets).get(listener.target_group_arn, ()))
        wrong = True
        evidence = (
            f"cross-zone load balancing is off for listener {listener.name}, with {healthy} healthy "
            f"target{'' if healthy == 1 else 's'} for {len(zones)} zones: connections that come in through a zone "
            "without one fail"
        )
        if said == "false":
            yield problem(
                evidence,
                "its target group says so; have it follow the load balancer",
                facts.aws(
                    f"elbv2 modify-target-group-attributes --target-group-arn {listener.target_group_arn} "
                    f"--attributes Key={_CROSS_ZONE},Value={_AS_LOAD_BALANCER}"
                ),
            )
        else:
            yield problem(
                evidence,
                "turn it on",
                facts.aws(
                    f"elbv2 modify-load-balancer-attributes --load-balancer-arn {facts.service.load_balancer_arn} "
                    f"--attributes Key={_CROSS_ZONE},Value=true"
                ),
            )
            return
    if not wrong:
        yield ok("on: a node reaches targets in every zone")

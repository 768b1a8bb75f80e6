"""How target groups treat connections, as far as it can break Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding

_PROXY_PROTOCOL = "proxy_protocol_v2.enabled"


def check(facts: Facts) -> Iterator[Finding]:
    """No proxy protocol, and health checks over TCP on the port that is used."""
    groups = known(facts.groups)
    wrong = False
    for listener in known(facts.named):
        arn = listener.target_group_arn
        row = groups.get(arn)
        if row is None:
            wrong = True
            yield problem(
                f"listener {listener.name} sends connections to no target group",
                "send them to its own: see the hop 'Listeners'",
            )
            continue
        if row["Attributes"].get(_PROXY_PROTOCOL) == "true":
            wrong = True
            yield problem(
                f"the target group of listener {listener.name} adds a proxy protocol header, which Postgres cannot "
                "parse: every connection fails",
                "turn it off",
                facts.aws(
                    f"elbv2 modify-target-group-attributes --target-group-arn {arn} "
                    f"--attributes Key={_PROXY_PROTOCOL},Value=false"
                ),
            )
        if row.get("HealthCheckProtocol") != "TCP" or row.get("HealthCheckPort") != "traffic-port":
            wrong = True
            yield problem(
                f"health checks of listener {listener.name} go over {row.get('HealthCheckProtocol')} to port "
                f"{row.get('HealthCheckPort')}, which says nothing about Postgres",
                "have them connect to the port that is used",
                facts.aws(
                    f"elbv2 modify-target-group --target-group-arn {arn} --health-check-protocol TCP "
                    "--health-check-port traffic-port"
                ),
            )
    if not wrong:
        yield ok("health checks over TCP on the targets' own port; no proxy protocol")

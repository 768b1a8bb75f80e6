"""DNS as the function sees it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem, unknown
from pg_privatelink.cli.explain import denied_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts, Row
    from pg_privatelink.cli.doctor.finding import Finding

# What the function's failures begin with, and what each asks for.
_REMEDIES = {
    "NXDOMAIN": "the name does not exist: see that the database exists and is not renamed, then correct its endpoint "
    "in privatelink.yaml and deploy (npx cdk deploy --all)",
    "EMPTY": "the name has no address: see that the database is started, and that its endpoint is still this one",
    "IPV6_ONLY": "give the database IPv4 addresses (network type IPV4 or DUAL): the target group takes no others",
    "CNAME_LOOP": "mend the aliases in the zone that you own",
    "SERVFAIL": "the name server is in trouble: see it, or take the listener's 'nameservers' away, to ask AWS's own",
    "REFUSED": "have the name server answer the function, or take the listener's 'nameservers' away",
    "TIMEOUT": "see that the name servers run and that the function reaches them (its subnets, security group and "
    "routes, if it is in a VPC), or take the listener's 'nameservers' away",
    "UNREACHABLE": "see that the function reaches its name servers (its subnets, security group and routes, if it is "
    "in a VPC), or take the listener's 'nameservers' away",
    "MEMBERS_UNKNOWN": "RDS does not tell the function the cluster's members: see that the cluster exists",
}
_OUTCOME = re.compile(r"([A-Z0-9_]+): ")


def check(facts: Facts) -> Iterator[Finding]:
    """Each name that is followed has an address that may be registered."""
    if facts.service.function_name is None:
        yield ok("nothing is followed: all targets are fixed")
        return
    seen = (known(facts.report) or {}).get("listeners", {})
    wrong, told = False, []
    for name, row in sorted(seen.items()):
        failure, answer = str(row.get("failure") or ""), row.get("answer")
        if failure:
            wrong = True
            yield _failed(name, row, failure)
        elif answer is not None:
            ttl = f", TTL {answer['ttl']:g} s" if answer.get("ttl") is not None else ""
            told.append(f"{row.get('hostname')} is {', '.join(answer['addresses'])}{ttl}")
    for listener in known(facts.named):
        if listener.hostname is not None and listener.name not in seen:
            wrong = True
            yield problem(
                f"the function does not follow listener {listener.name} ({listener.hostname})",
                "see its log: 'pg-privatelink logs'; a deployment puts tags and function right (npx cdk deploy --all)",
            )
    if not wrong:
        yield ok("; ".join(told) or "no listener follows a name")


def _failed(name: str, row: Row, failure: str) -> Finding:
    """Return what a listener's failure means."""
    about = f"listener {name}, {row.get('hostname')}"
    if denied_in(failure):
        return unknown(
            f"{about}: the function lacks a permission, so what it sees is not all",
            "see the hop 'Function' first, then look again",
            counts=False,
        )
    outcome = _OUTCOME.match(failure)
    if "is a public address" in failure:
        remedy = "make the database not publicly accessible"
    elif row.get("answer") is not None:
        remedy = "see 'pg-privatelink logs'"
    else:
        remedy = _REMEDIES.get(outcome[1] if outcome else "", "see the name servers, and the name itself")
    servers = f" (asked: {', '.join(row['nameservers'])})" if row.get("nameservers") else ""
    return problem(f"{about}: {failure}{servers}", remedy)

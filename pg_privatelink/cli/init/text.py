"""The text of a YAML file for a database: valid, and commented where a person has to look. No input or output."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from pg_privatelink.cli.init.database import Database, Kind
from pg_privatelink.cli.init.network import MIN_FREE, MIN_ZONES, Network

_SCHEMA = "docs/privatelink.schema.json"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_FIELDS = {Kind.INSTANCE: "identifier", Kind.CLUSTER: "identifier", Kind.PROXY: "name"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the account cannot tell.

    Attributes:
        name: The service's name.
        port: The port that consumers connect to.
        dbt_environment: dbt's environment; None leaves it to be filled in.
        dbt_account_url: The URL of the dbt account; None leaves it to be filled in.
        principals: Who else, or instead of dbt, may connect.
        dbt: Whether dbt may connect.
    """

    name: str
    port: int
    dbt_environment: str | None = None
    dbt_account_url: str | None = None
    principals: tuple[str, ...] = ()
    dbt: bool = True


def warnings(database: Database, network: Network) -> list[str]:
    """Return what will not work, or not as one would think; each one sentence."""
    found: list[str] = []
    what = f"{database.kind.noun} '{database.identifier}'"
    if database.publicly_accessible:
        found.append(
            f"{what} is publicly accessible: outside the VPC, where the function runs, its name stands for a public "
            "address, which a load balancer refuses. The deployment will fail until this is turned off: "
            f"{_private(database)}"
        )
    if len(network.database_zone_ids) < MIN_ZONES:
        found.append(
            f"{what} has subnets in zone {network.database_zone_ids[0]} only, so it cannot fail over to another zone; "
            "the load balancer's other subnet below is one of the VPC's."
        )
    elif not database.fails_over:
        found.append(
            f"{what} has no standby: while its zone or its host fails, nothing listens. When it comes back under "
            "another address, that is followed."
        )
    found += [
        f"Subnet {each.id} has {each.free} free addresses; the load balancer needs {MIN_FREE}."
        for each in network.subnets
        if each.free < MIN_FREE
    ]
    if not database.security_groups:
        found.append(f"{what} has no security group in sight: admit the load balancer's yourself (a stack output).")
    return found


def text(database: Database, network: Network, wishes: Wishes, *, account: str, region: str) -> str:
    """Return the file.

    Args:
        database: The database.
        network: Its VPC.
        wishes: What the account cannot tell.
        account: The account.
        region: The Region.
    """
    lines = [
        f"# yaml-language-server: $schema={_SCHEMA}",
        "",
        f"# Written by 'pg-privatelink init {database.identifier}' from what account {account} says of it.",
        "# Read it, then: npx cdk deploy --all",
    ]
    for warning in warnings(database, network):
        lines += _comment(f"WARNING: {warning}")
    lines += [
        f"region: {region}",
        f'account: "{account}"',
        "",
        "services:",
        f"  {wishes.name}:  # becomes the stack PgPrivateLink-{wishes.name}",
        *_vpc(network),
        "",
        *_consumers(wishes),
        "",
        *_listeners(database, network, wishes),
    ]
    return "\n".join(lines) + "\n"


def _vpc(network: Network) -> list[str]:
    return [
        "    vpc:",
        f"      id: {network.vpc_id}",
        f"      cidrs: [{', '.join(network.cidrs)}]  # all ranges of the VPC",
        "      subnets:  # the load balancer's: one in every zone to which the database can fail over",
        *(
            f"        - {{id: {each.id}, zone: {each.zone_id}, cidr: {each.cidr}}}  # {each.zone_name}"
            for each in network.subnets
        ),
    ]


def _consumers(wishes: Wishes) -> list[str]:
    lines = ["    consumers:"]
    if wishes.dbt:
        lines.append("      - dbt_platform:")
        lines.append(
            f"          environment: {_value(wishes.dbt_environment)}"
            if wishes.dbt_environment
            else "          # environment: EMEA  # US, EMEA, AU or JP, for the request to dbt support"
        )
        lines.append(
            f"          account_url: {_value(wishes.dbt_account_url)}"
            if wishes.dbt_account_url
            else "          # account_url: https://ab123.eu1.dbt.com  # your dbt account, for the same"
        )
    if wishes.principals:
        lines.append(f"      - principals: [{', '.join(json.dumps(each) for each in wishes.principals)}]")
    else:
        lines.append(
            '      # - principals: ["arn:aws:iam::222222222222:root"]  # anyone else, by account, role or user'
        )
    return lines


def _listeners(database: Database, network: Network, wishes: Wishes) -> list[str]:
    zones = ", ".join(network.database_zone_ids)

    def target(endpoint: str, role: str | None) -> list[str]:
        return [
            f"        {database.kind.value}:",
            f"          {_FIELDS[database.kind]}: {_value(database.identifier)}",
            *([f"          role: {role}"] if role else []),
            f"          endpoint: {endpoint}",
            f"          port: {database.port}",
            *(
                [f"          security_groups: [{', '.join(database.security_groups)}]  # the load balancer is let in"]
                if database.security_groups
                else []
            ),
            f"          zones: [{zones}]  # those of its subnets",
        ]

    lines = ["    listeners:", "      main:", f"        port: {wishes.port}  # what consumers connect to"]
    lines += target(database.endpoint, "writer" if database.kind is Kind.CLUSTER else None)
    if database.reader_endpoint:
        lines.append("      # The readers, on a port of their own:")
        readers = ["      readers:", f"        port: {wishes.port + 1}", *target(database.reader_endpoint, "reader")]
        lines += [f"      # {line.removeprefix('      ')}" for line in readers]
    return lines


def _private(database: Database) -> str:
    if database.kind is Kind.CLUSTER:
        return "set --no-publicly-accessible on each of its instances (aws rds modify-db-instance)."
    return f"aws rds modify-db-instance --db-instance-identifier {database.identifier} --no-publicly-accessible"


def _comment(sentence: str) -> list[str]:
    """Return a comment, wrapped."""
    import textwrap  # noqa: PLC0415

    return textwrap.wrap(sentence, width=110, initial_indent="# ", subsequent_indent="#   ")


def _value(value: str) -> str:
    """Return a text as YAML: plain where no parser takes it for something else."""
    lowered = value.lower()
    if _PLAIN.fullmatch(value) and lowered not in {"yes", "no", "on", "off", "true", "false", "null", "y", "n"}:
        return value
    return json.dumps(value)

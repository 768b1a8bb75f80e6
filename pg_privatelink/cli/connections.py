"""Connections: the endpoints that consumers made to a service, and who may make them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from mypy_boto3_ec2 import EC2Client

    from pg_privatelink.cli.aws import Aws

WAITING = "pendingacceptance"
AVAILABLE = "available"
REJECTED = "rejected"
LOST = frozenset({"failed", "expired"})
"""States that end without anybody having wanted it."""

_ACCOUNT = re.compile(r"arn:[^:]*:iam::(\d{12}):.*")


@dataclass(frozen=True, slots=True)
class Connection:
    """A consumer's endpoint, as the owner of the service sees it.

    Attributes:
        endpoint_id: The endpoint, vpce-...
        service_id: The service that it asks for, vpce-svc-...
        owner: The account that it belongs to.
        state: Its state as AWS writes it: pendingAcceptance, available, rejected, ...
        since: When it was made; None if AWS does not say.
    """

    endpoint_id: str
    service_id: str
    owner: str
    state: str
    since: dt.datetime | None = None

    def is_in(self, *states: str) -> bool:
        """Return whether its state is one of these; AWS writes states in more than one way."""
        return self.state.lower() in states


def read_connections(aws: Aws, *, service_id: str | None = None) -> list[Connection]:
    """Return connections, by owner and endpoint.

    Args:
        aws: Where to look.
        service_id: The service (default: all of the account in the Region).
    """
    ec2: EC2Client = aws.client("ec2")
    filters = [{"Name": "service-id", "Values": [service_id]}] if service_id else []
    found = [
        Connection(
            endpoint_id=row["VpcEndpointId"],
            service_id=row["ServiceId"],
            owner=row["VpcEndpointOwner"],
            state=row["VpcEndpointState"],
            since=row.get("CreationTimestamp"),
        )
        for page in ec2.get_paginator("describe_vpc_endpoint_connections").paginate(Filters=filters)  # type: ignore[arg-type]
        for row in page["VpcEndpointConnections"]
    ]
    return sorted(found, key=lambda each: (each.owner, each.endpoint_id))


def read_principals(aws: Aws, *, service_id: str) -> list[str]:
    """Return the ARNs of those who may make endpoints; `*` is everybody."""
    ec2: EC2Client = aws.client("ec2")
    pages = ec2.get_paginator("describe_vpc_endpoint_service_permissions").paginate(ServiceId=service_id)
    return sorted(row["Principal"] for page in pages for row in page["AllowedPrincipals"])


def admitted_by(principals: Iterable[str], *, owner: str) -> str | None:
    """Return the principal by which an account may make endpoints.

    A connection tells its account only, so a role admits all of its account here.

    Args:
        principals: Who may make endpoints.
        owner: The account.

    Returns:
        The principal, one that names the account before `*`; None if the account may not.
    """
    given = list(principals)
    for principal in given:
        account = _ACCOUNT.fullmatch(principal)
        if principal == owner or (account and account[1] == owner):
            return principal
    return "*" if "*" in given else None

"""Rules for the connections of an endpoint service: who is accepted, from which Regions, and who pays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import PostgresEndpointServiceError
from .aws import check_account_id, check_region
from .kit import different, each, is_token, matching, shown, token_aware

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_ACCEPT_FROM = 200
"""Accounts that may be listed: they stand in the environment of a function, which has 4 KB."""

SERVICE_OWNER = "ServiceOwner"

# Cross-Region access: docs.aws.amazon.com/vpc/latest/privatelink/privatelink-share-your-services.html
_ZONES_WITHOUT_OTHER_REGIONS = ("use1-az3", "usw1-az2", "apne1-az3", "apne2-az2", "apne2-az4")
_PARTITIONS_WITHOUT_OTHER_REGIONS = ("cn-", "us-gov-", "us-iso", "eu-isoe-", "eusc-")

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_ACCOUNT_OF_PRINCIPAL = re.compile(r"arn:[^:]+:iam::([0-9]{12}):.*")


def check_accept_from(
    accounts: Sequence[str], *, principals: Sequence[str], acceptance_required: bool
) -> tuple[str, ...]:
    """Require accounts whose connections can be accepted for them: listed once, and allowed to connect at all.

    Args:
        accounts: The ids of the accounts.
        principals: The allowed principals of all consumers.
        acceptance_required: Whether connections wait to be accepted.
    """
    if not accounts:
        return ()
    checked = different(each(check_account_id, accounts), "account to accept connections from")
    problems = []
    if not acceptance_required:
        problems.append(
            "'accept_from' names accounts, but acceptance is not required, so every connection is accepted: "
            "require acceptance, or remove 'accept_from'"
        )
    if len(checked) > MAX_ACCEPT_FROM:
        problems.append(f"'accept_from' names {len(checked)} accounts: at most {MAX_ACCEPT_FROM} fit")
    if "*" not in principals and not any(is_token(principal) for principal in principals):
        allowed = {account_of(principal) for principal in principals}
        problems += [
            f"connections from account {account} are to be accepted, but no principal is in it, so it cannot ask for "
            "one: add a consumer for it, or remove it from 'accept_from'"
            for account in checked
            if not is_token(account) and account not in allowed
        ]
    if problems:
        raise PostgresEndpointServiceError(problems)
    return checked


def check_reject_others(*, reject_others: bool, accept_from: Sequence[str]) -> bool:
    """Refuse that others are rejected where nobody is listed: it would reject every connection."""
    if reject_others and not accept_from:
        raise PostgresEndpointServiceError(
            "'reject_others' rejects who is not in 'accept_from', which names nobody: list the accounts to accept"
        )
    return reject_others


def check_rejection(*, on_delete: bool, retained: bool) -> bool:
    """Refuse that the consumers of a service are cut off which is retained.

    Args:
        on_delete: Whether all connections are rejected when the stack is deleted.
        retained: Whether the service outlives the stack.
    """
    if on_delete and retained:
        raise PostgresEndpointServiceError(
            "'reject_connections_on_delete' cuts off the consumers of a service that 'removal_policy' retains: "
            "choose one of the two"
        )
    return on_delete


def check_notifications(
    wanted: bool,
    *,
    given: Mapping[str, bool],
    switch: str = "connection_notifications",
    topic: str = "notification_topic",
    key: str = "notification_key",
) -> bool:
    """Refuse settings of notifications that are turned off, or of a topic that is not made here.

    Args:
        wanted: Whether there are notifications.
        given: Which settings are given, by name.
        switch: What turns them off, as the user writes it.
        topic: The name of the setting that gives a topic.
        key: The name of the setting that gives the key of a topic made here.
    """
    idle = [name for name, is_given in given.items() if is_given]
    if not wanted and idle:
        raise PostgresEndpointServiceError(
            f"{quoted(idle)} cannot be used while '{switch}' is off: turn it on, or leave it out"
        )
    if given.get(topic) and given.get(key):
        raise PostgresEndpointServiceError(
            f"'{key}' encrypts a topic that is made here, but '{topic}' is given: encrypt that topic where it is made"
        )
    return wanted


def account_of(principal: str) -> str:
    """Return the account of a principal; empty for "*" and what is not known yet."""
    match = _ACCOUNT_OF_PRINCIPAL.fullmatch(principal)
    return match[1] if match else ""


def check_consumer_acceptance(required: Mapping[str, bool | None], *, acceptance_required: bool) -> bool:
    """Require that the service accepts connections as every consumer asks for.

    Args:
        required: What each consumer asks for by its name: to be accepted, not to be kept waiting, or (None) nothing.
        acceptance_required: What the service does.
    """
    waiting = [name for name, each_ in required.items() if each_]
    at_once = [name for name, each_ in required.items() if each_ is False]
    if waiting and at_once:
        raise PostgresEndpointServiceError(
            f"consumer {quoted(waiting)} requires that its connection is accepted, {quoted(at_once)} that it is not "
            "kept waiting: a service does one or the other, so give each a service of its own"
        )
    if waiting and not acceptance_required:
        raise PostgresEndpointServiceError(
            f"consumer {quoted(waiting)} requires that its connection is accepted, but the service requires no "
            "acceptance: require it"
        )
    if at_once and acceptance_required:
        raise PostgresEndpointServiceError(
            f"consumer {quoted(at_once)} requires that its connection is not kept waiting, but the service requires "
            "acceptance: do not require it"
        )
    return acceptance_required


def check_consumer_regions(
    regions: Mapping[str, Sequence[str]], *, service_region: str, supported_regions: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Require that each consumer can make its endpoints where it wants to.

    Args:
        regions: The Regions of each consumer's endpoints by its name; empty where any will do.
        service_region: The service's Region; may be a token, and then nothing is known.
        supported_regions: Further Regions in which endpoints can be made.
    """
    if not is_token(service_region):
        offered = {service_region, *supported_regions}
        problems = [
            f"consumer '{name}' makes its endpoints in {region}, but the service is in {service_region}: "
            f"add {region} to 'supported_regions', or deploy the service there"
            for name, wanted in regions.items()
            for region in wanted
            if not is_token(region) and region not in offered
        ]
        if problems:
            raise PostgresEndpointServiceError(problems)
    return {name: tuple(wanted) for name, wanted in regions.items()}


def check_supported_regions(
    values: Sequence[str], *, service_region: str, zones: Sequence[str] = ()
) -> tuple[str, ...]:
    """Require Regions in which consumers can make endpoints besides the service's own.

    Args:
        values: The Regions.
        service_region: The service's Region; may be a token.
        zones: The load balancer's zones, by name or id.
    """
    if not values:
        return ()
    checked = different(each(check_region, values), "supported Region")
    everywhere = [value for value in (service_region, *checked) if not is_token(value)]
    problems = [
        f"Region {region} is in a partition where AWS PrivateLink does not reach other Regions: "
        "remove 'supported_regions'"
        for region in dict.fromkeys(everywhere)
        if region.startswith(_PARTITIONS_WITHOUT_OTHER_REGIONS)
    ]
    problems += [
        f"zone {zone} cannot be reached from other Regions: take the load balancer out of it, or remove "
        "'supported_regions'"
        for zone in zones
        if not is_token(zone) and zone in _ZONES_WITHOUT_OTHER_REGIONS
    ]
    if problems:
        raise PostgresEndpointServiceError(problems)
    # AWS adds the service's own Region by itself, and does not let it go.
    return tuple(region for region in checked if region != service_region)


def check_idle_timeout(seconds: str, *, listener: str, supported_regions: Sequence[str]) -> str:
    """Refuse an idle timeout of a listener together with other Regions: AWS excludes the combination.

    Args:
        seconds: The idle timeout, as the listener's attribute has it.
        listener: The listener's name.
        supported_regions: Further Regions in which endpoints can be made.
    """
    if supported_regions and seconds != "350":
        raise PostgresEndpointServiceError(
            f"listener '{listener}' has an idle timeout of {seconds} seconds, and the service supports other Regions: "
            "AWS allows only one of the two; keep the default of 350 seconds, or remove 'supported_regions'"
        )
    return seconds


def check_payer_responsibility(value: str | None, *, irreversible: bool) -> str | None:
    """Refuse that the service's owner pays for endpoints unless it was said that this is for ever.

    Args:
        value: `ServiceOwner`, or None for AWS's default: the consumer pays.
        irreversible: Whether the user knows that it cannot be taken back.
    """
    if value is None or is_token(value):
        return value
    if value != SERVICE_OWNER:
        raise PostgresEndpointServiceError(
            f"payer responsibility must be '{SERVICE_OWNER}' or nothing, got {shown(value)}"
        )
    if not irreversible:
        raise PostgresEndpointServiceError(
            f"payer responsibility '{SERVICE_OWNER}' makes you pay for the consumers' endpoints, and AWS never lets "
            "it be changed back: confirm with 'payer_responsibility_is_irreversible', or leave it out"
        )
    return value


@token_aware
def check_email_address(value: str) -> str:
    """Require the form of an e-mail address."""
    return matching(value, _EMAIL, "e-mail address must look like somebody@example.com")


def check_email_addresses(values: Sequence[str]) -> tuple[str, ...]:
    """Require different e-mail addresses; none at all will do."""
    return different(each(check_email_address, values), "e-mail address") if values else ()


def quoted(names: Sequence[str]) -> str:
    """Return names for a message."""
    return " and ".join(f"'{name}'" for name in names)

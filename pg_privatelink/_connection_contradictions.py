"""Contradictions of a service's connections: who is accepted, told, cut off, and reaches it from elsewhere."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from constructs_pg import _validation as rules
from pg_privatelink._fields import RETAIN
from pg_privatelink._search import Search, fields, good, items

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pg_privatelink._document import Document, Path

_ACCEPT_FROM = "accept_from"
_EVERYONE = ("*",)


class ConnectionSearch(Search):
    """Searches what one service says of its connections.

    Args:
        document: The file.
        region: The Region; `None` if the file has no good one.
        principals: The principals of all consumers; `None` where a mistake hides some.
    """

    def __init__(self, document: Document, *, region: str | None, principals: Sequence[str] | None) -> None:
        super().__init__(document)
        self._region = region
        self._principals = _EVERYONE if principals is None else principals

    def service(self, path: Path, service: dict[str, Any]) -> None:
        """Search a service, given its path."""
        self._accept_from((*path, _ACCEPT_FROM), service)
        self.check(
            (*path, "reject_others"),
            rules.check_reject_others,
            reject_others=service.get("reject_others") is True,
            accept_from=items(service.get(_ACCEPT_FROM)),
        )
        self.check(
            (*path, "reject_connections_on_delete"),
            rules.check_rejection,
            on_delete=service.get("reject_connections_on_delete") is True,
            retained=service.get("removal_policy") == RETAIN,
        )
        self._notifications((*path, "notifications"), fields(service.get("notifications")))
        self._supported_regions((*path, "supported_regions"), service)
        payer = service.get("payer_responsibility")
        if isinstance(payer, str):
            self.check(
                (*path, "payer_responsibility"),
                rules.check_payer_responsibility,
                payer,
                irreversible=service.get("payer_responsibility_is_irreversible") is True,
            )

    def _accept_from(self, path: Path, service: dict[str, Any]) -> None:
        accounts = self._different(
            path,
            service.get(_ACCEPT_FROM),
            rules.check_account_id,
            partial(rules.check_accept_from, principals=_EVERYONE, acceptance_required=True),
        )
        is_required = service.get("acceptance_required") is not False
        known = [account for _, account in accounts]
        self.check(path, rules.check_accept_from, known, principals=_EVERYONE, acceptance_required=is_required)
        for place, account in accounts:
            self.check(place, rules.check_accept_from, [account], principals=self._principals, acceptance_required=True)

    def _notifications(self, path: Path, notifications: dict[str, Any]) -> None:
        given = {field: field in notifications for field in ("topic", "emails", "key")}
        names = {"switch": "enabled", "topic": "topic", "key": "key"}
        if notifications.get("enabled") is False:
            for field, is_given in given.items():
                self.check(
                    (*path, field), rules.check_notifications, False, given={field: is_given}, of_key=True, **names
                )
        else:
            self.check((*path, "key"), rules.check_notifications, True, given=given, of_key=True, **names)
        self._different(
            (*path, "emails"), notifications.get("emails"), rules.check_email_address, rules.check_email_addresses
        )
        for field, rule, what in (
            ("topic", rules.check_topic_arn, "topic"),
            ("key", rules.check_key_arn, "encryption key"),
        ):
            for arn in good(rule, [notifications.get(field)]):
                self.check((*path, field), rules.check_arn_location, arn, what=what, region=self._region)
                if self._region:
                    self.check((*path, field), rules.check_arn_partition, arn, what=what, region=self._region)

    def _supported_regions(self, path: Path, service: dict[str, Any]) -> None:
        regions = self._different(
            path,
            service.get("supported_regions"),
            rules.check_region,
            partial(rules.check_supported_regions, service_region=self._region or ""),
        )
        subnets = items(fields(service.get("vpc")).get("subnets"))
        zones = good(rules.check_availability_zone, [fields(subnet).get("zone") for subnet in subnets])
        self.check(
            path,
            rules.check_supported_regions,
            [region for _, region in regions],
            service_region=self._region or "",
            zones=zones,
        )

    def _different(
        self,
        path: Path,
        values: object,
        rule: Callable[[str], str],
        rule_of_all: Callable[[list[str]], object],
    ) -> list[tuple[Path, str]]:
        """Return the good values of a list with their places, and mark those that were there before."""
        seen: dict[str, Path] = {}
        for index, value in enumerate(items(values)):
            for accepted in good(rule, [value]):
                if accepted in seen:
                    self.check((*path, index), rule_of_all, [accepted, accepted])
                seen.setdefault(accepted, (*path, index))
        return [(place, value) for value, place in seen.items()]

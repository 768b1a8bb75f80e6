"""Contradictions of a service's connectivity check: with its listeners, its zones, and who may connect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_pg import _validation as rules
from pg_privatelink._fields import POSTGRES_PORT
from pg_privatelink._search import Search, fields, good, items

if TYPE_CHECKING:
    from pg_privatelink._document import Document, Path

_FIELD = "connectivity_check"


class ConnectivityCheckSearch(Search):
    """Searches the connectivity check of one service.

    Args:
        document: The file.
        region: The Region; `None` if the file has no good one.
        account: The account; `None` if the file has no good one.
        principals: The principals of all consumers; `None` where a mistake hides some.
    """

    def __init__(
        self, document: Document, *, region: str | None, account: str | None, principals: list[str] | None
    ) -> None:
        super().__init__(document)
        self._region = region
        self._account = account
        self._principals = principals

    def service(self, path: Path, service: dict[str, Any]) -> None:
        """Search the check of a service, given the service's path."""
        if not isinstance(service.get(_FIELD), dict):
            return
        here, check = (*path, _FIELD), fields(service[_FIELD])
        self._subnets((*here, "subnets"), [fields(each) for each in items(check.get("subnets"))], service)
        self._ports((*here, "ports"), items(check.get("ports")), service)
        if self._account is None or self._principals is None:
            return
        if not {rules.account_of(each) for each in self._principals} & {self._account} and "*" not in self._principals:
            self.add(
                here,
                f"its endpoint is one of account {self._account}, which no consumer admits: add "
                f"{{name: Check, principals: [\"arn:aws:iam::{self._account}:root\"]}} to 'consumers'",
            )

    def _subnets(self, path: Path, subnets: list[dict[str, Any]], service: dict[str, Any]) -> None:
        vpc = fields(service.get("vpc"))
        own = good(rules.check_availability_zone, [fields(each).get("zone") for each in items(vpc.get("subnets"))])
        ids: list[str] = []
        for index, subnet in enumerate(subnets):
            here = (*path, index)
            for value in good(rules.check_subnet_id, [subnet.get("id")]):
                if value in ids:
                    self.check((*here, "id"), rules.check_subnet_ids, [value, value])
                ids.append(value)
            for zone in good(rules.check_availability_zone, [subnet.get("zone")]):
                if self._region:
                    self.check((*here, "zone"), rules.check_zone_in_region, zone, region=self._region)
                # A zone's name and its id cannot be compared: which is which differs from account to account.
                alike = [each for each in own if ("-az" in each) is ("-az" in zone)]
                if own and len(alike) == len(own) and zone not in own:
                    self.add(
                        (*here, "zone"),
                        f"the service is not in {zone}, so no endpoint can be: its zones are "
                        f"{', '.join(sorted(set(own)))}",
                    )

    def _ports(self, path: Path, ports: list[Any], service: dict[str, Any]) -> None:
        known = good(rules.check_port, ports)
        if known:
            self.check(path, rules.check_check_ports, known)
        rows = [fields(each) for each in fields(service.get("listeners")).values()]
        listeners = good(rules.check_port, [each.get("port", POSTGRES_PORT) for each in rows])
        for index, port in enumerate(ports):
            if good(rules.check_port, [port]) and listeners and port not in listeners:
                self.add((*path, index), f"no listener is on port {port}: there are {', '.join(map(str, listeners))}")

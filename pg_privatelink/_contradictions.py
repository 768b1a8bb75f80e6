"""Mistakes that no field makes alone: two listeners on one port, a database in a zone that the load balancer lacks.

They are looked for in the file as it is written, so that a wrong type elsewhere hides none of them. Whatever is not of
the expected type is passed over here, because it is reported for itself. The rules are the constructs' own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_pg import _validation as rules
from pg_privatelink._check_contradictions import ConnectivityCheckSearch
from pg_privatelink._connection_contradictions import ConnectionSearch
from pg_privatelink._consumer_contradictions import ConsumerSearch
from pg_privatelink._function_contradictions import FunctionSearch
from pg_privatelink._listener_contradictions import ListenerSearch
from pg_privatelink._search import Search, fields, good, items, text

if TYPE_CHECKING:
    from pg_privatelink._document import Document, Path
    from pg_privatelink.errors import Mistake

_PRIVATE_ADDRESS = "private_ipv4_address"


def mistakes(document: Document) -> list[Mistake]:
    """Describe every contradiction in a file."""
    search = _FileSearch(document)
    search.file()
    return search.found


class _FileSearch(Search):
    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self._top = fields(document.data)
        self._region = next(iter(good(rules.check_region, [self._top.get("region")])), None)
        self._account = next(iter(good(rules.check_account_id, [self._top.get("account")])), None)

    def file(self) -> None:
        services = fields(self._top.get("services"))
        self.names(("services",), services, rules.check_service_name)
        for name, service in services.items():
            path: Path = ("services", name)
            given = fields(service)
            tags = {**fields(self._top.get("tags")), **fields(given.get("tags"))}
            self.check((*path, "tags"), rules.check_tag_count, len(tags))
            vpc = fields(given.get("vpc"))
            if isinstance(given.get("vpc"), dict):
                self._vpc((*path, "vpc"), vpc)
            self._monitoring(path, given)
            function = FunctionSearch(self._document, region=self._region, account=self._account, vpc=vpc)
            function.service(path, given)
            self.found += function.found
            consumers = ConsumerSearch(self._document, region=self._region, service=given)
            consumers.consumers((*path, "consumers"), items(given.get("consumers")))
            connections = ConnectionSearch(self._document, region=self._region, principals=consumers.principals)
            connections.service(path, given)
            check = ConnectivityCheckSearch(
                self._document, region=self._region, account=self._account, principals=consumers.principals
            )
            check.service(path, given)
            self.found += [*consumers.found, *connections.found, *check.found]
            if isinstance(given.get("listeners"), dict):
                search = ListenerSearch(self._document, region=self._region, vpc=vpc)
                search.listeners((*path, "listeners"), given["listeners"])
                self.found += search.found
                if given.get("observe_only") is True and not search.followed:
                    self.add(
                        (*path, "observe_only"),
                        "no listener has a DNS name to observe: fixed addresses and EC2 instances are registered in "
                        "any case, so remove it",
                    )

    def _monitoring(self, path: Path, service: dict[str, Any]) -> None:
        alarms = fields(service.get("alarms"))
        here = (*path, "alarms", "topics")
        topics = good(rules.check_topic_arn, alarms.get("topics"))
        self.check(here, rules.check_alarm_topics, topics, has_alarms=alarms.get("tier") != "none")
        for index, topic in enumerate(items(alarms.get("topics"))):
            if topic in topics and self._region:
                self.check((*here, index), rules.check_arn_location, topic, what="topic", region=self._region)
        flow_logs = fields(service.get("flow_logs"))
        if "key_prefix" in flow_logs and "bucket" not in flow_logs:
            self.add((*path, "flow_logs", "key_prefix"), "only with 'bucket': log groups have no keys")

    def _vpc(self, path: Path, vpc: dict[str, Any]) -> None:
        if "lookup" in vpc:
            self._vpc_lookup((*path, "lookup"), vpc)
            for field in ("id", "subnets"):
                if field in vpc:
                    self.add((*path, field), "not together with 'lookup': remove one of them")
        else:
            for field in ("id", "cidrs", "subnets"):
                if field not in vpc:
                    self.add((*path, field), "required but missing (unless the VPC is looked up: lookup)")
            if "subnet_group" in vpc:
                self.add((*path, "subnet_group"), "only with 'lookup': name the subnets in 'subnets'")
        cidrs = good(rules.check_vpc_cidr, vpc.get("cidrs"))
        if cidrs:
            self.check((*path, "cidrs"), rules.check_vpc_cidrs, cidrs)
        if isinstance(vpc.get("subnets"), list):
            self._subnets((*path, "subnets"), [fields(subnet) for subnet in vpc["subnets"]], cidrs)

    def _subnets(self, path: Path, subnets: list[dict[str, Any]], vpc_cidrs: list[str]) -> None:
        ids: list[str] = []
        zones: list[str] = []
        before: list[str] = []
        for index, subnet in enumerate(subnets):
            here = (*path, index)
            for value in good(rules.check_subnet_id, [subnet.get("id")]):
                if value in ids:
                    self.check((*here, "id"), rules.check_subnet_ids, [value, value])
                ids.append(value)
            for cidr in good(rules.check_subnet_cidr, [subnet.get("cidr")]):
                self.check((*here, "cidr"), rules.check_subnet_cidr, cidr, vpc_cidrs=vpc_cidrs, others=before)
                before.append(cidr)
            for zone in good(rules.check_availability_zone, [subnet.get("zone")]):
                zones.append(zone)
                if self._region:
                    self.check((*here, "zone"), rules.check_zone_in_region, zone, region=self._region)
        if len(zones) == len(subnets):
            self.check(path, rules.check_load_balancer_zones, zones)
        self._private_addresses(path, subnets)

    def _private_addresses(self, path: Path, subnets: list[dict[str, Any]]) -> None:
        if not any(_PRIVATE_ADDRESS in subnet for subnet in subnets):
            return
        for index, subnet in enumerate(subnets):
            here = (*path, index, _PRIVATE_ADDRESS)
            if _PRIVATE_ADDRESS not in subnet:
                self.add(here, "missing, though another subnet has one: give one in every subnet or in none")
            for address in good(rules.check_ip_address, [subnet.get(_PRIVATE_ADDRESS)]):
                for cidr in good(rules.check_subnet_cidr, [subnet.get("cidr")]):
                    zone = text(subnet.get("zone"))
                    self.check(
                        here, rules.check_private_ipv4_addresses, {zone: address}, subnets={"its id": (zone, cidr)}
                    )

    def _vpc_lookup(self, path: Path, vpc: dict[str, Any]) -> None:
        lookup = vpc["lookup"]
        if isinstance(lookup, dict) and not lookup:
            self.add(path, "empty: give the VPC's id, or tags that only this VPC has")
        if "account" not in self._top:
            self.add(path, "a VPC is looked up in a known account: add account, 12 digits in quotes, at the top")

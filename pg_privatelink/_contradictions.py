"""Mistakes that no field makes alone: two listeners on one port, a database in a zone that the load balancer lacks.

They are looked for in the file as it is written, so that a wrong type elsewhere hides none of them. Whatever is not of
the expected type is passed over here, because it is reported for itself. The rules are the constructs' own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from constructs_pg import _validation as rules
from constructs_pg.errors import PostgresEndpointServiceError
from pg_privatelink._models import CONSUMER_NAME, POSTGRES_PORT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pg_privatelink._document import Document, Path
    from pg_privatelink.errors import Mistake

_Value = TypeVar("_Value")
_DBT_NAME = "DbtPlatform"


def mistakes(document: Document) -> list[Mistake]:
    """Describe every contradiction in a file."""
    search = _Search(document)
    search.file()
    return search.found


class _Search:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._top = _fields(document.data)
        self._region = next(iter(_good(rules.check_region, [self._top.get("region")])), None)
        self.found: list[Mistake] = []

    def file(self) -> None:
        services = _fields(self._top.get("services"))
        self._names(("services",), services, rules.check_service_name)
        for name, service in services.items():
            path: Path = ("services", name)
            fields = _fields(service)
            tags = {**_fields(self._top.get("tags")), **_fields(fields.get("tags"))}
            self._check((*path, "tags"), rules.check_tag_count, len(tags))
            vpc = _fields(fields.get("vpc"))
            if isinstance(fields.get("vpc"), dict):
                self._vpc((*path, "vpc"), vpc)
            self._consumers((*path, "consumers"), _items(fields.get("consumers")), fields)
            if isinstance(fields.get("listeners"), dict):
                self._listeners((*path, "listeners"), fields["listeners"], vpc)

    def _vpc(self, path: Path, vpc: dict[str, Any]) -> None:
        if "lookup" in vpc:
            self._vpc_lookup((*path, "lookup"), vpc)
            for field in ("id", "subnets"):
                if field in vpc:
                    self._add((*path, field), "not together with 'lookup': remove one of them")
        else:
            for field in ("id", "cidrs", "subnets"):
                if field not in vpc:
                    self._add((*path, field), "required but missing (unless the VPC is looked up: lookup)")
            if "subnet_group" in vpc:
                self._add((*path, "subnet_group"), "only with 'lookup': name the subnets in 'subnets'")
        cidrs = _good(rules.check_vpc_cidr, vpc.get("cidrs"))
        if cidrs:
            self._check((*path, "cidrs"), rules.check_vpc_cidrs, cidrs)
        if isinstance(vpc.get("subnets"), list):
            self._subnets((*path, "subnets"), [_fields(subnet) for subnet in vpc["subnets"]], cidrs)

    def _subnets(self, path: Path, subnets: list[dict[str, Any]], vpc_cidrs: list[str]) -> None:
        ids: list[str] = []
        zones: list[str] = []
        for index, subnet in enumerate(subnets):
            here = (*path, index)
            for value in _good(rules.check_subnet_id, [subnet.get("id")]):
                if value in ids:
                    self._check((*here, "id"), rules.check_subnet_ids, [value, value])
                ids.append(value)
            for cidr in _good(rules.check_subnet_cidr, [subnet.get("cidr")]):
                self._check((*here, "cidr"), rules.check_subnet_cidr, cidr, vpc_cidrs=vpc_cidrs)
            for zone in _good(rules.check_availability_zone, [subnet.get("zone")]):
                zones.append(zone)
                if self._region:
                    self._check((*here, "zone"), rules.check_zone_in_region, zone, region=self._region)
        if len(zones) == len(subnets):
            self._check(path, rules.check_load_balancer_zones, zones)

    def _vpc_lookup(self, path: Path, vpc: dict[str, Any]) -> None:
        lookup = vpc["lookup"]
        if isinstance(lookup, dict) and not lookup:
            self._add(path, "empty: give the VPC's id, or tags that only this VPC has")
        if "account" not in self._top:
            self._add(path, "a VPC is looked up in a known account: add account, 12 digits in quotes, at the top")

    def _consumers(self, path: Path, consumers: list[Any], service: dict[str, Any]) -> None:
        names: list[str] = []
        ranges: dict[str, list[str]] = {}
        for index, entry in enumerate(consumers):
            if not isinstance(entry, dict):
                continue
            here = (*path, index)
            kinds = [kind for kind in ("dbt_platform", "principals") if kind in entry]
            if len(kinds) != 1:
                given = "both" if kinds else "neither"
                self._add(here, f"must have either 'dbt_platform' or 'principals', got {given}")
                continue
            if kinds == ["dbt_platform"]:
                name = _DBT_NAME
                own = _fields(entry["dbt_platform"])
                if "source_ranges" in entry:
                    self._add((*here, "source_ranges"), "only with 'principals': those of dbt go inside 'dbt_platform'")
                if "name" in entry:
                    self._add((*here, "name"), "only with 'principals': remove it")
            else:
                name = _text(entry.get("name", CONSUMER_NAME)) or CONSUMER_NAME
                own = entry
            if name == _DBT_NAME and name in names:
                self._add(here, "the dbt platform is given twice: remove one, its environments share a principal")
            else:
                self._check((*here, "name"), rules.check_consumer_name, name, existing=names)
            for position, principal in enumerate(_items(entry.get("principals"))):
                self._check(
                    (*here, "principals", position),
                    rules.check_acceptance,
                    [principal],
                    acceptance_required=service.get("acceptance_required") is not False,
                )
            names.append(name)
            ranges.setdefault(name, ["given"] if "source_ranges" in own else [])
            if len(ranges) > 1:
                first = next(iter(ranges))
                self._check(here, rules.check_consumers, {first: ranges[first], name: ranges[name]})

    def _listeners(self, path: Path, listeners: dict[str, Any], vpc: dict[str, Any]) -> None:
        self._check(path, rules.check_listener_count, len(listeners))
        self._names(path, listeners, rules.check_listener_name)
        owners: dict[int, str] = {}
        for name, entry in listeners.items():
            listener = _fields(entry)
            for port in _good(rules.check_port, [listener.get("port", POSTGRES_PORT)]):
                if port in owners:
                    self._check((*path, name, "port"), rules.check_listener_ports, {owners[port]: port, name: port})
                owners.setdefault(port, name)
            self._rds_instance((*path, name, "rds_instance"), _fields(listener.get("rds_instance")), vpc)

    def _rds_instance(self, path: Path, database: dict[str, Any], vpc: dict[str, Any]) -> None:
        for endpoint in _good(rules.check_host_name, [database.get("endpoint")]):
            for identifier in _good(rules.check_db_instance_identifier, [database.get("identifier")]):
                if self._region:
                    self._check(
                        (*path, "endpoint"),
                        rules.check_rds_instance_endpoint,
                        endpoint,
                        identifier=identifier,
                        region=self._region,
                    )
        zones = _good(rules.check_availability_zone, database.get("zones"))
        for index, zone in enumerate(zones):
            if self._region and len(zones) == len(_items(database.get("zones"))):
                self._check((*path, "zones", index), rules.check_zone_in_region, zone, region=self._region)
        covered = _zones(vpc)
        comparable = len(covered) == len(_items(vpc.get("subnets"))) and _good(rules.check_zones, [covered])
        if zones and covered and comparable:
            self._check((*path, "zones"), rules.check_database_zones, zones, covered)
        elif zones:
            self._check((*path, "zones"), rules.check_zones, zones)
        if "lookup" in vpc and any(rules.is_zone_id(zone) for zone in zones):
            self._add((*path, "zones"), "a looked-up VPC knows its zones by name: give names as eu-central-1a")
        ranges = [
            *_good(rules.check_vpc_cidr, vpc.get("cidrs")),
            *_good(rules.check_allowed_range, database.get("allowed_ranges")),
        ]
        self._check((*path, "allowed_ranges"), rules.check_tag_list, ranges, "allowed ranges, with the VPC's own,")
        self._check(
            (*path, "nameservers"),
            rules.check_tag_list,
            _good(rules.check_nameserver, database.get("nameservers")),
            "name servers",
        )

    def _names(self, path: Path, named: Iterable[str], rule: Callable[..., str]) -> None:
        existing: list[str] = []
        for name in named:
            self._check((*path, name), rule, name, existing=existing, of_key=True)
            existing.append(name)

    def _check(
        self, path: Path, rule: Callable[..., object], *values: object, of_key: bool = False, **named: object
    ) -> None:
        try:
            rule(*values, **named)
        except PostgresEndpointServiceError as error:
            for problem in error.problems:
                self._add(path, problem, of_key=of_key)

    def _add(self, path: Path, problem: str, *, of_key: bool = False) -> None:
        self.found.append(self._document.mistake(path, problem, of_key=of_key))


def _fields(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _good(rule: Callable[[Any], _Value], values: object) -> list[_Value]:
    """Return those values of a list that a rule accepts, normalised."""
    good: list[_Value] = []
    for value in _items(values):
        try:
            good.append(rule(value))
        except PostgresEndpointServiceError:
            continue
    return good


def _zones(vpc: dict[str, Any]) -> list[str]:
    """Return the zones of a VPC's subnets as far as they are well formed."""
    return _good(rules.check_availability_zone, [_fields(subnet).get("zone") for subnet in _items(vpc.get("subnets"))])

"""Contradictions of a service's listeners: their ports, and the Postgres behind each against the rest of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from constructs_pg import _validation as rules
from pg_privatelink._fields import POSTGRES_PORT, READER, WRITER
from pg_privatelink._rds_endpoints import check_rds_cluster_endpoint, check_rds_proxy_endpoint
from pg_privatelink._search import Search, fields, good, items
from pg_privatelink._targets import FIXED, KINDS, NOT_SUPPORTED

if TYPE_CHECKING:
    from collections.abc import Callable

    from pg_privatelink._document import Document, Path


class ListenerSearch(Search):
    """Searches the listeners of one service.

    Args:
        document: The file.
        region: The Region; `None` if the file has no good one.
        vpc: The service's VPC as it is written.

    Attributes:
        followed: Whether a listener has a DNS name to follow, or could have one but for a mistake.
    """

    def __init__(self, document: Document, *, region: str | None, vpc: dict[str, Any]) -> None:
        super().__init__(document)
        self._region = region
        self._vpc = vpc
        self.followed = False
        self._cidrs = good(rules.check_vpc_cidr, vpc.get("cidrs"))

    def listeners(self, path: Path, listeners: dict[str, Any]) -> None:
        """Search all listeners, given the path of the field that holds them."""
        self.check(path, rules.check_listener_count, len(listeners))
        self.names(path, listeners, rules.check_listener_name)
        self.followed = not listeners
        owners: dict[int, str] = {}
        for name, listener in listeners.items():
            for port in good(rules.check_port, [fields(listener).get("port", POSTGRES_PORT)]):
                if port in owners:
                    self.check((*path, name, "port"), rules.check_listener_ports, {owners[port]: port, name: port})
                owners.setdefault(port, name)
            if isinstance(listener, dict):
                self._listener((*path, name), listener)
            if not any(field in FIXED for field in fields(listener)):
                self.followed = True

    def _listener(self, path: Path, listener: dict[str, Any]) -> None:
        given = [field for field in listener if field in KINDS]
        if len(given) > 1:
            self.add(
                path,
                f"one Postgres is needed, got {', '.join(given)}: keep one of them, and give each other a listener "
                f"of its own (allowed: {', '.join(KINDS)})",
            )
        elif not given and not any(field in NOT_SUPPORTED for field in listener):
            self.add(path, f"one Postgres is needed, got none: give exactly one of {', '.join(KINDS)}")
        for kind in given:
            database = fields(listener[kind])
            here = (*path, kind)
            self._different(
                (*here, "security_groups"),
                items(database.get("security_groups")),
                rules.check_security_group_id,
                rules.check_security_group_ids,
            )
            if kind == "rds_instance":
                self._rds_instance(here, database)
            elif kind == "rds_cluster":
                self._rds_cluster(here, database)
            elif kind == "rds_proxy":
                self._rds_proxy(here, database)
            elif kind == "ip_addresses":
                self._ip_addresses((*here, "addresses"), items(database.get("addresses")))
            elif kind == "ec2_instances":
                self._different(
                    (*here, "ids"),
                    items(database.get("ids")),
                    rules.check_ec2_instance_id,
                    rules.check_ec2_instance_ids,
                )
            if kind not in FIXED:
                self._followed(here, database)

    def _rds_instance(self, path: Path, database: dict[str, Any]) -> None:
        for endpoint in good(rules.check_host_name, [database.get("endpoint")]):
            for identifier in good(rules.check_db_instance_identifier, [database.get("identifier")]):
                if self._region:
                    self.check(
                        (*path, "endpoint"),
                        rules.check_rds_instance_endpoint,
                        endpoint,
                        identifier=identifier,
                        region=self._region,
                    )

    def _rds_cluster(self, path: Path, database: dict[str, Any]) -> None:
        role = database.get("role", WRITER)
        for endpoint in good(rules.check_host_name, [database.get("endpoint")]):
            for identifier in good(rules.check_db_cluster_identifier, [database.get("identifier")]):
                if role in (WRITER, READER):
                    self.check(
                        (*path, "endpoint"),
                        check_rds_cluster_endpoint,
                        endpoint,
                        identifier=identifier,
                        role=role,
                        region=self._region,
                    )

    def _rds_proxy(self, path: Path, database: dict[str, Any]) -> None:
        for endpoint in good(rules.check_host_name, [database.get("endpoint")]):
            for name in good(rules.check_db_proxy_name, [database.get("name")]):
                self.check((*path, "endpoint"), check_rds_proxy_endpoint, endpoint, name=name, region=self._region)

    def _ip_addresses(self, path: Path, addresses: list[Any]) -> None:
        self._different(path, addresses, rules.check_ip_address, rules.check_ip_addresses)
        own = [fields(subnet).get("private_ipv4_address") for subnet in items(self._vpc.get("subnets"))]
        known = self._cidrs and len(self._cidrs) == len(items(self._vpc.get("cidrs")))
        for index, value in enumerate(addresses):
            for address in good(rules.check_ip_address, [value]):
                if known:
                    self.check((*path, index), rules.check_target_address, address, vpc_cidrs=self._cidrs)
                if address in own:
                    self.add((*path, index), f"{address} is the load balancer's own address: give the database's")

    def _different(
        self, path: Path, values: list[Any], rule: Callable[[str], str], rule_of_all: Callable[[list[str]], object]
    ) -> None:
        """Mark values that were there before; each is marked for itself where it is malformed."""
        seen: list[str] = []
        for index, value in enumerate(values):
            for accepted in good(rule, [value]):
                if accepted in seen:
                    self.check((*path, index), rule_of_all, [accepted, accepted])
                seen.append(accepted)

    def _followed(self, path: Path, database: dict[str, Any]) -> None:
        """Search what every database has that is followed by a DNS name."""
        zones = good(rules.check_availability_zone, database.get("zones"))
        for index, zone in enumerate(zones):
            if self._region and len(zones) == len(items(database.get("zones"))):
                self.check((*path, "zones", index), rules.check_zone_in_region, zone, region=self._region)
        covered = _zones(self._vpc)
        comparable = len(covered) == len(items(self._vpc.get("subnets"))) and good(rules.check_zones, [covered])
        if zones and covered and comparable:
            self.check((*path, "zones"), rules.check_database_zones, zones, covered)
        elif zones:
            self.check((*path, "zones"), rules.check_zones, zones)
        if "lookup" in self._vpc and any(rules.is_zone_id(zone) for zone in zones):
            self.add((*path, "zones"), "a looked-up VPC knows its zones by name: give names as eu-central-1a")
        ranges = [*self._cidrs, *good(rules.check_allowed_range, database.get("allowed_ranges"))]
        self.check((*path, "allowed_ranges"), rules.check_tag_list, ranges, "allowed ranges, with the VPC's own,")
        self.check(
            (*path, "nameservers"),
            rules.check_tag_list,
            good(rules.check_nameserver, database.get("nameservers")),
            "name servers",
        )


def _zones(vpc: dict[str, Any]) -> list[str]:
    """Return the zones of a VPC's subnets as far as they are well formed."""
    return good(rules.check_availability_zone, [fields(subnet).get("zone") for subnet in items(vpc.get("subnets"))])

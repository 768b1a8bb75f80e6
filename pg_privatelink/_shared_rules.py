"""Two services that would make the same security-group rule: AWS takes a rule once, and the second stack would fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink._document import Document
    from pg_privatelink._models import Configuration, ServiceConfiguration
    from pg_privatelink.errors import Mistake


def mistakes(configuration: Configuration, document: Document) -> Iterator[Mistake]:
    """Describe each listener whose database another service has let in already, from the same subnets.

    Rules that name the load balancer's own group cannot meet: each service has a group of its own. VPCs that are
    looked up are not seen here.

    Args:
        configuration: A file without other mistakes.
        document: The same file.
    """
    owners: dict[tuple[str, int, str], str] = {}
    for service_name, service in configuration.services.items():
        if _enforced(service):
            continue
        for listener_name, listener in service.listeners.items():
            database = listener.rds_instance
            rules = [
                (group, database.port, subnet.cidr)
                for group in database.security_groups
                for subnet in service.vpc.subnets
            ]
            others = {owners.setdefault(rule, service_name) for rule in rules} - {service_name}
            for other in sorted(others):
                path = ("services", service_name, "listeners", listener_name, "rds_instance", "security_groups")
                yield document.mistake(
                    path,
                    f"service '{other}' lets the same subnets into this group on port {database.port} already, and AWS "
                    f"takes a rule once: remove security_groups here, since the rules of '{other}' serve both",
                )


def _enforced(service: ServiceConfiguration) -> bool:
    """Whether inbound rules hold for PrivateLink traffic, so that databases need no rules by address."""
    consumers = service.consumers
    return any(each.source_ranges or (each.dbt_platform and each.dbt_platform.source_ranges) for each in consumers)

"""What only one of two services can have, a security-group rule or an address: the second stack would fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink._document import Document
    from pg_privatelink._models import Configuration, ServiceConfiguration
    from pg_privatelink.errors import Mistake


def mistakes(configuration: Configuration, document: Document) -> Iterator[Mistake]:
    """Describe what a service asks for though another one has it already.

    Args:
        configuration: A file without other mistakes.
        document: The same file.
    """
    yield from _security_group_rules(configuration, document)
    yield from _private_addresses(configuration, document)


def _security_group_rules(configuration: Configuration, document: Document) -> Iterator[Mistake]:
    """Describe each listener whose database another service has let in already, from the same subnets.

    Rules that name the load balancer's own group cannot meet: each service has a group of its own. VPCs that are
    looked up are not seen here.
    """
    owners: dict[tuple[str, int, str], str] = {}
    for service_name, service in configuration.services.items():
        if _enforced(service):
            continue
        for listener_name, listener in service.listeners.items():
            database = listener.target
            rules = [
                (group, database.port, subnet.private_ipv4_address or subnet.cidr)
                for group in database.security_groups
                for subnet in service.vpc.subnets
            ]
            others = {owners.setdefault(rule, service_name) for rule in rules} - {service_name}
            for other in sorted(others):
                path = ("services", service_name, "listeners", listener_name, listener.kind, "security_groups")
                yield document.mistake(
                    path,
                    f"service '{other}' lets the same subnets into this group on port {database.port} already, and AWS "
                    f"takes a rule once: remove security_groups here, since the rules of '{other}' serve both, or give "
                    "this load balancer fixed addresses (private_ipv4_address), which then have rules of their own",
                )


def _private_addresses(configuration: Configuration, document: Document) -> Iterator[Mistake]:
    """Describe each address that the load balancer of another service has already."""
    owners: dict[tuple[str, str], str] = {}
    for service_name, service in configuration.services.items():
        for index, subnet in enumerate(service.vpc.subnets):
            if subnet.private_ipv4_address is None:
                continue
            other = owners.setdefault((subnet.id, subnet.private_ipv4_address), service_name)
            if other != service_name:
                yield document.mistake(
                    ("services", service_name, "vpc", "subnets", index, "private_ipv4_address"),
                    f"service '{other}' has {subnet.private_ipv4_address} already: give another address of the subnet",
                )


def _enforced(service: ServiceConfiguration) -> bool:
    """Whether inbound rules hold for PrivateLink traffic, so that databases need no rules by address."""
    return any(consumer.has_source_ranges for consumer in service.consumers)

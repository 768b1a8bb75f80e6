"""The form every set-up has: a service that is unusual, and healthy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.demo_world import DBT_ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.confusion.ground import Ground, Instance
    from tests.cli.confusion.ward import Ward


@dataclass(kw_only=True)
class Made:
    """A service, ready to be deployed.

    Attributes:
        listeners: The listeners in YAML, one a line.
        more: More fields of the service in YAML, one a line.
        consumers: The consumers in YAML.
        places: The load balancer's subnets, as `Ground.subnets` names them.
        pins: The load balancer's addresses, by place.
        names: The names that are followed, with their addresses.
        instance: The DB instance behind it.
        group: The database's security group, where that is not the instance's.
        consumer: The account that connects.
    """

    listeners: list[str]
    more: list[str] = field(default_factory=list)
    consumers: str = "[{dbt_platform: {environment: EMEA}}]"
    places: tuple[str, ...] = ("a", "b")
    pins: dict[str, str] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    instance: Instance | None = None
    group: str = ""
    consumer: str = DBT_ACCOUNT


@dataclass(frozen=True)
class SetUp:
    """A kind of service.

    Attributes:
        name: Its name in the YAML file.
        words: What is unusual about it.
        make: Makes what is there before the service.
        after: What people do to it by hand once it is deployed, all of it sound.
    """

    name: str
    words: str
    make: Callable[[Ground, str], Made]
    after: Callable[[Ward], None]


SET_UPS: list[SetUp] = []


def set_up(
    after: Callable[[Ward], None] = lambda _: None,
) -> Callable[[Callable[[Ground, str], Made]], Callable[[Ground, str], Made]]:
    """Put the decorated function into the list."""

    def register(make: Callable[[Ground, str], Made]) -> Callable[[Ground, str], Made]:
        name = make.__name__.replace("_", "-")
        SET_UPS.append(SetUp(name, " ".join((make.__doc__ or "").split()), make, after))
        return make

    return register


def followed(ground: Ground, instance: Instance, port: int = 5432, name: str = "main") -> str:
    """Return the YAML line of a listener for a DB instance."""
    return (
        f"{name}: {{port: {port}, rds_instance: {{identifier: {instance.identifier}, endpoint: {instance.endpoint}, "
        f"port: {ground.port}, security_groups: [{instance.group}], {asked(ground)}}}}}"
    )


def asked(ground: Ground) -> str:
    """Return the YAML of the name server."""
    return f'nameservers: ["{ground.name_server.endpoint}"]'


def of_instance(ground: Ground, instance: Instance, *more: str, **given: object) -> Made:
    """Return a service with one listener for a DB instance."""
    return Made(
        listeners=[followed(ground, instance)],
        more=list(more),
        names={instance.endpoint: instance.addresses[:1]},
        instance=instance,
        **given,  # type: ignore[arg-type]
    )


def yaml_of(ground: Ground, name: str, made: Made) -> str:
    """Return a service's part of the YAML file."""
    subnets = ", ".join(
        f"{{id: {each.id}, zone: {each.zone}, cidr: {each.cidr}"
        + (f", private_ipv4_address: {made.pins[place]}" if place in made.pins else "")
        + "}"
        for place in made.places
        for each in [ground.subnets[place]]
    )
    lines = [
        f"  {name}:",
        "    healthy_timeout: 120",
        f"    vpc: {{id: {ground.vpc}, cidrs: [127.0.0.0/16], subnets: [{subnets}]}}",
        f"    consumers: {made.consumers}",
        *(f"    {line}" for line in made.more),
        "    listeners:",
        *(f"      {line}" for line in made.listeners),
    ]
    return "\n".join(lines) + "\n"

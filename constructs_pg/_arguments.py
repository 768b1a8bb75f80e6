"""What a `PostgresEndpointService` is given, checked before anything is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk

from ._validation import (
    check_accept_from,
    check_acceptance,
    check_consumer_acceptance,
    check_consumer_name,
    check_consumers,
    check_reject_others,
)
from .consumer import Consumer
from .errors import PostgresEndpointServiceError
from .targets import PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def check_types(listeners: Mapping[str, object], consumers: Sequence[object], durations: Mapping[str, object]) -> None:
    """Name the mistakes that come first to mind; Python would say that some attribute is missing."""
    problems = [
        f"listener '{name}' is a {type(target).__name__}: wrap it, as in PostgresTarget.from_instance(...)"
        for name, target in listeners.items()
        if not isinstance(target, PostgresTarget)
    ]
    problems += [
        f"consumers[{index}] is a {type(consumer).__name__}: give a Consumer(name=..., principals=[...])"
        for index, consumer in enumerate(consumers)
        if not isinstance(consumer, Consumer)
    ]
    problems += [
        f"'{name}' must be a Duration, got {value!r}: give cdk.Duration.seconds({value})"
        for name, value in durations.items()
        if value is not None and not isinstance(value, cdk.Duration)
    ]
    if problems:
        raise PostgresEndpointServiceError(problems)


def check_consumers_together(
    consumers: Sequence[Consumer], *, acceptance_required: bool, accept_from: Sequence[str], reject_others: bool
) -> list[str]:
    """Refuse consumers that contradict each other or how the service accepts connections; returns their principals."""
    for index, consumer in enumerate(consumers):
        check_consumer_name(consumer.name, existing=[earlier.name for earlier in consumers[:index]])
    principals = [principal for consumer in consumers for principal in consumer.principals]
    check_acceptance(principals, acceptance_required=acceptance_required)
    check_consumers({consumer.name: consumer.source_ranges for consumer in consumers})
    check_consumer_acceptance(
        {consumer.name: consumer.requires_acceptance for consumer in consumers},
        acceptance_required=acceptance_required,
    )
    check_accept_from(accept_from, principals=principals, acceptance_required=acceptance_required)
    check_reject_others(reject_others=reject_others, accept_from=accept_from)
    return principals

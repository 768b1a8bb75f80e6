"""Idle timeouts that users set on listeners by themselves, looked at when all is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import jsii
from constructs import IValidation

from ._validation import check_idle_timeout
from .errors import PostgresEndpointServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .listener import PostgresListener

_ATTRIBUTE = "tcp.idle_timeout.seconds"


@jsii.implements(IValidation)
class IdleTimeouts:
    """Refuses idle timeouts at synthesis where the service supports other Regions.

    Args:
        listeners: Returns the listeners by name.
        supported_regions: The Regions in which consumers can make endpoints, besides the service's own.
    """

    def __init__(
        self, listeners: Callable[[], Mapping[str, PostgresListener]], *, supported_regions: Sequence[str]
    ) -> None:
        self._listeners = listeners
        self._supported_regions = supported_regions

    def validate(self) -> list[str]:
        """Return what is wrong."""
        problems: list[str] = []
        for name, listener in self._listeners().items():
            resource = listener.listener.node.default_child
            attributes = getattr(resource, "listener_attributes", None)
            if attributes is None:
                continue
            for attribute in cdk.Stack.of(listener).resolve(attributes) or []:
                if attribute.get("key") == _ATTRIBUTE:
                    try:
                        check_idle_timeout(
                            str(attribute.get("value")), listener=name, supported_regions=self._supported_regions
                        )
                    except PostgresEndpointServiceError as error:
                        problems += error.problems
        return problems

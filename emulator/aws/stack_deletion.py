"""What CloudFormation does when a resource cannot be deleted.

The resources it depends on are left alone and the stack becomes DELETE_FAILED, from where it can only be deleted again
(AWSCloudFormation/latest/UserGuide/: cfn-console-delete-stack.html, view-stack-events.html).
"""

from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, helpers, stacks

from emulator.aws.wire import Form, Response

_REFUSED = ("UpdateStack", "CreateChangeSet", "ExecuteChangeSet")


class _Order(list[str]):
    """A stack's resources, dependencies first; walked backwards, it leaves out what a remaining one depends on."""

    def __init__(self, ordered: list[str], definitions: dict[str, Any], remaining: dict[str, Any]) -> None:
        super().__init__(ordered)
        self._definitions = definitions
        self._remaining = remaining

    def __reversed__(self) -> Iterator[str]:
        for logical_id in list(self)[::-1]:
            if not self._is_needed(logical_id):
                yield logical_id

    def _is_needed(self, logical_id: str) -> bool:
        # Dependants come earlier in this walk: one that is still here could not be deleted.
        return any(
            logical_id in stacks._extract_deps(self._definitions[other], {logical_id})
            for other in self._remaining
            if other != logical_id and other in self._definitions
        )


def _stop_at_failures() -> None:
    stock = stacks._topological_sort

    def topological_sort(definitions: dict[str, Any], conditions: dict[str, bool]) -> list[str]:
        ordered: list[str] = stock(definitions, conditions)
        for stack in cloudformation._stacks.values():
            deleting = stack["StackStatus"] == "DELETE_IN_PROGRESS"
            if deleting and (stack.get("_template") or {}).get("Resources") is definitions:
                return _Order(ordered, definitions, stack["_resources"])
        return ordered

    stacks._topological_sort = topological_sort


def _refuse_updates(action: str) -> None:
    stock: Callable[[Form], Response] = handlers._ACTION_HANDLERS[action]

    def guarded(form: Form) -> Response:
        name = form.get("StackName", [""])[0]
        for stack in cloudformation._stacks.values():
            if name in {stack["StackName"], stack["StackId"]} and stack["StackStatus"] == "DELETE_FAILED":
                message = f"Stack:{stack['StackId']} is in DELETE_FAILED state and can not be updated."
                refused: Response = helpers._error("ValidationError", message, 400)
                return refused
        return stock(form)

    handlers._ACTION_HANDLERS[action] = guarded


def install() -> None:
    """Change stock's deletion of stacks and its updates."""
    _stop_at_failures()
    for action in _REFUSED:
        _refuse_updates(action)

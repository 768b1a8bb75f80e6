"""CloudFormation's view of the extended services: every type calls the same API actions as everybody else.

Properties, return values and what replaces a resource are from the AWS CloudFormation template reference
(AWSCloudFormation/latest/TemplateReference/).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar
from uuid import uuid4

from ministack.services.cloudformation import provisioners

from emulator.aws.apis import EC2, ELB
from emulator.aws.wire import Api, ApiError

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]


class Labelled(Protocol):
    """Something with the name that CloudFormation's error texts give a service: an `Api`, or a `Service`."""

    @property
    def label(self) -> str:
        """The service's name, for example `CloudWatch`."""


@dataclass(frozen=True)
class Service:
    """A service whose API is stock's altogether."""

    label: str


@dataclass(frozen=True)
class StackType:
    """One resource type.

    Attributes:
        name: For example `AWS::EC2::FlowLog`.
        api: The service its actions belong to, named in failure reasons.
        properties: Every property the type has; others are refused, as CloudFormation's schema does.
        required: Those a template must give.
        replacing: Those that replace the resource when they change.
        create: From (logical id, properties, stack name) to physical id and attributes.
        update: From (physical id, old properties, new properties, stack name, logical id) to the same.
        delete: Deletes (physical id, properties); an unknown id is no error.
    """

    name: str
    api: Labelled
    properties: frozenset[str]
    required: frozenset[str]
    replacing: tuple[str, ...]
    create: Callable[[str, Properties, str], Created]
    update: Callable[[str, Properties, Properties, str, str], Created]
    delete: Callable[[str, Properties], None]

    def install(self) -> None:
        """Register the type, in place of stock's where there is one."""
        provisioners._RESOURCE_HANDLERS[self.name] = {
            "create": self._create,
            "update": self._update,
            "update_with_logical_id": True,
            "delete": self._delete,
        }
        provisioners._REPLACING_PROPERTIES[self.name] = self.replacing
        if "Tags" in self.properties:
            provisioners._STACK_TAG_PROPERTY[self.name] = ("Tags", "list")

    def _create(self, logical_id: str, properties: Properties, stack_name: str) -> Created:
        self._check(properties)
        return reasoned(self.api, self.create)(logical_id, properties, stack_name)

    def _update(
        self, physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Created:
        self._check(new)
        return reasoned(self.api, self.update)(physical_id, old, new, stack_name, logical_id or physical_id)

    def _delete(self, physical_id: str, properties: Properties) -> None:
        reasoned(self.api, self.delete)(physical_id, properties)

    def _check(self, properties: Properties) -> None:
        extraneous = sorted(set(properties) - self.properties)
        missing = sorted(self.required - set(properties))
        problems = [f"#: extraneous key [{name}] is not permitted" for name in extraneous]
        problems += [f"#: required key [{name}] not found" for name in missing]
        if problems:
            raise ValueError(
                f"Properties validation failed for resource of type {self.name} with message: {'; '.join(problems)}"
            )


P = ParamSpec("P")
R = TypeVar("R")


def reasoned(api: Labelled, step: Callable[P, R]) -> Callable[P, R]:
    """Word an API's error in a step as CloudFormation's reason of a failure."""

    def worded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return step(*args, **kwargs)
        except ApiError as error:
            raise ValueError(
                f'Resource handler returned message: "{error.message} (Service: {api.label}, Status Code: 400, '
                f'Error Code: {error.code}, Request ID: {uuid4()})" (RequestToken: {uuid4()}, HandlerErrorCode: '
                f"GeneralServiceException)"
            ) from error

    return worded


def unsuccessful(answer: dict[str, Any]) -> None:
    """Raise the first problem that a call reported in its `Unsuccessful` list."""
    for item in answer.get("Unsuccessful", []):
        raise ApiError(item["Error"]["Code"], item["Error"]["Message"])


def ignore_missing(call: Callable[[], object], *codes: str) -> None:
    """Make a call whose resource may be gone already."""
    try:
        call()
    except ApiError as error:
        if error.code not in codes:
            raise


@contextmanager
def undone_on_failure(delete: Callable[[], object]) -> Iterator[None]:
    """Delete what was just created when the rest of its creation fails: a rollback leaves nothing behind."""
    try:
        yield
    except ApiError:
        delete()
        raise


def tag_list(properties: Properties) -> list[dict[str, str]] | None:
    """Return a template's tags for a call that takes them as a list; `None` without any."""
    return [{"Key": tag["Key"], "Value": str(tag["Value"])} for tag in properties.get("Tags") or []] or None


def tag_specification(resource_type: str, properties: Properties) -> list[dict[str, Any]] | None:
    """Return `TagSpecifications` for a template's tags; `None` without any."""
    tags = properties.get("Tags")
    return [{"ResourceType": resource_type, "Tags": tags}] if tags else None


def retag(api: Api, arn: str, old: Properties, new: Properties) -> None:
    """Make a resource's tags those of the template; tags from elsewhere stay."""
    before = {tag["Key"]: tag["Value"] for tag in old.get("Tags", [])}
    after = {tag["Key"]: tag["Value"] for tag in new.get("Tags", [])}
    gone = sorted(set(before) - set(after))
    changed = [{"Key": key, "Value": value} for key, value in after.items() if before.get(key) != value]
    if api is ELB:
        if gone:
            ELB.call("RemoveTags", ResourceArns=[arn], TagKeys=gone)
        if changed:
            ELB.call("AddTags", ResourceArns=[arn], Tags=changed)
        return
    if gone:
        EC2.call("DeleteTags", Resources=[arn], Tags=[{"Key": key} for key in gone])
    if changed:
        EC2.call("CreateTags", Resources=[arn], Tags=changed)

"""Speaking AWS's query protocols on the server's side, from botocore's own service models.

A handler takes the parsed arguments of an action as a dictionary and returns its result as one; names are those of
the API reference. The same handlers serve requests and CloudFormation (through `Api.call`), so each rule has one home.
"""

import gzip
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.sax.saxutils import escape

import botocore
import botocore.parsers
import botocore.serialize
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from emulator.aws import control

Arguments = dict[str, Any]
Result = dict[str, Any]
Handler = Callable[[Arguments], Result | None]
Form = dict[str, list[str]]
Response = tuple[int, dict[str, str], bytes]


class ApiError(Exception):
    """An error answer of an AWS API.

    Attributes:
        code: The error code, as the API reference names it.
        message: The text that comes with it.
    """

    def __init__(self, code: str, message: str) -> None:
        """Keep code and message."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def _service_model(name: str) -> ServiceModel:
    # botocore's own loader keeps every JSON object ordered, which takes EC2's model three times as long.
    versions = sorted((Path(botocore.__file__).parent / "data" / name).glob("*/service-2.json.gz"))
    with gzip.open(versions[-1]) as file:
        return ServiceModel(json.load(file), name)


class Api:
    """One AWS service of the emulator: its table of actions, extended.

    Args:
        name: The service's name in botocore, for example `elbv2`.
        module: ministack's module for it; its `_ACTION_MAP` is what gets extended.
        label: The name CloudFormation's error texts give the service, for example `ElasticLoadBalancingV2`.
    """

    def __init__(self, name: str, module: ModuleType, label: str) -> None:
        """Load the service's model."""
        self.name = name
        self.label = label
        self._module = module
        self._model: Any = _service_model(name)  # its shapes are looked up by name; their classes say little
        self._stock: dict[str, Callable[[Form], Response]] = dict(module._ACTION_MAP)
        self._actions: dict[str, Callable[[Form], Response]] = dict(self._stock)
        self._serializer = botocore.serialize.create_serializer(self._model.protocol, include_validation=False)
        self._parser = botocore.parsers.create_parser(self._model.protocol)

    def action(self, handler: Handler) -> Handler:
        """Answer the action named like `handler` (`create_load_balancer` is CreateLoadBalancer) with it.

        A handler that returns `None` leaves the request to stock ministack.
        """
        words = "".join(part.capitalize() for part in handler.__name__.split("_"))
        name = next(known for known in self._model.operation_names if known.lower() == words.lower())
        operation = self._model.operation_model(name)
        stock = self._stock.get(name)

        def respond(form: Form) -> Response:
            try:
                result = handler(self._parse(operation, form))
            except ApiError as error:
                return self._error(error)
            if result is not None:
                return self._render(operation, result)
            if stock is None:
                return self._error(ApiError("InvalidAction", f"Unknown action: {name}"))
            return stock(form)

        self._actions[name] = respond
        return handler

    def around(self, name: str, wrapper: Callable[[Form, Callable[[Form], Response]], Response]) -> None:
        """Put a function around a stock action: it gets the form and the stock action, and answers."""
        stock = self._stock[name]
        self._actions[name] = lambda form: wrapper(form, stock)

    def install(self) -> None:
        """Put the extended actions into ministack's table, behind the control's faults and journal."""
        for name, respond in self._actions.items():
            self._module._ACTION_MAP[name] = self._controlled(name, respond)

    def _controlled(
        self, name: str, respond: Callable[[Form], Response]
    ) -> Callable[[Mapping[str, str | list[str]]], Response]:
        def controlled(given: Mapping[str, str | list[str]]) -> Response:
            # Some of ministack's services take lists with one entry apart before they call.
            form = {key: value if isinstance(value, list) else [value] for key, value in given.items()}
            fault = control.record(self.name, name, form)
            return self._error(ApiError(*fault)) if fault else respond(form)

        return controlled

    def call(self, action: str, **arguments: object) -> Result:
        """Call an action as CloudFormation does: in process, past the faults meant for other callers.

        Raises:
            ApiError: The action answered with an error.
        """
        return self._call(self._actions[action], action, arguments)

    def stock(self, action: str, arguments: Mapping[str, object]) -> Result:
        """Call stock ministack's version of an action."""
        return self._call(self._stock[action], action, arguments)

    def _call(self, respond: Callable[[Form], Response], action: str, arguments: Mapping[str, object]) -> Result:
        operation = self._model.operation_model(action)
        given = {name: value for name, value in arguments.items() if value is not None}
        request = self._serializer.serialize_to_request(given, operation)
        form = {name: [_text(value)] for name, value in request["body"].items()}
        status, headers, body = respond(form)
        answer: Result = self._parser.parse(
            {"status_code": status, "headers": headers, "body": body}, operation.output_shape
        )
        if "Error" in answer:
            raise ApiError(answer["Error"]["Code"], answer["Error"].get("Message", ""))
        return answer

    def arguments_of(self, action: str, properties: Mapping[str, object]) -> Arguments:
        """Pick what an action takes out of a template's properties, with scalars in the types the API wants.

        CloudFormation templates may carry numbers and booleans as strings.
        """
        shape = self._model.operation_model(action).input_shape
        return {name: _typed(shape.members[name], properties[name]) for name in shape.members if name in properties}

    def _parse(self, operation: OperationModel, form: Form) -> Arguments:
        shape = operation.input_shape
        parsed = self._read(shape, "", form) if shape is not None else None
        return parsed if isinstance(parsed, dict) else {}

    def _read(self, shape: Shape, prefix: str, form: Form) -> Any:  # noqa: ANN401
        if isinstance(shape, StructureShape):
            values = {
                name: self._read(member, f"{prefix}.{self._form_name(name, member)}".lstrip("."), form)
                for name, member in shape.members.items()
                if not prefix or any(key.startswith(prefix + ".") for key in form)
            }
            return {name: value for name, value in values.items() if value is not None} or None
        if isinstance(shape, ListShape):
            base = prefix if self._model.protocol == "ec2" else f"{prefix}.member"
            items: list[Any] = []
            while (item := self._read(shape.member, f"{base}.{len(items) + 1}", form)) is not None:
                items.append(item)
            return items or None
        given = form.get(prefix)
        return _typed(shape, given[0]) if given else None

    def _form_name(self, name: str, shape: Shape) -> str:
        if self._model.protocol != "ec2":
            return str(shape.serialization.get("name", name))
        written = shape.serialization.get("queryName") or shape.serialization.get("name", name)
        return str(written[0].upper() + written[1:])

    def _render(self, operation: OperationModel, result: Result) -> Response:
        shape = operation.output_shape
        body = self._members(shape, result) if isinstance(shape, StructureShape) else ""
        tag = f"{operation.name}Response"
        if self.name == "elbv2":
            tag = operation.name  # stock's function for this service makes both elements around it
        elif self._model.protocol != "ec2":
            body = f"<{operation.name}Result>{body}</{operation.name}Result>"
        answer: Response = self._module._xml(200, tag, body)
        return answer

    def _members(self, shape: StructureShape, value: Mapping[str, Any]) -> str:
        return "".join(
            self._element(str(member.serialization.get("name", name)), member, value[name])
            for name, member in shape.members.items()
            if value.get(name) is not None
        )

    def _element(self, tag: str, shape: Shape, value: Any) -> str:  # noqa: ANN401
        if isinstance(shape, StructureShape):
            return f"<{tag}>{self._members(shape, value)}</{tag}>"
        if isinstance(shape, ListShape):
            item = "item" if self._model.protocol == "ec2" else "member"
            return f"<{tag}>{''.join(self._element(item, shape.member, entry) for entry in value)}</{tag}>"
        return f"<{tag}>{escape(_text(value))}</{tag}>"

    def member_xml(self, action: str, result_member: str, value: Mapping[str, Any]) -> str:
        """Render one entry of a list in an action's result, for stock functions that join such entries."""
        shape = self._model.operation_model(action).output_shape.members[result_member]
        return self._element("item" if self._model.protocol == "ec2" else "member", shape.member, value)

    def _error(self, error: ApiError) -> Response:
        message = escape(error.message) if self._model.protocol == "ec2" else error.message
        answer: Response = self._module._error(error.code, message, 400)
        return answer


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed(shape: Shape, value: Any) -> Any:  # noqa: ANN401
    if isinstance(shape, StructureShape):
        return {name: _typed(shape.members[name], value[name]) for name in shape.members if name in value}
    if isinstance(shape, ListShape):
        return [_typed(shape.member, item) for item in (value if isinstance(value, list) else [value])]
    if shape.type_name in {"integer", "long"}:
        return int(value)
    if shape.type_name == "boolean":
        return _text(value) == "true"
    return _text(value)

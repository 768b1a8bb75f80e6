"""CloudFormation types of monitoring that stock lacks: composite alarms, and saved queries of CloudWatch Logs.

A saved query is a record of the stack only: no API shows it here.
"""

import json
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from ministack.services import cloudwatch
from ministack.services.cloudformation import provisioners

from emulator.aws.stack_types import Created, Properties, Service, StackType
from emulator.aws.wire import ApiError

_SAVED_BY_CLOUDWATCH = (
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "AlarmRule",
    "InsufficientDataActions",
    "OKActions",
)


def _put(name: str, properties: Properties) -> Created:
    given: dict[str, Any] = {key: properties[key] for key in _SAVED_BY_CLOUDWATCH if key in properties}
    given |= {"AlarmName": name, "ActionsEnabled": str(properties.get("ActionsEnabled", True)).lower() == "true"}
    status, _, body = cloudwatch._put_composite_alarm({}, given, is_cbor=False, is_json=True)
    if status != HTTPStatus.OK:
        refusal = json.loads(body)
        raise ApiError(refusal["__type"], refusal["message"])
    alarm = cloudwatch._composite_alarms[name]
    tags = {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags") or []}
    cloudwatch._resource_tags[alarm["AlarmArn"]] = tags
    return name, {"Arn": alarm["AlarmArn"]}


def _create_alarm(logical_id: str, properties: Properties, stack_name: str) -> Created:
    name = properties.get("AlarmName") or provisioners._physical_name(stack_name, logical_id, max_len=255)
    return _put(str(name), properties)


def _update_alarm(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
    del old, stack_name, logical_id
    return _put(physical_id, new)


def _delete_alarm(physical_id: str, properties: Properties) -> None:
    del properties
    for name, parent in cloudwatch._composite_alarms.items():
        if name != physical_id and physical_id in cloudwatch._composite_children(parent):
            raise ApiError("ValidationError", f"Cannot delete {physical_id} as {name} depends on it.")
    alarm = cloudwatch._composite_alarms.pop(physical_id, None)
    if alarm is not None:
        cloudwatch._resource_tags.pop(alarm["AlarmArn"], None)


def _create_query(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, properties, stack_name
    query_id = str(uuid4())
    return query_id, {"QueryDefinitionId": query_id}


def _update_query(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
    del old, new, stack_name, logical_id
    return physical_id, {"QueryDefinitionId": physical_id}


def _delete_query(physical_id: str, properties: Properties) -> None:
    del physical_id, properties


def install() -> None:
    """Register the types."""
    StackType(
        name="AWS::CloudWatch::CompositeAlarm",
        api=Service("CloudWatch"),
        properties=frozenset(
            {
                *_SAVED_BY_CLOUDWATCH,
                "ActionConfiguration",
                "ActionsSuppressor",
                "ActionsSuppressorExtensionPeriod",
                "ActionsSuppressorWaitPeriod",
                "AlarmName",
                "Tags",
            }
        ),
        required=frozenset({"AlarmRule"}),
        replacing=("AlarmName",),
        create=_create_alarm,
        update=_update_alarm,
        delete=_delete_alarm,
    ).install()
    StackType(
        name="AWS::Logs::QueryDefinition",
        api=Service("CloudWatchLogs"),
        properties=frozenset({"LogGroupNames", "Name", "Parameters", "QueryLanguage", "QueryString"}),
        required=frozenset({"Name", "QueryString"}),
        replacing=(),
        create=_create_query,
        update=_update_query,
        delete=_delete_query,
    ).install()

"""Connection notifications: SNS messages about the life of a service's connections.

Rules from the AWS PrivateLink guide (privatelink/create-notification-endpoint-service.html): the topic's policy must
let `vpce.amazonaws.com` publish. What stands in a message is not documented; nothing may depend on it.
"""

import json
import logging
from dataclasses import dataclass

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import sns

from emulator.aws.apis import EC2, matches, new_id
from emulator.aws.endpoint_services import Service, own, services
from emulator.aws.wire import ApiError, Arguments, Result

_EVENTS = frozenset({"Accept", "Connect", "Delete", "Reject"})
_log = logging.getLogger("emulator")


@dataclass
class Notification:
    """One notification of an endpoint service."""

    id: str
    owner: str
    region: str
    service_id: str
    topic_arn: str
    events: list[str]

    def as_result(self) -> Result:
        """Return the API's ConnectionNotification."""
        return {
            "ConnectionNotificationId": self.id,
            "ServiceId": self.service_id,
            "ConnectionNotificationType": "Topic",
            "ConnectionNotificationArn": self.topic_arn,
            "ConnectionEvents": self.events,
            "ConnectionNotificationState": "Enabled",
            "ServiceRegion": self.region,
        }


notifications: dict[str, Notification] = {}


def _own(notification_id: str | None) -> Notification:
    notification = notifications.get(notification_id or "")
    if notification is None or (notification.owner, notification.region) != (get_account_id(), get_region()):
        raise ApiError(
            "InvalidConnectionNotification",
            f"The connection notification '{notification_id}' does not exist",
        )
    return notification


def _check(topic_arn: str | None, events: list[str]) -> None:
    if not topic_arn or sns._topic_by_arn_any_scope(topic_arn) is None:
        raise ApiError("InvalidParameter", f"The SNS topic '{topic_arn}' does not exist")
    if not events or set(events) - _EVENTS:
        raise ApiError("InvalidParameter", f"Connection events must be among {sorted(_EVENTS)}, got {events}")


@EC2.action
def create_vpc_endpoint_connection_notification(given: Arguments) -> Result:
    """Announce events of a service's connections on an SNS topic."""
    service = own(given.get("ServiceId"))
    topic_arn, events = given.get("ConnectionNotificationArn"), sorted(given.get("ConnectionEvents", []))
    _check(topic_arn, events)
    notification = Notification(new_id("vpce-nfn"), get_account_id(), get_region(), service.id, str(topic_arn), events)
    notifications[notification.id] = notification
    return {"ConnectionNotification": notification.as_result()}


@EC2.action
def modify_vpc_endpoint_connection_notification(given: Arguments) -> Result:
    """Change the topic or the events of a notification."""
    notification = _own(given.get("ConnectionNotificationId"))
    topic_arn = given.get("ConnectionNotificationArn", notification.topic_arn)
    events = sorted(given.get("ConnectionEvents", notification.events))
    _check(topic_arn, events)
    notification.topic_arn, notification.events = topic_arn, events
    return {"ReturnValue": True}


@EC2.action
def describe_vpc_endpoint_connection_notifications(given: Arguments) -> Result:
    """List the caller's notifications."""
    wanted = given.get("ConnectionNotificationId")
    here = (get_account_id(), get_region())
    mine = [_own(wanted)] if wanted else [n for n in notifications.values() if (n.owner, n.region) == here]
    found = [
        notification
        for notification in mine
        if matches(
            given.get("Filters"),
            {
                "service-id": notification.service_id,
                "connection-notification-id": notification.id,
                "connection-notification-arn": notification.topic_arn,
            },
        )
    ]
    return {"ConnectionNotificationSet": [notification.as_result() for notification in found]}


@EC2.action
def delete_vpc_endpoint_connection_notifications(given: Arguments) -> Result:
    """Delete notifications; unknown ones are reported."""
    unsuccessful = []
    for notification_id in given.get("ConnectionNotificationIds", []):
        try:
            del notifications[_own(notification_id).id]
        except ApiError as error:
            problem = {"Code": error.code, "Message": error.message}
            unsuccessful.append({"ResourceId": notification_id, "Error": problem})
    return {"Unsuccessful": unsuccessful}


def _may_publish(service: Service, topic_arn: str) -> bool:
    topic = sns._topic_by_arn_any_scope(topic_arn)
    policy = topic["attributes"].get("Policy") if topic else None
    if not policy:
        return False
    context = EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="sns:Publish",
        resource_arn=topic_arn,
        region=service.region,
        service_context={"aws:sourcearn": service.arn, "aws:sourceaccount": service.owner},
    )
    allowed: bool = evaluate_resource_policy(policy, context, service="vpce.amazonaws.com").decision == "Allow"
    return allowed


def announce(event: str, service_id: str, endpoint_id: str, consumer: str) -> None:
    """Publish one event of a connection on every topic that asked for it and admits PrivateLink's principal."""
    service = services[service_id]
    for notification in notifications.values():
        if notification.service_id != service_id or event not in notification.events:
            continue
        if not _may_publish(service, notification.topic_arn):
            _log.warning("the policy of %s does not let vpce.amazonaws.com publish", notification.topic_arn)
            continue
        message = {"event": event, "vpcEndpointId": endpoint_id, "serviceId": service_id, "consumer": consumer}
        with request_scope(service.owner, service.region):
            sns.publish_internal(notification.topic_arn, json.dumps(message), f"VPC endpoint {event}")

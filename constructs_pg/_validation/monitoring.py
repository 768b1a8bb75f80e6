"""Rules for what watches a service: alarms, flow logs, and the connectivity check."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import PostgresEndpointServiceError
from .kit import different, is_token, matching, shown, token_aware
from .network import check_port

if TYPE_CHECKING:
    from collections.abc import Sequence

ALARM_TIERS = ("none", "basic", "full")
MAX_ALARM_TOPICS = 5
"""Actions of an alarm for each state: PutMetricAlarm in the API reference of Amazon CloudWatch."""
TRAFFIC_TYPES = ("reject", "accept", "all")
MAX_CHECK_MINUTES = 60
MAX_CHECK_PORTS = 50

_TOPIC_ARN = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}")
_BUCKET_ARN = re.compile(r"arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEY_PREFIX = re.compile(r"[A-Za-z0-9!_.*'()-]+(/[A-Za-z0-9!_.*'()-]+)*")
_SERVICE_NAME = re.compile(r"com\.amazonaws\.vpce\.[a-z0-9-]+\.vpce-svc-[0-9a-f]{8,17}")


def check_alarm_topics(topics: Sequence[str], *, has_alarms: bool) -> tuple[str, ...]:
    """Require topics only where there are alarms, as many as an alarm takes, each once.

    Args:
        topics: What tells them apart: ARNs, or paths of constructs.
        has_alarms: Whether there are alarms.
    """
    if not topics:
        return ()
    if not has_alarms:
        raise PostgresEndpointServiceError(
            "topics are given for alarms, but there are none: choose a tier, or leave them out"
        )
    if len(topics) > MAX_ALARM_TOPICS:
        raise PostgresEndpointServiceError(
            f"alarms tell {len(topics)} topics, and an alarm takes at most {MAX_ALARM_TOPICS}: one can tell others"
        )
    return different(tuple(topics), "topic for alarms")


@token_aware
def check_topic_arn(value: str) -> str:
    """Require the form of a standard topic's ARN: CloudWatch cannot tell a FIFO topic."""
    return matching(value, _TOPIC_ARN, "topic must look like arn:aws:sns:eu-central-1:111122223333:operators")


@token_aware
def check_bucket_arn(value: str) -> str:
    """Require the form of a bucket's ARN."""
    return matching(value, _BUCKET_ARN, "bucket must look like arn:aws:s3:::flow-logs-of-ours")


@token_aware
def check_key_prefix(value: str) -> str:
    """Require a prefix of keys to which AWS may append its own `/AWSLogs/...`, which is therefore no name in it."""
    checked = matching(value, _KEY_PREFIX, "key prefix must look like network/postgres, without a slash at its ends")
    if "AWSLogs" in checked.split("/"):
        raise PostgresEndpointServiceError(
            f"key prefix {shown(checked)} contains AWSLogs, which AWS reserves: rename it"
        )
    return checked


@token_aware
def check_endpoint_service_name(value: str) -> str:
    """Require the name of an endpoint service."""
    return matching(
        value,
        _SERVICE_NAME,
        "endpoint service name must look like com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0",
    )


def check_check_minutes(minutes: float) -> int:
    """Require an interval between two connectivity checks that a schedule and an alarm can have: 1 to 60 minutes."""
    if isinstance(minutes, bool) or int(minutes) != minutes or not 1 <= minutes <= MAX_CHECK_MINUTES:
        raise PostgresEndpointServiceError(
            f"the interval of a connectivity check must be whole minutes from 1 to {MAX_CHECK_MINUTES}, got {minutes:g}"
        )
    return int(minutes)


def check_check_ports(ports: Sequence[int]) -> tuple[int, ...]:
    """Require ports to check: one at least, none twice, no more than a load balancer has listeners."""
    if not ports:
        raise PostgresEndpointServiceError("no port is given to check: give at least one, as in ports=[5432]")
    for port in ports:
        check_port(port)
        if is_token(port):
            raise PostgresEndpointServiceError(
                "a port to check is known only at deployment, but alarms are named after it: give the number"
            )
    twice = sorted({port for port in ports if ports.count(port) > 1})
    if twice:
        raise PostgresEndpointServiceError(f"port {twice[0]} is given twice: remove one, or correct it")
    if len(ports) > MAX_CHECK_PORTS:
        raise PostgresEndpointServiceError(
            f"{len(ports)} ports are to be checked: a load balancer has at most {MAX_CHECK_PORTS} listeners"
        )
    return tuple(ports)

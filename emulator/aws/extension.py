"""Puts every part of the extension in its place."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app

from emulator.aws import (
    alarms,
    auto_scaling,
    control,
    custom_resources,
    db_clusters,
    db_instances,
    db_proxies,
    endpoint_connections,
    endpoint_notifications,
    endpoint_permissions,
    endpoint_services,
    iam,
    instances,
    listeners,
    load_balancers,
    log_metrics,
    metrics,
    network_acls,
    rds_events,
    routes,
    security_groups,
    stack_compute,
    stack_databases,
    stack_deletion,
    stack_functions,
    stack_gateways,
    stack_load_balancing,
    stack_monitoring,
    stack_network,
    stack_privatelink,
    target_groups,
    targets,
)
from emulator.aws.apis import AUTO_SCALING, EC2, ELB, RDS

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# Importing these modules is what adds their actions.
ACTIONS = (
    auto_scaling,
    db_clusters,
    db_instances,
    db_proxies,
    endpoint_connections,
    endpoint_notifications,
    endpoint_permissions,
    endpoint_services,
    instances,
    listeners,
    load_balancers,
    network_acls,
    rds_events,
    routes,
    security_groups,
    target_groups,
    targets,
)


def _is_slowed(scope: Message) -> bool:
    """Tell whether a request is to Elastic Load Balancing, by its signature, and not from the data plane."""
    headers = dict(scope["headers"])
    to_elb = b"/elasticloadbalancing/" in headers.get(b"authorization", b"")
    return to_elb and control.DATA_PLANE.encode() not in headers.get(b"user-agent", b"")


def _install_control() -> None:
    """Serve the control's paths in front of ministack's application."""
    stock = app.app

    async def application(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(control.PREFIX):
            if scope["type"] == "http" and control.settings.elb_seconds and _is_slowed(scope):
                await asyncio.sleep(control.settings.elb_seconds)
            await stock(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        status, result = control.answer(scope["method"], scope["path"], body)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(result).encode()})

    app.app = application


def install() -> None:
    """Extend the imported ministack; call once, before it serves."""
    parts = (
        alarms,
        auto_scaling,
        custom_resources,
        db_clusters,
        iam,
        instances,
        load_balancers,
        log_metrics,
        metrics,
        network_acls,
        stack_compute,
        stack_databases,
        stack_deletion,
        stack_functions,
        stack_gateways,
        stack_load_balancing,
        stack_monitoring,
        stack_network,
        stack_privatelink,
        target_groups,
    )
    for module in parts:
        module.install()
    for api in (AUTO_SCALING, EC2, ELB, RDS):
        api.install()
    _install_control()

"""Metrics: names and dimensions as AWS sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from constructs_pg import PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk
    from aws_cdk import aws_cloudwatch as cloudwatch

    ServiceFactory = Callable[..., PostgresEndpointService]


def described(metric: cloudwatch.Metric) -> tuple[str, str, str, frozenset[str]]:
    """Return namespace, name, statistic and the names of the dimensions of a metric."""
    return metric.namespace, metric.metric_name, metric.statistic, frozenset(metric.dimensions or {})


def test_the_listeners_metrics_are_of_its_target_group(make_service: ServiceFactory) -> None:
    """The least healthy and the most unhealthy count of a minute; CloudWatch wants both dimensions."""
    metrics = make_service().listener("main").metrics

    both = frozenset({"TargetGroup", "LoadBalancer"})
    assert described(metrics.healthy_targets()) == ("AWS/NetworkELB", "HealthyHostCount", "Minimum", both)
    assert described(metrics.unhealthy_targets()) == ("AWS/NetworkELB", "UnHealthyHostCount", "Maximum", both)


def test_the_load_balancers_metrics(make_service: ServiceFactory) -> None:
    """Each is one that AWS lists for TCP, of the load balancer as a whole."""
    metrics = make_service().metrics.load_balancer

    found = {
        described(metric)
        for metric in (
            metrics.active_flows(),
            metrics.new_flows(),
            metrics.processed_bytes(),
            metrics.peak_bytes_per_second(),
            metrics.peak_packets_per_second(),
            metrics.consumed_lcus(),
            metrics.client_resets(),
            metrics.target_resets(),
            metrics.load_balancer_resets(),
            metrics.rejected_flows(),
            metrics.blocked_inbound_flows(),
            metrics.blocked_outbound_flows(),
            metrics.fail_open_flows(),
            metrics.port_allocation_errors(),
            metrics.zonal_health(),
        )
    }

    expected = {
        ("ActiveFlowCount_TCP", "Average"),
        ("NewFlowCount_TCP", "Sum"),
        ("ProcessedBytes_TCP", "Sum"),
        ("PeakBytesPerSecond", "Maximum"),
        ("PeakPacketsPerSecond", "Maximum"),
        ("ConsumedLCUs_TCP", "Sum"),
        ("TCP_Client_Reset_Count", "Sum"),
        ("TCP_Target_Reset_Count", "Sum"),
        ("TCP_ELB_Reset_Count", "Sum"),
        ("RejectedFlowCount_TCP", "Sum"),
        ("SecurityGroupBlockedFlowCount_Inbound_TCP", "Sum"),
        ("SecurityGroupBlockedFlowCount_Outbound_TCP", "Sum"),
        ("UnhealthyRoutingFlowCount", "Sum"),
        ("PortAllocationErrorCount", "Sum"),
        ("ZonalHealthStatus", "Minimum"),
    }
    assert {(name, statistic) for _, name, statistic, _ in found} == expected
    assert {(namespace, *dimensions) for namespace, _, _, dimensions in found} == {("AWS/NetworkELB", "LoadBalancer")}


def test_a_zone_of_the_load_balancer(make_service: ServiceFactory) -> None:
    """One zone has a dimension more."""
    metric = make_service().metrics.load_balancer.zonal_health(availability_zone="eu-central-1a")

    assert described(metric)[3] == {"LoadBalancer", "AvailabilityZone"}


def test_the_endpoint_services_dimensions_have_spaces(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """AWS/PrivateLinkServices calls them "Service Id" and "VPC Endpoint Id"; other spellings match no data."""
    service = make_service()
    metrics = service.metrics.endpoint_service

    dimensions: Any = metrics.active_connections().dimensions
    assert list(dimensions) == ["Service Id"]
    assert stack.resolve(dimensions["Service Id"]) == stack.resolve(service.endpoint_service_id)
    of_one = metrics.new_connections(vpc_endpoint_id="vpce-0123456789abcdef0").dimensions
    assert set(of_one or {}) == {"Service Id", "VPC Endpoint Id"}
    assert set(metrics.bytes_processed(availability_zone="euc1-az1").dimensions or {}) == {"Service Id", "Az"}
    names = [
        metrics.endpoints(),
        metrics.active_connections(),
        metrics.new_connections(),
        metrics.bytes_processed(),
        metrics.reset_packets(),
    ]
    assert [(metric.namespace, metric.metric_name) for metric in names] == [
        ("AWS/PrivateLinkServices", name)
        for name in ("EndpointsCount", "ActiveConnections", "NewConnections", "BytesProcessed", "RstPacketsSent")
    ]


def test_endpoint_and_zone_are_not_measured_together(make_service: ServiceFactory) -> None:
    """AWS sends no such combination, so the metric would stay empty."""
    metrics = make_service().metrics.endpoint_service

    with pytest.raises(PostgresEndpointServiceError, match="by endpoint or by zone, not by both"):
        metrics.reset_packets(vpc_endpoint_id="vpce-0123456789abcdef0", availability_zone="euc1-az1")


def test_the_functions_metrics_are_there_with_the_function(make_service: ServiceFactory) -> None:
    """They appear with the first listener that needs the function."""
    service = make_service(listeners={})
    assert service.metrics.function is None

    service.add_listener("main", target=PostgresTarget.from_hostname("db.example.com", allowed_ranges=["10.9.0.0/16"]))

    assert service.metrics.function is not None
    found = [
        described(metric)[:3]
        for metric in (
            service.metrics.function.invocations(),
            service.metrics.function.errors(),
            service.metrics.function.throttles(),
            service.metrics.function.duration(),
        )
    ]
    assert found == [
        ("AWS/Lambda", "Invocations", "Sum"),
        ("AWS/Lambda", "Errors", "Sum"),
        ("AWS/Lambda", "Throttles", "Sum"),
        ("AWS/Lambda", "Duration", "Maximum"),
    ]

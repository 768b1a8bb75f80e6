"""Metrics of what the constructs make: one class for each hop of the path, every metric free unless it says otherwise.

Names and dimensions: "CloudWatch metrics for your Network Load Balancer", "CloudWatch metrics for AWS PrivateLink" and
"Using CloudWatch metrics with Lambda" on docs.aws.amazon.com. All have a data point a minute, most only with traffic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from ..errors import PostgresEndpointServiceError

if TYPE_CHECKING:
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_elasticloadbalancingv2 as elbv2
    from aws_cdk import aws_lambda as lambda_

_MINUTE = Duration.minutes(1)
_PRIVATELINK = "AWS/PrivateLinkServices"
# CloudWatch's dimensions of AWS PrivateLink have spaces in their names.
_SERVICE_ID, _ZONE, _ENDPOINT_ID = "Service Id", "Az", "VPC Endpoint Id"


class PostgresListenerMetrics:
    """Metrics of one listener's target group (namespace AWS/NetworkELB).

    An empty target group reports nothing at all, so an alarm on these must treat missing data as breaching.

    Args:
        target_group: The listener's target group.
    """

    def __init__(self, target_group: elbv2.NetworkTargetGroup) -> None:
        self._target_group = target_group

    def healthy_targets(self) -> cloudwatch.Metric:
        """Return the least number of healthy targets in a minute; below 1 the path is broken."""
        return self._target_group.metrics.healthy_host_count(statistic="Minimum", period=_MINUTE)

    def unhealthy_targets(self) -> cloudwatch.Metric:
        """Return the greatest number of unhealthy targets in a minute."""
        return self._target_group.metrics.un_healthy_host_count(statistic="Maximum", period=_MINUTE)


class LoadBalancerMetrics:
    """Metrics of the load balancer, all its listeners together (namespace AWS/NetworkELB).

    But for `zonal_health` they are reported only while there is something to count.

    Args:
        load_balancer: The service's load balancer.
    """

    def __init__(self, load_balancer: elbv2.NetworkLoadBalancer) -> None:
        self._load_balancer = load_balancer

    def active_flows(self) -> cloudwatch.Metric:
        """Return the average number of open TCP connections."""
        return self._metric("ActiveFlowCount_TCP", "Average")

    def new_flows(self) -> cloudwatch.Metric:
        """Return the number of TCP connections that were opened in a minute."""
        return self._metric("NewFlowCount_TCP", "Sum")

    def processed_bytes(self) -> cloudwatch.Metric:
        """Return the bytes passed on in a minute, both ways."""
        return self._metric("ProcessedBytes_TCP", "Sum")

    def peak_bytes_per_second(self) -> cloudwatch.Metric:
        """Return the highest number of bytes passed on in a second."""
        return self._metric("PeakBytesPerSecond", "Maximum")

    def peak_packets_per_second(self) -> cloudwatch.Metric:
        """Return the highest number of packets passed on in a second."""
        return self._metric("PeakPacketsPerSecond", "Maximum")

    def consumed_lcus(self) -> cloudwatch.Metric:
        """Return the load balancer capacity units used, which are what it costs beside its hours."""
        return self._metric("ConsumedLCUs_TCP", "Sum")

    def client_resets(self) -> cloudwatch.Metric:
        """Return the number of resets from clients in a minute."""
        return self._metric("TCP_Client_Reset_Count", "Sum")

    def target_resets(self) -> cloudwatch.Metric:
        """Return the number of resets from targets in a minute: a database that refuses, or restarts."""
        return self._metric("TCP_Target_Reset_Count", "Sum")

    def load_balancer_resets(self) -> cloudwatch.Metric:
        """Return the number of resets from the load balancer in a minute: idle for too long, or a target that went."""
        return self._metric("TCP_ELB_Reset_Count", "Sum")

    def rejected_flows(self) -> cloudwatch.Metric:
        """Return the number of connections that the load balancer rejected in a minute."""
        return self._metric("RejectedFlowCount_TCP", "Sum")

    def blocked_inbound_flows(self) -> cloudwatch.Metric:
        """Return the number of connections that inbound rules of its security group stopped in a minute."""
        return self._metric("SecurityGroupBlockedFlowCount_Inbound_TCP", "Sum")

    def blocked_outbound_flows(self) -> cloudwatch.Metric:
        """Return the number of connections that outbound rules of its security group stopped in a minute."""
        return self._metric("SecurityGroupBlockedFlowCount_Outbound_TCP", "Sum")

    def fail_open_flows(self) -> cloudwatch.Metric:
        """Return the number of connections sent to targets that are not healthy, for want of any that is, a minute."""
        return self._metric("UnhealthyRoutingFlowCount", "Sum")

    def port_allocation_errors(self) -> cloudwatch.Metric:
        """Return how often a minute there was no port left for a connection to a target: 55,000 at a time for each."""
        return self._metric("PortAllocationErrorCount", "Sum")

    def zonal_health(self, *, availability_zone: str | None = None) -> cloudwatch.Metric:
        """Return 1 where the load balancer works, 0 where it does not.

        Args:
            availability_zone: One of its zones, by name (default: all of them, the worst counting).
        """
        return self._metric("ZonalHealthStatus", "Minimum", availability_zone)

    def _metric(self, name: str, statistic: str, availability_zone: str | None = None) -> cloudwatch.Metric:
        dimensions = {"LoadBalancer": self._load_balancer.load_balancer_full_name}
        if availability_zone is not None:
            dimensions["AvailabilityZone"] = availability_zone
        return self._load_balancer.metrics.custom(
            name,
            statistic=statistic,
            period=_MINUTE,
            dimensions_map=dimensions,
        )


class EndpointServiceMetrics:
    """Metrics of the endpoint service, as its owner sees the consumers (namespace AWS/PrivateLinkServices).

    Reported with traffic only; what consumers see of their endpoints (AWS/PrivateLinkEndpoints) is in their accounts.

    Args:
        endpoint_service: The endpoint service.
    """

    def __init__(self, endpoint_service: ec2.VpcEndpointService) -> None:
        self._endpoint_service = endpoint_service

    def endpoints(self) -> cloudwatch.Metric:
        """Return the number of connected endpoints, a data point every five minutes; nothing for none."""
        return self._metric("EndpointsCount", "Maximum", period=Duration.minutes(5))

    def active_connections(
        self, *, vpc_endpoint_id: str | None = None, availability_zone: str | None = None
    ) -> cloudwatch.Metric:
        """Return the greatest number of open connections, of one endpoint or through one zone if asked for.

        Args:
            vpc_endpoint_id: A consumer's endpoint (default: all of them).
            availability_zone: A zone; not together with an endpoint (default: all of them).
        """
        return self._metric("ActiveConnections", "Maximum", vpc_endpoint_id, availability_zone)

    def new_connections(
        self, *, vpc_endpoint_id: str | None = None, availability_zone: str | None = None
    ) -> cloudwatch.Metric:
        """Return the number of connections opened in a minute, of one endpoint or through one zone if asked for.

        Args:
            vpc_endpoint_id: A consumer's endpoint (default: all of them).
            availability_zone: A zone; not together with an endpoint (default: all of them).
        """
        return self._metric("NewConnections", "Sum", vpc_endpoint_id, availability_zone)

    def bytes_processed(
        self, *, vpc_endpoint_id: str | None = None, availability_zone: str | None = None
    ) -> cloudwatch.Metric:
        """Return the bytes passed on in a minute, of one endpoint or through one zone if asked for.

        Args:
            vpc_endpoint_id: A consumer's endpoint (default: all of them).
            availability_zone: A zone; not together with an endpoint (default: all of them).
        """
        return self._metric("BytesProcessed", "Sum", vpc_endpoint_id, availability_zone)

    def reset_packets(
        self, *, vpc_endpoint_id: str | None = None, availability_zone: str | None = None
    ) -> cloudwatch.Metric:
        """Return the number of resets sent in a minute, to one endpoint or through one zone if asked for.

        Args:
            vpc_endpoint_id: A consumer's endpoint (default: all of them).
            availability_zone: A zone; not together with an endpoint (default: all of them).
        """
        return self._metric("RstPacketsSent", "Sum", vpc_endpoint_id, availability_zone)

    def _metric(
        self,
        name: str,
        statistic: str,
        vpc_endpoint_id: str | None = None,
        availability_zone: str | None = None,
        *,
        period: Duration = _MINUTE,
    ) -> cloudwatch.Metric:
        if vpc_endpoint_id is not None and availability_zone is not None:
            raise PostgresEndpointServiceError(
                f"{name} is measured by endpoint or by zone, not by both: give 'vpc_endpoint_id' or 'availability_zone'"
            )
        dimensions = {_SERVICE_ID: self._endpoint_service.vpc_endpoint_service_id}
        if vpc_endpoint_id is not None:
            dimensions[_ENDPOINT_ID] = vpc_endpoint_id
        if availability_zone is not None:
            dimensions[_ZONE] = availability_zone
        return cloudwatch.Metric(
            namespace=_PRIVATELINK,
            metric_name=name,
            dimensions_map=dimensions,
            statistic=statistic,
            period=period,
        )


class FunctionMetrics:
    """Metrics of a function (namespace AWS/Lambda).

    Args:
        function: The function.
    """

    def __init__(self, function: lambda_.IFunction) -> None:
        self._function = function

    def invocations(self) -> cloudwatch.Metric:
        """Return how often a minute it ran; nothing at all if it did not."""
        return self._function.metric_invocations(statistic="Sum", period=_MINUTE)

    def errors(self) -> cloudwatch.Metric:
        """Return how often a minute it failed; 0 if it ran and did not."""
        return self._function.metric_errors(statistic="Sum", period=_MINUTE)

    def throttles(self) -> cloudwatch.Metric:
        """Return how often a minute it was not run, for want of concurrency in the account."""
        return self._function.metric_throttles(statistic="Sum", period=_MINUTE)

    def duration(self) -> cloudwatch.Metric:
        """Return the longest run of a minute, in milliseconds."""
        return self._function.metric_duration(statistic="Maximum", period=_MINUTE)


class PostgresEndpointServiceMetrics:
    """Metrics of a service, hop by hop; those of a listener are at the listener.

    Args:
        load_balancer: Its load balancer.
        endpoint_service: Its endpoint service.

    Attributes:
        load_balancer: Those of the load balancer, see `LoadBalancerMetrics`.
        endpoint_service: Those of the endpoint service, see `EndpointServiceMetrics`.
        function: Those of the function that follows DNS names, see `FunctionMetrics`; None as long as there is none.
    """

    def __init__(self, *, load_balancer: elbv2.NetworkLoadBalancer, endpoint_service: ec2.VpcEndpointService) -> None:
        self.load_balancer = LoadBalancerMetrics(load_balancer)
        self.endpoint_service = EndpointServiceMetrics(endpoint_service)
        #: Those of the function that follows DNS names; None as long as there is none.
        self.function: FunctionMetrics | None = None

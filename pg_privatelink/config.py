"""The YAML configuration: `load` reads a file and returns it typed, or says everything that is wrong with it.

Nothing here imports aws_cdk, so that an editor's check or a command answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from pg_privatelink import _contradictions, _shape, _shared_rules, _yaml
from pg_privatelink._connections import NotificationsConfiguration
from pg_privatelink._connectivity_check import CheckSubnetConfiguration, ConnectivityCheckConfiguration
from pg_privatelink._consumers import (
    ClickPipesConfiguration,
    ConsumerConfiguration,
    DatabricksServerlessConfiguration,
    DbtPlatformConfiguration,
    DbtSelfHostedConfiguration,
    DbtSingleTenantConfiguration,
    MaterializeConfiguration,
    ProductConfiguration,
)
from pg_privatelink._function import FunctionConfiguration, FunctionSubnetConfiguration
from pg_privatelink._models import (
    AlarmsConfiguration,
    Configuration,
    FlowLogsConfiguration,
    HealthCheckConfiguration,
    ListenerConfiguration,
    ServiceConfiguration,
    SubnetConfiguration,
    VpcConfiguration,
    VpcLookupConfiguration,
)
from pg_privatelink._targets import (
    Ec2InstancesConfiguration,
    HostnameConfiguration,
    IpAddressesConfiguration,
    RdsClusterConfiguration,
    RdsInstanceConfiguration,
    RdsProxyConfiguration,
    TargetConfiguration,
)
from pg_privatelink.errors import ConfigurationError, all_at_once

if TYPE_CHECKING:
    import os

__all__ = [
    "AlarmsConfiguration",
    "CheckSubnetConfiguration",
    "ClickPipesConfiguration",
    "Configuration",
    "ConfigurationError",
    "ConnectivityCheckConfiguration",
    "ConsumerConfiguration",
    "DatabricksServerlessConfiguration",
    "DbtPlatformConfiguration",
    "DbtSelfHostedConfiguration",
    "DbtSingleTenantConfiguration",
    "Ec2InstancesConfiguration",
    "FlowLogsConfiguration",
    "FunctionConfiguration",
    "FunctionSubnetConfiguration",
    "HealthCheckConfiguration",
    "HostnameConfiguration",
    "IpAddressesConfiguration",
    "ListenerConfiguration",
    "MaterializeConfiguration",
    "NotificationsConfiguration",
    "ProductConfiguration",
    "RdsClusterConfiguration",
    "RdsInstanceConfiguration",
    "RdsProxyConfiguration",
    "ServiceConfiguration",
    "SubnetConfiguration",
    "TargetConfiguration",
    "VpcConfiguration",
    "VpcLookupConfiguration",
    "load",
]


def load(path: str | os.PathLike[str]) -> Configuration:
    """Read and check a YAML configuration.

    Args:
        path: The file. Messages name it as it is given here.

    Returns:
        The configuration. What cannot be known from the file alone (tokens, the real VPC) the constructs check later;
        `Configuration.located` adds the lines to what they raise.

    Raises:
        ConfigurationError: The file cannot be read, or is wrong in one or more places; all of them are reported.
    """
    document = _yaml.read(path)
    found = [mistake for mistakes in document.mistakes.values() for mistake in mistakes]
    try:
        configuration = Configuration.model_validate(document.data)
    except ValidationError as error:
        found += _shape.mistakes(error, Configuration, document)
    found += _contradictions.mistakes(document)
    if not found:
        found += _shared_rules.mistakes(configuration, document)
    if found:
        raise all_at_once(found)
    configuration._document = document  # noqa: SLF001  (known to this loader alone)
    return configuration

"""Consumers in the YAML file as the construct takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs_pg import Consumer, DbtEnvironment
from pg_privatelink.config import (
    ClickPipesConfiguration,
    DatabricksServerlessConfiguration,
    DbtPlatformConfiguration,
    DbtSelfHostedConfiguration,
    DbtSingleTenantConfiguration,
    MaterializeConfiguration,
)

if TYPE_CHECKING:
    from pg_privatelink.config import ConsumerConfiguration, ProductConfiguration


def consumer(configuration: ConsumerConfiguration) -> Consumer:
    """Return the consumer of an entry.

    Args:
        configuration: The entry.
    """
    product = configuration.product
    if product is not None:
        return _of_product(product)
    return Consumer(
        name=configuration.name,
        principals=configuration.principals,
        source_ranges=configuration.source_ranges,
        requires_acceptance=configuration.requires_acceptance,
        regions=configuration.regions,
    )


def _of_product(product: ProductConfiguration) -> Consumer:
    match product:
        case DbtPlatformConfiguration():
            return Consumer.dbt_platform(
                environment=_environment(product.environment),
                account_url=product.account_url,
                source_ranges=product.source_ranges,
            )
        case DbtSingleTenantConfiguration():
            return Consumer.dbt_single_tenant(
                account_id=product.account, account_url=product.account_url, source_ranges=product.source_ranges
            )
        case DbtSelfHostedConfiguration():
            return Consumer.dbt_self_hosted(
                account_id=product.account,
                environment=_environment(product.environment),
                account_url=product.account_url,
                dns_record=product.dns_record,
                source_ranges=product.source_ranges,
            )
        case ClickPipesConfiguration():
            return Consumer.clickpipes(regions=product.regions, source_ranges=product.source_ranges)
        case DatabricksServerlessConfiguration():
            return Consumer.databricks_serverless(region=product.region, source_ranges=product.source_ranges)
        case MaterializeConfiguration():
            return Consumer.materialize(principals=product.principals, source_ranges=product.source_ranges)


def _environment(name: str | None) -> DbtEnvironment | None:
    return None if name is None else DbtEnvironment(name)

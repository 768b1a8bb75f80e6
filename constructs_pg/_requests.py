"""What consumers want to be told: request forms to fill in, and the settings of a client that connects.

The forms are those of docs.getdbt.com, field by field, as of November 2026: dbt support's triage reads them by these
names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

TO_FILL_IN = "<fill in>"


def dbt_multi_tenant(*, account_url: str, environment: str) -> str:
    """Return the form of "Configuring AWS PrivateLink for Postgres".

    https://docs.getdbt.com/docs/platform/secure/private-connectivity/aws/aws-postgres

    Args:
        account_url: URL of the dbt platform account.
        environment: The multi-tenant environment.
    """
    return (
        "To: support@getdbt.com\n"
        "Subject: New Multi-Tenant PrivateLink Request\n"
        "- Type: Postgres Interface-type\n"
        f"- dbt platform account URL: {account_url}\n"
        "- VPC Endpoint Service Name: {service_name}\n"
        "- Postgres server AWS Region (for example, us-east-1, eu-west-2): {region}\n"
        f"- dbt AWS multi-tenant environment (US, EMEA, AU, JP): {environment}\n"
    )


def dbt_single_tenant(*, account_url: str, account_id: str) -> str:
    """Return the fields of the multi-tenant form, for which dbt publishes no single-tenant counterpart.

    Args:
        account_url: URL of the dbt platform account.
        account_id: dbt's AWS account, as dbt support gave it.
    """
    return (
        "To: support@getdbt.com\n"
        "Subject: New Single-Tenant PrivateLink Request\n"
        "- Type: Postgres Interface-type\n"
        f"- dbt platform account URL: {account_url}\n"
        "- VPC Endpoint Service Name: {service_name}\n"
        "- Postgres server AWS Region (for example, us-east-1, eu-west-2): {region}\n"
        f"- dbt AWS single-tenant (Virtual Private) account: {account_id}\n"
    )


def dbt_self_hosted(*, account_url: str, environment: str, dns_record: str) -> str:
    """Return the form of "Configuring AWS PrivateLink for a self-hosted service".

    https://docs.getdbt.com/docs/platform/secure/private-connectivity/aws/aws-self-hosted

    Args:
        account_url: URL of the dbt platform account.
        environment: dbt's environment.
        dns_record: The name under which dbt is to reach the database.
    """
    return (
        "To: support@getdbt.com\n"
        "Subject: New AWS Self-hosted PrivateLink Request\n"
        "- Type: Self-hosted PrivateLink\n"
        "- Platform/Service (for example, Postgres, Starburst, Spark, GitLab, etc.): Postgres\n"
        f"- dbt platform account URL: {account_url}\n"
        "- VPC Endpoint Service Name: {service_name}\n"
        "- Custom DNS (if HTTPS/TLS):\n"
        f"  - DNS record: {dns_record}\n"
        "- Service Region (for example, us-east-1, eu-west-2): {region}\n"
        f"- dbt AWS environment (US, EMEA, AU): {environment}\n"
    )


def hand_over(*, where: str, zones: bool) -> str:
    """Return what a consumer without a form of its own is to be told.

    Args:
        where: Where it wants to be told.
        zones: Whether it wants to know the zone ids.
    """
    return (
        f"To: {where}\n"
        "- VPC endpoint service name: {service_name}\n"
        "- Service Region: {region}\n"
        "- Port: {ports}\n" + ("- Zone ids: {zone_ids}\n" if zones else "")
    )


def client_settings(ports: Sequence[int]) -> str:
    """Return what a client must be set to, once its endpoint is there.

    Args:
        ports: The listeners' ports.
    """
    return (
        "\nSettings of the Postgres connection:\n"
        f"- port: {', '.join(map(str, ports))}\n"
        "- sslmode: require (verify-full cannot succeed: the certificate does not bear the endpoint's name)\n"
        "- keepalives_idle: 240 (below 350 seconds, when idle connections are dropped)\n"
    )

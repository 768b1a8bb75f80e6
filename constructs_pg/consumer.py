"""`Consumer`: who may connect, what they require of the service, and the request they want to be sent."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from constructs_pg._validation import (
    check_consumer_name,
    check_dbt_account_url,
    check_dbt_source_ranges,
    check_principal,
    check_source_ranges,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# docs.getdbt.com, "Configure AWS PrivateLink for Postgres" (2026): one account for every multi-tenant environment.
_DBT_PLATFORM_PRINCIPAL = "arn:aws:iam::346425330055:role/MTPL_Admin"
_TO_FILL_IN = "<fill in>"


class DbtEnvironment(enum.Enum):
    """A multi-tenant environment of dbt platform on AWS, as dbt's request form names it."""

    US = "US"
    EMEA = "EMEA"
    AU = "AU"
    JP = "JP"


class Consumer:
    """Someone who may create an endpoint to the service.

    Args:
        name: A short name, unique within the service; it becomes part of output names.
        principals: Who may create an endpoint: ARNs of accounts (`:root`), roles and users without a path, or `*`.
        source_ranges: IPv4 CIDRs of the consumer's own clients. Given, the load balancer's inbound rules are enforced
            on PrivateLink traffic and admit exactly these (default: none, and the rules are not enforced). Either
            every consumer of a service gives ranges, or none does.
        request: The text to send to the consumer, with `{service_name}`, `{region}` and `{ports}` where they belong
            (default: no text).

    Raises:
        PostgresEndpointServiceError: A principal or a range is malformed.
    """

    def __init__(
        self, *, name: str, principals: Sequence[str], source_ranges: Sequence[str] = (), request: str | None = None
    ) -> None:
        self.name = check_consumer_name(name)
        self.principals = tuple(check_principal(principal) for principal in principals)
        self.source_ranges = tuple(check_source_ranges(source_ranges))
        self._request = request

    @classmethod
    def dbt_platform(
        cls,
        *,
        environment: DbtEnvironment | None = None,
        account_url: str | None = None,
        source_ranges: Sequence[str] = (),
    ) -> Consumer:
        """Return the consumer for dbt platform, multi-tenant.

        Send its request text to dbt support; connecting takes 3 to 5 business days.

        dbt does not publish the private ranges its clients come from; ask dbt support for them, or leave enforcement
        off (the default here, and dbt's own recommendation for self-hosted services).

        Args:
            environment: dbt's environment, for the request text (default: left to fill in).
            account_url: URL of the dbt platform account, for the request text (default: left to fill in).
            source_ranges: dbt's private IPv4 CIDRs, as dbt support gave them (default: inbound rules not enforced).

        Raises:
            PostgresEndpointServiceError: The URL or a range is malformed.
        """
        url = _TO_FILL_IN if account_url is None else check_dbt_account_url(account_url)
        # The form of docs.getdbt.com, word for word: dbt support's triage expects it.
        request = (
            "To: support@getdbt.com\n"
            "Subject: New Multi-Tenant PrivateLink Request\n"
            "- Type: Postgres Interface-type\n"
            f"- dbt platform account URL: {url}\n"
            "- VPC Endpoint Service Name: {service_name}\n"
            "- Postgres server AWS Region (for example, us-east-1, eu-west-2): {region}\n"
            "- dbt AWS multi-tenant environment (US, EMEA, AU, JP): "
            f"{_TO_FILL_IN if environment is None else environment.value}\n"
        )
        return cls(
            name="DbtPlatform",
            principals=[_DBT_PLATFORM_PRINCIPAL],
            source_ranges=check_dbt_source_ranges(source_ranges),
            request=request,
        )

    def request_text(self, *, service_name: str, region: str, ports: Sequence[int]) -> str | None:
        """Return the text to send to this consumer, filled in, or None where the consumer wants none.

        Args:
            service_name: The endpoint service's name; may be a token.
            region: The service's Region; may be a token.
            ports: The listeners' ports.
        """
        if self._request is None:
            return None
        filled = {"{service_name}": service_name, "{region}": region, "{ports}": ", ".join(map(str, ports))}
        text = self._request
        for field, value in filled.items():
            text = text.replace(field, value)
        return text

"""`Consumer`: who may connect, what they require of the service, and the request they want to be sent."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from . import _requests
from ._requests import TO_FILL_IN
from ._validation import (
    check_account_id,
    check_consumer_name,
    check_dbt_account_url,
    check_dbt_source_ranges,
    check_host_name,
    check_principal,
    check_region,
    check_source_ranges,
    is_token,
    is_zone_id,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# docs.getdbt.com, "Configure AWS PrivateLink for Postgres" (2026): one account for every multi-tenant environment.
_DBT_PLATFORM_PRINCIPAL = "arn:aws:iam::346425330055:role/MTPL_Admin"


class DbtEnvironment(enum.Enum):
    """A multi-tenant environment of dbt platform on AWS, as dbt's request form names it."""

    US = "US"
    EMEA = "EMEA"
    AU = "AU"
    JP = "JP"


class Consumer:
    """Someone who may create an endpoint to the service.

    A consumer added or removed later is an update in place. Removing one stops new endpoints only: what is connected
    stays connected until it is rejected (`aws ec2 reject-vpc-endpoint-connections`).

    Args:
        name: A short name, unique within the service; it becomes part of output names.
        principals: Who may create an endpoint: ARNs of accounts (`:root`), roles and users without a path, or `*`.
        source_ranges: IPv4 CIDRs of the consumer's own clients. Given, the load balancer's inbound rules are enforced
            on PrivateLink traffic and admit exactly these (default: none, and the rules are not enforced). Either
            every consumer of a service gives ranges, or none does.
        request: The text to send to the consumer, with `{service_name}`, `{region}`, `{ports}` and `{zone_ids}` where
            they belong (default: no text).
        requires_acceptance: Whether the consumer insists that its connection is accepted (true) or not kept waiting
            (false) by the service (default: either will do).
        regions: The Regions in which the consumer makes its endpoints; the service must be in them or support them
            (default: any).

    Raises:
        PostgresEndpointServiceError: A name, a principal, a range or a Region is malformed.
    """

    def __init__(
        self,
        *,
        name: str,
        principals: Sequence[str],
        source_ranges: Sequence[str] = (),
        request: str | None = None,
        requires_acceptance: bool | None = None,
        regions: Sequence[str] = (),
    ) -> None:
        self.name = check_consumer_name(name)
        self.principals = tuple(check_principal(principal) for principal in principals)
        self.source_ranges = tuple(check_source_ranges(source_ranges))
        self.requires_acceptance = requires_acceptance
        self.regions = tuple(check_region(region) for region in regions)
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
        off (the default here, and dbt's own recommendation for self-hosted services). For the time until they are
        known dbt names 10.0.0.0/8, which warns until it is refined.

        One AWS account serves all of dbt's multi-tenant customers: whoever accepts its connections unseen trusts dbt
        to tell them apart.

        Args:
            environment: dbt's environment, for the request text (default: left to fill in).
            account_url: URL of the dbt platform account, for the request text (default: left to fill in).
            source_ranges: dbt's private IPv4 CIDRs, as dbt support gave them (default: inbound rules not enforced).

        Raises:
            PostgresEndpointServiceError: The URL or a range is malformed.
        """
        return cls(
            name="DbtPlatform",
            principals=[_DBT_PLATFORM_PRINCIPAL],
            source_ranges=check_dbt_source_ranges(source_ranges),
            request=_requests.dbt_multi_tenant(
                account_url=_account_url(account_url), environment=_environment(environment)
            ),
        )

    @classmethod
    def dbt_single_tenant(
        cls, *, account_id: str, account_url: str | None = None, source_ranges: Sequence[str] = ()
    ) -> Consumer:
        """Return the consumer for dbt platform, single-tenant (Virtual Private).

        dbt publishes neither the account nor a form for it: ask dbt support for the account, and send the text, which
        has the fields of the multi-tenant form.

        Args:
            account_id: dbt's AWS account for you, as dbt support gave it; all of it may create endpoints.
            account_url: URL of the dbt platform account, for the request text (default: left to fill in).
            source_ranges: dbt's private IPv4 CIDRs, as dbt support gave them (default: inbound rules not enforced).

        Raises:
            PostgresEndpointServiceError: The account, the URL or a range is malformed.
        """
        return cls(
            name="DbtSingleTenant",
            principals=[_root(account_id)],
            source_ranges=check_dbt_source_ranges(source_ranges),
            request=_requests.dbt_single_tenant(account_url=_account_url(account_url), account_id=account_id),
        )

    @classmethod
    def dbt_self_hosted(
        cls,
        *,
        account_id: str,
        environment: DbtEnvironment | None = None,
        account_url: str | None = None,
        dns_record: str | None = None,
        source_ranges: Sequence[str] = (),
    ) -> Consumer:
        """Return the consumer for dbt platform's recipe for self-hosted services, which names Postgres too.

        Take it for a Postgres that should be reached under a name of yours, so that its certificate can be verified:
        the other recipe has no such field. Whether dbt sets the name up for Postgres is dbt's to say; the form asks
        for it "if HTTPS/TLS".

        Args:
            account_id: dbt's AWS account, as dbt support gave it; all of it may create endpoints.
            environment: dbt's environment, for the request text (default: left to fill in).
            account_url: URL of the dbt platform account, for the request text (default: left to fill in).
            dns_record: The name under which dbt is to reach the database (default: none).
            source_ranges: dbt's private IPv4 CIDRs, as dbt support gave them (default: inbound rules not enforced,
                which dbt recommends here).

        Raises:
            PostgresEndpointServiceError: The account, the URL, the name or a range is malformed.
        """
        return cls(
            name="DbtSelfHosted",
            principals=[_root(account_id)],
            source_ranges=check_dbt_source_ranges(source_ranges),
            request=_requests.dbt_self_hosted(
                account_url=_account_url(account_url),
                environment=_environment(environment),
                dns_record="none" if dns_record is None else check_host_name(dns_record),
            ),
        )

    @classmethod
    def clickpipes(cls, *, regions: Sequence[str] = (), source_ranges: Sequence[str] = ()) -> Consumer:
        """Return the consumer for ClickPipes of ClickHouse Cloud, by VPC endpoint service.

        Account 072088201116 is ClickHouse's. ClickPipes runs in us-east-1, us-east-2 and eu-central-1: for a service
        elsewhere, name the one you use here and in the service's `supported_regions`. Source: clickhouse.com/docs,
        "AWS PrivateLink for ClickPipes" (2026).

        Args:
            regions: The Regions in which ClickPipes makes its endpoints (default: the service's own).
            source_ranges: IPv4 CIDRs of its clients (default: inbound rules not enforced).
        """
        return cls(
            name="ClickPipes",
            principals=[_root("072088201116")],
            source_ranges=source_ranges,
            regions=regions,
            request=_requests.hand_over(where="ClickHouse Cloud, ClickPipes, reverse private endpoint", zones=False),
        )

    @classmethod
    def databricks_serverless(cls, *, region: str, source_ranges: Sequence[str] = ()) -> Consumer:
        """Return the consumer for Databricks serverless compute, by a network connectivity configuration.

        Its role is one per Region, it looks for exactly this role among the principals, and it connects within the
        Region only. Deleting the private endpoint rule at Databricks leaves the endpoint: reject it before the service
        is deleted. AWS GovCloud has other accounts; give those as plain principals. Source: docs.databricks.com,
        "Configure private connectivity to resources in your VPC" (2026).

        Args:
            region: The Region of service and workspace.
            source_ranges: IPv4 CIDRs of its clients (default: inbound rules not enforced).
        """
        return cls(
            name="Databricks",
            principals=[f"arn:aws:iam::565502421330:role/private-connectivity-role-{check_region(region)}"],
            source_ranges=source_ranges,
            regions=[region],
            request=_requests.hand_over(
                where="Databricks account console, network connectivity configuration", zones=False
            ),
        )

    @classmethod
    def materialize(cls, *, principals: Sequence[str] = (), source_ranges: Sequence[str] = ()) -> Consumer:
        """Return the consumer for Materialize.

        Its role is one per connection and known only afterwards: deploy without principals, make the connection with
        the text's values, then `SELECT principal FROM mz_aws_privatelink_connections` and deploy with it. Source:
        materialize.com/docs, "AWS PrivateLink connections" (2026).

        Args:
            principals: The roles of the connections, `arn:aws:iam::664411391173:role/mz_...` (default: none yet).
            source_ranges: IPv4 CIDRs of its clients (default: inbound rules not enforced).
        """
        return cls(
            name="Materialize",
            principals=principals,
            source_ranges=source_ranges,
            request=_requests.hand_over(where="CREATE CONNECTION ... TO AWS PRIVATELINK in Materialize", zones=True),
        )

    def request_text(
        self, *, service_name: str, region: str, ports: Sequence[int], zones: Sequence[str] = ()
    ) -> str | None:
        """Return the text to send to this consumer, filled in, or None where the consumer wants none.

        Below the request stand the settings of a client that connects.

        Args:
            service_name: The endpoint service's name; may be a token.
            region: The service's Region; may be a token.
            ports: The listeners' ports.
            zones: The load balancer's zones. Ids (euc1-az1) are told; names are not, since the same name means
                another zone in another account (default: left to fill in, where the consumer wants to know).
        """
        if self._request is None:
            return None
        known = zones and all(not is_token(zone) and is_zone_id(zone) for zone in zones)
        filled = {
            "{service_name}": service_name,
            "{region}": region,
            "{ports}": ", ".join(map(str, ports)),
            "{zone_ids}": ", ".join(zones) if known else TO_FILL_IN,
        }
        text = self._request
        for field, value in filled.items():
            text = text.replace(field, value)
        return text + _requests.client_settings(ports)


def _root(account_id: str) -> str:
    return f"arn:aws:iam::{check_account_id(account_id)}:root"


def _account_url(url: str | None) -> str:
    return TO_FILL_IN if url is None else check_dbt_account_url(url)


def _environment(environment: DbtEnvironment | None) -> str:
    return TO_FILL_IN if environment is None else environment.value

"""`Consumer`: who may connect, and the request they want to be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Annotations, Match, Template

from constructs_pg import Consumer, DbtEnvironment, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_cdk import aws_rds as rds

    from constructs_pg import PostgresEndpointService

    ServiceFactory = Callable[..., PostgresEndpointService]


PARTNER = "arn:aws:iam::222233334444:root"
SERVICE_NAME = "com.amazonaws.vpce.ap-northeast-1.vpce-svc-0123456789abcdef0"
URL = "https://ab123.jp1.dbt.com"
# dbt support gives each single-tenant customer the account; this is nobody's.
DBT_ACCOUNT = "222233334444"
SETTINGS = [
    "",
    "Settings of the Postgres connection:",
    "- port: 5432, 5433",
    "- sslmode: require (verify-full cannot succeed: the certificate does not bear the endpoint's name)",
    "- keepalives_idle: 240 (below 350 seconds, when idle connections are dropped)",
]


def lines(consumer: Consumer, zones: Sequence[str] = ()) -> list[str]:
    """Return a consumer's text, filled in, line by line."""
    text = consumer.request_text(service_name=SERVICE_NAME, region="ap-northeast-1", ports=[5432, 5433], zones=zones)
    assert text is not None
    return text.splitlines()


# Field by field the newest forms of docs.getdbt.com below docs/platform/secure/private-connectivity/aws/: aws-postgres
# and aws-self-hosted (2026); for single-tenant there is none, hence its first fields.
FORMS = {
    "multi-tenant": (
        Consumer.dbt_platform(environment=DbtEnvironment.JP, account_url=URL),
        [
            "To: support@getdbt.com",
            "Subject: New Multi-Tenant PrivateLink Request",
            "- Type: Postgres Interface-type",
            f"- dbt platform account URL: {URL}",
            f"- VPC Endpoint Service Name: {SERVICE_NAME}",
            "- Postgres server AWS Region (for example, us-east-1, eu-west-2): ap-northeast-1",
            "- dbt AWS multi-tenant environment (US, EMEA, AU, JP): JP",
        ],
    ),
    "single-tenant": (
        Consumer.dbt_single_tenant(account_id=DBT_ACCOUNT, account_url=URL),
        [
            "To: support@getdbt.com",
            "Subject: New Single-Tenant PrivateLink Request",
            "- Type: Postgres Interface-type",
            f"- dbt platform account URL: {URL}",
            f"- VPC Endpoint Service Name: {SERVICE_NAME}",
            "- Postgres server AWS Region (for example, us-east-1, eu-west-2): ap-northeast-1",
            f"- dbt AWS single-tenant (Virtual Private) account: {DBT_ACCOUNT}",
        ],
    ),
    "self-hosted": (
        Consumer.dbt_self_hosted(
            account_id=DBT_ACCOUNT, account_url=URL, environment=DbtEnvironment.AU, dns_record="db.example.com"
        ),
        [
            "To: support@getdbt.com",
            "Subject: New AWS Self-hosted PrivateLink Request",
            "- Type: Self-hosted PrivateLink",
            "- Platform/Service (for example, Postgres, Starburst, Spark, GitLab, etc.): Postgres",
            f"- dbt platform account URL: {URL}",
            f"- VPC Endpoint Service Name: {SERVICE_NAME}",
            "- Custom DNS (if HTTPS/TLS):",
            "  - DNS record: db.example.com",
            "- Service Region (for example, us-east-1, eu-west-2): ap-northeast-1",
            "- dbt AWS environment (US, EMEA, AU): AU",
        ],
    ),
}


@pytest.mark.parametrize("variant", FORMS)
def test_dbt_request_is_dbts_form_filled_in(variant: str) -> None:
    """Field by field, since dbt support reads it by these names; the client's settings stand below."""
    consumer, form = FORMS[variant]

    assert lines(consumer) == [*form, *SETTINGS]


@pytest.mark.parametrize("environment", DbtEnvironment)
def test_each_multi_tenant_environment(environment: DbtEnvironment) -> None:
    """One account serves all of them; only the form says which it is."""
    consumer = Consumer.dbt_platform(environment=environment)

    assert consumer.principals == ("arn:aws:iam::346425330055:role/MTPL_Admin",)
    assert f"- dbt AWS multi-tenant environment (US, EMEA, AU, JP): {environment.value}" in lines(consumer)


@pytest.mark.parametrize(
    "consumer",
    [Consumer.dbt_single_tenant(account_id=DBT_ACCOUNT), Consumer.dbt_self_hosted(account_id=DBT_ACCOUNT)],
)
def test_dbts_own_accounts_are_given(consumer: Consumer) -> None:
    """Only dbt support knows which account it is; all of it may connect."""
    assert consumer.principals == (f"arn:aws:iam::{DBT_ACCOUNT}:root",)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Consumer.dbt_single_tenant(account_id="2222"), "account id must be text of 12 digits"),
        (lambda: Consumer.dbt_self_hosted(account_id=DBT_ACCOUNT, account_url="dbt"), "dbt account URL"),
        (lambda: Consumer.dbt_self_hosted(account_id=DBT_ACCOUNT, dns_record="10.0.0.1"), "10.0.0.1"),
        (lambda: Consumer.dbt_single_tenant(account_id=DBT_ACCOUNT, source_ranges=["52.45.144.63/32"]), "not private"),
        (lambda: Consumer.databricks_serverless(region="eu-central-1a"), "its Region is 'eu-central-1'"),
    ],
)
def test_what_a_factory_is_given_is_checked(make: Callable[[], Consumer], message: str) -> None:
    """The same rules as everywhere: no text goes out with a mistake in it."""
    with pytest.raises(PostgresEndpointServiceError, match=message):
        make()


def test_vendors_whose_principal_is_documented() -> None:
    """Each as the vendor's page has it; a role per Region or per connection is not guessed."""
    assert Consumer.clickpipes().principals == ("arn:aws:iam::072088201116:root",)
    assert Consumer.databricks_serverless(region="us-west-2").principals == (
        "arn:aws:iam::565502421330:role/private-connectivity-role-us-west-2",
    )
    assert Consumer.databricks_serverless(region="us-west-2").regions == ("us-west-2",)
    assert Consumer.materialize().principals == ()


def test_zone_ids_are_told_where_they_are_wanted() -> None:
    """A zone's name means another zone in another account, so only ids are told."""
    consumer = Consumer.materialize()

    assert "- Zone ids: apne1-az1, apne1-az2" in lines(consumer, zones=["apne1-az1", "apne1-az2"])
    assert "- Zone ids: <fill in>" in lines(consumer, zones=["ap-northeast-1a", "ap-northeast-1b"])
    assert "- Zone ids: <fill in>" in lines(consumer)


def test_what_is_not_known_is_left_to_fill_in() -> None:
    """A request never goes out with a guess in it."""
    text = Consumer.dbt_platform().request_text(service_name="s", region="r", ports=[5432])

    assert text is not None
    assert text.count("<fill in>") == 2


def test_plain_principals_have_no_request() -> None:
    """Only vendors whose form is known get one."""
    consumer = Consumer(name="Partner", principals=["arn:aws:iam::222233334444:root"])

    assert consumer.request_text(service_name="s", region="r", ports=[5432]) is None


@pytest.mark.parametrize(
    ("principal", "message"),
    [
        ("222233334444", "principal"),
        ("arn:aws:iam::222233334444:role/path/Analytics", "path"),
        ("arn:aws:sts::222233334444:assumed-role/x/y", "principal"),
    ],
)
def test_principals_that_aws_refuses_are_refused_here(principal: str, message: str) -> None:
    """AWS would say so after minutes; some it would accept and never match."""
    with pytest.raises(PostgresEndpointServiceError, match=message):
        Consumer(name="Partner", principals=[principal])


def test_dbt_never_comes_from_public_addresses() -> None:
    """The addresses dbt publishes are those of its public egress; over PrivateLink the rule would let nobody in."""
    with pytest.raises(PostgresEndpointServiceError, match=r"52\.45\.144\.63"):
        Consumer.dbt_platform(source_ranges=["52.45.144.63/32"])


def test_names_are_unique_in_a_service(make_service: ServiceFactory) -> None:
    """Stack outputs are named after consumers."""
    partner = Consumer(name="Partner", principals=["arn:aws:iam::222233334444:root"])

    with pytest.raises(PostgresEndpointServiceError, match="'Partner' exists already"):
        make_service(consumers=[partner, partner])


@pytest.mark.parametrize("ranges", [["10.0.0.0/8"], ["10.1.0.0/16", "10.0.0.0/8"]])
def test_the_stop_gap_is_enforced_and_warns(stack: cdk.Stack, make_service: ServiceFactory, ranges: list[str]) -> None:
    """Dbt names 10.0.0.0/8 for the time until its ranges are known; it should not be forgotten."""
    make_service(consumers=[Consumer.dbt_platform(source_ranges=ranges)])

    warnings = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("stop-gap"))
    assert len(warnings) == 1
    assert "constructs-pg:PostgresEndpointService.wideSourceRange" in str(warnings[0].entry.data)
    Template.from_stack(stack).has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {
            "SecurityGroupIngress": Match.array_with(
                [Match.object_like({"CidrIp": "10.0.0.0/8", "FromPort": 5432, "ToPort": 5432})]
            )
        },
    )


@pytest.mark.parametrize(("ranges", "acknowledged"), [(["10.20.0.0/16"], False), (["10.0.0.0/8"], True)])
def test_the_stop_gap_warns_until_it_is_refined_or_acknowledged(
    stack: cdk.Stack, make_service: ServiceFactory, ranges: list[str], *, acknowledged: bool
) -> None:
    """Real ranges are no stop-gap, and who knows what they do says so once."""
    service = make_service(consumers=[Consumer.dbt_platform(source_ranges=ranges)])
    if acknowledged:
        cdk.Validations.of(service).acknowledge(
            cdk.Acknowledgment(
                id="Annotation::constructs-pg:PostgresEndpointService.wideSourceRange", reason="Until dbt answers."
            )
        )

    assert Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("stop-gap")) == []


class TestSeveralConsumers:
    """What consumers require of their service is reconciled, or refused by name."""

    @pytest.mark.parametrize(
        ("required", "acceptance_required", "message"),
        [
            ((True, False), True, "'A' requires that its connection is accepted, 'B' that it is not kept waiting"),
            ((True, None), False, "'A' requires that its connection is accepted, but the service requires no"),
            ((None, False), True, "'B' requires that its connection is not kept waiting, but the service requires"),
        ],
    )
    def test_acceptance_that_contradicts_is_refused(
        self,
        make_service: ServiceFactory,
        required: tuple[bool | None, bool | None],
        *,
        acceptance_required: bool,
        message: str,
    ) -> None:
        """A service accepts each connection or none; some vendors insist on one of the two."""
        consumers = [
            Consumer(name=name, principals=[PARTNER], requires_acceptance=each)
            for name, each in zip("AB", required, strict=True)
        ]

        with pytest.raises(PostgresEndpointServiceError, match=message):
            make_service(consumers=consumers, acceptance_required=acceptance_required)

    def test_acceptance_that_agrees_is_taken(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Who requires nothing agrees with everyone."""
        make_service(
            consumers=[
                Consumer(name="A", principals=[PARTNER], requires_acceptance=False),
                Consumer(name="B", principals=[PARTNER]),
            ],
            acceptance_required=False,
        )

        Template.from_stack(stack).has_resource_properties(
            "AWS::EC2::VPCEndpointService", {"AcceptanceRequired": False}
        )

    def test_a_region_that_the_service_does_not_reach_is_refused(self, make_service: ServiceFactory) -> None:
        """The consumer would look for the service in its own Region and not find it."""
        with pytest.raises(PostgresEndpointServiceError, match="add us-east-1 to 'supported_regions'"):
            make_service(consumers=[Consumer.clickpipes(regions=["us-east-1"])])

    def test_a_region_that_the_service_supports(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Then endpoints can be made there."""
        make_service(consumers=[Consumer.clickpipes(regions=["us-east-1"])], supported_regions=["us-east-1"])

        Template.from_stack(stack).has_resource_properties(
            "AWS::EC2::VPCEndpointService", {"SupportedRegions": ["us-east-1"]}
        )

    def test_some_ranges_and_some_none_are_refused(self, make_service: ServiceFactory) -> None:
        """The load balancer checks the source of every consumer or of none."""
        with pytest.raises(PostgresEndpointServiceError, match="'DbtPlatform' but not for 'B'"):
            make_service(
                consumers=[
                    Consumer.dbt_platform(source_ranges=["10.20.0.0/16"]),
                    Consumer(name="B", principals=[PARTNER]),
                ]
            )

    def test_ranges_of_all_are_enforced_on_every_port(
        self, stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance
    ) -> None:
        """Exactly those that are given, on each listener's own port."""
        service = make_service(
            consumers=[
                Consumer.dbt_platform(source_ranges=["10.20.0.0/16"]),
                Consumer(name="B", principals=[PARTNER], source_ranges=["192.168.1.0/24"]),
            ]
        )
        service.add_listener("reporting", port=5433, target=PostgresTarget.from_instance(database))

        template = Template.from_stack(stack)
        template.has_resource_properties(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on"},
        )
        (group,) = template.find_resources("AWS::EC2::SecurityGroup").values()
        rules = group["Properties"]["SecurityGroupIngress"]
        admitted = {(each["CidrIp"], each["FromPort"], each["ToPort"]) for each in rules}
        assert admitted == {(cidr, port, port) for cidr in ("10.20.0.0/16", "192.168.1.0/24") for port in (5432, 5433)}

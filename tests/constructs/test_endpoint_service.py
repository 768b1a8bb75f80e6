"""`PostgresEndpointService`: the load balancer, the endpoint service, and what is allowed on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Annotations, Match, Template

from constructs_pg import Consumer, PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    ServiceFactory = Callable[..., PostgresEndpointService]

DBT = "arn:aws:iam::346425330055:role/MTPL_Admin"
INGRESS = "AWS::EC2::SecurityGroupIngress"


class TestLoadBalancer:
    def test_is_internal_cross_zone_and_has_our_security_group(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """A load balancer without a security group can never get one; without cross-zone a lone writer is cut off."""
        make_service()

        Template.from_stack(stack).has_resource_properties(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {
                "Type": "network",
                "Scheme": "internal",
                "IpAddressType": "ipv4",
                "Subnets": ["subnet-0123456789abcdef1", "subnet-0123456789abcdef2"],
                "SecurityGroups": [
                    {"Fn::GetAtt": [Match.string_like_regexp("^OrdersNetworkSecurityGroup"), "GroupId"]}
                ],
                "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "off",
                "LoadBalancerAttributes": Match.array_with(
                    [{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}]
                ),
                "Name": Match.absent(),
            },
        )

    def test_deletion_protection_is_an_option(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Off by default: AWS would refuse the rollback of a failed first deployment."""
        make_service(deletion_protection=True)

        Template.from_stack(stack).has_resource_properties(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {
                "LoadBalancerAttributes": Match.array_with([{"Key": "deletion_protection.enabled", "Value": "true"}]),
            },
        )

    @pytest.mark.parametrize("zones", [["euc1-az1"], ["euc1-az1", "euc1-az1"]])
    def test_needs_two_zones(self, stack: cdk.Stack, make_service: ServiceFactory, zones: list[str]) -> None:
        """One zone fails with it, and a load balancer takes only one subnet of each zone."""
        chosen = [
            ec2.Subnet.from_subnet_attributes(stack, f"S{i}", subnet_id=f"subnet-{i}", availability_zone=zone)
            for i, zone in enumerate(zones)
        ]

        with pytest.raises(PostgresEndpointServiceError, match="zone"):
            make_service(vpc_subnets=ec2.SubnetSelection(subnets=chosen))

    def test_covers_every_zone_of_the_database(
        self, make_service: ServiceFactory, database: rds.IDatabaseInstance
    ) -> None:
        """A target in a zone that the load balancer does not have is never used."""
        target = PostgresTarget.from_instance(database, availability_zones=["euc1-az1", "euc1-az3"])

        with pytest.raises(PostgresEndpointServiceError, match="euc1-az3"):
            make_service(listeners={"main": target})

    def test_a_vpc_imported_without_its_range_must_be_given_it(self, make_service: ServiceFactory) -> None:
        """Inside or outside the VPC decides how an address is registered, so it may not be guessed."""
        with pytest.raises(PostgresEndpointServiceError, match="'vpc_cidrs' is needed"):
            make_service(vpc_cidrs=None)


class TestTargetGroup:
    def test_settings_end_sessions_on_a_demoted_writer(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Sessions end 10 s after their address left; Postgres cannot parse the proxy protocol."""
        make_service()

        template = Template.from_stack(stack)
        template.has_resource_properties(
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            {
                "TargetType": "ip",
                "Protocol": "TCP",
                "HealthCheckProtocol": "TCP",
                "HealthCheckPort": "traffic-port",
                "HealthCheckIntervalSeconds": 10,
                "HealthyThresholdCount": 2,
                "UnhealthyThresholdCount": 2,
                "Name": Match.absent(),
                "Targets": Match.absent(),
            },
        )
        (group,) = template.find_resources("AWS::ElasticLoadBalancingV2::TargetGroup").values()
        assert {a["Key"]: a["Value"] for a in group["Properties"]["TargetGroupAttributes"]} == {
            "deregistration_delay.connection_termination.enabled": "true",
            "deregistration_delay.timeout_seconds": "10",
            "preserve_client_ip.enabled": "false",
            "proxy_protocol_v2.enabled": "false",
        }

    def test_port_never_changes(self, stack: cdk.Stack, make_service: ServiceFactory, vpc: ec2.IVpc) -> None:
        """The group's own port is create-only: another database port must not replace the group."""
        other = rds.DatabaseInstance.from_database_instance_attributes(
            stack,
            "Other",
            instance_identifier="other",
            instance_endpoint_address="other.abcdefghijkl.eu-central-1.rds.amazonaws.com",
            port=6543,
            security_groups=[],
        )

        make_service(listeners={"main": PostgresTarget.from_instance(other)})

        Template.from_stack(stack).has_resource_properties(
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            {"Port": 5432, "Tags": Match.array_with([{"Key": "pg-privatelink:port", "Value": "6543"}])},
        )


class TestListeners:
    def test_further_listeners_have_their_own_port_and_group(
        self, stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance
    ) -> None:
        """Several databases share one load balancer and one endpoint service, told apart by port."""
        service = make_service()

        service.add_listener("reporting", port=5433, target=PostgresTarget.from_instance(database))

        template = Template.from_stack(stack)
        ports = [
            each["Properties"]["Port"]
            for each in template.find_resources("AWS::ElasticLoadBalancingV2::Listener").values()
        ]
        assert sorted(ports) == [5432, 5433]
        template.resource_count_is("AWS::ElasticLoadBalancingV2::TargetGroup", 2)
        template.resource_properties_count_is("AWS::Lambda::Function", {"Handler": "target_sync.handler.handle"}, 1)
        assert set(service.listeners) == {"main", "reporting"}
        assert service.listener("reporting").port == 5433

    def test_order_and_port_do_not_move_logical_ids(self, database: rds.IDatabaseInstance) -> None:
        """Ids come from the name, so that a reordered file or another port changes nothing else."""

        def group_ids(order: list[tuple[str, int]]) -> set[str]:
            stack = cdk.Stack(cdk.App(analytics_reporting=False), "Stack")
            vpc = ec2.Vpc(stack, "Vpc")
            service = PostgresEndpointService(stack, "Orders", vpc=vpc)
            target = PostgresTarget.from_instance(
                rds.DatabaseInstance.from_database_instance_attributes(
                    stack,
                    "Database",
                    instance_identifier="orders",
                    instance_endpoint_address="orders.abcdefghijkl.eu-central-1.rds.amazonaws.com",
                    port=5432,
                    security_groups=[],
                )
            )
            for name, port in order:
                service.add_listener(name, port=port, target=target)
            return set(Template.from_stack(stack).find_resources("AWS::ElasticLoadBalancingV2::TargetGroup"))

        assert group_ids([("main", 5432), ("other", 5433)]) == group_ids([("other", 6000), ("main", 6001)])

    @pytest.mark.parametrize(("name", "port"), [("main", 5433), ("other", 5432)])
    def test_a_name_or_a_port_is_taken_once(
        self, make_service: ServiceFactory, database: rds.IDatabaseInstance, name: str, port: int
    ) -> None:
        """A load balancer has each port once; two listeners of one name would be one."""
        service = make_service()

        with pytest.raises(PostgresEndpointServiceError, match="main"):
            service.add_listener(name, port=port, target=PostgresTarget.from_instance(database))

    def test_an_unknown_name_is_answered_with_the_known_ones(self, make_service: ServiceFactory) -> None:
        """A typing mistake is seen at once."""
        with pytest.raises(PostgresEndpointServiceError, match="no listener 'mian'; the service has: main"):
            make_service().listener("mian")

    def test_metrics_make_an_alarm_that_an_empty_group_sets_off(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """The metric is the minimum over a minute; what missing data means is the alarm's to say."""
        service = make_service()

        service.listener("main").metrics.healthy_targets().create_alarm(
            stack,
            "NoTarget",
            threshold=1,
            evaluation_periods=2,
            comparison_operator=cdk.aws_cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            treat_missing_data=cdk.aws_cloudwatch.TreatMissingData.BREACHING,
        )

        Template.from_stack(stack).has_resource_properties(
            "AWS::CloudWatch::Alarm",
            {
                "Namespace": "AWS/NetworkELB",
                "MetricName": "HealthyHostCount",
                "Statistic": "Minimum",
                "Period": 60,
                "TreatMissingData": "breaching",
            },
        )


class TestEnforcement:
    def test_without_ranges_rules_do_not_apply_and_databases_admit_the_subnets(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """AWS asks for rules by address where inbound rules do not apply to PrivateLink traffic."""
        make_service()

        template = Template.from_stack(stack)
        rules = [rule["Properties"] for rule in template.find_resources(INGRESS).values()]
        assert {rule["GroupId"] for rule in rules} == {"sg-0123456789abcdef0"}
        assert {rule.get("CidrIp") for rule in rules} == {None, "10.0.1.0/24", "10.0.2.0/24"}
        template.has_resource_properties("AWS::EC2::SecurityGroup", {"SecurityGroupIngress": Match.absent()})

    def test_ranges_are_enforced_and_exactly_those_are_admitted(
        self, stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance
    ) -> None:
        """Each listener's port is open to the consumers' ranges; databases then trust the load balancer's group."""
        service = make_service(consumers=[Consumer.dbt_platform(source_ranges=["10.20.0.0/16", "10.30.0.0/16"])])
        service.add_listener("other", port=5433, target=PostgresTarget.from_instance(database))

        template = Template.from_stack(stack)
        template.has_resource_properties(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            {"EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic": "on"},
        )
        (group,) = template.find_resources("AWS::EC2::SecurityGroup").values()
        admitted = {(rule["CidrIp"], rule["FromPort"]) for rule in group["Properties"]["SecurityGroupIngress"]}
        assert admitted == {(cidr, port) for cidr in ("10.20.0.0/16", "10.30.0.0/16") for port in (5432, 5433)}
        (rule,) = template.find_resources(INGRESS).values()
        assert "SourceSecurityGroupId" in rule["Properties"]

    def test_ranges_of_some_consumers_only_contradict(self, make_service: ServiceFactory) -> None:
        """Enforcement holds for the whole load balancer, so it cannot be on for one consumer and off for another."""
        consumers = [
            Consumer.dbt_platform(source_ranges=["10.20.0.0/16"]),
            Consumer(name="Other", principals=["arn:aws:iam::222233334444:root"]),
        ]

        with pytest.raises(PostgresEndpointServiceError, match=r"DbtPlatform.*Other|Other.*DbtPlatform"):
            make_service(consumers=consumers)

    def test_the_load_balancer_reaches_exactly_what_may_be_registered(
        self, stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance
    ) -> None:
        """CDK's default group has no way out, and health checks would silently fail."""
        target = PostgresTarget.from_instance(database, allowed_ranges=["192.168.0.0/16"])

        make_service(listeners={"main": target})

        (group,) = Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroup").values()
        reached = {(rule["CidrIp"], rule["FromPort"]) for rule in group["Properties"]["SecurityGroupEgress"]}
        assert reached == {("10.0.0.0/16", 5432), ("192.168.0.0/16", 5432)}

    def test_two_listeners_on_one_database_share_its_rules(
        self, stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance
    ) -> None:
        """AWS refuses the same rule twice."""
        make_service().add_listener("again", port=5433, target=PostgresTarget.from_instance(database))

        # From the load balancer's group, and from each of its two subnets.
        Template.from_stack(stack).resource_count_is(INGRESS, 3)

    def test_a_security_group_of_another_stack_makes_no_circle(self, vpc: ec2.IVpc) -> None:
        """The rule is a resource of our stack, so the database's stack never depends on ours."""
        app = cdk.App(analytics_reporting=False)
        databases = cdk.Stack(app, "Databases")
        their_vpc = ec2.Vpc(databases, "Vpc", max_azs=2)
        instance = rds.DatabaseInstance(
            databases,
            "Orders",
            vpc=their_vpc,
            engine=rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_16),
        )
        link = cdk.Stack(app, "Link")

        PostgresEndpointService(
            link, "Orders", vpc=their_vpc, listeners={"main": PostgresTarget.from_instance(instance)}
        )

        assert [each.stack_name for each in databases.dependencies] == []
        rules = Template.from_stack(link).find_resources(INGRESS).values()
        # The default of a VPC over two zones is a private subnet in each.
        assert len(rules) == 3
        assert all("Fn::ImportValue" in rule["Properties"]["GroupId"] for rule in rules)
        assert all("Fn::ImportValue" in rule["Properties"]["FromPort"] for rule in rules)


class TestEndpointService:
    def test_requires_acceptance_and_allows_the_consumers(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Principals are listed once, sorted, so that reordering consumers is no change."""
        other = "arn:aws:iam::222233334444:root"
        make_service(consumers=[Consumer(name="Other", principals=[other, DBT]), Consumer.dbt_platform()])

        template = Template.from_stack(stack)
        template.has_resource_properties("AWS::EC2::VPCEndpointService", {"AcceptanceRequired": True})
        template.has_resource_properties("AWS::EC2::VPCEndpointServicePermissions", {"AllowedPrincipals": [other, DBT]})

    def test_everybody_without_acceptance_is_refused(self, make_service: ServiceFactory) -> None:
        """Together they would make the database's port public to every AWS account."""
        with pytest.raises(PostgresEndpointServiceError, match="acceptance"):
            make_service(consumers=[Consumer(name="All", principals=["*"])], acceptance_required=False)

    def test_nobody_is_a_warning_that_can_be_acknowledged(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Some vendors name their principal only after they know the service's name."""
        service = make_service(consumers=[])

        warnings = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("nobody may connect"))
        assert len(warnings) == 1
        cdk.Validations.of(service).acknowledge(
            cdk.Acknowledgment(
                id="Annotation::constructs-pg:PostgresEndpointService.noPrincipals", reason="Vendor tells us later."
            )
        )

    def test_retention_is_one_policy_for_all(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Half of it retained is useless: the service needs its load balancer, that its groups."""
        make_service(removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)

        resources = Template.from_stack(stack).to_json()["Resources"].values()
        kept = {each["Type"] for each in resources if each.get("DeletionPolicy") == "RetainExceptOnCreate"}
        assert kept == {
            "AWS::EC2::SecurityGroup",
            "AWS::EC2::VPCEndpointService",
            "AWS::EC2::VPCEndpointServicePermissions",
            "AWS::ElasticLoadBalancingV2::Listener",
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "AWS::ElasticLoadBalancingV2::TargetGroup",
        }


class TestMistakesOfCode:
    def test_a_database_in_place_of_a_target(
        self, make_service: ServiceFactory, database: rds.IDatabaseInstance
    ) -> None:
        """The first thing one tries; Python would say that some attribute is missing."""
        with pytest.raises(PostgresEndpointServiceError, match=r"listener 'main' is a .*: wrap it"):
            make_service(listeners={"main": database})

    def test_a_principal_in_place_of_a_consumer(self, make_service: ServiceFactory) -> None:
        """An account id alone says neither a name nor a request."""
        with pytest.raises(PostgresEndpointServiceError, match=r"consumers\[0\] is a str: give a Consumer"):
            make_service(consumers=["222222222222"])

    def test_a_number_in_place_of_a_duration(self, make_service: ServiceFactory) -> None:
        """Units belong to the value."""
        with pytest.raises(PostgresEndpointServiceError, match=r"must be a Duration, got 30: give cdk\.Duration"):
            make_service(poll_interval=30)

    def test_a_vpc_over_one_zone(self, stack: cdk.Stack) -> None:
        """Zones are counted even where their names come with the deployment or a look-up."""
        for scope in (stack, cdk.Stack(cdk.App(analytics_reporting=False), "NoEnvironment")):
            vpc = ec2.Vpc(scope, "OneZone", max_azs=1)
            with pytest.raises(PostgresEndpointServiceError, match="at least 2 zones, got one that is not known yet"):
                PostgresEndpointService(scope, "Service", vpc=vpc)

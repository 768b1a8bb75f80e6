"""The network around the load balancer: fixed addresses, health checks, and how many rules a group can have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_rds as rds
from aws_cdk.assertions import Annotations, Match, Template

from constructs_pg import Consumer, PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable

    ServiceFactory = Callable[..., PostgresEndpointService]

LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
BY_ZONE = {"euc1-az1": "10.0.1.20", "euc1-az2": "10.0.2.20"}


class TestPrivateAddresses:
    def test_addresses_stand_in_subnet_mappings(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """By zone or by subnet id, and the load balancer keeps its logical id: neither property is create-only."""
        make_service(private_ipv4_addresses={"subnet-0123456789abcdef2": "10.0.2.20", "euc1-az1": "10.0.1.20"})

        ((logical_id, load_balancer),) = Template.from_stack(stack).find_resources(LOAD_BALANCER).items()
        assert logical_id == "OrdersLoadBalancerB992A266"
        assert load_balancer["Properties"]["SubnetMappings"] == [
            {"SubnetId": "subnet-0123456789abcdef1", "PrivateIPv4Address": "10.0.1.20"},
            {"SubnetId": "subnet-0123456789abcdef2", "PrivateIPv4Address": "10.0.2.20"},
        ]
        assert "Subnets" not in load_balancer["Properties"]

    def test_databases_admit_exactly_these(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Where inbound rules do not apply to PrivateLink traffic, AWS asks for rules by address."""
        make_service(private_ipv4_addresses=BY_ZONE)

        rules = Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroupIngress").values()
        assert {rule["Properties"].get("CidrIp") for rule in rules} == {None, "10.0.1.20/32", "10.0.2.20/32"}

    def test_with_enforcement_databases_trust_the_group(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Then the load balancer's addresses do not matter."""
        make_service(private_ipv4_addresses=BY_ZONE, consumers=[Consumer.dbt_platform(source_ranges=["10.20.0.0/16"])])

        (rule,) = Template.from_stack(stack).find_resources("AWS::EC2::SecurityGroupIngress").values()
        assert "CidrIp" not in rule["Properties"]

    @pytest.mark.parametrize(
        ("addresses", "message"),
        [
            (
                {**BY_ZONE, "euc1-az3": "10.0.3.20"},
                (
                    "private address 10.0.3.20 is for 'euc1-az3', where the load balancer has no subnet: it has "
                    "euc1-az1 (subnet-0123456789abcdef1), euc1-az2 (subnet-0123456789abcdef2)"
                ),
            ),
            (
                {"euc1-az1": "10.0.1.20"},
                (
                    "the subnet in zone euc1-az2 (subnet-0123456789abcdef2) has no private addresses: give each subnet "
                    "one, by its zone or by its id, or give none at all"
                ),
            ),
            (
                {**BY_ZONE, "subnet-0123456789abcdef1": "10.0.1.21"},
                (
                    "the subnet in zone euc1-az1 (subnet-0123456789abcdef1) has 2 private addresses: give each subnet "
                    "one, by its zone or by its id, or give none at all"
                ),
            ),
            (
                {**BY_ZONE, "euc1-az1": "10.0.2.21"},
                (
                    "private address 10.0.2.21 is not in 10.0.1.0/24, the subnet in zone euc1-az1: give one of its "
                    "addresses"
                ),
            ),
            (
                {**BY_ZONE, "euc1-az1": "10.0.1.3"},
                "private address 10.0.1.3 is one that AWS keeps in every subnet of 10.0.1.0/24: give another one",
            ),
            (
                {**BY_ZONE, "euc1-az1": "10.0.1.255"},
                "private address 10.0.1.255 is one that AWS keeps in every subnet of 10.0.1.0/24: give another one",
            ),
            (
                {**BY_ZONE, "euc1-az1": "10.0.1.0/24"},
                "private address must be an IPv4 address, got '10.0.1.0/24': give single addresses, not a range",
            ),
            (
                {"euc1-az1": "10.0.2.20", "euc1-az2": "10.0.2.20"},
                (
                    "private address 10.0.2.20 is not in 10.0.1.0/24, the subnet in zone euc1-az1: give one of its "
                    "addresses\nprivate address 10.0.2.20 is given twice: each subnet has its own"
                ),
            ),
        ],
    )
    def test_they_must_fit_the_subnets(
        self, make_service: ServiceFactory, addresses: dict[str, str], message: str
    ) -> None:
        """One in each subnet, and one that AWS gives away."""
        with pytest.raises(PostgresEndpointServiceError) as caught:
            make_service(private_ipv4_addresses=addresses)

        assert str(caught.value) == message

    def test_they_can_be_tokens(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """What another stack exports is known at deployment only."""
        make_service(private_ipv4_addresses={**BY_ZONE, "euc1-az1": cdk.Fn.import_value("Address")})

        (load_balancer,) = Template.from_stack(stack).find_resources(LOAD_BALANCER).values()
        first, _ = load_balancer["Properties"]["SubnetMappings"]
        assert first["PrivateIPv4Address"] == {"Fn::ImportValue": "Address"}


class TestHealthChecks:
    def test_interval_and_thresholds_can_be_set(
        self, stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance
    ) -> None:
        """None of them is create-only; a check may not outlast the interval."""
        make_service(listeners={}).add_listener(
            "main",
            target=PostgresTarget.from_instance(database),
            health_check_interval=cdk.Duration.seconds(5),
            healthy_threshold_count=3,
            unhealthy_threshold_count=10,
        )

        Template.from_stack(stack).has_resource_properties(
            TARGET_GROUP,
            {
                "HealthCheckIntervalSeconds": 5,
                "HealthCheckTimeoutSeconds": 5,
                "HealthyThresholdCount": 3,
                "UnhealthyThresholdCount": 10,
            },
        )

    def test_a_longer_interval_leaves_the_timeout(
        self, stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance
    ) -> None:
        """A connection that takes more than 10 s is none."""
        make_service(listeners={}).add_listener(
            "main", target=PostgresTarget.from_instance(database), health_check_interval=cdk.Duration.minutes(5)
        )

        Template.from_stack(stack).has_resource_properties(
            TARGET_GROUP, {"HealthCheckIntervalSeconds": 300, "HealthCheckTimeoutSeconds": 10}
        )

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                {"health_check_interval": cdk.Duration.seconds(4)},
                "health check interval must be a whole number of seconds from 5 to 300, got 4",
            ),
            (
                {"health_check_interval": cdk.Duration.millis(5500)},
                "health check interval must be a whole number of seconds from 5 to 300, got 5.5",
            ),
            (
                {"health_check_interval": 10},
                "'health_check_interval' must be a Duration, got 10: give cdk.Duration.seconds(10)",
            ),
            ({"healthy_threshold_count": 1}, "healthy threshold must be a whole number from 2 to 10, got 1"),
            ({"unhealthy_threshold_count": 11}, "unhealthy threshold must be a whole number from 2 to 10, got 11"),
        ],
    )
    def test_every_argument_is_checked(
        self, make_service: ServiceFactory, database: rds.IDatabaseInstance, arguments: dict[str, Any], message: str
    ) -> None:
        """A mistake is named where it is made."""
        with pytest.raises(PostgresEndpointServiceError) as caught:
            make_service(listeners={}).add_listener("main", target=PostgresTarget.from_instance(database), **arguments)

        assert str(caught.value) == message

    def test_a_database_in_place_of_a_target(
        self, make_service: ServiceFactory, database: rds.IDatabaseInstance
    ) -> None:
        """The same mistake as in the constructor gets the same answer."""
        with pytest.raises(PostgresEndpointServiceError, match=r"listener 'main' is a .*: wrap it"):
            make_service(listeners={}).add_listener("main", target=database)  # type: ignore[arg-type]


class TestRules:
    def test_sixty_rules_are_fine_and_one_more_is_told_once(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """AWS allows 60 in each direction by default; a raised quota is for users to know, so it is a warning."""
        service = make_service(
            listeners={}, consumers=[Consumer.dbt_platform(source_ranges=[f"10.{n}.0.0/16" for n in range(20, 35)])]
        )
        for index in range(4):
            service.add_listener(f"l{index}", port=5432 + index, target=PostgresTarget.from_ip_addresses(["10.0.5.1"]))
        assert Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("more than 60")) == []

        for index in range(4, 6):
            service.add_listener(f"l{index}", port=5432 + index, target=PostgresTarget.from_ip_addresses(["10.0.5.1"]))

        (warning,) = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("more than 60"))
        assert str(warning.entry.data).startswith(
            "the load balancer's security group needs more than 60 inbound rules, which AWS allows by default, so the "
            "deployment would fail: give fewer or wider ranges, put listeners into another service, or have AWS raise "
            "the quota 'Inbound or outbound rules per security group' and acknowledge this"
        )

    def test_outbound_rules_are_counted_once_each(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Addresses in one listener and in another are one rule where the port is the same."""
        addresses = [f"10.0.5.{n}" for n in range(60)]
        service = make_service(listeners={"main": PostgresTarget.from_ip_addresses(addresses)})
        service.add_listener("again", port=5433, target=PostgresTarget.from_ip_addresses(addresses))
        assert Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("more than 60")) == []

        service.add_listener("more", port=5434, target=PostgresTarget.from_ip_addresses(["10.0.6.1"]))

        (warning,) = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("more than 60"))
        assert "needs more than 60 outbound rules" in str(warning.entry.data)

    def test_rules_of_ours_in_a_databases_group_are_counted(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """Only our own are known; with those of others there may be too many before."""
        group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0", mutable=False)
        service = make_service(listeners={})
        for port in range(6000, 6021):
            target = PostgresTarget.from_hostname("db.example.com", port=port, security_groups=[group])
            service.add_listener(f"l{port}", port=port, target=target)

        (warning,) = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("more than 60"))
        assert "the database's security group 'Stack/Group' needs more than 60 inbound rules" in str(warning.entry.data)

    def test_the_warning_can_be_acknowledged(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Its id is stable."""
        service = make_service(listeners={"main": PostgresTarget.from_ip_addresses([f"10.0.5.{n}" for n in range(61)])})

        cdk.Validations.of(service).acknowledge(
            cdk.Acknowledgment(
                id="Annotation::constructs-pg:PostgresEndpointService.manyRules", reason="The quota is 200 here."
            )
        )

        assert Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("more than 60")) == []

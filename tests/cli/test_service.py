"""Which service is meant: found among a stack's resources by the beginning of their logical ids."""

from __future__ import annotations

from pg_privatelink.cli.listeners import listener_name
from pg_privatelink.cli.service import (
    ENDPOINT_SERVICE,
    FUNCTION,
    LISTENER,
    LOAD_BALANCER,
    LOG_GROUP,
    Resource,
    Service,
    services_in,
)
from pg_privatelink.stack import STACK_NAME_PREFIX


def resources(beginning: str, service_id: str) -> list[Resource]:
    """The resources of a service, as CDK names them."""
    return [
        Resource(f"{beginning}EndpointService41BFF52B", ENDPOINT_SERVICE, service_id),
        Resource(f"{beginning}LoadBalancerB992A266", LOAD_BALANCER, f"arn:{beginning}"),
        Resource(f"{beginning}ListenersmainListener02CB2BF7", LISTENER, f"arn:{beginning}:main"),
        Resource(f"{beginning}TargetSyncFunction9AB41727", FUNCTION, f"{beginning}-follower"),
        Resource(f"{beginning}ConnectionsGateFunction9AB41728", FUNCTION, f"{beginning}-gate"),
        Resource(f"{beginning}ConnectionsGateLogGroup9AB41729", LOG_GROUP, f"{beginning}-gate-log"),
        Resource(f"{beginning}TargetSyncLogGroup2A876B59", LOG_GROUP, f"{beginning}-log"),
    ]


def services(stack: str, *found: Resource) -> list[Service]:
    """The services in a stack."""
    return services_in(
        found, stack=stack, stack_status="CREATE_COMPLETE", account="111122223333", region="eu-central-1", outputs={}
    )


def test_the_apps_stacks_are_those_of_this_name() -> None:
    """The command does not import the stack, which takes a second, but must look for the same name."""
    (service,) = services(f"{STACK_NAME_PREFIX}orders", *resources("Service", "vpce-svc-1"))

    assert (service.name, service.id, service.load_balancer_arn) == ("orders", "vpce-svc-1", "arn:Service")
    assert service.endpoint_service_name == "com.amazonaws.vpce.eu-central-1.vpce-svc-1"


def test_the_function_that_follows_is_not_the_other_one() -> None:
    """A service may have a function for its connections, too."""
    (service,) = services("Data", *resources("Orders", "vpce-svc-1"))

    assert (service.function_name, service.log_group_name) == ("Orders-follower", "Orders-log")


def test_fixed_targets_need_no_function() -> None:
    """Then there is none, and no log."""
    (service,) = services("Data", *resources("Orders", "vpce-svc-1")[:3])

    assert (service.function_name, service.log_group_name) == (None, None)


def test_two_services_in_a_stack_of_the_users_own() -> None:
    """Each has its own resources, even where one's beginning is the beginning of the other's."""
    found = services("Data", *resources("Orders", "vpce-svc-1"), *resources("OrdersArchive", "vpce-svc-2"))

    assert [(each.name, each.id, each.function_name) for each in found] == [
        ("Orders", "vpce-svc-1", "Orders-follower"),
        ("OrdersArchive", "vpce-svc-2", "OrdersArchive-follower"),
    ]
    assert {len(each.resources) for each in found} == {7}


def test_what_is_no_service_of_ours() -> None:
    """An endpoint service of somebody else's making, one without a load balancer, and one that is not made yet."""
    assert services("Data", Resource("Theirs", ENDPOINT_SERVICE, "vpce-svc-1")) == []
    assert services("Data", Resource("OrdersEndpointService41BFF52B", ENDPOINT_SERVICE, "vpce-svc-1")) == []
    assert services("Data", *resources("Orders", "")) == []


def test_a_listener_without_tags_is_named_by_its_logical_id() -> None:
    """Target groups with fixed targets have no tag that says it."""
    (service,) = services("Data", *resources("Orders", "vpce-svc-1"))

    assert listener_name(service, "arn:Orders:main") == "main"
    assert listener_name(service, "arn:somebody-else's") is None

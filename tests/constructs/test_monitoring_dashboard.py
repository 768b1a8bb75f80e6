"""The dashboard: the path from left to right, on CloudWatch's grid of 24 columns, without overlaps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Template

from constructs_pg import AlarmTier, PostgresEndpointService, PostgresTarget
from tests.constructs import dashboard_picture
from tests.constructs.dashboard_layout import GRID_WIDTH, cells, lines, render

if TYPE_CHECKING:
    from collections.abc import Callable

    import aws_cdk as cdk

    ServiceFactory = Callable[..., PostgresEndpointService]

HEADS = ["1 Consumers", "2 Endpoint service", "3 Load balancer", "4 Target groups", "5 Function", "6 Databases"]


def body(stack: cdk.Stack) -> dict[str, Any]:
    """Return the only dashboard's body; what the deployment fills in stands as the name of its resource."""
    (dashboard,) = Template.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    found: dict[str, Any] = json.loads(_filled(dashboard["Properties"]["DashboardBody"]))
    return found


def _filled(value: Any) -> str:  # noqa: ANN401 - whatever CloudFormation has in place of a text
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_filled, parts))
        case {"Fn::GetAtt": [name, _]} | {"Ref": name}:
            return str(name)
    return "filled in"


@pytest.fixture(params=["default", "everything", "empty", "fixed", "many"])
def layout(request: pytest.FixtureRequest, stack: cdk.Stack, make_service: ServiceFactory) -> dict[str, Any]:
    """Return the body of services that differ in what there is to show."""
    if request.param == "default":
        make_service(dashboard=True)
    elif request.param == "everything":
        make_service(dashboard=True, alarms=AlarmTier.FULL)
    elif request.param == "empty":
        make_service(dashboard=True, listeners={}, alarms=AlarmTier.NONE, connection_notifications=False)
    elif request.param == "fixed":
        make_service(dashboard=True, listeners={"main": PostgresTarget.from_ip_addresses(["10.0.9.9"])})
    else:
        service = make_service(dashboard=True, alarms=AlarmTier.FULL, listeners={})
        for number in range(50):
            target = PostgresTarget.from_ip_addresses([f"10.0.9.{number}"])
            service.add_listener(f"listener{number}", port=5432 + number, target=target)
    return body(stack)


def test_widgets_do_not_overlap(layout: dict[str, Any]) -> None:
    """Each place of the grid has at most one widget; CloudWatch would push the other one away."""
    covered: set[tuple[int, int]] = set()
    for widget in layout["widgets"]:
        assert not covered & cells(widget), render(layout)
        covered |= cells(widget)
    assert max(x for x, _ in covered) == GRID_WIDTH - 1


def test_the_path_reads_from_left_to_right(layout: dict[str, Any]) -> None:
    """The headings stand in one row, in the order in which a connection comes by."""
    heads = [widget for widget in layout["widgets"] if lines(widget)[0] in HEADS]

    assert [lines(widget)[0] for widget in sorted(heads, key=lambda widget: widget["x"])] == HEADS
    assert [widget["x"] for widget in heads] == [0, 4, 8, 12, 16, 20]
    assert len({widget["y"] for widget in heads}) == 1


def test_there_is_none_by_default(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """A dashboard costs 3 USD a month beyond the first three of an account."""
    make_service()

    Template.from_stack(stack).resource_count_is("AWS::CloudWatch::Dashboard", 0)


def test_every_listener_has_its_line(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Listeners that are added after the dashboard was made are on it."""
    service = make_service(dashboard=True)
    service.add_listener("fixed", port=5433, target=PostgresTarget.from_ip_addresses(["10.0.9.9"]))

    graphs = {lines(widget)[0]: lines(widget)[1:] for widget in body(stack)["widgets"]}

    assert graphs["Healthy targets"] == ["- main", "- fixed"]
    assert graphs["Sessions"] == ["- main"]


def test_databases_of_rds_are_found_by_their_identifiers(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """Amazon RDS knows them in lower case."""
    make_service(dashboard=True)

    (graph,) = (widget for widget in body(stack)["widgets"] if lines(widget)[0] == "Sessions")

    assert graph["properties"]["metrics"][0][:4] == ["AWS/RDS", "DatabaseConnections", "DBInstanceIdentifier", "orders"]


def test_the_functions_decisions_stand_below(stack: cdk.Stack, make_service: ServiceFactory) -> None:
    """The last row is the log, as wide as the dashboard."""
    make_service(dashboard=True)

    last = body(stack)["widgets"][-1]

    assert (last["type"], last["x"], last["width"]) == ("log", 0, GRID_WIDTH)
    assert 'filter message in ["changed", "listener failed", "would change"]' in last["properties"]["query"]


def test_the_picture_in_the_documentation_is_the_dashboards() -> None:
    """docs/dashboard.svg shows it as it is; `python -m tests.constructs.dashboard_picture` draws it anew."""
    assert dashboard_picture.PICTURE.read_text() == dashboard_picture.draw(dashboard_picture.body())

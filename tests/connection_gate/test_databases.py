"""Zones of databases against those of the load balancer: a first deployment fails for a gap, an update never does."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from connection_gate import custom_resource, databases, zones
from connection_gate.custom_resource import ZONES_TYPE
from connection_gate.databases import Databases, uncovered
from tests.connection_gate.fakes import STACK, Aws, aws_error

A, B, C = (f"eu-central-1{letter}" for letter in "abc")


@dataclass
class Rds:
    """Amazon RDS, as far as the function asks it.

    Attributes:
        instances: The zones of each DB instance's subnet group.
        clusters: The same for DB clusters; the group is called after the cluster.
        faults: Errors that the next calls get, whatever they ask.
        calls: What was called.
    """

    instances: dict[str, set[str]] = field(default_factory=dict)
    clusters: dict[str, set[str]] = field(default_factory=dict)
    faults: list[Exception] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def databases(self) -> Databases:
        """The function's view of it."""
        client: Any = self
        return Databases(lambda: client)

    def describe_db_instances(self, *, DBInstanceIdentifier: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """An instance with its subnet group."""
        self._called("describe_db_instances")
        if DBInstanceIdentifier not in self.instances:
            raise aws_error("DBInstanceNotFound", "DescribeDBInstances")
        zones = self.instances[DBInstanceIdentifier]
        return {"DBInstances": [{"DBSubnetGroup": _group(f"of-{DBInstanceIdentifier}", zones)}]}

    def describe_db_clusters(self, *, DBClusterIdentifier: str) -> dict[str, Any]:  # noqa: N803
        """A cluster, which names its subnet group and nothing of it."""
        self._called("describe_db_clusters")
        return {"DBClusters": [{"DBSubnetGroup": f"of-{DBClusterIdentifier}", "AvailabilityZones": [A, B, C]}]}

    def describe_db_subnet_groups(self, *, DBSubnetGroupName: str) -> dict[str, Any]:  # noqa: N803
        """A subnet group."""
        self._called("describe_db_subnet_groups")
        zones = self.clusters[DBSubnetGroupName.removeprefix("of-")]
        return {"DBSubnetGroups": [_group(DBSubnetGroupName, zones)]}

    def _called(self, operation: str) -> None:
        self.calls.append(operation)
        if self.faults:
            raise self.faults.pop(0)


def _group(name: str, zones: set[str]) -> dict[str, Any]:
    # Two subnets in each zone: a group may have several.
    subnets = [{"SubnetAvailabilityZone": {"Name": zone}} for zone in sorted(zones) for _ in range(2)]
    return {"DBSubnetGroupName": name, "Subnets": subnets}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Time that passes only while somebody sleeps."""
    now = [1000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    for module in (databases, zones):
        monkeypatch.setattr(module, "time", type("Clock", (), {"monotonic": lambda: now[0], "sleep": sleep}))
    monkeypatch.setattr(custom_resource, "time", type("Clock", (), {"monotonic": lambda: now[0], "sleep": time.sleep}))
    return now


@given(
    balancer=st.sets(st.sampled_from([A, B, C]), min_size=1),
    instance=st.sets(st.sampled_from([A, B, C])),
    cluster=st.sets(st.sampled_from([A, B, C])),
)
def test_exactly_the_gaps_are_told(balancer: set[str], instance: set[str], cluster: set[str]) -> None:
    """A listener is told of if its database can be where the load balancer is not, and with just those zones."""
    aws = Aws(zones=sorted(balancer))
    rds = Rds(instances={"orders": instance}, clusters={"ledger": cluster})

    problems = uncovered(aws.service(), {"main": "db:orders", "second": "cluster:ledger"}, rds.databases())

    gaps = {"main": instance - balancer, "second": cluster - balancer}
    told = {problem.partition(":")[0]: problem for problem in problems}
    assert told.keys() == {name for name, gap in gaps.items() if gap}
    for name, problem in told.items():
        assert f" can be in {', '.join(sorted(gaps[name]))} (DB subnet group 'of-" in problem


def test_the_whole_sentence() -> None:
    """What is wrong, where, and what to change."""
    problems = uncovered(Aws().service(), {"main": "db:orders"}, Rds(instances={"orders": {A, C}}).databases())

    (problem,) = problems
    assert problem == (
        "main: DB instance 'orders' can be in eu-central-1c (DB subnet group 'of-orders'), where the load balancer has "
        "no subnet and would not reach it after a failover: give the load balancer a subnet there, or take that zone's "
        "subnets out of the DB subnet group"
    )


def test_where_all_is_known_nobody_is_asked() -> None:
    """Neither RDS nor Elastic Load Balancing: their permissions are not there either."""
    aws, rds = Aws(), Rds()

    assert uncovered(aws.service(), {}, rds.databases()) == []
    assert (aws.calls, rds.calls) == ([], [])


@pytest.mark.parametrize(
    "fault",
    [
        aws_error("AccessDenied", "DescribeDBInstances"),
        aws_error("Throttling", "DescribeDBInstances"),
        EndpointConnectionError(endpoint_url="https://rds.eu-central-1.amazonaws.com"),
    ],
)
def test_a_failure_is_repeated_and_then_told(fault: Exception) -> None:
    """A permission made a moment ago comes into force; what lasts is told with AWS's words and what to do."""
    rds = Rds(instances={"orders": {A}}, faults=[fault, fault])
    assert uncovered(Aws().service(), {"main": "db:orders"}, rds.databases()) == []

    rds.faults = [fault] * 3
    (problem,) = uncovered(Aws().service(), {"main": "db:orders"}, rds.databases())

    name = fault.response["Error"]["Code"] if isinstance(fault, ClientError) else "EndpointConnectionError"
    assert problem.startswith(f"main: DB instance 'orders': its zones are not known: {name}: ")
    assert problem.endswith("or say the zones yourself ('availability_zones' of the target, 'zones' in the YAML file)")


def test_one_that_fails_stops_no_other() -> None:
    """Each listener has its turn."""
    rds = Rds(instances={"orders": {A, C}})

    problems = uncovered(Aws().service(), {"first": "db:unknown", "second": "db:orders"}, rds.databases())

    assert [problem.partition(":")[0] for problem in problems] == ["first", "second"]
    assert "DBInstanceNotFound" in problems[0]


def test_the_time_is_bounded(clock: list[float]) -> None:
    """Fifty databases and an API that nothing answers for: the deployment must hear of it before its time is up."""
    asked = {f"listener{number}": "db:orders" for number in range(50)}
    slow = Rds(faults=[aws_error("Throttling", "DescribeDBInstances")] * 1000)

    problems = uncovered(Aws().service(), asked, slow.databases())

    assert len(problems) == 50
    assert clock[0] <= 1000 + databases._PATIENCE_SECONDS + databases._LOOKS * databases._PAUSE_SECONDS
    assert "no time was left to ask" in problems[-1]


def answered(aws: Aws, rds: Rds, request: str, asked: dict[str, str]) -> custom_resource.Response:
    """What CloudFormation is told."""
    event = {
        "RequestType": request,
        "ResourceType": ZONES_TYPE,
        "StackId": STACK,
        "ResourceProperties": {"Databases": asked},
    }
    return custom_resource._serve(event, aws.service, rds.databases(), 10_000.0)


@pytest.mark.parametrize(
    ("request_type", "status", "fails"),
    [
        ("Create", "CREATE_IN_PROGRESS", True),
        # The stack was made by a release without this resource.
        ("Create", "UPDATE_IN_PROGRESS", False),
        ("Update", "UPDATE_IN_PROGRESS", False),
        ("Update", "UPDATE_ROLLBACK_IN_PROGRESS", False),
    ],
)
def test_only_a_new_stack_fails_for_a_gap(request_type: str, status: str, *, fails: bool) -> None:
    """What was served before goes on being served, and a rollback must never fail."""
    aws = Aws(status=status)

    response = answered(aws, Rds(instances={"orders": {A, C}}), request_type, {"main": "db:orders"})

    assert response.failed is fails
    assert "can be in eu-central-1c" in response.reason
    assert response.reason.startswith("Warning: ") is not fails
    assert not response.goes_on


def test_a_gap_does_not_keep_the_service_from_learning_zones() -> None:
    """In the same update the service learns the zones that the load balancer did gain."""
    aws = Aws(zones=[A, B], enabled=[A], status="UPDATE_IN_PROGRESS")

    response = answered(aws, Rds(instances={"orders": {A, C}}), "Update", {"main": "db:orders"})

    assert aws.enabled == [A, B]
    assert not response.failed


def test_without_a_gap_the_stack_is_not_asked_about() -> None:
    """A function in the VPC need not reach CloudFormation for that."""
    aws = Aws(status="CREATE_IN_PROGRESS")

    response = answered(aws, Rds(instances={"orders": {A, B}}), "Create", {"main": "db:orders"})

    assert (response.failed, response.reason) == (False, "")
    assert aws.called("describe_stacks") == []

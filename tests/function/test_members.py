"""The readers of a DB cluster, whose endpoint names one of them at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from target_sync.members import Members
from target_sync.resolve import Answer, Failure, Outcome
from tests.function.fakes import World, aws_error, group_arn

if TYPE_CHECKING:
    from target_sync.listener import Listener

DOMAIN = "abc123.eu-central-1.rds.amazonaws.com"
READER_ENDPOINT = f"sales.cluster-ro-{DOMAIN}"
A, B, C, D = "10.0.0.5", "10.0.1.5", "10.0.2.5", "10.0.3.5"


class FakeRds:
    """The part of Amazon RDS that the function uses, as a boto3 client has it."""

    def __init__(self) -> None:
        self.members = {"sales-1": True, "sales-2": False, "sales-3": False}
        self.error: Exception | None = None
        self.calls = 0

    def describe_db_clusters(self, *, DBClusterIdentifier: str) -> dict[str, Any]:  # noqa: N803
        """As AWS has it, for one cluster."""
        self.calls += 1
        if self.error:
            raise self.error
        assert DBClusterIdentifier == "sales"
        described = [{"DBInstanceIdentifier": name, "IsClusterWriter": writes} for name, writes in self.members.items()]
        return {"DBClusters": [{"DBClusterMembers": described, "ReaderEndpoint": READER_ENDPOINT}]}


class Cluster(World):
    """A world with a listener for a cluster's readers."""

    def __post_init__(self) -> None:
        """Three members: the first one writes."""
        super().__post_init__()
        self.elb.add(hostname=READER_ENDPOINT, members="sales")
        self.dns.rotate(B, C, hostname=READER_ENDPOINT, ttl=1.0)
        for name, address in (("sales-1", A), ("sales-2", B), ("sales-3", C)):
            self.dns.set(address, hostname=f"{name}.{DOMAIN}", ttl=5.0)

    def restart(self) -> None:
        """With Amazon RDS at hand."""
        if not hasattr(self, "rds"):
            self.rds = FakeRds()
        super().restart()
        self.fleet.members.rds = lambda: self.rds  # type: ignore[assignment, return-value]  # same method, same keyword

    @property
    def listener(self) -> Listener:
        """What is followed."""
        self.fleet.refresh()
        return self.fleet.followers[group_arn("main")].listener

    def resolve(self) -> Answer | Failure:
        """One question."""
        return self.fleet.members.resolve(self.listener, self.clock.time())


def test_all_readers_are_the_answer() -> None:
    """The endpoint names one, the members' own names the others; the writer is none of them."""
    cluster = Cluster()

    assert cluster.resolve() == Answer(frozenset({B, C}), 1.0)
    assert cluster.rds.calls == 1


def test_a_cluster_without_readers_is_its_writer() -> None:
    """As Amazon RDS answers the reader endpoint then."""
    cluster = Cluster()
    cluster.rds.members = {"sales-1": True}
    cluster.dns.set(A, hostname=READER_ENDPOINT, ttl=1.0)

    assert cluster.resolve() == Answer(frozenset({A}), 1.0)


def test_the_list_is_read_twice_a_minute() -> None:
    """Not with each answer: names tell the rest."""
    cluster = Cluster()

    for _ in range(60):
        cluster.resolve()
        cluster.clock.sleep(1.0)

    assert cluster.rds.calls == 2


def test_an_unknown_reader_is_looked_up_soon() -> None:
    """The endpoint names an address that no known member has: it counts at once, and the list is read again."""
    cluster = Cluster()
    cluster.resolve()
    cluster.rds.members["sales-4"] = False
    cluster.dns.set(D, hostname=f"sales-4.{DOMAIN}")
    cluster.dns.set(D, hostname=READER_ENDPOINT, ttl=1.0)

    assert cluster.resolve() == Answer(frozenset({B, C, D}), 1.0)
    assert cluster.rds.calls == 1
    cluster.clock.sleep(5.0)
    assert cluster.resolve() == Answer(frozenset({B, C, D}), 1.0)
    assert cluster.rds.calls == 2


@pytest.mark.parametrize("outcome", [Outcome.SERVFAIL, Outcome.TIMEOUT, Outcome.EMPTY])
def test_trouble_with_one_member_fails_the_whole(outcome: Outcome) -> None:
    """Less than the truth would take targets out."""
    cluster = Cluster()
    cluster.dns.fail(outcome, f"sales-3.{DOMAIN}")

    assert cluster.resolve() == Failure(outcome, f"sales-3.{DOMAIN} fails")


def test_a_member_whose_name_does_not_exist_is_left_out() -> None:
    """An instance that is being created or deleted."""
    cluster = Cluster()
    cluster.dns.set(B, hostname=READER_ENDPOINT)
    cluster.dns.fail(Outcome.NXDOMAIN, f"sales-3.{DOMAIN}")

    assert cluster.resolve() == Answer(frozenset({B}), 5.0)


def test_the_endpoint_itself_must_resolve() -> None:
    """A cluster that is gone is not what its members' names say."""
    cluster = Cluster()
    cluster.dns.fail(Outcome.NXDOMAIN, READER_ENDPOINT)

    assert cluster.resolve() == Failure(Outcome.NXDOMAIN, f"{READER_ENDPOINT} fails")
    assert cluster.rds.calls == 0


def test_a_list_that_cannot_be_read_is_a_failure_that_says_why() -> None:
    """At the beginning at once; later only when what is known is five minutes old."""
    cluster = Cluster()
    cluster.rds.error = aws_error("AccessDenied", "DescribeDBClusters")
    failure = cluster.resolve()
    assert isinstance(failure, Failure)
    assert failure.outcome is Outcome.MEMBERS_UNKNOWN
    assert failure.detail.startswith("the members of DB cluster sales cannot be listed: AccessDenied")

    cluster.rds.error = None
    assert isinstance(cluster.resolve(), Answer)
    cluster.rds.error = aws_error("Throttling", "DescribeDBClusters")
    cluster.clock.sleep(299.0)
    assert isinstance(cluster.resolve(), Answer)
    cluster.clock.sleep(31.0)
    assert isinstance(cluster.resolve(), Failure)


def test_a_name_without_members_is_asked_alone() -> None:
    """Everything but a reader endpoint: Amazon RDS is not called."""
    cluster = Cluster()
    del cluster.elb.groups[group_arn("main")].tags["pg-privatelink:members"]

    assert cluster.resolve() == Answer(frozenset({B}), 1.0)
    assert cluster.rds.calls == 0


def test_readers_come_and_go() -> None:
    """All are registered at first sight and nothing changes; one that joins comes in, one that leaves goes out."""
    cluster = Cluster()
    cluster.minutes(3)
    assert cluster.live() == {B, C}
    changes = len(cluster.changes())
    cluster.minutes(30)
    assert len(cluster.changes()) == changes

    cluster.rds.members["sales-4"] = False
    cluster.dns.set(D, hostname=f"sales-4.{DOMAIN}")
    cluster.minutes(1)
    assert cluster.live() == {B, C, D}

    del cluster.rds.members["sales-2"]
    cluster.dns.fail(Outcome.NXDOMAIN, f"sales-2.{DOMAIN}")
    cluster.dns.rotate(C, D, hostname=READER_ENDPOINT, ttl=1.0)
    cluster.minutes(2)
    assert cluster.live() == {C, D}
    assert not cluster.elb.emptied


def test_a_failover_within_the_cluster() -> None:
    """A reader becomes the writer and the writer a reader: the group follows."""
    cluster = Cluster()
    cluster.minutes(10)

    cluster.rds.members = {"sales-1": False, "sales-2": True, "sales-3": False}
    cluster.dns.rotate(A, C, hostname=READER_ENDPOINT, ttl=1.0)
    cluster.minutes(2)

    assert cluster.live() == {A, C}


def test_the_client_is_made_when_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Listeners without members never load the model of Amazon RDS."""
    world = World()
    world.elb.add()
    world.dns.set(A)
    monkeypatch.setattr("target_sync.members.client", lambda: pytest.fail("made"))
    world.restart()

    world.minutes(1)

    assert world.live() == {A}
    assert isinstance(world.fleet.members, Members)

"""`doctor --around` on a deployed service: CloudWatch has metrics of the minutes, the logs have their lines."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Site

NLB, PRIVATELINK = "AWS/NetworkELB", "AWS/PrivateLinkServices"
NEW, FLOWS = (PRIVATELINK, "NewConnections"), (NLB, "NewFlowCount_TCP")
BLOCKED_IN = (NLB, "SecurityGroupBlockedFlowCount_Inbound_TCP")
BLOCKED_OUT = (NLB, "SecurityGroupBlockedFlowCount_Outbound_TCP")
REJECT = (
    "7 eni-0123456789abcdef0 euc1-az1 subnet-0123456789abcdef0 127.0.0.77 127.0.0.10 127.0.0.77 127.0.0.10 41234 5432 "
    "6 1 60 1769868000 1769868030 REJECT OK 2 egress - -"
)


class Minute:
    """A minute of its own for each test: hours before now, so that nobody else's data is near.

    Args:
        site: The account.
        hours: How long ago.
    """

    def __init__(self, site: Site, hours: int) -> None:
        self._site = site
        now = dt.datetime.now(dt.UTC).replace(second=0, microsecond=0)
        self.at = now - dt.timedelta(hours=hours)

    def count(self, metric: tuple[str, str], value: float, minutes: int = 0, **dimensions: str) -> None:
        """Have AWS count something in this minute, or some minutes later."""
        namespace, name = metric
        arn = self._site.client("elbv2").describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
        own = {
            NLB: {"LoadBalancer": arn.partition(":loadbalancer/")[2]},
            PRIVATELINK: {"Service Id": self._site.service_id},
        }[namespace]
        self._site.client("cloudwatch").put_metric_data(
            Namespace=namespace,
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": key, "Value": each} for key, each in (own | dimensions).items()],
                    "Timestamp": self.at + dt.timedelta(minutes=minutes, seconds=20),
                    "Value": value,
                }
            ],
        )

    def log(self, part: str, text: str, minutes: int = 0) -> None:
        """Write a line into one of the stack's log groups."""
        logs = self._site.client("logs")
        (group,) = (
            each["logGroupName"] for each in logs.describe_log_groups()["logGroups"] if part in each["logGroupName"]
        )
        stream = f"test-{self.at:%H%M}-{minutes}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        at = self.at + dt.timedelta(minutes=minutes, seconds=30)
        logs.put_log_events(
            logGroupName=group,
            logStreamName=stream,
            logEvents=[{"timestamp": int(at.timestamp() * 1000), "message": text}],
        )

    def asked(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the first finding of the hop, and what was counted."""
        document = self._site.run("doctor", "--json", "--around", self.at.isoformat()).document
        hop = document["hops"][-1]
        assert hop["hop"] == "Traffic then"
        return hop["findings"][0], document["around"]


@pytest.mark.parametrize(
    ("hours", "counts", "verdict", "words"),
    [
        (2, {NEW: 3, FLOWS: 3}, "ok", "3 connections came and none was stopped or reset"),
        (3, {NEW: 4}, "problem", "4 connections came to the endpoint service, and none to the load balancer"),
        (4, {NEW: 5, BLOCKED_IN: 5}, "problem", "5 connections were stopped by inbound rules"),
        (5, {NEW: 2, FLOWS: 2, BLOCKED_OUT: 2}, "problem", "2 connections were stopped by outbound rules"),
        (6, {NEW: 2, FLOWS: 2, (NLB, "TCP_Target_Reset_Count"): 2}, "problem", "targets reset 2"),
        (7, {NEW: 1, FLOWS: 1, (NLB, "TCP_ELB_Reset_Count"): 1}, "problem", "the load balancer reset 1"),
        (8, {}, "unknown", "no connection came to the endpoint service"),
    ],
)
def test_where_it_ended(site: Site, hours: int, counts: dict[tuple[str, str], float], verdict: str, words: str) -> None:
    """The counts are read under AWS's own names and dimensions, and told as the station where connections ended."""
    minute = Minute(site, hours)
    for metric, value in counts.items():
        minute.count(metric, value)

    finding, around = minute.asked()

    assert finding["verdict"] == verdict
    assert words in finding["evidence"]
    total = sum(row["new_connections"] or 0 for row in around["minutes"])
    assert total == counts.get(NEW, 0)


def test_what_belongs_to_others_and_to_other_minutes_is_left_out(site: Site) -> None:
    """Only this service's counts of the five minutes before and after: no other load balancer's, none of before."""
    minute = Minute(site, 9)
    minute.count(NEW, 1, minutes=-5)
    minute.count(NEW, 2, minutes=5)
    minute.count(NEW, 10, minutes=-6)
    minute.count(NEW, 20, minutes=6)
    minute.count(NEW, 40, 0, **{"Service Id": "vpce-svc-0123456789abcdef0"})
    minute.count(FLOWS, 80, LoadBalancer="net/other/0123456789abcdef")

    finding, around = minute.asked()

    assert "3 connections came to the endpoint service, and none to the load balancer" in finding["evidence"]
    assert [row["new_connections"] for row in around["minutes"]] == [1, *[None] * 9, 2]


def test_rejected_records(site: Site) -> None:
    """A record of flow logs that says REJECT is the evidence; accepted ones are not, nor those of another hour."""
    minute = Minute(site, 10)
    minute.count(NEW, 1)
    minute.count(FLOWS, 1)
    minute.log("FlowLogs", REJECT)
    minute.log("FlowLogs", REJECT.replace("REJECT", "ACCEPT"), minutes=1)
    minute.log("FlowLogs", REJECT, minutes=30)

    finding, around = minute.asked()

    assert finding["verdict"] == "problem"
    assert finding["evidence"] == f"flow logs have 1 rejected records; the last one: {REJECT}"
    assert around["rejects"] == [REJECT]


def test_the_functions_log(site: Site) -> None:
    """A failover that the function followed is told; where it failed, that is the problem."""
    minute = Minute(site, 11)
    minute.count(NEW, 1)
    minute.count(FLOWS, 1)
    changed = {"message": "changed", "listener": "main", "registered": ["127.0.1.10:5432"], "cause": "failover"}
    failed = {"level": "ERROR", "message": "listener failed", "listener": "main", "cause": "SERVFAIL: no answer"}
    minute.log("TargetSync", json.dumps(changed), minutes=-1)

    finding, around = minute.asked()
    assert finding["verdict"] == "ok"
    assert [(each["what"], each["why"]) for each in around["changes"]] == [("registered 127.0.1.10:5432", "failover")]

    minute.log("TargetSync", json.dumps(failed), minutes=2)
    finding, around = minute.asked()
    assert finding["verdict"] == "problem"
    assert "SERVFAIL: no answer" in finding["evidence"]
    assert len(around["failures"]) == 1


def test_what_a_person_reads(site: Site) -> None:
    """A line a minute, the minute that was asked for marked, in 80 columns."""
    minute = Minute(site, 12)
    minute.count(NEW, 7, minutes=-2)

    out = site.run("doctor", "--around", minute.at.isoformat(), columns=80).out

    assert max(map(len, out.splitlines())) <= 80
    assert re.search(rf"^  {minute.at - dt.timedelta(minutes=2):%H:%M} +7$", out, re.MULTILINE)
    assert re.search(rf"^  {minute.at:%H:%M} < +-$", out, re.MULTILINE)

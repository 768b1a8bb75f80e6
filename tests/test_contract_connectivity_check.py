"""What the connectivity check's construct sends is what its function parses, and what it measures is what is sent."""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from connectivity_check import probe, report
from connectivity_check.settings import Settings
from constructs_pg import PostgresConnectivityCheck


@pytest.fixture(scope="module")
def check() -> PostgresConnectivityCheck:
    """Return a check whose options differ from the defaults where the function reads them."""
    stack = cdk.Stack(cdk.App(analytics_reporting=False), "Stack")
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    return PostgresConnectivityCheck(
        stack,
        "Check",
        vpc=vpc,
        endpoint_service_name="com.amazonaws.vpce.eu-central-1.vpce-svc-0123456789abcdef0",
        ports=[5432, 5433],
        tls_required=True,
    )


def test_environment(check: PostgresConnectivityCheck) -> None:
    """Every variable is read, and none is missing."""
    functions = Template.from_stack(cdk.Stack.of(check)).find_resources("AWS::Lambda::Function").values()
    (function,) = (each["Properties"] for each in functions if "connectivity_check" in each["Properties"]["Handler"])
    variables = {**function["Environment"]["Variables"], "HOST": "vpce.example.com"}

    assert set(variables) == {"CHECK", "HOST", "PORTS", "TIMEOUT_SECONDS", "TLS_REQUIRED"}
    assert Settings.from_environment(variables) == Settings(
        check=check.check_name, host="vpce.example.com", ports=(5432, 5433), timeout=5.0, tls_required=True
    )


def test_handler_exists(check: PostgresConnectivityCheck) -> None:
    """The configured name is a function of the staged package."""
    resource = check.function.node.default_child
    module, _, function = str(getattr(resource, "handler", "")).rpartition(".")

    assert callable(getattr(__import__(module, fromlist=[function]), function))


@pytest.mark.parametrize("failure", ["", *probe.FAILURES])
def test_metrics(failure: str, check: PostgresConnectivityCheck, capsys: pytest.CaptureFixture[str]) -> None:
    """Each metric of the construct is one that the function sends: namespace, name and dimensions."""
    answer = probe.Probe("10.0.0.5", 5432, failure, seconds=None if failure else 0.002, tls=None if failure else False)
    report.report(check.check_name, 5432, [answer], tls_required=False)
    line: dict[str, Any] = json.loads(capsys.readouterr().out)
    sent = {
        (directive["Namespace"], metric["Name"], *((name, line[name]) for name in names))
        for directive in line["_aws"]["CloudWatchMetrics"]
        for names in directive["Dimensions"]
        for metric in directive["Metrics"]
    }

    wanted = (
        [check.metric_failures(), check.metric_failures(failure=failure)]
        if failure
        else [check.metric_latency(), check.metric_unencrypted()]
    )
    assert sent == {(metric.namespace, metric.metric_name, *(metric.dimensions or {}).items()) for metric in wanted}

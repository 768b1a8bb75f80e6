"""`request`: what is sent to consumers, ready to copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.request import request_texts

if TYPE_CHECKING:
    from tests.cli.conftest import Site


def test_texts_are_the_outputs_of_that_name() -> None:
    """By consumer, in order; the other outputs are none."""
    outputs = {"RequestDbtPlatform": "b", "RequestClickPipes": "a", "AcceptCommand": "x", "Zones": "y"}

    assert list(request_texts(outputs).items()) == [("ClickPipes", "a"), ("DbtPlatform", "b")]


def test_the_text_is_printed_as_it_is(site: Site) -> None:
    """Neither wrapped nor coloured, in any window: it is copied into a mail."""
    text = site.outputs["RequestDbtPlatform"]
    assert f"- VPC Endpoint Service Name: {site.outputs['EndpointServiceName']}\n" in text

    done = site.run("request", columns=40)

    assert (done.code, done.error) == (0, "")
    assert done.out == f"{text}\n"


def test_as_a_document(site: Site) -> None:
    """With what a consumer needs beside it."""
    done = site.run("request", "--json")

    assert done.document == {
        "service": "orders",
        "endpoint_service_name": site.outputs["EndpointServiceName"],
        "region": "eu-central-1",
        "requests": {"DbtPlatform": site.outputs["RequestDbtPlatform"]},
    }

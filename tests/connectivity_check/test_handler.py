"""An invocation: all ports at all addresses, one line each that people and CloudWatch read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from connectivity_check import handler
from connectivity_check.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

Lines = list[dict[str, Any]]


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[Any, Lines]]:
    """Run the function against a host's addresses and ports; returns its answer and its log lines."""

    def run(addresses: list[str], *ports: int, tls_required: bool = False) -> tuple[Any, Lines]:
        def resolve(host: str) -> list[str]:
            assert host == "vpce.example.com"
            if not addresses:
                raise OSError(-2, "Name or service not known")
            return addresses

        monkeypatch.setattr(handler, "addresses", resolve)
        monkeypatch.setenv("CHECK", "Check")
        monkeypatch.setenv("HOST", "vpce.example.com")
        monkeypatch.setenv("PORTS", " ".join(map(str, ports)))
        monkeypatch.setenv("TIMEOUT_SECONDS", "30")
        monkeypatch.setenv("TLS_REQUIRED", "true" if tls_required else "false")
        answer = handler.handle({"action": "check"}, None)
        return answer, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def metrics(line: dict[str, Any]) -> dict[tuple[str, ...], float]:
    """Return a line's metrics: values by name and values of the dimensions, as CloudWatch takes them."""
    found = {}
    for directive in line["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"] == "PgPrivateLink"
        for names in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                found[(metric["Name"], *(line[name] for name in names))] = line[metric["Name"]]
    return found


def test_a_path_that_works(serve: Callable[..., Any], check: Callable[..., tuple[Any, Lines]]) -> None:
    """Latency is sent, and nothing that is billed for being zero."""
    server = serve(b"S")

    answer, (line,) = check(["127.0.0.1"], server.port)

    assert answer["works"] is True
    (port,) = answer["ports"]
    assert (port["port"], port["failure"], port["tls"]) == (server.port, "", True)
    assert (line["level"], line["message"]) == ("INFO", "path works")
    assert metrics(line) == {("Latency", "Check", str(server.port)): port["milliseconds"]}


def test_a_server_without_tls(serve: Callable[..., Any], check: Callable[..., tuple[Any, Lines]]) -> None:
    """It is reported, and no failure unless TLS is required."""
    server = serve(b"N")

    answer, (line,) = check(["127.0.0.1"], server.port)

    assert (answer["works"], answer["ports"][0]["tls"]) == (True, False)
    assert metrics(line).keys() == {("Latency", "Check", str(server.port)), ("Unencrypted", "Check", str(server.port))}


def test_tls_that_is_required(serve: Callable[..., Any], check: Callable[..., tuple[Any, Lines]]) -> None:
    """Then a server without TLS is a failure of its own class, and no latency says that all is well."""
    server = serve(b"N")

    answer, (line,) = check(["127.0.0.1"], server.port, tls_required=True)

    port = str(server.port)
    assert (answer["works"], answer["ports"][0]["failure"]) == (False, "no-tls")
    assert metrics(line) == {
        ("Failures", "Check", port): 1,
        ("Failures", "Check", port, "no-tls"): 1,
        ("Unencrypted", "Check", port): 1,
    }


def test_one_zone_of_two_fails(serve: Callable[..., Any], check: Callable[..., tuple[Any, Lines]]) -> None:
    """Consumers come in through all zones: one that does not work is a failure, and the line says which."""
    server = serve(b"S", "127.0.0.1")

    answer, (line,) = check(["127.0.0.1", "127.0.0.2"], server.port)

    port = str(server.port)
    assert answer["works"] is False
    assert {each["address"]: each["failure"] for each in answer["ports"][0]["addresses"]} == {
        "127.0.0.1": "",
        "127.0.0.2": "refused",
    }
    assert (line["level"], line["message"]) == ("ERROR", "path is broken")
    assert metrics(line) == {("Failures", "Check", port): 1, ("Failures", "Check", port, "refused"): 1}


def test_ports_are_independent(serve: Callable[..., Any], check: Callable[..., tuple[Any, Lines]]) -> None:
    """Each port has its line; one that fails hides none."""
    works, fails = serve(b"S"), serve(b"HTTP/1.1 400")

    answer, found = check(["127.0.0.1"], works.port, fails.port)

    assert [(line["port"], line["failure"]) for line in found] == [(works.port, ""), (fails.port, "not-postgres")]
    assert answer["works"] is False


def test_an_endpoint_without_addresses(check: Callable[..., tuple[Any, Lines]]) -> None:
    """A connection that waits to be accepted has none; that is told for every port, with the resolver's words."""
    answer, found = check([], 5432, 5433)

    assert answer["works"] is False
    assert [(line["port"], line["failure"]) for line in found] == [(5432, "dns"), (5433, "dns")]
    assert "Name or service not known" in found[0]["addresses"][0]["cause"]
    assert [metrics(line)["Failures", "Check", line["Port"], "dns"] for line in found] == [1, 1]


@pytest.mark.parametrize("broken", [{"PORTS": "x"}, {"TIMEOUT_SECONDS": ""}, {"HOST": None}])
def test_settings_that_are_none(broken: dict[str, str | None]) -> None:
    """A function that cannot know what to check says so."""
    whole = {"CHECK": "Check", "HOST": "a.example.com", "PORTS": "5432", "TIMEOUT_SECONDS": "5"}
    environment = {name: value for name, value in (whole | broken).items() if value is not None}

    with pytest.raises(SettingsError, match="lacks a setting, or has one that is none"):
        Settings.from_environment(environment)

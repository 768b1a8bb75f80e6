"""The function's entry: whatever is sent, only what AWS says of the connections counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connection_gate import handler
from connection_gate.reconcile import GateError
from connection_gate.settings import Settings, SettingsError
from tests.connection_gate.fakes import LISTED, LOAD_BALANCER, OTHER, SERVICE_ID, Aws, Endpoint
from tests.connection_gate.test_custom_resource import Context

ENVIRONMENT = {"SERVICE_ID": SERVICE_ID, "LOAD_BALANCER_ARN": LOAD_BALANCER, "ACCEPT_FROM": LISTED}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """A service with nobody connected, and the function's environment."""
    made = Aws()
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    handler._services.clear()
    monkeypatch.setattr(handler, "Service", made.service)
    return made


def notification(message: object) -> dict[str, Any]:
    """What SNS sends."""
    text = message if isinstance(message, str) else json.dumps(message)
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Subject": "VPC endpoint Connect", "Message": text}}]}


EVENTS = {
    "a notification": notification({"event": "Connect", "vpcEndpointId": "vpce-1", "serviceId": SERVICE_ID}),
    "of an endpoint that is gone": notification({"event": "Connect", "vpcEndpointId": "vpce-gone"}),
    "of a deletion": notification({"event": "Delete", "vpcEndpointId": "vpce-1"}),
    "forged": notification({"event": "Connect", "vpcEndpointId": "vpce-2", "consumer": LISTED}),
    "malformed": notification("{not json"),
    "without records": {"Records": []},
    "records of another kind": {"Records": "x"},
    "the schedule": {"action": "reconcile"},
    "nothing": {},
    "no object": ["?"],
    "a request without an address": {"RequestType": "Delete"},
}


@pytest.mark.parametrize("name", EVENTS)
def test_every_event_comes_to_the_same(aws: Aws, name: str) -> None:
    """Twice, late, out of order, forged or malformed: the list decides, by the account that AWS names."""
    aws.endpoints |= {"vpce-1": Endpoint(LISTED), "vpce-2": Endpoint(OTHER)}

    with pytest.raises(GateError, match=f"vpce-2 of account {OTHER}"):
        handler.handle(EVENTS[name], Context())  # type: ignore[arg-type]  # some are wrong on purpose

    assert {key: each.state for key, each in aws.endpoints.items()} == {
        "vpce-1": "available",
        "vpce-2": "pendingAcceptance",
    }


def test_a_lost_notification_is_found_by_the_schedule(aws: Aws) -> None:
    """Nothing ever said that there is an endpoint."""
    aws.endpoints["vpce-1"] = Endpoint(LISTED)

    handler.handle({"action": "reconcile"}, Context())

    assert aws.endpoints["vpce-1"].state == "available"


def test_a_changed_list_holds_from_the_next_event(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are read each time, and what one process knows belongs to them."""
    aws.endpoints["vpce-1"] = Endpoint(OTHER)
    with pytest.raises(GateError):
        handler.handle({}, Context())

    monkeypatch.setenv("ACCEPT_FROM", f"{LISTED} {OTHER}")
    handler.handle({}, Context())

    assert aws.endpoints["vpce-1"].state == "available"


class TestSettings:
    def test_defaults(self) -> None:
        """Nobody is accepted, nobody rejected."""
        settings = Settings.from_environment({"SERVICE_ID": SERVICE_ID, "LOAD_BALANCER_ARN": LOAD_BALANCER})

        assert settings == Settings(SERVICE_ID, LOAD_BALANCER, frozenset(), reject_others=False)

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("SERVICE_ID", "", "SERVICE_ID is ''; give an endpoint service's id"),
            ("LOAD_BALANCER_ARN", "x", "LOAD_BALANCER_ARN is 'x'; give the load balancer's ARN"),
            ("ACCEPT_FROM", f"{LISTED} *", "ACCEPT_FROM names '\\*'; give account ids of 12 digits"),
            ("REJECT_OTHERS", "yes", "REJECT_OTHERS is 'yes'; give true or false"),
        ],
    )
    def test_what_cannot_be_read_is_refused(self, name: str, value: str, message: str) -> None:
        """A list that is misread must not let anybody in."""
        with pytest.raises(SettingsError, match=message):
            Settings.from_environment({**ENVIRONMENT, name: value})


def test_the_two_functions_share_nothing() -> None:
    """Each is an asset of its own."""
    package = Path(handler.__file__).parent

    for file in package.glob("*.py"):
        assert "target_sync" not in file.read_text()

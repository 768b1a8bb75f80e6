"""Who is accepted, who is not, and what is said about it, whatever happens meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connection_gate.decide import Connection, decide
from connection_gate.reconcile import GateError, reconcile
from tests.connection_gate.fakes import LISTED, OTHER, Aws, Endpoint, aws_error, make_settings

if TYPE_CHECKING:
    from collections.abc import Callable

STATES = [
    "pendingAcceptance",
    "PendingAcceptance",
    "available",
    "pending",
    "rejected",
    "expired",
    "failed",
    "deleting",
    "deleted",
    "partial",
    "",
]
ACCOUNTS = ["111111111111", LISTED, OTHER, "444444444444", "", "2222"]


def told(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The log lines."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


class TestDecisions:
    @given(
        rows=st.dictionaries(
            st.integers(0, 30).map("vpce-{:017x}".format),
            st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(STATES)),
            max_size=8,
        ),
        listed=st.sets(st.sampled_from(ACCOUNTS[:4])),
        reject_others=st.booleans(),
    )
    def test_nothing_is_accepted_that_the_list_does_not_name(
        self, rows: dict[str, tuple[str, str]], listed: set[str], *, reject_others: bool
    ) -> None:
        """Whatever connections there are: accepted is who waits and is listed; of the others nobody ever."""
        connections = [Connection(key, owner, state.lower()) for key, (owner, state) in rows.items()]

        decision = decide(connections, listed, reject_others=reject_others)

        waiting = {each for each in connections if each.state == "pendingacceptance"}
        assert set(decision.accept) == {each for each in waiting if each.owner in listed}
        others = waiting - set(decision.accept)
        assert set(decision.reject) == (others if reject_others else set())
        assert set(decision.leave) == (set() if reject_others else others)

    @given(
        rows=st.dictionaries(
            st.integers(0, 30).map("vpce-{:017x}".format),
            st.builds(
                Endpoint,
                owner=st.sampled_from(ACCOUNTS),
                state=st.sampled_from(STATES),
                service_id=st.sampled_from(["vpce-svc-0123456789abcdef0", "vpce-svc-other"]),
            ),
            max_size=8,
        ),
        faults=st.dictionaries(
            st.sampled_from(
                [
                    "accept_vpc_endpoint_connections",
                    "reject_vpc_endpoint_connections",
                    "describe_vpc_endpoint_connections",
                ]
            ),
            st.lists(st.just("RequestLimitExceeded"), max_size=3),
        ),
        reject_others=st.booleans(),
        times=st.integers(1, 4),
    )
    def test_no_call_ever_names_an_endpoint_that_is_not_listed(
        self, rows: dict[str, Endpoint], faults: dict[str, list[str]], *, reject_others: bool, times: int
    ) -> None:
        """The same of what is really called, again and again, with calls that fail in between."""
        owners = {key: (each.owner, each.service_id) for key, each in rows.items()}
        aws = Aws(rows, faults={name: [aws_error(each) for each in codes] for name, codes in faults.items()})
        settings = make_settings(reject_others=reject_others)

        for _ in range(times):
            try:
                reconcile(aws.service(settings), settings)
            except Exception as error:  # noqa: BLE001  # what fails is not the subject
                assert type(error).__name__ in {"GateError", "ClientError"}  # noqa: PT017

        ours = "vpce-svc-0123456789abcdef0"
        for endpoints in aws.called("accept_vpc_endpoint_connections"):
            assert {owners[each] for each in endpoints} == {(LISTED, ours)}
        for endpoints in aws.called("reject_vpc_endpoint_connections"):
            assert reject_others
            assert all(owners[each][0] != LISTED and owners[each][1] == ours for each in endpoints)


class TestListed:
    def test_a_listed_account_is_accepted(self, capsys: pytest.CaptureFixture[str]) -> None:
        """On any page of AWS's list."""
        aws = Aws({f"vpce-{number}": Endpoint(LISTED) for number in range(5)})

        reconcile(aws.service(), make_settings())

        assert {each.state for each in aws.endpoints.values()} == {"available"}
        assert [(line["message"], line["account"]) for line in told(capsys)] == [("accepted a connection", LISTED)] * 5

    @pytest.mark.parametrize("state", ["rejected", "available", "expired", "failed", "deleting"])
    def test_what_does_not_wait_is_left_alone(self, state: str) -> None:
        """A person who rejected one decided something: it is not accepted after all."""
        aws = Aws({"vpce-1": Endpoint(LISTED, state)})

        reconcile(aws.service(), make_settings())

        assert aws.endpoints["vpce-1"].state == state
        assert [name for name, _ in aws.calls] == ["describe_vpc_endpoint_connections"]

    def test_twice_is_once(self) -> None:
        """A notification that comes again finds nothing to do."""
        aws = Aws({"vpce-1": Endpoint(LISTED)})

        for _ in range(2):
            reconcile(aws.service(), make_settings())

        assert aws.called("accept_vpc_endpoint_connections") == [("vpce-1",)]

    def test_two_at_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Another invocation is a moment faster: AWS then reports the endpoint, and nothing is wrong."""
        aws = Aws({"vpce-1": Endpoint(LISTED)})

        def other(operation: str) -> None:
            if operation == "accept_vpc_endpoint_connections":
                aws.endpoints["vpce-1"].state = "available"

        aws.before = other

        reconcile(aws.service(), make_settings())

        assert [(line["level"], line["waits"]) for line in told(capsys)] == [("INFO", False)]

    def test_the_consumer_deletes_meanwhile(self, capsys: pytest.CaptureFixture[str]) -> None:
        """What is gone does not wait; the others of the same call are accepted."""
        aws = Aws({"vpce-1": Endpoint(LISTED), "vpce-2": Endpoint(LISTED)})

        def deleted(operation: str) -> None:
            if operation == "accept_vpc_endpoint_connections":
                del aws.endpoints["vpce-1"]

        aws.before = deleted

        reconcile(aws.service(), make_settings())

        assert aws.endpoints["vpce-2"].state == "available"
        assert {line["level"] for line in told(capsys)} == {"INFO"}

    def test_an_acceptance_that_aws_refuses_is_an_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        """If it still waits afterwards, somebody must know."""
        aws = Aws({"vpce-1": Endpoint(LISTED), "vpce-2": Endpoint(LISTED)})
        settle = aws._settle

        def refuse(service_id: str, endpoints: list[str], states: set[str], state: str) -> dict[str, object]:
            settle(service_id, [each for each in endpoints if each != "vpce-1"], states, state)
            return {"Unsuccessful": [{"ResourceId": "vpce-1", "Error": {"Code": "Odd", "Message": "no"}}]}

        aws._settle = refuse  # type: ignore[method-assign,assignment]

        with pytest.raises(GateError, match="vpce-1: Odd: no"):
            reconcile(aws.service(), make_settings())

        assert aws.endpoints["vpce-2"].state == "available"
        assert ("ERROR", "vpce-1") in {(line["level"], line["endpoint"]) for line in told(capsys)}

    def test_a_throttled_acceptance_is_made_up_for_by_the_next_look(self) -> None:
        """After the SDK's own attempts the function gives up for now, and says so."""
        aws = Aws({"vpce-1": Endpoint(LISTED)})
        aws.faults["accept_vpc_endpoint_connections"] = [aws_error("RequestLimitExceeded")]

        with pytest.raises(GateError, match="RequestLimitExceeded"):
            reconcile(aws.service(), make_settings())
        assert aws.endpoints["vpce-1"].state == "pendingAcceptance"

        reconcile(aws.service(), make_settings())
        assert aws.endpoints["vpce-1"].state == "available"


class TestOthers:
    def test_they_wait_and_are_reported(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The error makes the function's free metric tell the alarm; who is listed is accepted before."""
        aws = Aws({"vpce-1": Endpoint(OTHER), "vpce-2": Endpoint(LISTED)})

        with pytest.raises(GateError, match=f"waiting, and not listed: vpce-1 of account {OTHER}"):
            reconcile(aws.service(), make_settings())

        assert {key: each.state for key, each in aws.endpoints.items()} == {
            "vpce-1": "pendingAcceptance",
            "vpce-2": "available",
        }
        (line,) = (line for line in told(capsys) if line["level"] == "ERROR")
        assert (line["endpoint"], line["account"]) == ("vpce-1", OTHER)

    def test_they_are_rejected_by_choice(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Then nobody needs to look."""
        aws = Aws({"vpce-1": Endpoint(OTHER), "vpce-2": Endpoint(LISTED)})
        settings = make_settings(reject_others=True)

        reconcile(aws.service(settings), settings)

        assert {key: each.state for key, each in aws.endpoints.items()} == {"vpce-1": "rejected", "vpce-2": "available"}
        assert {line["message"] for line in told(capsys)} == {"accepted a connection", "rejected a connection"}

    @pytest.mark.parametrize("reject_others", [True, False])
    def test_a_connected_one_is_told_and_not_cut(
        self, capsys: pytest.CaptureFixture[str], *, reject_others: bool
    ) -> None:
        """Taking an account from the list, or a principal away, cuts nobody: that is a person's decision."""
        aws = Aws({"vpce-1": Endpoint(OTHER, "available")})
        settings = make_settings(reject_others=reject_others)

        reconcile(aws.service(settings), settings)

        assert aws.endpoints["vpce-1"].state == "available"
        assert [(line["level"], line["message"]) for line in told(capsys)] == [("WARN", "connected, and not listed")]

    def test_another_services_connections_are_not_ours(self) -> None:
        """Even if AWS listed them."""
        aws = Aws({"vpce-1": Endpoint(LISTED, service_id="vpce-svc-other"), "vpce-2": Endpoint(OTHER, "", "x")})

        reconcile(aws.service(), make_settings())

        assert [name for name, _ in aws.calls] == ["describe_vpc_endpoint_connections"]


@pytest.mark.parametrize(
    "arrange",
    [
        lambda aws: aws.faults.update(accept_vpc_endpoint_connections=[aws_error("UnauthorizedOperation")]),
        lambda aws: aws.faults.update(reject_vpc_endpoint_connections=[aws_error("UnauthorizedOperation")]),
    ],
)
def test_one_failure_does_not_stop_the_other(arrange: Callable[[Aws], None]) -> None:
    """Everything else is done before it is raised."""
    aws = Aws({"vpce-1": Endpoint(OTHER), "vpce-2": Endpoint(LISTED)})
    arrange(aws)
    settings = make_settings(reject_others=True)

    with pytest.raises(GateError, match="UnauthorizedOperation"):
        reconcile(aws.service(settings), settings)

    assert len(aws.called("accept_vpc_endpoint_connections")) == 1
    assert len(aws.called("reject_vpc_endpoint_connections")) == 1
    assert [each.state for each in aws.endpoints.values()].count("pendingAcceptance") == 1

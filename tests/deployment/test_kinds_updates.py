"""A listener's Postgres becomes one of another kind, and what else changes in place, one deployment after the other.

Each deployment changes several listeners, since it costs seconds: `main` changes its kind, `fixed` its addresses,
`left` and `right` swap their ports over a third, `late` comes later, and `steady` stays what it is.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.deployment.kinds import OUTSIDE, Kinds, eventually, make_kinds, synthesize, yaml_file
from tests.updates.refusals import ENDPOINT_SERVICE, LOAD_BALANCER, TARGET_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.deployment.conftest import Site

STACK = "PgPrivateLink-moving"
MAIN, FIXED, STEADY, LATE = 5432, 5433, 5437, 5438
NAMED = "hostname name: main.example.com"
LISTENER = "AWS::ElasticLoadBalancingV2::Listener"
CHANGING = {
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:DeregisterTargets",
    "elasticloadbalancing:RegisterTargets",
}


@pytest.fixture(scope="module")
def kinds(site: Site) -> Iterator[Kinds]:
    """Return the account, and a name for each listener that is followed."""
    with make_kinds(site) as made:
        made.resolve("main.example.com", "127.0.0.20")
        made.resolve("left.example.com", "127.0.0.21")
        made.resolve("right.example.com", "127.0.0.22")
        made.resolve("late.example.com", "127.0.0.23")
        yield made


def deploy(
    kinds: Kinds, main: str, *, addresses: str, left: int, right: int, late: bool = True, observe_only: bool = False
) -> dict[int, str]:
    """Deploy the service like this; returns the target group behind each port.

    Args:
        kinds: The account.
        main: What stands behind the listener `main`, without the port.
        addresses: Those of the listener `fixed`.
        left: The port of the listener of this name.
        right: The port of the listener of this name.
        late: Whether the listener of this name is there.
        observe_only: The option.
    """
    asked = f'port: {kinds.port}, nameservers: ["{kinds.site.name_server.endpoint}"]'
    kind, _, fields = main.partition(" ")
    port = asked if kind == "hostname" else f"port: {kinds.port}"
    more = f"  late: {{port: {LATE}, hostname: {{name: late.example.com, {asked}}}}}" if late else ""
    text = yaml_file(
        kinds,
        f"""moving:
poll_interval: 60
observe_only: {str(observe_only).lower()}
listeners:
  main: {{port: {MAIN}, {kind}: {{{fields}, {port}}}}}
  fixed: {{port: {FIXED}, ip_addresses: {{addresses: [{addresses}], port: {kinds.port}}}}}
  left: {{port: {left}, hostname: {{name: left.example.com, {asked}}}}}
  right: {{port: {right}, hostname: {{name: right.example.com, {asked}}}}}
  steady: {{port: {STEADY}, rds_instance: {{identifier: orders, endpoint: {kinds.site.world.endpoint}, {asked}}}}}
{more}
""",
    )
    synthesize(kinds, text)
    kinds.site.cdk.deploy()
    return kinds.groups(STACK)


def registered(kinds: Kinds, group: str) -> set[str]:
    """Return the targets of a group that are healthy; no other is left."""
    states = kinds.targets(group)
    assert set(states.values()) <= {"healthy"}, states
    return set(states)


def edition(kinds: Kinds) -> str:
    """Return what the schedule says of the table of listeners."""
    return str(json.loads(kinds.minute(STACK))["listeners"])


def actions(kinds: Kinds) -> set[str]:
    """Return the actions that the function's role allows."""
    iam = kinds.site.client("iam")
    (role,) = (each for each in kinds.physical(STACK, "AWS::IAM::Role") if "TargetSync" in each)
    found: set[str] = set()
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        for statement in iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]["Statement"]:
            found |= {statement["Action"]} if isinstance(statement["Action"], str) else {*statement["Action"]}
    return found


def _begin_minute_and_look(kinds: Kinds, name: str) -> None:
    """Let a minute of the function begin, and wait until it has asked for the name."""
    queries = kinds.site.name_server.queries
    asked = queries[name]
    kinds.begin_minute(STACK)
    eventually(lambda: queries[name] > asked, wanted=True)


def _unmoved(kinds: Kinds) -> dict[str, tuple[str, str]]:
    """Return what must stay for ever, by logical id: all but the target groups of `main`, whose kind changes."""
    return {
        logical: each
        for logical, each in kinds.resources(STACK).items()
        if each[0] in {LOAD_BALANCER, ENDPOINT_SERVICE, TARGET_GROUP, LISTENER}
        and not (each[0] == TARGET_GROUP and "Listenersmain" in logical)
    }


def _two_at_once(kinds: Kinds) -> list[int]:
    """Let two processes of the function do a minute's work at the same time; returns how many listeners each knew.

    One that was still at work from before is counted, too.
    """
    kinds.site.name_server.set("right.example.com", ["127.0.0.22"], ttl=1, delay=0.5)  # so that they overlap
    earlier = len(kinds.logged(STACK, "watched"))
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda payload: kinds.invoke(STACK, payload), [kinds.minute(STACK)] * 2))
    assert answers == [(False, None)] * 2
    kinds.resolve("right.example.com", "127.0.0.22")
    eventually(lambda: len(kinds.logged(STACK, "watched")) >= earlier + 2, wanted=True)
    return [line["listeners"] for line in kinds.logged(STACK, "watched")[earlier:]]


def _changes(kinds: Kinds) -> list[dict[str, Any]]:
    """Return the calls that changed a target group, or tried."""
    changing = {"AddTags", "DeregisterTargets", "RegisterTargets"}
    return [each for each in kinds.site.emulator.control.calls("elbv2") if each["action"] in changing]


def test_a_name_becomes_addresses_and_a_new_listener_is_followed(kinds: Kinds) -> None:
    """The listener gets another target group, nothing else moves, and a function that runs learns of the new table."""
    groups = deploy(kinds, NAMED, addresses="127.0.0.24", left=5434, right=5435, late=False)
    before, earlier = _unmoved(kinds), edition(kinds)
    assert registered(kinds, groups[MAIN]) == {"127.0.0.20"}
    assert registered(kinds, groups[FIXED]) == {"127.0.0.24"}
    assert set(_two_at_once(kinds)) == {4}  # `fixed` is not followed, and `late` is not there yet

    after = deploy(
        kinds,
        f"ip_addresses addresses: [127.0.0.25, {OUTSIDE}]",
        addresses=f"127.0.0.26, {OUTSIDE}",
        left=5436,
        right=5435,
    )

    assert {each: _unmoved(kinds).get(each) for each in before} == before
    assert after[MAIN] != groups[MAIN]
    assert registered(kinds, after[MAIN]) == {"127.0.0.25", OUTSIDE}
    assert (after[5436], after[5435]) == (groups[5434], groups[5435])
    eventually(lambda: kinds.targets(after[FIXED]), {"127.0.0.26": "healthy", OUTSIDE: "healthy"})
    assert edition(kinds) != earlier
    assert registered(kinds, after[LATE]) == {"127.0.0.23"}
    assert set(_two_at_once(kinds)) == {4}  # `main` is not followed any more, `late` is, by both
    kinds.resolve("late.example.com", "127.0.0.27")
    kinds.begin_minute(STACK)
    eventually(lambda: kinds.targets(after[LATE]), {"127.0.0.27": "healthy"})


def test_addresses_become_instances_and_observing_changes_nothing(kinds: Kinds) -> None:
    """While the function observes it says what it would do, does nothing, and may do nothing."""
    first, second = kinds.instance_ids
    before = _unmoved(kinds)
    assert actions(kinds) >= CHANGING

    groups = deploy(
        kinds,
        f"ec2_instances ids: [{first}, {second}]",
        addresses="127.0.0.26",
        left=5436,
        right=5434,
        observe_only=True,
    )

    assert _unmoved(kinds) == before
    assert registered(kinds, groups[MAIN]) == {first, second}
    assert actions(kinds).isdisjoint(CHANGING)
    name = "left.example.com"
    kinds.resolve(name, "127.0.0.28")
    called = len(_changes(kinds))
    for _minute in range(2):  # a change that was told does not keep the looks close
        _begin_minute_and_look(kinds, name)
    failed, seen = kinds.invoke(STACK, '{"action": "observe"}')
    assert not failed
    assert seen["listeners"]["left"]["register"] == [f"127.0.0.28:{kinds.port}"]
    eventually(lambda: bool(kinds.logged(STACK, "would change")), wanted=True)
    told = next(line for line in kinds.logged(STACK, "would change") if "registered" in line)
    assert (told["listener"], told["registered"]) == ("left", [f"127.0.0.28:{kinds.port}"])
    assert registered(kinds, groups[5436]) == {"127.0.0.21"}
    assert len(_changes(kinds)) == called


def test_instances_become_the_name_again_and_what_was_observed_is_done(kinds: Kinds) -> None:
    """The whole way back: the name's target group is made anew, the swap of the ports is complete."""
    before, groups = _unmoved(kinds), kinds.groups(STACK)

    after = deploy(kinds, NAMED, addresses="127.0.0.26", left=5435, right=5434)

    assert _unmoved(kinds) == before
    assert registered(kinds, after[MAIN]) == {"127.0.0.20"}
    assert (after[5435], after[5434]) == (groups[5436], groups[5434])
    assert actions(kinds) >= CHANGING
    kinds.begin_minute(STACK)
    eventually(lambda: kinds.targets(after[5435]), {"127.0.0.28": "healthy"})

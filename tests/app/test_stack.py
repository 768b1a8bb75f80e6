"""The stack of a service: what the YAML file says reaches the resources, and the paths of constructs stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Annotations, Match, Template

from constructs_pg._validation import LOG_RETENTION_DAYS

if TYPE_CHECKING:
    from collections.abc import Callable

_TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"
_LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_SERVICE = """\
account: "111122223333"
region: eu-central-1
services:
  orders:
    vpc:
      id: vpc-0123456789abcdef0
      cidrs: [10.0.0.0/16]
      subnets:
        - {id: subnet-0123456789abcdef0, zone: euc1-az1, cidr: 10.0.0.0/24}
        - {id: subnet-0123456789abcdef1, zone: euc1-az2, cidr: 10.0.1.0/24}
    consumers:
      - principals: ["arn:aws:iam::222222222222:root"]
    listeners:
      main:
"""
_INSTANCE = """\
        rds_instance:
          identifier: orders
          endpoint: orders.abc123.eu-central-1.rds.amazonaws.com
          security_groups: [sg-0123456789abcdef0]
"""
_CLUSTER = """\
        rds_cluster:
          identifier: sales
          endpoint: sales.cluster-abc123.eu-central-1.rds.amazonaws.com
          security_groups: [sg-0123456789abcdef0]
"""
_READERS = """\
        rds_cluster:
          identifier: sales
          role: reader
          endpoint: sales.cluster-ro-abc123.eu-central-1.rds.amazonaws.com
          security_groups: [sg-0123456789abcdef0]
"""
_PROXY = """\
        rds_proxy:
          name: pool
          endpoint: pool.proxy-abc123.eu-central-1.rds.amazonaws.com
          security_groups: [sg-0123456789abcdef0]
"""
_HOSTNAME = """\
        hostname:
          name: postgres.example.com
          security_groups: [sg-0123456789abcdef0]
"""
_ADDRESSES = """\
        ip_addresses:
          addresses: [192.168.10.20, 10.0.0.20]
          security_groups: [sg-0123456789abcdef0]
"""
_SERVERS = """\
        ec2_instances:
          ids: [i-0123456789abcdef0, i-0123456789abcdef1]
          security_groups: [sg-0123456789abcdef0]
"""


def _app(stack: Stack) -> App:
    root = stack.node.root
    assert isinstance(root, App)
    return root


@pytest.mark.parametrize(
    ("database", "tags"),
    [
        (_INSTANCE, {"hostname": "orders.abc123.eu-central-1.rds.amazonaws.com"}),
        (_CLUSTER, {"hostname": "sales.cluster-abc123.eu-central-1.rds.amazonaws.com"}),
        (_READERS, {"hostname": "sales.cluster-ro-abc123.eu-central-1.rds.amazonaws.com", "members": "sales"}),
        (_PROXY, {"hostname": "pool.proxy-abc123.eu-central-1.rds.amazonaws.com"}),
        (_HOSTNAME, {"hostname": "postgres.example.com"}),
    ],
    ids=["instance", "writer", "readers", "proxy", "host name"],
)
def test_a_name_is_followed_on_its_port(database: str, tags: dict[str, str], stack: Callable[[str], Stack]) -> None:
    """The target group says what the function follows; nothing is registered by the template."""
    text = database.replace("          security_groups", "          port: 6432\n          security_groups")
    template = Template.from_stack(stack(_SERVICE + text))

    (group,) = template.find_resources(_TARGET_GROUP).values()
    assert {tag["Key"]: tag["Value"] for tag in group["Properties"]["Tags"]} == {
        "pg-privatelink:listener": "main",
        "pg-privatelink:port": "6432",
        "pg-privatelink:ranges": "10.0.0.0/16",
        **{f"pg-privatelink:{key}": value for key, value in tags.items()},
    }
    assert "Targets" not in group["Properties"]
    _assert_let_in(template, 6432)


def test_what_a_followed_name_may_become_reaches_the_function(stack: Callable[[str], Stack]) -> None:
    """Ranges beside the VPC's, and the name servers to ask."""
    text = f"{_HOSTNAME}          nameservers: [192.0.2.53]\n          allowed_ranges: [192.168.0.0/16]\n"
    template = Template.from_stack(stack(_SERVICE + text))

    (group,) = template.find_resources(_TARGET_GROUP).values()
    tags = {tag["Key"]: tag["Value"] for tag in group["Properties"]["Tags"]}
    assert tags["pg-privatelink:ranges"] == "10.0.0.0/16 192.168.0.0/16"
    assert tags["pg-privatelink:nameservers"] == "192.0.2.53"


@pytest.mark.parametrize(
    ("database", "target_type", "targets"),
    [
        (
            _ADDRESSES,
            "ip",
            # AWS wants it said that an address is outside the VPC, and refuses it of one inside.
            [{"Id": "192.168.10.20", "Port": 6432, "AvailabilityZone": "all"}, {"Id": "10.0.0.20", "Port": 6432}],
        ),
        (
            _SERVERS,
            "instance",
            [{"Id": "i-0123456789abcdef0", "Port": 6432}, {"Id": "i-0123456789abcdef1", "Port": 6432}],
        ),
    ],
    ids=["addresses", "EC2"],
)
def test_fixed_targets_are_in_the_template_and_need_no_function(
    database: str, target_type: str, targets: list[dict[str, Any]], stack: Callable[[str], Stack]
) -> None:
    """CloudFormation registers them; there is nothing to follow."""
    text = database.replace("          security_groups", "          port: 6432\n          security_groups")
    template = Template.from_stack(stack(_SERVICE + text))

    template.has_resource_properties(_TARGET_GROUP, {"TargetType": target_type, "Targets": targets})
    template.resource_count_is("AWS::Lambda::Function", 0)
    _assert_let_in(template, 6432)


def _assert_let_in(template: Template, port: int) -> None:
    """Assert that the database's group admits the load balancer's group and its subnets, and nothing else."""
    rules = [each["Properties"] for each in template.find_resources("AWS::EC2::SecurityGroupIngress").values()]
    assert {(rule["GroupId"], rule["FromPort"], rule["ToPort"]) for rule in rules} == {
        ("sg-0123456789abcdef0", port, port)
    }
    assert sorted(rule.get("CidrIp", "load balancer") for rule in rules) == [
        "10.0.0.0/24",
        "10.0.1.0/24",
        "load balancer",
    ]


@pytest.mark.parametrize(
    ("database", "path"),
    [
        (_INSTANCE, "Instance"),
        (_CLUSTER, "Cluster"),
        (_READERS, "Cluster"),
        (_PROXY, "Proxy"),
        (_HOSTNAME, None),
        (_ADDRESSES, None),
        (_SERVERS, None),
    ],
    ids=["instance", "writer", "readers", "proxy", "host name", "addresses", "EC2"],
)
def test_the_paths_of_imported_databases_are_a_contract(
    database: str, path: str | None, stack: Callable[[str], Stack]
) -> None:
    """What is imported stands below `Databases/<listener>`; renaming it could rename resources of released stacks."""
    made = stack(_SERVICE + database)

    main = made.node.find_child("Databases").node.find_child("main")
    expected = {"sg-0123456789abcdef0"} | ({path} if path else set())
    assert {child.node.id for child in main.node.children} == expected
    assert made.node.find_child("Service").node.find_child("Listeners").node.find_child("main")


@pytest.mark.parametrize(
    "database",
    [_INSTANCE, _CLUSTER, _READERS, _PROXY, _HOSTNAME, _ADDRESSES, _SERVERS],
    ids=["instance", "writer", "readers", "proxy", "host name", "addresses", "EC2"],
)
def test_a_vpc_can_be_looked_up_for_every_kind(database: str, stack: Callable[[str], Stack]) -> None:
    """The first synthesis knows nothing of the VPC; it must end, and say what is to be looked up."""
    start, end = _SERVICE.index("      id: vpc"), _SERVICE.index("    consumers:")
    made = stack(f"{_SERVICE[:start]}      lookup: {{tags: {{Name: main}}}}\n{_SERVICE[end:]}{database}")

    folder = Path(_app(made).synth().directory)

    (missing,) = json.loads((folder / "manifest.json").read_text())["missing"]
    assert missing["provider"] == "vpc-provider"


def test_health_checks_are_the_listeners(stack: Callable[[str], Stack]) -> None:
    """Each listener has its own; one that says nothing has the defaults."""
    text = _SERVICE + _INSTANCE.replace(
        "        rds_instance:",
        "        health_check: {interval: 30, healthy_threshold: 3, unhealthy_threshold: 4}\n        rds_instance:",
    )
    text += "      other:\n        port: 5433\n" + _HOSTNAME
    template = Template.from_stack(stack(text))

    for name, interval, healthy, unhealthy in (("main", 30, 3, 4), ("other", 10, 2, 2)):
        template.has_resource_properties(
            _TARGET_GROUP,
            {
                "Tags": Match.array_with([{"Key": "pg-privatelink:listener", "Value": name}]),
                "HealthCheckIntervalSeconds": interval,
                "HealthyThresholdCount": healthy,
                "UnhealthyThresholdCount": unhealthy,
            },
        )


def test_fixed_private_addresses_are_the_load_balancers(stack: Callable[[str], Stack]) -> None:
    """Each in its subnet."""
    text = _SERVICE.replace("10.0.0.0/24}", "10.0.0.0/24, private_ipv4_address: 10.0.0.10}")
    text = text.replace("10.0.1.0/24}", "10.0.1.0/24, private_ipv4_address: 10.0.1.11}")
    template = Template.from_stack(stack(text + _INSTANCE))

    template.has_resource_properties(
        _LOAD_BALANCER,
        {
            "SubnetMappings": [
                {"SubnetId": "subnet-0123456789abcdef0", "PrivateIPv4Address": "10.0.0.10"},
                {"SubnetId": "subnet-0123456789abcdef1", "PrivateIPv4Address": "10.0.1.11"},
            ],
            "Subnets": Match.absent(),
        },
    )


@pytest.mark.parametrize(
    ("setting", "deletion_policy"),
    [
        ("", "Delete"),
        ("removal_policy: delete", "Delete"),
        ("removal_policy: retain", "RetainExceptOnCreate"),
    ],
    ids=["default", "delete", "retain"],
)
def test_removal_is_one_policy_for_all_that_a_consumer_depends_on(
    setting: str, deletion_policy: str, stack: Callable[[str], Stack]
) -> None:
    """Half of it retained would be useless; of a first deployment that fails nothing is retained."""
    text = _SERVICE.replace("    listeners:\n", f"    {setting}\n    listeners:\n")
    template = Template.from_stack(stack(text + _INSTANCE))

    for kind in (_LOAD_BALANCER, _TARGET_GROUP, "AWS::EC2::VPCEndpointService"):
        template.has_resource(kind, {"DeletionPolicy": deletion_policy})


@pytest.mark.parametrize("setting", [True, False])
def test_deletion_protection_is_the_load_balancers(setting: bool, stack: Callable[[str], Stack]) -> None:
    """It is an attribute of its own, beside the policy of the stack."""
    text = _SERVICE.replace("    listeners:\n", f"    deletion_protection: {str(setting).lower()}\n    listeners:\n")
    template = Template.from_stack(stack(text + _INSTANCE))

    attribute = {"Key": "deletion_protection.enabled", "Value": str(setting).lower()}
    template.has_resource_properties(_LOAD_BALANCER, {"LoadBalancerAttributes": Match.array_with([attribute])})


def test_observing_is_told_to_the_function(stack: Callable[[str], Stack]) -> None:
    """It then may register nothing, whatever it finds."""
    text = _SERVICE.replace("    listeners:\n", "    observe_only: true\n    listeners:\n")
    template = Template.from_stack(stack(text + _INSTANCE))

    template.has_resource_properties(
        "AWS::Lambda::Function", {"Environment": {"Variables": Match.object_like({"OBSERVE_ONLY": "true"})}}
    )
    statements = [
        statement
        for policy in template.find_resources("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    assert "elasticloadbalancing:RegisterTargets" not in str(statements)


_KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_FUNCTION = """\
    function:
      subnets:
        - {id: subnet-0123456789abcdef2, zone: euc1-az1, cidr: 10.0.2.0/24}
        - {id: subnet-0123456789abcdef3, zone: euc1-az2, cidr: 10.0.3.0/24}
"""


def _with(settings: str) -> str:
    return _SERVICE.replace("    listeners:\n", f"{settings}    listeners:\n") + _INSTANCE


def test_functions_run_in_their_subnets_with_their_groups(stack: Callable[[str], Stack]) -> None:
    """Each as it is given, and no group is made beside the load balancer's."""
    text = _with(_FUNCTION + "      security_groups: [sg-0123456789abcdef1, sg-0123456789abcdef2]\n")
    template = Template.from_stack(stack(text))

    for function in template.find_resources("AWS::Lambda::Function").values():
        assert function["Properties"]["VpcConfig"] == {
            "SubnetIds": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"],
            "SecurityGroupIds": ["sg-0123456789abcdef1", "sg-0123456789abcdef2"],
        }
    assert template.find_resources("AWS::Lambda::Function")
    template.resource_count_is("AWS::EC2::SecurityGroup", 1)


def test_functions_in_the_vpc_get_a_group_where_none_is_given(stack: Callable[[str], Stack]) -> None:
    """It may reach AWS's API and DNS servers."""
    template = Template.from_stack(stack(_with(_FUNCTION)))

    template.has_resource_properties(
        "AWS::EC2::SecurityGroup",
        {"SecurityGroupEgress": Match.array_with([Match.object_like({"FromPort": 443, "ToPort": 443})])},
    )
    template.all_resources_properties("AWS::Lambda::Function", {"VpcConfig": Match.any_value()})


def test_functions_run_in_a_vpc_that_is_looked_up(stack: Callable[[str], Stack]) -> None:
    """Their subnets are known before the VPC is."""
    text = _with(_FUNCTION)
    start, end = text.index("      id: vpc"), text.index("    consumers:")
    template = Template.from_stack(stack(f"{text[:start]}      lookup: {{tags: {{Name: main}}}}\n{text[end:]}"))

    template.all_resources_properties(
        "AWS::Lambda::Function",
        {"VpcConfig": Match.object_like({"SubnetIds": ["subnet-0123456789abcdef2", "subnet-0123456789abcdef3"]})},
    )


def test_a_given_role_is_used_as_it_is(stack: Callable[[str], Stack]) -> None:
    """Neither a role nor a policy is made for the function that follows DNS; a warning says what is needed."""
    role = "arn:aws:iam::111122223333:role/network/PgPrivateLink"
    made = stack(_with(f'    function: {{role: "{role}"}}\n'))
    template = Template.from_stack(made)

    template.has_resource_properties("AWS::Lambda::Function", {"Handler": "target_sync.handler.handle", "Role": role})
    own = stack(_with(""))
    others = len(Template.from_stack(own).find_resources("AWS::IAM::Role")) - 1
    template.resource_count_is("AWS::IAM::Role", others)
    assert "PgPrivateLink" not in str(template.find_resources("AWS::IAM::Policy"))
    warnings = Annotations.from_stack(made).find_warning("*", Match.string_like_regexp("RegisterTargets"))
    assert len(warnings) == 1


def test_the_boundary_is_that_of_every_role_made_here(stack: Callable[[str], Stack]) -> None:
    """One role without it would be refused where the boundary is demanded."""
    boundary = "arn:aws:iam::111122223333:policy/Boundary"
    template = Template.from_stack(stack(_with(f'    function: {{permissions_boundary: "{boundary}"}}\n')))

    assert template.find_resources("AWS::IAM::Role")
    template.all_resources_properties("AWS::IAM::Role", {"PermissionsBoundary": boundary})


def test_the_key_encrypts_every_log_group_and_environment(stack: Callable[[str], Stack]) -> None:
    """Those of flow logs too; what runs decrypts with it."""
    template = Template.from_stack(stack(_with(f'    encryption_key: "{_KEY}"\n    flow_logs:\n')))

    template.all_resources_properties("AWS::Logs::LogGroup", {"KmsKeyId": _KEY})
    template.all_resources_properties("AWS::Lambda::Function", {"KmsKeyArn": _KEY})
    log_groups = template.find_resources("AWS::Logs::LogGroup")
    assert any("FlowLogs" in name for name in log_groups)
    assert any("TargetSync" in name for name in log_groups)
    template.resource_count_is("AWS::KMS::Key", 0)


@pytest.mark.parametrize("days", LOG_RETENTION_DAYS)
def test_logs_are_kept_as_many_days_as_are_given(days: int, stack: Callable[[str], Stack]) -> None:
    """For each value that CloudWatch Logs knows, in every log group."""
    template = Template.from_stack(stack(_with(f"    log_retention: {days}\n    flow_logs:\n")))

    template.all_resources_properties("AWS::Logs::LogGroup", {"RetentionInDays": days})


def test_without_these_settings_the_template_is_what_it_was(stack: Callable[[str], Stack]) -> None:
    """An empty `function`, and the default written out, add nothing."""
    made = Template.from_stack(stack(_with("")))
    same = Template.from_stack(stack(_with("    function: {}\n    log_retention: 30\n")))

    assert same.to_json() == made.to_json()

"""The update matrix of the YAML file: each field, from its default to another value and back."""

from __future__ import annotations

import copy
from dataclasses import replace
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from pg_privatelink.config import Configuration
from tests.updates.refusals import TARGET_GROUP
from tests.updates.row import Row
from tests.updates.world import Setup, document

DEFAULT = document()
_STAR = {"services": "orders", "listeners": "main"}
_ANOTHER_STACK = (
    "The deployed stack stays as it is. Have the consumers connect to the new service, then destroy the old one"
)
_BLUE = "orders-blue.abcdefghijkl.eu-central-1.rds.amazonaws.com"
_INSTANCE = "services.*.listeners.*.rds_instance"


def fields(model: type[BaseModel] = Configuration, prefix: str = "", *, groups: bool = False) -> set[str]:
    """Return every field of the YAML file, `services.*.poll_interval`: `*` is a name or a place in a list.

    Args:
        model: The group of fields to begin with.
        prefix: Where that group stands.
        groups: Whether required groups of fields are among them, whose fields say all.
    """
    found: set[str] = set()
    for name, field in model.model_fields.items():
        path = f"{prefix}{name}"
        nested = list(_models(field.annotation))
        if groups or not nested or not field.is_required() or nested[0][1]:
            found.add(path)
        for each, repeated in nested:
            found |= fields(each, f"{path}.*." if repeated else f"{path}.", groups=groups)
    return found


def _models(annotation: Any, *, repeated: bool = False) -> list[tuple[type[BaseModel], bool]]:  # noqa: ANN401
    """Return the models in a type, and whether each is in a list or a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [(annotation, repeated)]
    repeated = repeated or get_origin(annotation) not in {None, Union, UnionType}
    return [found for each in get_args(annotation) for found in _models(each, repeated=repeated)]


def put(path: str, value: object) -> Any:  # noqa: ANN401 - a change, see `document`
    """Return a change of the document: the value at a field's path; `*` is the first of a list, `orders` or `main`."""

    def change(data: dict[str, Any]) -> None:
        here: Any = data
        *way, last = path.split(".")
        before = ""
        for step in way:
            if step == "*":
                here = here[0] if isinstance(here, list) else here[_STAR[before]]
            else:
                here = here.setdefault(step, {})
            before = step
        here[last] = value

    return change


def field(path: str, change: str, value: object, *others: tuple[str, object]) -> Row:
    """Return the row of a field that changes in place; `others` are fields that must change with it."""

    def both(data: dict[str, Any]) -> None:
        for each, content in ((path, value), *others):
            put(each, content)(data)

    return Row(option=path, change=change, old=DEFAULT, new=document(both))


def database(name: str, change: str, value: object, *others: tuple[str, object]) -> Row:
    """Return the row of a field of `rds_instance` that changes in place."""
    return field(f"{_INSTANCE}.{name}", change, value, *others)


def _subnet(number: int, place: int, **changes: str) -> dict[str, str]:
    subnet = {"id": f"subnet-0123456789abcdef{number}", "zone": f"euc1-az{place}", "cidr": f"10.0.{number}.0/24"}
    return {**subnet, **changes}


def _move_to_another_region(data: dict[str, Any]) -> None:
    data["region"] = "eu-west-1"
    for listener in data["services"]["orders"]["listeners"].values():
        instance = listener["rds_instance"]
        instance["endpoint"] = instance["endpoint"].replace("eu-central-1", "eu-west-1")


def _rename_service(data: dict[str, Any]) -> None:
    data["services"] = {"renamed": data["services"]["orders"]}


def _look_up(**vpc: object) -> Setup:
    """Return the document with the VPC looked up: the same that is described otherwise."""

    def change(data: dict[str, Any]) -> None:
        data["services"]["orders"]["vpc"] = vpc

    return document(change)


def looked_up(name: str, change: str, **vpc: object) -> Row:
    """Return the row of a VPC that is looked up in another way."""
    old = DEFAULT if name == "lookup" else _look_up(lookup={"id": "vpc-0123456789abcdef0"})
    return Row(option=f"services.*.vpc.{name}", change=change, old=old, new=_look_up(**vpc))


def _remove_main(data: dict[str, Any]) -> None:
    del data["services"]["orders"]["listeners"]["main"]


def _with_kind(kind: str, content: dict[str, object]) -> Setup:
    def change(data: dict[str, Any]) -> None:
        listener = data["services"]["orders"]["listeners"]["main"]
        del listener["rds_instance"]
        listener[kind] = content

    return document(change)


# The least that each kind of Postgres needs.
_KINDS: dict[str, dict[str, object]] = {
    "rds_cluster": {
        "identifier": "ledger",
        "endpoint": "ledger.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com",
    },
    "rds_proxy": {
        "name": "orders",
        "endpoint": "orders.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com",
        "security_groups": ["sg-0123456789abcdef3"],
    },
    "hostname": {"name": "postgres.example.com"},
    "ip_addresses": {"addresses": ["10.0.1.20"]},
    "ec2_instances": {"ids": ["i-0123456789abcdef0"]},
}


def kind(name: str, *, own_group: bool = False) -> Row:
    """Return the row of a DB instance that becomes another kind of Postgres."""
    lost = (TARGET_GROUP,) if own_group else ()
    return Row(
        option=f"services.*.listeners.*.{name}",
        change="`rds_instance` to this",
        old=DEFAULT,
        new=_with_kind(name, _KINDS[name]),
        lost=lost,
        lost_back=lost,
        way="The listener, and it alone, gets another target group; connections to the old one end" if lost else "",
    )


def of_kind(name: str, change: str, value: object, **others: object) -> Row:
    """Return the row of a field, `rds_proxy.port`, that changes in place; `others` must change with it."""
    its_kind, _, last = name.partition(".")
    base = _KINDS[its_kind]
    new = _with_kind(its_kind, {**base, last: value, **others})
    return Row(option=f"services.*.listeners.*.{name}", change=change, old=_with_kind(its_kind, base), new=new)


def _health_check(name: str, value: int) -> Row:
    return field(f"services.*.listeners.*.health_check.{name}", f"to {value}", value)


_GROUPS, _ZONES, _RANGES = ["sg-0123456789abcdef2"], ["euc1-az1", "euc1-az2"], ["172.16.0.0/16"]
_BLUE_CLUSTER = "blue.cluster-abcdefghijkl.eu-central-1.rds.amazonaws.com"
_READERS = "ledger.cluster-ro-abcdefghijkl.eu-central-1.rds.amazonaws.com"
_BLUE_PROXY = "blue.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com"
_READ_ONLY_PROXY = "read.endpoint.proxy-abcdefghijkl.eu-central-1.rds.amazonaws.com"
_OTHER = {"principals": ["arn:aws:iam::222222222222:root"]}
_CONSUMERS = "services.*.consumers"
_OTHERS_DOCUMENT = document(put(_CONSUMERS, [_OTHER]))


def principals(name: str, change: str, value: object) -> Row:
    """Return the row of a field of a consumer that is given by its principals."""
    return Row(
        option=f"{_CONSUMERS}.*.{name}",
        change=change,
        old=_OTHERS_DOCUMENT,
        new=document(put(_CONSUMERS, [{**_OTHER, name: value}])),
    )


# The least that each product needs as a consumer, but for the dbt platform, which the document has.
_PRODUCTS: dict[str, dict[str, object]] = {
    "dbt_single_tenant": {"account": "222222222222"},
    "dbt_self_hosted": {"account": "222222222222"},
    "clickpipes": {},
    "databricks_serverless": {"region": "eu-central-1"},
    "materialize": {},
}


def product(name: str) -> Row:
    """Return the row of a dbt platform that gives way to another product."""
    return Row(
        option=f"{_CONSUMERS}.*.{name}",
        change="`dbt_platform` to this",
        old=DEFAULT,
        new=document(put(_CONSUMERS, [{name: _PRODUCTS[name]}])),
    )


def of_product(name: str, change: str, value: object) -> Row:
    """Return the row of a field of a product, `clickpipes.regions`."""
    which, _, last = name.partition(".")
    base = _PRODUCTS[which]
    return Row(
        option=f"{_CONSUMERS}.*.{name}",
        change=change,
        old=document(put(_CONSUMERS, [{which: base}])),
        new=document(put(_CONSUMERS, [{which: {**base, last: value}}])),
    )


_KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_TOPIC = "arn:aws:sns:eu-central-1:111122223333:connections"
_ACCOUNT_URL = "https://ab123.eu1.dbt.com"
_CLIENTS = ["10.20.0.0/16"]
_MATERIALIZE_ROLE = "arn:aws:iam::664411391173:role/mz_us-east-1_1234_u5678"
_FUNCTION = "services.*.function"
_FUNCTION_SUBNETS = [_subnet(number, place) for number, place in ((4, 1), (5, 2))]


def function(name: str, change: str, value: object) -> Row:
    """Return the row of a field of a function that runs in the VPC before and after."""
    return Row(
        option=f"{_FUNCTION}.{name}",
        change=change,
        old=document(put(f"{_FUNCTION}.subnets", _FUNCTION_SUBNETS)),
        new=document(
            lambda data: (
                put(f"{_FUNCTION}.subnets", [dict(each) for each in _FUNCTION_SUBNETS])(data),
                put(f"{_FUNCTION}.{name}", value)(data),
            )
        ),
    )


_CHECK = "services.*.connectivity_check"
_CHECK_SUBNETS = [
    {"id": f"subnet-0123456789abcdef{number}", "zone": f"euc1-az{zone}"} for number, zone in ((7, 1), (8, 2))
]
_CONNECTIVITY_CHECK: dict[str, Any] = {"vpc": "vpc-0123456789abcdef8", "subnets": _CHECK_SUBNETS[:1]}


def checked(name: str, change: str, value: object) -> Row:
    """Return the row of a field of the connectivity check; of the check itself, which comes, without a name."""

    def checking(data: dict[str, Any]) -> None:
        data["services"]["orders"]["consumers"].append(
            {"name": "Check", "principals": ["arn:aws:iam::111122223333:root"]}
        )
        put(_CHECK, copy.deepcopy(_CONNECTIVITY_CHECK))(data)

    def changed(data: dict[str, Any]) -> None:
        checking(data)
        put(f"{_CHECK}.{name}", value)(data)

    if not name:
        return Row(option=_CHECK, change=change, old=DEFAULT, new=document(checking))
    return Row(option=f"{_CHECK}.{name}", change=change, old=document(checking), new=document(changed))


ROWS: list[Row] = [
    field("services.*.observe_only", "false to true", value=True),
    field("services.*.deletion_protection", "false to true", value=True),
    field("services.*.alarms", "basic to full", {"tier": "full"}),
    field("services.*.alarms.tier", "basic to none", "none"),
    field("services.*.alarms.topics", "none to one", ["arn:aws:sns:eu-central-1:111122223333:operators"]),
    field("services.*.dashboard", "false to true", value=True),
    field("services.*.flow_logs", "none to rejects in CloudWatch Logs", {}),
    field("services.*.flow_logs.traffic", "none to all", "all"),
    field("services.*.flow_logs.bucket", "none to a bucket", "arn:aws:s3:::flow-logs-of-ours"),
    field(
        "services.*.flow_logs.key_prefix",
        "none to a bucket with a prefix",
        "network/postgres",
        ("services.*.flow_logs.bucket", "arn:aws:s3:::flow-logs-of-ours"),
    ),
    checked("", "none to one", None),
    replace(
        checked("vpc", "another VPC", "vpc-0123456789abcdef9"),
        anew=(
            "AWS::EC2::SecurityGroup",
            "AWS::EC2::SecurityGroupEgress",
            "AWS::EC2::SecurityGroupIngress",
            "AWS::EC2::VPCEndpoint",
        ),
        way="The check's endpoint and security groups are made anew; the endpoint has to be accepted again",
    ),
    checked("subnets", "one zone to two", [dict(each) for each in _CHECK_SUBNETS]),
    checked("subnets.*.id", "another subnet of its zone", "subnet-0123456789abcdef9"),
    checked("subnets.*.zone", "a zone corrected", "euc1-az2"),
    checked("ports", "all to some", [5432]),
    checked("interval", "5 minutes to an hour", 60),
    checked("tls_required", "off to on", value=True),
    field(_FUNCTION, "none of it to a function in the VPC", {"subnets": _FUNCTION_SUBNETS}),
    field(f"{_FUNCTION}.subnets", "outside the VPC to inside", _FUNCTION_SUBNETS),
    function("subnets.*.id", "another subnet of its zone", "subnet-0123456789abcdef6"),
    function("subnets.*.zone", "a zone corrected", "euc1-az3"),
    function("subnets.*.cidr", "a range corrected", "10.0.9.0/24"),
    function("security_groups", "made here to given", _GROUPS),
    field(f"{_FUNCTION}.role", "made here to given", "arn:aws:iam::111122223333:role/network/PgPrivateLink"),
    field(f"{_FUNCTION}.connection_role", "made here to given", "arn:aws:iam::111122223333:role/network/PgPrivateLink"),
    field(f"{_FUNCTION}.permissions_boundary", "none to one", "arn:aws:iam::111122223333:policy/Boundary"),
    field(
        "services.*.encryption_key",
        "none to one",
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
    field("services.*.log_retention", "30 to 365", 365),
    field("services.*.accept_from", "nobody to one account", ["346425330055"]),
    Row(
        option="services.*.reject_others",
        change="off to on",
        old=document(put("services.*.accept_from", ["346425330055"])),
        new=document(
            lambda data: (
                put("services.*.accept_from", ["346425330055"])(data),
                put("services.*.reject_others", value=True)(data),
            )
        ),
    ),
    field("services.*.reject_connections_on_delete", "off to on", value=True),
    field("services.*.notifications", "to off", {"enabled": False}),
    field("services.*.notifications.enabled", "on to off", value=False),
    field("services.*.notifications.topic", "made here to given", _TOPIC),
    field("services.*.notifications.emails", "nobody to one", ["oncall@example.com"]),
    field("services.*.notifications.key", "none to one", _KEY),
    field("services.*.supported_regions", "none to one", ["us-east-1"]),
    Row(
        option="services.*.payer_responsibility",
        change="the consumer pays to the service's owner pays",
        old=DEFAULT,
        new=document(
            lambda data: (
                put("services.*.payer_responsibility", "ServiceOwner")(data),
                put("services.*.payer_responsibility_is_irreversible", value=True)(data),
            )
        ),
        refused_back=("payer",),
        way="The owner pays for ever; another endpoint service begins anew",
    ),
    field("services.*.payer_responsibility_is_irreversible", "false to true, which alone does nothing", value=True),
    product("dbt_single_tenant"),
    of_product("dbt_single_tenant.account", "another", "333333333333"),
    of_product("dbt_single_tenant.account_url", "given", _ACCOUNT_URL),
    of_product("dbt_single_tenant.source_ranges", "none to given: inbound rules on", _CLIENTS),
    product("dbt_self_hosted"),
    of_product("dbt_self_hosted.account", "another", "333333333333"),
    of_product("dbt_self_hosted.environment", "given", "EMEA"),
    of_product("dbt_self_hosted.account_url", "given", _ACCOUNT_URL),
    of_product("dbt_self_hosted.dns_record", "given", "postgres.example.com"),
    of_product("dbt_self_hosted.source_ranges", "none to given: inbound rules on", _CLIENTS),
    product("clickpipes"),
    of_product("clickpipes.regions", "given", ["eu-central-1"]),
    of_product("clickpipes.source_ranges", "none to given: inbound rules on", _CLIENTS),
    product("databricks_serverless"),
    Row(
        option=f"{_CONSUMERS}.*.databricks_serverless.region",
        change="another, which the service then supports",
        old=document(put(_CONSUMERS, [{"databricks_serverless": {"region": "eu-central-1"}}])),
        new=document(
            lambda data: (
                put(_CONSUMERS, [{"databricks_serverless": {"region": "us-east-1"}}])(data),
                put("services.*.supported_regions", ["us-east-1"])(data),
            )
        ),
    ),
    of_product("databricks_serverless.source_ranges", "none to given: inbound rules on", _CLIENTS),
    product("materialize"),
    of_product("materialize.principals", "none yet to one", [_MATERIALIZE_ROLE]),
    of_product("materialize.source_ranges", "none to given: inbound rules on", _CLIENTS),
    principals("requires_acceptance", "either to required", value=True),
    principals("regions", "any to given", ["eu-central-1"]),
    field("services.*.removal_policy", "delete to retain", "retain"),
    field("services.*.listeners.*.health_check", "given", {"interval": 30, "unhealthy_threshold": 3}),
    _health_check("interval", 30),
    _health_check("healthy_threshold", 5),
    _health_check("unhealthy_threshold", 5),
    kind("rds_cluster"),
    of_kind("rds_cluster.identifier", "another cluster's", "blue", endpoint=_BLUE_CLUSTER),
    of_kind("rds_cluster.endpoint", "another cluster's", _BLUE_CLUSTER, identifier="blue"),
    of_kind("rds_cluster.role", "writer to readers", "reader", endpoint=_READERS),
    of_kind("rds_cluster.port", "5432 to 6432", 6432),
    of_kind("rds_cluster.security_groups", "given", _GROUPS),
    of_kind("rds_cluster.zones", "given", _ZONES),
    of_kind("rds_cluster.nameservers", "given", ["192.0.2.53"]),
    of_kind("rds_cluster.allowed_ranges", "given", _RANGES),
    kind("rds_proxy"),
    of_kind("rds_proxy.name", "another proxy's", "blue", endpoint=_BLUE_PROXY),
    of_kind("rds_proxy.endpoint", "another of its endpoints", _READ_ONLY_PROXY),
    of_kind("rds_proxy.port", "5432 to 6432", 6432),
    of_kind("rds_proxy.security_groups", "another", _GROUPS),
    of_kind("rds_proxy.zones", "given", _ZONES),
    of_kind("rds_proxy.nameservers", "given", ["192.0.2.53"]),
    of_kind("rds_proxy.allowed_ranges", "given", _RANGES),
    kind("hostname"),
    of_kind("hostname.name", "another name", "other.example.com"),
    of_kind("hostname.port", "5432 to 6432", 6432),
    of_kind("hostname.security_groups", "given", _GROUPS),
    of_kind("hostname.zones", "given", _ZONES),
    of_kind("hostname.nameservers", "given", ["192.0.2.53"]),
    of_kind("hostname.allowed_ranges", "given", _RANGES),
    kind("ip_addresses", own_group=True),
    of_kind("ip_addresses.addresses", "others, one outside the VPC", ["10.0.2.20", "192.168.0.20"]),
    of_kind("ip_addresses.port", "5432 to 6432", 6432),
    of_kind("ip_addresses.security_groups", "given", _GROUPS),
    kind("ec2_instances", own_group=True),
    of_kind("ec2_instances.ids", "others", ["i-0123456789abcdef1"]),
    of_kind("ec2_instances.port", "5432 to 6432", 6432),
    of_kind("ec2_instances.security_groups", "given", _GROUPS),
    Row(
        option="services.*.vpc.subnets.*.private_ipv4_address",
        change="chosen by AWS to given",
        old=DEFAULT,
        new=document(
            put(
                "services.*.vpc.subnets",
                [{**_subnet(each, each), "private_ipv4_address": f"10.0.{each}.10"} for each in (1, 2)],
            )
        ),
        refused=("private-address",),
        refused_back=("private-address",),
        way="Decide when the service is made. Otherwise add a second service, have the consumers connect to it, then "
        "remove the first",
    ),
    field("services.*.acknowledged_warnings", "none to one", {"manyRules": "the quota is raised"}),
    field("tags", "a tag added", {"team": "data"}),
    field("termination_protection", "true to false", value=False),
    field("services.*.acceptance_required", "true to false", value=False),
    field("services.*.poll_interval", "5 to 60", 60),
    field("services.*.wait_for_healthy", "true to false", value=False),
    field("services.*.healthy_timeout", "300 to 30", 30),
    field("services.*.tags", "a tag added", {"team": "data"}),
    field("services.*.vpc.cidrs", "a range added", ["10.0.0.0/16", "10.1.0.0/16"]),
    field(_CONSUMERS, "a consumer added", [{"dbt_platform": {}}, _OTHER]),
    field(f"{_CONSUMERS}.*.dbt_platform.environment", "given", "EMEA"),
    field(f"{_CONSUMERS}.*.dbt_platform.account_url", "given", "https://ab123.eu1.dbt.com"),
    field(f"{_CONSUMERS}.*.dbt_platform.source_ranges", "given: inbound rules are enforced", ["10.20.0.0/16"]),
    Row(option=f"{_CONSUMERS}.*.dbt_platform", change="another consumer", old=DEFAULT, new=_OTHERS_DOCUMENT),
    principals("principals", "a principal added", [*_OTHER["principals"], "arn:aws:iam::333333333333:root"]),
    principals("name", "given", "Reporting"),
    principals("source_ranges", "given: inbound rules are enforced", ["172.20.0.0/16"]),
    field("services.*.listeners.*.port", "a port that is free", 5434),
    field(
        "services.*.listeners.*.rds_instance",
        "another database",
        {"identifier": "new", "endpoint": "new.abcdefghijkl.eu-central-1.rds.amazonaws.com", "port": 6432},
    ),
    database("identifier", "another instance's", "orders-blue", (f"{_INSTANCE}.endpoint", _BLUE)),
    database("endpoint", "another instance's", _BLUE, (f"{_INSTANCE}.identifier", "orders-blue")),
    database("port", "5432 to 6432", 6432),
    database("security_groups", "another security group", ["sg-0123456789abcdef2"]),
    database("zones", "given", ["euc1-az1", "euc1-az2"]),
    database("nameservers", "given", ["192.0.2.53"]),
    database("allowed_ranges", "given", ["172.16.0.0/16"]),
    Row(
        option="services.*.listeners",
        change="a listener added",
        old=document(_remove_main),
        new=DEFAULT,
        lost_back=(TARGET_GROUP,),
    ),
    Row(
        option="services.*.listeners",
        change="two listeners swap their ports",
        old=DEFAULT,
        new=document(
            lambda data: data["services"]["orders"]["listeners"].update(
                main={**data["services"]["orders"]["listeners"]["main"], "port": 5433},
                other={**data["services"]["orders"]["listeners"]["other"], "port": 5432},
            )
        ),
        refused=("port-taken",),
        refused_back=("port-taken",),
        way="Three deployments, each to a port that is free: `main` to a third port, `other`, then `main`",
        through=(
            document(put("services.*.listeners.*.port", 5434)),
            document(
                lambda data: (
                    put("services.*.listeners.*.port", 5434)(data),
                    data["services"]["orders"]["listeners"]["other"].update(port=5432),
                )
            ),
        ),
    ),
    Row(
        option="services.*.vpc.subnets",
        change="a zone added",
        old=DEFAULT,
        new=document(put("services.*.vpc.subnets", [_subnet(1, 1), _subnet(2, 2), _subnet(3, 3)])),
        refused_back=("subnet-removed",),
        way="Keep the zone; it costs nothing but an address. Without consumers it is removed",
    ),
    Row(
        option="services.*.vpc.subnets.*.id",
        change="one subnet for another of its zone",
        old=DEFAULT,
        new=document(put("services.*.vpc.subnets", [_subnet(5, 1), _subnet(2, 2)])),
        refused=("subnet-removed",),
        refused_back=("subnet-removed",),
        way="Without consumers only, and in two deployments: without the zone, then with its other subnet. A third "
        "zone stands in where there are only two",
    ),
    field(
        "services.*.vpc.subnets.*.zone",
        "ids to names, of the same zones",
        "eu-central-1a",
        ("services.*.vpc.subnets", [_subnet(1, 1, zone="eu-central-1a"), _subnet(2, 2, zone="eu-central-1b")]),
    ),
    field("services.*.vpc.subnets.*.cidr", "a range corrected", "10.0.9.0/24"),
    Row(
        option="services.*.vpc.id",
        change="another VPC",
        old=DEFAULT,
        new=document(
            lambda data: (
                put("services.*.vpc.id", "vpc-0123456789abcdef9")(data),
                put("services.*.vpc.subnets", [_subnet(7, 1), _subnet(8, 2)])(data),
            )
        ),
        refused=("another-vpc", "subnet-removed"),
        refused_back=("another-vpc", "subnet-removed"),
        way="Add a second service under another name, have the consumers connect to it, then remove the first",
    ),
    looked_up("lookup", "described to looked up", lookup={"id": "vpc-0123456789abcdef0"}),
    looked_up("lookup.id", "by id to by id and tag", lookup={"id": "vpc-0123456789abcdef0", "tags": {"Name": "main"}}),
    looked_up("lookup.tags", "by id to by tag", lookup={"tags": {"Name": "main"}}),
    looked_up("subnet_group", "given", lookup={"id": "vpc-0123456789abcdef0"}, subnet_group="Private"),
    Row(
        option="services",
        change="a service renamed",
        old=DEFAULT,
        new=document(_rename_service),
        elsewhere=True,
        way=_ANOTHER_STACK,
    ),
    Row(
        option="account",
        change="another account",
        old=DEFAULT,
        new=document(put("account", "444455556666")),
        elsewhere=True,
        way=_ANOTHER_STACK,
    ),
    Row(
        option="region",
        change="another Region",
        old=DEFAULT,
        new=document(_move_to_another_region),
        elsewhere=True,
        way=_ANOTHER_STACK,
    ),
]

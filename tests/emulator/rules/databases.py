"""Rules of databases: the names of instances, clusters and proxies, and the roles of a cluster's members."""

import re
from typing import Any

from tests.emulator.rule import rule
from tests.emulator.world import Account, Network, refused

_AURORA = "AmazonRDS/latest/AuroraUserGuide"
_API = "AmazonRDS/latest/APIReference"
_TYPES = "AWSCloudFormation/latest/TemplateReference"
Resources = dict[str, Any]


def _cluster(aws: Account, *members: str, **arguments: object) -> dict[str, Any]:
    """Create an Aurora cluster with members and return its description."""
    rds = aws.client("rds")
    given: dict[str, Any] = {"Engine": "aurora-postgresql", "MasterUsername": "u", "MasterUserPassword": "password1"}
    rds.create_db_cluster(DBClusterIdentifier="orders", **(given | arguments))
    for member in members:
        rds.create_db_instance(
            DBInstanceIdentifier=member,
            DBClusterIdentifier="orders",
            DBInstanceClass="db.r6g.large",
            Engine="aurora-postgresql",
        )
    return _described(aws)


def _described(aws: Account) -> dict[str, Any]:
    cluster: dict[str, Any] = aws.client("rds").describe_db_clusters(DBClusterIdentifier="orders")["DBClusters"][0]
    return cluster


def _roles(cluster: dict[str, Any]) -> dict[str, bool]:
    return {member["DBInstanceIdentifier"]: member["IsClusterWriter"] for member in cluster["DBClusterMembers"]}


def _address(aws: Account, instance: str) -> tuple[str, int]:
    (described,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"]
    return described["Endpoint"]["Address"], described["Endpoint"]["Port"]


def _own_part(name: str) -> str:
    """Return the part of an endpoint's name that is the account's and Region's own."""
    match = re.fullmatch(r"[a-z0-9-]+\.(cluster-ro-|cluster-|proxy-|)([a-z0-9]+)\.us-east-1\.rds\.amazonaws\.com", name)
    assert match
    return match[2]


@rule(f"{_AURORA}/Aurora.Endpoints.Cluster.html")
def cluster_and_members_have_names_of_their_own(aws: Account) -> None:
    """Writer (`cluster-`), readers (`cluster-ro-`) and each member have names with one part that is the account's."""
    cluster = _cluster(aws, "first", "second", Port=6432)
    assert cluster["Endpoint"].startswith("orders.cluster-")
    assert cluster["ReaderEndpoint"].startswith("orders.cluster-ro-")
    addresses = {member: _address(aws, member) for member in ("first", "second")}
    assert {member: name.split(".")[0] for member, (name, _) in addresses.items()} == {
        "first": "first",
        "second": "second",
    }
    assert {port for _, port in addresses.values()} == {6432} == {cluster["Port"]}
    names = [cluster["Endpoint"], cluster["ReaderEndpoint"], *(name for name, _ in addresses.values())]
    assert len({_own_part(name) for name in names}) == 1


@rule(f"{_API}/API_DescribeDBClusters.html", stock=True)
def unknown_cluster_is_not_found(aws: Account) -> None:
    """DescribeDBClusters of an unknown cluster is an error, DBClusterNotFoundFault."""
    with refused("DBClusterNotFoundFault"):
        aws.client("rds").describe_db_clusters(DBClusterIdentifier="orders")


@rule(f"{_AURORA}/Concepts.AuroraHighAvailability.html")
def deleted_writer_is_succeeded(aws: Account) -> None:
    """The first member writes, the others read; when the writer is deleted, a reader becomes the writer."""
    assert _roles(_cluster(aws, "first", "second", "third")) == {"first": True, "second": False, "third": False}
    aws.client("rds").delete_db_instance(DBInstanceIdentifier="first", SkipFinalSnapshot=True)
    assert _roles(_described(aws)) == {"second": True, "third": False}


@rule("AmazonRDS/latest/UserGuide/multi-az-db-clusters-concepts.html")
def multi_az_cluster_has_three_instances(aws: Account) -> None:
    """A Multi-AZ DB cluster comes with a writer and two readers in three zones, and takes them along when deleted."""
    cluster = _cluster(
        aws,
        Engine="postgres",
        DBClusterInstanceClass="db.m6gd.large",
        AllocatedStorage=100,
        StorageType="io1",
        Iops=1000,
    )
    assert cluster["MultiAZ"] is True
    assert sorted(_roles(cluster).values()) == [False, False, True]
    rds = aws.client("rds")
    instances = rds.describe_db_instances()["DBInstances"]
    assert {instance["DBInstanceIdentifier"] for instance in instances} == set(_roles(cluster))
    assert len({instance["AvailabilityZone"] for instance in instances}) == 3
    rds.delete_db_cluster(DBClusterIdentifier="orders", SkipFinalSnapshot=True)
    assert rds.describe_db_instances()["DBInstances"] == []


def _stack(*members: str, **cluster: object) -> Resources:
    properties = {
        "DBClusterIdentifier": "orders",
        "Engine": "aurora-postgresql",
        "MasterUsername": "u",
        "MasterUserPassword": "password1",
        **cluster,
    }
    resources: Resources = {"Cluster": {"Type": "AWS::RDS::DBCluster", "Properties": properties}}
    for number, member in enumerate(members):
        instance = {
            "DBInstanceIdentifier": member,
            "DBClusterIdentifier": {"Ref": "Cluster"},
            "DBInstanceClass": "db.r6g.large",
            "Engine": "aurora-postgresql",
        }
        resources[member] = {"Type": "AWS::RDS::DBInstance", "Properties": instance}
        if number:
            resources[member]["DependsOn"] = members[number - 1]
    return resources


@rule(f"{_TYPES}/aws-resource-rds-dbcluster.html")
def cluster_of_a_stack_tells_its_names(aws: Account) -> None:
    """A stack's cluster tells name, port and reader's name; its first instance writes; both follow the template."""
    outputs = aws.deploy(
        _stack("first", "second", Port="6432"),
        Id={"Ref": "Cluster"},
        Writer={"Fn::GetAtt": ["Cluster", "Endpoint.Address"]},
        Reader={"Fn::GetAtt": ["Cluster", "ReadEndpoint.Address"]},
        Port={"Fn::GetAtt": ["Cluster", "Endpoint.Port"]},
        Member={"Fn::GetAtt": ["second", "Endpoint.Address"]},
    )
    cluster = _described(aws)
    assert (outputs["Id"], outputs["Port"]) == ("orders", "6432")
    assert (outputs["Writer"], outputs["Reader"]) == (cluster["Endpoint"], cluster["ReaderEndpoint"])
    assert (outputs["Member"], 6432) == _address(aws, "second")
    assert len({_own_part(outputs[name]) for name in ("Writer", "Reader", "Member")}) == 1
    assert _roles(cluster) == {"first": True, "second": False}
    aws.deploy(_stack("second", "third", Port="6432"))
    assert _roles(_described(aws)) == {"second": True, "third": False}
    assert aws.delete() == "DELETE_COMPLETE"
    assert aws.client("rds").describe_db_instances()["DBInstances"] == []


def _proxy(network: Network, target: str, **proxy: object) -> Resources:
    return {
        **_stack("first"),
        "Other": _stack(DBClusterIdentifier="payments")["Cluster"],
        "Proxy": {
            "Type": "AWS::RDS::DBProxy",
            "Properties": {
                "DBProxyName": "front",
                "EngineFamily": "POSTGRESQL",
                "RoleArn": "arn:aws:iam::111111111111:role/proxy",
                "Auth": [{"AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:us-east-1:1:secret:s"}],
                "VpcSubnetIds": list(network.subnets),
                "RequireTLS": "true",
                "Tags": [{"Key": "owner", "Value": "us"}],
                **proxy,
            },
        },
        "Targets": {
            "Type": "AWS::RDS::DBProxyTargetGroup",
            "Properties": {
                "DBProxyName": {"Ref": "Proxy"},
                "TargetGroupName": "default",
                "DBClusterIdentifiers": [{"Ref": target}],
                "ConnectionPoolConfigurationInfo": {"MaxConnectionsPercent": "80"},
            },
            "DependsOn": "first",
        },
        "Readers": {
            "Type": "AWS::RDS::DBProxyEndpoint",
            "Properties": {
                "DBProxyEndpointName": "readers",
                "DBProxyName": {"Ref": "Proxy"},
                "TargetRole": "READ_ONLY",
                "VpcSubnetIds": list(network.subnets),
            },
        },
    }


@rule(f"{_TYPES}/aws-resource-rds-dbproxy.html")
def proxy_of_a_stack_stands_in_front_of_its_target(aws: Account) -> None:
    """A stack's proxy has a name (`proxy-`), groups, subnets, a target, and as many endpoints more as it is given."""
    network = aws.network()
    group = aws.security_group(network)
    outputs = aws.deploy(
        _proxy(network, "Cluster", VpcSecurityGroupIds=[group]),
        Id={"Ref": "Proxy"},
        Endpoint={"Fn::GetAtt": ["Proxy", "Endpoint"]},
        Arn={"Fn::GetAtt": ["Proxy", "DBProxyArn"]},
        Vpc={"Fn::GetAtt": ["Proxy", "VpcId"]},
        Group={"Ref": "Targets"},
        Readers={"Fn::GetAtt": ["Readers", "Endpoint"]},
    )
    rds = aws.client("rds")
    (proxy,) = rds.describe_db_proxies(DBProxyName="front")["DBProxies"]
    assert outputs["Endpoint"].startswith("front.proxy-")
    assert _own_part(outputs["Endpoint"]) == _own_part(_described(aws)["Endpoint"])
    assert (outputs["Id"], outputs["Vpc"]) == ("front", network.vpc)
    assert (proxy["DBProxyArn"], proxy["Endpoint"]) == (outputs["Arn"], outputs["Endpoint"])
    assert (proxy["VpcSecurityGroupIds"], set(proxy["VpcSubnetIds"])) == ([group], set(network.subnets))
    assert outputs["Group"].split(":")[5] == "target-group"
    assert outputs["Readers"] == outputs["Endpoint"].replace("front.proxy-", "readers.endpoint.proxy-")

    def targets() -> list[str]:
        return [entry["RdsResourceId"] for entry in rds.describe_db_proxy_targets(DBProxyName="front")["Targets"]]

    assert targets() == ["orders"]
    aws.deploy(_proxy(network, "Other", VpcSecurityGroupIds=[group], IdleClientTimeout=600))
    assert targets() == ["payments"]
    (proxy,) = rds.describe_db_proxies(DBProxyName="front")["DBProxies"]
    assert (proxy["IdleClientTimeout"], proxy["Endpoint"]) == (600, outputs["Endpoint"])
    assert aws.delete() == "DELETE_COMPLETE"
    assert rds.describe_db_proxies()["DBProxies"] == []


@rule(f"{_API}/API_ModifyDBInstance.html")
def port_of_an_instance_changes(aws: Account) -> None:
    """The port of a DB instance changes at once when it is modified, under the same name."""
    rds = aws.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t4g.medium",
        Engine="postgres",
        MasterUsername="u",
        MasterUserPassword="password1",
        AllocatedStorage=20,
    )
    before = _address(aws, "orders")
    rds.modify_db_instance(DBInstanceIdentifier="orders", DBPortNumber=6543)
    assert _address(aws, "orders") == (before[0], 6543)

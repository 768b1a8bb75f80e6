"""CloudFormation types of Amazon RDS: stock's instances and clusters with their names and roles, and RDS Proxy."""

from typing import Any

from ministack.services import rds
from ministack.services.cloudformation import provisioners

from emulator.aws import db_clusters
from emulator.aws.apis import RDS
from emulator.aws.db_instances import name_endpoint
from emulator.aws.stack_types import Created, Properties, StackType, ignore_missing, tag_list


def _install_clusters() -> None:
    """Finish what stock's handlers of clusters and instances make."""
    create_cluster, create_instance = provisioners._rds_db_cluster_create, provisioners._rds_db_instance_create
    delete_cluster, delete_instance = provisioners._rds_db_cluster_delete, provisioners._rds_db_instance_delete

    def cluster(logical_id: str, properties: Properties, stack_name: str) -> Created:
        identifier, _ = create_cluster(logical_id, properties, stack_name)
        db_clusters.complete(rds._clusters[identifier], properties.get("DBClusterInstanceClass"))
        return identifier, provisioners._rds_db_cluster_attrs(rds._clusters[identifier])

    def instance(logical_id: str, properties: Properties, stack_name: str) -> Created:
        identifier, _ = create_instance(logical_id, properties, stack_name)
        record = rds._instances[identifier]
        parent = rds._clusters.get(record.get("DBClusterIdentifier") or "")
        name_endpoint(record)
        if parent is not None:
            db_clusters.settle(parent)
        return identifier, provisioners._rds_db_instance_attrs(record)

    def without_cluster(physical_id: str, properties: Properties) -> None:
        if physical_id in rds._clusters:
            db_clusters.remove_own_members(rds._clusters[physical_id])
        delete_cluster(physical_id, properties)

    def without_instance(physical_id: str, properties: Properties) -> None:
        delete_instance(physical_id, properties)
        for parent in rds._clusters.values():
            db_clusters.settle(parent)

    # Stock's updates reach for the functions when they replace a database.
    provisioners._rds_db_cluster_create, provisioners._rds_db_cluster_delete = cluster, without_cluster
    provisioners._rds_db_instance_create, provisioners._rds_db_instance_delete = instance, without_instance
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::RDS::DBCluster"] |= {"create": cluster, "delete": without_cluster}
    handlers["AWS::RDS::DBInstance"] |= {"create": instance, "delete": without_instance}


def _proxy_attributes(name: str) -> dict[str, Any]:
    proxy = RDS.call("DescribeDBProxies", DBProxyName=name)["DBProxies"][0]
    return {"DBProxyArn": proxy["DBProxyArn"], "Endpoint": proxy["Endpoint"], "VpcId": proxy["VpcId"]}


def _create_proxy(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    arguments = RDS.arguments_of("CreateDBProxy", properties)
    RDS.call("CreateDBProxy", **(arguments | {"Tags": tag_list(properties)}))
    return properties["DBProxyName"], _proxy_attributes(properties["DBProxyName"])


def _update_proxy(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
    del old, stack_name, logical_id
    arguments = RDS.arguments_of("ModifyDBProxy", new)
    RDS.call("ModifyDBProxy", **arguments, SecurityGroups=new.get("VpcSecurityGroupIds"))
    return physical_id, _proxy_attributes(physical_id)


def _delete_proxy(physical_id: str, properties: Properties) -> None:
    del properties
    ignore_missing(lambda: RDS.call("DeleteDBProxy", DBProxyName=physical_id), "DBProxyNotFoundFault")


def _targets(properties: Properties) -> dict[str, list[str]]:
    names = ("DBInstanceIdentifiers", "DBClusterIdentifiers")
    return {name: properties[name] for name in names if properties.get(name)}


def _create_proxy_targets(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    name = properties["DBProxyName"]
    (group,) = RDS.call("DescribeDBProxyTargetGroups", DBProxyName=name)["TargetGroups"]
    if pool := properties.get("ConnectionPoolConfigurationInfo"):
        given = RDS.arguments_of("ModifyDBProxyTargetGroup", {"ConnectionPoolConfig": pool})
        RDS.call("ModifyDBProxyTargetGroup", DBProxyName=name, TargetGroupName="default", **given)
    if targets := _targets(properties):
        RDS.call("RegisterDBProxyTargets", DBProxyName=name, **targets)
    return group["TargetGroupArn"], {"TargetGroupArn": group["TargetGroupArn"]}


def _update_proxy_targets(
    physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str
) -> Created:
    if _targets(old) != _targets(new):
        _delete_proxy_targets(physical_id, old)
        return _create_proxy_targets(logical_id, new, stack_name)
    return _create_proxy_targets(logical_id, new | dict.fromkeys(_targets(new)), stack_name)


def _delete_proxy_targets(physical_id: str, properties: Properties) -> None:
    del physical_id
    if targets := _targets(properties):
        ignore_missing(
            lambda: RDS.call("DeregisterDBProxyTargets", DBProxyName=properties["DBProxyName"], **targets),
            "DBProxyNotFoundFault",
            "DBProxyTargetNotFoundFault",
        )


def _endpoint_attributes(name: str) -> dict[str, Any]:
    (endpoint,) = RDS.call("DescribeDBProxyEndpoints", DBProxyEndpointName=name)["DBProxyEndpoints"]
    return {
        "DBProxyEndpointArn": endpoint["DBProxyEndpointArn"],
        "Endpoint": endpoint["Endpoint"],
        "IsDefault": endpoint["IsDefault"],
        "VpcId": endpoint["VpcId"],
    }


def _create_endpoint(logical_id: str, properties: Properties, stack_name: str) -> Created:
    del logical_id, stack_name
    arguments = RDS.arguments_of("CreateDBProxyEndpoint", properties)
    RDS.call("CreateDBProxyEndpoint", **(arguments | {"Tags": tag_list(properties)}))
    return properties["DBProxyEndpointName"], _endpoint_attributes(properties["DBProxyEndpointName"])


def _update_endpoint(physical_id: str, old: Properties, new: Properties, stack_name: str, logical_id: str) -> Created:
    del old, stack_name, logical_id
    RDS.call(
        "ModifyDBProxyEndpoint", DBProxyEndpointName=physical_id, VpcSecurityGroupIds=new.get("VpcSecurityGroupIds")
    )
    return physical_id, _endpoint_attributes(physical_id)


def _delete_endpoint(physical_id: str, properties: Properties) -> None:
    del properties
    ignore_missing(
        lambda: RDS.call("DeleteDBProxyEndpoint", DBProxyEndpointName=physical_id), "DBProxyEndpointNotFoundFault"
    )


def install() -> None:
    """Register the types."""
    _install_clusters()
    StackType(
        name="AWS::RDS::DBProxyEndpoint",
        api=RDS,
        properties=frozenset(
            {
                "DBProxyEndpointName",
                "DBProxyName",
                "EndpointNetworkType",
                "Tags",
                "TargetRole",
                "VpcSecurityGroupIds",
                "VpcSubnetIds",
            }
        ),
        required=frozenset({"DBProxyEndpointName", "DBProxyName", "VpcSubnetIds"}),
        replacing=("DBProxyEndpointName", "DBProxyName", "EndpointNetworkType", "VpcSubnetIds"),
        create=_create_endpoint,
        update=_update_endpoint,
        delete=_delete_endpoint,
    ).install()
    StackType(
        name="AWS::RDS::DBProxy",
        api=RDS,
        properties=frozenset(
            {
                "Auth",
                "DBProxyName",
                "DebugLogging",
                "DefaultAuthScheme",
                "EndpointNetworkType",
                "EngineFamily",
                "IdleClientTimeout",
                "RequireTLS",
                "RoleArn",
                "Tags",
                "TargetConnectionNetworkType",
                "VpcSecurityGroupIds",
                "VpcSubnetIds",
            }
        ),
        required=frozenset({"DBProxyName", "EngineFamily", "RoleArn", "VpcSubnetIds"}),
        replacing=("DBProxyName", "EndpointNetworkType", "EngineFamily", "TargetConnectionNetworkType", "VpcSubnetIds"),
        create=_create_proxy,
        update=_update_proxy,
        delete=_delete_proxy,
    ).install()
    StackType(
        name="AWS::RDS::DBProxyTargetGroup",
        api=RDS,
        properties=frozenset(
            {
                "ConnectionPoolConfigurationInfo",
                "DBClusterIdentifiers",
                "DBInstanceIdentifiers",
                "DBProxyName",
                "Tags",
                "TargetGroupName",
            }
        ),
        required=frozenset({"DBProxyName", "TargetGroupName"}),
        replacing=("DBProxyName", "TargetGroupName"),
        create=_create_proxy_targets,
        update=_update_proxy_targets,
        delete=_delete_proxy_targets,
    ).install()

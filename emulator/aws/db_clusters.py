"""RDS DB clusters: names of the cluster, its readers and its members, and one writer among them.

Rules from the Amazon RDS API reference (DBCluster, DBClusterMember, CreateDBCluster), the Aurora user guide's page
Aurora.Overview.Endpoints.html and the RDS user guide's page multi-az-db-clusters-concepts.html.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import rds
from ministack.services.cloudformation import provisioners

from emulator.aws import control
from emulator.aws.apis import RDS, all_zones
from emulator.aws.db_instances import endpoint_name, name_endpoint
from emulator.aws.rds_events import Source, announce_topology
from emulator.aws.wire import ApiError, Arguments, Form, Response, Result

Record = dict[str, Any]

# A Multi-AZ DB cluster has a writer and two readers, each in a zone of its own.
_MULTI_AZ_MEMBERS = 3


def members(cluster: Record) -> list[str]:
    """Return the identifiers of a cluster's members."""
    return [member["DBInstanceIdentifier"] for member in cluster["DBClusterMembers"]]


def settle(cluster: Record, writer: str | None = None) -> None:
    """Make one member the writer: the given one, or the present one, or the first.

    Also gives the cluster its two names.
    """
    identifier = cluster["DBClusterIdentifier"]
    cluster["Endpoint"] = endpoint_name(identifier, "cluster-")
    cluster["ReaderEndpoint"] = endpoint_name(identifier, "cluster-ro-")
    present = [m["DBInstanceIdentifier"] for m in cluster["DBClusterMembers"] if m["IsClusterWriter"]]
    chosen = writer or next(iter(present or members(cluster)), None)
    for member in cluster["DBClusterMembers"]:
        member["IsClusterWriter"] = member["DBInstanceIdentifier"] == chosen


def add_member(cluster: Record, identifier: str, zone: str | None = None) -> Record:
    """Create a DB instance in a cluster and return it."""
    provisioners._rds_db_instance_create(
        identifier,
        {
            "DBInstanceIdentifier": identifier,
            "DBClusterIdentifier": cluster["DBClusterIdentifier"],
            "DBInstanceClass": cluster.get("DBClusterInstanceClass", "db.r6g.large"),
            "DBSubnetGroupName": cluster["DBSubnetGroup"],
            "Engine": cluster["Engine"],
            "AvailabilityZone": zone or all_zones()[len(cluster["DBClusterMembers"]) % len(all_zones())],
        },
        cluster["DBClusterIdentifier"],
    )
    instance: Record = rds._instances[identifier]
    name_endpoint(instance)
    settle(cluster)
    return instance


def complete(cluster: Record, instance_class: str | None) -> None:
    """Finish a cluster that stock has just made: a Multi-AZ DB cluster comes with its three instances."""
    settle(cluster)
    if instance_class:
        cluster |= {"DBClusterInstanceClass": instance_class, "MultiAZ": True}
        for number in range(1, _MULTI_AZ_MEMBERS + 1):
            add_member(cluster, f"{cluster['DBClusterIdentifier']}-instance-{number}")


def remove_own_members(cluster: Record) -> None:
    """Remove what a Multi-AZ DB cluster brought along; an Aurora cluster's instances are its owner's to delete."""
    if cluster.get("DBClusterInstanceClass"):
        for identifier in members(cluster):
            rds._instances.pop(identifier, None)
        cluster["DBClusterMembers"] = []


def _create(form: Form, stock: Callable[[Form], Response]) -> Response:
    answer = stock(form)
    if answer[0] != HTTPStatus.OK:
        return answer
    cluster = rds._clusters[form["DBClusterIdentifier"][0]]
    complete(cluster, form.get("DBClusterInstanceClass", [None])[0])
    body = f"<CreateDBClusterResult><DBCluster>{rds._cluster_xml(cluster)}</DBCluster></CreateDBClusterResult>"
    changed: Response = rds._xml(HTTPStatus.OK, "CreateDBClusterResponse", body)
    return changed


@RDS.action
def delete_db_cluster(given: Arguments) -> Result | None:
    """Delete a Multi-AZ DB cluster's instances with it; the rest is stock's."""
    cluster = rds._clusters.get(given.get("DBClusterIdentifier", ""))
    if cluster is not None and not cluster.get("DeletionProtection"):
        remove_own_members(cluster)
    return None


def _find(identifier: str) -> Record:
    cluster: Record | None = rds._clusters.get(identifier)
    if cluster is None:
        raise ValueError(f"there is no DB cluster {identifier!r}; define it first")
    return cluster


def _source(cluster: Record) -> Source:
    return Source("cluster", cluster["DBClusterArn"], cluster["DBClusterIdentifier"])


def _define(given: dict[str, Any]) -> object:
    identifier = given["cluster"]
    RDS.call(
        "CreateDBCluster",
        DBClusterIdentifier=identifier,
        Engine=given["engine"],
        Port=given["port"],
        MasterUsername="postgres",
        MasterUserPassword="emulated-only",  # nothing runs that it would open
    )
    for member in given["members"]:
        add_member(_find(identifier), member)
    return _described(_find(identifier))


def _described(cluster: Record) -> object:
    return {
        "arn": cluster["DBClusterArn"],
        "endpoint": cluster["Endpoint"],
        "reader_endpoint": cluster["ReaderEndpoint"],
        "members": {identifier: endpoint_name(identifier) for identifier in members(cluster)},
        "writer": next((m["DBInstanceIdentifier"] for m in cluster["DBClusterMembers"] if m["IsClusterWriter"]), None),
    }


def _add(given: dict[str, Any]) -> object:
    cluster = _find(given["cluster"])
    if given["member"] in rds._instances:
        raise ValueError(f"a DB instance {given['member']!r} exists already")
    instance = add_member(cluster, given["member"])
    if given["announce"]:
        source = Source("instance", instance["DBInstanceArn"], instance["DBInstanceIdentifier"])
        source.publish("RDS-EVENT-0005", "creation", "DB instance created")
        announce_topology(cluster)
    return _described(cluster)


def _check_member(cluster: Record, member: str) -> None:
    if member not in members(cluster):
        raise ValueError(f"{member!r} is no member of {cluster['DBClusterIdentifier']}; it has {members(cluster)}")


def _remove(given: dict[str, Any]) -> object:
    cluster, member = _find(given["cluster"]), given["member"]
    _check_member(cluster, member)
    instance = rds._instances[member]
    provisioners._rds_db_instance_delete(member, {})
    settle(cluster)
    if given["announce"]:
        source = Source("instance", instance["DBInstanceArn"], instance["DBInstanceIdentifier"])
        source.publish("RDS-EVENT-0003", "deletion", "DB instance deleted")
        announce_topology(cluster)
    return _described(cluster)


def _switch(given: dict[str, Any]) -> object:
    cluster = _find(given["cluster"])
    _check_member(cluster, given["member"])
    settle(cluster, given["member"])
    if given["announce"]:
        _source(cluster).publish("RDS-EVENT-0071", "failover", "Completed failover to DB instance.")
        announce_topology(cluster)
    return _described(cluster)


def _served(act: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], object]:
    """Do something in the account and Region that a request to the control names."""

    def scoped(given: dict[str, Any]) -> object:
        with request_scope(given.pop("account"), given.pop("region", None) or get_region()):
            try:
                return act(given)
            except ApiError as error:
                raise ValueError(str(error)) from error

    return scoped


def _subnet_groups(form: Form, stock: Callable[[Form], Response]) -> Response:
    """Know the group that a database without one is in: on AWS there always is one, here it has no subnets."""
    if form.get("DBSubnetGroupName") == ["default"] and "default" not in rds._subnet_groups:
        rds._subnet_groups["default"] = {
            "DBSubnetGroupName": "default",
            "DBSubnetGroupDescription": "default",
            "VpcId": "",
            "SubnetGroupStatus": "Complete",
            "Subnets": [],
            "DBSubnetGroupArn": f"arn:aws:rds:{get_region()}:{get_account_id()}:subgrp:default",
            "SupportedNetworkTypes": ["IPV4"],
        }
    return stock(form)


def install() -> None:
    """Keep names and roles whenever members come and go, where stock would show its containers' addresses."""
    rds._sync_cluster_endpoints = settle
    rds._attach_instance_to_shared_cluster = lambda instance, _cluster: name_endpoint(instance)


RDS.around("CreateDBCluster", _create)
RDS.around("DescribeDBSubnetGroups", _subnet_groups)
control.served |= {
    ("POST", "clusters"): _served(_define),
    ("POST", "cluster-members"): _served(_add),
    ("DELETE", "cluster-members"): _served(_remove),
    ("PUT", "cluster-writer"): _served(_switch),
}

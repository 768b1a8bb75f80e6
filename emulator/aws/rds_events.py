"""Events of Amazon RDS on EventBridge.

Shapes and ids from the Amazon RDS user guide (AmazonRDS/latest/UserGuide/rds-cloud-watch-events.html and
USER_Events.Messages.html) and its counterpart for Aurora.
"""

import contextvars
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ministack.services import rds

from emulator.aws import control
from emulator.aws.apis import RDS
from emulator.aws.wire import ApiError, Arguments, Result


@dataclass(frozen=True)
class Source:
    """What an event is about: `instance` or `cluster`, its ARN and its identifier."""

    kind: str
    arn: str
    identifier: str

    def publish(self, event_id: str, category: str, message: str) -> None:
        """Put one event about it on the default bus."""
        detail: dict[str, Any] = {
            "EventCategories": [category],
            "SourceType": f"DB_{self.kind.upper()}",
            "SourceArn": self.arn,
            "Date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "Message": message,
            "SourceIdentifier": self.identifier,
            "EventID": event_id,
        }
        control.publish("aws.rds", f"RDS DB {self.kind.capitalize()} Event", [self.arn], detail)


def announce_topology(cluster: dict[str, Any]) -> None:
    """Say of every member of a cluster that its DNS changed: members joined, left or changed roles."""
    for member in cluster.get("DBClusterMembers", []):
        instance = rds._instances.get(member["DBInstanceIdentifier"])
        if instance is not None:
            Source("instance", instance["DBInstanceArn"], instance["DBInstanceIdentifier"]).publish(
                "RDS-EVENT-0385",
                "notification",
                "The DB cluster topology is updated. There are DNS changes for the DB instance.",
            )


def _later(begin: Callable[[], None], end: Callable[[], None]) -> None:
    """Publish the first events of a failover now, from a thread, and the last ones when it is over."""

    def run() -> None:
        begin()
        time.sleep(control.settings.failover_seconds)
        end()

    # Account and Region of a request live in context variables.
    threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True).start()


@RDS.action
def reboot_db_instance(given: Arguments) -> Result | None:
    """Announce the failover that a forced reboot of a Multi-AZ instance is; the reboot is stock's."""
    instance = rds._instances.get(given.get("DBInstanceIdentifier", ""))
    if not given.get("ForceFailover") or instance is None:
        return None
    if str(instance.get("MultiAZ")).lower() != "true":
        raise ApiError("InvalidParameterCombination", "Cannot force a failover of an instance that is not Multi-AZ")
    if instance["DBInstanceStatus"] == "available":
        source = Source("instance", instance["DBInstanceArn"], instance["DBInstanceIdentifier"])
        _later(
            lambda: source.publish("RDS-EVENT-0013", "failover", "Multi-AZ instance failover started."),
            lambda: source.publish("RDS-EVENT-0049", "failover", "Multi-AZ instance failover completed."),
        )
    return None


@RDS.action
def failover_db_cluster(given: Arguments) -> Result | None:
    """Announce a cluster's failover and its members' new DNS; the change of roles is stock's."""
    cluster = rds._clusters.get(given.get("DBClusterIdentifier", ""))
    members = cluster.get("DBClusterMembers", []) if cluster else []
    # Stock refuses a cluster that is busy or has nobody to fail over to.
    if cluster is None or cluster["Status"] != "available" or all(member["IsClusterWriter"] for member in members):
        return None
    source = Source("cluster", cluster["DBClusterArn"], cluster["DBClusterIdentifier"])

    def end() -> None:
        source.publish("RDS-EVENT-0071", "failover", "Completed failover to DB instance.")
        announce_topology(cluster)

    _later(lambda: source.publish("RDS-EVENT-0073", "failover", "Started cross AZ failover to DB instance."), end)
    return None

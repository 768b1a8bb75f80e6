"""Rules of Amazon RDS events on EventBridge."""

import json
import re

from tests.emulator.rule import rule
from tests.emulator.world import Account, refused

_MESSAGES = "AmazonRDS/latest/UserGuide/USER_Events.Messages.html"


def _listen(aws: Account) -> str:
    """Return the URL of a queue that gets every event of Amazon RDS."""
    queue, events = aws.queue(), aws.client("events")
    events.put_rule(Name="rds", EventPattern=json.dumps({"source": ["aws.rds"]}))
    events.put_targets(Rule="rds", Targets=[{"Id": "queue", "Arn": aws.queue_arn(queue)}])
    return queue


def _instance(aws: Account, name: str, **more: object) -> str:
    given = {"DBInstanceClass": "db.t4g.medium", "Engine": "postgres", "MasterUsername": "u", **more}
    if "DBClusterIdentifier" not in given:
        given |= {"MasterUserPassword": "password1", "AllocatedStorage": 20}
    else:
        del given["MasterUsername"]
    rds = aws.client("rds")
    answer = rds.create_db_instance(DBInstanceIdentifier=name, **given)
    aws.eventually(
        lambda: (
            rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"] == "available"
        )
    )
    return str(answer["DBInstance"]["DBInstanceArn"])


@rule(_MESSAGES)
def forced_reboot_announces_a_failover(aws: Account) -> None:
    """A reboot with failover of a Multi-AZ instance is announced by RDS-EVENT-0013, and 0049 when it is over."""
    queue, arn = _listen(aws), _instance(aws, "orders", MultiAZ=True)
    aws.client("rds").reboot_db_instance(DBInstanceIdentifier="orders", ForceFailover=True)
    events: list[dict[str, object]] = []
    aws.eventually(lambda: events.extend(aws.received(queue)) or len(events) >= 2)  # type: ignore[func-returns-value]
    details = [event["detail"] for event in events]
    assert all(isinstance(detail, dict) for detail in details)
    assert [(d["EventID"], d["EventCategories"], d["SourceIdentifier"]) for d in details if isinstance(d, dict)] == [
        ("RDS-EVENT-0013", ["failover"], "orders"),
        ("RDS-EVENT-0049", ["failover"], "orders"),
    ]
    assert {(event["source"], event["detail-type"], str(event["resources"])) for event in events} == {
        ("aws.rds", "RDS DB Instance Event", str([arn]))
    }


@rule("AmazonRDS/latest/APIReference/API_RebootDBInstance.html")
def failover_needs_multi_az(aws: Account) -> None:
    """A reboot with failover of an instance that is not Multi-AZ is refused."""
    _instance(aws, "orders")
    with refused("InvalidParameterCombination"):
        aws.client("rds").reboot_db_instance(DBInstanceIdentifier="orders", ForceFailover=True)


@rule("AmazonRDS/latest/AuroraUserGuide/USER_Events.Messages.html")
def cluster_failover_is_announced(aws: Account) -> None:
    """A cluster's failover is announced by RDS-EVENT-0073, then 0071, and 0385 for each member with new DNS."""
    rds = aws.client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="orders", Engine="aurora-postgresql", MasterUsername="u", MasterUserPassword="password1"
    )
    for name in ("first", "second"):
        _instance(aws, name, Engine="aurora-postgresql", DBClusterIdentifier="orders")
    queue = _listen(aws)
    rds.failover_db_cluster(DBClusterIdentifier="orders")
    events: list[dict[str, object]] = []
    aws.eventually(lambda: events.extend(aws.received(queue)) or len(events) >= 4)  # type: ignore[func-returns-value]
    found = {
        (event["detail-type"], event["detail"]["EventID"]) for event in events if isinstance(event["detail"], dict)
    }
    assert found == {
        ("RDS DB Cluster Event", "RDS-EVENT-0073"),
        ("RDS DB Cluster Event", "RDS-EVENT-0071"),
        ("RDS DB Instance Event", "RDS-EVENT-0385"),
    }


@rule("eventbridge/latest/APIReference/API_PutEventsRequestEntry.html", stock=True)
def events_of_aws_are_not_put_by_others(aws: Account) -> None:
    """PutEvents refuses sources that begin with `aws.`."""
    entry = {"Source": "aws.rds", "DetailType": "RDS DB Instance Event", "Detail": "{}"}
    answer = aws.client("events").put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


@rule("AmazonRDS/latest/UserGuide/USER_ConnectToPostgreSQLInstance.html")
def endpoint_is_a_name_of_the_region(aws: Account) -> None:
    """A DB instance is reached by a name that begins with its identifier and ends with Region and rds.amazonaws.com."""
    _instance(aws, "orders", Port=6432)
    (instance,) = aws.client("rds").describe_db_instances(DBInstanceIdentifier="orders")["DBInstances"]
    address = instance["Endpoint"]["Address"]
    assert re.fullmatch(r"orders\.[a-z0-9]{12}\.us-east-1\.rds\.amazonaws\.com", address)
    assert instance["Endpoint"]["Port"] == 6432

"""Rules of CloudFormation's types of monitoring."""

from tests.emulator.rule import rule
from tests.emulator.templates import Resources, resource
from tests.emulator.world import Account

_TYPES = "AWSCloudFormation/latest/TemplateReference"


def _alarm(topic: str) -> Resources:
    return resource(
        "CloudWatch::Alarm",
        Namespace="rules",
        MetricName=topic,
        ComparisonOperator="GreaterThanThreshold",
        Threshold=0,
        EvaluationPeriods=1,
        Period=60,
        Statistic="Maximum",
        TreatMissingData="notBreaching",
    )


@rule(f"{_TYPES}/aws-resource-cloudwatch-compositealarm.html")
def composite_alarm_follows_its_children(aws: Account) -> None:
    """A stack's composite alarm fires when its rule over other alarms holds, and changes in place."""

    def resources(operator: str) -> Resources:
        rule = {"Fn::Sub": f"ALARM(${{One}}) {operator} ALARM(${{Two}})"}
        return {
            "One": _alarm("one"),
            "Two": _alarm("two"),
            "Both": resource("CloudWatch::CompositeAlarm", AlarmRule=rule, AlarmDescription="the path is broken"),
        }

    cloudwatch = aws.client("cloudwatch")
    outputs = aws.deploy(resources("AND"), Name={"Ref": "Both"}, Arn={"Fn::GetAtt": ["Both", "Arn"]})

    def state() -> str:
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[outputs["Name"]], AlarmTypes=["CompositeAlarm"])[
            "CompositeAlarms"
        ]
        assert alarm["AlarmArn"] == outputs["Arn"]
        return str(alarm["StateValue"])

    cloudwatch.put_metric_data(Namespace="rules", MetricData=[{"MetricName": "one", "Value": 1}])
    assert state() == "OK"
    assert aws.deploy(resources("OR"), Name={"Ref": "Both"})["Name"] == outputs["Name"]
    cloudwatch.put_metric_data(Namespace="rules", MetricData=[{"MetricName": "one", "Value": 1}])
    aws.eventually(lambda: state() == "ALARM")
    assert aws.delete() == "DELETE_COMPLETE"
    assert cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"] == []


@rule("AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html")
def composite_alarm_needs_its_children(aws: Account) -> None:
    """A composite alarm over an alarm that does not exist fails the deployment."""
    alarm = resource("CloudWatch::CompositeAlarm", AlarmRule='ALARM("missing")')
    assert "missing" in aws.refused_stack({"Alarm": alarm})["Alarm"]


@rule(f"{_TYPES}/aws-resource-logs-querydefinition.html")
def saved_query_keeps_its_id(aws: Account) -> None:
    """A saved query of a stack has an id, which stays when the query changes."""

    def resources(query: str) -> Resources:
        return {"Query": resource("Logs::QueryDefinition", Name="rejects", QueryString=query)}

    before = aws.deploy(resources("fields @timestamp"), Id={"Ref": "Query"})["Id"]
    assert aws.deploy(resources("fields @message"), Id={"Ref": "Query"})["Id"] == before

"""`EndpointConnections`: who is told, who is accepted by whom, and what is cut off before a service goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Annotations, Match, Template

from constructs_pg import Consumer, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_cdk import aws_rds as rds

    from constructs_pg import PostgresEndpointService

    ServiceFactory = Callable[..., PostgresEndpointService]

DBT_ACCOUNT = "346425330055"
NOTIFICATION = "AWS::EC2::VPCEndpointConnectionNotification"
SERVICE = {"Ref": Match.string_like_regexp("^OrdersEndpointService")}


def fixed() -> PostgresTarget:
    """Return a target without a DNS name."""
    return PostgresTarget.from_ip_addresses(["10.0.1.5"], port=5432, security_groups=[])


def depends_on(template: Mapping[str, Any], logical_id: str) -> set[str]:
    """Return all resources that a resource needs, directly or not: on deletion they go after it."""
    resources = template["Resources"]

    def direct(value: object) -> set[str]:
        if isinstance(value, dict):
            found = {value["Ref"]} if isinstance(value.get("Ref"), str) else set()
            if "Fn::GetAtt" in value:
                found.add(value["Fn::GetAtt"][0])
            return found.union(*(direct(each) for each in value.values()))
        if isinstance(value, list):
            return set().union(*(direct(each) for each in value))
        return set()

    found: set[str] = set()
    pending = [logical_id]
    while pending:
        resource = resources[pending.pop()]
        named = resource.get("DependsOn", [])
        for each in direct(resource.get("Properties", {})).union([named] if isinstance(named, str) else named):
            if each in resources and each not in found:
                found.add(each)
                pending.append(each)
    return found


def ids(template: Mapping[str, Any], resource_type: str) -> set[str]:
    """Return the logical ids of a type."""
    return {key for key, each in template["Resources"].items() if each["Type"] == resource_type}


def alarms(template: Template) -> list[dict[str, Any]]:
    """Return the alarms about connections that wait."""
    found = template.find_resources("AWS::CloudWatch::Alarm")
    return [each["Properties"] for key, each in found.items() if "ConnectionWaits" in key]


def statements(template: Template) -> dict[str, dict[str, Any]]:
    """Return the statements of the gate's role by their ids."""
    policies = template.find_resources("AWS::IAM::ManagedPolicy")
    ours = [each["Properties"] for key, each in policies.items() if "ConnectionsGate" in key]
    return {each.get("Sid", "Logs"): each for policy in ours for each in policy["PolicyDocument"]["Statement"]}


class TestNotifications:
    def test_a_topic_and_an_alarm_tell_that_a_connection_waits(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """The default: PrivateLink publishes when a consumer makes an endpoint; the topic's own metric is free."""
        make_service()

        template = Template.from_stack(stack)
        topic = {"Ref": Match.string_like_regexp("^OrdersConnectionsTopic")}
        template.has_resource_properties(
            NOTIFICATION, {"ConnectionEvents": ["Connect"], "ConnectionNotificationArn": topic, "ServiceId": SERVICE}
        )
        template.has_resource_properties(
            "AWS::CloudWatch::Alarm",
            {
                "Namespace": "AWS/SNS",
                "MetricName": "NumberOfMessagesPublished",
                "Statistic": "Sum",
                "Period": 300,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "notBreaching",
            },
        )
        template.resource_count_is("AWS::SNS::Subscription", 0)

    def test_only_privatelink_publishes_and_only_for_this_service(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """Without the conditions another account's service could be made to publish here (a confused deputy)."""
        make_service()

        template = Template.from_stack(stack)
        template.has_resource_properties(
            "AWS::SNS::TopicPolicy",
            {
                "PolicyDocument": {
                    "Statement": Match.array_with(
                        [
                            Match.object_like(
                                {
                                    "Action": "sns:Publish",
                                    "Effect": "Allow",
                                    "Principal": {"Service": "vpce.amazonaws.com"},
                                    "Resource": {"Ref": Match.any_value()},
                                    "Condition": {
                                        "ArnLike": {
                                            "aws:SourceArn": {
                                                "Fn::Join": [
                                                    "",
                                                    [
                                                        "arn:",
                                                        {"Ref": "AWS::Partition"},
                                                        ":ec2:eu-central-1:111122223333:vpc-endpoint-service/",
                                                        SERVICE,
                                                    ],
                                                ]
                                            }
                                        },
                                        "StringEquals": {"aws:SourceAccount": Match.any_value()},
                                    },
                                }
                            )
                        ]
                    )
                }
            },
        )
        made = template.to_json()
        (notification,) = ids(made, NOTIFICATION)
        # AWS refuses a notification on a topic that it may not publish on.
        assert ids(made, "AWS::SNS::TopicPolicy") <= depends_on(made, notification)

    def test_who_is_told_by_mail(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """SNS asks each of them to confirm."""
        make_service(notification_emails=["dba@example.com", "oncall@example.com"])

        template = Template.from_stack(stack)
        for address in ("dba@example.com", "oncall@example.com"):
            template.has_resource_properties("AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": address})

    def test_a_key_of_ones_own(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """PrivateLink must be able to use it; AWS's own key for SNS cannot be told so."""
        make_service(notification_key=kms.Key(stack, "Key"))

        template = Template.from_stack(stack)
        template.has_resource_properties("AWS::SNS::Topic", {"KmsMasterKeyId": Match.any_value()})
        template.has_resource_properties(
            "AWS::KMS::Key",
            {
                "KeyPolicy": {
                    "Statement": Match.array_with(
                        [
                            Match.object_like(
                                {
                                    "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                                    "Principal": {"Service": "vpce.amazonaws.com"},
                                }
                            )
                        ]
                    )
                }
            },
        )

    def test_an_imported_key_warns(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """CDK cannot change its policy, and messages would get lost in silence."""
        key = kms.Key.from_key_arn(
            stack, "Key", "arn:aws:kms:eu-central-1:111122223333:key/12345678-1234-1234-1234-123456789012"
        )

        make_service(notification_key=key)

        warnings = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("kms:GenerateDataKey"))
        assert len(warnings) == 1

    def test_a_topic_of_the_same_stack(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """It is told, its policy is extended, and it has no alarm of ours: others may publish on it too."""
        service = make_service(notification_topic=sns.Topic(stack, "Mine"))

        template = Template.from_stack(stack)
        template.resource_count_is("AWS::SNS::Topic", 1)
        template.resource_count_is("AWS::SNS::TopicPolicy", 1)
        assert alarms(template) == []
        assert service.endpoint_connections.alarm is None

    def test_a_topic_of_another_stack(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Its policy names no service, or each stack would need the other."""
        app = cdk.App.of(stack)
        assert isinstance(app, cdk.App)
        other = cdk.Stack(app, "Topics", env=cdk.Environment(account="111122223333", region="eu-central-1"))

        make_service(notification_topic=sns.Topic(other, "Shared"))

        assert other.dependencies == []
        source = {"Fn::Join": ["", Match.array_with([Match.string_like_regexp(r"vpc-endpoint-service/\*$")])]}
        Template.from_stack(other).has_resource_properties(
            "AWS::SNS::TopicPolicy",
            {
                "PolicyDocument": {
                    "Statement": [
                        Match.object_like(
                            {
                                "Principal": {"Service": "vpce.amazonaws.com"},
                                "Condition": {
                                    "ArnLike": {"aws:SourceArn": source},
                                    "StringEquals": {"aws:SourceAccount": Match.any_value()},
                                },
                            }
                        )
                    ]
                }
            },
        )

    def test_an_imported_topic_warns(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """CDK cannot change its policy, and AWS would refuse the notification."""
        make_service(
            notification_topic=sns.Topic.from_topic_arn(stack, "Theirs", "arn:aws:sns:eu-central-1:111122223333:theirs")
        )

        warnings = Annotations.from_stack(stack).find_warning("*", Match.string_like_regexp("let vpce.amazonaws.com"))
        assert len(warnings) == 1

    @pytest.mark.parametrize("changes", [{"connection_notifications": False}, {"acceptance_required": False}])
    def test_nobody_is_told_where_nothing_waits(
        self, stack: cdk.Stack, make_service: ServiceFactory, changes: dict[str, bool]
    ) -> None:
        """Off on request; and without acceptance no connection ever waits."""
        make_service(**changes)

        template = Template.from_stack(stack)
        for resource_type in ("AWS::SNS::Topic", NOTIFICATION):
            template.resource_count_is(resource_type, 0)
        assert alarms(template) == []

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"connection_notifications": False, "notification_emails": ["a@example.com"]},
                "'notification_emails' cannot be used while 'connection_notifications' is off",
            ),
            ({"notification_emails": ["nobody"]}, "e-mail address must look like somebody@example.com"),
            ({"notification_emails": ["a@example.com", "a@example.com"]}, "is given twice"),
        ],
    )
    def test_settings_that_do_nothing_are_refused(
        self, make_service: ServiceFactory, changes: dict[str, Any], message: str
    ) -> None:
        """Who gives an address expects a mail."""
        with pytest.raises(PostgresEndpointServiceError, match=message):
            make_service(**changes)

    def test_a_key_for_a_given_topic_is_refused(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """A topic is encrypted where it is made."""
        with pytest.raises(PostgresEndpointServiceError, match="encrypt that topic where it is made"):
            make_service(notification_topic=sns.Topic(stack, "Mine"), notification_key=kms.Key(stack, "Key"))


class TestAllowList:
    def test_the_function_looks_at_each_notification_and_every_ten_minutes(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """Notifications make it fast, the schedule makes it sure."""
        make_service(accept_from=[DBT_ACCOUNT])

        template = Template.from_stack(stack)
        function = {"Fn::GetAtt": [Match.string_like_regexp("^OrdersConnectionsGateFunction"), "Arn"]}
        template.has_resource_properties("AWS::SNS::Subscription", {"Protocol": "lambda", "Endpoint": function})
        template.has_resource_properties(
            "AWS::Events::Rule",
            {
                "ScheduleExpression": "rate(10 minutes)",
                "Targets": [Match.object_like({"Arn": function, "Input": '{"action": "reconcile"}'})],
            },
        )
        template.has_resource_properties(
            "AWS::Lambda::Function",
            {
                "Handler": "connection_gate.handler.handle",
                "Environment": {"Variables": Match.object_like({"ACCEPT_FROM": DBT_ACCOUNT, "SERVICE_ID": SERVICE})},
            },
        )

    def test_the_alarm_is_about_who_is_not_listed(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Each look ends in an error while such a connection waits, and errors are a free metric."""
        make_service(accept_from=[DBT_ACCOUNT])

        template = Template.from_stack(stack)
        (alarm,) = alarms(template)
        assert (alarm["Namespace"], alarm["MetricName"], alarm["Period"]) == ("AWS/Lambda", "Errors", 600)
        assert "OrdersConnectionsGateFunction" in str(alarm["Dimensions"])

    def test_the_function_is_called_by_this_topic_and_this_schedule_only(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """A permission without a source would let anybody's topic call it."""
        make_service(accept_from=[DBT_ACCOUNT])

        permissions = Template.from_stack(stack).find_resources("AWS::Lambda::Permission")
        ours = [each["Properties"] for key, each in permissions.items() if "ConnectionsGate" in key]
        assert {each["Principal"] for each in ours} == {"events.amazonaws.com", "sns.amazonaws.com"}
        sources = [str(each["SourceArn"]) for each in ours]
        assert any("OrdersConnectionsTopic" in each for each in sources)
        assert any("OrdersConnectionsGateSchedule" in each for each in sources)

    @pytest.mark.parametrize(
        ("changes", "wanted"),
        [
            ({}, {"LearnZones", "Logs", "ReadZones"}),
            (
                {"accept_from": [DBT_ACCOUNT]},
                {"AcceptConnections", "LearnZones", "Logs", "ReadConnections", "ReadZones"},
            ),
            (
                {"accept_from": [DBT_ACCOUNT], "reject_others": True},
                {"AcceptConnections", "LearnZones", "Logs", "ReadConnections", "ReadZones", "RejectConnections"},
            ),
            (
                {"reject_connections_on_delete": True},
                {"LearnZones", "Logs", "ReadConnections", "ReadStack", "ReadZones", "RejectConnections"},
            ),
        ],
    )
    def test_the_role_may_do_what_was_asked_for(
        self, stack: cdk.Stack, make_service: ServiceFactory, changes: dict[str, Any], wanted: set[str]
    ) -> None:
        """What changes something is allowed on this service alone; `*` only where AWS knows nothing narrower."""
        make_service(**changes)

        found = statements(Template.from_stack(stack))
        # For the zones of a database that nobody named, see test_gate_role.py.
        wanted = wanted | {"ReadInstances", "ReadStack"}
        assert set(found) == wanted
        anywhere = {sid for sid, each in found.items() if each["Resource"] == "*"}
        assert anywhere == wanted & {"ReadConnections", "ReadZones"}
        for sid in wanted & {"AcceptConnections", "LearnZones", "RejectConnections"}:
            assert "vpc-endpoint-service/" in str(found[sid]["Resource"])
            assert "OrdersEndpointService" in str(found[sid]["Resource"])

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"accept_from": ["2222"]}, "account id must be text of 12 digits, got '2222'"),
            ({"accept_from": ["222222222222"]}, "no principal is in it, so it cannot ask for one"),
            ({"accept_from": [DBT_ACCOUNT, DBT_ACCOUNT]}, "is given twice"),
            ({"accept_from": [DBT_ACCOUNT], "acceptance_required": False}, "every connection is accepted"),
            ({"reject_others": True}, "names nobody: list the accounts to accept"),
        ],
    )
    def test_lists_that_cannot_be_meant_are_refused(
        self, make_service: ServiceFactory, changes: dict[str, Any], message: str
    ) -> None:
        """A typing mistake would leave the consumer waiting, or let everybody in."""
        with pytest.raises(PostgresEndpointServiceError, match=message):
            make_service(**changes)

    def test_too_many_accounts_are_refused(self, make_service: ServiceFactory) -> None:
        """They stand in the function's environment, which has 4 KB."""
        accounts = [f"{number:012d}" for number in range(201)]
        everybody = Consumer(name="All", principals=["*"])

        with pytest.raises(PostgresEndpointServiceError, match="201 accounts: at most 200 fit"):
            make_service(consumers=[everybody], accept_from=accounts)

    def test_without_notifications_the_schedule_is_left(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Slower, and still sure."""
        make_service(accept_from=[DBT_ACCOUNT], connection_notifications=False)

        template = Template.from_stack(stack)
        template.resource_count_is("AWS::SNS::Subscription", 0)
        template.has_resource_properties("AWS::Events::Rule", {"ScheduleExpression": "rate(10 minutes)"})


class TestZones:
    def test_a_zone_more_is_a_change_of_service_and_custom_resource(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """CloudFormation sees only what is in the template, so the zones are in it, twice."""
        make_service()

        template = Template.from_stack(stack)
        template.has_resource_properties(
            "Custom::PostgresEndpointServiceZones",
            {"Zones": ["euc1-az1", "euc1-az2"], "CodeHash": Match.any_value(), "ServiceTimeout": "420"},
        )
        template.has_resource_properties(
            "AWS::EC2::VPCEndpointService", {"Tags": [{"Key": "pg-privatelink:zones", "Value": "euc1-az1 euc1-az2"}]}
        )
        made = template.to_json()
        (resource,) = ids(made, "Custom::PostgresEndpointServiceZones")
        assert made["Resources"][resource]["DeletionPolicy"] == "Retain"
        needed = depends_on(made, resource)
        assert ids(made, "AWS::ElasticLoadBalancingV2::LoadBalancer") <= needed
        assert ids(made, "AWS::EC2::VPCEndpointService") <= needed

    def test_a_service_without_dns_names_has_no_function_for_it(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """Its tag has to do: fixed addresses come without any function."""
        service = make_service(listeners={"main": fixed()})

        template = Template.from_stack(stack)
        template.resource_count_is("AWS::Lambda::Function", 0)
        template.has_resource_properties(
            "AWS::EC2::VPCEndpointService", {"Tags": [{"Key": "pg-privatelink:zones", "Value": "euc1-az1 euc1-az2"}]}
        )
        assert service.endpoint_connections.gate is None

    def test_one_function_for_all_of_it(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Whatever is asked of it, and however many listeners there are."""
        service = make_service(accept_from=[DBT_ACCOUNT], reject_connections_on_delete=True)

        Template.from_stack(stack).resource_properties_count_is(
            "AWS::Lambda::Function", {"Handler": "connection_gate.handler.handle"}, 1
        )
        assert service.endpoint_connections.make_gate() is service.endpoint_connections.gate


class TestRejectionOnDelete:
    def test_it_is_off(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Nobody is cut off unless that was asked for."""
        make_service()

        Template.from_stack(stack).resource_count_is("Custom::PostgresConnectionRejection", 0)

    @pytest.mark.parametrize("dns", [True, False])
    def test_it_comes_before_everything_that_connections_need(
        self, stack: cdk.Stack, make_service: ServiceFactory, database: rds.IDatabaseInstance, *, dns: bool
    ) -> None:
        """Deletion goes against dependencies: what nothing needs goes first, here after the door was closed."""
        target = PostgresTarget.from_instance(database) if dns else fixed()
        service = make_service(listeners={"main": target}, reject_connections_on_delete=True, accept_from=[DBT_ACCOUNT])
        service.add_listener("late", port=5433, target=target)

        made = Template.from_stack(stack).to_json()
        (rejection,) = ids(made, "Custom::PostgresConnectionRejection")
        before = {key for key in made["Resources"] if rejection in depends_on(made, key)}
        types = {made["Resources"][key]["Type"] for key in before}
        assert types == {
            "AWS::EC2::VPCEndpointServicePermissions",
            "AWS::Events::Rule",
            "AWS::Lambda::Permission",
            "AWS::SNS::Subscription",
        }
        after = depends_on(made, rejection)
        aside = {
            "AWS::CloudWatch::Alarm",
            "AWS::Lambda::EventInvokeConfig",
            NOTIFICATION,
            "AWS::SNS::Topic",
            "AWS::SNS::TopicPolicy",
        }
        left = set(made["Resources"]) - before - after - {rejection}
        assert {made["Resources"][key]["Type"] for key in left} <= aside
        assert made["Resources"][rejection]["DeletionPolicy"] == "Delete"
        # What it may do goes after it, also when only the option is turned off.
        assert len({key for key in after if "ConnectionsGateRejectionPolicy" in key}) == 1

    def test_a_retained_service_keeps_its_consumers(self, make_service: ServiceFactory) -> None:
        """Cutting off whoever uses what is kept is a contradiction."""
        with pytest.raises(PostgresEndpointServiceError, match="that 'removal_policy' retains"):
            make_service(reject_connections_on_delete=True, removal_policy=cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)

    def test_it_can_be_had_without_principals(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """A service without consumers has no permissions to take away first."""
        make_service(consumers=[], reject_connections_on_delete=True)

        Template.from_stack(stack).resource_count_is("Custom::PostgresConnectionRejection", 1)


class TestSupportedRegions:
    def test_they_are_sorted_and_ours_is_left_out(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """AWS adds the service's own by itself; order says nothing."""
        make_service(supported_regions=["us-east-1", "eu-central-1", "ap-southeast-2"])

        Template.from_stack(stack).has_resource_properties(
            "AWS::EC2::VPCEndpointService", {"SupportedRegions": ["ap-southeast-2", "us-east-1"]}
        )

    @pytest.mark.parametrize(
        ("regions", "message"),
        [
            (["us-east-1", "us-east-1"], "supported Region us-east-1 is given twice"),
            (["us-east-1a"], "its Region is 'us-east-1'"),
            (["us-gov-west-1"], "us-gov-west-1 is in a partition where AWS PrivateLink does not reach other Regions"),
        ],
    )
    def test_regions_that_aws_refuses(self, make_service: ServiceFactory, regions: list[str], message: str) -> None:
        """Told at synthesis, not after minutes."""
        with pytest.raises(PostgresEndpointServiceError, match=message):
            make_service(supported_regions=regions)

    def test_an_idle_timeout_is_excluded(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """AWS allows one of the two; users reach the attribute through the listener."""
        service = make_service(supported_regions=["us-east-1"])
        resource = service.listener("main").listener.node.default_child
        assert isinstance(resource, elbv2.CfnListener)
        resource.listener_attributes = [
            elbv2.CfnListener.ListenerAttributeProperty(key="tcp.idle_timeout.seconds", value="600")
        ]

        with pytest.raises(RuntimeError, match="listener 'main' has an idle timeout of 600 seconds"):
            cdk.App.of(stack).synth()  # type: ignore[union-attr]

    def test_an_idle_timeout_alone_is_the_users_own_affair(
        self, stack: cdk.Stack, make_service: ServiceFactory
    ) -> None:
        """Without other Regions AWS allows it."""
        service = make_service()
        resource = service.listener("main").listener.node.default_child
        assert isinstance(resource, elbv2.CfnListener)
        resource.listener_attributes = [
            elbv2.CfnListener.ListenerAttributeProperty(key="tcp.idle_timeout.seconds", value="600")
        ]

        Template.from_stack(stack).has_resource_properties(
            "AWS::ElasticLoadBalancingV2::Listener",
            {"ListenerAttributes": [{"Key": "tcp.idle_timeout.seconds", "Value": "600"}]},
        )


class TestPayerResponsibility:
    def test_it_is_set_when_it_was_confirmed(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """It cannot be taken back, so it takes two words."""
        make_service(payer_responsibility="ServiceOwner", payer_responsibility_is_irreversible=True)

        Template.from_stack(stack).has_resource_properties(
            "AWS::EC2::VPCEndpointService", {"PayerResponsibility": "ServiceOwner"}
        )

    @pytest.mark.parametrize(
        ("value", "message"),
        [("ServiceOwner", "AWS never lets it be changed back"), ("Consumer", "must be 'ServiceOwner' or nothing")],
    )
    def test_otherwise_it_is_refused(self, make_service: ServiceFactory, value: str, message: str) -> None:
        """An irreversible cost must not come from a single word."""
        with pytest.raises(PostgresEndpointServiceError, match=message):
            make_service(payer_responsibility=value)

    def test_by_default_nothing_is_said(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """AWS's default: the consumer pays."""
        make_service()

        Template.from_stack(stack).has_resource_properties(
            "AWS::EC2::VPCEndpointService", {"PayerResponsibility": Match.absent()}
        )


class TestFunction:
    def test_it_keeps_to_the_rules_of_the_house(self, stack: cdk.Stack, make_service: ServiceFactory) -> None:
        """Boundary, key and retention hold for every function of the service."""
        boundary = iam.ManagedPolicy.from_managed_policy_arn(
            stack, "Boundary", "arn:aws:iam::111122223333:policy/boundary"
        )
        key = kms.Key(stack, "Key")

        make_service(permissions_boundary=boundary, encryption_key=key, log_retention=logs.RetentionDays.ONE_WEEK)

        template = Template.from_stack(stack)
        gate = {
            each["Type"]: each["Properties"]
            for logical_id, each in template.to_json()["Resources"].items()
            if "ConnectionsGate" in logical_id and "Properties" in each
        }
        assert gate["AWS::IAM::Role"]["PermissionsBoundary"] == "arn:aws:iam::111122223333:policy/boundary"
        assert gate["AWS::Logs::LogGroup"]["RetentionInDays"] == 7
        assert "KmsKeyId" in gate["AWS::Logs::LogGroup"]
        assert "KmsKeyArn" in gate["AWS::Lambda::Function"]
        assert "DecryptEnvironment" in statements(template)

"""`PostgresTarget.from_auto_scaling_group`: a group that registers its instances itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aws_cdk as cdk
import pytest
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from constructs_pg import PostgresEndpointService, PostgresEndpointServiceError, PostgresTarget

if TYPE_CHECKING:
    from constructs import Construct

IMAGE = ec2.MachineImage.generic_linux({"eu-central-1": "ami-0123456789abcdef0"})
TARGET_GROUP = "AWS::ElasticLoadBalancingV2::TargetGroup"


@pytest.fixture
def new_vpc(stack: cdk.Stack) -> ec2.Vpc:
    """Return a VPC that is created in CDK."""
    return ec2.Vpc(stack, "NewVpc", max_azs=2)


def auto_scaling_group(scope: Construct, vpc: ec2.IVpc) -> autoscaling.AutoScalingGroup:
    """Return a group in private subnets."""
    return autoscaling.AutoScalingGroup(
        scope, "Servers", vpc=vpc, instance_type=ec2.InstanceType("t4g.micro"), machine_image=IMAGE
    )


def target_group_id(port: int) -> str:
    """Return the logical id of the target group of a group on a port."""
    stack = cdk.Stack(
        cdk.App(analytics_reporting=False),
        "Stack",
        env=cdk.Environment(account="111122223333", region="eu-central-1"),
    )
    vpc = ec2.Vpc(stack, "NewVpc", max_azs=2)
    target = PostgresTarget.from_auto_scaling_group(auto_scaling_group(stack, vpc), port=port)
    PostgresEndpointService(stack, "Orders", vpc=vpc, listeners={"main": target})
    (logical_id,) = Template.from_stack(stack).find_resources(TARGET_GROUP, {"Properties": {"Port": port}})
    return logical_id


def test_the_group_is_attached_and_registers_its_instances(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """Auto Scaling registers instances on the target group's own port; nothing stands in the template."""
    target = PostgresTarget.from_auto_scaling_group(auto_scaling_group(stack, new_vpc), port=6543)

    PostgresEndpointService(stack, "Orders", vpc=new_vpc, listeners={"main": target})

    template = Template.from_stack(stack)
    ((logical_id, group),) = template.find_resources(TARGET_GROUP).items()
    assert (group["Properties"]["TargetType"], group["Properties"]["Port"]) == ("instance", 6543)
    assert "Targets" not in group["Properties"]
    template.has_resource_properties("AWS::AutoScaling::AutoScalingGroup", {"TargetGroupARNs": [{"Ref": logical_id}]})
    template.resource_count_is("AWS::Lambda::Function", 0)


def test_its_security_group_is_opened_and_reached(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """The instances come and go, their group stays."""
    target = PostgresTarget.from_auto_scaling_group(auto_scaling_group(stack, new_vpc))

    PostgresEndpointService(stack, "Orders", vpc=new_vpc, listeners={"main": target})

    template = Template.from_stack(stack)
    groups = template.find_resources("AWS::EC2::SecurityGroup")
    (ours,) = (each for logical_id, each in groups.items() if logical_id.startswith("Orders"))
    (theirs,) = (logical_id for logical_id in groups if logical_id.startswith("Servers"))
    (rule,) = ours["Properties"]["SecurityGroupEgress"]
    assert rule["DestinationSecurityGroupId"] == {"Fn::GetAtt": [theirs, "GroupId"]}
    assert len(template.find_resources("AWS::EC2::SecurityGroupIngress")) == 3


def test_another_port_is_another_target_group() -> None:
    """A target group's port is create-only: a new group takes the old one's place in the listener."""
    assert target_group_id(5432).startswith("OrdersListenersmainInstanceTargetGroup")
    assert target_group_id(6543).startswith("OrdersListenersmainInstanceTargetGroup6543")


def test_an_imported_group_is_refused_with_what_to_do(stack: cdk.Stack) -> None:
    """CloudFormation has no resource that attaches a target group to it."""
    imported = autoscaling.AutoScalingGroup.from_auto_scaling_group_name(stack, "Imported", "servers")

    with pytest.raises(PostgresEndpointServiceError) as caught:
        PostgresTarget.from_auto_scaling_group(imported)  # type: ignore[arg-type]

    assert str(caught.value) == (
        "Auto Scaling group 'servers' is imported, and CloudFormation cannot attach a target group to a group of "
        "another stack: create it in CDK, or use from_ec2_instance_ids or from_hostname; to attach it by hand, give a "
        "PostgresTarget of your own whose bind returns PostgresTargetConfig(port=5432, "
        "target_type=TargetType.INSTANCE), and run 'aws autoscaling attach-traffic-sources --auto-scaling-group-name "
        "servers --traffic-sources Identifier=<ARN>,Type=elbv2' with the ARN of that listener's target group"
    )


def test_something_else_is_refused(database: object) -> None:
    """The message says what is needed."""
    with pytest.raises(PostgresEndpointServiceError, match=r"needs an autoscaling\.AutoScalingGroup, got a "):
        PostgresTarget.from_auto_scaling_group(database)  # type: ignore[arg-type]


def test_the_port_must_be_known(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """It becomes part of a logical id."""
    port = cdk.Token.as_number(cdk.Fn.import_value("Port"))

    with pytest.raises(PostgresEndpointServiceError, match=r"must be known at synthesis: .* give a number"):
        PostgresTarget.from_auto_scaling_group(auto_scaling_group(stack, new_vpc), port=port)  # type: ignore[arg-type]


def test_the_port_is_checked(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """A mistake is named where it is made."""
    with pytest.raises(PostgresEndpointServiceError, match="port must be an integer from 1 to 65535, got 0"):
        PostgresTarget.from_auto_scaling_group(auto_scaling_group(stack, new_vpc), port=0)


def test_an_imported_launch_template_hides_the_groups(stack: cdk.Stack, new_vpc: ec2.Vpc) -> None:
    """CDK's own message speaks of connections; ours says what to give."""
    template = ec2.LaunchTemplate.from_launch_template_attributes(
        stack, "Template", launch_template_id="lt-0123456789abcdef0", version_number="1"
    )
    group = autoscaling.AutoScalingGroup(stack, "Servers", vpc=new_vpc, launch_template=template)

    with pytest.raises(PostgresEndpointServiceError, match=r"launch template is imported: give them as 'security_g"):
        PostgresTarget.from_auto_scaling_group(group)

    given = PostgresTarget.from_auto_scaling_group(group, security_groups=[])
    assert given.bind(stack).security_groups == []


class TestStacks:
    """The group in a stack of its own: it refers to our target group, our rules refer to its security groups."""

    @pytest.fixture
    def base_vpc(self, stack: cdk.Stack) -> ec2.Vpc:
        """Return a VPC in a stack of its own."""
        return ec2.Vpc(self.sibling(stack, "Base"), "Vpc", max_azs=2)

    @pytest.fixture
    def group(self, stack: cdk.Stack, base_vpc: ec2.Vpc) -> autoscaling.AutoScalingGroup:
        """Return a group in another stack than the service's."""
        return auto_scaling_group(self.sibling(stack, "Servers"), base_vpc)

    @staticmethod
    def sibling(stack: cdk.Stack, name: str) -> cdk.Stack:
        """Return another stack of the same app and environment."""
        app = stack.node.root
        assert isinstance(app, cdk.App)
        return cdk.Stack(app, name, env=cdk.Environment(account=stack.account, region=stack.region))

    def test_a_circle_is_refused(
        self, stack: cdk.Stack, base_vpc: ec2.Vpc, group: autoscaling.AutoScalingGroup
    ) -> None:
        """CDK would name both stacks, but not what to do."""
        with pytest.raises(PostgresEndpointServiceError) as caught:
            PostgresEndpointService(
                stack, "Orders", vpc=base_vpc, listeners={"main": PostgresTarget.from_auto_scaling_group(group)}
            )

        assert str(caught.value) == (
            "the Auto Scaling group and its security groups are in stack 'Servers', the service is in 'Stack': the "
            "group would need our target group, and our rules its security groups, a circle; put them into one stack, "
            "or give security_groups=[] and open the groups yourself"
        )

    def test_without_its_groups_there_is_none(
        self, stack: cdk.Stack, base_vpc: ec2.Vpc, group: autoscaling.AutoScalingGroup
    ) -> None:
        """The group's stack then depends on the service's, and not the other way."""
        target = PostgresTarget.from_auto_scaling_group(group, security_groups=[])

        PostgresEndpointService(stack, "Orders", vpc=base_vpc, listeners={"main": target})

        template = Template.from_stack(cdk.Stack.of(group))
        (attached,) = template.find_resources("AWS::AutoScaling::AutoScalingGroup").values()
        (arn,) = attached["Properties"]["TargetGroupARNs"]
        assert arn["Fn::ImportValue"].startswith("Stack:ExportsOutputRefOrdersListenersmainInstanceTargetGroup")

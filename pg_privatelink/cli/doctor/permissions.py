"""The IAM policy that the doctor needs: every action it calls, and none besides."""

from __future__ import annotations

from typing import Any

# In the order of the calls. Describe actions of EC2, Elastic Load Balancing and CloudWatch know no resources (Service
# Authorization Reference); the others are of databases, stacks and logs that only the account can tell.
_READ = (
    "cloudformation:DescribeStacks",
    "cloudformation:GetTemplate",
    "cloudformation:ListStackResources",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpointConnections",
    "ec2:DescribeVpcEndpointServiceConfigurations",
    "ec2:DescribeVpcEndpointServicePermissions",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "events:DescribeRule",
    "events:ListRuleNamesByTarget",
    "logs:FilterLogEvents",
    "rds:DescribeDBClusterParameters",
    "rds:DescribeDBClusters",
    "rds:DescribeDBInstances",
    "rds:DescribeDBParameters",
    "rds:DescribeDBProxies",
    "rds:DescribeDBProxyEndpoints",
)
_FUNCTION = ("lambda:GetFunctionConcurrency", "lambda:GetPolicy", "lambda:InvokeFunction")
_STACK_LETTERS = 20
"""So much of a stack's name is surely in the names that CloudFormation gives to functions, which have 64 letters."""


def policy(stack: str | None = None) -> dict[str, Any]:
    """Return the policy.

    Args:
        stack: The stack's name, where it is not one of the app's (default: all of the app's).
    """
    prefix = stack[:_STACK_LETTERS] if stack else "PgPrivateLink-"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": list(_READ), "Resource": "*"},
            {
                "Sid": "AskTheFunctionWhatItSees",
                "Effect": "Allow",
                "Action": list(_FUNCTION),
                "Resource": f"arn:aws:lambda:*:*:function:{prefix}*",
            },
        ],
    }

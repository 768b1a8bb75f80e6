"""The IAM policy that the drill needs: every action it calls, and none besides."""

from __future__ import annotations

from typing import Any

_READ = (
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeTags",
    "rds:DescribeDBClusters",
    "rds:DescribeDBInstances",
)
_FORCE = ("rds:FailoverDBCluster", "rds:RebootDBInstance")


def policy(database: str | None = None) -> dict[str, Any]:
    """Return the policy.

    Args:
        database: The identifier of the only database that may be failed over (default: all).
    """
    which = database or "*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": list(_READ), "Resource": "*"},
            {
                "Sid": "ForceTheFailover",
                "Effect": "Allow",
                "Action": list(_FORCE),
                "Resource": [f"arn:aws:rds:*:*:cluster:{which}", f"arn:aws:rds:*:*:db:{which}"],
            },
        ],
    }

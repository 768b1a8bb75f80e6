"""Findings of policy packs (cdk-nag) that no setting of ours could mend, each with the reason.

What a stricter setting mends is not acknowledged: the shop that runs the pack decides. docs/policy.md lists both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Acknowledgment, Validations

if TYPE_CHECKING:
    from constructs import IConstruct

_WITH_CONTROLS = ("NIST.800.53.R5", "HIPAA.Security")
_ALL_BUT_SOLUTIONS = (*_WITH_CONTROLS, "PCI.DSS.321")


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """Rules of policy packs that find the same thing.

    Args:
        rules: Their ids, `Pack-Rule`.
        reason: Why the finding stays.
    """

    rules: tuple[str, ...]
    reason: str

    def on(self, construct: IConstruct) -> None:
        """Acknowledge the findings on a construct, and on nothing around it."""
        Validations.of(construct).acknowledge(*(Acknowledgment(id=rule, reason=self.reason) for rule in self.rules))


ACCESS_LOGS = Acknowledged(
    rules=("AwsSolutions-ELB2", *(f"{pack}-ELBLoggingEnabled" for pack in _ALL_BUT_SOLUTIONS)),
    reason="A Network Load Balancer writes access logs for TLS listeners only.",
)
TLS_LISTENER = Acknowledged(
    rules=tuple(f"{pack}-ELBv2ACMCertificateRequired" for pack in _ALL_BUT_SOLUTIONS),
    reason="Postgres negotiates TLS within its own protocol, which a TLS listener cannot carry: the load balancer "
    "passes bytes on, and client and database encrypt from end to end.",
)
CONCURRENCY = Acknowledged(
    rules=tuple(f"{pack}-LambdaConcurrency" for pack in _WITH_CONTROLS),
    reason="A limit would make the invocation that follows a failover wait for the one that watches DNS all the time.",
)
DEAD_LETTERS = Acknowledged(
    rules=tuple(f"{pack}-LambdaDLQ" for pack in _WITH_CONTROLS),
    reason="The next invocation repairs what one failed to do; repeated from a queue it would act on old news.",
)
DESCRIBE_ACTIONS = Acknowledged(
    rules=("AwsSolutions-IAM5[Resource::*]",),
    reason="The describe actions of Elastic Load Balancing and EC2 have no resource-level permissions; they only read.",
)


def network_interfaces(resource: str) -> Acknowledged:
    """Return the acknowledgment of one resource with a wildcard, as a policy pack spells it."""
    return Acknowledged(
        rules=(f"AwsSolutions-IAM5[Resource::{resource}]",),
        reason="AWS Lambda makes the network interfaces of a function in a VPC as the function's role, and they have "
        "no names before; subnets are named, but not the account that may share them. A condition excludes the "
        "function's own code.",
    )


def db_subnet_groups(resource: str) -> Acknowledged:
    """Return the acknowledgment of all DB subnet groups, as a policy pack spells them."""
    return Acknowledged(
        rules=(f"AwsSolutions-IAM5[Resource::{resource}]",),
        reason="The DB subnet group of a cluster that is made elsewhere has no known name, and it says in which zones "
        "the cluster can be; the action only reads.",
    )

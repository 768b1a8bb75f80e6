"""The endpoint service itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pg_privatelink.cli.doctor.facts import known
from pg_privatelink.cli.doctor.finding import ok, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pg_privatelink.cli.doctor.facts import Facts
    from pg_privatelink.cli.doctor.finding import Finding


def check(facts: Facts) -> Iterator[Finding]:
    """It is available and stands in front of the stack's load balancer."""
    row, service = known(facts.configuration), facts.service
    state, arn = str(row["ServiceState"]), service.load_balancer_arn
    wrong = False
    if state.lower() != "available":
        wrong = True
        yield problem(
            f"the endpoint service {service.id} is {state}, so nobody can connect",
            "wait if it is Pending; if it is Failed or Deleting, see the stack's events: "
            f"aws cloudformation describe-stack-events --stack-name {service.stack}",
        )
    if arn not in row.get("NetworkLoadBalancerArns", []):
        wrong = True
        yield problem(
            "the endpoint service does not stand in front of the stack's load balancer",
            "associate the load balancer again",
            facts.aws(
                f"ec2 modify-vpc-endpoint-service-configuration --service-id {service.id} "
                f"--add-network-load-balancer-arns {arn}"
            ),
        )
    if not wrong:
        acceptance = "you accept each connection" if row.get("AcceptanceRequired") else "anyone admitted connects"
        yield ok(f"{service.id} is {state}; {acceptance}")
